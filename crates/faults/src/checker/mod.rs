//! Whether a run kept every promise: pure functions over its events (the algorithm of the fault runs).
//!
//! Events are taken in one by one, in the order of time; the verdict is given at the end, room by room, in
//! O(n log n). It decides by what clients saw and by the final logs alone, never by how the server works.

mod claims;
mod counts;
mod coverage;
mod finding;
mod history;
mod intake;
mod log;
mod names;
mod order;
mod presence;
mod report;
mod sends;
mod spans;
mod stream;
#[cfg(test)]
mod tests;
mod timing;
mod windows;
mod witness;
mod word;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tertulia_protocol::RoomId;

pub use self::counts::Counts;
pub use self::finding::Finding;
use self::finding::Findings;
use self::history::{History, Outcome, Room};
use self::log::Log;
use self::names::{Id, Names};
use self::presence::Watch;
pub use self::report::Report;
use self::stream::Scene;
use self::timing::Stopwatch;
pub use self::timing::{Figures, Recovery, Spread, Timing};
use self::witness::Witness;
pub use self::word::Word;
use crate::journal::{Event, Mono, Stamp};

/// What is promised in figures, as the servers of the run are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long an absence stays unsaid.
    pub grace: Duration,
    /// How long after somebody went they may be shown, the longest case: a client that died in silence. Counted from
    /// the end of the last fault, where one was open.
    pub gone_within: Duration,
}

/// The server's own grace, and 45 seconds.
impl Default for Terms {
    fn default() -> Self {
        Self { grace: Duration::from_secs(12), gone_within: Duration::from_secs(45) }
    }
}

/// Checks a whole history.
#[must_use]
pub fn check(events: impl IntoIterator<Item = Event>, terms: Terms) -> Report {
    let mut checker = Checker::new(terms);
    events.into_iter().for_each(|event| checker.note(event));
    checker.verdict()
}

/// Takes a history in, and judges it.
#[derive(Debug)]
pub struct Checker {
    terms: Terms,
    history: History,
}

impl Checker {
    /// Of a run that has not said anything yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, history: History::default() }
    }

    /// Takes in the next event, in the order of time.
    pub fn note(&mut self, event: Event) {
        self.history.note(event);
    }

    /// The verdict over everything that was taken in.
    #[must_use]
    pub fn verdict(self) -> Report {
        let Self { terms, history } = self;
        let History { names, rooms, windows, mut counts, away, puzzles: mut unchecked, end } = history;
        let mut found = Findings::new(&windows);
        let mut stopwatch = Stopwatch::new(&windows);
        let mut logs: BTreeMap<RoomId, Log<'_>> = BTreeMap::new();
        for (id, room) in &rooms {
            count(room, &mut counts);
            match Log::settle(*id, &room.logs, &names, &mut found) {
                Some(log) => drop(logs.insert(*id, log)),
                None => unchecked.push(format!("room {id}: no instance told its final log")),
            }
        }
        if rooms.is_empty() {
            unchecked.push("nothing was sent, and nothing heard".to_owned());
        }
        log::nothing_is_stored_twice(&logs, &mut found);
        let sent = rooms.iter().flat_map(|(id, room)| room.sends.iter().map(|action| (action.stamp, *id)));
        let everywhere: HashMap<Stamp, RoomId> = sent.collect();
        for (id, room) in &rooms {
            if let Some(log) = logs.get(id) {
                let all = Bench { log, everywhere: &everywhere, names: &names, away: &away };
                counts.adopted += judge((*id, room), &all, &mut found, &mut stopwatch);
            }
            let (terms, windows, names, found) = (&terms, &windows, &names, &mut found);
            presence::check(&room.people, &mut Watch { room: *id, terms, windows, names, end, found });
        }
        let (findings, words) = found.into_parts();
        Report { findings, words, unchecked, counts, timing: stopwatch.read() }
    }
}

/// What a room is judged by.
struct Bench<'a> {
    log: &'a Log<'a>,
    everywhere: &'a HashMap<Stamp, RoomId>,
    names: &'a Names,
    /// When processes broke their own links.
    away: &'a HashMap<Id, Vec<Mono>>,
}

/// Judges one room. Returns how many messages of unknown outcome were stored.
fn judge(
    (id, room): (RoomId, &Room),
    bench: &Bench<'_>,
    found: &mut Findings<'_>,
    stopwatch: &mut Stopwatch<'_>,
) -> u64 {
    let Bench { log, everywhere, names, away } = *bench;
    let placed = sends::check((id, room), log, everywhere, names, found);
    order::check(id, &room.sends, &placed.seqs, names, found);
    let mut witness = Witness::new(log);
    for action in &room.sends {
        if let Some(ack) = action.acks.first() {
            // Who broke the link while the answer was on its way was not there to hear it.
            let left =
                away.get(&action.process).is_some_and(|all| all.iter().any(|at| (action.first..ack.at).contains(at)));
            if !left {
                stopwatch.acked(action.first, ack.at);
            }
            let differs = ack.id.and_then(|name| witness.named(action.process, ack.seq, name, names));
            if let Some(differs) = differs {
                let finding = Finding::new(Word::Diverged, id, differs).seq(ack.seq).stamp(action.stamp).at(ack.at);
                found.add(finding.by(names.name(action.process)));
            }
        }
    }
    let heads = stopwatch.heads(&placed.acked);
    let mut scene = Scene { room: id, epoch: log.epoch, head: log.head, names, witness, found };
    for (process, observer) in &room.observers {
        let read = stream::replay(*process, observer, &mut scene);
        let complete = coverage::check(id, names.name(*process), &read, log, &placed.known, scene.found);
        stopwatch.recovered(&heads, &read, &complete);
        for (seq, acked) in &placed.acked {
            if let Some((at, src)) = read.arrival(*seq) {
                stopwatch.arrived(*acked, at, src);
            }
        }
    }
    placed.adopted
}

fn count(room: &Room, counts: &mut Counts) {
    counts.rooms += 1;
    counts.observers += room.observers.len() as u64;
    counts.entries += room.logs.values().next().map_or(0, |log| log.entries.len() as u64);
    counts.sends += room.sends.len() as u64;
    for action in &room.sends {
        match action.outcome() {
            Outcome::Ok => counts.acked += 1,
            Outcome::Fail => counts.refused += 1,
            Outcome::Info => counts.unknown_outcome += 1,
        }
    }
}
