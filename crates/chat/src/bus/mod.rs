//! What carries news between instances. It may lose, delay or forget anything: SQL is the truth, and
//! whoever listens repairs what it misses from there. Two backends, one suite of conformance tests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tertulia_protocol::RoomId;
use tokio::sync::{mpsc, watch};

use self::switchable::Switch;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod embedded;
mod outlet;
pub mod redis;
pub mod switchable;

/// A subject that instances publish to and listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// News for all instances; every instance always listens.
    Everyone,
    /// News of one room; listened to while somebody local is there.
    Room(RoomId),
}

/// Whether news arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Everything subscribed is confirmed and the heartbeat came back in time.
    Up,
    /// Not, with the reason in words, without secrets.
    Down(String),
}

impl Link {
    /// Whether news arrive.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }
}

/// What news travel through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// This process alone.
    Process,
    /// A Redis.
    Redis {
        /// The last heartbeat's way there and back; `None` before the first and while the link is down.
        echo: Option<Duration>,
    },
}

/// What an instance hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A payload, byte for byte as published (also one's own). Untrusted.
    News {
        /// Where it was published.
        topic: Topic,
        /// At most [`PAYLOAD_BYTES`].
        payload: Bytes,
    },
    /// News may have been lost (reconnected, overflowed, a heartbeat missed): compare all heads with SQL.
    MayHaveMissed,
}

/// Largest payload that is published or accepted, in bytes: an entry of 40,000 bytes whose every
/// byte is escaped as six (`\u001f`), with its envelope, rounded up to a power of two.
pub const PAYLOAD_BYTES: usize = 256 * 1024;

/// What one instance may have heard and not yet taken: 16,384 events. When it is full, news are
/// dropped and one [`Heard::MayHaveMissed`] is owed; the reader of the link never waits.
pub const HEARD_QUEUE: usize = 16 * 1024;

/// The instance's half of the bus that speaks. Nothing here waits for the network: a send is acknowledged
/// by SQL alone and must not be slowed by a stalled Redis.
pub trait Bus: Send + Sync + 'static {
    /// Publishes; `false` when it was dropped at once (link down, queue full, payload too large).
    /// `true` promises nothing about arrival.
    fn publish(&self, topic: Topic, payload: Bytes) -> bool;

    /// Starts listening to a room; idempotent. News published after the link confirmed it arrive.
    /// The returned receiver is `true` once this subscription is confirmed on the present connection.
    fn subscribe(&self, room: RoomId) -> watch::Receiver<bool>;

    /// Stops listening to a room; idempotent.
    fn unsubscribe(&self, room: RoomId);

    /// How many instances news of this room reach at this moment: those that listen to it, and this one, whether or not
    /// it does; 1 while the link is down, and when whoever carries them does not say within a quarter of a second.
    fn reach(&self, room: RoomId) -> BoxFuture<'_, usize>;

    /// The state of the link, now and on every change.
    fn link(&self) -> watch::Receiver<Link>;

    /// Stands for an office, of which exactly one of the connected instances is meant to hold each; idempotent.
    /// Offices are named by the code and the settings, never by what people type: they are kept for good.
    ///
    /// Whether this instance holds it, now and on every change. It passes on when the holder closes or drops its
    /// bus, and within 10 s after it was killed. `false` as soon as it cannot be known to be held (link down,
    /// renewal late). Between two looks at a clock an instance may be stopped for any time, so what must not be
    /// done twice needs its own guard beside the office.
    fn elect(&self, office: &str) -> watch::Receiver<bool>;

    /// Leaves in order, for good: offices pass on at once, and the link is down from then on. Takes at most
    /// some seconds, whatever the network does.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// What it travels through: for whoever watches, never for decisions.
    fn medium(&self) -> Medium {
        Medium::Process
    }

    /// The switch that cuts this bus on purpose, where there is one.
    fn switch(&self) -> Option<&Switch> {
        None
    }
}

/// One instance's end of a bus: what speaks, and what it hears. There is one listener.
pub struct Connected {
    /// Shared by whoever publishes.
    pub bus: Arc<dyn Bus>,
    /// Taken by the one task that feeds the rooms' logs.
    pub heard: mpsc::Receiver<Heard>,
}
