//! Whether the page tells the truth about the state between instances: "degraded" soon after they stopped hearing each
//! other, "live" again soon after they do.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::journal::{Event, Mono, Switch, What};
use crate::nemesis::Fault;

/// Within how long a page must say that the instances do not hear each other (the promise of the fault runs: I9).
pub(crate) const SAYS_SO: Duration = Duration::from_secs(10);

/// What was found of all faults that silence Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Honesty {
    /// The longest any page took to say "degraded".
    pub(crate) degraded: Option<Duration>,
    /// The longest any page took to say "live" again.
    pub(crate) live: Option<Duration>,
    /// Pages that did not say so in time, in words.
    pub(crate) lies: Vec<String>,
}

/// The words of one page, in the order of time.
type Words = Vec<(Mono, bool)>;

/// Holds what pages said against what was done. Faults shorter than [`SAYS_SO`] prove nothing about silence.
pub(crate) fn honesty(events: &[Event]) -> Honesty {
    let mut pages: BTreeMap<&str, Words> = BTreeMap::new();
    let mut faults: Vec<(Fault, Mono, Option<Mono>)> = Vec::new();
    for event in events {
        match &event.what {
            What::Status { word } => pages.entry(&event.p).or_default().push((event.mono, word == "live")),
            What::Fault { t: Switch::Start, f, .. } => {
                faults.extend(Fault::of(f).map(|fault| (fault, event.mono, None)));
            }
            What::Fault { t: Switch::Stop, .. } => {
                if let Some((_, _, stop)) = faults.last_mut() {
                    *stop = Some(event.mono);
                }
            }
            _ => {}
        }
    }
    let mut honesty = Honesty::default();
    for (index, (fault, start, stop)) in faults.iter().enumerate() {
        let (Some(stop), true) = (*stop, fault.silences_redis()) else { continue };
        let next = faults.get(index + 1).map_or(Mono(u64::MAX), |(_, start, _)| *start);
        for (page, words) in &pages {
            honesty.judge(page, words, (*start, stop, next));
        }
    }
    honesty
}

impl Honesty {
    fn judge(&mut self, page: &str, words: &Words, (start, stop, next): (Mono, Mono, Mono)) {
        let first = |live: bool, from: Mono, to: Mono| {
            words.iter().find(|(at, is_live)| *is_live == live && *at >= from && *at < to).map(|(at, _)| at.since(from))
        };
        let degraded = first(false, start, stop);
        match degraded {
            Some(took) => self.degraded = self.degraded.max(Some(took)),
            None if stop.since(start) > SAYS_SO => {
                self.lies.push(format!("{page} did not say degraded within {} s of {start}", SAYS_SO.as_secs()));
            }
            None => {}
        }
        if degraded.is_some() {
            match first(true, stop, next) {
                Some(took) => self.live = self.live.max(Some(took)),
                // The next fault came first.
                None if next.since(stop) < SAYS_SO => {}
                None => self.lies.push(format!("{page} did not say live again after {stop}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64, p: &str, what: What) -> Event {
        Event { mono: Mono(second * 1_000_000_000), p: p.to_owned(), what }
    }

    fn fault(second: u64, t: Switch) -> Event {
        at(second, "nemesis", What::Fault { t, f: "freeze-redis".to_owned(), on: "a".to_owned() })
    }

    fn word(second: u64, word: &str) -> Event {
        at(second, "c1", What::Status { word: word.to_owned() })
    }

    #[test]
    fn a_page_that_says_so_in_time_is_honest() {
        let events = [
            word(1, "live"),
            fault(10, Switch::Start),
            word(16, "degraded"),
            fault(40, Switch::Stop),
            word(42, "live"),
        ];
        let (degraded, live) = (Some(Duration::from_secs(6)), Some(Duration::from_secs(2)));
        assert_eq!(honesty(&events), Honesty { degraded, live, lies: Vec::new() });
    }

    #[test]
    fn a_page_that_says_nothing_lies() {
        let silent = [word(1, "live"), fault(10, Switch::Start), fault(40, Switch::Stop)];
        assert_eq!(honesty(&silent).lies.len(), 1);
        let stuck = [word(1, "live"), fault(10, Switch::Start), word(12, "degraded"), fault(40, Switch::Stop)];
        assert_eq!(honesty(&stuck).lies.len(), 1);
        let short = [word(1, "live"), fault(10, Switch::Start), fault(15, Switch::Stop)];
        assert_eq!(honesty(&short).lies.len(), 0, "too short to be noticed");
    }
}
