//! The events of a run. Short names, since there are millions of them; what is absent is left out.

use serde::{Deserialize, Serialize};
use tertulia_protocol::{RoomId, Seq};

use super::{Attempt, Door, Final, Follow, Mono, Receipt, Resync};

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
    Lost {
        /// Whether it was the client's own doing and lasts as long as it likes, whatever the server does.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        own: bool,
    },
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
    /// The server let go of a socket from which nobody read any more.
    Freed(Freed),
    /// The server ended the connection of somebody who had signed out elsewhere.
    Revoked(Revoked),
    /// What is heard on a channel of Redis that a room is joined to.
    Channel(Channel),
    /// What the page says of the connection, in its own word.
    Status {
        /// The word, such as `live` or `degraded`.
        word: String,
        /// The instance whose page it is.
        #[serde(default)]
        via: String,
    },
    /// Noted by a newer version of the tool.
    #[serde(other)]
    Unknown,
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

/// What is true of a person in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Which room.
    pub room: RoomId,
    /// By a name that nobody else in the run has.
    pub who: String,
    /// What happened.
    pub t: Life,
    /// Through which instance they are there; empty where it does not matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub via: String,
    /// Of somebody whose link was lost: when it last gave a sign of life. From then on they may have been missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Mono>,
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

/// A socket from which its client had stopped reading, and that the server let go of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// In which way nobody read.
    pub t: Slumber,
    /// Of which instance.
    pub via: String,
    /// Milliseconds from the last byte that was read until the server's end of the connection was gone.
    pub ms: u64,
    /// The close code, if it was among what the client found when it read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// How a client stops reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slumber {
    /// It asks for far more than fits on the way, and takes none of it.
    Stalled,
    /// It asks for nothing and answers no ping, as at the end of a cable that was cut.
    Silent,
}

/// A connection whose person had signed out on another one, and that the server ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Which instance held it.
    pub via: String,
    /// Through which door.
    pub door: Door,
    /// Milliseconds from the answer to the signing out until the end.
    pub ms: u64,
    /// The close code; absent when the connection broke instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// What somebody who listens to a channel of Redis notes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Channel {
    /// Redis has confirmed it: what is published from here on is heard.
    Listening,
    /// A message of a room.
    Heard {
        /// Of which room.
        room: RoomId,
        /// Its number there.
        seq: Seq,
    },
    /// The connection ended: what is published is not heard.
    Lost,
}
