//! One WebSocket of the generator: what it hears is read as this run needs it.

use tertulia_protocol::{BusState, ClientFrame, Epoch, Position, RoomId};
use tertulia_visitor::live::{Live as Socket, Turned};
use tertulia_visitor::socket::Next as Said;

use crate::stamp::Run;
use crate::trouble::{Outcome, Trouble};
use crate::web::Visitor;
use crate::wire::{self, Heard};

/// What the server's logs call the generator.
const CLIENT: &str = concat!("tertulia-load/", env!("CARGO_PKG_VERSION"));

/// An open socket that has been welcomed.
#[derive(Debug)]
pub(crate) struct Live {
    socket: Socket,
    run: Run,
}

/// What came of listening.
#[derive(Debug)]
pub(crate) enum Next {
    /// A frame.
    Heard(Heard),
    /// The socket is gone: the close code, if one was said, and the rest in words.
    Gone(Option<u16>, String),
}

impl Live {
    /// Connects, says hello and waits for the welcome.
    ///
    /// # Errors
    /// When any of the three fails or takes too long.
    pub(crate) async fn open(visitor: &Visitor, run: Run, resume: Vec<Position>) -> Outcome<Self> {
        Ok(Self { socket: Socket::open(visitor, CLIENT, resume).await?, run })
    }

    /// The same, where being turned away is an answer.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub(crate) async fn knock(visitor: &Visitor, run: Run, resume: Vec<Position>) -> Outcome<Result<Self, Turned>> {
        Ok(Socket::knock(visitor, CLIENT, resume).await?.map(|socket| Self { socket, run }))
    }

    /// Breaks the connection without a word.
    pub(crate) async fn sever(&mut self) {
        self.socket.sever().await;
    }

    /// The run this socket belongs to.
    pub(crate) const fn run(&self) -> Run {
        self.run
    }

    /// The store's identity, as welcomed.
    pub(crate) const fn epoch(&self) -> &Epoch {
        &self.socket.epoch
    }

    /// Whether the instances heard each other when it was welcomed.
    pub(crate) const fn bus(&self) -> BusState {
        self.socket.bus
    }

    /// Follows a room from now on; the answer is the room's newest number.
    ///
    /// # Errors
    /// When the server refuses, hangs up or takes too long.
    pub(crate) async fn subscribe(&mut self, room: RoomId) -> Outcome<i64> {
        self.socket.subscribe(room).await
    }

    /// Says a frame and flushes it.
    ///
    /// # Errors
    /// When the socket cannot be written.
    pub(crate) async fn say(&mut self, frame: &ClientFrame) -> Outcome<()> {
        self.socket.say(frame).await
    }

    /// Waits for the next frame. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// For what the protocol does not know: binary, or text that is no frame.
    pub(crate) async fn hear(&mut self) -> Outcome<Next> {
        match self.socket.hear().await? {
            Said::Gone(code, why) => Ok(Next::Gone(code, why)),
            Said::Said(text) => {
                let heard = wire::read(&text, self.run).map_err(|error| {
                    Trouble(format!("not a frame: {error}: {}", text.chars().take(200).collect::<String>()))
                })?;
                Ok(Next::Heard(heard))
            }
        }
    }

    /// Says goodbye. A peer that is gone already is as good.
    pub(crate) async fn close(self) {
        self.socket.close().await;
    }
}
