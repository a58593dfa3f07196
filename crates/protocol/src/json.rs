//! Reading our own values from JSON, small: one path through `serde_json::Value` instead of a visitor per type and per
//! reader. Derived decoding of frames was a seventh of the browser's WASM; it runs there and on what comes over the bus.
//!
//! Tolerant as the protocol wants it: unknown fields are ignored. What clients say is decoded strictly in `codec`.

use std::borrow::Cow;

pub use serde_json::{Map, Value};

/// A value that is not what it should be; names the field at fault, or the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field or value {0} is missing or has another type")]
pub struct Misread(pub &'static str);

/// A type that can be read from JSON.
pub trait FromJson: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// When the value has another shape.
    fn from_json(value: Value) -> Result<Self, Misread>;

    /// What an absent field (or `null`) means; an error for most.
    ///
    /// # Errors
    /// When the field must be there.
    fn absent() -> Result<Self, Misread> {
        Err(Misread("of a required field"))
    }
}

/// The fields of an object, taken one by one.
pub struct Object(Map<String, Value>);

impl Object {
    /// The fields of a value that is an object.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(value: Value) -> Result<Self, Misread> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Misread("that is no object")),
        }
    }

    /// Takes a field.
    ///
    /// # Errors
    /// With its name, when it is missing though required, or has another shape.
    pub fn take<T: FromJson>(&mut self, name: &'static str) -> Result<T, Misread> {
        // Emptied and not removed: an empty field is an absent one, and taking a tree apart is 4 kB of the WASM.
        let read = match self.0.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => T::absent(),
            Some(value) => T::from_json(value),
        };
        read.map_err(|_| Misread(name))
    }

    /// What was not taken, with one field put back. Fields that say nothing (`null`) are left out.
    pub(crate) fn rest(&mut self, name: &str, value: String) -> Map<String, Value> {
        let mut rest = Map::new();
        for (name, value) in std::mem::take(&mut self.0) {
            if !value.is_null() {
                rest.insert(name, value);
            }
        }
        rest.insert(name.to_owned(), Value::String(value));
        rest
    }
}

macro_rules! scalar {
    ($type:ty, $name:literal, $($pattern:pat => $value:expr),+) => {
        impl FromJson for $type {
            fn from_json(value: Value) -> Result<Self, Misread> {
                match &value {
                    $($pattern => $value.ok_or(Misread($name)),)+
                    _ => Err(Misread($name)),
                }
            }
        }
    };
}

scalar!(i64, "integer", Value::Number(number) => number.as_i64());
scalar!(u64, "positive integer", Value::Number(number) => number.as_u64());
scalar!(u16, "small integer", Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()));

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, Misread> {
        value.as_bool().ok_or(Misread("true or false"))
    }

    /// Flags are left out when they are not set.
    fn absent() -> Result<Self, Misread> {
        Ok(false)
    }
}

impl FromJson for String {
    fn from_json(value: Value) -> Result<Self, Misread> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(Misread("text")),
        }
    }
}

impl FromJson for Cow<'static, str> {
    fn from_json(value: Value) -> Result<Self, Misread> {
        String::from_json(value).map(Cow::Owned)
    }
}

impl FromJson for Value {
    /// Whatever it is.
    fn from_json(value: Value) -> Result<Self, Misread> {
        Ok(value)
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value) -> Result<Self, Misread> {
        T::from_json(value).map(Some)
    }

    fn absent() -> Result<Self, Misread> {
        Ok(None)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Result<Self, Misread> {
        match value {
            Value::Array(items) => items.into_iter().map(T::from_json).collect(),
            _ => Err(Misread("list")),
        }
    }

    /// Lists are left out when they are empty.
    fn absent() -> Result<Self, Misread> {
        Ok(Self::new())
    }
}

/// Implements [`FromJson`] for a struct whose fields have the names they have in JSON.
#[macro_export]
macro_rules! from_json {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: $crate::json::Value) -> Result<Self, $crate::json::Misread> {
                let mut object = $crate::json::Object::of(value)?;
                Ok(Self { $($field: object.take(stringify!($field))?),+ })
            }
        }
    };
}

/// Implements serde's `Deserialize` for types that are [`FromJson`], so that whatever asks serde gets the small path.
#[macro_export]
macro_rules! deserialize_from_json {
    ($($type:ident),+ $(,)?) => {$(
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let value = <$crate::json::Value as ::serde::Deserialize>::deserialize(input)?;
                <Self as $crate::json::FromJson>::from_json(value).map_err(::serde::de::Error::custom)
            }
        }
    )+};
}
