//! Joining a room from a position: from memory in one turn when it reaches back that far, else pages from SQL
//! until it does. Exact at any distance, or an explicit `reset`; never a silent hole.

use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::limits::{ENTRIES_PER_PAGE, HISTORY_PAGE};
use tertulia_protocol::{RoomId, Seq, ServerFrame};
use tokio::task::AbortHandle;

use super::{Fanout, Local};
use crate::encoded::Encoded;
use crate::queue::Queue;
use crate::room_log::{ConnId, Joined, Place, RING_ENTRIES};
use crate::store::StoreError;

/// Entries above which a fresh snapshot serves better than everything that was missed: at 300 bytes
/// each, 10,000 are 3 MB, more than a phone that wakes up should be sent.
const TOO_FAR: i64 = 10_000;
/// Entries that a log's memory can hold, as a distance.
const RING: i64 = RING_ENTRIES as i64;
/// Pause before a page that could not be read is tried again.
const PAGE_RETRY: Duration = Duration::from_millis(500);

/// Where somebody wants to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what comes from now on.
    Now,
    /// After an entry of this store.
    After(Seq),
    /// With so many of the newest entries.
    Last(u32),
    /// With a position of another store: afresh.
    OtherEpoch,
}

/// Somebody on the way into a room.
#[derive(Clone)]
struct Newcomer {
    room: RoomId,
    place: Arc<Place>,
}

/// A task that pages through SQL until its newcomer follows.
pub struct Paging {
    place: Arc<Place>,
    task: AbortHandle,
}

impl Paging {
    /// The task, to see whether it has ended.
    pub(crate) fn task(&self) -> AbortHandle {
        self.task.clone()
    }

    /// Ends it. Aborting alone acts at the task's next rest, which may come after it has joined; giving the
    /// place up acts at once. To be called before [`Fanout::part`].
    pub fn end(&self) {
        self.place.give_up();
        self.task.abort();
    }
}

impl Fanout {
    /// Lets a connection follow a room: `subscribed` (or `reset`) first, then everything after `start`, then what
    /// comes. Returns the task that pages through SQL, when one was needed.
    ///
    /// # Errors
    /// When SQL cannot be read; the connection then does not follow.
    pub async fn follow(
        self: &Arc<Self>,
        room: RoomId,
        conn: ConnId,
        queue: &Arc<Queue>,
        start: Start,
    ) -> Result<Option<Paging>, StoreError> {
        let newcomer = Newcomer { room, place: Arc::new(Place::new(conn, queue.clone())) };
        match start {
            Start::OtherEpoch => self.start_afresh(newcomer, "epoch").await,
            Start::Now => self.join_or_page(newcomer, None).await,
            Start::After(seq) => self.join_or_page(newcomer, Some(seq)).await,
            Start::Last(count) => {
                let head = self.local(room).await?.log.head().unwrap_or(Seq::ZERO);
                self.join_or_page(newcomer, Some(Seq((head.0 - i64::from(count)).max(0)))).await
            }
        }
    }

    async fn join_or_page(
        self: &Arc<Self>,
        newcomer: Newcomer,
        after: Option<Seq>,
    ) -> Result<Option<Paging>, StoreError> {
        let (mut reconciled, mut warmed) = (false, false);
        loop {
            let local = self.local(newcomer.room).await?;
            let greet = |head| self.greet(&newcomer, head, None);
            match local.log.join(&newcomer.place, after, greet) {
                Joined::Following { .. } | Joined::GivenUp => return Ok(None),
                Joined::Released => {}
                // A log that was just made remembers nothing: after an instance died, hundreds ask for the same.
                Joined::TooOld { head } if !warmed && head.0 - after.unwrap_or(head).0 <= RING => {
                    self.warm(&local).await?;
                    warmed = true;
                }
                Joined::TooOld { head } if head.0 - after.unwrap_or(head).0 > TOO_FAR => {
                    return self.start_afresh(newcomer, "too_far").await;
                }
                Joined::TooOld { head } => {
                    self.greet(&newcomer, head, None);
                    return Ok(Some(self.page_in(newcomer, after.unwrap_or(head))));
                }
                Joined::Ahead { .. } if reconciled => return self.start_afresh(newcomer, "ahead").await,
                // Another instance may be ahead of this one: look into SQL before doubting the client.
                Joined::Ahead { .. } => {
                    self.reconcile(&[newcomer.room]).await?;
                    reconciled = true;
                }
            }
        }
    }

