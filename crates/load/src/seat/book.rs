//! What a seat counts, and how the books of many become one.

use std::collections::BTreeMap;

use crate::ledger::Acked;
use crate::samples::Samples;

/// One seat's counts.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// From due (or sent) to acknowledged, of sends within the window.
    pub(crate) acks: Samples,
    /// From due to received, of messages due within the window.
    pub(crate) deliveries: Samples,
    /// From due to said: how late the generator itself was.
    pub(crate) lag: Samples,
    /// Every acknowledged send, the warm-up's too.
    pub(crate) acked: Vec<Acked>,
    /// Sends acknowledged within the window.
    pub(crate) acked_in_window: u64,
    /// New entries received within the window.
    pub(crate) entries: u64,
    /// Frames of entries received within the window.
    pub(crate) frames: u64,
    /// Refused sends by their code.
    pub(crate) refused: BTreeMap<&'static str, u64>,
    /// Sends that were never answered.
    pub(crate) unanswered: u64,
    /// From trying to come back (or, where the server went, from its going) to having everything that was missed.
    pub(crate) returns: Samples,
    /// Greetings that were answered with a time to come back.
    pub(crate) turned_away: u64,
    /// Sockets closed in the middle, by reason.
    pub(crate) closes: BTreeMap<String, u64>,
    /// Rooms the server told the client to start afresh.
    pub(crate) resets: u64,
}

impl Book {
    /// Takes over another seat's counts.
    pub(crate) fn merge(&mut self, other: Self) {
        self.acks.merge(other.acks);
        self.deliveries.merge(other.deliveries);
        self.lag.merge(other.lag);
        self.returns.merge(other.returns);
        self.turned_away += other.turned_away;
        self.acked.extend(other.acked);
        self.acked_in_window += other.acked_in_window;
        self.entries += other.entries;
        self.frames += other.frames;
        self.unanswered += other.unanswered;
        self.resets += other.resets;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        for (why, count) in other.closes {
            *self.closes.entry(why).or_default() += count;
        }
    }

    /// What a reader must know beside the figures.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (code, count) in &self.refused {
            notes.push(format!("{count} sends refused: {code}"));
        }
        for (why, count) in &self.closes {
            notes.push(format!("{count} sockets closed in the middle and resumed: {why}"));
        }
        if self.unanswered > 0 {
            notes.push(format!("{} sends never answered (neither stored nor lost for certain)", self.unanswered));
        }
        if self.resets > 0 {
            notes.push(format!("{} resets", self.resets));
        }
        notes
    }
}
