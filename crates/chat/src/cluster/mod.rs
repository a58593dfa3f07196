//! The cluster as one instance sees it: what each instance says of itself, who watches, what travels, and the cut
//! made for teaching. Nothing here decides anything about messages; `Chat` feeds it and asks it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tertulia_protocol::RoomId;
use tertulia_protocol::cluster::{Instance, Sent};
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod picture;
#[cfg(test)]
mod tests;
mod vital;
mod watch;

use self::picture::Others;
pub(crate) use self::picture::shown;
use self::vital::Rates;
pub(crate) use self::vital::{CUT, EVERY, ROOMS_NAMED, Vital};
use self::watch::Watch;

/// Travelling messages that wait for one watcher; who is slower sees fewer dots.
const TRAVELLING: usize = 64;
/// Shortest pause between two messages that are shown travelling, per instance: an eye follows no more than ten a
/// second, and the bus has other things to carry.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// The cut of this instance's bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// When it heals by itself.
    pub(crate) until: Instant,
    /// Whether heads are not compared with SQL either.
    pub(crate) island: bool,
}

/// What this instance knows of the cluster.
pub(crate) struct Cluster {
    born: Instant,
    said: AtomicU64,
    told: Arc<AtomicU64>,
    state: Mutex<State>,
    sent: broadcast::Sender<Sent>,
    /// Somebody watches who did not: the loop need not wait for its tick.
    wake: Notify,
    /// An instance said how it is.
    heard: Notify,
    /// Set when this instance goes: whoever watches must look elsewhere.
    closing: CancellationToken,
}

#[derive(Default)]
struct State {
    others: Others,
    watch: Watch,
    rates: Rates,
    shown_at: Option<Instant>,
    /// Rooms followed here, when this instance last looked.
    following: HashSet<RoomId>,
    cut: Option<Cut>,
}

/// What is to be said now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// That somebody watches here.
    pub(crate) watch: bool,
    /// How this instance is.
    pub(crate) vital: bool,
}

impl Cluster {
    /// Knows nobody yet; `told` counts what is delivered to sockets.
    pub(crate) fn new(told: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self {
            born: Instant::now(),
            said: AtomicU64::new(0),
            told,
            state: Mutex::default(),
            sent: broadcast::Sender::new(TRAVELLING),
            wake: Notify::new(),
            heard: Notify::new(),
            closing: CancellationToken::new(),
        })
    }

    /// How long this instance runs.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.born)
    }

    /// A message was stored here. Whether the others must be told that it travels: only while somebody watches, and
    /// not too often.
    pub(crate) fn count_said(&self, now: Instant) -> bool {
        self.said.fetch_add(1, Relaxed);
        let mut state = self.lock();
        let soon = state.shown_at.is_some_and(|at| now.saturating_duration_since(at) < SHOW_EVERY);
        if soon || !state.watch.is_on(now) {
            return false;
        }
        state.shown_at = Some(now);
        true
    }

    /// Shows a message travelling to whoever watches here.
    pub(crate) fn show(&self, from: &str, own: &str, room: RoomId, carried: bool) {
        let state = self.lock();
        if !state.watch.is_here() {
            return;
        }
        let here = state.following.contains(&room).then_some(own);
        let to = if carried { state.others.following(room).chain(here).collect() } else { Vec::new() };
        let mut to: Vec<String> = to.into_iter().filter(|node| *node != from).map(str::to_owned).collect();
        to.sort_unstable();
        // An error says that nobody listens any more.
        let _ = self.sent.send(Sent { from: from.to_owned(), to, carried });
    }

    /// Another instance says that somebody watches there.
    pub(crate) fn hear_watch(&self, now: Instant) {
        let mut state = self.lock();
        let was_on = state.watch.is_on(now);
        state.watch.hear(now);
        drop(state);
        if !was_on {
            self.wake.notify_one();
        }
    }

    /// Another instance says how it is.
    pub(crate) fn hear_vital(&self, from: &str, vital: Vital, now: Instant) {
        if self.lock().others.hear(from, vital, now) {
            self.heard.notify_waiters();
        }
    }

    /// Another instance says goodbye.
    pub(crate) fn hear_gone(&self, from: &str) {
        self.lock().others.gone(from);
    }

    /// Returns when somebody began to watch who did not.
    ///
    /// Safe to cancel: the mark is kept until taken.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Returns when all of these instances have been heard of.
    ///
    /// Safe to cancel.
    pub(crate) async fn until_heard(&self, nodes: &[String]) {
        loop {
            let heard = self.heard.notified();
            tokio::pin!(heard);
            // Counted as waiting before the look, so that a word between the two is not missed.
            heard.as_mut().enable();
            if nodes.iter().all(|node| self.lock().others.knows(node)) {
                return;
            }
            heard.await;
        }
    }

    /// Time passes: what is to be said now.
    pub(crate) fn pulse(&self, now: Instant, following: HashSet<RoomId>) -> Due {
        let (said, told) = (self.said.load(Relaxed), self.told.load(Relaxed));
        let mut state = self.lock();
        state.rates.sample(now, said, told);
        state.others.forget(now);
        state.following = following;
        Due { watch: state.watch.must_ask(now), vital: state.watch.is_on(now) }
    }

    /// Messages stored here and delivered here, in tenths per second.
    pub(crate) fn tenths(&self) -> (u64, u64) {
        self.lock().rates.tenths()
    }

    /// The other instances as they are shown.
    pub(crate) fn others(&self, now: Instant) -> Vec<Instance> {
        let mut state = self.lock();
        state.others.forget(now);
        state.others.instances(now).collect()
    }

    /// The cut of this instance's bus, if there is one.
    pub(crate) fn cut(&self) -> Option<Cut> {
        self.lock().cut
    }

    /// Remembers a cut.
    pub(crate) fn set_cut(&self, cut: Cut) {
        self.lock().cut = Some(cut);
    }

    /// Forgets the cut; `false` when there was none.
    pub(crate) fn take_cut(&self) -> bool {
        self.lock().cut.take().is_some()
    }

    /// Whether heads must not be compared with SQL, for the lesson.
    pub(crate) fn is_island(&self) -> bool {
        self.cut().is_some_and(|cut| cut.island)
    }

    /// Sends whoever watches away: this instance goes.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves plain data behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who watches the cluster on this instance; dropped, they watch no more.
pub struct Watching {
    cluster: Arc<Cluster>,
    sent: broadcast::Receiver<Sent>,
}

impl Watching {
    /// Somebody begins; `None` when too many do already.
    pub(crate) fn begin(cluster: &Arc<Cluster>) -> Option<Self> {
        let mut state = cluster.lock();
        let was_here = state.watch.is_here();
        if !state.watch.begin() {
            return None;
        }
        drop(state);
        if !was_here {
            cluster.wake.notify_one();
        }
        Some(Self { cluster: cluster.clone(), sent: cluster.sent.subscribe() })
    }

    /// The next message that travels; `None` when this instance goes.
    ///
    /// Safe to cancel: nothing is taken unless it is returned.
    pub async fn sent(&mut self) -> Option<Sent> {
        loop {
            let next = tokio::select! {
                // Both safe to cancel: a message stays in its channel, a token stays cancelled.
                next = self.sent.recv() => next,
                () = self.cluster.closing.cancelled() => return None,
            };
            match next {
                Ok(sent) => return Some(sent),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.cluster.lock().watch.end();
    }
}
