//! One task that keeps time for all sockets. Each has several deadlines that move with every frame: a timer per socket
//! would be set anew each time, a bell here is hung once and asked again when it rings.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};

#[cfg(test)]
mod tests;

/// The grain of time: the shortest deadline of a socket is 8 s, so half a second is six per cent of it.
const GRAIN: Duration = Duration::from_millis(500);
/// Grains ahead for which a bell can be hung: 64 s, more than the longest deadline (30 s). What is further away rings
/// early and is hung again.
const SLOTS: u64 = 128;

/// Rings the bells of the sockets.
pub struct Timekeeper {
    start: Instant,
    wheel: Mutex<Wheel>,
}

struct Wheel {
    /// The newest grain whose bells have rung.
    reached: u64,
    /// Bells by grain, modulo [`SLOTS`]; those of sockets that are gone stay until their grain.
    slots: Vec<Vec<Weak<Notify>>>,
}

/// The bell of one socket.
pub(crate) struct Bell {
    keeper: Arc<Timekeeper>,
    clapper: Arc<Notify>,
    /// The grain at which it will ring, the earliest if it hangs in several places.
    hangs_at: Option<u64>,
}

impl Timekeeper {
    /// Keeps time from now on, once [`Timekeeper::keep`] runs.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let slots = (0..SLOTS).map(|_| Vec::new()).collect();
        Arc::new(Self { start: Instant::now(), wheel: Mutex::new(Wheel { reached: 0, slots }) })
    }

    /// Rings, until it is dropped.
    pub async fn keep(self: Arc<Self>) {
        let mut tick = interval(GRAIN);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            for clapper in self.due(Instant::now()) {
                if let Some(clapper) = clapper.upgrade() {
                    clapper.notify_one();
                }
            }
        }
    }

    /// A bell that hangs nowhere yet.
    pub(crate) fn bell(self: &Arc<Self>) -> Bell {
        Bell { keeper: self.clone(), clapper: Arc::default(), hangs_at: None }
    }

    /// Takes down the bells of all grains that have passed.
    fn due(&self, now: Instant) -> Vec<Weak<Notify>> {
        let passed = grains(now.saturating_duration_since(self.start));
        let mut wheel = self.lock();
        let mut due = Vec::new();
        while wheel.reached < passed {
            wheel.reached += 1;
            let slot = slot(wheel.reached);
            due.append(&mut wheel.slots[slot]);
        }
        due
    }

    /// Hangs a bell so that it rings at the first grain after `due`; returns the grain.
    fn hang(&self, clapper: &Arc<Notify>, due: Instant) -> u64 {
        let wanted = grains(due.saturating_duration_since(self.start)) + 1;
        let mut wheel = self.lock();
        let grain = wanted.clamp(wheel.reached + 1, wheel.reached + SLOTS - 1);
        wheel.slots[slot(grain)].push(Arc::downgrade(clapper));
        grain
    }

    fn lock(&self) -> MutexGuard<'_, Wheel> {
        self.wheel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// Waits for a moment; at most a grain longer.
    ///
    /// Safe to cancel: the bell goes on hanging where it is.
    pub(crate) async fn until(&mut self, due: Instant) {
        while Instant::now() < due {
            let wanted = grains(due.saturating_duration_since(self.keeper.start)) + 1;
            if self.hangs_at.is_none_or(|grain| grain > wanted) {
                self.hangs_at = Some(self.keeper.hang(&self.clapper, due));
            }
            // A ring that nobody waited for is kept, so this never sleeps through one.
            self.clapper.notified().await;
            self.hangs_at = None;
        }
    }
}

/// Whole grains in a time.
fn grains(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / GRAIN.as_millis()).unwrap_or(u64::MAX / 2)
}

fn slot(grain: u64) -> usize {
    usize::try_from(grain % SLOTS).unwrap_or(0)
}
