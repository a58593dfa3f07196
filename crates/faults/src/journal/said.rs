//! Messages on their way in: tries, their outcomes, and through which door.

use serde::{Deserialize, Serialize};
use tertulia_protocol::{Key, RoomId, Seq, UserId};

use super::{Digest, Stamp};

/// One try to send a message. All tries of one message share its stamp (and key, where there is one) and its process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// To which room.
    pub room: RoomId,
    /// Which message.
    pub stamp: Stamp,
    /// How far it got.
    #[serde(flatten)]
    pub step: Step,
}

/// How far a try got. Tagged by `t`. A try without an outcome counts as `info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Step {
    /// It will be made: noted, and on disk, before anything is sent.
    Invoke {
        /// The key under which the server stores it, where the client says which.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Key>,
        /// As whom, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        author: Option<UserId>,
        /// Bytes of the body.
        n: usize,
        /// Of the body.
        h: Digest,
        /// Through which instance; for the bridge, through Redis.
        via: String,
        /// Through which door.
        door: Door,
        /// Which connection of the process, if it sends without waiting for answers: such sends keep their order as
        /// long as each needs one try.
        #[serde(skip_serializing_if = "Option::is_none")]
        conn: Option<u32>,
    },
    /// It is durable.
    Ok {
        /// The number it got.
        seq: Seq,
        /// The name of the entry, if the door has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Whether an earlier try had stored it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dup: bool,
    },
    /// This try stored nothing, for certain.
    Fail {
        /// The server's word.
        code: String,
    },
    /// Nobody knows: a timeout, a lost link, a door that answers nothing.
    Info {
        /// Why.
        code: String,
    },
}

/// The doors of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Frames over a WebSocket: the client sees gaps and pulls them.
    Live,
    /// The same frames over server-sent events and POST.
    Sse,
    /// `POST /publish/{room}`.
    Publish,
    /// A channel of Redis.
    Bridge,
    /// A raw WebSocket. It answers nothing, and must be exact by itself.
    Raw,
    /// A plain stream of events, which must be exact by itself.
    Events,
}

impl Door {
    /// Whether its clients repair gaps themselves, by the rules of the protocol.
    #[must_use]
    pub fn repairs(self) -> bool {
        matches!(self, Self::Live | Self::Sse)
    }
}
