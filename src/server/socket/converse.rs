//! The life of one socket: frames in, frames out, pings, deadlines, goodbye.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures::SinkExt as _;
use rand::Rng as _;
use tertulia_chat::Connection;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_protocol::limits::{HELLO_MS, PING_MS, PONG_MS, REVALIDATE_MS, WRITE_MS};
use tertulia_protocol::{Close, ServerFrame, codec};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::Error as WsError;

/// How long the goodbye may take: it is a courtesy to a peer that may be gone.
const GOODBYE: Duration = Duration::from_millis(1_000);

/// Why a conversation is over.
enum Over {
    /// We close it, and say why.
    Ended(Ended),
    /// The peer closed it, and has not got its answer yet.
    Closed,
    /// The peer is gone.
    Left,
}

impl From<Ended> for Over {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// Carries the conversation until one side ends it.
pub(super) async fn converse(mut socket: WebSocket, mut connection: Connection) {
    let queue = connection.queue();
    let mut deadlines = Deadlines::new();
    let over = loop {
        let listening = connection.is_ready();
        if !listening {
            deadlines.deaf();
        }
        let step = tokio::select! {
            // Each arm is safe to cancel: receiving keeps a partial frame inside the socket, `ready` takes
            // nothing, and a deadline that is not waited for any more is computed anew.
            // While we do not listen, the queue or a send's answer (which is queued) wakes this loop.
            message = socket.recv(), if listening => {
                deadlines.heard();
                receive(message, &mut socket, &mut connection, &queue).await
            }
            () = queue.ready() => deliver(&mut socket, &queue).await,
            () = sleep_until(deadlines.next(connection.is_greeted())) => {
                deadlines.strike(&mut socket, &mut connection).await
            }
        };
        if let Err(over) = step {
            break over;
        }
    };
    // Out of the rooms first: nobody should be shown as here while a dead peer's goodbye times out.
    drop(connection);
    match over {
        Over::Ended(ended) => say_goodbye(&mut socket, ended).await,
        Over::Closed => answer_close(&mut socket).await,
        Over::Left => {}
    }
}

/// Ends a socket before its conversation began.
pub(super) async fn turn_away(mut socket: WebSocket, reason: Close) {
    say_goodbye(&mut socket, close(reason)).await;
}

async fn receive(
    message: Option<Result<Message, axum::Error>>,
    socket: &mut WebSocket,
    connection: &mut Connection,
    queue: &Queue,
) -> Result<(), Over> {
    match message {
        Some(Ok(Message::Text(text))) => hear(&text, socket, connection, queue).await,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(connection.hear_control()?),
        Some(Ok(Message::Binary(_))) => Err(close(Close::Binary).into()),
        Some(Ok(Message::Close(_))) => Err(Over::Closed),
        None => Err(Over::Left),
        Some(Err(error)) => Err(reading_failed(error)),
    }
}

/// Lets the conversation do what a frame asks, and goes on writing meanwhile: a slow database must delay neither
/// what others said nor the news that the session was revoked.
async fn hear(text: &str, socket: &mut WebSocket, connection: &mut Connection, queue: &Queue) -> Result<(), Over> {
    // Boxed: an idle socket should not carry the room for it.
    let mut hearing = Box::pin(connection.hear(text));
    loop {
        tokio::select! {
            // Most frames are answered at once. Safe to cancel, `ready` takes nothing; leaving the loop before the
            // end of `hear` ends the conversation.
            biased;
            heard = &mut hearing => return Ok(heard?),
            () = queue.ready() => deliver(socket, queue).await?,
        }
    }
}

/// tungstenite sends no Close frame after an error of its own (TR-21), so the reason is told here.
fn reading_failed(error: axum::Error) -> Over {
    match error.into_inner().downcast::<WsError>().map(|error| *error) {
        Ok(WsError::Capacity(_)) => close(Close::TooBig).into(),
        Ok(WsError::Utf8(_)) => close(Close::InvalidUtf8).into(),
        Ok(WsError::Protocol(_)) => close(Close::ProtocolError).into(),
        _ => Over::Left,
    }
}

const fn close(close: Close) -> Ended {
    Ended { close, retry_after_ms: None }
}

/// Writes what waits, with one flush. A peer that takes too long, or whose queue overflows meanwhile, is closed.
async fn deliver(socket: &mut WebSocket, queue: &Queue) -> Result<(), Over> {
    let frames = queue.take()?;
    let write = async {
        for frame in frames {
            socket.feed(Message::Text(text_of(frame))).await?;
        }
        socket.flush().await
    };
    tokio::select! {
        // Safe to cancel: the socket is closed right after, nothing more is written on it.
        ended = queue.until_ended() => Err(ended.into()),
        written = timeout(Duration::from_millis(WRITE_MS), write) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Left),
            Err(_) => Err(Over::Ended(Ended { close: Close::TooSlow, retry_after_ms: Some(0) })),
        },
    }
}

