//! Folding: what an entry makes of the rows.
//!
//! An entry is either a row of its own or a [`Side`], a change of an earlier message. Sides are folded into
//! their message in ascending order only, which makes the result a function of the entries alone.

use std::sync::Arc;

use tertulia_protocol::{Change, Entry, Seq, UserId};

use super::row::{Note, Reaction, Row, RowId, RowState, What};

/// An entry that changes an earlier message.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) seq: Seq,
    pub(super) message: Seq,
    by: UserId,
    change: SideChange,
}

#[derive(Clone, Debug)]
enum SideChange {
    Edited(String),
    Deleted,
    Reacted(String),
    Unreacted(String),
}

/// What one entry is to the rows.
pub(super) enum Folded {
    Row(Row),
    Side(Side),
    /// It has a number and nothing to show.
    Nothing,
}

/// Reads one entry as whoever is `me` sees it.
pub(super) fn fold(entry: &Entry, me: UserId) -> Folded {
    let side = |message, change| Folded::Side(Side { seq: entry.seq, message, by: entry.by.id, change });
    let what = match &entry.change {
        Change::Posted { body, reply_to } => {
            What::Message { body: body.clone(), edited: false, reply_to: *reply_to, reactions: Vec::new() }
        }
        Change::Edited { message, body } => return side(*message, SideChange::Edited(body.clone())),
        Change::Deleted { message } => return side(*message, SideChange::Deleted),
        Change::Reacted { message, emoji } => return side(*message, SideChange::Reacted(emoji.clone())),
        Change::Unreacted { message, emoji } => return side(*message, SideChange::Unreacted(emoji.clone())),
        Change::Created => What::Note(Note::Created),
        Change::Joined => What::Note(Note::Joined),
        Change::Left => What::Note(Note::Left),
        Change::Renamed { name } => What::Note(Note::Renamed { name: name.clone() }),
        Change::TopicSet { topic } => What::Note(Note::Topic { topic: topic.clone() }),
        Change::Removed { who } => What::Note(Note::Removed { who: who.clone() }),
        Change::Unknown(_) => return Folded::Nothing,
    };
    let id = match (&what, entry.key) {
        (What::Message { .. }, Some(key)) => RowId::Key(entry.by.id, key),
        _ => RowId::Entry(entry.seq),
    };
    Folded::Row(Row {
        id,
        at: entry.at,
        by: entry.by.clone(),
        mine: entry.by.id == me,
        what,
        state: RowState::Confirmed { seq: entry.seq },
        joined: false,
        new_day: false,
    })
}

/// Folds a contiguous run of entries: its rows, and its sides whether or not their message is among them.
pub(super) fn fold_run(entries: &[Entry], me: UserId) -> (Vec<Arc<Row>>, Vec<Side>) {
    let mut rows = Vec::with_capacity(entries.len());
    let mut sides = Vec::new();
    for entry in entries {
        match fold(entry, me) {
            Folded::Row(row) => rows.push(Arc::new(row)),
            Folded::Side(side) => {
                side.fold_into(&mut rows);
                sides.push(side);
            }
            Folded::Nothing => {}
        }
    }
    (rows, sides)
}

impl Side {
    /// Changes the message it names, when that is among `rows` (ascending). Others' edits and deletes do not count.
    pub(super) fn fold_into(&self, rows: &mut [Arc<Row>]) {
        let index = rows.partition_point(|row| row.seq() < self.message);
        let Some(row) = rows.get_mut(index).filter(|row| row.seq() == self.message) else { return };
        if let Some(what) = self.folded(row) {
            replace(row, |row| row.what = what);
        }
    }

    /// What the row shows with this change; `None` when that is what it shows already.
    fn folded(&self, row: &Row) -> Option<What> {
        let What::Message { body, edited, reply_to, reactions } = &row.what else { return None };
        let by_author = self.by == row.by.id;
        let (body, edited, reactions) = match &self.change {
            SideChange::Edited(new) if by_author && !(*edited && body == new) => (new, true, reactions.clone()),
            SideChange::Deleted if by_author => return Some(What::Deleted),
            SideChange::Edited(_) | SideChange::Deleted => return None,
            SideChange::Reacted(emoji) => (body, *edited, with_reaction(reactions, emoji, self.by)?),
            SideChange::Unreacted(emoji) => (body, *edited, without_reaction(reactions, emoji, self.by)?),
        };
        Some(What::Message { body: body.clone(), edited, reply_to: *reply_to, reactions })
    }

    /// Whether `later` leaves nothing of this change: an edit by an edit or delete of the same person.
    ///
    /// Reactions are never superseded: which emoji stands first depends on the whole course of them.
    pub(super) fn is_superseded_by(&self, later: &Self) -> bool {
        matches!(self.change, SideChange::Edited(_))
            && matches!(later.change, SideChange::Edited(_) | SideChange::Deleted)
            && self.message == later.message
            && self.by == later.by
    }

    /// Whether it can supersede at all.
    pub(super) const fn supersedes(&self) -> bool {
        matches!(self.change, SideChange::Edited(_) | SideChange::Deleted)
    }
}

fn with_reaction(reactions: &[Reaction], emoji: &str, by: UserId) -> Option<Vec<Reaction>> {
    let mut reactions = reactions.to_vec();
    match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
        Some(reaction) if reaction.by.contains(&by) => return None,
        Some(reaction) => reaction.by.push(by),
        None => reactions.push(Reaction { emoji: emoji.to_owned(), by: vec![by] }),
    }
    Some(reactions)
}

fn without_reaction(reactions: &[Reaction], emoji: &str, by: UserId) -> Option<Vec<Reaction>> {
    let mut reactions = reactions.to_vec();
    let reaction = reactions.iter_mut().find(|reaction| reaction.emoji == emoji)?;
    let index = reaction.by.iter().position(|who| *who == by)?;
    reaction.by.remove(index);
    reactions.retain(|reaction| !reaction.by.is_empty());
    Some(reactions)
}

/// Changes a row behind a new pointer: whoever compares pointers sees every change, even of rows nobody shares.
pub(super) fn replace(row: &mut Arc<Row>, change: impl FnOnce(&mut Row)) {
    let mut next = Row::clone(row);
    change(&mut next);
    *row = Arc::new(next);
}

/// The longest contiguous run of entries that ends with number `end`.
pub(super) fn run_ending_at(entries: &[Entry], end: Seq) -> &[Entry] {
    let mut expected = end;
    let mut start = entries.len();
    while let Some(entry) = start.checked_sub(1).and_then(|index| entries.get(index)) {
        if entry.seq != expected || expected <= Seq::ZERO {
            break;
        }
        start -= 1;
        expected = expected.prev();
    }
    entries.get(start..).unwrap_or_default()
}
