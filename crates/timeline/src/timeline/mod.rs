//! One room as this browser remembers it: a window of its log, folded into rows.
//!
//! The window is contiguous, from `oldest` to the position. Entries that change messages (sides) are kept for
//! the whole window: folded rows may be trimmed and come back with an older page, and messages older than the
//! window may be edited while it is open. So the rows are always what a fresh fold of the window gives.

mod fold;
mod grouping;
mod pending;
mod presence;
#[cfg(test)]
mod properties;
mod row;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use tertulia_protocol::{Change, Entry, Epoch, Position, RoomInfo, Seq, Snapshot, UserId};

use self::fold::{Folded, Side, fold, fold_run, run_ending_at};
use self::pending::Own;
pub use self::pending::Pending;
pub use self::row::{Note, Reaction, Row, RowId, RowState, What};

/// Sides kept per row that is kept, see [`Timeline::trim_to`]: rooms that react a lot have two or three per
/// message, so rows almost always reach their bound first (own).
const SIDES_PER_ROW: usize = 8;

/// One room, as this browser remembers it.
#[derive(Clone, Debug)]
pub struct Timeline {
    me: UserId,
    room: RoomInfo,
    epoch: Epoch,
    /// The position: everything from `oldest` up to here is folded.
    seq: Seq,
    oldest: Seq,
    /// The server had nothing before `oldest`.
    no_older: bool,
    /// A page that does not end at the position: nothing can follow it.
    read_only: bool,
    /// Settled rows by number (presence lines by the number they came after), then our own unconfirmed ones.
    rows: Vec<Arc<Row>>,
    /// What is known of the last rows, one each.
    own: Vec<Own>,
    /// The window's changes of messages, ascending.
    sides: VecDeque<Side>,
    next_presence: u64,
    utc_offset: i32,
}

/// What became of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// All were known: neither position nor rows moved.
    Nothing,
    /// The position moved, and mostly the rows.
    Changed,
    /// Some are missing: ask for those after this number. What fits was applied, so rows may have changed too.
    Gap {
        /// The position.
        after: Seq,
    },
}

impl Timeline {
    /// The room as the snapshot has it. Should the snapshot contradict itself, its entries count: the
    /// position is the last one's, the window what is contiguous before it.
    #[must_use]
    pub fn new(snapshot: &Snapshot, me: UserId) -> Self {
        let end = snapshot.entries.last().map_or(snapshot.seq, |entry| entry.seq);
        Self::with_entries(snapshot.room.clone(), snapshot.epoch.clone(), end, &snapshot.entries, me)
    }

    /// An older page, to be read: `seq` is the position, `entries` may end before it. Then [`Timeline::apply`]
    /// ignores everything until a [`Timeline::reset`], since there is a hole in between.
    #[must_use]
    pub fn with_entries(room: RoomInfo, epoch: Epoch, seq: Seq, entries: &[Entry], me: UserId) -> Self {
        let end = entries.last().map_or(seq, |entry| entry.seq);
        let run = run_ending_at(entries, end);
        let (rows, sides) = fold_run(run, me);
        let mut timeline = Self {
            me,
            room,
            epoch,
            seq,
            oldest: run.first().map_or(following(end), |entry| entry.seq),
            no_older: false,
            read_only: end != seq,
            rows,
            own: Vec::new(),
            sides: sides.into(),
            next_presence: 0,
            utc_offset: 0,
        };
        timeline.regroup();
        timeline
    }

    /// The room; name and topic follow the entries that are applied.
    #[must_use]
    pub const fn room(&self) -> &RoomInfo {
        &self.room
    }

