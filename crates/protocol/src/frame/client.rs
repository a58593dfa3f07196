//! What a client says.

use serde::{Deserialize, Serialize};

use crate::ids::{Key, Position, RoomId, Seq};

/// A frame from a client. Decoded by [`crate::codec::decode_client`] alone, which enforces every rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// First frame of every socket.
    Hello(Hello),
    /// Follow a room.
    Subscribe(Subscribe),
    /// Stop following a room.
    Unsubscribe(Unsubscribe),
    /// Say something.
    Send(Send),
    /// Give a message another text.
    Edit(Edit),
    /// Take a message back.
    Delete(Delete),
    /// Put a reaction on a message.
    React(React),
    /// Take a reaction off a message.
    Unreact(React),
    /// Ask for entries after a number, to close a gap.
    Pull(Pull),
    /// Ask for older entries.
    History(History),
    /// Say that one is writing.
    Typing(Typing),
    /// Say how far one has read.
    Read(Read),
    /// Ask for a sign of life.
    Ping,
}

/// Opens the conversation and resumes rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol version: 1.
    pub v: i64,
    /// Which program speaks, for logs; at most 64 scalar values are kept.
    #[serde(default)]
    pub client: String,
    /// Whether it was welcomed before and lost its connection: whoever comes back has not just come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
    /// Rooms to follow, each from the position the client holds.
    #[serde(default)]
    pub resume: Vec<Position>,
}

/// Follows one more room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Which room.
    pub room: RoomId,
    /// The last entry known, in the epoch that `welcome` named; absent: from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
}

/// Stops following a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// Which room.
    pub room: RoomId,
}

/// Posts a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Which room.
    pub room: RoomId,
    /// The name of this user action; the same for every retry.
    pub key: Key,
    /// The text, 1 to 10,000 scalar values.
    pub body: String,
    /// The message this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
}

/// Gives a message another text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Which room.
    pub room: RoomId,
    /// The name of this user action.
    pub key: Key,
    /// Which message.
    pub message: Seq,
    /// The whole new text.
    pub body: String,
}

/// Takes a message back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Which room.
    pub room: RoomId,
    /// The name of this user action.
    pub key: Key,
    /// Which message.
    pub message: Seq,
}

/// Puts a reaction on a message, or takes it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct React {
    /// Which room.
    pub room: RoomId,
    /// The name of this user action.
    pub key: Key,
    /// Which message.
    pub message: Seq,
    /// Which emoji.
    pub emoji: String,
}

/// Asks for the entries after a number, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// Which room.
    pub room: RoomId,
    /// The last entry known.
    pub after: Seq,
    /// How many at most, 1 or more; clamped to 500.
    pub limit: i64,
}

/// Asks for the entries before a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Which room.
    pub room: RoomId,
    /// The oldest entry known, 1 or more.
    pub before: Seq,
    /// How many at most, 1 or more; clamped to 100.
    pub limit: i64,
}

/// Says that one is writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// Where.
    pub room: RoomId,
}

/// Says how far one has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Where.
    pub room: RoomId,
    /// The newest entry seen.
    pub seq: Seq,
}

// Read back from the browser's outbox; what travels is decoded strictly, by serde.
crate::from_json!(Send { room, key, body, reply_to });
