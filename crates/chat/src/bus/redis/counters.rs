//! What happened on this bus, in numbers: for the health page, never for decisions.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Totals since the bus was opened; each only grows, except `echo_ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// News that Redis confirmed to have taken.
    pub published: u64,
    /// News that were refused or lost on our side of Redis: link down, queue full, connection lost meanwhile (then
    /// some may have arrived). Listeners repair them from SQL.
    pub dropped: u64,
    /// News handed to our listener, echoes included.
    pub heard: u64,
    /// News that our listener was too slow for; a `MayHaveMissed` stands for them.
    pub overflowed: u64,
    /// News over `PAYLOAD_BYTES`, spoken or heard.
    pub oversized: u64,
    /// How often the link came up again after the first time.
    pub reconnects: u64,
    /// The last heartbeat's way to Redis and back, in milliseconds; `None` before the first.
    pub echo_ms: Option<u64>,
}

/// The living counters.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) published: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) heard: AtomicU64,
    pub(super) overflowed: AtomicU64,
    pub(super) oversized: AtomicU64,
    /// Times the link came up, the first included.
    pub(super) came_up: AtomicU64,
    /// Microseconds plus one, so that 0 can mean "none yet".
    echo: AtomicU64,
}

impl Counters {
    pub(super) fn echo(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.echo.store(us.saturating_add(1), Relaxed);
    }

    /// The last heartbeat's way to Redis and back.
    pub(super) fn last_echo(&self) -> Option<Duration> {
        self.echo.load(Relaxed).checked_sub(1).map(Duration::from_micros)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            published: self.published.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            heard: self.heard.load(Relaxed),
            overflowed: self.overflowed.load(Relaxed),
            oversized: self.oversized.load(Relaxed),
            reconnects: self.came_up.load(Relaxed).saturating_sub(1),
            echo_ms: self.echo.load(Relaxed).checked_sub(1).map(|us| us / 1_000),
        }
    }
}

/// Adds without ordering: nobody derives anything from two counters at once.
pub(super) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Relaxed);
}
