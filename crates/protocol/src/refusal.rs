//! Refusals: what was wrong, in which field, what is allowed, and whether to try again.

use std::borrow::Cow;

use serde::Serialize;

use crate::json::{FromJson, Misread, Object, Value};

/// Why something was refused, as a word that programs can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not one JSON object, or nested too deep.
    Malformed,
    /// The frame's `t` names nothing a client can say.
    UnknownType,
    /// A field that must be there is not.
    MissingField,
    /// A field has the wrong type or an impossible value.
    BadField,
    /// A field is there twice.
    DuplicateField,
    /// A second `hello` on one socket.
    Already,
    /// Not allowed for this person.
    Forbidden,
    /// Not signed in, or no longer.
    Unauthorized,
    /// Does not exist, or is not theirs to see: deliberately the same answer.
    NotFound,
    /// Nothing that could be read is left of the text.
    Empty,
    /// Longer than its limit.
    TooLong,
    /// Holds a character that is never allowed, such as U+0000.
    BadChar,
    /// Not a possible name.
    BadName,
    /// A name that only the server may use.
    NameReserved,
    /// A list or a count is over its limit.
    Limit,
    /// A position or cursor that cannot exist.
    BadCursor,
    /// Too much in too short a time.
    RateLimited,
    /// The store is working through a queue; come back.
    Busy,
    /// The database cannot be written or read; nothing was stored.
    StorageUnavailable,
    /// The database failed while it stored this: it may or may not be there.
    Uncertain,
    /// This server does not do that yet, or not in this place.
    Unsupported,
    /// A fault of the server's own.
    Internal,
    /// Said by a newer server.
    Other,
}

impl Code {
    /// Every reason this version gives, for tables and tests.
    pub const ALL: [Self; 22] = [
        Self::Malformed,
        Self::UnknownType,
        Self::MissingField,
        Self::BadField,
        Self::DuplicateField,
        Self::Already,
        Self::Forbidden,
        Self::Unauthorized,
        Self::NotFound,
        Self::Empty,
        Self::TooLong,
        Self::BadChar,
        Self::BadName,
        Self::NameReserved,
        Self::Limit,
        Self::BadCursor,
        Self::RateLimited,
        Self::Busy,
        Self::StorageUnavailable,
        Self::Uncertain,
        Self::Unsupported,
        Self::Internal,
    ];

    /// Whether the same request may succeed later without being changed.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::RateLimited | Self::Busy | Self::StorageUnavailable | Self::Uncertain | Self::Internal)
    }

    /// The word as it travels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownType => "unknown_type",
            Self::MissingField => "missing_field",
            Self::BadField => "bad_field",
            Self::DuplicateField => "duplicate_field",
            Self::Already => "already",
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::BadChar => "bad_char",
            Self::BadName => "bad_name",
            Self::NameReserved => "name_reserved",
            Self::Limit => "limit",
            Self::BadCursor => "bad_cursor",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
            Self::StorageUnavailable => "storage_unavailable",
            Self::Uncertain => "uncertain",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
            Self::Other => "other",
        }
    }
}

/// A refusal as it travels in `nack` and `error` frames and in the JSON body of HTTP errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The reason as a word.
    pub code: Code,
    /// The reason as a sentence for people: names the field and the limit.
    pub message: Cow<'static, str>,
    /// The field that was wrong, as a path (`resume[3].seq`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    /// The limit that was passed, in the unit the message names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// When to try the same again, in milliseconds. Absent: trying the same again is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal that trying again will not cure.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), field: None, limit: None, retry_after_ms: None }
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the limit, in the unit of the message.
    #[must_use]
    pub const fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Says when to try again, in milliseconds.
    #[must_use]
    pub const fn retry_after(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The one answer for "does not exist" and "is not yours to see".
    #[must_use]
    pub fn no_such_room() -> Self {
        Self::new(Code::NotFound, "This room does not exist, or is not yours to see.").field("room")
    }
}

impl FromJson for Code {
    /// A word of a newer server is [`Code::Other`].
    fn from_json(value: Value) -> Result<Self, Misread> {
        let word = value.as_str().ok_or(Misread("code"))?;
        Ok(Self::ALL.into_iter().find(|code| code.as_str() == word).unwrap_or(Self::Other))
    }
}

impl FromJson for Refusal {
    fn from_json(value: Value) -> Result<Self, Misread> {
        Self::from_fields(&mut Object::of(value)?)
    }
}

impl Refusal {
    /// Reads a refusal whose fields stand among others.
    pub(crate) fn from_fields(object: &mut Object) -> Result<Self, Misread> {
        Ok(Self {
            code: object.take("code")?,
            message: object.take("message")?,
            field: object.take("field")?,
            limit: object.take("limit")?,
            retry_after_ms: object.take("retry_after_ms")?,
        })
    }
}

crate::deserialize_from_json!(Code, Refusal);
