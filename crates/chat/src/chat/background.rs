//! The loops of an instance: hearing news, comparing heads with SQL, letting time pass for presence, and purging.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tertulia_protocol::{BusState, Person, RoomId, ServerFrame, codec};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use super::Chat;
use crate::bus::{Heard, Topic};
use crate::news::News;
use crate::presence::{ALIVE_EVERY, Change, Roster, Say};
use crate::seldom::Seldom;
use crate::store::{Mark, StoreError};

/// How often presence is settled and told: coming and going is at most this late.
const SETTLE_EVERY: Duration = Duration::from_millis(250);
/// How often SQL is asked which rooms moved, and while the bus is away for all heads: half of the second that is
/// promised. Also while all looks well, for another instance may be cut off, and the last message of a burst may be
/// lost without a hole that shows it. One short read of what moved, however many rooms are followed here.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often all heads are compared although nothing says that it is needed.
const COMPARE_ANYWAY: Duration = Duration::from_secs(30);
/// How often the log is told that SQL does not answer.
static UNREADABLE: Seldom = Seldom::new(Duration::from_secs(60));
/// How long a log outlives its last follower, so that a reload finds it warm.
const LINGER: Duration = Duration::from_secs(45);
/// How long after its start an instance purges first: whoever just came back is served before.
const PURGE_FIRST: Duration = Duration::from_secs(60);
/// How often what ended is purged. Nothing waits for it: a session that ended opens no door.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// Sessions in one slice: some milliseconds of the one writer, less than a group of sends takes.
const PURGE_SLICE: usize = 200;
/// The turn left to sends between two slices.
const PURGE_PAUSE: Duration = Duration::from_millis(200);

impl Chat {
    pub(super) fn run_loops(self: &Arc<Self>, heard: mpsc::Receiver<Heard>) {
        let missed = Arc::new(Notify::new());
        let loops: [futures::future::BoxFuture<'static, ()>; 6] = [
            Box::pin(self.clone().listen(heard, missed.clone())),
            Box::pin(self.clone().compare(missed)),
            Box::pin(self.clone().settle()),
            Box::pin(self.clone().tidy_up()),
            Box::pin(self.clone().trade()),
            Box::pin(self.clone().observe()),
        ];
        for body in loops {
            let stop = self.stop.clone();
            self.background.spawn(async move {
                tokio::select! {
                    // In this order, so that a turn that falls due as all ends is left out every time. Safe to cancel:
                    // the loops hold nothing but news, which may always be lost.
                    biased;
                    () = stop.cancelled() => {}
                    () = body => {}
                }
            });
        }
    }

    /// Follows SQL twice a second, and compares the heads of all rooms here with it: at once when news may have been
    /// missed, at every turn while the bus is away, and now and then even when all looks well. Says "live" only after
    /// a full comparison during which the link stayed up.
    async fn compare(self: Arc<Self>, missed: Arc<Notify>) {
        let mut link = self.bus.link();
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut anyway_due = Instant::now() + COMPARE_ANYWAY;
        let mut mark = None;
        loop {
            let (mut all, mut doubtful) = (false, false);
            tokio::select! {
                // In this order, so that the same things happening lead to the same comparisons. Each arm is safe to
                // cancel: a permit, a changed mark and a tick are kept until taken.
                biased;
                () = missed.notified() => (all, doubtful) = (true, true),
                changed = link.changed() => {
                    if changed.is_err() { return }
                    (all, doubtful) = (true, true);
                }
                _ = tick.tick() => {}
            }
            let up = link.borrow_and_update().is_up();
            let was_live = *self.bus_state.borrow() == BusState::Live;
            if !up && was_live {
                self.tell_bus_state(BusState::Degraded);
            }
            let now = Instant::now();
            if doubtful {
                self.lock_presence().doubt(now);
            }
            all |= !up || !was_live || now >= anyway_due;
            // An island looks for nothing until it is healed; that is the lesson.
            if all && !self.cluster.is_island() {
                let complete = self.compare_rooms().await;
                anyway_due = now + COMPARE_ANYWAY;
                // A link that turned during the comparison calls for another one, even if it is up again.
                let stayed_up = up && !link.has_changed().unwrap_or(true);
                if stayed_up && !was_live && complete {
                    self.tell_bus_state(BusState::Live);
                }
            }
            if !self.cluster.is_island() {
                self.look_at_moves(&mut mark).await;
            }
            let released = self.fanout.release_idle(now, LINGER);
            if all || !released.is_empty() {
                let kept: HashSet<RoomId> = self.fanout.rooms().iter().map(|local| local.log.room).collect();
                self.lock_presence().forget_all_but(&kept);
            }
        }
    }

