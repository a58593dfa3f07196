//! Whether everybody tells the truth about trouble: pages of the state between instances, servers about peers that read
//! no more, a store that cannot be written about what it was given, and a channel of Redis about what was said in a room.

mod back;
mod channel;
mod freed;
mod pages;
mod refused;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::journal::{Event, Mono, Switch, What};
use crate::nemesis::Fault;

pub(crate) use freed::Held;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Honesty {
    /// The longest any page took to say "degraded".
    pub(crate) degraded: Option<Duration>,
    /// The longest any page took to say "live" again.
    pub(crate) live: Option<Duration>,
    /// Sockets of clients that asked for much and read nothing.
    pub(crate) stalled: Held,
    /// Sockets of clients that were silent.
    pub(crate) silent: Held,
    /// Connections of people who had signed out elsewhere.
    pub(crate) revoked: Held,
    /// The longest anybody whose instance was killed took to be back on another.
    pub(crate) back: Option<Duration>,
    /// Messages that were heard on the channel of Redis.
    pub(crate) told: usize,
    /// Refusals by a store that could not be written.
    pub(crate) refusals: usize,
    /// What was not as it was promised, in words.
    pub(crate) lies: Vec<String>,
}

/// Holds what was said against what was done.
pub(crate) fn honesty(events: &[Event]) -> Honesty {
    let struck = struck(events);
    let mut honesty = Honesty::default();
    pages::judge(events, &struck, &mut honesty);
    freed::judge(events, &struck, &mut honesty);
    back::judge(events, &mut honesty);
    refused::judge(events, &struck, &mut honesty);
    channel::judge(events, &mut honesty);
    honesty
}

/// A fault from its beginning to its end.
struct Struck {
    fault: Fault,
    /// The instance it was done to; empty for all.
    on: String,
    start: Mono,
    stop: Mono,
}

/// The faults that came to their end, in their order: never two at a time.
fn struck(events: &[Event]) -> Vec<Struck> {
    let mut all = Vec::new();
    let mut begun = None;
    for event in events {
        match &event.what {
            What::Fault { t: Switch::Start, f, on } => {
                begun = Fault::of(f).map(|fault| (fault, on.clone(), event.mono))
            }
            What::Fault { t: Switch::Stop, .. } => {
                let ended = begun.take().map(|(fault, on, start)| Struck { fault, on, start, stop: event.mono });
                all.extend(ended);
            }
            _ => {}
        }
    }
    all
}
