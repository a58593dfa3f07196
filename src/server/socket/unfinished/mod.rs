//! Knows since when a WebSocket message waits for its end, and ends the stream at a byte that no text can have.
//! tungstenite keeps fragments to itself and looks at a frame when it is there, so the stream under it is watched.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::utf8::Text;

#[cfg(test)]
mod tests;

/// The bit of a frame's first byte that says that it is the last of its message.
const FIN: u8 = 0x80;
/// The bit of the first byte that control frames have; they come whole, also between fragments.
const CONTROL: u8 = 0x08;
/// The bit of the second byte that says that a mask of four bytes stands before the payload.
const MASKED: u8 = 0x80;
/// The first byte of a frame that begins a text, without [`FIN`]; with other bits beside it, it is not ours to read.
const TEXT: u8 = 0x01;
/// The same of a frame that goes on with what was begun.
const CONTINUATION: u8 = 0x00;

/// Why a stream was ended: what came as text is none.
#[derive(Debug, thiserror::Error)]
#[error("a text that is not UTF-8")]
pub(super) struct NotText;

/// A stream of which the peer's half is watched.
pub(super) struct Watched<S> {
    stream: S,
    framing: Framing,
}

impl<S> Watched<S> {
    /// Watches a stream whose next byte begins a frame.
    pub(super) const fn new(stream: S) -> Self {
        let framing = Framing {
            part: Part::First,
            first: 0,
            mask: [0; 4],
            turn: 0,
            fragments: false,
            begun: None,
            text: None,
            wrong: false,
        };
        Self { stream, framing }
    }

    /// When the message began whose end is still to come; `None` between messages.
    pub(super) const fn begun(&self) -> Option<Instant> {
        self.framing.begun
    }

    /// The stream itself, when nobody cares any more for what is said on it.
    pub(super) const fn unwatched(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // What came before the wrong byte was handed out with it: a message that was whole is heard.
        if self.framing.wrong {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, NotText)));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.framing.pass(&buf.filled()[before..]);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where in RFC 6455's framing (section 5.2) the stream stands. What breaks its rules is tungstenite's to refuse.
struct Framing {
    part: Part,
    /// The first byte of the frame under way.
    first: u8,
    /// Its mask; zeros for none.
    mask: [u8; 4],
    /// Which byte of the mask is for the next one of the payload.
    turn: usize,
    /// Whether the last data frame announced more fragments.
    fragments: bool,
    begun: Option<Instant>,
    /// The text under way, over all its fragments.
    text: Option<Text>,
    /// Whether it can be none.
    wrong: bool,
}

/// What the next byte is.
enum Part {
    First,
    Second,
    /// One of `left` more bytes of the length.
    Length {
        left: u8,
        length: u64,
        masked: bool,
    },
    /// That of the mask with this number, before so many bytes of payload.
    Mask {
        at: usize,
        length: u64,
    },
    /// One of so many.
    Payload(u64),
}

impl Part {
    const fn after_length(length: u64, masked: bool) -> Self {
        if masked { Self::Mask { at: 0, length } } else { Self::Payload(length) }
    }
}

impl Framing {
    fn pass(&mut self, mut bytes: &[u8]) {
        while let [byte, after @ ..] = bytes {
            let mut rest = after;
            self.part = match self.part {
                Part::First => {
                    self.begin_frame(*byte);
                    Part::Second
                }
                Part::Second => {
                    let masked = byte & MASKED != 0;
                    match byte & !MASKED {
                        126 => Part::Length { left: 2, length: 0, masked },
                        127 => Part::Length { left: 8, length: 0, masked },
                        short => Part::after_length(u64::from(short), masked),
                    }
                }
                Part::Length { left, length, masked } => {
                    let length = length << 8 | u64::from(*byte);
                    if left > 1 {
                        Part::Length { left: left - 1, length, masked }
                    } else {
                        Part::after_length(length, masked)
                    }
                }
                Part::Mask { at, length } => {
                    self.mask[at] = *byte;
                    if at < 3 { Part::Mask { at: at + 1, length } } else { Part::Payload(length) }
                }
                Part::Payload(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.read(&bytes[..here]);
                    rest = &bytes[here..];
                    Part::Payload(left - here as u64)
                }
            };
            bytes = rest;
            if matches!(self.part, Part::Payload(0)) {
                self.end_frame();
            }
        }
    }

    fn begin_frame(&mut self, first: u8) {
        self.begun.get_or_insert_with(Instant::now);
        (self.first, self.mask, self.turn) = (first, [0; 4], 0);
        if first & CONTROL == 0 && first & !FIN != CONTINUATION {
            self.text = (first & !FIN == TEXT).then(Text::new);
        }
    }

    /// Reads a piece of a payload, if it is one of a text.
    fn read(&mut self, payload: &[u8]) {
        let Some(text) = self.text.as_mut().filter(|_| self.first & CONTROL == 0) else { return };
        for byte in payload {
            if !text.take(byte ^ self.mask[self.turn]) {
                self.wrong = true;
                return;
            }
            self.turn = (self.turn + 1) % self.mask.len();
        }
    }

    fn end_frame(&mut self) {
        self.part = Part::First;
        if self.first & CONTROL == 0 {
            self.fragments = self.first & FIN == 0;
        }
        if !self.fragments {
            self.begun = None;
            self.text = None;
        }
    }
}
