//! A moment on both of the browser's clocks, for telling how long ago it is even over a sleep of the machine.

#[cfg(test)]
mod tests;

use crate::ui::kit::browser;

/// When something was, on the clock that measures and on the one that shows the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    elapsed_ms: f64,
    wall_ms: f64,
}

impl Moment {
    /// When the page began, as far as it matters: long before anything was awaited.
    pub(super) const BEGINNING: Self = Self { elapsed_ms: 0.0, wall_ms: 0.0 };

    /// The present.
    #[must_use]
    pub(super) fn now() -> Self {
        Self { elapsed_ms: browser::elapsed_ms(), wall_ms: browser::now_ms() }
    }

    /// How long before `now` it was, in milliseconds on the clock that measures: what timeouts count in.
    #[must_use]
    pub(super) fn waited(self, now: Self) -> f64 {
        now.elapsed_ms - self.elapsed_ms
    }

    /// How long before `now` it was, in milliseconds, whichever clock says longer: the one that measures may stand
    /// still while the machine sleeps, the other may be set. A reason to look whether a link lives, never to end it.
    #[must_use]
    pub(super) fn perhaps_ago(self, now: Self) -> f64 {
        self.waited(now).max(now.wall_ms - self.wall_ms)
    }
}
