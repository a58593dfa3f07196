//! A bus that can be cut on purpose, for teaching: whoever sits behind the switch hears and says nothing while it
//! is open. A decorator around any bus; closed, it keeps every promise of the one inside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use tertulia_protocol::RoomId;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::outlet::Outlet;
use super::{Bus, Connected, HEARD_QUEUE, Heard, Link, Medium, Topic};

#[cfg(test)]
mod tests;

/// A bus with a [`Switch`]. Dropping the last reference ends its task.
pub struct Switchable {
    inner: Arc<dyn Bus>,
    switch: Switch,
    /// Ends the task that passes on what is heard.
    _ends: DropGuard,
}

/// Cuts a bus and heals it.
pub struct Switch(Arc<Shared>);

struct Shared {
    /// What the listener is told; the bus' own link while the switch is closed.
    link: watch::Sender<Link>,
    state: Mutex<State>,
}

struct State {
    outlet: Outlet,
    cut: bool,
    /// The link of the bus inside.
    inner: Link,
}

impl Switchable {
    /// Puts a switch, closed, between an instance and its bus. Must be called within a Tokio runtime.
    #[must_use]
    pub fn wrap(connected: Connected) -> Connected {
        let Connected { bus: inner, heard } = connected;
        let (outlet, passed_on) = Outlet::new(HEARD_QUEUE);
        let mut link = inner.link();
        let now = link.borrow_and_update().clone();
        let state = Mutex::new(State { outlet, cut: false, inner: now.clone() });
        let shared = Arc::new(Shared { link: watch::Sender::new(now), state });
        let stop = CancellationToken::new();
        // Owned by the bus: its guard ends the task. The task holds nothing of the bus, or neither would ever end.
        tokio::spawn(pass_on(Arc::clone(&shared), heard, link, stop.clone()));
        let bus = Arc::new(Self { inner, switch: Switch(shared), _ends: stop.drop_guard() });
        Connected { bus, heard: passed_on }
    }
}

impl Switch {
    /// Cuts the bus: from here on nothing is published and nothing heard, and the link is down for this reason.
    pub fn cut(&self, reason: &str) {
        self.0.lock().cut = true;
        self.0.link.send_replace(Link::Down(reason.to_owned()));
    }

    /// Heals the bus. As after any other absence the listener first owes a comparison, then the link is what it is.
    pub fn heal(&self) {
        let mut state = self.0.lock();
        if std::mem::replace(&mut state.cut, false) {
            state.outlet.missed();
            self.0.link.send_replace(state.inner.clone());
        }
    }

    /// Whether the bus is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.0.lock().cut
    }
}

impl Bus for Switchable {
    fn publish(&self, topic: Topic, payload: Bytes) -> bool {
        !self.switch.is_cut() && self.inner.publish(topic, payload)
    }

    /// While cut, a subscription may be confirmed by the bus inside; healing owes a comparison of all heads anyway.
    fn subscribe(&self, room: RoomId) -> watch::Receiver<bool> {
        self.inner.subscribe(room)
    }

    fn unsubscribe(&self, room: RoomId) {
        self.inner.unsubscribe(room);
    }

    fn reach(&self, room: RoomId) -> BoxFuture<'_, usize> {
        if self.switch.is_cut() { std::future::ready(1).boxed() } else { self.inner.reach(room) }
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.switch.0.link.subscribe()
    }

    // An office is no news: it is held or not by what Redis says, whatever a class cuts.
    fn elect(&self, office: &str) -> watch::Receiver<bool> {
        self.inner.elect(office)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }

    fn medium(&self) -> Medium {
        match self.inner.medium() {
            Medium::Redis { .. } if self.switch.is_cut() => Medium::Redis { echo: None },
            medium => medium,
        }
    }

    fn switch(&self) -> Option<&Switch> {
        Some(&self.switch)
    }
}

/// Passes on what the bus inside hears and how its link stands, until that bus is gone.
async fn pass_on(
    shared: Arc<Shared>,
    mut heard: mpsc::Receiver<Heard>,
    mut link: watch::Receiver<Link>,
    stop: CancellationToken,
) {
    // A bus that was closed has nothing more to be heard, and still says how its link stands.
    let mut speaks = true;
    loop {
        tokio::select! {
            // Each arm is safe to cancel: news and a changed mark are kept until taken.
            biased;
            () = stop.cancelled() => return,
            news = heard.recv(), if speaks => match news {
                Some(news) => shared.hear(news),
                None => speaks = false,
            },
            changed = link.changed() => {
                if changed.is_err() { return }
                // A link says what is owed before it says that it is up: so do we.
                while let Ok(news) = heard.try_recv() {
                    shared.hear(news);
                }
                let now = link.borrow_and_update().clone();
                shared.turned(now);
            }
        }
    }
}

impl Shared {
    fn hear(&self, heard: Heard) {
        let mut state = self.lock();
        if state.cut {
            return;
        }
        match heard {
            Heard::News { topic, payload } => {
                if !state.outlet.news(topic, payload) {
                    tracing::trace!("the listener is behind; news dropped, a comparison with SQL is owed");
                }
            }
            Heard::MayHaveMissed => state.outlet.missed(),
        }
    }

    fn turned(&self, link: Link) {
        let mut state = self.lock();
        state.inner = link.clone();
        if !state.cut {
            self.link.send_replace(link);
        }
    }

    /// Nothing under this lock can leave it half changed, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
