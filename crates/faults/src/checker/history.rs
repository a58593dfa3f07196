//! A run as the checker keeps it: by room, and small, since there are millions of receipts.

use std::collections::{BTreeMap, HashMap};

use tertulia_protocol::{Key, RoomId, Seq, UserId};

use super::counts::Counts;
use super::names::{Id, Names};
use super::windows::Windows;
use crate::journal::{Digest, Door, Life, Logged, Mono, Reason, Src, Stamp};

/// Everything that was noted.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) names: Names,
    pub(super) rooms: BTreeMap<RoomId, Room>,
    pub(super) windows: Windows,
    pub(super) counts: Counts,
    /// When processes broke their own links.
    pub(super) away: HashMap<Id, Vec<Mono>>,
    /// What the journals themselves lack or contradict: with one of these nothing is proven.
    pub(super) puzzles: Vec<String>,
    /// When the last event was noted.
    pub(super) end: Mono,
}

/// Everything of one room.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Every message, in the order of first intents.
    pub(super) sends: Vec<Action>,
    /// Where in `sends` a message is.
    pub(super) by_stamp: HashMap<Stamp, usize>,
    pub(super) observers: BTreeMap<Id, Observer>,
    /// The final log as each instance tells it.
    pub(super) logs: BTreeMap<String, ToldLog>,
    pub(super) people: People,
}

/// A final log as one instance tells it.
#[derive(Debug)]
pub(super) struct ToldLog {
    pub(super) epoch: Id,
    pub(super) entries: Vec<Logged>,
}

/// One message with all its tries.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) process: Id,
    pub(super) stamp: Stamp,
    pub(super) key: Option<Key>,
    pub(super) author: Option<UserId>,
    pub(super) digest: Digest,
    pub(super) conn: Option<u32>,
    /// When it could have been stored at the earliest.
    pub(super) first: Mono,
    pub(super) tries: u32,
    /// The first try that was not refused for certain, counted from 1, and when it began: from then on it may be stored.
    pub(super) may: Option<(u32, Mono)>,
    /// That very try was told that an earlier one had stored it.
    pub(super) found: bool,
    /// In the order in which they came; more than one after retries.
    pub(super) acks: Vec<Ack>,
}

/// A send was acknowledged.
#[derive(Debug)]
pub(super) struct Ack {
    pub(super) at: Mono,
    pub(super) seq: Seq,
    /// The name of the entry, if the door told it.
    pub(super) id: Option<Id>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is durable.
    Ok,
    /// No try stored it.
    Fail,
    /// Nobody knows.
    Info,
}

impl Action {
    /// One acknowledgement settles it; a refusal settles only its own try.
    pub(super) fn outcome(&self) -> Outcome {
        match (self.acks.is_empty(), self.may.is_none()) {
            (false, _) => Outcome::Ok,
            (true, true) => Outcome::Fail,
            (true, false) => Outcome::Info,
        }
    }
}

/// What one process saw in a room.
#[derive(Debug, Default)]
pub(super) struct Observer {
    pub(super) steps: Vec<(Mono, Happening)>,
    /// Membership: the number from which it begins (true) or ends.
    pub(super) bounds: Vec<(Seq, bool)>,
}

/// What happens to an observer.
#[derive(Debug)]
pub(super) enum Happening {
    Recv(Arrived),
    Follow {
        epoch: Id,
        after: Seq,
        door: Door,
    },
    Unfollow,
    /// It broke its own link, and will follow again when it likes.
    Away,
    Resync {
        reason: Reason,
        from: Seq,
        to: Seq,
    },
}

/// An entry that arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) epoch: Id,
    pub(super) seq: Seq,
    pub(super) id: Option<Id>,
    pub(super) key: Option<Key>,
    pub(super) digest: Option<Digest>,
    pub(super) src: Src,
}

/// Who was in a room, and who was said to be.
#[derive(Debug, Default)]
pub(super) struct People {
    /// What is true.
    pub(super) lives: BTreeMap<Id, Vec<Turn>>,
    /// What each observer was told.
    pub(super) told: BTreeMap<Id, Vec<(Mono, Saying)>>,
}

/// Somebody came or went.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) at: Mono,
    /// The earliest moment at which it can have happened.
    pub(super) since: Mono,
    pub(super) life: Life,
    /// Through which instance.
    pub(super) via: Id,
}

/// What an observer was told of people.
#[derive(Debug)]
pub(super) enum Saying {
    /// Nothing is known until the next list: the link was lost, or the room is followed anew or no more.
    Void,
    List(Vec<Id>),
    Joined(Vec<Id>),
    Left(Vec<Id>),
}
