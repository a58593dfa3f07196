//! Our own messages before they are in the log: shown at once, replaced in place by their entry.
//!
//! They are the tail of the rows, in the order they were made. How many there are is bounded by the outbox.

use std::sync::Arc;

use tertulia_protocol::{Key, Person, Refusal, Seq};

use super::Timeline;
use super::fold::replace;
use super::row::{Row, RowId, RowState, What};

/// A message of our own that is not in the log yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// The action.
    pub key: Key,
    /// The text as it will be sent.
    pub body: String,
    /// When it was made, in Unix milliseconds on this browser's clock.
    pub at: i64,
    /// Who sends it.
    pub by: Person,
}

/// What is known of one row of the tail besides what it shows.
#[derive(Clone, Debug)]
pub(super) struct Own {
    key: Key,
    /// The number it was acknowledged with: the row goes when the log is known up to there.
    acked: Option<Seq>,
}

impl Timeline {
    /// Shows an own message at once. Nothing happens when a row of this author and key is there already.
    pub fn pend(&mut self, pending: Pending) {
        let Pending { key, body, at, by } = pending;
        let id = RowId::Key(by.id, key);
        if self.rows.iter().any(|row| row.id == id) {
            return;
        }
        let mine = by.id == self.me;
        let what = What::Message { body, edited: false, reply_to: None, reactions: Vec::new() };
        let row = Row { id, at, by, mine, what, state: RowState::Pending, joined: false, new_day: false };
        self.rows.push(Arc::new(row));
        self.own.push(Own { key, acked: None });
        self.regroup();
    }

    /// The message is durable as entry `seq`, committed at `at` (Unix milliseconds).
    ///
    /// The row stays as pending, with the server's time, until that entry is applied. When the log is known
    /// beyond `seq` already and the row still waits, its entry lies outside the window: the row goes.
    pub fn acked(&mut self, key: Key, seq: Seq, at: i64) {
        self.change_own(key, |own, row| {
            own.acked = Some(seq);
            if row.at != at || row.state != RowState::Pending {
                replace(row, |row| (row.at, row.state) = (at, RowState::Pending));
            }
        });
        self.drop_settled();
        self.regroup();
    }

    /// The message was refused for good: it stays where it is, and says so. Nothing happens to one that was
    /// acknowledged: it is stored, whatever a later answer says.
    pub fn failed(&mut self, key: Key, refusal: Refusal) {
        let state = RowState::Failed { refusal };
        self.change_own(key, |own, row| {
            if own.acked.is_none() && row.state != state {
                replace(row, |row| row.state = state);
            }
        });
    }

    /// A failed message is on its way again, in its old place.
    pub fn retried(&mut self, key: Key) {
        self.change_own(key, |_, row| {
            if row.state != RowState::Pending {
                replace(row, |row| row.state = RowState::Pending);
            }
        });
    }

    /// A message that waits or failed is given up. One that is in the log stays.
    pub fn discarded(&mut self, key: Key) {
        self.retain_own(|own, _| own.key != key);
        self.regroup();
    }

    /// How many rows come before our own unconfirmed ones.
    pub(super) fn settled(&self) -> usize {
        self.rows.len().saturating_sub(self.own.len())
    }

    /// Takes the pending row out that an entry with this id replaces.
    pub(super) fn take_over(&mut self, id: &RowId) {
        self.retain_own(|_, row| row.id != *id);
    }

    /// Lets go of acknowledged rows whose number is known: their entry is applied, or will not come.
    pub(super) fn drop_settled(&mut self) {
        let known = self.seq;
        self.retain_own(|own, _| own.acked.is_none_or(|seq| seq > known));
    }

    /// Lets go of every acknowledged row: the acknowledgements are another store's.
    pub(super) fn drop_acked(&mut self) {
        self.retain_own(|own, _| own.acked.is_none());
    }

    fn change_own(&mut self, key: Key, change: impl FnOnce(&mut Own, &mut Arc<Row>)) {
        let settled = self.settled();
        let tail = self.rows.iter_mut().skip(settled);
        if let Some((own, row)) = self.own.iter_mut().zip(tail).find(|(own, _)| own.key == key) {
            change(own, row);
        }
    }

    fn retain_own(&mut self, keep: impl Fn(&Own, &Row) -> bool) {
        if self.own.is_empty() {
            return;
        }
        let tail = self.rows.split_off(self.settled());
        let kept = std::mem::take(&mut self.own).into_iter().zip(tail).filter(|(own, row)| keep(own, row));
        for (own, row) in kept {
            self.own.push(own);
            self.rows.push(row);
        }
    }
}
