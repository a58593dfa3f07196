//! Knows since when a WebSocket message waits for its end. tungstenite keeps fragments to itself, so the stream under
//! it is watched: only the heads of frames are looked at, what they carry passes by.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// The bit of a frame's first byte that says that it is the last of its message.
const FIN: u8 = 0x80;
/// The bit of the first byte that control frames have; they come whole, also between fragments.
const CONTROL: u8 = 0x08;
/// The bit of the second byte that says that a mask of four bytes stands before the payload.
const MASKED: u8 = 0x80;

/// A stream of which the peer's half is watched.
pub(super) struct Watched<S> {
    stream: S,
    framing: Framing,
}

impl<S> Watched<S> {
    /// Watches a stream whose next byte begins a frame.
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, framing: Framing { part: Part::First, first: 0, fragments: false, begun: None } }
    }

    /// When the message began whose end is still to come; `None` between messages.
    pub(super) const fn begun(&self) -> Option<Instant> {
        self.framing.begun
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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

/// Where in RFC 6455's framing (section 5.2) the stream stands. What breaks the rules is tungstenite's to refuse.
struct Framing {
    part: Part,
    /// The first byte of the frame under way.
    first: u8,
    /// Whether the last data frame announced more fragments.
    fragments: bool,
    begun: Option<Instant>,
}

/// What the next byte is.
enum Part {
    First,
    Second,
    /// One of `left` more bytes of the length, before `mask` bytes of mask.
    Length {
        left: u8,
        length: u64,
        mask: u64,
    },
    /// One of so many bytes of mask and payload.
    Rest(u64),
}

impl Framing {
    fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, after)) = bytes.split_first() {
            bytes = after;
            self.part = match self.part {
                Part::First => {
                    self.begun.get_or_insert_with(Instant::now);
                    self.first = byte;
                    Part::Second
                }
                Part::Second => {
                    let mask = if byte & MASKED == 0 { 0 } else { 4 };
                    match byte & !MASKED {
                        126 => Part::Length { left: 2, length: 0, mask },
                        127 => Part::Length { left: 8, length: 0, mask },
                        short => Part::Rest(u64::from(short) + mask),
                    }
                }
                Part::Length { left, length, mask } => {
                    let length = length << 8 | u64::from(byte);
                    if left > 1 {
                        Part::Length { left: left - 1, length, mask }
                    } else {
                        Part::Rest(length.saturating_add(mask))
                    }
                }
                Part::Rest(left) => {
                    let more = usize::try_from(left - 1).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[more..];
                    Part::Rest(left - 1 - more as u64)
                }
            };
            if matches!(self.part, Part::Rest(0)) {
                self.end_frame();
            }
        }
    }

    fn end_frame(&mut self) {
        self.part = Part::First;
        if self.first & CONTROL == 0 {
            self.fragments = self.first & FIN == 0;
        }
        if !self.fragments {
            self.begun = None;
        }
    }
}
