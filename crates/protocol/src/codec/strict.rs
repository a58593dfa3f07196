//! Reads what a client said into a JSON object, with the rules that `serde_json` alone does not have.
//!
//! It allows 128 levels and keeps the last of two equal keys, so two readers could disagree about one frame.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::clipped;
use crate::limits::JSON_DEPTH;
use crate::refusal::{Code, Refusal};

/// Reads exactly one object, at most [`JSON_DEPTH`] levels deep, with no key twice on any level.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, Refusal> {
    let fault = Cell::new(None);
    let mut input = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0, fault: &fault }.deserialize(&mut input).map_err(|error| match fault.take() {
        Some(Fault::Duplicate { path }) => {
            Refusal::new(Code::DuplicateField, format!("The field {path} is there twice.")).field(path)
        }
        Some(Fault::TooDeep) => {
            let message = format!("Not a frame: it is nested deeper than {JSON_DEPTH} levels.");
            Refusal::new(Code::Malformed, message).limit(JSON_DEPTH as u64)
        }
        Some(Fault::NoObject) => no_object(),
        None => Refusal::new(Code::Malformed, format!("Not a frame: {}.", clipped(&error.to_string()))),
    })?;
    input.end().map_err(|_| Refusal::new(Code::Malformed, "Not a frame: something follows the object."))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(no_object()),
    }
}

fn no_object() -> Refusal {
    Refusal::new(Code::Malformed, "Not a frame: a frame is one JSON object.")
}

/// What our own rules found. It travels beside serde's error, whose text an input could imitate.
enum Fault {
    /// A key is there twice; where, as far as it is known on the way out (`room`, then `resume[0].room`).
    Duplicate { path: String },
    /// Nested deeper than [`JSON_DEPTH`].
    TooDeep,
    /// The frame is a list.
    NoObject,
}

/// Visits one value at its depth; the outermost has depth 0.
#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    fault: &'f Cell<Option<Fault>>,
}

impl Strict<'_> {
    fn fail<E: Error>(&self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
    }

    /// The visitor of what a list or an object at this depth holds.
    fn inside<E: Error>(&self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > JSON_DEPTH { Err(self.fail(Fault::TooDeep)) } else { Ok(Self { depth, fault: self.fault }) }
    }

    /// Puts one step in front of the path of a fault that was found further inside.
    fn locate<E>(&self, step: impl FnOnce() -> String, error: E) -> E {
        let fault = match self.fault.take() {
            Some(Fault::Duplicate { path }) => {
                let dot = if path.starts_with('[') { "" } else { "." };
                Some(Fault::Duplicate { path: format!("{}{dot}{path}", step()) })
            }
            other => other,
        };
        self.fault.set(fault);
        error
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
        if self.depth == 0 {
            return Err(self.fail(Fault::NoObject));
        }
        let inside = self.inside()?;
        let mut items = Vec::new();
        while let Some(item) =
            input.next_element_seed(inside).map_err(|error| self.locate(|| format!("[{}]", items.len()), error))?
        {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(key) = input.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(self.fail(Fault::Duplicate { path: clipped(&key) }));
            }
            let value = input.next_value_seed(inside).map_err(|error| self.locate(|| clipped(&key), error))?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
