//! What the server says.

use serde::Serialize;

use crate::entry::{Entry, Person};
use crate::ids::{Epoch, Key, RoomId, Seq};
use crate::json::{FromJson, Misread, Object, Value};
use crate::limits;
use crate::refusal::Refusal;
use crate::room::RoomInfo;

/// Whether instances hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BusState {
    /// Entries of other instances arrive at once.
    Live,
    /// They are read from SQL, at most one second late. Also what a newer server's word is taken for.
    Degraded,
}

/// The limits a client must know to refuse early what the server would refuse late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdvertisedLimits {
    /// Longest message in Unicode scalar values.
    pub body_chars: u64,
    /// Longest message in bytes of UTF-8.
    pub body_bytes: u64,
    /// Largest frame in bytes.
    pub frame_bytes: u64,
    /// Rooms one socket may follow.
    pub rooms: u64,
}

impl Default for AdvertisedLimits {
    fn default() -> Self {
        Self {
            body_chars: limits::BODY_CHARS as u64,
            body_bytes: limits::BODY_BYTES as u64,
            frame_bytes: limits::FRAME_BYTES as u64,
            rooms: limits::ROOMS_PER_SOCKET as u64,
        }
    }
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`.
    Welcome {
        /// This connection, for logs.
        conn: String,
        /// The store's identity; positions of another epoch are void.
        epoch: Epoch,
        /// Who the server takes the client for.
        you: Person,
        /// What a client may send.
        limits: AdvertisedLimits,
        /// The server's ping interval in milliseconds; silence for longer than this plus 10 s means a dead link.
        ping_ms: u64,
        /// Whether instances hear each other.
        bus: BusState,
        /// The name of the instance.
        instance: String,
    },
    /// The room is followed from here on; `entries` with what was missed come next.
    Subscribed {
        /// Which room.
        room: RoomId,
        /// The store that `seq` belongs to.
        epoch: Epoch,
        /// The newest entry at this moment.
        seq: Seq,
    },
    /// The room is no longer followed.
    Unsubscribed {
        /// Which room.
        room: RoomId,
    },
    /// Entries in order, each the successor of the one before.
    Entries {
        /// Which room.
        room: RoomId,
        /// Empty only as the answer to a `pull` that found nothing.
        entries: Vec<Entry>,
    },
    /// Forget the room and start afresh: the next `entries` begin right after `after`.
    Reset {
        /// Which room.
        room: RoomId,
        /// The store's epoch from now on.
        epoch: Epoch,
        /// Nothing at or before this number will be sent; ask `history` for it.
        after: Seq,
        /// The newest entry at this moment.
        seq: Seq,
        /// Why, as a word: `epoch`, `ahead`, `too_far`.
        reason: String,
    },
    /// Older entries, ascending.
    Page {
        /// Which room.
        room: RoomId,
        /// The `before` that was asked for.
        before: Seq,
        /// Ascending, contiguous, ending at `before` - 1; empty at the beginning of the log.
        entries: Vec<Entry>,
    },
    /// The action is committed and durable.
    Ack {
        /// The action.
        key: Key,
        /// The room it was written to.
        room: RoomId,
        /// Its number.
        seq: Seq,
        /// When it was committed, in Unix milliseconds.
        at: i64,
        /// Whether an earlier try had already stored it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        duplicate: bool,
    },
    /// The action was not done.
    Nack {
        /// The action.
        key: Key,
        /// Why.
        #[serde(flatten)]
        refusal: Refusal,
    },
    /// Something else could not be done.
    Error {
        /// The `t` of the frame this answers, when it could be read.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The room that frame was about, when it named one that could be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        /// Why.
        #[serde(flatten)]
        refusal: Refusal,
    },
    /// Somebody else is writing; shown for five seconds.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        who: Person,
    },
    /// Who is here: the whole list on subscribing, afterwards what changed.
    Presence {
        /// Which room.
        room: RoomId,
        /// How many people are online in the room.
        online: u64,
        /// Whether `joined` is the whole list rather than a change.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        full: bool,
        /// Who came (or, when `full`, who is here).
        #[serde(skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Person>,
        /// Who went, after a grace that hides reloads.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        left: Vec<Person>,
    },
    /// A room was made.
    Room {
        /// The new room.
        room: RoomInfo,
    },
    /// The link between instances broke or healed.
    Service {
        /// Its state now.
        bus: BusState,
    },
    /// Another tab of the same person has read this far.
    Read {
        /// Which room.
        room: RoomId,
        /// The newest entry seen.
        seq: Seq,
    },
    /// The answer to `ping`.
    Pong,
    /// The connection is about to be closed by the server.
    Bye {
        /// The close code that follows.
        code: u16,
        /// Why, in words.
        reason: String,
        /// When to come back, in milliseconds; absent: do not.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// Said by a newer server.
    Unknown,
}

impl FromJson for BusState {
    /// The word of a newer server is taken for the careful one.
    fn from_json(value: Value) -> Result<Self, Misread> {
        match value.as_str() {
            Some("live") => Ok(Self::Live),
            Some(_) => Ok(Self::Degraded),
            None => Err(Misread("bus")),
        }
    }
}

crate::from_json!(AdvertisedLimits { body_chars, body_bytes, frame_bytes, rooms });

impl FromJson for ServerFrame {
    fn from_json(value: Value) -> Result<Self, Misread> {
        let mut object = Object::of(value)?;
        let kind: String = object.take("t")?;
        Ok(match kind.as_str() {
            "welcome" => Self::Welcome {
                conn: object.take("conn")?,
                epoch: object.take("epoch")?,
                you: object.take("you")?,
                limits: object.take("limits")?,
                ping_ms: object.take("ping_ms")?,
                bus: object.take("bus")?,
                instance: object.take("instance")?,
            },
            "subscribed" => {
                Self::Subscribed { room: object.take("room")?, epoch: object.take("epoch")?, seq: object.take("seq")? }
            }
            "unsubscribed" => Self::Unsubscribed { room: object.take("room")? },
            "entries" => Self::Entries { room: object.take("room")?, entries: object.take("entries")? },
            "reset" => Self::Reset {
                room: object.take("room")?,
                epoch: object.take("epoch")?,
                after: object.take("after")?,
                seq: object.take("seq")?,
                reason: object.take("reason")?,
            },
            "page" => Self::Page {
                room: object.take("room")?,
                before: object.take("before")?,
                entries: object.take("entries")?,
            },
            "ack" => Self::Ack {
                key: object.take("key")?,
                room: object.take("room")?,
                seq: object.take("seq")?,
                at: object.take("at")?,
                duplicate: object.take("duplicate")?,
            },
            "nack" => Self::Nack { key: object.take("key")?, refusal: Refusal::from_fields(&mut object)? },
            "error" => Self::Error {
                reference: object.take("ref")?,
                room: object.take("room")?,
                refusal: Refusal::from_fields(&mut object)?,
            },
            "typing" => Self::Typing { room: object.take("room")?, who: object.take("who")? },
            "presence" => Self::Presence {
                room: object.take("room")?,
                online: object.take("online")?,
                full: object.take("full")?,
                joined: object.take("joined")?,
                left: object.take("left")?,
            },
            "room" => Self::Room { room: object.take("room")? },
            "service" => Self::Service { bus: object.take("bus")? },
            "read" => Self::Read { room: object.take("room")?, seq: object.take("seq")? },
            "pong" => Self::Pong,
            "bye" => Self::Bye {
                code: object.take("code")?,
                reason: object.take("reason")?,
                retry_after_ms: object.take("retry_after_ms")?,
            },
            _ => Self::Unknown,
        })
    }
}

crate::deserialize_from_json!(BusState, AdvertisedLimits, ServerFrame);
