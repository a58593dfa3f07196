//! A history that is about to be falsified: how to find things in it, and how to change them everywhere at once.

use std::collections::{BTreeMap, HashMap};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tertulia_protocol::{RoomId, Seq};

use super::world;
use crate::journal::{Attempt, Event, Kind, Logged, Mono, Receipt, Stamp, Step, What};

/// A history and the dice with which to choose what to change.
pub(super) struct Tale {
    pub(super) rng: SmallRng,
    pub(super) events: Vec<Event>,
}

/// An acknowledged message.
#[derive(Clone, Copy)]
pub(super) struct Acked {
    pub(super) room: RoomId,
    pub(super) stamp: Stamp,
    pub(super) seq: Seq,
    pub(super) tries: usize,
    pub(super) conn: Option<u32>,
    pub(super) first: Mono,
    pub(super) at: Mono,
    /// Where in the events the first intent is.
    pub(super) index: usize,
}

impl Tale {
    pub(super) fn of(seed: usize) -> Self {
        Self { rng: SmallRng::seed_from_u64(seed as u64 ^ 0x7a1e), events: world::history(seed).to_vec() }
    }

    /// One of several.
    pub(super) fn pick<T>(&mut self, mut from: Vec<T>) -> Option<T> {
        (!from.is_empty()).then(|| from.swap_remove(self.rng.random_range(0..from.len())))
    }

    /// The log of a room, whole.
    pub(super) fn log(&self, room: RoomId) -> Vec<Logged> {
        let told = self.events.iter().filter_map(|event| match &event.what {
            What::Final(told) if told.room == room && told.via == "a" => Some(told.log.clone()),
            _ => None,
        });
        told.flatten().collect()
    }

    pub(super) fn head(&self, room: RoomId) -> Seq {
        let told = self.events.iter().filter_map(|event| match &event.what {
            What::Final(told) if told.room == room => told.log.last().map(|entry| entry.seq),
            _ => None,
        });
        told.max().expect("a room has entries")
    }

