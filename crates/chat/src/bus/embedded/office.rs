//! One office among the ends of a hub: who stands for it, in the order they came, and who holds it.

use tokio::sync::watch;

/// Bounded by the ends of the hub.
#[derive(Default)]
pub(super) struct Office {
    candidates: Vec<(u64, watch::Sender<bool>)>,
}

impl Office {
    /// Lets an end stand for it; idempotent. Nothing is decided before [`settle`](Self::settle).
    pub(super) fn stand(&mut self, end: u64) -> watch::Receiver<bool> {
        if let Some((_, held)) = self.candidates.iter().find(|(candidate, _)| *candidate == end) {
            return held.subscribe();
        }
        let (held, receiver) = watch::channel(false);
        self.candidates.push((end, held));
        receiver
    }

    /// Whoever holds it keeps it while connected; else the first who is connected gets it. `connected` knows
    /// nothing (`None`) of ends that are gone.
    pub(super) fn settle(&mut self, connected: impl Fn(u64) -> Option<bool>) {
        for (end, held) in &self.candidates {
            if connected(*end) != Some(true) {
                set(held, false);
            }
        }
        self.candidates.retain(|(end, _)| connected(*end).is_some());
        if !self.candidates.iter().any(|(_, held)| *held.borrow())
            && let Some((_, held)) = self.candidates.iter().find(|(end, _)| connected(*end) == Some(true))
        {
            set(held, true);
        }
    }

    /// Whether nobody stands for it any more.
    pub(super) const fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }
}

fn set(held: &watch::Sender<bool>, now: bool) {
    held.send_if_modified(|held| std::mem::replace(held, now) != now);
}
