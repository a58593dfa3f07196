//! Identities: who, where, which entry, which store, which user action.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

use crate::json::{FromJson, Misread, Value};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl FromJson for $name {
            fn from_json(value: Value) -> Result<Self, Misread> {
                i64::from_json(value).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A room, for ever: its slug and name may change, this number does not.
    RoomId
}
id! {
    /// A person, guest or bot.
    UserId
}
id! {
    /// The number of an entry in its room's log: 1, 2, 3, … without a hole. 0 is "before the first".
    Seq
}

impl Seq {
    /// Before the first entry: the position of somebody who has seen nothing.
    pub const ZERO: Self = Self(0);

    /// The number that must come next in a log without holes. Saturates: a stranger may have said any number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number before this one, never below zero.
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(if self.0 > 0 { self.0 - 1 } else { 0 })
    }
}

/// The identity of a store, made when the database is created and renewed by a restore.
///
/// A sequence number means nothing without it: after a restore the same numbers
/// may name other entries, and a client that resumed by number alone would keep a false history.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub String);

impl Epoch {
    /// A new epoch, unlike any before: 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn fresh() -> Self {
        Self(fresh().simple().to_string())
    }
}

impl FromJson for Epoch {
    fn from_json(value: Value) -> Result<Self, Misread> {
        String::from_json(value).map(Self)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A UUID of version 7: the milliseconds, and 74 bits by chance. Two of one millisecond are in no order, and nobody asks.
fn fresh() -> Uuid {
    Uuid::new_v7(Timestamp::now(NoContext))
}

/// Version 8, then 12 bits that mean a foreign channel to us; no version 7 can have them.
const FOREIGN: (u8, u8) = (0x8b, 0x1d);

/// The name of one user action (a send, an edit), minted once and kept through every retry.
///
/// `(author, key)` is unique in SQL for ever, so sending again is always safe.
/// On the wire it is the 36-character hyphenated lower-case form of a UUID; new ones are version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Key(pub Uuid);

impl Key {
    /// A new key for a new user action.
    #[must_use]
    pub fn mint() -> Self {
        Self(fresh())
    }

    /// The key of an action that has another name already, from a SHA-256 of that name: always the same, and never one
    /// that was minted, since version 8 is for bits of one's own (RFC 9562, section 5.8).
    #[must_use]
    pub fn derived(digest: [u8; 32]) -> Self {
        let mut half = [0_u8; 16];
        half.copy_from_slice(&digest[..16]);
        let mut bytes = uuid::Builder::from_custom_bytes(half).into_uuid().into_bytes();
        // One digest in 4,096 has the mark of what came from a foreign channel by chance.
        if (bytes[6], bytes[7]) == FOREIGN {
            bytes[7] ^= 1;
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// A new key for a message that came in from a foreign channel: version 8, with a mark that stays with the
    /// entry for ever. Whoever publishes a room's entries to foreign channels leaves out those that came from one.
    #[must_use]
    pub fn mint_foreign() -> Self {
        let mut bytes = fresh().into_bytes();
        (bytes[6], bytes[7]) = FOREIGN;
        Self(Uuid::from_bytes(bytes))
    }

    /// Whether [`Key::mint_foreign`] made it.
    #[must_use]
    pub fn is_foreign(self) -> bool {
        (self.0.as_bytes()[6], self.0.as_bytes()[7]) == FOREIGN
    }

    /// Reads the hyphenated lower-case form.
    ///
    /// `None` for anything else: one spelling per key, so that no cache or log ever holds two and a client
    /// finds the very text it sent in the answer. The nil UUID is nobody's action and refused as well.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok().filter(|uuid| !uuid.is_nil())?;
        let mut canonical = Uuid::encode_buffer();
        (uuid.hyphenated().encode_lower(&mut canonical) == text).then_some(Self(uuid))
    }
}

impl FromJson for Key {
    fn from_json(value: Value) -> Result<Self, Misread> {
        value.as_str().and_then(Self::parse).ok_or(Misread("key"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(input)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("it must be a UUID of 36 characters, lower case with hyphens"))
    }
}

/// How far somebody has got in a room: everything up to and including `seq` is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The room.
    pub room: RoomId,
    /// The store that `seq` belongs to.
    pub epoch: Epoch,
    /// The last entry known.
    pub seq: Seq,
}
