//! Clean histories: what journals would hold if a server kept every promise through faults. Made from a seed, by a
//! model that shares nothing with the checker: first when everything was stored, then who saw it when.

mod faults;
mod people;
mod readers;
mod senders;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tertulia_protocol::{Epoch, RoomId, Seq, UserId};

use super::super::Terms;
use crate::journal::{Event, Final, Kind, Logged, Mono, What};

/// The store of these histories.
pub(super) const EPOCH: &str = "e1";

/// When people stop sending; links and people settle afterwards.
const LAST_SEND: Mono = Mono(30_000_000_000);
/// When the final logs are read.
const END: Mono = Mono(60_000_000_000);

/// Shorter than a server's, so that a minute holds many absences.
pub(super) const TERMS: Terms = Terms { grace: Duration::from_secs(2), gone_within: Duration::from_secs(5) };

/// A history in the making.
pub(super) struct World {
    rng: SmallRng,
    events: Vec<Event>,
    rooms: BTreeMap<RoomId, Vec<Stored>>,
}

/// An entry and when it was committed.
#[derive(Clone)]
struct Stored {
    at: Mono,
    entry: Logged,
}

/// How many seeds there are.
pub(super) const SEEDS: usize = 500;

/// The history of a seed below [`SEEDS`]; each is made once, since making one takes longer than checking it.
pub(super) fn history(seed: usize) -> &'static [Event] {
    static MADE: [OnceLock<Vec<Event>>; SEEDS] = [const { OnceLock::new() }; SEEDS];
    MADE[seed].get_or_init(|| make(seed as u64))
}

/// Makes the history of a seed.
pub(super) fn make(seed: u64) -> Vec<Event> {
    let mut world = World { rng: SmallRng::seed_from_u64(seed), events: Vec::new(), rooms: BTreeMap::new() };
    let count = world.rng.random_range(2..=3);
    world.rooms = (1..=count).map(|room| (RoomId(room), Vec::new())).collect();
    world.faults();
    world.senders();
    world.readers();
    world.people();
    world.finals();
    world.events.sort_by_key(|event| event.mono);
    world.events
}

/// The name of an entry at the doors that name entries.
pub(super) fn name_of(room: RoomId, seq: Seq) -> String {
    format!("{EPOCH}-{room}-{seq}")
}

impl World {
    fn note(&mut self, at: Mono, p: &str, what: What) {
        self.events.push(Event { mono: at, p: p.to_owned(), what });
    }

    fn room_ids(&self) -> Vec<RoomId> {
        self.rooms.keys().copied().collect()
    }

    /// Some time between so many and so many milliseconds.
    fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(self.rng.random_range(from * 1_000..=to * 1_000))
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    /// Gives numbers in the order of commits, as each room's counter does. The room itself is the first entry.
    fn number(&mut self) {
        for (room, stored) in &mut self.rooms {
            let created =
                Logged { seq: Seq(0), kind: Kind::Created, author: UserId(room.0), key: None, h: None, stamp: None };
            stored.push(Stored { at: Mono(0), entry: created });
            stored.sort_by_key(|stored| stored.at);
            for (seq, stored) in (1..).zip(stored) {
                stored.entry.seq = Seq(seq);
            }
        }
    }

    /// How far a room was at a moment.
    fn head(&self, room: RoomId, at: Mono) -> Seq {
        Seq(self.rooms[&room].iter().take_while(|stored| stored.at <= at).count() as i64)
    }

    fn finals(&mut self) {
        for via in ["a", "b", "c"] {
            for room in self.room_ids() {
                let log: Vec<Logged> = self.rooms[&room].iter().map(|stored| stored.entry.clone()).collect();
                // A long log comes in pieces.
                let cut = self.rng.random_range(0..=log.len());
                for piece in [&log[..cut], &log[cut..]] {
                    let (via, epoch, log) = (via.to_owned(), Epoch(EPOCH.to_owned()), piece.to_vec());
                    self.note(END, "fin", What::Final(Final { room, via, epoch, log }));
                }
            }
        }
    }
}
