//! One room as this instance knows it: the single place that decides what is delivered, and in which order.
//!
//! Entries come from the own commit, from the bus and from SQL, in any order and any number of times;
//! they leave once each, ascending, without a hole. Pure state: it never waits and never reads anything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tertulia_protocol::{RoomId, Seq};
use tokio::time::Instant;

use crate::encoded::Encoded;
use crate::queue::Queue;
use crate::sabotage::{self, Sabotage};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// Newest entries kept in memory for those who come back: 256, as many as a busy minute (own).
pub const RING_ENTRIES: usize = 256;
/// Bytes of those: a quarter of one peer's queue, so an empty queue takes them all at once.
const RING_BYTES: usize = 256 * 1024;
/// Entries that may wait for one that is missing; more are left to the reading from SQL.
const HELD_ENTRIES: usize = 1_024;
/// Bytes of those: 1 MiB, seventeen of the longest messages with every character escaped (own).
const HELD_BYTES: usize = 1024 * 1024;

/// Names one connection within this process.
pub type ConnId = u64;

/// Somebody's place in a room: where the entries go, until it is given up.
pub struct Place {
    conn: ConnId,
    queue: Arc<Queue>,
    given_up: AtomicBool,
}

impl Place {
    /// A place for a connection.
    #[must_use]
    pub const fn new(conn: ConnId, queue: Arc<Queue>) -> Self {
        Self { conn, queue, given_up: AtomicBool::new(false) }
    }

    /// The way out.
    #[must_use]
    pub const fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Gives the place up; nobody can join with it any more. To be called before [`RoomLog::part`]: whoever
    /// joined before that is then parted, and whoever comes later is refused.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
    }

    /// Whether it was given up, or its connection has ended.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::SeqCst) || self.queue.ended().is_some()
    }
}

/// What an offer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// Delivered, possibly with others that had waited for it.
    Delivered,
    /// Known already.
    Known,
    /// Kept: an entry before it is missing, or the log is not loaded yet.
    Held,
}

/// What became of somebody who wants to follow the room from a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// Everything after the position was queued, and what comes will be.
    Following {
        /// The newest entry at that moment.
        head: Seq,
    },
    /// Memory does not reach back that far, or half of the queue does not hold it: read SQL up to here first.
    TooOld {
        /// The newest entry at this moment.
        head: Seq,
    },
    /// The position is beyond what this instance has heard of.
    Ahead {
        /// The newest entry this instance knows.
        head: Seq,
    },
    /// The log was released in the meantime; take a new one.
    Released,
    /// The place was given up, or the connection has ended: nobody follows.
    GivenUp,
}

/// The log of one room on this instance.
pub struct RoomLog {
    /// Which room.
    pub room: RoomId,
    state: Mutex<State>,
}

struct State {
    /// The newest entry delivered; `None` until it was read from SQL.
    head: Option<Seq>,
    ring: VecDeque<Arc<Encoded>>,
    ring_bytes: usize,
    held: BTreeMap<Seq, Arc<Encoded>>,
    held_bytes: usize,
    /// In the order they came: an entry reaches them in the same order every time.
    followers: BTreeMap<ConnId, Arc<Queue>>,
    /// When the last follower went, or the log was made.
    idle_since: Option<Instant>,
    released: bool,
    /// Entries delivered to followers, here and in the other logs of the instance.
    told: Arc<AtomicU64>,
}

impl RoomLog {
    /// A log that knows nothing yet.
    #[must_use]
    pub fn new(room: RoomId) -> Self {
        Self::counting(room, Arc::default())
    }

    /// The same, adding what it delivers to followers to a counter.
    #[must_use]
    pub fn counting(room: RoomId, told: Arc<AtomicU64>) -> Self {
        let state = State {
            head: None,
            ring: VecDeque::new(),
            ring_bytes: 0,
            held: BTreeMap::new(),
            held_bytes: 0,
            followers: BTreeMap::new(),
            idle_since: Some(Instant::now()),
            released: false,
            told,
        };
        Self { room, state: Mutex::new(state) }
    }

    /// Says where the log stands in SQL; the first word counts. What was held and is newer is delivered.
    pub fn load(&self, head: Seq) {
        let mut state = self.lock();
        if state.head.is_none() {
            state.head = Some(head);
            state.held = state.held.split_off(&head.next());
            state.held_bytes = state.held.values().map(|encoded| encoded.bytes()).sum();
            state.deliver_held(self.room);
        }
    }

    /// The oldest entry in memory, while there is room for older ones and they exist; `head + 1` when none is.
    #[must_use]
    pub fn remembers_from(&self) -> Option<Seq> {
        let state = self.lock();
        let room = state.ring.len() < RING_ENTRIES && state.ring_bytes < RING_BYTES;
        state.oldest().filter(|oldest| room && !state.released && oldest.0 > 1)
    }

    /// Takes older entries into memory, the newest of them first, as far as they join what is there and fit. For those
    /// who come back to a log that was just made; nobody is told of them. Whether all were taken.
    pub fn remember(&self, older: impl IntoIterator<Item = Arc<Encoded>>) -> bool {
        let mut state = self.lock();
        for encoded in older {
            let joins = state.oldest() == Some(encoded.seq.next());
            let fits = state.ring.len() < RING_ENTRIES && state.ring_bytes + encoded.bytes() <= RING_BYTES;
            if !joins || !fits {
                return false;
            }
            state.ring_bytes += encoded.bytes();
            state.ring.push_front(encoded);
        }
        true
    }

