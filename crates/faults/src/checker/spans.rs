//! Which numbers of a room somebody may see: intervals of membership, and spans of numbers in general.

use tertulia_protocol::Seq;

/// Spans of numbers, each from its first to its last.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(pub(super) Vec<(Seq, Seq)>);

/// Above every number that can exist.
pub(super) const FOR_EVER: Seq = Seq(i64::MAX);

impl Spans {
    /// The membership between bounds: a number from which it begins (true) or ends (false), in the order in which they
    /// were noted. Without any bound everything belongs to it; what ends without having begun began with the room.
    pub(super) fn membership(bounds: &[(Seq, bool)]) -> Self {
        let begins_inside = bounds.first().is_none_or(|(_, begins)| !begins);
        let mut open = begins_inside.then_some(Seq::ZERO);
        let mut spans = Vec::new();
        for &(seq, begins) in bounds {
            match (open, begins) {
                (None, true) => open = Some(seq),
                (Some(from), false) => {
                    spans.push((from, seq.prev()));
                    open = None;
                }
                (Some(_), true) | (None, false) => {}
            }
        }
        spans.extend(open.map(|from| (from, FOR_EVER)));
        Self(spans)
    }

    /// Adds a span; one without a number in it is none.
    pub(super) fn add(&mut self, first: Seq, last: Seq) {
        if first <= last {
            self.0.push((first, last));
        }
    }

    /// Whether a number is in one of them.
    pub(super) fn hold(&self, seq: Seq) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&seq))
    }

    /// For each number up to `head`, by its value, whether it is in one of them; for asking about all of them.
    pub(super) fn marks(&self, head: Seq) -> Vec<bool> {
        let length = usize::try_from(head.0).unwrap_or(0) + 1;
        let mut marks = vec![false; length];
        for (first, last) in &self.0 {
            let (first, last) = (first.0.max(0), last.0.min(head.0));
            for seq in first..=last {
                if let Ok(index) = usize::try_from(seq) {
                    marks[index] = true;
                }
            }
        }
        marks
    }

    /// Adds a number; the successor of the one added last makes the last span longer.
    pub(super) fn grow(&mut self, seq: Seq) {
        match self.0.last_mut() {
            Some((_, last)) if last.next() == seq => *last = seq,
            _ => self.0.push((seq, seq)),
        }
    }

    /// Runs of neighbouring numbers, from numbers in ascending order.
    pub(super) fn runs(seqs: impl IntoIterator<Item = Seq>) -> Self {
        let mut spans = Self::default();
        seqs.into_iter().for_each(|seq| spans.grow(seq));
        spans
    }
}
