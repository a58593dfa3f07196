//! How the store is for one instance at the moment: how slow, and how often it fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tertulia_chat::store::StoreError;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use crate::dice::Dice;

/// Each half of a read, at most, in milliseconds.
const READ_MS: u64 = 2;
/// Each half of a write, at most, in milliseconds: one fsync.
const WRITE_MS: u64 = 6;

/// The weather over one instance's way to the store; shared with whoever makes it.
#[derive(Clone)]
pub(crate) struct StoreWeather(Arc<Mutex<State>>);

struct State {
    /// None: nothing ever takes time or fails.
    dice: Option<Dice>,
    failing: Failing,
    /// Each half of a call takes at most so much more, in milliseconds.
    slower_ms: u64,
    stalled_until: Option<Instant>,
}

/// How often calls fail, in a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failing {
    /// Refused because too many wait.
    pub(crate) busy: u32,
    /// Not possible now.
    pub(crate) refuse: u32,
    /// Done, and the answer lost.
    pub(crate) mute: u32,
}

/// What becomes of one call.
#[derive(Debug, Default)]
pub(crate) struct Course {
    before: Duration,
    after: Duration,
    /// Not done, with this answer.
    pub(crate) refused: Option<StoreError>,
    /// Done, and nobody is told whether it was.
    pub(crate) mute: bool,
    /// Done even if the instance that asked is gone by then.
    pub(crate) outlives: bool,
}

impl StoreWeather {
    /// Ordinary weather under a seed.
    pub(crate) fn fair(dice: Dice) -> Self {
        Self::with(Some(dice))
    }

    /// Nothing takes time and nothing fails.
    pub(crate) fn still() -> Self {
        Self::with(None)
    }

    fn with(dice: Option<Dice>) -> Self {
        let state = State { dice, failing: Failing::default(), slower_ms: 0, stalled_until: None };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Whether nothing takes time and nothing fails.
    pub(crate) fn is_still(&self) -> bool {
        self.lock().dice.is_none()
    }

    /// Calls fail so often from here on.
    pub(crate) fn fails(&self, failing: Failing) {
        self.lock().failing = failing;
    }

    /// Each half of a call takes at most so many milliseconds more.
    pub(crate) fn slows(&self, most_ms: u64) {
        self.lock().slower_ms = most_ms;
    }

    /// Nothing is done before this moment.
    pub(crate) fn stalls(&self, until: Option<Instant>) {
        self.lock().stalled_until = until;
    }

    /// Casts the dice for one call.
    pub(crate) fn course(&self, writes: bool) -> Course {
        let mut state = self.lock();
        let most = state.slower_ms + if writes { WRITE_MS } else { READ_MS };
        let failing = state.failing;
        let Some(dice) = &mut state.dice else { return Course::default() };
        let before = Duration::from_millis(dice.within(0..=most));
        let after = Duration::from_millis(dice.within(0..=most));
        let refused = if dice.chance(failing.busy) && writes {
            Some(StoreError::Busy)
        } else if dice.chance(failing.refuse) {
            Some(StoreError::Unavailable("as the dice fell".to_owned()))
        } else {
            None
        };
        Course { before, after, refused, mute: dice.chance(failing.mute) && writes, outlives: dice.chance(500) }
    }

    /// The way to the database, and the wait for its lock.
    pub(crate) async fn go(&self, course: &Course) {
        sleep(course.before).await;
        loop {
            let until = self.lock().stalled_until;
            match until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// The way back.
    pub(crate) async fn come_back(course: &Course) {
        sleep(course.after).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
