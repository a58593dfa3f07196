//! What waits for one socket: bounded by count, bytes and age. Whoever does not read is closed and
//! resumes later by number; nobody else ever waits for a slow peer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tertulia_protocol::limits::{QUEUE_AGE_MS, QUEUE_BYTES, QUEUE_EVENTS};
use tertulia_protocol::{Close, RoomId, ServerFrame, codec};
use tokio::sync::{MutexGuard as Turn, Notify};
use tokio::time::{Duration, Instant};

use crate::encoded::Encoded;

#[cfg(test)]
mod tests;

/// Bytes handed to the socket between two looks at the queue: sixteen of its write buffers, so one flush
/// carries many entries. With one frame more (a page, about 64 KiB) a batch still gets through a link of
/// 20 KiB/s within the 7 s that one write may take.
const BATCH_BYTES: usize = 64 * 1024;

/// What may be used when pages are read or a frame is taken, in events and in bytes: half, so that whatever
/// one of them adds fits the other half.
const ROOMY_EVENTS: usize = QUEUE_EVENTS / 2;
const ROOMY_BYTES: usize = QUEUE_BYTES / 2;

/// Events above which signs that may be lost (typing) are dropped instead of queued.
const SOFT_EVENTS: usize = 100;

/// Capacity that an emptied queue keeps, in events; more is given back, since most sockets idle.
const KEPT_CAPACITY: usize = 8;

/// One thing on its way to a socket.
enum Outgoing {
    /// An entry, shared with every other recipient.
    Entry(RoomId, Arc<Encoded>),
    /// Any other frame, encoded.
    Frame(Bytes),
}

impl Outgoing {
    fn len(&self) -> usize {
        match self {
            Self::Entry(_, encoded) => encoded.bytes(),
            Self::Frame(bytes) => bytes.len(),
        }
    }
}

/// Why a queue ended, and what the peer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The reason.
    pub close: Close,
    /// When the peer should come back, in milliseconds; `None` leaves it to its own backoff.
    pub retry_after_ms: Option<u64>,
}

/// The way out of one connection.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    /// Something waits, or the queue ended.
    filled: Notify,
    /// Something was taken: whoever pages through history may go on.
    drained: Notify,
    /// Held by whoever pages through history for this queue: one at a time, or each would find it empty.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
    /// When the oldest event that still waits came.
    since: Option<Instant>,
    ended: Option<Ended>,
}

impl Queue {
    /// Queues an entry; `false` when the queue has ended.
    pub fn push_entry(&self, room: RoomId, encoded: Arc<Encoded>) -> bool {
        self.push(Outgoing::Entry(room, encoded))
    }

    /// Queues a frame; `false` when the queue has ended.
    pub fn push_frame(&self, frame: &ServerFrame) -> bool {
        self.push_encoded(Bytes::from(codec::encode(frame)))
    }

    /// Queues a frame that was encoded for several recipients; `false` when the queue has ended.
    pub fn push_encoded(&self, frame: Bytes) -> bool {
        self.push(Outgoing::Frame(frame))
    }

    /// Queues something that may be lost (typing): dropped while much else waits.
    pub fn push_soft(&self, frame: Bytes) {
        if self.lock().waiting.len() < SOFT_EVENTS {
            self.push_encoded(frame);
        }
    }

    fn push(&self, item: Outgoing) -> bool {
        let mut state = self.lock();
        if state.ended.is_some() {
            return false;
        }
        let now = Instant::now();
        let too_old = state.since.is_some_and(|since| now - since > Duration::from_millis(QUEUE_AGE_MS));
        if too_old || state.waiting.len() >= QUEUE_EVENTS || state.bytes + item.len() > QUEUE_BYTES {
            state.end(Ended { close: Close::TooSlow, retry_after_ms: Some(0) });
        } else {
            state.bytes += item.len();
            state.since.get_or_insert(now);
            state.waiting.push_back(item);
        }
        let open = state.ended.is_none();
        drop(state);
        self.filled.notify_one();
        open
    }

    /// Ends the queue: what waits is discarded and nothing is taken any more. The first reason stands.
    pub fn end(&self, ended: Ended) {
        self.lock().end(ended);
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    /// Ends the queue of a connection that is no more: nobody is left to be told why.
    pub fn abandon(&self) {
        self.end(Ended { close: Close::NoPong, retry_after_ms: None });
    }

    /// Whether the queue has ended, and why.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.lock().ended
    }

