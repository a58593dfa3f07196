//! How news travel at the moment: the weather in front of each end of the bus.

use std::sync::{Arc, Mutex};

use super::lock;

/// How news travel at the moment; shared by all ends and whoever makes the weather.
#[derive(Clone)]
pub(crate) struct BusWeather(Arc<Mutex<Weather>>);

/// What the dice may decide.
#[derive(Clone, Copy)]
pub(super) struct Weather {
    /// Whether the dice decide anything at all.
    pub(super) still: bool,
    /// News lost, in a thousand.
    pub(super) drop: u32,
    /// News that come twice, in a thousand.
    pub(super) double: u32,
    /// The longest delay, in milliseconds.
    pub(super) late_ms: u64,
}

impl BusWeather {
    /// Nothing is lost, and nothing takes time.
    pub(crate) fn still() -> Self {
        Self(Arc::new(Mutex::new(Weather { still: true, drop: 0, double: 0, late_ms: 0 })))
    }

    /// Nothing is lost, and everything takes a millisecond.
    pub(crate) fn fair() -> Self {
        Self(Arc::new(Mutex::new(Weather { still: false, drop: 0, double: 0, late_ms: 1 })))
    }

    /// So much is lost and doubled, in a thousand, and late, in milliseconds at most.
    pub(crate) fn turns(&self, drop: u32, double: u32, late_ms: u64) {
        *lock(&self.0) = Weather { still: false, drop, double, late_ms };
    }

    /// The weather at this moment.
    pub(super) fn now(&self) -> Weather {
        *lock(&self.0)
    }
}
