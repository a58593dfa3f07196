//! Breaks a promise on request, so that the fault runs can prove that they would notice. Only debug builds can be
//! asked: in a release every question here is a constant `false` and leaves no code behind.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// One delivery in so many is forgotten: one per cent.
const DROPPED: u32 = 100;
/// How long an early acknowledgement is ahead of its commit: long enough to be killed in between.
pub(crate) const EARLY: Duration = Duration::from_millis(400);

/// A promise that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// One per cent of deliveries are forgotten.
    DropDeliveries,
    /// Sends are acknowledged before they are stored.
    AckEarly,
    /// A send that comes again is stored again.
    NoDedupe,
    /// A hole in a room's log is passed over.
    SkipGaps,
}

static CHOSEN: OnceLock<Sabotage> = OnceLock::new();

impl Sabotage {
    /// Every kind, by the name under which it is asked for.
    pub const ALL: [(&'static str, Self); 4] = [
        ("drop-deliveries", Self::DropDeliveries),
        ("ack-early", Self::AckEarly),
        ("no-dedupe", Self::NoDedupe),
        ("skip-gaps", Self::SkipGaps),
    ];

    /// Breaks this promise from now on, in the whole process; `false` in a release, or when one is broken already.
    #[must_use]
    pub fn begin(self) -> bool {
        cfg!(debug_assertions) && CHOSEN.set(self).is_ok()
    }

    /// Whether this promise is broken.
    pub(crate) fn is_on(self) -> bool {
        cfg!(debug_assertions) && CHOSEN.get() == Some(&self)
    }
}

/// Whether this delivery is to be forgotten.
pub(crate) fn forgets_delivery() -> bool {
    static DELIVERIES: AtomicU32 = AtomicU32::new(0);
    Sabotage::DropDeliveries.is_on() && DELIVERIES.fetch_add(1, Ordering::Relaxed) % DROPPED == DROPPED - 1
}
