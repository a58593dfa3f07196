//! What a foreign channel carries: one readable JSON object per message and per person who comes or goes, and
//! whatever strangers publish coming in.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use tertulia_protocol::{Change, Entry, Epoch, Key, RoomInfo};

use crate::listener::Happened;

/// Longest payload that is looked at, in bytes: a text of 10,000 characters with its JSON fits about one and a half
/// times.
pub(super) const PAYLOAD_BYTES: usize = 64 * 1024;

/// A message of a room as the channel carries it.
#[derive(Serialize)]
struct Said<'a> {
    room: &'a str,
    seq: i64,
    /// Unlike any other message's of this store.
    id: String,
    author: &'a str,
    text: &'a str,
    /// Unix milliseconds.
    at: i64,
    /// Which Tertulia speaks.
    from: &'a str,
}

/// Somebody who comes or goes, as the channel carries it.
#[derive(Serialize)]
struct Moved<'a> {
    room: &'a str,
    /// `joined` or `left`, as on the plain doors.
    event: &'a str,
    who: &'a str,
    from: &'a str,
}

/// How every Tertulia's name begins.
const HOUSE: &str = "tertulia/";

/// What somebody published.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// What this Tertulia itself said, and who comes and goes at another: no message.
    Nothing,
    /// A message, by somebody if they say so; neither is checked yet.
    Message { author: Option<String>, text: String },
}

/// Why a payload is not even looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    TooLarge,
    Binary,
}

/// The name under which this store speaks.
pub(super) fn from(epoch: &Epoch) -> String {
    format!("{HOUSE}{epoch}")
}

/// An entry for the channel; `None` for what is no message, or came from a channel itself.
pub(super) fn spoken(room: &RoomInfo, entry: &Entry, from: &str) -> Option<Bytes> {
    let Change::Posted { body, .. } = &entry.change else { return None };
    if entry.key.is_some_and(Key::is_foreign) {
        return None;
    }
    let (seq, id) = (entry.seq.0, format!("{}-{}", room.id, entry.seq));
    let said = Said { room: &room.slug, seq, id, author: &entry.by.name, text: body, at: entry.at, from };
    json(&said)
}

/// Who came or went, for the channel; `None` for anything else that happened.
pub(super) fn moved(room: &RoomInfo, happened: &Happened, from: &str) -> Option<Bytes> {
    let (event, who) = match happened {
        Happened::Joined(who) => ("joined", who),
        Happened::Left(who) => ("left", who),
        _ => return None,
    };
    json(&Moved { room: &room.slug, event, who: &who.name, from })
}

fn json(value: &impl Serialize) -> Option<Bytes> {
    serde_json::to_vec(value).map(Bytes::from).inspect_err(|error| tracing::error!(%error, "no JSON of our own")).ok()
}

/// Understands a payload. JSON with a text and perhaps an author is taken apart; anything else is the text.
pub(super) fn heard(payload: &[u8], from: &str) -> Result<Heard, Unheard> {
    if payload.len() > PAYLOAD_BYTES {
        return Err(Unheard::TooLarge);
    }
    let text = std::str::from_utf8(payload).map_err(|_| Unheard::Binary)?;
    let Ok(Value::Object(mut said)) = serde_json::from_str(text) else { return Ok(plain(text)) };
    let house = said.get("from").and_then(Value::as_str).filter(|house| house.starts_with(HOUSE));
    if house.is_some_and(|house| house == from || said.contains_key("event")) {
        return Ok(Heard::Nothing);
    }
    match word(&mut said, ["text", "message"]) {
        Some(text) => Ok(Heard::Message { author: word(&mut said, ["author", "user"]), text }),
        None => Ok(plain(text)),
    }
}

fn plain(text: &str) -> Heard {
    Heard::Message { author: None, text: text.to_owned() }
}

/// The first of these fields that is a text.
fn word(said: &mut Map<String, Value>, names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(|name| match said.remove(name) {
        Some(Value::String(word)) => Some(word),
        Some(_) | None => None,
    })
}
