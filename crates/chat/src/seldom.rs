//! Says seldom what happens often: a fault that comes with every message must not fill the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets one of many equal reports through per period, with the count of all since the last one.
pub(crate) struct Seldom {
    every: Duration,
    state: Mutex<State>,
}

struct State {
    count: u64,
    /// When the last one was let through.
    told: Option<Instant>,
}

impl Seldom {
    /// At most one report per `every`.
    pub(crate) const fn new(every: Duration) -> Self {
        Self { every, state: Mutex::new(State { count: 0, told: None }) }
    }

    /// One more; the count since the last report when the next is due, `None` when it is too early.
    pub(crate) fn count(&self) -> Option<u64> {
        self.count_at(Instant::now())
    }

    fn count_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        if state.told.is_some_and(|told| now.saturating_duration_since(told) < self.every) {
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.count))
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, Seldom};

    #[test]
    fn the_first_is_told_at_once_and_the_rest_are_counted_until_the_next_period() {
        let seldom = Seldom::new(Duration::from_secs(1));
        let start = Instant::now();
        assert_eq!(seldom.count_at(start), Some(1));
        for ms in [1, 500, 999] {
            assert_eq!(seldom.count_at(start + Duration::from_millis(ms)), None);
        }
        assert_eq!(seldom.count_at(start + Duration::from_secs(1)), Some(4), "three kept back, and this one");
    }
}
