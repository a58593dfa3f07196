//! Repairs: whatever the bus lost is found by comparing numbers with SQL and read from there, once per instance.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{RoomId, Seq};
use tokio::time::{Instant, sleep};

use super::{Fanout, Local};
use crate::encoded::Encoded;
use crate::seldom::Seldom;
use crate::store::StoreError;

/// How long a hole may close by itself: commits of one group arrive in any order within a few
/// milliseconds, and so do the bus and the own commit.
const HOLE_PATIENCE: Duration = Duration::from_millis(15);
/// Pause before a failed reading of a hole is tried again.
const REPAIR_RETRY: Duration = Duration::from_millis(250);
/// How long the pages of what was missed in a room wait for those who are still being sent the ones before, at most in all:
/// the next room waits for this one. Who is slower than that is closed by the bounds of its queue, as always.
const PACE_PATIENCE: Duration = Duration::from_millis(500);
/// How often it is looked whether they are done.
const PACE_LOOK: Duration = Duration::from_millis(5);
/// News of entries that are not in SQL: another store with this one's identity, or a forger. Once a minute.
static FALSE_NEWS: Seldom = Seldom::new(Duration::from_secs(60));

impl Fanout {
    /// Closes a hole soon, unless somebody is at it already.
    pub(super) fn repair_soon(self: &Arc<Self>, local: Arc<Local>) {
        if local.repairing.try_lock().is_err() {
            return;
        }
        let this = self.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                // Both safe to cancel: the log takes entries one by one, and shutting down ends the need.
                () = this.repair_until_whole(&local) => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Looks once more after the turn is given back: a hole that opened in that moment found the turn taken.
    async fn repair_until_whole(&self, local: &Local) {
        loop {
            self.repair(local).await;
            if !local.log.has_hole() || local.repairing.try_lock().is_err() {
                return;
            }
        }
    }

    async fn repair(&self, local: &Local) {
        let Ok(_turn) = local.repairing.try_lock() else { return };
        let mut pause = HOLE_PATIENCE;
        loop {
            let head = local.log.head();
            sleep(pause).await;
            if !local.log.has_hole() {
                return;
            }
            // A head that moved has closed the hole that was there: this one is another, and still young.
            if local.log.head() != head {
                pause = HOLE_PATIENCE;
                continue;
            }
            pause = self.read_hole(local).await;
        }
    }

    /// Reads what is missing, and forgets what SQL proves false; returns how long to wait before the next look.
    async fn read_hole(&self, local: &Local) -> Duration {
        let room = local.log.room.0;
        let heard = local.log.held();
        if let Err(error) = self.fill(local, None).await {
            tracing::warn!(room, %error, "a hole could not be read from SQL; trying again");
            return REPAIR_RETRY;
        }
        // Told of before the read began, so committed before it, so found by it: unless it never was.
        let forgotten = local.log.forget_held(&heard);
        if forgotten == 0 {
            return HOLE_PATIENCE;
        }
        if let Some(times) = FALSE_NEWS.count() {
            tracing::warn!(room, forgotten, times, "entries were heard of that SQL does not have; dropped");
        }
        REPAIR_RETRY
    }

    /// Compares the heads of rooms with SQL in one query and reads what is missing.
    ///
    /// # Errors
    /// When SQL cannot be read; the logs are as they were, or further.
    pub async fn reconcile(&self, rooms: &[RoomId]) -> Result<(), StoreError> {
        if rooms.is_empty() {
            return Ok(());
        }
        let heads = self.store.heads(rooms).await?;
        self.advance(&heads).await
    }

    /// Reads what the logs here miss before these heads, which SQL has. A room that cannot be read holds up no other.
    ///
    /// # Errors
    /// The first, when SQL cannot be read; the logs are as they were, or further.
    pub(crate) async fn advance(&self, heads: &[(RoomId, Seq)]) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for &(room, head) in heads {
            let Some(local) = self.get(room) else { continue };
            // First: a log whose head is being read may be read as it was before, and looks here afterwards.
            local.promised.fetch_max(head.0, Ordering::SeqCst);
            if local.log.head().is_some_and(|known| known < head) {
                outcome = outcome.and(self.fill(&local, Some(head)).await);
            }
        }
        outcome
    }

    /// Reads what a log that was just loaded has been promised meanwhile.
    pub(super) async fn keep_promise(&self, local: &Local) -> Result<(), StoreError> {
        self.fill(local, Some(Seq(local.promised.load(Ordering::SeqCst)))).await
    }

    /// The same, with a failure told to the log only: for background comparisons, which come again.
    pub(crate) async fn reconcile_logged(&self, rooms: &[RoomId]) -> bool {
        let outcome = self.reconcile(rooms).await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the heads of rooms could not be compared with SQL; trying again");
        }
        outcome.is_ok()
    }

    /// Reads entries from SQL into the log until it has reached `to`; without, until nothing is missing or the end.
    async fn fill(&self, local: &Local, to: Option<Seq>) -> Result<(), StoreError> {
        let until = Instant::now() + PACE_PATIENCE;
        loop {
            let Some(known) = local.log.head() else { return Ok(()) };
            if to.is_some_and(|to| known >= to) {
                return Ok(());
            }
            for entry in &self.store.entries_after(local.log.room, known, ENTRIES_PER_PAGE).await? {
                local.log.offer(Arc::new(Encoded::new(local.log.room, entry)));
            }
            let whole = to.is_none() && !local.log.has_hole();
            // The end of SQL; or a log that was released and takes nothing any more.
            let stuck = local.log.head() == Some(known);
            if whole || stuck {
                return Ok(());
            }
            pace(local, until).await;
        }
    }
}

/// Waits until the followers have room for another page: two would fill their queues, however fast they read.
async fn pace(local: &Local, until: Instant) {
    while !local.log.is_roomy() && Instant::now() < until {
        sleep(PACE_LOOK).await;
    }
}
