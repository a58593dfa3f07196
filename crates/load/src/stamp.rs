//! What is said in a bench: `speaker:counter:nonce` and padding.
//!
//! The nonce follows from the run, the speaker and the counter, so a receiver can tell a message
//! of this run from anything else without being told what was sent.

use std::hash::{BuildHasher, RandomState};

/// One run of the generator; names and bodies of two runs never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run(pub(crate) u64);

/// Which message: the `counter`-th of a speaker, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stamp {
    /// Who says it.
    pub(crate) speaker: u32,
    /// How many this speaker has said before.
    pub(crate) counter: u32,
}

impl Run {
    /// A run unlike any other.
    pub(crate) fn fresh() -> Self {
        // The standard library seeds this from the system's randomness; a bench needs no more.
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// A short word for names of rooms and people.
    pub(crate) fn word(self) -> String {
        format!("{:08x}", self.0 >> 32)
    }

    /// The text of a message, `bytes` long, or as short as its stamp allows. ASCII.
    pub(crate) fn body(self, stamp: Stamp, bytes: usize) -> String {
        let mut body = format!("{}:{}:{:016x}", stamp.speaker, stamp.counter, self.nonce(stamp));
        if body.len() + 1 < bytes {
            body.push(' ');
            body.extend(std::iter::repeat_n('.', bytes - body.len()));
        }
        body
    }

    /// Which message of this run a text is; `None` for anything that differs from what was sent.
    pub(crate) fn read(self, body: &str) -> Option<Stamp> {
        let (head, padding) = body.split_once(' ').unwrap_or((body, ""));
        let mut parts = head.split(':');
        let stamp = Stamp { speaker: parts.next()?.parse().ok()?, counter: parts.next()?.parse().ok()? };
        let nonce = u64::from_str_radix(parts.next()?, 16).ok()?;
        let intact = parts.next().is_none() && padding.bytes().all(|byte| byte == b'.');
        (intact && nonce == self.nonce(stamp)).then_some(stamp)
    }

    /// `SplitMix64`'s mixing step: every bit of the input moves every bit of the output.
    fn nonce(self, stamp: Stamp) -> u64 {
        let mut x = self.0 ^ (u64::from(stamp.speaker) << 32 | u64::from(stamp.counter));
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}
