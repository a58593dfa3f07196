//! One observer's stream in one room, replayed: strictly upwards, no number skipped unless somebody said so, nothing
//! that is not owed.

use std::collections::HashSet;
use std::time::Duration;

use tertulia_protocol::{RoomId, Seq};

use super::finding::{Finding, Findings};
use super::history::{Arrived, Happening, Observer};
use super::names::{Id, Names};
use super::spans::{FOR_EVER, Spans};
use super::witness::Witness;
use super::word::Word;
use crate::journal::{Door, Mono, Reason, Src};

/// Longest hole whose numbers are looked at one by one; a longer one is reported whole.
const HOLE: i64 = 1_000_000;

/// What all observers of a room have in common.
pub(super) struct Scene<'a, 'b, 'c> {
    pub(super) room: RoomId,
    /// The store of the final log.
    pub(super) epoch: Id,
    /// The highest number of the final log.
    pub(super) head: Seq,
    pub(super) names: &'a Names,
    pub(super) witness: Witness<'a>,
    pub(super) found: &'b mut Findings<'c>,
}

/// What an observer was owed and what it got, in the store of the final log.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Numbers that it was to get, those of `spared` aside.
    pub(super) owed: Spans,
    /// Numbers that a reset told it not to wait for.
    pub(super) spared: Spans,
    pub(super) member: Spans,
    /// When each number came first, and how; by its value, up to the log's highest.
    pub(super) arrivals: Vec<Option<(Mono, Src)>>,
    /// From when to when it followed the room.
    pub(super) follows: Vec<(Mono, Option<Mono>)>,
    /// From when to when it had broken its own link.
    pub(super) away: Vec<(Mono, Mono)>,
}

impl Read {
    /// When a number came first, and how.
    pub(super) fn arrival(&self, seq: Seq) -> Option<(Mono, Src)> {
        usize::try_from(seq.0).ok().and_then(|seq| self.arrivals.get(seq).copied()).flatten()
    }

    /// How much of a time it could not hear anything by its own doing.
    pub(super) fn away_within(&self, from: Mono, to: Mono) -> Duration {
        self.away.iter().map(|(left, back)| (*back).min(to).since((*left).max(from))).sum()
    }
}

/// Replays what one process saw of a room.
pub(super) fn replay(process: Id, observer: &Observer, scene: &mut Scene<'_, '_, '_>) -> Read {
    let arrivals = vec![None; usize::try_from(scene.head.0).unwrap_or(0) + 1];
    let read = Read { member: Spans::membership(&observer.bounds), arrivals, ..Read::default() };
    let mut reader = Reader { process, scene, stream: None, read };
    for (at, step) in &observer.steps {
        match step {
            Happening::Recv(arrived) => reader.recv(*at, arrived),
            Happening::Follow { epoch, after, door } => reader.follow(*at, *epoch, *after, *door),
            Happening::Unfollow => reader.unfollow(*at),
            Happening::Away => reader.read.away.push((*at, Mono(u64::MAX))),
            Happening::Resync { reason, from, to } => reader.resync(*reason, *from, *to),
        }
    }
    if let Some(stream) = reader.stream.take() {
        reader.still_following(stream);
    }
    reader.read
}

/// A room that is followed in one store.
struct Stream {
    door: Door,
    epoch: Id,
    /// Where the stream stands.
    last: Seq,
    owed_from: Seq,
    /// A reset was said and nothing came since: the next entry may be of another store.
    afresh: bool,
    /// Numbers that came on the stream, in runs: a stream of millions has few.
    came: Spans,
    /// Numbers that came after a later one: told as that, not as a hole.
    late: HashSet<Seq>,
    /// Numbers that the client asked for.
    pulled: Spans,
    /// Numbers that a reset told it not to wait for.
    spared: Spans,
    holes: Vec<(Mono, Seq, Seq)>,
}

impl Stream {
    fn begin(epoch: Id, after: Seq, door: Door) -> Self {
        let (late, holes) = (HashSet::new(), Vec::new());
        let [came, pulled, spared] = std::array::from_fn(|_| Spans::default());
        let owed_from = after.next();
        Self { door, epoch, last: after, owed_from, afresh: false, came, late, pulled, spared, holes }
    }
}

struct Reader<'x, 'a, 'b, 'c> {
    process: Id,
    scene: &'x mut Scene<'a, 'b, 'c>,
    stream: Option<Stream>,
    read: Read,
}

impl Reader<'_, '_, '_, '_> {
    fn recv(&mut self, at: Mono, arrived: &Arrived) {
        let Arrived { epoch, seq, src, .. } = *arrived;
        if let Some(differs) = self.scene.witness.differs(self.process, arrived, self.scene.epoch, self.scene.names) {
            self.say(Word::Diverged, at, (seq, seq), differs);
        }
        if src.is_stream() && self.stream.is_none() {
            return self.say(Word::Leak, at, (seq, seq), "the room was not followed at that time".to_owned());
        }
        if !self.read.member.hold(seq) {
            self.say(Word::Leak, at, (seq, seq), "outside the membership".to_owned());
        }
        if epoch == self.scene.epoch
            && let Some(arrival) = usize::try_from(seq.0).ok().and_then(|seq| self.read.arrivals.get_mut(seq))
        {
            arrival.get_or_insert((at, src));
        }
        // A number that the log never reached moves nothing: it is told as what it is, once.
        if src.is_stream() && (epoch != self.scene.epoch || seq <= self.scene.head) {
            self.advance(at, epoch, seq);
        }
    }

