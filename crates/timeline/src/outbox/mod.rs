//! Sends that wait for their answer, for all rooms of this tab, in the order they were made.
//!
//! A send keeps its key through every retry, so sending again is always safe and a timeout is never a failure.
//! One is in flight per room: that alone keeps the sender's order whatever the network does.

#[cfg(test)]
mod model;
mod stored;
#[cfg(test)]
mod tests;

use serde::Serialize;
use tertulia_protocol::{Code, Key, Refusal, RoomId, frame};

use self::stored::Stored;
use crate::backoff::HINT_CAP_MS;

/// Sends held at most, waiting and failed together: somebody offline who writes one every ten seconds
/// fills it in an hour and a half (own).
const HELD: usize = 500;
/// Bytes of text held at most: 500 messages of a thousand. Browsers keep 5 MiB for a site at least, so what eight tabs
/// hold fits, envelopes included (own).
const HELD_BYTES: usize = 512 * 1024;
/// How many times the bounds an outbox may hold of its own and of what ended tabs left: a full one can be taken over by
/// a tab that is all but full itself.
const WITH_LEFT: usize = 2;
/// The wait after a temporary refusal that names none, in milliseconds (own; our server always names one).
const DEFAULT_RETRY_MS: u64 = 2_000;

/// The sends of this tab that are not done: at most 500 and 512 KiB of text, twice that with what was taken over from
/// tabs that ended.
///
/// Serialises as what outlives the tab: a send in flight comes back as queued (its answer is lost, its key is
/// not) and waits are forgotten, because they are measured on the tab's own clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(into = "Vec<Stored>")]
pub struct Outbox {
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq)]
struct Item {
    send: frame::Send,
    state: State,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Waits for its turn, and for this moment when there is one.
    Queued {
        not_before_ms: Option<f64>,
    },
    InFlight,
    Failed {
        refusal: Refusal,
    },
}

const READY: State = State::Queued { not_before_ms: None };

/// What becomes of a send that was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It stays first of its room and is sent again.
    Temporary {
        /// When, on the clock of the caller's `now_ms`.
        retry_at_ms: f64,
    },
    /// It will not be sent again unless somebody says so; the room's next one goes on.
    Final,
}

