//! A server lets go of a peer that reads no more, and ends the connection of who has signed out: within a time, and by the
//! code for it.

use std::time::Duration;

use tertulia_protocol::Close;

use super::{Honesty, Struck};
use crate::journal::{Event, Freed, Mono, Revoked, Slumber, What};
use crate::nemesis::Fault;

/// Once the way is full a write may take 7 s, and the goodbye one; filling the way, on a busy machine, the rest.
const STALLED: Duration = Duration::from_secs(16);
/// A ping after 23 s, its answer 8 s later; the goodbye, and a busy machine.
const SILENT: Duration = Duration::from_secs(36);

/// A session is looked at again after 28 s at the latest; a moment for the look, and a busy machine.
const REVOKED: Duration = Duration::from_secs(30);

/// How long servers held connections that they were to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// How many there were.
    pub(crate) times: usize,
    /// Of how many the client was told the close code.
    pub(crate) told: usize,
    /// The longest.
    pub(crate) longest: Duration,
}

/// Judges every connection that was ended while nothing was done to its instance.
pub(super) fn judge(events: &[Event], struck: &[Struck], honesty: &mut Honesty) {
    const RESUME: &[Close] = &[Close::TooSlow, Close::NoPong];
    for event in events {
        let (via, ms, code, limit, codes) = match &event.what {
            What::Freed(Freed { t: Slumber::Stalled, via, ms, code }) => (via, ms, code, STALLED, RESUME),
            What::Freed(Freed { t: Slumber::Silent, via, ms, code }) => (via, ms, code, SILENT, RESUME),
            What::Revoked(Revoked { via, ms, code, .. }) => (via, ms, code, REVOKED, &[Close::Revoked][..]),
            _ => continue,
        };
        let held = Duration::from_millis(*ms);
        if struck.iter().any(|struck| concerns(struck, via, (event.mono - held, event.mono))) {
            continue;
        }
        let sum = match &event.what {
            What::Freed(Freed { t: Slumber::Stalled, .. }) => &mut honesty.stalled,
            What::Freed(_) => &mut honesty.silent,
            _ => &mut honesty.revoked,
        };
        sum.times += 1;
        sum.told += usize::from(code.is_some());
        sum.longest = sum.longest.max(held);
        let p = &event.p;
        if held > limit {
            let (held, limit) = (held.as_secs_f64(), limit.as_secs());
            honesty.lies.push(format!("{p}: {via} held its connection for {held:.1} s instead of {limit} s"));
        }
        if let Some(code) = code.filter(|code| codes.iter().all(|close| close.code() != *code)) {
            honesty.lies.push(format!("{p}: {via} ended its connection with {code}"));
        }
    }
}

/// Whether a fault was done to the instance in that time: a frozen one keeps no time, a killed one lets go of all.
fn concerns(struck: &Struck, via: &str, (from, to): (Mono, Mono)) -> bool {
    let its = struck.on == via || struck.fault == Fault::RollingRestart;
    its && struck.start <= to && struck.stop >= from
}
