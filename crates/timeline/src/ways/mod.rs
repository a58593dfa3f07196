//! Which way the next try to connect takes: a WebSocket, or a stream of events and requests where sockets are blocked.
//!
//! Proxies that block them answer with an error, or swallow the upgrade: either way a socket is tried on which nothing
//! is ever heard, while the server answers ordinary requests. One such try may be bad luck, two are taken for a rule.

#[cfg(test)]
mod tests;

/// Silent sockets in a row after which it is asked whether the server answers at all. A tab that was blocked before
/// asks after the first.
const SILENT: u8 = 2;
/// How long sockets are left alone once they were found blocked, in milliseconds. Ten minutes: whoever changes the
/// network soon has sockets again, and whoever does not waits for a blocked one six times in an hour at most.
const LEFT_ALONE_MS: i64 = 600_000;

/// How frames travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both ways on one WebSocket.
    Socket,
    /// From the server on a stream of events, to it in requests.
    Stream,
}

/// What a tab has learned about the ways to its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// Sockets in a row on which nothing was heard.
    silent: u8,
    /// Until when sockets are left alone, in Unix milliseconds. Kept when it has passed: here they were blocked once.
    until: Option<i64>,
}

impl Ways {
    /// Nothing is known: a socket first.
    #[must_use]
    pub const fn new() -> Self {
        Self { silent: 0, until: None }
    }

    /// What a tab knew before it was reloaded; anything that it cannot have written is nothing.
    #[must_use]
    pub fn recalled(text: &str) -> Self {
        Self { until: text.parse().ok(), ..Self::new() }
    }

    /// What to remember over a reload; empty when nothing is known.
    #[must_use]
    pub fn to_recall(&self) -> String {
        self.until.map(|until| until.to_string()).unwrap_or_default()
    }

    /// The way of the next try.
    #[must_use]
    pub fn next(&self, now_ms: i64) -> Way {
        // A clock that was set back must not keep sockets away for longer than was meant.
        let left_alone = self.until.is_some_and(|until| (0..=LEFT_ALONE_MS).contains(&until.saturating_sub(now_ms)));
        if left_alone { Way::Stream } else { Way::Socket }
    }

    /// Something was heard that way.
    pub const fn heard(&mut self, way: Way) {
        if let Way::Socket = way {
            *self = Self::new();
        }
    }

    /// A try ended on which nothing was heard. True when it is time to ask whether the server answers ordinary requests:
    /// if so, [`Ways::blocked`].
    pub const fn silent(&mut self, way: Way) -> bool {
        if let Way::Stream = way {
            return false;
        }
        self.silent = self.silent.saturating_add(1);
        self.silent >= SILENT || self.until.is_some()
    }

    /// The server is there and sockets do not reach it: the stream is taken for a while.
    pub fn blocked(&mut self, now_ms: i64) {
        *self = Self { silent: 0, until: Some(now_ms.saturating_add(LEFT_ALONE_MS)) };
    }
}

impl Default for Ways {
    fn default() -> Self {
        Self::new()
    }
}
