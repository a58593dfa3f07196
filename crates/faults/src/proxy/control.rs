//! What a proxy does at the moment, and the handle that changes it.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::watch;

/// What becomes of the bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They arrive.
    #[default]
    Pass,
    /// They wait where they are, and arrive when they may: a network that is silent for a while.
    Hold,
    /// They are gone, and nobody is told: a black hole. A connection that lost bytes so is reset as soon as they would
    /// pass again, since no TCP stream goes on with a hole in it.
    Swallow,
}

/// One direction of all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) flow: Flow,
    pub(super) delay: Duration,
    /// Bytes a second of each connection; all that there is when absent.
    pub(super) bandwidth: Option<NonZeroU64>,
}

/// Everything that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) target: SocketAddr,
    /// From clients to the target.
    pub(super) up: Lane,
    /// From the target to clients.
    pub(super) down: Lane,
    pub(super) refuse: bool,
    /// Bytes that a connection may carry, both directions together.
    pub(super) reset_after: Option<u64>,
    pub(super) drop_every: Option<NonZeroU64>,
    /// How often everything was cut; a connection of an earlier count is dead.
    pub(super) cuts: u64,
}

/// Steers a proxy. What is set holds for all its connections at once, and for those to come.
#[derive(Clone, Debug)]
pub struct Control {
    settings: watch::Sender<Settings>,
    /// How many connections there are.
    links: watch::Sender<usize>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Messages seen since the rule that drops some of them was set.
    messages: AtomicU64,
    dropped: AtomicU64,
    swallowed: AtomicU64,
}

impl Control {
    pub(super) fn new(target: SocketAddr) -> Self {
        let (up, down) = (Lane::default(), Lane::default());
        let settings = Settings { target, up, down, refuse: false, reset_after: None, drop_every: None, cuts: 0 };
        Self { settings: watch::Sender::new(settings), links: watch::Sender::new(0), counts: Arc::default() }
    }

    /// Everything passes, at once and whole: no fault is left. Where it leads to stays.
    pub fn pass(&self) {
        self.settings.send_modify(|now| {
            let (up, down) = (Lane::default(), Lane::default());
            *now = Settings { up, down, refuse: false, reset_after: None, drop_every: None, ..*now };
        });
    }

    /// Where new connections lead to from now on.
    pub fn lead_to(&self, target: SocketAddr) {
        self.settings.send_modify(|now| now.target = target);
    }

    /// Bytes arrive that much later, whatever else is set: `up` towards the target, `down` towards clients.
    pub fn delay(&self, up: Duration, down: Duration) {
        self.settings.send_modify(|now| (now.up.delay, now.down.delay) = (up, down));
    }

    /// Each connection carries at most so many bytes a second in each direction; `None` for as many as it can.
    pub fn bandwidth(&self, bytes_per_second: Option<NonZeroU64>) {
        self.settings.send_modify(|now| {
            (now.up.bandwidth, now.down.bandwidth) = (bytes_per_second, bytes_per_second);
        });
    }

    /// What becomes of bytes towards the target, and towards clients. Two different ones are a one-way link. New
    /// connections are accepted, and fare the same.
    pub fn flow(&self, up: Flow, down: Flow) {
        self.settings.send_modify(|now| (now.up.flow, now.down.flow) = (up, down));
    }

    /// Swallows everything in both directions.
    pub fn black_hole(&self) {
        self.flow(Flow::Swallow, Flow::Swallow);
    }

    /// Resets every connection there is, on both sides. Those to come are not concerned.
    pub fn cut(&self) {
        self.settings.send_modify(|now| now.cuts += 1);
    }

    /// Whether new connections are reset at once.
    pub fn refuse(&self, refuse: bool) {
        self.settings.send_modify(|now| now.refuse = refuse);
    }

    /// Resets each connection that has carried so many bytes, both directions together; `None` for never.
    pub fn reset_after(&self, bytes: Option<u64>) {
        self.settings.send_modify(|now| now.reset_after = bytes);
    }

    /// Drops every n-th Pub/Sub message, counted over all connections from now on; `None` for none. Other replies are
    /// never dropped. Only where [`Speech::Redis`](super::Speech::Redis) is spoken.
    pub fn drop_messages(&self, every: Option<NonZeroU64>) {
        self.counts.messages.store(0, Relaxed);
        self.settings.send_modify(|now| now.drop_every = every);
    }

    /// How many Pub/Sub messages were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Relaxed)
    }

    /// How many bytes were swallowed so far.
    #[must_use]
    pub fn swallowed(&self) -> u64 {
        self.counts.swallowed.load(Relaxed)
    }

    /// How many connections there are.
    #[must_use]
    pub fn links(&self) -> usize {
        *self.links.borrow()
    }

    /// Waits until there are no more than so many connections, as after [`cut`](Self::cut).
    pub async fn until_links(&self, most: usize) {
        let mut links = self.links.subscribe();
        // The sender is `self`, so the only way to end is that it is true.
        drop(links.wait_for(|links| *links <= most).await);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Settings> {
        self.settings.subscribe()
    }

    pub(super) fn count_swallowed(&self, bytes: usize) {
        self.counts.swallowed.fetch_add(bytes as u64, Relaxed);
    }

    /// Whether the message that has just been seen is one to be dropped.
    pub(super) fn drops_this(&self) -> bool {
        let Some(every) = self.settings.borrow().drop_every else { return false };
        let drops = (self.counts.messages.fetch_add(1, Relaxed) + 1).is_multiple_of(every.get());
        self.counts.dropped.fetch_add(u64::from(drops), Relaxed);
        drops
    }

    /// Counts a connection until this is dropped.
    pub(super) fn enter(&self) -> Presence {
        self.links.send_modify(|links| *links += 1);
        Presence(self.links.clone())
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(super) struct Presence(watch::Sender<usize>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.send_modify(|links| *links -= 1);
    }
}