    fn advance(&mut self, at: Mono, epoch: Id, seq: Seq) {
        let Some(mut stream) = self.stream.take() else { return };
        if stream.epoch != epoch {
            let after = if stream.afresh { stream.last } else { seq.prev() };
            if !stream.afresh {
                self.say(Word::SilentGap, at, (seq, seq), "of another store, and nobody said so".to_owned());
            }
            self.judge(&stream);
            stream = Stream::begin(epoch, after, stream.door);
        }
        stream.afresh = false;
        if seq > stream.last {
            if seq != stream.last.next() {
                stream.holes.push((at, stream.last.next(), seq.prev()));
            }
            stream.last = seq;
        } else if stream.came.hold(seq) || seq == stream.last {
            self.say(Word::DupDelivery, at, (seq, seq), "it came twice on one stream".to_owned());
        } else {
            let last = stream.last;
            self.say(Word::OrderDelivery, at, (seq, seq), format!("it came after entry {last}"));
            stream.late.insert(seq);
        }
        stream.came.grow(seq);
        self.stream = Some(stream);
    }

    fn follow(&mut self, at: Mono, epoch: Id, after: Seq, door: Door) {
        if let Some((_, back)) = self.read.away.last_mut() {
            *back = (*back).min(at);
        }
        match self.stream.take() {
            // The client resumes from what it has; what it claims to have must have come, or been given up.
            Some(mut stream) if stream.epoch == epoch => {
                if after > stream.last {
                    stream.holes.push((at, stream.last.next(), after));
                }
                stream.owed_from = stream.owed_from.min(after.next());
                (stream.last, stream.afresh, stream.door) = (after, false, door);
                self.stream = Some(stream);
            }
            before => {
                match before {
                    Some(stream) => self.judge(&stream),
                    None => self.read.follows.push((at, None)),
                }
                self.stream = Some(Stream::begin(epoch, after, door));
            }
        }
    }

    fn unfollow(&mut self, at: Mono) {
        let Some(mut stream) = self.stream.take() else { return };
        if let Some((_, until)) = self.read.follows.last_mut() {
            *until = Some(at);
        }
        // Who leaves while it pulls does not wait for the answer.
        for &(first, last) in &stream.pulled.0 {
            let seqs = (first.0..=last.0.min(self.scene.head.0)).map(Seq);
            let open = seqs.filter(|seq| self.read.arrival(*seq).is_none());
            stream.spared.0.extend(Spans::runs(open).0);
        }
        let last = stream.last;
        self.close(stream, last);
    }

    /// The run is over: everything is owed.
    fn still_following(&mut self, stream: Stream) {
        if stream.epoch != self.scene.epoch {
            let what = "at the end it still followed another store than the log's".to_owned();
            let at = self.read.follows.last().map_or(Mono(0), |(from, _)| *from);
            self.say(Word::NotDelivered, at, (stream.last.next(), stream.last.next()), what);
        }
        self.close(stream, FOR_EVER);
    }

    /// Everything up to `last` was owed; in another store than the log's nothing is any more.
    fn close(&mut self, stream: Stream, last: Seq) {
        self.judge(&stream);
        if stream.epoch == self.scene.epoch {
            self.read.owed.add(stream.owed_from, last);
            self.read.spared.0.extend(stream.spared.0);
        }
    }

    fn resync(&mut self, reason: Reason, from: Seq, to: Seq) {
        let Some(stream) = &mut self.stream else { return };
        match reason {
            Reason::Gap => stream.pulled.add(from, to),
            Reason::Reset => {
                stream.spared.add(from, to);
                stream.last = to;
                stream.afresh = true;
            }
        }
    }

    /// Every hole must have been announced: by the client that pulls it, where clients do that, or by the server.
    fn judge(&mut self, stream: &Stream) {
        for &(at, first, last) in &stream.holes {
            let explained = |seq: Seq| {
                let pulled = stream.door.repairs() && stream.pulled.hold(seq);
                pulled || stream.late.contains(&seq) || stream.spared.hold(seq)
            };
            let silent = match last.0 - first.0 {
                ..HOLE => Spans::runs((first.0..=last.0).map(Seq).filter(|seq| !explained(*seq))),
                _ => Spans(vec![(first, last)]),
            };
            for seqs in silent.0 {
                self.say(Word::SilentGap, at, seqs, "skipped, and nobody said so".to_owned());
            }
        }
    }

    fn say(&mut self, word: Word, at: Mono, (first, last): (Seq, Seq), what: String) {
        let finding = Finding::new(word, self.scene.room, what).seqs(first, last).at(at);
        self.scene.found.add(finding.by(self.scene.names.name(self.process)));
    }
}
