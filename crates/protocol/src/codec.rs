//! The one place where frames become JSON and JSON becomes frames.
//!
//! What a client says is decoded in three steps so that every refusal can name its field: text to
//! a strict value (bounded depth, no key twice), its `t` to a kind, the rest to that kind's fields.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::entry::Entry;
use crate::frame::{ClientFrame, ServerFrame};
use crate::ids::{Key, RoomId};
use crate::limits::JSON_DEPTH;
use crate::refusal::{Code, Refusal};

/// A client's frame that could not be understood, with what could be read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// Its `t`, if that much was legible.
    pub kind: Option<String>,
    /// Its `key`, if there was a proper one: the answer is then a `nack`.
    pub key: Option<Key>,
    /// What to answer.
    pub refusal: Refusal,
}

/// Decodes what a client said.
///
/// # Errors
/// `malformed`, `unknown_type`, `missing_field`, `bad_field` or `duplicate_field`, with the field's path.
pub fn decode_client(text: &str) -> Result<ClientFrame, Undecodable> {
    let plain = |refusal| Undecodable { kind: None, key: None, refusal };
    let mut object = strict_object(text).map_err(plain)?;
    let kind = match object.remove("t") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(plain(Refusal::new(Code::BadField, "The field t must be a string.").field("t"))),
        None => return Err(plain(Refusal::new(Code::MissingField, "The field t is missing.").field("t"))),
    };
    let key = object.get("key").and_then(Value::as_str).and_then(Key::parse);
    frame_of(&kind, object).map_err(|refusal| Undecodable { kind: Some(clipped(&kind)), key, refusal })
}

fn frame_of(kind: &str, fields: Map<String, Value>) -> Result<ClientFrame, Refusal> {
    Ok(match kind {
        "hello" => ClientFrame::Hello(fields_of(fields)?),
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

fn fields_of<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner().to_string();
        match inner.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(name) => {
                let field = if path == "." { name.to_owned() } else { format!("{path}.{name}") };
                Refusal::new(Code::MissingField, format!("The field {field} is missing.")).field(field)
            }
            None => {
                Refusal::new(Code::BadField, format!("The field {path} is wrong: {}.", clipped(&inner))).field(path)
            }
        }
    })
}

/// What an error may echo of the input: enough to recognise it, too little to abuse it.
fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn strict_object(text: &str) -> Result<Map<String, Value>, Refusal> {
    let mut input = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut input).map_err(|error| {
        let message = error.to_string();
        match message.strip_prefix(DUPLICATE) {
            Some(rest) => {
                let field = clipped(rest.split(" at line").next().unwrap_or(rest));
                Refusal::new(Code::DuplicateField, format!("The field {field} is there twice.")).field(field)
            }
            None => Refusal::new(Code::Malformed, format!("Not a frame: {}.", clipped(&message))),
        }
    })?;
    input.end().map_err(|_| Refusal::new(Code::Malformed, "Not a frame: something follows the object."))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::new(Code::Malformed, "Not a frame: a frame is one JSON object.")),
    }
}

/// How the strict visitor marks a repeated key in serde's error text, the only channel it has.
const DUPLICATE: &str = "duplicate key ";

/// Reads any JSON value, but not deeper than [`JSON_DEPTH`] and with no key twice
/// (`serde_json` alone allows 128 levels and keeps the last of two, so readers could disagree).
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= JSON_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {JSON_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = input.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = input.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("{DUPLICATE}{key}")));
            }
            let value = input.next_value_seed(self.deeper()?)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Decodes what a server said; the browser's half.
///
/// # Errors
/// The reason in words, when the text is no frame of this protocol. A frame of an unknown kind is not an
/// error: it is [`ServerFrame::Unknown`].
pub fn decode_server(text: &str) -> Result<ServerFrame, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Encodes a frame, an entry or another value of this crate as JSON.
///
/// Our own types have string keys and finite numbers only, so encoding cannot fail; if it ever
/// did, the empty object is sent rather than a connection torn down, and the receiver refuses it.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// Decodes an entry that was stored or that came over the bus.
///
/// # Errors
/// The reason in words.
pub fn decode_entry(json: &[u8]) -> Result<Entry, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// Puts encoded entries into one `entries` frame, byte for byte what [`encode`] makes of
/// [`ServerFrame::Entries`]. Entries are encoded once per room and shared by every recipient.
#[must_use]
pub fn entries_frame<'a>(room: RoomId, entries: impl IntoIterator<Item = &'a str>) -> String {
    let mut frame = format!(r#"{{"t":"entries","room":{room},"entries":["#);
    for (index, entry) in entries.into_iter().enumerate() {
        if index > 0 {
            frame.push(',');
        }
        frame.push_str(entry);
    }
    frame.push_str("]}");
    frame
}
