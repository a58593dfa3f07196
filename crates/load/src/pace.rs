//! When things are due: open-loop beats and the window that counts.

use std::time::Duration;

use tokio::time::Instant;

/// An open-loop schedule shared by several speakers who take turns.
///
/// A message is due at a time that follows from its number alone. Latency is counted from there, so
/// a stall that delays later sends shows in their latency too (no coordinated omission).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    start: Instant,
    per_second: f64,
    speakers: u32,
}

impl Beat {
    /// `per_second` messages in all, from `start` on, said in turn by `speakers` (at least one).
    pub(crate) fn new(start: Instant, per_second: f64, speakers: u32) -> Self {
        Self { start, per_second, speakers: speakers.max(1) }
    }

    /// When the `counter`-th message of a speaker is due.
    pub(crate) fn due(&self, speaker: u32, counter: u32) -> Instant {
        // From the number, not by adding intervals: rounding errors would add up.
        let place = f64::from(counter) * f64::from(self.speakers) + f64::from(speaker);
        self.start + Duration::from_secs_f64(place / self.per_second)
    }
}

/// The part of a run that counts: after the warm-up, before the drain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Where talking starts.
    pub(crate) start: Instant,
    /// Where counting starts.
    pub(crate) from: Instant,
    /// Where talking and counting end.
    pub(crate) to: Instant,
}

impl Window {
    /// Starts `lead` from now, so that every task is waiting at the line.
    pub(crate) fn ahead(lead: Duration, warmup: Duration, length: Duration) -> Self {
        let start = Instant::now() + lead;
        Self { start, from: start + warmup, to: start + warmup + length }
    }

    /// Whether what happened at `at` counts.
    pub(crate) fn counts(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// How long counting lasts, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        (self.to - self.from).as_secs_f64()
    }
}
