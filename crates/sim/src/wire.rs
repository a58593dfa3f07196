//! The way between a browser and an instance: in order and without loss while it is whole, as TCP is; then it breaks,
//! and either end may learn of it or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::plan::How;

/// What both ends share.
#[derive(Default)]
pub(crate) struct Wire {
    /// Nothing arrives any more, and nobody is told.
    silent: AtomicBool,
    /// Both ends know that it is over; what was under way is lost.
    torn: CancellationToken,
}

impl Wire {
    /// Breaks it. A browser that is to notice alone is told by whoever breaks it.
    pub(crate) fn cut(&self, how: How) {
        match how {
            How::Both => self.torn.cancel(),
            How::Browser | How::Neither => self.silent.store(true, Ordering::SeqCst),
        }
    }

    /// Whether it carries, whatever its ends believe.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_silent() && !self.torn.is_cancelled()
    }

    fn is_silent(&self) -> bool {
        self.silent.load(Ordering::SeqCst)
    }
}

/// One direction's beginning.
pub(crate) struct Tx<T> {
    to: mpsc::Sender<(Instant, T)>,
    wire: Arc<Wire>,
    latency: Duration,
}

/// One direction's end.
pub(crate) struct Rx<T> {
    from: mpsc::Receiver<(Instant, T)>,
    /// What has been taken off the wire and is not due yet.
    next: Option<(Instant, T)>,
    wire: Arc<Wire>,
}

/// The other end is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn;

/// One direction of a wire, with room for so many things under way.
pub(crate) fn direction<T>(wire: &Arc<Wire>, room: usize, latency: Duration) -> (Tx<T>, Rx<T>) {
    let (to, from) = mpsc::channel(room);
    (Tx { to, wire: wire.clone(), latency }, Rx { from, next: None, wire: wire.clone() })
}

impl<T> Tx<T> {
    /// Sends something as soon as there is room.
    ///
    /// Safe to cancel: it is then not sent.
    pub(crate) async fn send(&self, thing: T) -> Result<(), Torn> {
        if self.wire.is_silent() {
            return Ok(());
        }
        tokio::select! {
            biased;
            // Safe to cancel: a token stays cancelled, and what waits for room is not sent.
            () = self.wire.torn.cancelled() => Err(Torn),
            room = self.to.reserve() => {
                room.map_err(|_| Torn)?.send((Instant::now() + self.latency, thing));
                Ok(())
            }
        }
    }

    /// Sends something if there is room at once.
    pub(crate) fn try_send(&self, thing: T) -> Result<(), Torn> {
        if self.wire.is_silent() {
            return Ok(());
        }
        if self.wire.torn.is_cancelled() {
            return Err(Torn);
        }
        self.to.try_send((Instant::now() + self.latency, thing)).map_err(|_| Torn)
    }
}

impl<T> Rx<T> {
    /// The next thing; `None` when the wire is known to be gone.
    ///
    /// Safe to cancel: what is under way is kept.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        let wire = self.wire.clone();
        tokio::select! {
            biased;
            // Safe to cancel: a token stays cancelled, and the other arm keeps what it took.
            () = wire.torn.cancelled() => None,
            thing = self.next_due() => match thing {
                // Silence is what a wire without an other end sounds like when nobody says so.
                None if wire.is_silent() => std::future::pending().await,
                thing => thing,
            },
        }
    }

    async fn next_due(&mut self) -> Option<T> {
        loop {
            if self.next.is_none() {
                self.next = Some(self.from.recv().await?);
            }
            if let Some((due, _)) = &self.next {
                sleep_until(*due).await;
            }
            match self.next.take() {
                Some((_, thing)) if !self.wire.is_silent() => return Some(thing),
                _ => {}
            }
        }
    }
}
