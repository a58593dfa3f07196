//! The one place where frames become JSON and JSON becomes frames.
//!
//! What a client says is decoded in three steps so that every refusal can name its field: text to
//! a strict value (bounded depth, no key twice), its `t` to a kind, the rest to that kind's fields.

mod several;
mod strict;
mod wrong;

pub use several::{join, split_client, split_server};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::close::Close;
use crate::frame::{ClientFrame, Hello, ServerFrame, VERSION};
use crate::ids::{Key, RoomId};
use crate::json::FromJson;
use crate::limits::{CLIENT_CHARS, ROOMS_PER_SOCKET};
use crate::refusal::{Code, Refusal};
use crate::text::is_invisible;

/// A client's frame that could not be understood, with what could be read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// Its `t`, if that much was legible.
    pub kind: Option<String>,
    /// Its `key`, if there was a proper one: the answer is then a `nack`.
    pub key: Option<Key>,
    /// Its `room`, if it is a number that could be one.
    pub room: Option<RoomId>,
    /// What to answer.
    pub refusal: Refusal,
}

impl Undecodable {
    /// The close code that is due instead of an answer: a `hello` whose version cannot be read.
    #[must_use]
    pub fn close(&self) -> Option<Close> {
        let unversioned = self.kind.as_deref() == Some("hello") && self.refusal.field.as_deref() == Some("v");
        unversioned.then_some(Close::Version)
    }
}

/// Decodes what a client said.
///
/// A `hello` of another version is read no further than its `v`: later versions may mean anything by the rest.
///
/// # Errors
/// `malformed`, `unknown_type`, `missing_field`, `bad_field` or `duplicate_field`, with the field's path;
/// `not_found` for a room in another spelling than its own; `bad_cursor` for a position below 0 (in `history` below 1) or above 2^53 - 1; `limit` for too many rooms.
#[allow(
    clippy::result_large_err,
    reason = "64-bit only; the frame it stands for is as large, and both live for one step"
)]
pub fn decode_client(text: &str) -> Result<ClientFrame, Undecodable> {
    let illegible = |refusal| Undecodable { kind: None, key: None, room: None, refusal };
    let mut object = strict::object(text).map_err(illegible)?;
    let key = object.get("key").and_then(Value::as_str).and_then(Key::parse);
    let room = object.get("room").and_then(Value::as_i64).map(RoomId);
    let untyped = |refusal| Undecodable { kind: None, key, room, refusal };
    let kind = match object.remove("t") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(untyped(wrong::bad("t", "it must be a text"))),
        None => return Err(untyped(wrong::missing("t"))),
    };
    frame_of(&kind, object).and_then(in_bounds).map_err(|refusal| Undecodable {
        kind: Some(clipped(&kind)),
        key,
        room,
        refusal,
    })
}

fn frame_of(kind: &str, fields: Map<String, Value>) -> Result<ClientFrame, Refusal> {
    Ok(match kind {
        "hello" => ClientFrame::Hello(hello_of(fields)?),
        "subscribe" => ClientFrame::Subscribe(fields_of(fields)?),
        "unsubscribe" => ClientFrame::Unsubscribe(fields_of(fields)?),
        "send" => ClientFrame::Send(fields_of(fields)?),
        "edit" => ClientFrame::Edit(fields_of(fields)?),
        "delete" => ClientFrame::Delete(fields_of(fields)?),
        "react" => ClientFrame::React(fields_of(fields)?),
        "unreact" => ClientFrame::Unreact(fields_of(fields)?),
        "pull" => ClientFrame::Pull(fields_of(fields)?),
        "history" => ClientFrame::History(fields_of(fields)?),
        "typing" => ClientFrame::Typing(fields_of(fields)?),
        "read" => ClientFrame::Read(fields_of(fields)?),
        "ping" => ClientFrame::Ping,
        _ => {
            let message = format!("Nothing a client can say has the type {:?}.", clipped(kind));
            return Err(Refusal::new(Code::UnknownType, message).field("t"));
        }
    })
}

