//! What instances tell each other: versioned envelopes, encoded and decoded here alone.
//!
//! Whatever arrives is untrusted: another version, another store or plain rubbish is dropped and counted.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tertulia_protocol::{Entry, Epoch, Person, RoomId, RoomInfo};

/// The version of the envelope; others are dropped, so a rolling upgrade falls back to reading SQL.
const VERSION: u32 = 1;

/// The envelope around every piece of news.
#[derive(Serialize, Deserialize)]
struct Envelope {
    v: u32,
    /// The store it speaks of: two stores behind one Redis must not mix.
    epoch: Epoch,
    /// The instance that speaks.
    from: String,
    #[serde(flatten)]
    news: News,
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "n", rename_all = "snake_case")]
pub(crate) enum News {
    /// An entry was committed.
    Entry {
        /// Where.
        room: RoomId,
        /// What.
        entry: Entry,
    },
    /// Somebody is writing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        who: Person,
    },
    /// Who is in a room on the instance that speaks; replaces what it said before.
    Roster {
        /// Where.
        room: RoomId,
        /// The people, on that instance alone, as many as surely fit.
        people: Vec<Person>,
        /// How many more there are.
        #[serde(default)]
        more: u64,
    },
    /// An instance wants to know who is in a room.
    Who {
        /// Where.
        room: RoomId,
    },
    /// The instance that speaks is alive.
    Alive,
    /// The instance that speaks goes; its people may come back elsewhere.
    Gone,
    /// A room was made.
    RoomMade {
        /// The room.
        room: RoomInfo,
    },
    /// A session ended; its sockets must be closed.
    SessionEnded {
        /// The hash of its token, in hexadecimal.
        token: String,
    },
}

/// Why news could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Not an envelope of this version.
    Garbled,
    /// From another store.
    OtherStore,
}

/// Encodes news for the bus.
#[must_use]
pub(crate) fn encode(epoch: &Epoch, from: &str, news: News) -> Bytes {
    let envelope = Envelope { v: VERSION, epoch: epoch.clone(), from: from.to_owned(), news };
    Bytes::from(tertulia_protocol::codec::encode(&envelope))
}

/// Decodes what came over the bus, with the name of the instance that spoke.
///
/// # Errors
/// `Garbled` or `OtherStore`; the news must then be dropped.
pub(crate) fn decode(epoch: &Epoch, payload: &[u8]) -> Result<(String, News), Unusable> {
    let envelope: Envelope = serde_json::from_slice(payload).map_err(|_| Unusable::Garbled)?;
    if envelope.v != VERSION {
        return Err(Unusable::Garbled);
    }
    if envelope.epoch != *epoch {
        return Err(Unusable::OtherStore);
    }
    Ok((envelope.from, envelope.news))
}
