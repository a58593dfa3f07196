//! Entries: what is written in a room's log, once and for ever.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Map;

use crate::ids::{Key, Seq, UserId};
use crate::json::{FromJson, Misread, Object, Value};

/// Somebody, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The name shown, 1 to 48 scalar values.
    pub name: String,
}

/// One line of a room's log. State is what you get by folding the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number: contiguous from 1 in its room.
    pub seq: Seq,
    /// When it was committed, in Unix milliseconds. Shown, never used for order.
    pub at: i64,
    /// Who caused it.
    pub by: Person,
    /// The key of the action that caused it; absent for what the server did by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What happened.
    #[serde(flatten)]
    pub change: Change,
}

/// What an entry says happened. Tagged by `kind` on the wire.
///
/// A message is named by the `seq` of the entry that posted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The room was made.
    Created,
    /// Somebody said something.
    Posted {
        /// The text as written.
        body: String,
        /// The message this answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
    },
    /// A message got another text.
    Edited {
        /// Which message.
        message: Seq,
        /// The whole new text.
        body: String,
    },
    /// A message was taken back.
    Deleted {
        /// Which message.
        message: Seq,
    },
    /// A reaction was put on a message.
    Reacted {
        /// Which message.
        message: Seq,
        /// Which emoji, at most 64 bytes.
        emoji: String,
    },
    /// A reaction was taken off a message.
    Unreacted {
        /// Which message.
        message: Seq,
        /// Which emoji.
        emoji: String,
    },
    /// Somebody became a member.
    Joined,
    /// Somebody stopped being a member.
    Left,
    /// The room got another name.
    Renamed {
        /// The new name.
        name: String,
    },
    /// The room got another topic.
    TopicSet {
        /// The new topic; empty for none.
        topic: String,
    },
    /// Somebody was removed from the room.
    Removed {
        /// Who was removed.
        who: Person,
    },
    /// Written by a newer version: it has a number and must be counted, but cannot be shown. It is passed on as it
    /// came, for among those who hear it may be somebody who knows it.
    #[serde(untagged)]
    Unknown(Fields),
}

/// What a change of an unknown kind says, its kind included. Shared, because nobody changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(Arc<Map<String, Value>>);

impl Fields {
    /// Its kind, as it travels.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get("kind").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(output)
    }
}

crate::from_json!(Person { id, name });

impl FromJson for Entry {
    fn from_json(value: Value) -> Result<Self, Misread> {
        let mut object = Object::of(value)?;
        Ok(Self {
            seq: object.take("seq")?,
            at: object.take("at")?,
            by: object.take("by")?,
            key: object.take("key")?,
            change: Change::from_fields(&mut object)?,
        })
    }
}

impl FromJson for Change {
    fn from_json(value: Value) -> Result<Self, Misread> {
        Self::from_fields(&mut Object::of(value)?)
    }
}

impl Change {
    fn from_fields(object: &mut Object) -> Result<Self, Misread> {
        let kind: String = object.take("kind")?;
        Ok(match kind.as_str() {
            "created" => Self::Created,
            "posted" => Self::Posted { body: object.take("body")?, reply_to: object.take("reply_to")? },
            "edited" => Self::Edited { message: object.take("message")?, body: object.take("body")? },
            "deleted" => Self::Deleted { message: object.take("message")? },
            "reacted" => Self::Reacted { message: object.take("message")?, emoji: object.take("emoji")? },
            "unreacted" => Self::Unreacted { message: object.take("message")?, emoji: object.take("emoji")? },
            "joined" => Self::Joined,
            "left" => Self::Left,
            "renamed" => Self::Renamed { name: object.take("name")? },
            "topic_set" => Self::TopicSet { topic: object.take("topic")? },
            "removed" => Self::Removed { who: object.take("who")? },
            _ => Self::Unknown(Fields(Arc::new(object.rest("kind", kind)))),
        })
    }

    /// A change of which nothing is known but that there was one.
    #[must_use]
    pub fn illegible() -> Self {
        let kind = Value::String("unknown".to_owned());
        Self::Unknown(Fields(Arc::new([("kind".to_owned(), kind)].into_iter().collect())))
    }
}

crate::deserialize_from_json!(Person, Entry, Change);
