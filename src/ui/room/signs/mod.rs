//! Whose sign of writing is the last: each is shown for its time, and a later one has a time of its own.

#[cfg(test)]
mod tests;

use tertulia_protocol::UserId;

/// People shown as writing; more would not fit the line.
pub(super) const TYPING: usize = 4;

/// The last signs of those who are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    given: u64,
    last: Vec<(UserId, u64)>,
}

impl Signs {
    /// Somebody gives a sign: its number.
    pub(super) fn give(&mut self, who: UserId) -> u64 {
        self.given += 1;
        self.last.retain(|(known, _)| *known != who);
        self.last.push((who, self.given));
        let excess = self.last.len().saturating_sub(TYPING);
        self.last.drain(..excess);
        self.given
    }

    /// Whether it is somebody's last: when its time is over, nothing later keeps them shown.
    pub(super) fn is_last(&self, who: UserId, sign: u64) -> bool {
        self.last.contains(&(who, sign))
    }
}
