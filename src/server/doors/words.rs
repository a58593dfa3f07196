//! What plain doors say: one line or one object for each thing that happened.

use serde::Serialize;
use tertulia_chat::listener::Happened;
use tertulia_protocol::{Change, Entry, Epoch, Refusal, RoomId, Seq, codec};

/// A room as its listeners are told of it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) id: RoomId,
    pub(super) slug: String,
    pub(super) epoch: Epoch,
}

/// A message as an object.
#[derive(Serialize)]
struct Message<'a> {
    event: &'static str,
    room: &'a str,
    seq: Seq,
    id: String,
    author: &'a str,
    text: &'a str,
    at: i64,
}

/// Somebody came or went.
#[derive(Serialize)]
struct Presence<'a> {
    event: &'static str,
    room: &'a str,
    who: &'a str,
}

/// Any other entry: what changed, as the wire says it.
#[derive(Serialize)]
struct Changed<'a> {
    event: &'static str,
    room: &'a str,
    id: String,
    author: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Earlier words are void.
#[derive(Serialize)]
struct Afresh<'a> {
    event: &'static str,
    room: &'a str,
    after: Seq,
}

/// A message that was not taken.
#[derive(Serialize)]
struct Refused<'a> {
    event: &'static str,
    room: &'a str,
    error: &'a Refusal,
}

/// One thing that happened, as an object with its name and, for entries, its place in the log.
pub(super) struct Told {
    pub(super) event: &'static str,
    pub(super) id: Option<String>,
    pub(super) json: String,
}

impl Room {
    /// The place of an entry: store, room and number, which no other entry anywhere has.
    pub(super) fn place(&self, seq: Seq) -> String {
        format!("{}-{}-{seq}", self.epoch, self.id)
    }

    /// Reads a place; `None` for what is none of this room's, in whatever store.
    pub(super) fn read_place(&self, text: &str) -> Option<(Epoch, Seq)> {
        let mut parts = text.splitn(3, '-');
        let (epoch, room, seq) = (parts.next()?, parts.next()?, parts.next()?);
        let seq = seq.parse().ok().filter(|seq| *seq >= 0)?;
        (room.parse() == Ok(self.id.0)).then(|| (Epoch(epoch.to_owned()), Seq(seq)))
    }

    /// As an object.
    pub(super) fn told(&self, happened: &Happened) -> Told {
        let room = self.slug.as_str();
        let presence = |event, who: &str| Told { event, id: None, json: codec::encode(&Presence { event, room, who }) };
        match happened {
            Happened::Joined(who) => presence("joined", &who.name),
            Happened::Left(who) => presence("left", &who.name),
            Happened::Afresh { after } => {
                let event = "reset";
                Told { event, id: None, json: codec::encode(&Afresh { event, room, after: *after }) }
            }
            Happened::Refused(error) => {
                let event = "refused";
                Told { event, id: None, json: codec::encode(&Refused { event, room, error }) }
            }
            Happened::Entry(entry) => self.entry(entry),
        }
    }

    fn entry(&self, entry: &Entry) -> Told {
        let (id, author, room) = (self.place(entry.seq), entry.by.name.as_str(), self.slug.as_str());
        let (event, json) = match &entry.change {
            Change::Posted { body, .. } => {
                let (seq, at) = (entry.seq, entry.at);
                let event = "message";
                (event, codec::encode(&Message { event, room, seq, id: id.clone(), author, text: body, at }))
            }
            _ => {
                let event = "change";
                (event, codec::encode(&Changed { event, room, id: id.clone(), author, entry }))
            }
        };
        Told { event, id: Some(id), json }
    }

    /// As a line of text; `None` for what a reader of lines need not know.
    pub(super) fn line(&self, happened: &Happened) -> Option<String> {
        let room = &self.slug;
        match happened {
            Happened::Entry(Entry { change: Change::Posted { body, .. }, .. }) => Some(format!("[{room}] {body}")),
            Happened::Joined(who) => Some(format!("[{room}] * {} joined", who.name)),
            Happened::Left(who) => Some(format!("[{room}] * {} left", who.name)),
            Happened::Refused(refusal) => Some(format!("[{room}] ! {}", refusal.message)),
            Happened::Entry(_) | Happened::Afresh { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        Room { id: RoomId(7), slug: "chat".to_owned(), epoch: Epoch("00ff".to_owned()) }
    }

    #[test]
    fn a_place_is_read_back_and_no_other_rooms_is() {
        let place = room().place(Seq(42));
        assert_eq!(place, "00ff-7-42");
        assert_eq!(room().read_place(&place), Some((Epoch("00ff".to_owned()), Seq(42))));
        for other in ["", "42", "00ff-7", "00ff-7-", "00ff-7--1", "00ff-8-42", "00ff-7-42-1", "00ff-7-x"] {
            assert_eq!(room().read_place(other), None, "{other:?}");
        }
    }
}
