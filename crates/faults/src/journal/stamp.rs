//! What is said in a run, and what is remembered of it: `sender:counter:random`, padding, and a digest of both.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The name of one message, carried in its body: any text that arrives anywhere names the send that caused it, also
/// where no key is told. In JSON and in bodies `17:4:00c0ffee00c0ffee`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Who says it, by a number that nobody else in the run has.
    pub sender: u32,
    /// How many messages this sender has named before.
    pub counter: u32,
    /// Drawn for each message, so that no body can be guessed from another.
    pub random: u64,
}

impl Stamp {
    /// The text of the message, `bytes` long, or as short as its stamp allows. ASCII, with no space at the end, so
    /// that no server has a reason to change it.
    #[must_use]
    pub fn body(self, bytes: usize) -> String {
        let mut body = self.to_string();
        if body.len() + 1 < bytes {
            body.push(' ');
            body.extend(std::iter::repeat_n('.', bytes - body.len()));
        }
        body
    }

    /// The stamp at the head of a body; `None` when there is none. Whether the rest is as it was said, its
    /// [`Digest`] tells.
    #[must_use]
    pub fn of(body: &str) -> Option<Self> {
        Self::parse(body.split_once(' ').map_or(body, |(head, _)| head))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (sender, counter) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let random = hex(parts.next()?)?;
        let stamp = Self { sender, counter, random };
        // `+1` and `01` are numbers too, but nothing that was ever said.
        (stamp.to_string() == text).then_some(stamp)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{:016x}", self.sender, self.counter, self.random)
    }
}

/// The first 8 bytes of a body's SHA-256: enough to see any change that is not made to hide. In JSON 16 hexadecimal
/// digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// Of a body.
    #[must_use]
    pub fn of(body: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(body).into();
        Self(digest[..8].iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Exactly 16 lower-case hexadecimal digits: one spelling each.
fn hex(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    digits.then(|| u64::from_str_radix(text, 16).ok())?
}

macro_rules! as_text {
    ($name:ident, $parse:expr, $what:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                output.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(input)?;
                $parse(&text).ok_or_else(|| serde::de::Error::custom($what))
            }
        }
    };
}

as_text!(Stamp, Stamp::parse, "a stamp is sender:counter:random, the last as 16 hexadecimal digits");
as_text!(Digest, |text| hex(text).map(Digest), "a digest is 16 hexadecimal digits");
