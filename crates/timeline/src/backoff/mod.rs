//! When to try a lost connection again: exponential, with full jitter.
//!
//! After a restart thousands of tabs come back at once. Drawing the whole delay at random, not just
//! its edge, spreads them evenly over the interval, so nobody's first try is everybody's first try.

#[cfg(test)]
mod tests;

/// The ceiling of the first delay, in milliseconds: half a second is not felt after a blink of the network.
const BASE_MS: u64 = 500;
/// The highest ceiling, in milliseconds: six doublings; a longer one would be felt when the server is back.
const CAP_MS: u64 = 30_000;
/// The longest hint that is believed, in milliseconds. One hour: a timer of the browser holds 31 bits of
/// milliseconds and fires at once above that.
pub(crate) const HINT_CAP_MS: u64 = 3_600_000;

/// The delays between tries to connect. Starts afresh with [`Backoff::reset`] once a connection holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    ceiling_ms: u64,
}

impl Backoff {
    /// No try has failed yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { ceiling_ms: BASE_MS }
    }

    /// How long to wait before the next try, in milliseconds, at most 30 s above the hint.
    ///
    /// `random` is drawn evenly from 0 to 1 (outside of it: the nearest bound). `hint_ms` is what the server
    /// asked for, at most one hour of it: a floor, because coming earlier is of no use, and still with jitter,
    /// because everybody was told the same.
    pub fn next(&mut self, random: f64, hint_ms: Option<u64>) -> u64 {
        let ceiling = self.ceiling_ms;
        self.ceiling_ms = (ceiling * 2).min(CAP_MS);
        // Whatever is no number becomes 0 in the cast, so the delay is bounded without a branch.
        let jitter = (ceiling as f64 * random.clamp(0.0, 1.0)) as u64;
        hint_ms.unwrap_or(0).min(HINT_CAP_MS) + jitter
    }

    /// The connection holds: the next loss starts with a short delay again.
    pub const fn reset(&mut self) {
        self.ceiling_ms = BASE_MS;
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}
