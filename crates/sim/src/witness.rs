//! What is seen is compared with what is stored at the moment it is seen: a lie need not wait for the end of the run.

use std::fmt;

use tertulia_protocol::{Change, Code, Entry, Key, RoomId, Seq};

use crate::record::{Record, Word};
use crate::store::Server;

/// Whoever looks: the record, and the database as it is.
#[derive(Clone)]
pub(crate) struct Witness {
    /// Where it is written down.
    pub(crate) record: Record,
    /// What is true.
    pub(crate) server: Server,
}

impl Witness {
    /// Somebody was shown an entry.
    pub(crate) fn shown(&self, who: &dyn fmt::Display, room: RoomId, entry: &Entry) {
        let stored = self.server.database().entry(room, entry.seq).cloned();
        match stored {
            Some(stored) if stored == *entry => {}
            Some(stored) => {
                let what = format!("{who} saw {room}/{} as {}, and it is {}", entry.seq, said(entry), said(&stored));
                self.record.found(Word::Diverged, what);
            }
            None => {
                let what = format!("{who} saw {room}/{}, {}, which is not stored", entry.seq, said(entry));
                self.record.found(Word::Phantom, what);
            }
        }
    }

    /// Somebody was told that a send is durable.
    pub(crate) fn acked(&self, who: &dyn fmt::Display, key: Key, room: RoomId, seq: Seq) {
        let stored = self.server.database().entry(room, seq).cloned();
        let truly = stored.as_ref().is_some_and(|entry| entry.key == Some(key));
        if !truly {
            let stored = stored.as_ref().map_or_else(|| "nothing".to_owned(), said);
            let what = format!("{who} was told that {key} is {room}/{seq}, where {stored} is stored");
            self.record.found(Word::FalseAck, what);
        }
        self.record.count("acks");
        self.record.answered(key, Some(seq));
    }

    /// Somebody was told to send again later. Some words claim that nothing was stored.
    pub(crate) fn put_off(&self, who: &dyn fmt::Display, key: Key, code: Code) {
        if !matches!(code, Code::RateLimited | Code::Busy | Code::StorageUnavailable) {
            return;
        }
        let Some(author) = self.record.denied(key) else { return };
        if let Some((room, seq)) = self.server.database().place(author, key) {
            let what = format!("{who} was told {}, and {key} is {room}/{seq}", code.as_str());
            self.record.found(Word::FalseFail, what);
        }
    }
}

/// An entry in few words.
pub(crate) fn said(entry: &Entry) -> String {
    let key = entry.key.map_or_else(|| "no key".to_owned(), |key| key.to_string());
    match &entry.change {
        Change::Posted { body, .. } => format!("{key} {:?}", body.chars().take(24).collect::<String>()),
        change => format!("{key} {change:?}"),
    }
}
