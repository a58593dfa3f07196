//! Whether a link still lives: a browser asks when it has heard nothing for a while, and gives up when nothing comes.

use std::time::Duration;

use tertulia_protocol::limits::PONG_MS;
use tokio::time::Instant;

/// How long an answer to a ping may take.
const PATIENCE: Duration = Duration::from_millis(PONG_MS);

/// The signs of life of one link.
pub(super) struct Pulse {
    /// The longest silence before one asks.
    every: Duration,
    heard: Instant,
    /// Since when an answer is waited for.
    asked: Option<Instant>,
}

/// What a silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing yet.
    Fine,
    /// Now is the time to ask.
    Ask,
    /// The link is dead.
    Dead,
}

impl Pulse {
    /// Of a link that has just been welcomed.
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self { every, heard: now, asked: None }
    }

    /// Something came.
    pub(super) fn heard(&mut self, now: Instant) {
        (self.heard, self.asked) = (now, None);
    }

    /// How long nothing has come.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// When to look again.
    pub(super) fn due(&self) -> Instant {
        self.asked.map_or(self.heard + self.every, |asked| asked + PATIENCE)
    }

    /// What to do now. Says [`Beat::Ask`] once for each silence.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        match self.asked {
            _ if now < self.due() => Beat::Fine,
            Some(_) => Beat::Dead,
            None => {
                self.asked = Some(now);
                Beat::Ask
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_link_is_asked_once_and_then_given_up() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pulse = Pulse::new(Duration::from_secs(25), start);
        assert_eq!((pulse.beat(at(24)), pulse.beat(at(25)), pulse.beat(at(26))), (Beat::Fine, Beat::Ask, Beat::Fine));
        pulse.heard(at(30));
        assert_eq!(pulse.beat(at(54)), Beat::Fine, "any word is a sign of life");
        assert_eq!((pulse.beat(at(55)), pulse.due()), (Beat::Ask, at(63)));
        assert_eq!((pulse.beat(at(63)), pulse.silence(at(63))), (Beat::Dead, Duration::from_secs(33)));
    }
}
