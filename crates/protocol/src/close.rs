//! Why a socket is closed, and whether the client should come back: one table.

use serde::{Deserialize, Serialize};

/// A reason to close a socket. 4000-4499: come back. 4500-4999: do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Close {
    /// The server goes away or restarts; the hint says when to come back.
    Restarting,
    /// The instance is full; the hint says when to come back.
    Overloaded,
    /// Broke RFC 6455.
    ProtocolError,
    /// A binary frame: this protocol is text.
    Binary,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A frame or message over 64 KiB.
    TooBig,
    /// No `hello` in time.
    NoHello,
    /// Too many malformed frames.
    Malformed,
    /// A frame before `hello`.
    BeforeHello,
    /// Went on after being told to slow down.
    RateLimited,
    /// Reads too slowly; resume from the last entry seen.
    TooSlow,
    /// A message that was begun and not finished in time.
    Unfinished,
    /// No pong.
    NoPong,
    /// Signed out, revoked or banned.
    Revoked,
    /// Speaks a version this server does not.
    Version,
}

impl Close {
    /// Every reason, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::Restarting,
        Self::Overloaded,
        Self::ProtocolError,
        Self::Binary,
        Self::InvalidUtf8,
        Self::TooBig,
        Self::NoHello,
        Self::Malformed,
        Self::BeforeHello,
        Self::RateLimited,
        Self::TooSlow,
        Self::Unfinished,
        Self::NoPong,
        Self::Revoked,
        Self::Version,
    ];

    /// The number in the Close frame (RFC 6455 section 7.4 for those below 4000).
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::ProtocolError => 1002,
            Self::Binary => 1003,
            Self::InvalidUtf8 => 1007,
            Self::TooBig => 1009,
            Self::Restarting => 1012,
            Self::Overloaded => 1013,
            Self::NoHello => 4001,
            Self::Malformed => 4002,
            Self::BeforeHello => 4003,
            Self::RateLimited => 4008,
            Self::TooSlow => 4010,
            Self::Unfinished => 4011,
            Self::NoPong => 4012,
            Self::Revoked => 4500,
            Self::Version => 4502,
        }
    }

    /// The reason in words, at most 123 bytes (what a Close frame can carry).
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Restarting => "the server restarts; come back",
            Self::Overloaded => "over capacity; come back later",
            Self::ProtocolError => "protocol error",
            Self::Binary => "binary frames are not understood; send text",
            Self::InvalidUtf8 => "text must be UTF-8",
            Self::TooBig => "a message is at most 65536 bytes",
            Self::NoHello => "no hello within 10 s",
            Self::Malformed => "5 malformed frames within 10 s",
            Self::BeforeHello => "the first frame must be hello",
            Self::RateLimited => "rate limit ignored",
            Self::TooSlow => "too slow; resume from the last entry seen",
            Self::Unfinished => "a message not finished within 30 s",
            Self::NoPong => "no pong within 8 s",
            Self::Revoked => "signed out",
            Self::Version => "supported versions: 1",
        }
    }

    /// Whether a client that got close code `code` should connect again.
    ///
    /// Everything outside 4500-4999 is worth another try: the client's own backoff bounds the rate.
    #[must_use]
    pub const fn should_return(code: u16) -> bool {
        !matches!(code, 4500..=4999)
    }
}