    /// Reads the newest of what was said before the log was made into its memory: once, however many come back.
    async fn warm(&self, local: &Local) -> Result<(), StoreError> {
        let room = local.log.room;
        let read = || async {
            while let Some(oldest) = local.log.remembers_from() {
                let older = self.store.entries_before(room, oldest, RING_ENTRIES).await?;
                let newest_first = older.iter().rev().map(|entry| Arc::new(Encoded::new(room, entry)));
                if older.is_empty() || !local.log.remember(newest_first) {
                    break;
                }
            }
            Ok(())
        };
        local.warmed.get_or_try_init(read).await.copied()
    }

    /// Tells the newcomer to forget the room, and begins one page before the newest entry.
    async fn start_afresh(
        self: &Arc<Self>,
        newcomer: Newcomer,
        reason: &'static str,
    ) -> Result<Option<Paging>, StoreError> {
        let local = self.local(newcomer.room).await?;
        self.warm(&local).await?;
        let head = local.log.head().unwrap_or(Seq::ZERO);
        let page = i64::try_from(HISTORY_PAGE).unwrap_or(i64::MAX);
        let after = Seq((head.0 - page).max(0));
        self.greet(&newcomer, head, Some((after, reason)));
        // A page is nearly always remembered: who is in at once needs to be told but once who else is there.
        match local.log.join(&newcomer.place, Some(after), |_| {}) {
            Joined::Following { .. } | Joined::GivenUp => Ok(None),
            Joined::TooOld { .. } | Joined::Ahead { .. } | Joined::Released => Ok(Some(self.page_in(newcomer, after))),
        }
    }

    fn greet(&self, newcomer: &Newcomer, head: Seq, reset: Option<(Seq, &'static str)>) {
        let (room, epoch) = (newcomer.room, self.epoch());
        if let Some((after, reason)) = reset {
            let (epoch, reason) = (epoch.clone(), reason.to_owned());
            newcomer.place.queue().push_frame(&ServerFrame::Reset { room, epoch, after, seq: head, reason });
        }
        newcomer.place.queue().push_frame(&ServerFrame::Subscribed { room, epoch, seq: head });
    }

    fn page_in(self: &Arc<Self>, newcomer: Newcomer, after: Seq) -> Paging {
        let this = self.clone();
        let stop = self.stop.clone();
        let place = newcomer.place.clone();
        let task = self.tasks.spawn(async move {
            tokio::select! {
                // Safe to cancel: the newcomer follows only after the last step, and resumes by number.
                () = this.page_until_joined(&newcomer, after) => {}
                () = stop.cancelled() => {}
            }
        });
        Paging { place, task: task.abort_handle() }
    }

    async fn page_until_joined(self: &Arc<Self>, newcomer: &Newcomer, mut after: Seq) {
        loop {
            let step = {
                // One page at a time for the whole connection, or the pages of many rooms would meet in one queue.
                let _turn = newcomer.place.queue().paging_turn().await;
                self.next_step(newcomer, &mut after).await
            };
            match step {
                Ok(Step::Done) => return,
                Ok(Step::Paged) => {}
                // SQL lags behind what was heard, or the log was released: ask again, but not at once.
                Ok(Step::Nothing) => tokio::time::sleep(PAGE_RETRY).await,
                Err(error) => {
                    tracing::warn!(room = newcomer.room.0, %error, "a page could not be read from SQL; trying again");
                    tokio::time::sleep(PAGE_RETRY).await;
                }
            }
        }
    }

    /// A try to join, then one page.
    async fn next_step(self: &Arc<Self>, newcomer: &Newcomer, after: &mut Seq) -> Result<Step, StoreError> {
        let local: Arc<Local> = self.local(newcomer.room).await?;
        match local.log.join(&newcomer.place, Some(*after), |_| {}) {
            Joined::Following { .. } | Joined::GivenUp => return Ok(Step::Done),
            Joined::Ahead { .. } => {
                self.reconcile(&[newcomer.room]).await?;
                let caught_up = local.log.head() >= Some(*after);
                return Ok(if caught_up { Step::Paged } else { Step::Nothing });
            }
            Joined::TooOld { .. } | Joined::Released => {}
        }
        let entries = self.store.entries_after(newcomer.room, *after, ENTRIES_PER_PAGE).await?;
        let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(Step::Nothing) };
        if newcomer.place.is_given_up() {
            return Ok(Step::Done);
        }
        *after = last;
        newcomer.place.queue().push_frame(&ServerFrame::Entries { room: newcomer.room, entries });
        Ok(Step::Paged)
    }
}

/// What one step of paging did.
enum Step {
    /// The newcomer follows, or is gone.
    Done,
    /// It came nearer.
    Paged,
    /// There was nothing to be had.
    Nothing,
}
