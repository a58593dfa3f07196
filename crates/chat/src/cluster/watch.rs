//! Who watches, anywhere: vital signs are told only while somebody does, so an idle cluster stays quiet.

use std::time::Duration;

use tokio::time::Instant;

/// How often an instance with watchers says that somebody watches.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// How long after the last such word the instances go on answering: three of them, and one second.
const ANSWER_FOR: Duration = Duration::from_secs(10);
/// Most watchers of one instance: a class. Each costs a picture a second.
pub(crate) const WATCHERS: usize = 256;

/// The watchers here, and whether there are any elsewhere.
#[derive(Default)]
pub(crate) struct Watch {
    here: usize,
    ask_due: Option<Instant>,
    answer_until: Option<Instant>,
}

impl Watch {
    /// Somebody here begins to watch; `false` when there are too many.
    pub(crate) fn begin(&mut self) -> bool {
        if self.here >= WATCHERS {
            return false;
        }
        self.here += 1;
        true
    }

    /// Somebody here watches no more.
    pub(crate) fn end(&mut self) {
        self.here = self.here.saturating_sub(1);
    }

    /// Whether somebody watches here.
    #[must_use]
    pub(crate) const fn is_here(&self) -> bool {
        self.here > 0
    }

    /// Another instance says that somebody watches there.
    pub(crate) fn hear(&mut self, now: Instant) {
        self.answer_until = Some(now + ANSWER_FOR);
    }

    /// Whether somebody watches anywhere, as far as this instance knows.
    #[must_use]
    pub(crate) fn is_on(&self, now: Instant) -> bool {
        self.is_here() || self.answer_until.is_some_and(|until| now < until)
    }

    /// Whether the others must be told now that somebody watches here.
    pub(crate) fn must_ask(&mut self, now: Instant) -> bool {
        if !self.is_here() {
            // Whoever begins next asks at once.
            self.ask_due = None;
            return false;
        }
        if self.ask_due.is_some_and(|due| now < due) {
            return false;
        }
        self.ask_due = Some(now + ASK_EVERY);
        true
    }
}
