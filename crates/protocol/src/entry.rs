//! Entries: what is written in a room's log, once and for ever.

use serde::{Deserialize, Serialize};

use crate::ids::{Key, Seq, UserId};

/// Somebody, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The name shown, 1 to 48 scalar values.
    pub name: String,
}

/// One line of a room's log. State is what you get by folding the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: contiguous from 1 in its room.
    pub seq: Seq,
    /// When it was committed, in Unix milliseconds. Shown, never used for order.
    pub at: i64,
    /// Who caused it.
    pub by: Person,
    /// The key of the action that caused it; absent for what the server did by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What happened.
    #[serde(flatten)]
    pub change: Change,
}

/// What an entry says happened. Tagged by `kind` on the wire.
///
/// A message is named by the `seq` of the entry that posted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The room was made.
    Created,
    /// Somebody said something.
    Posted {
        /// The text as written.
        body: String,
        /// The message this answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// Written by a newer version: it has a number and must be counted, but cannot be shown.
    ///
    /// Its content is not kept, so whoever passes entries on passes on the bytes, not this.
    #[serde(other)]
    Unknown,
}
