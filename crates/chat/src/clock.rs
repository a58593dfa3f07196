//! The one place that reads the wall clock. Order never depends on it: `seq` alone decides.

use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time of day, for display and for the end of sessions.
pub trait Clock: Send + Sync + 'static {
    /// Unix milliseconds.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // A clock before 1970 or beyond the year 292,000,000 shows nonsense dates and harms nothing else.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}