    /// Waits until something can be taken or the queue has ended.
    ///
    /// Safe to cancel: nothing is taken here.
    pub async fn ready(&self) {
        loop {
            // The future is made before the look, so that a push between the two is not missed.
            let filled = self.filled.notified();
            {
                let state = self.lock();
                if state.ended.is_some() || !state.waiting.is_empty() {
                    return;
                }
            }
            filled.await;
        }
    }

    /// Waits until the queue has ended; for the writer, while the peer takes its time.
    ///
    /// Safe to cancel.
    pub async fn until_ended(&self) -> Ended {
        loop {
            let filled = self.filled.notified();
            if let Some(ended) = self.ended() {
                return ended;
            }
            filled.await;
        }
    }

    /// Waits until less than half of the queue is used, or it has ended: the pace of paging.
    ///
    /// Safe to cancel.
    pub async fn has_room(&self) {
        loop {
            let drained = self.drained.notified();
            if self.is_roomy() {
                return;
            }
            drained.await;
        }
    }

    /// Whether less than half of the queue is used, or it has ended.
    #[must_use]
    pub fn is_roomy(&self) -> bool {
        let state = self.lock();
        state.ended.is_some() || state.bytes < ROOMY_BYTES && state.waiting.len() < ROOMY_EVENTS
    }

    /// Whether this much more would still leave half of the queue free.
    #[must_use]
    pub fn fits(&self, events: usize, bytes: usize) -> bool {
        let state = self.lock();
        state.bytes + bytes <= ROOMY_BYTES && state.waiting.len() + events <= ROOMY_EVENTS
    }

    /// Waits for the turn to page, in order of asking, and then for room: hold it until the page is queued.
    ///
    /// Safe to cancel: the turn passes on.
    pub async fn paging_turn(&self) -> Turn<'_, ()> {
        let turn = self.turn.lock().await;
        self.has_room().await;
        turn
    }

    /// Takes what waits, as frames: neighbouring entries of one room share a frame.
    ///
    /// # Errors
    /// The reason, when the queue has ended. Nothing may be written after that but the goodbye.
    pub fn take(&self) -> Result<Vec<Bytes>, Ended> {
        let batch = {
            let mut state = self.lock();
            if let Some(ended) = state.ended {
                return Err(ended);
            }
            state.take_batch()
        };
        self.drained.notify_waiters();
        Ok(frames_of(batch))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves plain data behind; the queue stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, ended: Ended) {
        self.ended.get_or_insert(ended);
        self.waiting = VecDeque::new();
        self.bytes = 0;
    }

    fn take_batch(&mut self) -> Vec<Outgoing> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES {
            let Some(item) = self.waiting.pop_front() else { break };
            bytes += item.len();
            batch.push(item);
        }
        self.bytes -= bytes;
        self.since = if self.waiting.is_empty() { None } else { Some(Instant::now()) };
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT_CAPACITY {
            self.waiting.shrink_to(KEPT_CAPACITY);
        }
        batch
    }
}

/// Turns a batch into frames. A lone entry is shared as it is; only neighbours are copied together.
fn frames_of(batch: Vec<Outgoing>) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(batch.len());
    let mut run: Vec<Arc<Encoded>> = Vec::new();
    let mut run_room = RoomId(0);
    for item in batch {
        match item {
            Outgoing::Entry(room, encoded) => {
                if room != run_room {
                    close_run(&mut frames, run_room, &mut run);
                    run_room = room;
                }
                run.push(encoded);
            }
            Outgoing::Frame(frame) => {
                close_run(&mut frames, run_room, &mut run);
                frames.push(frame);
            }
        }
    }
    close_run(&mut frames, run_room, &mut run);
    frames
}

fn close_run(frames: &mut Vec<Bytes>, room: RoomId, run: &mut Vec<Arc<Encoded>>) {
    match run.as_slice() {
        [] => {}
        [one] => frames.push(one.frame()),
        several => {
            let frame = codec::entries_frame(room, several.iter().map(|encoded| encoded.json()));
            frames.push(Bytes::from(frame));
        }
    }
    run.clear();
}