    async fn compare_rooms(&self) -> bool {
        let rooms: Vec<RoomId> = self.fanout.rooms().iter().map(|local| local.log.room).collect();
        self.fanout.reconcile_logged(&rooms).await
    }

    async fn look_at_moves(&self, mark: &mut Option<Mark>) {
        if let Err(error) = self.follow_moves(mark).await
            && let Some(times) = UNREADABLE.count()
        {
            tracing::warn!(%error, times, "SQL does not say which rooms moved; asking again twice a second");
        }
    }

    fn tell_bus_state(&self, bus: BusState) {
        match self.bus_trouble() {
            Some(reason) => tracing::warn!(?bus, reason, "the link between instances changed"),
            None => tracing::info!(?bus, "the link between instances changed"),
        }
        self.bus_state.send_replace(bus);
        self.tell_all(&ServerFrame::Service { bus });
    }

    /// Lets time pass for presence, tells the followers of each room who came and went, and the other instances
    /// who is here. The only task that publishes rosters: two would overtake each other.
    async fn settle(self: Arc<Self>) {
        let link = self.bus.link();
        let mut tick = interval(SETTLE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut alive_due = Instant::now();
        let mut looked = Instant::now();
        loop {
            tick.tick().await;
            let now = Instant::now();
            if now - std::mem::replace(&mut looked, now) > ALIVE_EVERY {
                self.lock_presence().thaw(now);
            }
            let up = link.borrow().is_up();
            let frozen = !up || *self.bus_state.borrow() != BusState::Live;
            for Say { room, roster, who } in self.settle_presence(now, frozen, up) {
                let Roster { people, unnamed: more, first, back } = roster;
                let news = News::Roster { room, people, more, first, back };
                self.fanout.publish(Topic::Room(room), news);
                if who {
                    self.fanout.publish(Topic::Room(room), News::Who { room });
                }
            }
            if now >= alive_due {
                self.fanout.publish(Topic::Everyone, News::Alive);
                alive_due = now + ALIVE_EVERY;
            }
        }
    }

    /// Tells the followers under the lock, as whoever begins to follow is told: what is queued first was true first.
    fn settle_presence(&self, now: Instant, frozen: bool, up: bool) -> Vec<Say> {
        let mut presence = self.lock_presence();
        for (room, change) in presence.tick(now, frozen) {
            self.tell_presence(room, change);
        }
        self.welcome_late(&mut presence);
        // What is said while the link is down is lost, so it waits.
        if up { presence.take_outbox(now) } else { Vec::new() }
    }

    async fn tidy_up(self: Arc<Self>) {
        let mut tick = interval_at(Instant::now() + PURGE_FIRST, PURGE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match self.purge().await {
                Ok(0) => {}
                Ok(sessions) => tracing::info!(sessions, "sessions that ended were forgotten"),
                Err(error) => tracing::warn!(%error, "sessions that ended are forgotten later"),
            }
        }
    }

    /// Forgets every session that ended, slice by slice; returns how many.
    pub(super) async fn purge(&self) -> Result<usize, StoreError> {
        let (now, mut sessions) = (self.clock.now_ms(), 0);
        loop {
            let purged = self.store.purge_sessions(now, PURGE_SLICE).await?;
            sessions += purged;
            if purged < PURGE_SLICE {
                return Ok(sessions);
            }
            tokio::time::sleep(PURGE_PAUSE).await;
        }
    }

    fn tell_presence(&self, room: RoomId, change: Change) {
        let Change { online, joined, left, list } = change;
        if list.is_none() || !joined.is_empty() || !left.is_empty() {
            self.tell_people(room, online, false, joined, left);
        }
        if let Some(list) = list {
            self.tell_people(room, online, true, list, Vec::new());
        }
    }

    fn tell_people(&self, room: RoomId, online: usize, full: bool, joined: Vec<Person>, left: Vec<Person>) {
        let frame = ServerFrame::Presence { room, online: online as u64, full, joined, left };
        self.fanout.tell(room, &Bytes::from(codec::encode(&frame)), None, false);
    }
}
