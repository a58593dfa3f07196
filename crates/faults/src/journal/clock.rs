//! One clock for all tasks and processes of a run on one host.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A moment of a run: nanoseconds since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(before.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Seconds with milliseconds: `12.345 s`.
impl fmt::Display for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000_000;
        write!(f, "{}.{:03} s", millis / 1_000, millis % 1_000)
    }
}

/// Tells how far a run has got. Copies agree, in every process of this host: it is the kernel's monotonic clock, which
/// no one can set, less the moment at which the run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    origin: u64,
}

impl Clock {
    /// A clock of a run that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: kernel() }
    }

    /// The clock of a run that another process has begun, by its [`origin`](Self::origin).
    #[must_use]
    pub fn of(origin: u64) -> Self {
        Self { origin }
    }

    /// When the run began, in nanoseconds of the kernel's clock: to be handed to another process.
    #[must_use]
    pub fn origin(self) -> u64 {
        self.origin
    }

    /// Now.
    #[must_use]
    pub fn now(self) -> Mono {
        Mono(kernel().saturating_sub(self.origin))
    }
}

/// Nanoseconds since the host was started.
fn kernel() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (secs, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    secs.saturating_mul(1_000_000_000).saturating_add(nanos)
}
