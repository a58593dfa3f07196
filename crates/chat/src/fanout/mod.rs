//! Fan-out: brings what was committed anywhere to the room logs of this instance, and repairs holes from SQL.
//!
//! Three sources feed a log (own commits, the bus, SQL) and the log alone delivers. The bus may lose
//! anything: `repair.rs` compares heads with SQL until nothing is missing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tertulia_protocol::{Entry, Epoch, RoomId, Seq};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{Bus, Topic};
use crate::encoded::Encoded;
use crate::news::{self, News};
use crate::room_log::{ConnId, Offered, RoomLog};
use crate::store::{Store, StoreError};

mod catch_up;
mod repair;

pub use catch_up::{Paging, Start};

/// The room logs of this instance and what feeds them.
pub struct Fanout {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    /// The name of this instance on the bus.
    node: String,
    /// By number, so that whatever looks at all of them does so in the same order every time.
    rooms: Mutex<BTreeMap<RoomId, Arc<Local>>>,
    /// Entries delivered to followers so far.
    told: Arc<AtomicU64>,
    /// Owns repairs and catch-ups; `stop` ends them.
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A room that somebody here follows, or followed a moment ago.
pub struct Local {
    /// What is delivered, and in which order.
    pub log: RoomLog,
    loaded: OnceCell<()>,
    /// The newest number that SQL is known to have: what the log must reach, also when its head is being read just now.
    promised: AtomicI64,
    /// Set once what was said before the log was made has been read into its memory.
    warmed: OnceCell<()>,
    /// Held while somebody reads missing entries from SQL: once per hole, not once per follower.
    repairing: tokio::sync::Mutex<()>,
}

impl Fanout {
    /// Feeds nobody yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        node: String,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let told = Arc::default();
        Arc::new(Self { store, bus, node, rooms: Mutex::default(), told, tasks, stop })
    }

    /// The store's identity.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.store.epoch()
    }

    /// Counts the entries that are delivered to followers here; it only grows.
    #[must_use]
    pub fn told(&self) -> Arc<AtomicU64> {
        self.told.clone()
    }

    /// An entry was committed here: into the own log at once, and over the bus to everybody else's.
    pub fn committed(self: &Arc<Self>, room: RoomId, entry: Entry) {
        self.offer(room, &entry);
        self.publish(Topic::Room(room), News::Entry { room, entry });
    }

    /// An entry is known to be committed; from the bus, or from a retry that found it stored.
    pub fn offer(self: &Arc<Self>, room: RoomId, entry: &Entry) {
        let Some(local) = self.get(room) else { return };
        let offered = local.log.offer(Arc::new(Encoded::new(room, entry)));
        if offered == Offered::Held && local.log.has_hole() {
            self.repair_soon(local);
        }
    }

    /// Says something to all instances. Whether it arrives is nobody's promise.
    pub(crate) fn publish(&self, topic: Topic, news: News) {
        let payload = news::encode(&self.epoch(), &self.node, news);
        if !self.bus.publish(topic, payload) {
            tracing::debug!(?topic, "the bus did not take a piece of news; others read it from SQL");
        }
    }

    /// Hands a frame to the room's followers here; nothing happens when there are none.
    pub fn tell(&self, room: RoomId, frame: &Bytes, but: Option<ConnId>, soft: bool) {
        if let Some(local) = self.get(room) {
            local.log.tell(frame, but, soft);
        }
    }

    /// Stops delivering a room to a connection.
    pub fn part(&self, room: RoomId, conn: ConnId) {
        if let Some(local) = self.get(room) {
            local.log.part(conn);
        }
    }

    /// The room's log, made and loaded if need be.
    ///
    /// # Errors
    /// When the head cannot be read from SQL.
    pub async fn local(self: &Arc<Self>, room: RoomId) -> Result<Arc<Local>, StoreError> {
        let (local, made) = {
            let mut rooms = self.lock();
            let made = !rooms.contains_key(&room);
            let fresh = || {
                Arc::new(Local {
                    log: RoomLog::counting(room, self.told.clone()),
                    loaded: OnceCell::new(),
                    promised: AtomicI64::new(Seq::ZERO.0),
                    warmed: OnceCell::new(),
                    repairing: tokio::sync::Mutex::new(()),
                })
            };
            (rooms.entry(room).or_insert_with(fresh).clone(), made)
        };
        if made {
            self.listen_to(room);
        }
        // After subscribing: what is committed between this read and the link's confirmation is found when
        // the heads are compared on confirmation.
        let read = || async {
            let heads = self.store.heads(&[room]).await?;
            let (_, head) = heads.first().copied().ok_or(StoreError::NoRoom)?;
            local.log.load(head);
            self.keep_promise(&local).await
        };
        local.loaded.get_or_try_init(read).await?;
        if local.log.has_hole() {
            self.repair_soon(local.clone());
        }
        Ok(local)
    }

    /// Rooms with a log here.
    #[must_use]
    pub fn rooms(&self) -> Vec<Arc<Local>> {
        self.lock().values().cloned().collect()
    }

    /// Releases logs that nobody has followed for `linger`; returns which.
    pub fn release_idle(&self, now: tokio::time::Instant, linger: std::time::Duration) -> Vec<RoomId> {
        let mut rooms = self.lock();
        let idle: Vec<RoomId> =
            rooms.iter().filter(|(_, local)| local.log.release_if_idle(now, linger)).map(|(room, _)| *room).collect();
        for room in &idle {
            rooms.remove(room);
            self.bus.unsubscribe(*room);
        }
        idle
    }

    /// Subscribes on the bus, and compares heads as soon as the link confirms it.
    fn listen_to(self: &Arc<Self>, room: RoomId) {
        let mut confirmed = self.bus.subscribe(room);
        let this = self.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let first = async {
                // An error means that the subscription was withdrawn: nothing left to compare for.
                if confirmed.wait_for(|confirmed| *confirmed).await.is_ok() {
                    this.reconcile_logged(&[room]).await;
                }
            };
            tokio::select! {
                // Both safe to cancel: a comparison cut short is made again by the next one.
                () = first => {}
                () = stop.cancelled() => {}
            }
        });
    }

    fn get(&self, room: RoomId) -> Option<Arc<Local>> {
        self.lock().get(&room).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RoomId, Arc<Local>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
