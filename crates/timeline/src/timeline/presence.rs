//! Quiet lines about who came and went. They are no entries: a reload forgets them.

use std::sync::Arc;

use tertulia_protocol::Person;

use super::Timeline;
use super::fold::replace;
use super::row::{Note, Row, RowId, RowState, What};

/// Names in one line at most; the next change begins another. Nobody reads more, and trimming counts lines (own).
const NAMES_PER_LINE: usize = 100;

impl Timeline {
    /// Notes who came and who went, at `at` in Unix milliseconds: a line after the confirmed rows known now and
    /// before our pending ones. It merges with the last line when that is about presence too: whoever came and
    /// went within one line is not named, and a line that names nobody goes. Who looks is left out.
    pub fn note_presence(&mut self, joined: &[Person], left: &[Person], at: i64) {
        let end = self.settled();
        let last = end.checked_sub(1).and_then(|index| self.rows.get(index)).and_then(|row| names(row));
        let merges = last.is_some();
        let (mut here, mut gone) = last.unwrap_or_default();
        for person in joined.iter().filter(|person| person.id != self.me) {
            note(&mut here, &mut gone, person);
        }
        for person in left.iter().filter(|person| person.id != self.me) {
            note(&mut gone, &mut here, person);
        }
        let by = here.first().or(gone.first()).cloned();
        let what = What::Note(Note::Presence { joined: here, left: gone });
        match (by, merges) {
            (Some(by), true) => self.rename_line(end - 1, by, what),
            (Some(by), false) => self.add_line(end, by, what, at),
            (None, true) => drop(self.rows.remove(end - 1)),
            (None, false) => return,
        }
        self.regroup();
    }

    fn rename_line(&mut self, index: usize, by: Person, what: What) {
        if let Some(row) = self.rows.get_mut(index).filter(|row| row.what != what) {
            replace(row, |row| (row.by, row.what) = (by, what));
        }
    }

    fn add_line(&mut self, index: usize, by: Person, what: What, at: i64) {
        let id = RowId::Presence(self.next_presence);
        self.next_presence += 1;
        let state = RowState::Confirmed { seq: self.seq };
        let row = Row { id, at, by, mine: false, what, state, joined: false, new_day: false };
        self.rows.insert(index, Arc::new(row));
    }
}

/// Who a presence line names, when it is one and has room for more.
fn names(row: &Row) -> Option<(Vec<Person>, Vec<Person>)> {
    match &row.what {
        What::Note(Note::Presence { joined, left }) if joined.len() + left.len() < NAMES_PER_LINE => {
            Some((joined.clone(), left.clone()))
        }
        _ => None,
    }
}

/// Moves somebody to one side of the line: cancels the other side, or names them once.
fn note(side: &mut Vec<Person>, other: &mut Vec<Person>, person: &Person) {
    let before = other.len();
    other.retain(|known| known.id != person.id);
    if other.len() == before && side.iter().all(|known| known.id != person.id) {
        side.push(person.clone());
    }
}
