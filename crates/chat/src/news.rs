//! What instances tell each other: versioned envelopes, encoded and decoded here alone.
//!
//! Whatever arrives is untrusted: another version, another store or plain rubbish is dropped and counted.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tertulia_protocol::{Entry, Epoch, Person, RoomId, RoomInfo, UserId};

use crate::cluster::Vital;
use crate::market::Sheet;
use crate::seldom::Seldom;

/// The version of the envelope; others are dropped, so a rolling upgrade falls back to reading SQL.
const VERSION: u32 = 1;
/// How often the log is told of news that cannot be used: a misconfigured neighbour speaks with every message.
const TELL_EVERY: Duration = Duration::from_secs(60);

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
        /// Whether this is the first that the instance ever says of the room: whoever is in it has just come.
        #[serde(default)]
        first: bool,
        /// Who of them was there before and only lost the connection.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        back: Vec<UserId>,
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
    /// Somebody watches the cluster on the instance that speaks.
    Watch,
    /// How the instance that speaks is.
    Vital {
        /// Its own words; not bounded yet.
        vital: Vital,
    },
    /// The instance that speaks stored a message of a room; only for drawing, and only while somebody watches.
    Sent {
        /// Where.
        room: RoomId,
    },
    /// A session ended; its sockets must be closed.
    SessionEnded {
        /// The hash of its token, in hexadecimal.
        token: String,
    },
    /// Prices of the market: the newest second, or the past for whoever asked. Checked by whoever hears it.
    Prices {
        /// The stocks and their prices.
        #[serde(flatten)]
        sheet: Sheet,
    },
    /// An instance wants to know the past of the market.
    AskPrices,
}

/// Why news could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unusable {
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

/// Whether a payload begins as this instance's own do: its echo, known without decoding the rest.
fn is_echo(epoch: &Epoch, from: &str, payload: &[u8]) -> bool {
    let opening = tertulia_protocol::codec::encode(&Opening { v: VERSION, epoch, from });
    // Without the closing brace, which in an envelope is a comma.
    opening.len() < payload.len() && opening.as_bytes()[..opening.len() - 1] == payload[..opening.len() - 1]
}

/// The first fields of an [`Envelope`], in its order.
#[derive(Serialize)]
struct Opening<'a> {
    v: u32,
    epoch: &'a Epoch,
    from: &'a str,
}

/// Decodes what came over the bus, with the name of the instance that spoke; `None` for what is dropped: one's
/// own echo, and what is unusable, which is counted and told to the log at most once a minute.
#[must_use]
pub(crate) fn hear(epoch: &Epoch, own: &str, payload: &[u8]) -> Option<(String, News)> {
    static GARBLED: Seldom = Seldom::new(TELL_EVERY);
    static OTHER_STORE: Seldom = Seldom::new(TELL_EVERY);
    if is_echo(epoch, own, payload) {
        return None;
    }
    match decode(epoch, payload) {
        Ok((from, _)) if from == own => None,
        Ok(decoded) => Some(decoded),
        Err(Unusable::Garbled) => {
            if let Some(times) = GARBLED.count() {
                tracing::warn!(times, bytes = payload.len(), "something on the bus is no news of ours; dropped");
            }
            None
        }
        Err(Unusable::OtherStore) => {
            if let Some(times) = OTHER_STORE.count() {
                tracing::warn!(times, "news of another store on the same bus; give each its own redis_prefix");
            }
            None
        }
    }
}

fn decode(epoch: &Epoch, payload: &[u8]) -> Result<(String, News), Unusable> {
    let envelope: Envelope = serde_json::from_slice(payload).map_err(|_| Unusable::Garbled)?;
    if envelope.v != VERSION {
        return Err(Unusable::Garbled);
    }
    if envelope.epoch != *epoch {
        return Err(Unusable::OtherStore);
    }
    Ok((envelope.from, envelope.news))
}

#[cfg(test)]
mod tests {
    use super::{Epoch, News, RoomId, encode, hear, is_echo};

    #[test]
    fn the_own_echo_is_known_by_its_opening_and_others_are_heard() {
        let epoch = Epoch::fresh();
        let payload = encode(&epoch, "a\"1", News::Who { room: RoomId(7) });
        assert!(is_echo(&epoch, "a\"1", &payload));
        assert_eq!(hear(&epoch, "a\"1", &payload), None);
        let heard = Some(("a\"1".to_owned(), News::Who { room: RoomId(7) }));
        for other in ["a", "a\"", "a\"12", "b"] {
            assert!(!is_echo(&epoch, other, &payload), "{other}");
            assert_eq!(hear(&epoch, other, &payload), heard, "{other}");
        }
    }

    #[test]
    fn what_is_garbled_or_of_another_store_is_dropped() {
        let epoch = Epoch::fresh();
        let foreign = encode(&Epoch::fresh(), "b", News::Alive);
        let later = String::from_utf8_lossy(&encode(&epoch, "b", News::Alive)).replacen("1", "2", 1);
        for payload in [&b""[..], b"{", b"{}", b"\xff", &foreign, later.as_bytes()] {
            assert_eq!(hear(&epoch, "a", payload), None);
        }
    }
}
