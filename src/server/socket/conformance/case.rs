//! One case: what is sent, in which pieces, and what must come back, frame by frame.

use std::fmt;

use super::wire::{BINARY, CLOSE, FIN, Frame, PING, PONG, TEXT, masked};

/// Every frame is masked with this: no byte of it is zero, no two are alike.
const MASK: [u8; 4] = [0x1d, 0x85, 0xf0, 0x3a];

/// Bytes of a frame that is shown when a case fails.
const SHOWN: usize = 60;

/// What comes back.
#[derive(PartialEq, Eq)]
pub(super) enum Heard {
    Text(Vec<u8>),
    Pong(Vec<u8>),
    /// With this code, 0 for none. The end of the connection follows.
    Close(u16),
}

impl From<Frame> for Heard {
    fn from(frame: Frame) -> Self {
        match frame.opcode {
            TEXT => Self::Text(frame.payload),
            PONG => Self::Pong(frame.payload),
            CLOSE => Self::Close(frame.close_code()),
            _ => panic!("an echo of text never sends {frame:?}"),
        }
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, payload) = match self {
            Self::Text(payload) => ("text", payload),
            Self::Pong(payload) => ("pong", payload),
            Self::Close(code) => return write!(f, "close {code}"),
        };
        let shown = payload[..payload.len().min(SHOWN)].escape_ascii();
        write!(f, "{kind} of {} bytes: {shown}", payload.len())
    }
}

/// How what is sent is handed to TCP, which may join the pieces again: where it matters that it does not, something is
/// heard in between.
#[derive(Clone, Copy)]
pub(super) enum Pieces {
    /// All frames at once.
    One,
    /// Each frame, or whatever the case calls one, by itself.
    Frames,
    /// So many bytes at a time.
    Of(usize),
}

/// Something is sent, and then something is heard.
pub(super) struct Round {
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) heard: Vec<Heard>,
}

/// One case. If nobody has closed after its last round, the client does, and is answered.
pub(super) struct Case {
    /// Its number in the suite.
    pub(super) number: String,
    pub(super) pieces: Pieces,
    pub(super) rounds: Vec<Round>,
}

/// A case that sends these frames and hears exactly this.
pub(super) fn case(number: impl Into<String>, sent: impl Into<Vec<Vec<u8>>>, heard: impl Into<Vec<Heard>>) -> Case {
    Case { number: number.into(), pieces: Pieces::One, rounds: Vec::new() }.then(sent, heard)
}

impl Case {
    pub(super) fn then(mut self, sent: impl Into<Vec<Vec<u8>>>, heard: impl Into<Vec<Heard>>) -> Self {
        self.rounds.push(Round { sent: sent.into(), heard: heard.into() });
        self
    }

    pub(super) fn in_pieces(self, pieces: Pieces) -> Self {
        Self { pieces, ..self }
    }
}

/// A frame: its first byte, and what it carries.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first, payload, MASK)
}

pub(super) fn text(payload: &[u8]) -> Vec<u8> {
    frame(FIN | TEXT, payload)
}

pub(super) fn binary(payload: &[u8]) -> Vec<u8> {
    frame(FIN | BINARY, payload)
}

pub(super) fn ping(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PING, payload)
}

pub(super) fn pong(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PONG, payload)
}

pub(super) fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// What is heard of a text that was sent.
pub(super) fn echo(payload: &[u8]) -> Heard {
    Heard::Text(payload.to_vec())
}

/// What is heard of a ping that was sent.
pub(super) fn answer(payload: &[u8]) -> Heard {
    Heard::Pong(payload.to_vec())
}