impl Outbox {
    /// Nothing to send.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// Whether no further send can be held: 500 are, or 512 KiB of text. Ask before [`Outbox::push`] and leave the
    /// text in the composer; only so is nothing lost.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.items.len() >= HELD || self.bytes() >= HELD_BYTES
    }

    /// Whether nothing is held, neither waiting nor failed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether everything of another outbox can be held as well: up to twice the bounds together.
    #[must_use]
    pub fn has_room_for(&self, other: &Self) -> bool {
        self.items.len() + other.items.len() <= HELD * WITH_LEFT
            && self.bytes() + other.bytes() <= HELD_BYTES * WITH_LEFT
    }

    /// Takes everything of an outbox whose tab has ended. What was in flight there is queued again, with its key.
    ///
    /// Each outbox keeps its order. How the two interleave is decided by when keys were minted, which only matters
    /// between tabs, where no order is promised: so a clock that was set back cannot turn one tab's messages round.
    /// Ask [`Outbox::has_room_for`] before. A key that both hold is kept once, as it stands here.
    pub fn merge(&mut self, mut other: Self) {
        other.disconnected();
        other.items.retain(|item| self.index(item.send.key).is_none());
        let mut mine = std::mem::take(&mut self.items).into_iter().peekable();
        let mut theirs = other.items.into_iter().peekable();
        loop {
            let theirs_first = match (mine.peek(), theirs.peek()) {
                (Some(mine), Some(theirs)) => theirs.send.key < mine.send.key,
                (mine, _) => mine.is_none(),
            };
            let Some(item) = (if theirs_first { theirs.next() } else { mine.next() }) else { break };
            self.items.push(item);
        }
    }

    /// Puts a send at the end of its room's queue. One whose key is held already changes nothing, and so does
    /// any when the outbox [is full](Outbox::is_full).
    pub fn push(&mut self, send: frame::Send) {
        if !self.is_full() && self.index(send.key).is_none() {
            self.items.push(Item { send, state: READY });
        }
    }

    /// What to send now: per room the first that waits, when none is in flight there and its retry time has
    /// come. They count as in flight from here on.
    pub fn take_ready(&mut self, now_ms: f64) -> Vec<frame::Send> {
        let mut ready = Vec::new();
        for index in self.heads() {
            let Some(item) = self.items.get_mut(index) else { continue };
            // A time that cannot be compared must not hold a send for ever.
            let early = matches!(item.state, State::Queued { not_before_ms: Some(at) } if now_ms < at);
            if !early {
                item.state = State::InFlight;
                ready.push(item.send.clone());
            }
        }
        ready
    }

    /// The send is durable. Keys not held are ignored: an answer may come twice.
    pub fn acked(&mut self, key: Key) {
        self.items.retain(|item| item.send.key != key);
    }

    /// The send was refused. A key not held is [`Verdict::Final`] and changes nothing.
    ///
    /// Temporary is what comes with a retry time (at most one hour of it is believed), and what is temporary by
    /// its code. `internal` without a time is final: a fault that repeats must not hold up the room for ever.
    pub fn nacked(&mut self, key: Key, refusal: &Refusal, now_ms: f64) -> Verdict {
        let Some(item) = self.items.iter_mut().find(|item| item.send.key == key) else { return Verdict::Final };
        let by_code = refusal.code.is_temporary() && refusal.code != Code::Internal;
        let wait_ms = refusal.retry_after_ms.or(by_code.then_some(DEFAULT_RETRY_MS));
        match wait_ms {
            Some(wait_ms) => {
                let retry_at_ms = now_ms + wait_ms.min(HINT_CAP_MS) as f64;
                item.state = State::Queued { not_before_ms: Some(retry_at_ms) };
                Verdict::Temporary { retry_at_ms }
            }
            None => {
                item.state = State::Failed { refusal: refusal.clone() };
                Verdict::Final
            }
        }
    }

    /// The connection is gone: what was in flight is queued again with its key, in its old place.
    pub fn disconnected(&mut self) {
        for item in &mut self.items {
            if item.state == State::InFlight {
                item.state = READY;
            }
        }
    }

    /// Queues a failed send again, before those of its room that were made after it. False when no failed send
    /// has this key.
    pub fn retry(&mut self, key: Key) -> bool {
        let failed = |item: &&mut Item| item.send.key == key && matches!(item.state, State::Failed { .. });
        let Some(item) = self.items.iter_mut().find(failed) else { return false };
        item.state = READY;
        true
    }

    /// Forgets a send that failed or waits. False when none has this key, and when it is in flight: it may be
    /// stored already, and the room's order hangs on its answer.
    pub fn discard(&mut self, key: Key) -> bool {
        let held = self.items.len();
        self.items.retain(|item| item.send.key != key || item.state == State::InFlight);
        self.items.len() < held
    }

    /// How many are queued or in flight; failed ones do not count.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.items.iter().filter(|item| !matches!(item.state, State::Failed { .. })).count()
    }

    /// The earliest moment at which [`Outbox::take_ready`] has something that it does not have yet. `None` when
    /// no wait is running.
    #[must_use]
    pub fn next_at(&self) -> Option<f64> {
        let times = self.heads().into_iter().filter_map(|index| match self.items.get(index)?.state {
            State::Queued { not_before_ms } => not_before_ms,
            State::InFlight | State::Failed { .. } => None,
        });
        times.reduce(f64::min)
    }

    /// Everything held, oldest first, with the refusal of what failed: for showing a restored outbox again.
    pub fn held(&self) -> impl Iterator<Item = (&frame::Send, Option<&Refusal>)> {
        self.items.iter().map(|item| match &item.state {
            State::Failed { refusal } => (&item.send, Some(refusal)),
            State::Queued { .. } | State::InFlight => (&item.send, None),
        })
    }

    /// Bytes of all texts.
    fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.send.body.len()).sum()
    }

    fn index(&self, key: Key) -> Option<usize> {
        self.items.iter().position(|item| item.send.key == key)
    }

    /// Per room with nothing in flight, its first queued send.
    fn heads(&self) -> Vec<usize> {
        // A retried send may stand before one in flight, so those rooms are looked up first.
        let in_flight = self.items.iter().filter(|item| item.state == State::InFlight);
        let mut taken: Vec<RoomId> = in_flight.map(|item| item.send.room).collect();
        let mut heads = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            if matches!(item.state, State::Queued { .. }) && !taken.contains(&item.send.room) {
                taken.push(item.send.room);
                heads.push(index);
            }
        }
        heads
    }
}
