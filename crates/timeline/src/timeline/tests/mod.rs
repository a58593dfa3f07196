//! Every rule of the timeline once, by example. That they hold together is the business of `properties.rs`.

mod folding;
mod neighbours;
mod own;
mod window;

use tertulia_protocol::{Change, Entry, Epoch, Person, RoomId, RoomInfo, Seq, Snapshot, UserId};

use super::{Pending, Row, RowState, Timeline, What};
use crate::testing::key;

pub(super) const ME: UserId = UserId(1);
pub(super) const ANA: UserId = UserId(2);
pub(super) const BEN: UserId = UserId(3);
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Noon of a day, so that minutes in either direction stay on it.
pub(super) const NOON: i64 = 20_000 * DAY + DAY / 2;

pub(super) fn person(id: UserId) -> Person {
    Person { id, name: format!("Person {id}") }
}

pub(super) fn epoch() -> Epoch {
    Epoch("first".to_owned())
}

pub(super) fn room() -> RoomInfo {
    RoomInfo { id: RoomId(7), slug: "lobby".to_owned(), name: "Lobby".to_owned(), topic: String::new() }
}

fn entry(seq: i64, by: UserId, change: Change) -> Entry {
    Entry { seq: Seq(seq), at: NOON.saturating_add(seq), by: person(by), key: None, change }
}

/// A message whose key has the number of its entry.
fn posted(seq: i64, by: UserId) -> Entry {
    let change = Change::Posted { body: format!("message {seq}"), reply_to: None };
    Entry { key: Some(key(seq)), ..entry(seq, by, change) }
}

fn edited(seq: i64, by: UserId, message: i64, body: &str) -> Entry {
    entry(seq, by, Change::Edited { message: Seq(message), body: body.to_owned() })
}

fn deleted(seq: i64, by: UserId, message: i64) -> Entry {
    entry(seq, by, Change::Deleted { message: Seq(message) })
}

fn reacted(seq: i64, by: UserId, message: i64, emoji: &str) -> Entry {
    entry(seq, by, Change::Reacted { message: Seq(message), emoji: emoji.to_owned() })
}

fn unreacted(seq: i64, by: UserId, message: i64, emoji: &str) -> Entry {
    entry(seq, by, Change::Unreacted { message: Seq(message), emoji: emoji.to_owned() })
}

fn snapshot(entries: &[Entry]) -> Snapshot {
    let seq = entries.last().map_or(Seq::ZERO, |entry| entry.seq);
    Snapshot { room: room(), epoch: epoch(), seq, entries: entries.to_vec() }
}

fn timeline(entries: &[Entry]) -> Timeline {
    Timeline::new(&snapshot(entries), ME)
}

/// Messages of Ana with these numbers.
fn talk(seqs: std::ops::RangeInclusive<i64>) -> Vec<Entry> {
    seqs.map(|seq| posted(seq, ANA)).collect()
}

fn pending(number: i64) -> Pending {
    Pending { key: key(number), body: format!("message {number}"), at: NOON, by: person(ME) }
}

/// What the rows say, one word each: texts, `-` for a deleted one, `*` for a note; `?` pending, `!` failed.
fn words(timeline: &Timeline) -> Vec<String> {
    timeline.rows().iter().map(|row| word(row)).collect()
}

fn word(row: &Row) -> String {
    let text = match &row.what {
        What::Message { body, .. } => body.trim_start_matches("message ").to_owned(),
        What::Deleted => "-".to_owned(),
        What::Note(_) => "*".to_owned(),
    };
    match row.state {
        RowState::Confirmed { .. } => text,
        RowState::Pending => text + "?",
        RowState::Failed { .. } => text + "!",
    }
}