    /// Takes an entry from wherever it comes.
    pub fn offer(&self, encoded: Arc<Encoded>) -> Offered {
        let mut state = self.lock();
        if state.released {
            return Offered::Known;
        }
        let Some(head) = state.head else {
            state.hold(encoded);
            return Offered::Held;
        };
        if encoded.seq <= head {
            return Offered::Known;
        }
        if encoded.seq > head.next() && !Sabotage::SkipGaps.is_on() {
            state.hold(encoded);
            return Offered::Held;
        }
        state.deliver(self.room, encoded);
        state.deliver_held(self.room);
        Offered::Delivered
    }

    /// The newest entry delivered; `None` until loaded.
    #[must_use]
    pub fn head(&self) -> Option<Seq> {
        self.lock().head
    }

    /// Whether every follower has room for a page of entries.
    #[must_use]
    pub fn is_roomy(&self) -> bool {
        self.lock().followers.values().all(|queue| queue.is_roomy())
    }

    /// Whether something waits for an entry that is missing; never before loading nor after releasing, when
    /// there is nothing yet or nothing any more that reading SQL could mend.
    #[must_use]
    pub fn has_hole(&self) -> bool {
        let state = self.lock();
        state.head.is_some() && !state.held.is_empty()
    }

    /// The numbers of what waits for an entry that is missing.
    #[must_use]
    pub fn held(&self) -> Vec<Seq> {
        self.lock().held.keys().copied().collect()
    }

    /// Forgets those of `seqs` that still wait; returns how many did.
    pub fn forget_held(&self, seqs: &[Seq]) -> usize {
        let mut state = self.lock();
        seqs.iter().filter(|seq| state.take_held(**seq).is_some()).count()
    }

    /// Queues everything after `after` and follows from there, in one turn; `before` runs in that turn
    /// ahead of the entries and is told the newest number, so that it can say `subscribed` first.
    pub fn join(&self, place: &Place, after: Option<Seq>, before: impl FnOnce(Seq)) -> Joined {
        let mut state = self.lock();
        if state.released {
            return Joined::Released;
        }
        if place.is_given_up() {
            return Joined::GivenUp;
        }
        let head = state.head.unwrap_or(Seq::ZERO);
        let after = after.unwrap_or(head);
        if after > head {
            return Joined::Ahead { head };
        }
        // The ring ends at the head, so it reaches back as many numbers as it has entries.
        let Some(skip) =
            usize::try_from(head.0 - after.0).ok().and_then(|missing| state.ring.len().checked_sub(missing))
        else {
            return Joined::TooOld { head };
        };
        let missed = || state.ring.iter().skip(skip);
        if skip < state.ring.len() && !place.queue.fits(missed().count(), missed().map(|entry| entry.bytes()).sum()) {
            return Joined::TooOld { head };
        }
        before(head);
        for encoded in missed() {
            place.queue.push_entry(self.room, encoded.clone());
        }
        state.followers.insert(place.conn, place.queue.clone());
        state.idle_since = None;
        Joined::Following { head }
    }

    /// Stops following; fine when not following.
    pub fn part(&self, conn: ConnId) {
        let mut state = self.lock();
        state.followers.remove(&conn);
        if state.followers.is_empty() {
            state.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// Hands a frame to every follower but one.
    pub fn tell(&self, frame: &Bytes, but: Option<ConnId>, soft: bool) {
        for (conn, queue) in &self.lock().followers {
            if Some(*conn) == but {
                continue;
            }
            if soft {
                queue.push_soft(frame.clone());
            } else {
                queue.push_encoded(frame.clone());
            }
        }
    }

    /// Ends the log if nobody has followed it for `linger`; afterwards `join` says so.
    pub fn release_if_idle(&self, now: Instant, linger: std::time::Duration) -> bool {
        let mut state = self.lock();
        let idle = state.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= linger);
        state.released = state.released || idle && state.followers.is_empty();
        if state.released {
            state.held = BTreeMap::new();
            state.held_bytes = 0;
        }
        state.released
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The ring ends at the head.
    fn oldest(&self) -> Option<Seq> {
        self.ring.front().map(|encoded| encoded.seq).or(self.head.map(Seq::next))
    }

    fn hold(&mut self, encoded: Arc<Encoded>) {
        let fits = self.held.len() < HELD_ENTRIES && self.held_bytes + encoded.bytes() <= HELD_BYTES;
        if fits && !self.held.contains_key(&encoded.seq) {
            self.held_bytes += encoded.bytes();
            self.held.insert(encoded.seq, encoded);
        }
    }

    fn take_held(&mut self, seq: Seq) -> Option<Arc<Encoded>> {
        let encoded = self.held.remove(&seq)?;
        self.held_bytes -= encoded.bytes();
        Some(encoded)
    }

    fn deliver_held(&mut self, room: RoomId) {
        while let Some(first) = self.held.keys().next().copied() {
            let next = self.head.unwrap_or(Seq::ZERO).next();
            if first > next {
                return;
            }
            if let Some(encoded) = self.take_held(first).filter(|_| first == next) {
                self.deliver(room, encoded);
            }
        }
    }

    /// The only place where an entry leaves: the caller has checked that it is the successor.
    fn deliver(&mut self, room: RoomId, encoded: Arc<Encoded>) {
        self.head = Some(encoded.seq);
        self.followers.retain(|_, queue| sabotage::forgets_delivery() || queue.push_entry(room, encoded.clone()));
        self.told.fetch_add(self.followers.len() as u64, Ordering::Relaxed);
        if self.followers.is_empty() {
            self.idle_since.get_or_insert_with(Instant::now);
        }
        self.ring_bytes += encoded.bytes();
        self.ring.push_back(encoded);
        while self.ring.len() > RING_ENTRIES || self.ring_bytes > RING_BYTES {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.ring_bytes -= oldest.bytes();
        }
    }
}
