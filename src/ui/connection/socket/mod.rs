//! The ways to the server, behind one face: `web` is the only place that opens a browser's WebSocket, with a silent twin
//! for the server; `stream` does without.

#[cfg(not(feature = "hydrate"))]
mod none;
mod stream;
#[cfg(feature = "hydrate")]
mod web;

use futures::channel::mpsc;
use tertulia_protocol::frame::Hello;
use tertulia_protocol::{ClientFrame, codec};
use tertulia_timeline::Way;

#[cfg(not(feature = "hydrate"))]
use self::none as web;

/// Frames that may wait for the network: a tab speaks a few per second, so more means a dead link.
const WAITING: usize = 256;
/// The close code for "no close frame was seen" (RFC 6455 section 7.4.1).
const ABNORMAL: u16 = 1006;

/// What a connection reports. Nothing comes after `Closed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A frame: the link lives.
    Text(String),
    /// A frame that answers a request, which says nothing about the link.
    Answer(String),
    /// The connection is gone, or never was: 1006 when the other side gave no code.
    Closed {
        /// The close code.
        code: u16,
    },
}

/// What became of something that was to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is on its way.
    Yes,
    /// The link is dead.
    Dead,
    /// It is said by opening the connection anew, and by that alone.
    Anew,
}

/// A connection. Dropping it closes it, and nothing is heard from it any more: a task carries it, and ends with this.
pub(super) struct Socket {
    way: Way,
    outgoing: mpsc::Sender<String>,
}

impl Socket {
    /// Opens a connection that way, and greets; what is said before it is open waits for it. `heard` is told
    /// everything once.
    #[must_use]
    pub(super) fn open(way: Way, hello: Hello, heard: impl Fn(Heard) + 'static) -> Self {
        let (outgoing, incoming) = mpsc::channel(WAITING);
        let mut socket = Self { way, outgoing };
        let hello = codec::encode(&ClientFrame::Hello(hello));
        match way {
            Way::Socket => {
                socket.send(hello);
                web::carry(incoming, heard);
            }
            Way::Stream => stream::carry(hello, incoming, heard),
        }
        socket
    }

    /// Says a frame.
    pub(super) fn say(&mut self, frame: &ClientFrame) -> Said {
        if self.way == Way::Stream && stream::belongs_to_the_greeting(frame) {
            return Said::Anew;
        }
        self.send(codec::encode(frame))
    }

    fn send(&mut self, text: String) -> Said {
        if self.outgoing.try_send(text).is_ok() { Said::Yes } else { Said::Dead }
    }
}
