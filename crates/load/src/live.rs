//! One WebSocket of the generator: the handshake, saying and hearing frames.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tertulia_protocol::frame::{Hello, SUBPROTOCOL, Subscribe, VERSION};
use tertulia_protocol::{BusState, ClientFrame, Epoch, Position, RoomId, ServerFrame, codec};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::stamp::Run;
use crate::trouble::{Because, Outcome, Trouble, trouble};
use crate::web::Visitor;
use crate::wire::{self, Heard};

/// How long the server may take over one step of a handshake: with 10,000 arriving at once it queues.
const PATIENCE: Duration = Duration::from_secs(30);
/// Read and write buffer of a socket, in bytes. The library's 128 KiB would be 1.3 GB for 10,000 of them.
const BUFFER: usize = 4 * 1024;

/// An open socket that has been welcomed.
#[derive(Debug)]
pub(crate) struct Live {
    socket: WebSocketStream<TcpStream>,
    run: Run,
    /// The store's identity, as welcomed.
    pub(crate) epoch: Epoch,
    /// Whether the instances heard each other when it was welcomed.
    pub(crate) bus: BusState,
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
        let steps = Self::shake_hands(visitor, run, resume);
        tokio::time::timeout(PATIENCE, steps).await.because("the WebSocket handshake")?
    }

    async fn shake_hands(visitor: &Visitor, run: Run, resume: Vec<Position>) -> Outcome<Self> {
        let authority = visitor.web.authority();
        let what = format!("ws://{authority}/live");
        let mut request = what.as_str().into_client_request().because(&what)?;
        let headers = request.headers_mut();
        headers.insert("origin", HeaderValue::from_str(&format!("http://{authority}")).because(&what)?);
        headers.insert("cookie", HeaderValue::from_str(&visitor.cookie).because(&what)?);
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let stream = TcpStream::connect(authority).await.because(&what)?;
        stream.set_nodelay(true).because(&what)?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = opened.map_err(|error| refused_upgrade(&what, &error))?;
        let mut live = Self { socket, run, epoch: Epoch(String::new()), bus: BusState::Degraded };
        let client = concat!("tertulia-load/", env!("CARGO_PKG_VERSION")).to_owned();
        live.say(&ClientFrame::Hello(Hello { v: VERSION, client, back: false, resume })).await?;
        match live.hear().await? {
            Next::Heard(Heard::Frame(frame)) => match *frame {
                ServerFrame::Welcome { epoch, bus, .. } => Ok(Self { epoch, bus, ..live }),
                other => trouble(format!("{what}: expected welcome, heard {other:?}")),
            },
            other => trouble(format!("{what}: expected welcome, heard {other:?}")),
        }
    }

    /// The run this socket belongs to.
    pub(crate) fn run(&self) -> Run {
        self.run
    }

    /// Follows a room from now on; the answer is the room's newest number.
    ///
    /// # Errors
    /// When the server refuses, hangs up or takes too long.
    pub(crate) async fn subscribe(&mut self, room: RoomId) -> Outcome<i64> {
        self.say(&ClientFrame::Subscribe(Subscribe { room, after: None })).await?;
        let answer = async {
            loop {
                let Next::Heard(heard) = self.hear().await? else {
                    return trouble("the socket was closed after subscribe");
                };
                // Other rooms and newcomers may be spoken of in between.
                let Heard::Frame(frame) = heard else { continue };
                match *frame {
                    ServerFrame::Subscribed { room: of, seq, .. } if of == room => return Ok(seq.0),
                    ServerFrame::Error { refusal, .. } => return trouble(format!("subscribe: {refusal}")),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, answer).await.because("subscribe")?
    }

    /// Says a frame and flushes it.
    ///
    /// # Errors
    /// When the socket cannot be written.
    pub(crate) async fn say(&mut self, frame: &ClientFrame) -> Outcome<()> {
        // A server that stops reading must not hold the run for ever.
        let written = tokio::time::timeout(PATIENCE, self.socket.send(Message::text(codec::encode(frame))));
        written.await.because("writing to the socket")?.because("writing to the socket")
    }

    /// Waits for the next frame. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// For what the protocol does not know: binary, or text that is no frame.
    pub(crate) async fn hear(&mut self) -> Outcome<Next> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let heard = wire::read(&text, self.run).map_err(|error| {
                        Trouble(format!("not a frame: {error}: {}", text.chars().take(200).collect::<String>()))
                    })?;
                    return Ok(Next::Heard(heard));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => return trouble("the server said something binary"),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Ok(Next::Gone(Some(close.code.into()), close.reason.to_string()));
                }
                Some(Ok(Message::Close(None))) | None => return Ok(Next::Gone(None, "closed".to_owned())),
                Some(Err(error)) => return Ok(Next::Gone(None, error.to_string())),
            }
        }
    }

    /// Says goodbye. A peer that is gone already is as good.
    pub(crate) async fn close(mut self) {
        let _gone_already = tokio::time::timeout(Duration::from_secs(1), self.socket.close(None)).await;
    }
}

/// Says what an HTTP refusal of the upgrade said.
fn refused_upgrade(what: &str, error: &Error) -> Trouble {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let said: String = String::from_utf8_lossy(body).chars().take(200).collect();
            Trouble(format!("{what}: {} {said}", response.status()))
        }
        error => Trouble(format!("{what}: {error}")),
    }
}
