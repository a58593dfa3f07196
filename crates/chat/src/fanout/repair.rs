//! Repairs: whatever the bus lost is found by comparing numbers with SQL and read from there, once per instance.

use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{RoomId, Seq};

use super::{Fanout, Local};
use crate::room_log::Encoded;
use crate::store::StoreError;

/// How long a hole may close by itself: commits of one group arrive in any order within a few
/// milliseconds, and so do the bus and the own commit.
const HOLE_PATIENCE: Duration = Duration::from_millis(15);
/// Pause before a failed reading of a hole is tried again.
const REPAIR_RETRY: Duration = Duration::from_millis(250);

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
            tokio::time::sleep(pause).await;
            if !local.log.has_hole() {
                return;
            }
            pause = match self.fill(local, None).await {
                Ok(()) => HOLE_PATIENCE,
                Err(error) => {
                    tracing::warn!(room = local.log.room.0, %error, "a hole could not be read from SQL; trying again");
                    REPAIR_RETRY
                }
            };
        }
    }

    /// Compares the heads of rooms with SQL in one query and reads what is missing.
    ///
    /// # Errors
    /// When SQL cannot be read; the logs are as they were, or further.
    pub async fn reconcile(&self, rooms: &[RoomId]) -> Result<(), StoreError> {
        if rooms.is_empty() {
            return Ok(());
        }
        for (room, head) in self.store.heads(rooms).await? {
            let Some(local) = self.get(room) else { continue };
            if local.log.head().is_some_and(|known| known < head) {
                self.fill(&local, Some(head)).await?;
            }
        }
        Ok(())
    }

    /// The same, with a failure told to the log only: for background comparisons, which come again.
    pub(crate) async fn reconcile_logged(&self, rooms: &[RoomId]) -> bool {
        let outcome = self.reconcile(rooms).await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the heads of rooms could not be compared with SQL; trying again");
        }
        outcome.is_ok()
    }

    /// Reads entries from SQL into the log until it has reached `to` (or the end).
    async fn fill(&self, local: &Local, to: Option<Seq>) -> Result<(), StoreError> {
        loop {
            let Some(known) = local.log.head() else { return Ok(()) };
            if to.is_some_and(|to| known >= to) {
                return Ok(());
            }
            let entries = self.store.entries_after(local.log.room, known, ENTRIES_PER_PAGE).await?;
            let last_page = entries.len() < ENTRIES_PER_PAGE && to.is_none();
            if entries.is_empty() {
                return Ok(());
            }
            for entry in &entries {
                local.log.offer(Arc::new(Encoded::new(local.log.room, entry)));
            }
            if last_page {
                return Ok(());
            }
        }
    }
}
