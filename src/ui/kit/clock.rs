//! The reader's clock: UTC until the browser has taken over, then the reader's own zone and habits.

use leptos::prelude::*;

use super::{browser, calendar, text};

/// What is known of the reader's clock. One per app.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Minutes east of UTC; `None` until the page lives, so that the first draw equals the server's.
    offset: RwSignal<Option<i32>>,
}

impl Clock {
    /// Puts the clock into the context; it learns the zone once the page lives.
    pub fn provide() {
        let clock = Self { offset: RwSignal::new(None) };
        provide_context(clock);
        Effect::new(move || clock.offset.set(Some(browser::utc_offset_minutes())));
    }

    /// The app's clock.
    #[must_use]
    pub fn current() -> Self {
        expect_context()
    }

    /// Minutes east of UTC, as far as known; tracked.
    #[must_use]
    pub fn offset(self) -> i32 {
        self.offset.get().unwrap_or(0)
    }

    /// The time of day of an instant; tracked.
    #[must_use]
    pub fn time_of_day(self, at: i64) -> String {
        let local = self.offset.get().and_then(|_| browser::time_of_day(at));
        local.unwrap_or_else(|| calendar::time_of_day(at))
    }

    /// An instant in full, for a tooltip; tracked.
    #[must_use]
    pub fn in_full(self, at: i64) -> String {
        let local = self.offset.get().and_then(|_| browser::date_and_time(at));
        local.unwrap_or_else(|| format!("{}, {} UTC", calendar::day(at, 0), calendar::time_of_day(at)))
    }
}

/// A time of day, machine-readable in UTC, shown as the reader writes it.
#[component]
pub fn Time(
    /// When, in Unix milliseconds.
    #[prop(into)]
    at: Signal<i64>,
) -> impl IntoView {
    let clock = Clock::current();
    let machine = text(move || calendar::iso(at.get()));
    let full = text(move || clock.in_full(at.get()));
    let short = text(move || clock.time_of_day(at.get()));
    view! { <time datetime=machine title=full>{short}</time> }
}
