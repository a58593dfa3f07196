//! Letting many in at once. A few greetings are worked on, a bounded number waits in line, and whoever comes on top of
//! that is told when to come back: one after the other, as fast as the desk has been working, so that a storm becomes
//! a queue instead of a collapse.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// Greetings worked on at the same time. Each waits for SQL more than it computes: enough to keep a few readers and
/// two cores busy, too few to make everybody's greeting slow (own).
const DESK: usize = 64;
/// Most that wait in line, whatever the pace: each holds a socket and a frame of `hello` (own).
const LINE: usize = 4_096;
/// Longest wait in line that is worth it: a browser gives a greeting up after 10 s (`HELLO_MS`), and the greeting
/// itself must fit as well (own).
const LINE_WAIT: Duration = Duration::from_secs(3);
/// What one greeting is taken to cost while none has been measured (own; about what a slow laptop needs).
const PACE_AT_FIRST: Duration = Duration::from_millis(1);
/// Furthest appointment: half of the minute in which everybody is to be back. Whoever comes too early then is given
/// another one (own).
const FURTHEST: Duration = Duration::from_secs(30);
/// How much the newest greeting counts in the measured pace: one sixteenth, so that one slow read changes little.
const NEWEST: u32 = 16;

/// The desk at the door.
pub(crate) struct Admission {
    desk: Semaphore,
    state: Mutex<State>,
}

struct State {
    waiting: usize,
    /// Time per greeting while the desk is full.
    pace: Duration,
    /// Up to when those who were sent away have appointments.
    booked: Instant,
}

/// A place at the desk; dropping it lets the next one in.
pub(crate) struct Admitted<'a> {
    admission: &'a Admission,
    since: Instant,
    _place: SemaphorePermit<'a>,
}

/// One in the line, counted until it leaves it.
struct Waiting<'a>(&'a Admission);

impl Default for Admission {
    fn default() -> Self {
        let state = State { waiting: 0, pace: PACE_AT_FIRST, booked: Instant::now() };
        Self { desk: Semaphore::new(DESK), state: Mutex::new(state) }
    }
}

impl Admission {
    /// A place at the desk, after a short wait in line if need be.
    ///
    /// Safe to cancel: the place in line passes on.
    ///
    /// # Errors
    /// When the line is too long: after how long to come back.
    pub(crate) async fn enter(&self) -> Result<Admitted<'_>, Duration> {
        if let Ok(place) = self.desk.try_acquire() {
            return Ok(self.admitted(place));
        }
        let waiting = self.queue_up()?;
        let place = self.desk.acquire().await;
        drop(waiting);
        // The desk is never closed; were it, nobody would be worked on and coming back would be right.
        place.map(|place| self.admitted(place)).map_err(|_| FURTHEST)
    }

    /// As if greetings had lately taken the desk so long each.
    #[cfg(test)]
    pub(crate) fn set_pace(&self, pace: Duration) {
        self.lock().pace = pace;
    }

    fn queue_up(&self) -> Result<Waiting<'_>, Duration> {
        let mut state = self.lock();
        let wait = state.pace * u32::try_from(state.waiting + 1).unwrap_or(u32::MAX);
        if state.waiting < LINE && wait <= LINE_WAIT {
            state.waiting += 1;
            return Ok(Waiting(self));
        }
        let now = Instant::now();
        // Behind the line and behind everybody who has an appointment.
        let free = state.booked.max(now + wait.min(LINE_WAIT));
        state.booked = (free + state.pace).min(now + FURTHEST);
        Err(state.booked - now)
    }

    fn admitted<'a>(&'a self, place: SemaphorePermit<'a>) -> Admitted<'a> {
        Admitted { admission: self, since: Instant::now(), _place: place }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        // As many are worked on at once as there are places, so a full desk is done with one in this time.
        let each = self.since.elapsed() / u32::try_from(DESK).unwrap_or(u32::MAX);
        let mut state = self.admission.lock();
        state.pace = (state.pace * (NEWEST - 1) + each) / NEWEST;
    }
}