    /// What `hello` resumes from.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { room: self.room.id, epoch: self.epoch.clone(), seq: self.seq }
    }

    /// What is drawn, in order: confirmed rows by number, then our own pending and failed ones in the order they
    /// were made. A row's pointer changes when the row does.
    #[must_use]
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    /// Applies live entries and those of catching up: each must be the position's successor. Known ones are
    /// dropped; at a hole it stops. The position moves before the rows do.
    pub fn apply(&mut self, entries: &[Entry]) -> Applied {
        if self.read_only {
            return Applied::Nothing;
        }
        let before = self.seq;
        let mut gap = false;
        for entry in entries {
            if entry.seq <= self.seq {
                continue;
            }
            if entry.seq != following(self.seq) {
                gap = true;
                break;
            }
            self.seq = entry.seq;
            self.apply_next(entry);
        }
        if self.seq > before {
            self.drop_settled();
            self.regroup();
        }
        match (gap, self.seq > before) {
            (true, _) => Applied::Gap { after: self.seq },
            (false, true) => Applied::Changed,
            (false, false) => Applied::Nothing,
        }
    }

    fn apply_next(&mut self, entry: &Entry) {
        match &entry.change {
            Change::Renamed { name } => self.room.name.clone_from(name),
            Change::TopicSet { topic } => self.room.topic.clone_from(topic),
            _ => {}
        }
        match fold(entry, self.me) {
            Folded::Row(row) => {
                self.take_over(&row.id);
                self.rows.insert(self.settled(), Arc::new(row));
            }
            Folded::Side(side) => {
                let settled = self.settled();
                side.fold_into(self.rows.get_mut(..settled).unwrap_or_default());
                if side.supersedes() {
                    self.sides.retain(|earlier| !earlier.is_superseded_by(&side));
                }
                self.sides.push_back(side);
            }
            Folded::Nothing => {}
        }
    }

    /// Forgets what is confirmed, and presence lines; keeps our own unconfirmed rows. The next entry must be
    /// the one right after `after`. Acknowledgements of another epoch are void, and their rows go.
    pub fn reset(&mut self, epoch: Epoch, after: Seq) {
        if self.epoch != epoch {
            self.drop_acked();
        }
        self.epoch = epoch;
        self.seq = after;
        self.oldest = following(after);
        self.no_older = false;
        self.read_only = false;
        self.rows.drain(..self.settled());
        self.sides.clear();
        self.drop_settled();
        self.regroup();
    }

    /// Puts a page of history, asked for with `before`, in front. Ignored (false) unless it ends right before
    /// the oldest entry held. An empty one says that nothing older exists.
    pub fn prepend(&mut self, before: Seq, entries: &[Entry]) -> bool {
        if before != self.oldest || self.at_beginning() {
            return false;
        }
        if entries.is_empty() {
            self.no_older = true;
            return true;
        }
        let run = run_ending_at(entries, before.prev());
        let Some(first) = run.first() else { return false };
        self.oldest = first.seq;
        let (mut rows, sides) = fold_run(run, self.me);
        for side in self.sides.iter().filter(|side| side.message >= first.seq && side.message < before) {
            side.fold_into(&mut rows);
        }
        for row in &rows {
            self.take_over(&row.id);
        }
        self.rows.splice(..0, rows);
        for side in sides.into_iter().rev() {
            self.sides.push_front(side);
        }
        self.regroup();
        true
    }

    /// The oldest entry held; the position's successor when none is.
    #[must_use]
    pub const fn oldest(&self) -> Seq {
        self.oldest
    }

    /// Whether nothing older exists: entry 1 is held, the log is empty, or the server has no older page.
    #[must_use]
    pub fn at_beginning(&self) -> bool {
        self.no_older || self.oldest <= Seq(1)
    }

    /// Forgets the oldest rows above the bound, never unconfirmed ones; true when that was any. Only when the
    /// reader is at the bottom. The position stays, `oldest` rises, and a later page brings them back.
    ///
    /// The window's changes of messages are bounded with it, to eight per row of the bound; above that their
    /// oldest go, and with them the rows before.
    pub fn trim_to(&mut self, max_rows: usize) -> bool {
        let settled = self.settled();
        let mut excess = self.rows.len().saturating_sub(max_rows).min(settled);
        let dropped = self.rows.iter().take(excess).rev().find(|row| !row.is_presence());
        let mut oldest = dropped.map_or(self.oldest, |row| following(row.seq()));
        let spare = self.sides.len().saturating_sub(max_rows.saturating_mul(SIDES_PER_ROW));
        if let Some(side) = spare.checked_sub(1).and_then(|index| self.sides.get(index)) {
            oldest = oldest.max(following(side.seq));
            excess = excess.max(self.rows.partition_point(|row| row.seq() < oldest));
        }
        if excess == 0 && oldest == self.oldest {
            return false;
        }
        self.rows.drain(..excess.min(settled));
        if oldest > self.oldest {
            self.oldest = oldest;
            self.no_older = false;
            self.sides.retain(|side| side.seq >= oldest);
        }
        self.regroup();
        true
    }

    /// How far the reader's days are ahead of UTC, in minutes. Zero until the browser says otherwise, so that
    /// hydration sees what the server rendered.
    pub fn set_utc_offset(&mut self, minutes: i32) {
        self.utc_offset = minutes;
        self.regroup();
    }

    fn regroup(&mut self) {
        grouping::regroup(&mut self.rows, self.utc_offset);
    }
}

/// The number after this one, without overflow whatever a server says.
const fn following(seq: Seq) -> Seq {
    Seq(seq.0.saturating_add(1))
}
