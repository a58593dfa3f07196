//! A store that cannot be written says so, and acknowledges nothing. That nothing was acknowledged falsely is the
//! checker's to say; here, that the fault was one.

use std::collections::HashMap;
use std::time::Duration;

use super::{Honesty, Struck};
use crate::journal::{Attempt, Event, Mono, Stamp, Step, What};
use crate::nemesis::Fault;

/// What is under way when a fault begins or ends belongs to neither side.
const EDGE: Duration = Duration::from_secs(1);
/// A lock is waited for so long before anybody is told (`busy_timeout` is 5 s).
const WAITS: Duration = Duration::from_secs(6);

/// Judges every fault after which nothing could be written.
pub(super) fn judge(events: &[Event], struck: &[Struck], honesty: &mut Honesty) {
    for Struck { fault, start, stop, .. } in struck {
        let (word, lasted) = match fault {
            Fault::DiskFull => ("storage_unavailable", Duration::ZERO),
            Fault::LockedStore => ("busy", WAITS),
            _ => continue,
        };
        let told = refusals(events, word, (*start, *stop));
        honesty.refusals += told;
        if told == 0 && stop.since(*start) > lasted + EDGE {
            honesty.lies.push(format!("nobody was told {word} during {} from {start}", fault.name()));
        }
        let acked = acknowledged(events, (*start + EDGE, *stop - EDGE));
        if acked > 0 {
            honesty.lies.push(format!("{acked} messages were acknowledged during {} from {start}", fault.name()));
        }
    }
}

fn refusals(events: &[Event], word: &str, (from, to): (Mono, Mono)) -> usize {
    let told = |event: &&Event| match &event.what {
        What::Send(Attempt { step: Step::Fail { code }, .. }) => code == word,
        _ => false,
    };
    events.iter().filter(|event| event.mono >= from && event.mono <= to).filter(told).count()
}

/// Messages that were first sent and newly acknowledged in a time.
fn acknowledged(events: &[Event], (from, to): (Mono, Mono)) -> usize {
    let mut first: HashMap<Stamp, Mono> = HashMap::new();
    let mut count = 0;
    for event in events {
        let What::Send(Attempt { stamp, step, .. }) = &event.what else { continue };
        match step {
            Step::Invoke { .. } => drop(first.entry(*stamp).or_insert(event.mono)),
            Step::Ok { dup: false, .. } => {
                count += usize::from(first.get(stamp).is_some_and(|first| *first >= from) && event.mono <= to);
            }
            Step::Ok { .. } | Step::Fail { .. } | Step::Info { .. } => {}
        }
    }
    count
}
