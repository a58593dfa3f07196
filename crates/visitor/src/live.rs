//! One WebSocket that speaks the wire: greeting, saying and hearing frames.

use std::time::Duration;

use tertulia_protocol::frame::{Hello, SUBPROTOCOL, Subscribe, VERSION};
use tertulia_protocol::{BusState, ClientFrame, Epoch, Person, Position, RoomId, ServerFrame, UserId, codec};
use tokio::time::timeout;

use crate::socket::{Next, PATIENCE, Socket};
use crate::trouble::{Because, Outcome, Trouble, trouble};
use crate::web::Visitor;

/// An open socket that has been welcomed.
#[derive(Debug)]
pub struct Live {
    socket: Socket,
    /// The store's identity, as welcomed.
    pub epoch: Epoch,
    /// As whom it was welcomed.
    pub you: Person,
    /// Whether the instances heard each other when it was welcomed.
    pub bus: BusState,
    /// The longest silence before one asks for a sign of life.
    pub ping: Duration,
}

impl Live {
    /// Connects, says hello under the name of this `client` and waits for the welcome.
    ///
    /// # Errors
    /// When any of the three fails or takes too long. A server that is over capacity says when to come back:
    /// see [`Turned`].
    pub async fn open(visitor: &Visitor, client: &str, resume: Vec<Position>) -> Outcome<Self> {
        match Self::knock(visitor, client, resume).await? {
            Ok(live) => Ok(live),
            Err(turned) => trouble(format!("turned away with code {:?}: {}", turned.code, turned.why)),
        }
    }

    /// The same, where being turned away is an answer.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub async fn knock(visitor: &Visitor, client: &str, resume: Vec<Position>) -> Outcome<Result<Self, Turned>> {
        let steps = Self::shake_hands(visitor, client, resume);
        timeout(PATIENCE, steps).await.because("the WebSocket handshake")?
    }

    async fn shake_hands(visitor: &Visitor, client: &str, resume: Vec<Position>) -> Outcome<Result<Self, Turned>> {
        let headers = [("cookie", visitor.cookie.as_str()), ("sec-websocket-protocol", SUBPROTOCOL)];
        let socket = Socket::open(visitor.web.authority(), "/live", &headers).await?;
        let you = Person { id: UserId(0), name: String::new() };
        let (epoch, bus, ping) = (Epoch(String::new()), BusState::Degraded, PATIENCE);
        let mut live = Self { socket, epoch, you, bus, ping };
        let client = client.to_owned();
        live.say(&ClientFrame::Hello(Hello { v: VERSION, client, back: !resume.is_empty(), resume })).await?;
        let mut retry_after_ms = None;
        loop {
            match live.hear().await? {
                Next::Said(text) => match frame(&text)? {
                    ServerFrame::Welcome { epoch, bus, you, ping_ms, .. } => {
                        let ping = Duration::from_millis(ping_ms);
                        return Ok(Ok(Self { epoch, bus, you, ping, ..live }));
                    }
                    ServerFrame::Bye { retry_after_ms: hint, .. } => retry_after_ms = hint,
                    other => return trouble(format!("expected welcome, heard {other:?}")),
                },
                Next::Gone(code, why) => return Ok(Err(Turned { code, why, retry_after_ms })),
            }
        }
    }

    /// Follows a room from now on; the answer is the room's newest number.
    ///
    /// # Errors
    /// When the server refuses, hangs up or takes too long.
    pub async fn subscribe(&mut self, room: RoomId) -> Outcome<i64> {
        self.say(&ClientFrame::Subscribe(Subscribe { room, after: None })).await?;
        let answer = async {
            loop {
                let Next::Said(text) = self.hear().await? else {
                    return trouble("the socket was closed after subscribe");
                };
                // Other rooms and newcomers may be spoken of in between.
                match frame(&text)? {
                    ServerFrame::Subscribed { room: of, seq, .. } if of == room => return Ok(seq.0),
                    ServerFrame::Error { room: of, refusal, .. } if of.is_none_or(|of| of == room) => {
                        return trouble(format!("subscribe: {refusal}"));
                    }
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, answer).await.because("subscribe")?
    }

    /// Says a frame and flushes it.
    ///
    /// # Errors
    /// When the socket cannot be written.
    pub async fn say(&mut self, frame: &ClientFrame) -> Outcome<()> {
        self.socket.say(codec::encode(frame)).await
    }

    /// Waits for the next frame. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// For what the protocol does not know: binary.
    pub async fn hear(&mut self) -> Outcome<Next> {
        self.socket.hear().await
    }

    /// The ports of its connection, the server's and its own: see [`proc::is_held`](crate::proc::is_held).
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn ports(&self) -> Outcome<(u16, u16)> {
        self.socket.ports()
    }

    /// Breaks the connection without a word.
    pub async fn sever(&mut self) {
        self.socket.sever().await;
    }

    /// Says goodbye. A peer that is gone already is as good.
    pub async fn close(self) {
        self.socket.close().await;
    }
}

/// A greeting that was answered by a goodbye.
#[derive(Clone, Debug)]
pub struct Turned {
    /// The close code.
    pub code: Option<u16>,
    /// The reason in words.
    pub why: String,
    /// When to come back, in milliseconds, if the server said so.
    pub retry_after_ms: Option<u64>,
}

/// Reads a frame of the server.
///
/// # Errors
/// When the text is none.
pub fn frame(text: &str) -> Outcome<ServerFrame> {
    let no_frame = |error| Trouble(format!("not a frame: {error}: {}", text.chars().take(200).collect::<String>()));
    codec::decode_server(text).map_err(no_frame)
}
