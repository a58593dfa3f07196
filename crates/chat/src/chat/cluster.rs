//! The cluster one can watch: this instance says how it is while somebody watches, and can be cut off for a lesson.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::cluster::Picture;
use tertulia_protocol::{BusState, RoomId};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Chat;
use crate::bus::{Medium, Topic};
use crate::cluster::{CUT, Cut, EVERY, ROOMS_NAMED, Vital, Watching, shown};
use crate::news::News;

/// How long the first picture waits for the others' words: two ways over a bus, generously, and no page is slow for it.
const LOOK_AROUND: Duration = Duration::from_millis(400);
/// What the link says while it is cut.
const CUT_OFF: &str = "cut by the switch on /cluster";
/// The same for an island.
const ISLAND: &str = "cut by the switch on /cluster, and nothing is read from SQL meanwhile";

impl Chat {
    /// Watches the cluster until the answer is dropped; `None` when too many watch here already.
    #[must_use]
    pub fn watch_cluster(&self) -> Option<Watching> {
        Watching::begin(&self.cluster)
    }

    /// The cluster as this instance knows it at this moment. The others are heard only while somebody watches.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let now = Instant::now();
        let mut instances = self.cluster.others(now);
        instances.push(shown(&self.options.node, &self.vital(now, &self.following()), true));
        instances.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let redis = matches!(self.bus.medium(), Medium::Redis { .. });
        Picture { instances, redis, switch: self.bus.switch().is_some() && redis }
    }

    /// The same for somebody who has not watched yet: the others are asked, and given a moment to answer.
    pub async fn look_around(&self) -> Picture {
        let watching = self.watch_cluster();
        if watching.is_some() && self.bus.link().borrow().is_up() {
            let known = self.lock_presence().instances();
            // Who does not answer in time is not in the picture.
            let _ = timeout(LOOK_AROUND, self.cluster.until_heard(&known)).await;
        }
        self.picture()
    }

    /// Cuts this instance's bus for at most 5 minutes; as an `island` it does not look for what it misses either.
    /// `false` where there is no switch, or nothing to be cut from.
    pub fn cut_bus(&self, island: bool) -> bool {
        let Some(switch) = self.bus.switch().filter(|_| self.picture().switch) else { return false };
        let now = Instant::now();
        self.cluster.set_cut(Cut { until: now + CUT, island });
        // The last word, so that the others know why nothing more comes.
        let vital = self.vital(now, &self.following());
        self.fanout.publish(Topic::Everyone, News::Vital { vital });
        switch.cut(if island { ISLAND } else { CUT_OFF });
        tracing::warn!(island, "the bus of this instance was cut by the switch; it heals by itself in 5 minutes");
        true
    }

    /// Heals it: it connects, compares everything with SQL and then says that it is live.
    pub fn heal_bus(&self) {
        let Some(switch) = self.bus.switch() else { return };
        // First, so that the comparison that healing calls for is made.
        if self.cluster.take_cut() {
            switch.heal();
            tracing::warn!("the bus of this instance is healed");
        }
    }

    /// A message was stored here: counted, and shown travelling while somebody watches.
    pub(super) fn show_said(&self, room: RoomId) {
        if self.cluster.count_said(Instant::now()) {
            let carried = self.bus.link().borrow().is_up();
            self.cluster.show(&self.options.node, &self.options.node, room, carried);
            if carried {
                self.fanout.publish(Topic::Everyone, News::Sent { room });
            }
        }
    }

    pub(super) fn hear_cluster(&self, from: &str, news: News) {
        let now = Instant::now();
        match news {
            News::Watch => self.cluster.hear_watch(now),
            News::Vital { vital } => self.cluster.hear_vital(from, vital, now),
            News::Sent { room } => self.cluster.show(from, &self.options.node, room, true),
            News::Gone => self.cluster.hear_gone(from),
            _ => tracing::warn!(%from, "news of a room on everybody's topic; dropped"),
        }
    }

    /// Says how this instance is, as long as somebody watches anywhere, and ends a cut that was forgotten.
    pub(super) async fn observe(self: Arc<Self>) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Both safe to cancel: a tick and a mark are kept until taken.
                _ = tick.tick() => {}
                () = self.cluster.woken() => {}
            }
            let now = Instant::now();
            if self.cluster.cut().is_some_and(|cut| now >= cut.until) {
                self.heal_bus();
            }
            let following = self.following();
            let due = self.cluster.pulse(now, following.iter().copied().collect::<HashSet<_>>());
            if due.watch {
                self.fanout.publish(Topic::Everyone, News::Watch);
            }
            if due.vital {
                let vital = self.vital(now, &following);
                self.fanout.publish(Topic::Everyone, News::Vital { vital });
            }
        }
    }

    fn following(&self) -> Vec<RoomId> {
        self.fanout.rooms().iter().map(|local| local.log.room).collect()
    }

    fn vital(&self, now: Instant, following: &[RoomId]) -> Vital {
        let (said, told) = self.cluster.tenths();
        let cut = self.cluster.cut();
        let us = |echo: Duration| u64::try_from(echo.as_micros()).unwrap_or(u64::MAX);
        let echo = match self.bus.medium() {
            Medium::Redis { echo } if cut.is_none() => echo,
            Medium::Redis { .. } | Medium::Process => None,
        };
        Vital {
            name: self.options.instance.clone(),
            up_s: self.cluster.age(now).as_secs(),
            sockets: self.connections() as u64,
            rooms: following.len() as u64,
            following: following.iter().take(ROOMS_NAMED).copied().collect(),
            said,
            told,
            echo_us: echo.map(us),
            degraded: *self.bus_state.borrow() != BusState::Live,
            cut_s: cut.map(|cut| cut.until.saturating_duration_since(now).as_secs()),
            island: cut.is_some_and(|cut| cut.island),
        }
    }
}