    pub(super) fn rooms(&self) -> Vec<RoomId> {
        let told = self.events.iter().filter_map(|event| match &event.what {
            What::Final(told) => Some(told.room),
            _ => None,
        });
        let mut rooms: Vec<RoomId> = told.collect();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    /// Changes a room's log on every instance, or on one; it is whole, and so it stays.
    pub(super) fn edit_log(&mut self, room: RoomId, only: Option<&str>, edit: impl Fn(&mut Vec<Logged>)) {
        for via in ["a", "b", "c"].into_iter().filter(|via| only.is_none_or(|only| only == *via)) {
            let mut pieces: Vec<&mut Vec<Logged>> = self
                .events
                .iter_mut()
                .filter_map(|event| match &mut event.what {
                    What::Final(told) if told.room == room && told.via == via => Some(&mut told.log),
                    _ => None,
                })
                .collect();
            let mut log: Vec<Logged> = pieces.iter_mut().flat_map(|piece| std::mem::take(*piece)).collect();
            edit(&mut log);
            *pieces[0] = log;
        }
    }

    /// Changes one entry of a log on every instance.
    pub(super) fn edit_entry(&mut self, room: RoomId, seq: Seq, edit: impl Fn(&mut Logged)) {
        self.edit_log(room, None, |log| {
            log.iter_mut().filter(|entry| entry.seq == seq).for_each(&edit);
        });
    }

    /// Every message that was acknowledged.
    pub(super) fn acked(&self) -> Vec<Acked> {
        let mut found: Vec<Acked> = Vec::new();
        let mut places: HashMap<Stamp, usize> = HashMap::new();
        for (index, event) in self.events.iter().enumerate() {
            let What::Send(Attempt { room, stamp, step }) = &event.what else { continue };
            let known = places.get(stamp).map(|place| &mut found[*place]);
            match (step, known) {
                (Step::Invoke { .. }, Some(known)) => known.tries += 1,
                (Step::Invoke { conn, .. }, None) => {
                    let (room, stamp, conn, first) = (*room, *stamp, *conn, event.mono);
                    places.insert(stamp, found.len());
                    found.push(Acked { room, stamp, seq: Seq::ZERO, tries: 1, conn, first, at: Mono(0), index });
                }
                (Step::Ok { seq, .. }, Some(known)) => (known.seq, known.at) = (*seq, event.mono),
                _ => {}
            }
        }
        found.retain(|acked| acked.seq > Seq::ZERO);
        found
    }

    /// Messages that were not acknowledged but are stored, with their entries.
    pub(super) fn unacked_but_stored(&self) -> Vec<(RoomId, Logged)> {
        let acked = self.acked();
        let posted =
            self.rooms().into_iter().flat_map(|room| self.log(room).into_iter().map(move |entry| (room, entry)));
        let posted = posted.filter(|(_, entry)| entry.kind == Kind::Posted);
        posted.filter(|(_, entry)| acked.iter().all(|acked| Some(acked.stamp) != entry.stamp)).collect()
    }

    /// All steps of a message.
    pub(super) fn steps_of(&mut self, stamp: Stamp) -> impl Iterator<Item = &mut Step> {
        self.events.iter_mut().filter_map(move |event| match &mut event.what {
            What::Send(attempt) if attempt.stamp == stamp => Some(&mut attempt.step),
            _ => None,
        })
    }

    /// Who sent it.
    pub(super) fn process(&self, acked: &Acked) -> &str {
        &self.events[acked.index].p
    }

    /// What happened to each observer of each room, by place in the events.
    pub(super) fn stories(&self) -> Vec<(RoomId, Vec<usize>)> {
        let mut stories: BTreeMap<(&str, RoomId), Vec<usize>> = BTreeMap::new();
        for (index, event) in self.events.iter().enumerate() {
            let room = match &event.what {
                What::Recv(receipt) => receipt.room,
                What::Subscribe(follow) => follow.room,
                What::Unsubscribe { room } => *room,
                What::Resync(resync) => resync.room,
                _ => continue,
            };
            stories.entry((&event.p, room)).or_default().push(index);
        }
        stories.into_iter().map(|((_, room), story)| (room, story)).collect()
    }

    /// Places of two things that happened to one observer, one right after the other.
    pub(super) fn pairs(&self) -> Vec<(usize, usize)> {
        let stories = self.stories();
        stories.iter().flat_map(|(_, story)| story.windows(2).map(|pair| (pair[0], pair[1]))).collect()
    }

    pub(super) fn receipt(&self, index: usize) -> Option<&Receipt> {
        match &self.events[index].what {
            What::Recv(receipt) => Some(receipt),
            _ => None,
        }
    }

    pub(super) fn receipt_mut(&mut self, index: usize) -> &mut Receipt {
        match &mut self.events[index].what {
            What::Recv(receipt) => receipt,
            other => panic!("premise: a receipt, not {other:?}"),
        }
    }

    /// A receipt of a stream.
    pub(super) fn stream(&self, index: usize) -> Option<&Receipt> {
        self.receipt(index).filter(|receipt| receipt.src.is_stream())
    }

    /// Neighbours on a stream: two receipts, the numbers one after the other, nothing between.
    pub(super) fn neighbours(&self) -> Vec<(usize, usize)> {
        let follows = |first: usize, second: usize| Some(self.stream(second)?.seq == self.stream(first)?.seq.next());
        self.pairs().into_iter().filter(|(first, second)| follows(*first, *second) == Some(true)).collect()
    }

    pub(super) fn is_follow(&self, index: usize) -> bool {
        matches!(self.events[index].what, What::Subscribe(_))
    }

    pub(super) fn is_leave(&self, index: usize) -> bool {
        matches!(self.events[index].what, What::Unsubscribe { .. })
    }

    /// Every receipt of a stream.
    pub(super) fn streamed(&self) -> Vec<usize> {
        (0..self.events.len()).filter(|index| self.stream(*index).is_some()).collect()
    }

    /// Puts an event that is there already to another moment as well.
    pub(super) fn again(&mut self, index: usize, at: Mono) {
        let event = Event { mono: at, ..self.events[index].clone() };
        self.events.push(event);
    }

    pub(super) fn note(&mut self, at: Mono, p: &str, what: What) {
        self.events.push(Event { mono: at, p: p.to_owned(), what });
    }

    /// Everything in the order of time again.
    pub(super) fn told(mut self) -> Vec<Event> {
        self.events.sort_by_key(|event| event.mono);
        self.events
    }
}
