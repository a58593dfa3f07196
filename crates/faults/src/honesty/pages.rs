//! A page says "degraded" soon after the instances stopped hearing each other, and "live" again soon after they do.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Honesty, Struck};
use crate::journal::{Event, Mono, What};
use crate::nemesis::Silence;

/// Within how long a page must say that the instances do not hear each other (the promise of the fault runs: I9).
const SAYS_SO: Duration = Duration::from_secs(10);

/// What one page said, in the order of time: live or not; nothing when its own link was lost.
type Words = Vec<(Mono, Option<bool>)>;

/// The same with the instance that the page was of; no instance when its link was lost.
type Pages<'a> = BTreeMap<&'a str, Vec<(Mono, Option<(bool, &'a str)>)>>;

/// Judges every page by every fault that silences Redis. Faults shorter than [`SAYS_SO`] prove nothing about silence.
pub(super) fn judge(events: &[Event], struck: &[Struck], honesty: &mut Honesty) {
    let mut pages = Pages::new();
    for event in events {
        let word = match &event.what {
            What::Status { word, via } => Some((word == "live", via.as_str())),
            What::Lost { .. } => None,
            _ => continue,
        };
        pages.entry(&event.p).or_default().push((event.mono, word));
    }
    let end = events.last().map_or(Mono(0), |event| event.mono);
    for (index, Struck { fault, start, stop, on }) in struck.iter().enumerate() {
        let concerns = |via: &str| match fault.silences() {
            Silence::Nowhere => false,
            Silence::ForOne => via == on,
            Silence::Everywhere => true,
        };
        let next = struck.get(index + 1).map_or(end, |next| next.start);
        for (page, words) in &pages {
            // A page of an instance that hears the others says nothing about it.
            let words: Words = words
                .iter()
                .map(|(at, word)| (*at, word.filter(|(_, via)| concerns(via)).map(|(live, _)| live)))
                .collect();
            let degraded = said(&words, false, (*start, *stop));
            match degraded {
                Said::After(took) => honesty.degraded = honesty.degraded.max(Some(took)),
                Said::Never => {
                    let seconds = SAYS_SO.as_secs();
                    honesty.lies.push(format!("{page} did not say degraded within {seconds} s of {start}"));
                }
                Said::NoTime => {}
            }
            match said(&words, true, (*stop, next)) {
                Said::After(took) => honesty.live = honesty.live.max(Some(took)),
                Said::Never => honesty.lies.push(format!("{page} did not say live again after {stop}")),
                Said::NoTime => {}
            }
        }
    }
}

/// Whether a page said something.
enum Said {
    /// So long after it could.
    After(Duration),
    /// Not although it could.
    Never,
    /// It had too little time to.
    NoTime,
}

/// When a page first said this in a time. A page whose link is lost can say nothing, and begins anew when it is back.
fn said(words: &Words, wanted: bool, (from, to): (Mono, Mono)) -> Said {
    let mut verdict = Said::NoTime;
    let mut linked: Option<Mono> = None;
    let mut says = None;
    for (at, word) in words.iter().copied().take_while(|(at, _)| *at < to).chain([(to, None)]) {
        if at >= from && says == Some(wanted) {
            return Said::After(Duration::ZERO);
        }
        let since = *linked.get_or_insert(at);
        if at >= from && word == Some(wanted) {
            return Said::After(at.since(since.max(from)));
        }
        if word.is_none() {
            if at.since(since.max(from)) > SAYS_SO {
                verdict = Said::Never;
            }
            linked = None;
        }
        says = word;
    }
    verdict
}