/// Frames come from our own encoder and are UTF-8; were one not, the peer would get an empty object and ignore it.
fn text_of(frame: Bytes) -> Utf8Bytes {
    Utf8Bytes::try_from(frame).unwrap_or_else(|_| Utf8Bytes::from_static("{}"))
}

/// Says why in a frame (clients without close codes read it) and in the Close frame, then lets go.
async fn say_goodbye(socket: &mut WebSocket, ended: Ended) {
    let Ended { close, retry_after_ms } = ended;
    let bye = ServerFrame::Bye { code: close.code(), reason: close.reason().to_owned(), retry_after_ms };
    let frame = CloseFrame { code: close.code(), reason: Utf8Bytes::from_static(close.reason()) };
    let goodbye = async {
        // After a slow peer's overflow nothing but the Close frame is written: what came before is incomplete.
        if close != Close::TooSlow {
            socket.feed(Message::Text(codec::encode(&bye).into())).await?;
        }
        socket.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
        Ok::<_, axum::Error>(())
    };
    // A peer that is gone cannot be told; there is nobody to report that to.
    let _ = timeout(GOODBYE, goodbye).await;
}

/// tungstenite has the answer to the peer's Close frame ready, and writes it only when it is read from again.
async fn answer_close(socket: &mut WebSocket) {
    let answer = async { while let Some(Ok(_)) = socket.recv().await {} };
    // A peer that does not wait for the answer is gone, which is what it said.
    let _ = timeout(GOODBYE, answer).await;
}

/// What must happen when: a `hello`, a ping, its pong, a look at the session. Monotonic time.
struct Deadlines {
    hello: Instant,
    ping: Instant,
    /// Set while a ping is unanswered.
    pong: Option<Instant>,
    revalidate: Instant,
}

impl Deadlines {
    fn new() -> Self {
        let now = Instant::now();
        // A random phase, so that everybody who came back at once does not ping at once.
        let first = rand::rng().random_range(PING_MS / 2..PING_MS);
        let phase = rand::rng().random_range(REVALIDATE_MS / 2..REVALIDATE_MS);
        Self {
            hello: now + Duration::from_millis(HELLO_MS),
            ping: now + Duration::from_millis(first),
            pong: None,
            revalidate: now + Duration::from_millis(phase),
        }
    }

    /// Any frame is a sign of life.
    fn heard(&mut self) {
        self.pong = None;
        self.ping = Instant::now() + Duration::from_millis(PING_MS);
    }

    /// Whoever is not listened to cannot be heard to be alive.
    fn deaf(&mut self) {
        self.pong = self.pong.map(|due| due.max(Instant::now() + Duration::from_millis(PONG_MS)));
    }

    fn next(&self, greeted: bool) -> Instant {
        let life = self.pong.unwrap_or(self.ping).min(self.revalidate);
        if greeted { life } else { life.min(self.hello) }
    }

    async fn strike(&mut self, socket: &mut WebSocket, connection: &mut Connection) -> Result<(), Over> {
        let now = Instant::now();
        if !connection.is_greeted() && now >= self.hello {
            return Err(Over::Ended(Ended { close: Close::NoHello, retry_after_ms: Some(0) }));
        }
        if self.pong.is_some_and(|due| now >= due) {
            return Err(Over::Ended(Ended { close: Close::NoPong, retry_after_ms: Some(0) }));
        }
        if self.pong.is_none() && now >= self.ping {
            self.pong = Some(now + Duration::from_millis(PONG_MS));
            let ping = socket.send(Message::Ping(Bytes::new()));
            if !matches!(timeout(Duration::from_millis(WRITE_MS), ping).await, Ok(Ok(()))) {
                return Err(Over::Left);
            }
        }
        if now >= self.revalidate {
            self.revalidate = now + Duration::from_millis(REVALIDATE_MS);
            connection.revalidate().await?;
        }
        Ok(())
    }
}
