//! What one receiver has got in one room, and what was wrong with it.
//!
//! A table from number to message: a number filled twice is a double, a number filled after a higher
//! one is out of order, a number never filled is lost, a number that holds something else is altered.

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::stamp::Stamp;

/// One entry as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number in the room.
    pub(crate) seq: i64,
    /// What it holds.
    pub(crate) what: What,
}

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A message of this run, as it was sent.
    Message(Stamp),
    /// A message that nobody of this run sent in these words.
    Foreign,
    /// Not a message: a join, a topic and so on.
    Other,
}

/// A send that the server said is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acked {
    /// The number the server gave it.
    pub(crate) seq: i64,
    /// Which message.
    pub(crate) stamp: Stamp,
}

/// What must never happen, counted. All zero in a correct run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Faults {
    /// Numbers that never arrived.
    pub(crate) lost: u64,
    /// Entries that arrived again, or messages stored under two numbers.
    pub(crate) doubled: u64,
    /// Entries that arrived after a later one.
    pub(crate) out_of_order: u64,
    /// Acknowledged numbers that hold something else, or texts nobody sent.
    pub(crate) altered: u64,
}

impl Faults {
    /// Whether nothing was wrong.
    pub(crate) fn is_clean(&self) -> bool {
        *self == Self::default()
    }

    /// These and another receiver's.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            out_of_order: self.out_of_order + other.out_of_order,
            altered: self.altered + other.altered,
        }
    }
}

/// Furthest a number may jump ahead: 10 minutes of 10,000 entries/s. Beyond is nonsense, not a hole,
/// and must not size a table.
const JUMP: usize = 6_000_000;

/// One receiver's book of one room.
#[derive(Debug)]
pub(crate) struct Ledger {
    base: i64,
    slots: Vec<Option<What>>,
    faults: Faults,
}

impl Ledger {
    /// A book that begins right after number `seq`.
    pub(crate) fn after(seq: i64) -> Self {
        Self { base: seq, slots: Vec::new(), faults: Faults::default() }
    }

    /// The highest number seen; where a reader that was cut off resumes.
    pub(crate) fn last(&self) -> i64 {
        self.base + self.slots.len() as i64
    }

    /// Writes an entry down. True when it was new.
    pub(crate) fn note(&mut self, line: Line) -> bool {
        let Ok(index) = usize::try_from(line.seq - self.base - 1) else {
            // At or before the position from which the room was asked for.
            self.faults.doubled += 1;
            return false;
        };
        if line.what == What::Foreign || index > self.slots.len() + JUMP {
            self.faults.altered += 1;
        }
        if index > self.slots.len() + JUMP {
            return false;
        }
        if index >= self.slots.len() {
            self.slots.resize(index, None);
            self.slots.push(Some(line.what));
            return true;
        }
        if self.slots[index].is_some() {
            self.faults.doubled += 1;
            return false;
        }
        self.slots[index] = Some(line.what);
        self.faults.out_of_order += 1;
        true
    }

    /// What was wrong, given every send that was acknowledged in this room.
    pub(crate) fn verdict(&self, acked: &[Acked]) -> Faults {
        let mut faults = self.faults;
        let head = acked.iter().map(|ack| ack.seq).max().unwrap_or(0);
        faults.lost += self.slots.iter().filter(|slot| slot.is_none()).count() as u64;
        faults.lost += u64::try_from(head - self.last()).unwrap_or(0);
        faults.altered += acked.iter().filter(|ack| self.contradicts(ack)).count() as u64;
        faults.doubled += self.stored_twice();
        faults
    }

    /// Whether something else arrived under the number of an acknowledged send.
    fn contradicts(&self, ack: &Acked) -> bool {
        match usize::try_from(ack.seq - self.base - 1) {
            // A number given out before this run began.
            Err(_) => true,
            Ok(index) => {
                let held = self.slots.get(index).copied().flatten();
                held.is_some_and(|what| what != What::Message(ack.stamp) && what != What::Foreign)
            }
        }
    }

    /// Messages that stand in the log more than once: a retry that was stored again.
    fn stored_twice(&self) -> u64 {
        let mut stamps: Vec<Stamp> = self
            .slots
            .iter()
            .filter_map(|slot| match slot {
                Some(What::Message(stamp)) => Some(*stamp),
                _ => None,
            })
            .collect();
        stamps.sort_unstable();
        stamps.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
    }
}
