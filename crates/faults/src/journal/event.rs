//! The events of a run. Short names, since there are millions of them; what is absent is left out.

use serde::{Deserialize, Serialize};
use tertulia_protocol::{Epoch, Key, RoomId, Seq, UserId};

use super::{Digest, Mono, Stamp};

/// One line of a journal: who noted what, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it was noted.
    pub mono: Mono,
    /// The process that noted it: one client, one door, the nemesis. Unlike any other of the run.
    pub p: String,
    /// What it noted.
    #[serde(flatten)]
    pub what: What,
}

/// What can be noted. Tagged by `op`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum What {
    /// A message on its way in: the intent before each try, and what became of that try.
    Send(Attempt),
    /// An entry on its way out. Everything that comes over the wire is noted, before the client drops or applies it.
    Recv(Receipt),
    /// Some numbers will not come by themselves, and the client knows it.
    Resync(Resync),
    /// A room is followed, or followed again after the link was lost: the server's answer.
    Subscribe(Follow),
    /// A room is no longer followed: after the server's answer, or after a plain door was closed for good.
    Unsubscribe {
        /// Which room.
        room: RoomId,
    },
    /// The link was lost. What is owed stays owed: the client resumes by a [`What::Subscribe`].
    Lost,
    /// The process became a member: it may see this number and what comes after it. Who never notes this in a room
    /// is a member of all of it.
    Join {
        /// Which room.
        room: RoomId,
        /// The first number it may see.
        seq: Seq,
    },
    /// The process is a member no more, whether it left or was removed.
    Leave {
        /// Which room.
        room: RoomId,
        /// The first number it may not see.
        seq: Seq,
    },
    /// A fault begins or ends.
    Fault {
        /// Which moment.
        t: Switch,
        /// Its name, such as `F-06`.
        f: String,
        /// What it is done to, such as an instance; empty for everything.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        on: String,
    },
    /// What an instance says a room's log is, after healing. A long log may come in several of these.
    Final(Final),
    /// What is true of a person, noted by whoever makes it so.
    Person(Person),
    /// What an observer is told of people.
    Presence(Presence),
    /// A process under test was started or ended.
    Process(Process),
    /// What the page says of the connection, in its own word.
    Status {
        /// The word, such as `live` or `degraded`.
        word: String,
    },
    /// Noted by a newer version of the tool.
    #[serde(other)]
    Unknown,
}

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
    /// Whether it is part of the one ordered stream of a door; what was asked for may come again and late.
    #[must_use]
    pub fn is_stream(self) -> bool {
        !matches!(self, Self::History | Self::Reset)
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

/// Beginning or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// It begins.
    Start,
    /// It ends, everything is as before.
    Stop,
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

/// What is true of a person in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Which room.
    pub room: RoomId,
    /// By a name that nobody else in the run has.
    pub who: String,
    /// What happened.
    pub t: Life,
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// The first of their connections follows the room: noted after the server's answer.
    Came,
    /// The last of their connections ended, in whatever way.
    Went,
}

/// What an observer is told of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Which room.
    pub room: RoomId,
    /// What is said of them.
    pub t: Told,
    /// Their names.
    pub who: Vec<String>,
}

/// What is said of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// They, and nobody else, are here.
    List,
    /// They came.
    Joined,
    /// They went.
    Left,
}

/// A process under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Process {
    /// It answers.
    Up {
        /// Its name, such as `a` or `redis`.
        name: String,
    },
    /// It is gone.
    Down {
        /// Its name.
        name: String,
        /// How it came to its end.
        how: How,
        /// Its exit code; absent when a signal ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
        /// Milliseconds from the signal until it was gone.
        ms: u64,
    },
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// `kill -9`.
    Kill,
    /// SIGTERM.
    Term,
    /// Nobody asked it to.
    Itself,
}
