//! The heartbeat's memory: which beats went out, which came back. A beat travels like any news, so its echo
//! proves publishing and hearing at once; a connection that merely stays open proves nothing (F8).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Between two beats: three of them fit into [`DEAD_AFTER`], so one late echo is not a death.
pub(super) const EVERY: Duration = Duration::from_secs(2);

/// The link is dead when the newest beat that came back was sent longer ago than this (fault F-06: noticed in 6 s).
pub(super) const DEAD_AFTER: Duration = Duration::from_secs(6);

/// Beats on their way; more than three would already be a dead link.
const ON_THE_WAY: usize = 4;

/// The beats of one connection.
pub(super) struct Pulse {
    /// Unlike any other connection's, so that a beat Redis held back while frozen is not taken for ours.
    session: u64,
    sent: u64,
    on_the_way: VecDeque<(u64, Instant)>,
    proved: Instant,
}

impl Pulse {
    /// The connection is given [`DEAD_AFTER`] from `now` to answer for the first time.
    pub(super) fn new(session: u64, now: Instant) -> Self {
        Self { session, sent: 0, on_the_way: VecDeque::with_capacity(ON_THE_WAY), proved: now }
    }

    /// The next beat's payload.
    pub(super) fn beat(&mut self, now: Instant) -> String {
        if self.on_the_way.len() == ON_THE_WAY {
            self.on_the_way.pop_front();
        }
        self.sent += 1;
        self.on_the_way.push_back((self.sent, now));
        format!("{:016x}.{}", self.session, self.sent)
    }

    /// A beat came back: how long it took, or `None` when it is not one of ours.
    pub(super) fn echo(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let (session, number) = std::str::from_utf8(payload).ok()?.split_once('.')?;
        if u64::from_str_radix(session, 16).ok()? != self.session {
            return None;
        }
        let number: u64 = number.parse().ok()?;
        let (_, sent) = *self.on_the_way.iter().find(|(sent, _)| *sent == number)?;
        self.on_the_way.retain(|(sent, _)| *sent > number);
        // The link was alive when this beat left; it says nothing about the time since.
        self.proved = self.proved.max(sent);
        Some(now.saturating_duration_since(sent))
    }

    /// When to give this connection up, unless another beat comes back.
    pub(super) fn deadline(&self) -> Instant {
        self.proved + DEAD_AFTER
    }
}
