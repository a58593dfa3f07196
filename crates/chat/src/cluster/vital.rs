//! The vital signs of an instance: what each says of itself while somebody watches, about once a second.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tertulia_protocol::RoomId;
use tokio::time::Instant;

/// How often an instance says how it is, while somebody watches.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
/// Longest name of an instance that is believed, in bytes: as long as the settings allow.
pub(crate) const NAME_BYTES: usize = 64;
/// Rooms that are named, of those an instance follows, so that a travelling message knows where to go: 64 numbers are
/// 1 KiB a second.
pub(crate) const ROOMS_NAMED: usize = 64;
/// Largest count that is believed: more sockets, rooms or messages a second than any instance has.
const COUNT: u64 = 100_000_000;
/// Largest age that is believed, in seconds: a hundred years.
const AGE_S: u64 = 100 * 365 * 24 * 60 * 60;
/// Largest echo that is believed, in microseconds: a heartbeat is dead after 6 s.
const ECHO_US: u64 = 60_000_000;
/// Longest that a cut may last, and so the longest that is believed.
pub(crate) const CUT: Duration = Duration::from_secs(5 * 60);
/// Samples that a rate is made of: the first and the last of 3 s.
const SAMPLES: usize = 4;

/// What an instance says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vital {
    /// Its name for people.
    pub(crate) name: String,
    pub(crate) up_s: u64,
    pub(crate) sockets: u64,
    pub(crate) rooms: u64,
    /// Of those rooms, at most [`ROOMS_NAMED`].
    #[serde(default)]
    pub(crate) following: Vec<RoomId>,
    /// In tenths per second.
    pub(crate) said: u64,
    /// In tenths per second.
    pub(crate) told: u64,
    #[serde(default)]
    pub(crate) echo_us: Option<u64>,
    #[serde(default)]
    pub(crate) degraded: bool,
    /// Seconds until its cut heals, while it is cut: the last thing that it says.
    #[serde(default)]
    pub(crate) cut_s: Option<u64>,
    #[serde(default)]
    pub(crate) island: bool,
}

impl Vital {
    /// What can be believed of it; `None` for a name that nobody could have given.
    #[must_use]
    pub(crate) fn bounded(mut self) -> Option<Self> {
        if !is_name(&self.name) {
            return None;
        }
        self.following.truncate(ROOMS_NAMED);
        for count in [&mut self.sockets, &mut self.rooms, &mut self.said, &mut self.told] {
            *count = (*count).min(COUNT);
        }
        self.up_s = self.up_s.min(AGE_S);
        self.echo_us = self.echo_us.map(|us| us.min(ECHO_US));
        self.cut_s = self.cut_s.map(|left| left.min(CUT.as_secs()));
        Some(self)
    }
}

/// Whether an instance can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES && !name.chars().any(char::is_control)
}

/// Two counters that only grow, as rates over the last seconds.
#[derive(Default)]
pub(crate) struct Rates(VecDeque<(Instant, u64, u64)>);

impl Rates {
    /// Looks at the counters; more often than once in most of a second changes nothing.
    pub(crate) fn sample(&mut self, now: Instant, said: u64, told: u64) {
        let soon = self.0.back().is_some_and(|(last, ..)| now.saturating_duration_since(*last) < EVERY * 9 / 10);
        if soon {
            return;
        }
        if self.0.len() == SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back((now, said, told));
    }

    /// Both in tenths per second.
    #[must_use]
    pub(crate) fn tenths(&self) -> (u64, u64) {
        let (Some((from, said_then, told_then)), Some((to, said, told))) = (self.0.front(), self.0.back()) else {
            return (0, 0);
        };
        let ms = u64::try_from(to.saturating_duration_since(*from).as_millis()).unwrap_or(u64::MAX);
        // Up, so that a single message is not lost in the rounding.
        let rate = |now: u64, then: u64| match ms {
            0 => 0,
            ms => now.saturating_sub(then).saturating_mul(10_000).div_ceil(ms),
        };
        (rate(*said, *said_then), rate(*told, *told_then))
    }
}
