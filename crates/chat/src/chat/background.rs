//! The loops of an instance: hearing news, comparing heads with SQL, and letting time pass for presence.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tertulia_protocol::limits::PRESENCE_NAMES;
use tertulia_protocol::{BusState, RoomId, ServerFrame, codec};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Chat;
use crate::bus::{Heard, Topic};
use crate::news::News;
use crate::presence::{ALIVE_EVERY, Change};

/// How often presence is settled and told: coming and going is at most this late.
const SETTLE_EVERY: Duration = Duration::from_millis(250);
/// How often heads are compared while the bus is away: half of the second that is promised.
const COMPARE_DEGRADED: Duration = Duration::from_millis(500);
/// How often rooms with traffic are compared while all looks well: the last message of a burst can be lost, and
/// no hole shows it. Centrifugo looks every 40 s, which is how long a lost tail then stays unseen.
const COMPARE_ACTIVE: Duration = Duration::from_secs(2);
/// How long after its last entry a room counts as active.
const ACTIVE_WINDOW: Duration = Duration::from_secs(60);
/// How often the other rooms are compared.
const COMPARE_IDLE: Duration = Duration::from_secs(30);
/// How long a log outlives its last follower, so that a reload finds it warm.
const LINGER: Duration = Duration::from_secs(45);

impl Chat {
    pub(super) fn run_loops(self: &Arc<Self>, heard: mpsc::Receiver<Heard>) {
        let missed = Arc::new(Notify::new());
        let loops: [futures::future::BoxFuture<'static, ()>; 3] = [
            Box::pin(self.clone().listen(heard, missed.clone())),
            Box::pin(self.clone().compare(missed)),
            Box::pin(self.clone().settle()),
        ];
        for body in loops {
            let stop = self.stop.clone();
            self.background.spawn(async move {
                tokio::select! {
                    // Safe to cancel: the loops hold nothing but news, which may always be lost.
                    () = body => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }

    /// Compares heads with SQL: at once when news may have been missed, twice a second while the bus is away,
    /// and now and then even when all looks well. Says "live" only after a full comparison.
    async fn compare(self: Arc<Self>, missed: Arc<Notify>) {
        let mut link = self.bus.link();
        let mut tick = interval(COMPARE_DEGRADED);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut active_due = Instant::now() + COMPARE_ACTIVE;
        let mut idle_due = Instant::now() + COMPARE_IDLE;
        loop {
            let mut all = false;
            tokio::select! {
                // Each arm is safe to cancel: a permit, a changed mark and a tick are kept until taken.
                () = missed.notified() => all = true,
                changed = link.changed() => if changed.is_err() { return },
                _ = tick.tick() => {}
            }
            let up = link.borrow_and_update().is_up();
            let was_live = *self.bus_state.borrow() == BusState::Live;
            if !up && was_live {
                self.tell_bus_state(BusState::Degraded);
            }
            let now = Instant::now();
            all |= !up || !was_live || now >= idle_due;
            if all || now >= active_due {
                let complete = self.compare_rooms(all, now).await;
                active_due = now + COMPARE_ACTIVE;
                if all {
                    idle_due = now + COMPARE_IDLE;
                }
                if up && !was_live && complete {
                    self.lock_presence().renew_leases(now);
                    self.announce_all();
                    self.tell_bus_state(BusState::Live);
                }
            }
            for room in self.fanout.release_idle(now, LINGER) {
                self.lock_presence().forget(room);
            }
        }
    }

    async fn compare_rooms(&self, all: bool, now: Instant) -> bool {
        let rooms: Vec<RoomId> = self
            .fanout
            .rooms()
            .iter()
            .filter(|local| all || local.log.is_active(now, ACTIVE_WINDOW))
            .map(|local| local.log.room)
            .collect();
        self.fanout.reconcile_logged(&rooms).await
    }

    fn tell_bus_state(&self, bus: BusState) {
        let reason = self.bus_trouble().unwrap_or_default();
        tracing::warn!(?bus, reason, "the link between instances changed");
        self.bus_state.send_replace(bus);
        self.tell_all(&ServerFrame::Service { bus });
    }

    /// Lets time pass for presence and tells the followers of each room who came and went.
    async fn settle(self: Arc<Self>) {
        let mut tick = interval(SETTLE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut alive_due = Instant::now();
        loop {
            tick.tick().await;
            let now = Instant::now();
            if now >= alive_due {
                self.fanout.publish(Topic::Everyone, News::Alive);
                alive_due = now + ALIVE_EVERY;
            }
            let frozen = *self.bus_state.borrow() != BusState::Live;
            let changes = self.lock_presence().tick(now, frozen);
            for (room, change) in changes {
                self.tell_presence(room, change);
            }
        }
    }

    fn tell_presence(&self, room: RoomId, mut change: Change) {
        let online = change.online as u64;
        // Above the bound only the count travels: with everybody told of everybody, names grow as the square.
        if change.online > PRESENCE_NAMES {
            change.joined.clear();
            change.left.clear();
        }
        let Change { joined, left, .. } = change;
        let frame = ServerFrame::Presence { room, online, full: false, joined, left };
        self.fanout.tell(room, &Bytes::from(codec::encode(&frame)), None, false);
    }
}
