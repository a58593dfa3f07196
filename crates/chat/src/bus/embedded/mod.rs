//! The bus inside one process: production connects one instance, tests and teaching several.
//! Nothing is ever stalled by it: an end that does not listen overflows alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use tertulia_protocol::RoomId;
use tokio::sync::{mpsc, watch};

use self::office::Office;
use super::outlet::Outlet;
use super::{Bus, Connected, HEARD_QUEUE, Heard, Link, PAYLOAD_BYTES, Topic};

mod office;
#[cfg(test)]
mod tests;

/// The medium that in-process instances share. Cloning it shares it; it lives as long as its ends.
#[derive(Clone, Default)]
pub struct EmbeddedHub {
    medium: Arc<Mutex<Medium>>,
}

/// Everybody who is connected, in the order they came.
#[derive(Default)]
struct Medium {
    next: u64,
    ends: BTreeMap<u64, End>,
    offices: BTreeMap<String, Office>,
}

/// One instance, as the medium sees it. Its rooms are bounded by whoever subscribes: rooms with somebody there.
struct End {
    outlet: Outlet,
    link: watch::Sender<Link>,
    rooms: HashMap<RoomId, watch::Sender<bool>>,
    drop_every: u32,
    since_drop: u32,
}

/// One instance's end of an [`EmbeddedHub`]. Dropping the last reference leaves the hub.
pub struct EmbeddedBus {
    id: u64,
    medium: Arc<Mutex<Medium>>,
    link: watch::Sender<Link>,
}

impl EmbeddedHub {
    /// A medium with nobody on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new end, at once [`Link::Up`].
    #[must_use]
    pub fn connect(&self) -> Connected {
        let (bus, heard) = self.open();
        Connected { bus, heard }
    }

    /// A new end that is [`Link::Down`] for ever, with the reason: for an instance that must go on without its bus.
    #[must_use]
    pub fn severed(&self, reason: &str) -> Connected {
        let (bus, heard) = self.open();
        bus.link.send_replace(Link::Down(reason.to_owned()));
        Connected { bus, heard }
    }

    /// The same as [`connect`](Self::connect), keeping the concrete type with its switches.
    #[must_use]
    pub fn open(&self) -> (Arc<EmbeddedBus>, mpsc::Receiver<Heard>) {
        let (outlet, heard) = Outlet::new(HEARD_QUEUE);
        let link = watch::Sender::new(Link::Up);
        let end = End { outlet, link: link.clone(), rooms: HashMap::new(), drop_every: 0, since_drop: 0 };
        let mut medium = lock(&self.medium);
        let id = medium.next;
        medium.next += 1;
        medium.ends.insert(id, end);
        drop(medium);
        (Arc::new(EmbeddedBus { id, medium: Arc::clone(&self.medium), link }), heard)
    }
}

impl EmbeddedBus {
    /// Cuts this end off (`false`) or joins it again (`true`); for tests and teaching.
    ///
    /// While cut, it hears nothing, its publishes are refused and its subscriptions are unconfirmed. Joining
    /// confirms them, owes one [`Heard::MayHaveMissed`], and only then says [`Link::Up`], as Redis does.
    pub fn set_link(&self, up: bool) {
        let mut medium = lock(&self.medium);
        let Some(end) = medium.ends.get_mut(&self.id) else { return };
        if self.link.borrow().is_up() == up {
            return;
        }
        if up {
            end.confirm(true);
            end.outlet.missed();
            self.link.send_replace(Link::Up);
        } else {
            self.link.send_replace(Link::Down("cut on purpose".to_owned()));
            end.confirm(false);
        }
        medium.settle();
    }

    /// Loses every `n`-th news on its way to this end, silently, as a network may; 0 loses nothing. For tests
    /// and teaching: what repairs such a loss must not depend on being told.
    pub fn drop_every(&self, n: u32) {
        if let Some(end) = lock(&self.medium).ends.get_mut(&self.id) {
            (end.drop_every, end.since_drop) = (n, 0);
        }
    }
}

impl Bus for EmbeddedBus {
    fn publish(&self, topic: Topic, payload: Bytes) -> bool {
        if payload.len() > PAYLOAD_BYTES {
            return false;
        }
        let mut medium = lock(&self.medium);
        if !self.link.borrow().is_up() {
            return false;
        }
        for end in medium.ends.values_mut() {
            end.hear(topic, &payload);
        }
        true
    }

    fn subscribe(&self, room: RoomId) -> watch::Receiver<bool> {
        let mut medium = lock(&self.medium);
        // Read under the lock: a link that turns meanwhile would leave this room as it was.
        let up = self.link.borrow().is_up();
        match medium.ends.get_mut(&self.id) {
            Some(end) => end.rooms.entry(room).or_insert_with(|| watch::Sender::new(up)).subscribe(),
            None => watch::Sender::new(false).subscribe(),
        }
    }

    fn unsubscribe(&self, room: RoomId) {
        let removed = lock(&self.medium).ends.get_mut(&self.id).and_then(|end| end.rooms.remove(&room));
        if let Some(confirmed) = removed {
            confirmed.send_replace(false);
        }
    }

    fn reach(&self, room: RoomId) -> BoxFuture<'_, usize> {
        let medium = lock(&self.medium);
        let hears = |(id, end): (&u64, &End)| *id != self.id && end.listens(Topic::Room(room));
        let others = if self.link.borrow().is_up() { medium.ends.iter().filter(|end| hears(*end)).count() } else { 0 };
        std::future::ready(1 + others).boxed()
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    fn elect(&self, office: &str) -> watch::Receiver<bool> {
        let mut medium = lock(&self.medium);
        if !medium.ends.contains_key(&self.id) {
            return watch::Sender::new(false).subscribe();
        }
        let held = medium.offices.entry(office.to_owned()).or_default().stand(self.id);
        medium.settle();
        held
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.leave();
        std::future::ready(()).boxed()
    }
}

impl EmbeddedBus {
    fn leave(&self) {
        let mut medium = lock(&self.medium);
        if medium.ends.remove(&self.id).is_some() {
            self.link.send_replace(Link::Down("closed".to_owned()));
            medium.settle();
        }
    }
}

impl Drop for EmbeddedBus {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Medium {
    /// Gives every office to somebody who is connected.
    fn settle(&mut self) {
        let Self { ends, offices, .. } = self;
        offices.retain(|_, office| {
            office.settle(|end| ends.get(&end).map(|end| end.link.borrow().is_up()));
            !office.is_empty()
        });
    }
}

impl End {
    fn listens(&self, topic: Topic) -> bool {
        let wants = match topic {
            Topic::Everyone => true,
            Topic::Room(room) => self.rooms.contains_key(&room),
        };
        wants && self.link.borrow().is_up()
    }

    fn hear(&mut self, topic: Topic, payload: &Bytes) {
        if !self.listens(topic) {
            return;
        }
        if self.drop_every > 0 {
            self.since_drop += 1;
            if self.since_drop == self.drop_every {
                self.since_drop = 0;
                return;
            }
        }
        if !self.outlet.news(topic, payload.clone()) {
            tracing::trace!("the listener is behind; news dropped, a comparison with SQL is owed");
        }
    }

    fn confirm(&self, confirmed: bool) {
        for room in self.rooms.values() {
            room.send_replace(confirmed);
        }
    }
}

/// Nothing under this lock can leave it half changed, so a panic elsewhere does not spoil it.
fn lock(medium: &Mutex<Medium>) -> MutexGuard<'_, Medium> {
    medium.lock().unwrap_or_else(PoisonError::into_inner)
}
