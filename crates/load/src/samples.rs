//! Latencies: raw samples per connection, merged into one histogram at the end.
//!
//! Percentiles of percentiles mean nothing, so only raw samples travel between tasks.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::trouble::{Because, Outcome};

/// Raw latencies in microseconds. 4 bytes each: a thousand receivers keep theirs until the end.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<u32>);

impl Samples {
    /// Adds one; above 71 minutes (2^32 µs) it is kept as that.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Takes over all of another's.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The distribution.
    ///
    /// # Errors
    /// When the histogram cannot be made (never with these bounds).
    pub(crate) fn spread(&self) -> Outcome<Spread> {
        // Three digits: 30 ms is told from 30.03 ms.
        let mut histogram = Histogram::<u64>::new_with_bounds(1, u64::from(u32::MAX), 3).because("histogram")?;
        for &micros in &self.0 {
            histogram.saturating_record(u64::from(micros));
        }
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        let max = f64::from(self.0.iter().copied().max().unwrap_or(0)) / 1_000.0;
        // A bucket's upper end may lie above the largest sample: never report what nobody waited.
        let at = |quantile: f64| at(quantile).min(max);
        Ok(Spread { p50: at(0.50), p90: at(0.90), p99: at(0.99), max })
    }
}

/// Where latencies lie, in milliseconds; all zero when there are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) p50: f64,
    /// Nine of ten are below.
    pub(crate) p90: f64,
    /// Ninety-nine of a hundred are below.
    pub(crate) p99: f64,
    /// The worst, exactly.
    pub(crate) max: f64,
}
