//! A server lets go of a peer that reads no more: within a time, and by a code that says "come back and resume".

use std::time::Duration;

use tertulia_protocol::Close;

use super::{Honesty, Struck};
use crate::journal::{Event, Freed, Mono, Slumber, What};
use crate::nemesis::Fault;

/// Bounds are exceeded at once; then a write may take 10 s, the goodbye one, and filling the way and a busy machine the
/// rest.
const STALLED: Duration = Duration::from_secs(15);
/// A ping after 25 s, its answer 10 s later; the goodbye, and a busy machine.
const SILENT: Duration = Duration::from_secs(40);

/// How long servers held sockets from which nobody read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// How many there were.
    pub(crate) times: usize,
    /// Of how many the client found the close code when it read again.
    pub(crate) told: usize,
    /// The longest.
    pub(crate) longest: Duration,
}

/// Judges every socket that was let go of while nothing was done to its instance.
pub(super) fn judge(events: &[Event], struck: &[Struck], honesty: &mut Honesty) {
    for event in events {
        let What::Freed(freed) = &event.what else { continue };
        let held = Duration::from_millis(freed.ms);
        if struck.iter().any(|struck| concerns(struck, freed, (event.mono - held, event.mono))) {
            continue;
        }
        let (limit, sum) = match freed.t {
            Slumber::Stalled => (STALLED, &mut honesty.stalled),
            Slumber::Silent => (SILENT, &mut honesty.silent),
        };
        sum.times += 1;
        sum.told += usize::from(freed.code.is_some());
        sum.longest = sum.longest.max(held);
        let p = &event.p;
        if held > limit {
            let (held, limit) = (held.as_secs_f64(), limit.as_secs());
            honesty.lies.push(format!("{p}: {} held its socket for {held:.1} s instead of {limit} s", freed.via));
        }
        let known = |code: &u16| [Close::TooSlow, Close::NoPong].iter().any(|close| close.code() == *code);
        if let Some(code) = freed.code.filter(|code| !known(code)) {
            honesty.lies.push(format!("{p}: {} closed a socket that nobody read with {code}", freed.via));
        }
    }
}

/// Whether a fault was done to the instance in that time: a frozen one keeps no time, a killed one lets go of all.
fn concerns(struck: &Struck, freed: &Freed, (from, to): (Mono, Mono)) -> bool {
    let its = struck.on == freed.via || struck.fault == Fault::RollingRestart;
    its && struck.start <= to && struck.stop >= from
}
