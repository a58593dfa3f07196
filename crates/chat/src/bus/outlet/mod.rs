//! The bounded way from a link to its one listener. Whoever feeds it never waits: what does not fit is
//! dropped, and one `MayHaveMissed` stands in the queue behind everything that was heard before.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Heard, Topic};

#[cfg(test)]
mod tests;

/// The feeding end; exactly one task or lock holds it, so what it sees of the free room can only grow.
pub(super) struct Outlet {
    to: mpsc::Sender<Heard>,
    /// After an overflow news are taken again when more places than this are free. Half the queue: at one
    /// place a slow listener would be fed markers and news by turns, each marker a comparison with SQL.
    resume_above: usize,
    /// Overflowed and not yet resumed. Until then the marker is still queued, and covers every drop.
    overflowing: bool,
}

impl Outlet {
    /// Room for `news` events, and one more place that only a [`Heard::MayHaveMissed`] may take.
    pub(super) fn new(news: usize) -> (Self, mpsc::Receiver<Heard>) {
        let (to, heard) = mpsc::channel(news + 1);
        (Self { to, resume_above: news / 2, overflowing: false }, heard)
    }

    /// Hands over news; `false` when they were dropped.
    pub(super) fn news(&mut self, topic: Topic, payload: Bytes) -> bool {
        !self.is_full() && self.to.try_send(Heard::News { topic, payload }).is_ok()
    }

    /// Says that news may have been lost. Never lost itself: when the queue is full, it already ends in one.
    pub(super) fn missed(&mut self) {
        if !self.is_full() {
            self.mark();
        }
    }

    fn is_full(&mut self) -> bool {
        let free = self.to.capacity();
        if self.overflowing && free > self.resume_above {
            self.overflowing = false;
        }
        if !self.overflowing && free <= 1 {
            self.overflowing = true;
            self.mark();
        }
        self.overflowing
    }

    fn mark(&self) {
        if self.to.try_send(Heard::MayHaveMissed).is_err() {
            // The place was free a moment ago and only we fill it: the listener is gone, nobody to tell.
            tracing::trace!("nobody listens to the bus any more");
        }
    }
}
