//! Entries on their way out: what arrived, what was followed, what will not come by itself; and the log at the end.

use serde::{Deserialize, Serialize};
use tertulia_protocol::{Epoch, Key, RoomId, Seq, UserId};

use super::{Digest, Door, Stamp};

/// An entry that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Of which room.
    pub room: RoomId,
    /// Of which store.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// Its name, if the door has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its key, if the door tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Of its body, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h: Option<Digest>,
    /// On which way.
    pub src: Src,
}

/// On which way an entry arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Src {
    /// Frames, as it happened.
    Live,
    /// Frames, what was missed while the link was lost.
    Resume,
    /// Asked for: a gap that is pulled, an older page.
    History,
    /// The fresh beginning after a reset.
    Reset,
    /// A plain stream of events, live or resumed.
    Events,
    /// A raw socket, live or resumed.
    Raw,
}

impl Src {
    /// Whether it is part of the one ordered stream of a door, as all is but what was asked for: that may come again and
    /// late.
    #[must_use]
    pub fn is_stream(self) -> bool {
        self != Self::History
    }
}

/// Numbers that will not come by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// Of which room.
    pub room: RoomId,
    /// Why.
    pub reason: Reason,
    /// The first of them.
    pub from: Seq,
    /// The last of them; the client stands there after a reset.
    pub to: Seq,
}

/// Why numbers will not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The client saw a hole and pulls it: they are still owed.
    Gap,
    /// The server said so: too much was missed, or the store is another. They are not owed.
    Reset,
}

/// A room that is followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Which room.
    pub room: RoomId,
    /// Of which store.
    pub epoch: Epoch,
    /// The last entry that the client knows: what comes after it is owed.
    pub after: Seq,
    /// Through which instance.
    pub via: String,
    /// Through which door.
    pub door: Door,
}

/// What an instance says a room's log is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Final {
    /// Which room.
    pub room: RoomId,
    /// Which instance says so.
    pub via: String,
    /// Of which store.
    pub epoch: Epoch,
    /// All entries, in the order in which they were told.
    pub log: Vec<Logged>,
}

/// An entry of a final log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// Its number.
    pub seq: Seq,
    /// What it is.
    pub kind: Kind,
    /// Who caused it.
    pub author: UserId,
    /// Its key; absent for what the server did by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Of its body, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<Digest>,
    /// The stamp in its body, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
}

/// What an entry is, by the words of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The room was made.
    Created,
    /// Somebody became a member.
    Joined,
    /// Somebody stopped being one.
    Left,
    /// Somebody was removed.
    Removed,
    /// The room got another name.
    Renamed,
    /// The room got another topic.
    TopicSet,
    /// A message.
    Posted,
    /// A message got another text.
    Edited,
    /// A message was taken back.
    Deleted,
    /// A reaction was put on.
    Reacted,
    /// A reaction was taken off.
    Unreacted,
    /// A kind of a newer version.
    #[serde(other)]
    Unknown,
}

impl Kind {
    /// Whether it must have been sent by somebody of the run; the others have their cause in the run itself, which
    /// makes rooms and lets people come and go.
    #[must_use]
    pub fn needs_a_send(self) -> bool {
        !matches!(self, Self::Created | Self::Joined | Self::Left | Self::Removed | Self::Renamed | Self::TopicSet)
    }
}