fn hello_of(fields: Map<String, Value>) -> Result<Hello, Refusal> {
    let v = match fields.get("v") {
        None => return Err(wrong::missing("v")),
        Some(v) => v.as_i64().ok_or_else(|| wrong::bad("v", "it must be a whole number"))?,
    };
    if v != VERSION {
        return Ok(Hello { v, client: String::new(), back: false, resume: Vec::new() });
    }
    if let Some(Value::Array(positions)) = fields.get("resume") {
        if positions.len() > ROOMS_PER_SOCKET {
            let message = format!("A socket can follow at most {ROOMS_PER_SOCKET} rooms.");
            return Err(Refusal::new(Code::Limit, message).field("resume").limit(ROOMS_PER_SOCKET as u64));
        }
        // serde would read a list as the fields in their order: a second spelling that nobody promised.
        if let Some(index) = positions.iter().position(|position| !position.is_object()) {
            return Err(wrong::bad(format!("resume[{index}]"), "it must be an object"));
        }
    }
    let mut hello: Hello = fields_of(fields)?;
    hello.client = legible(&hello.client, CLIENT_CHARS);
    Ok(hello)
}

fn fields_of<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(Value::Object(fields))
        .map_err(|error| wrong::found(&error.path().to_string(), &error.inner().to_string()))
}

/// What the types cannot say: positions that cannot exist, and counts of nothing.
fn in_bounds(frame: ClientFrame) -> Result<ClientFrame, Refusal> {
    match &frame {
        ClientFrame::Hello(hello) => hello
            .resume
            .iter()
            .enumerate()
            .try_for_each(|(index, position)| wrong::cursor(|| format!("resume[{index}].seq"), position.seq, 0))?,
        ClientFrame::Subscribe(subscribe) => {
            subscribe.after.map_or(Ok(()), |after| wrong::cursor(|| "after".to_owned(), after, 0))?;
        }
        ClientFrame::Pull(pull) => {
            wrong::cursor(|| "after".to_owned(), pull.after, 0)?;
            wrong::count(pull.limit)?;
        }
        ClientFrame::History(history) => {
            wrong::cursor(|| "before".to_owned(), history.before, 1)?;
            wrong::count(history.limit)?;
        }
        ClientFrame::Read(read) => wrong::cursor(|| "seq".to_owned(), read.seq, 0)?,
        _ => {}
    }
    Ok(frame)
}

/// What an error may echo of the input: enough to recognise it, too little to abuse it.
fn clipped(text: &str) -> String {
    legible(text, ECHO_CHARS)
}

/// Most of the input that an error repeats, in scalar values: one line of a terminal.
const ECHO_CHARS: usize = 80;

/// The first `chars` scalar values that neither move a cursor, nor hide, nor turn or break a line of a log.
fn legible(text: &str, chars: usize) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|&c| !breaks(c) && !is_invisible(c)).take(chars).collect()
}

/// Decodes an object that is no frame by the rules of frames: at most [`JSON_DEPTH`](crate::limits::JSON_DEPTH) levels,
/// no key twice.
///
/// # Errors
/// `malformed`, in the words for frames; `duplicate_field`.
pub fn decode_object(text: &str) -> Result<Map<String, Value>, Refusal> {
    strict::object(text)
}

/// Decodes what a server said; the browser's half.
///
/// # Errors
/// The reason in words, when the text is no frame of this protocol. A frame of an unknown kind is not an
/// error: it is [`ServerFrame::Unknown`].
pub fn decode_server(text: &str) -> Result<ServerFrame, String> {
    decode(text)
}

/// Decodes any value of ours from JSON.
///
/// # Errors
/// The reason in words.
pub fn decode<T: FromJson>(text: &str) -> Result<T, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    T::from_json(value).map_err(|error| error.to_string())
}

/// Encodes a frame, an entry or another value of this crate as JSON.
///
/// Our own types have string keys and finite numbers only, so encoding cannot fail; if it ever
/// did, the empty object is sent rather than a connection torn down, and the receiver refuses it.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// Puts encoded entries into one `entries` frame, byte for byte what [`encode`] makes of
/// [`ServerFrame::Entries`]. Entries are encoded once per room and shared by every recipient.
#[must_use]
pub fn entries_frame<'a>(room: RoomId, entries: impl IntoIterator<Item = &'a str>) -> String {
    let mut frame = format!(r#"{{"t":"entries","room":{room},"entries":"#);
    several::push_array(&mut frame, entries);
    frame.push('}');
    frame
}
