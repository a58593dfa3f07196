//! The life of one socket: frames in, frames out, pings, deadlines, goodbye.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use rand::Rng as _;
use tertulia_chat::Connection;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_protocol::limits::{HELLO_MS, MEND_MS, MESSAGE_MS, PING_MS, PONG_MS, REVALIDATE_MS, WRITE_MS};
use tertulia_protocol::{Close, ServerFrame, codec};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::handshake::Socket;
use super::unfinished::NotText;
use crate::server::timekeeper::Bell;

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

/// What a socket carries: who listens to its frames, and in which words it is answered.
pub(crate) trait Conversation: Send {
    /// What waits for the peer, as frames of the wire.
    fn queue(&self) -> Arc<Queue>;

    /// Whether the next message may be taken. Whenever it turns true again, the queue has just been touched.
    fn is_ready(&self) -> bool;

    /// Whether the peer has said who it is.
    fn is_greeted(&self) -> bool;

    /// Takes one message. It may wait for room in the queue; leaving it half done ends the conversation.
    fn hear(&mut self, text: &str) -> impl Future<Output = Result<(), Ended>> + Send;

    /// Takes a ping or pong of the transport.
    fn hear_control(&mut self) -> Result<(), Ended>;

    /// Checks the right to be here against SQL.
    fn revalidate(&mut self) -> impl Future<Output = Result<(), Ended>> + Send;

    /// The words this conversation is held in.
    fn voice(&self) -> Arc<dyn Voice>;
}

/// How frames of the wire are said on one kind of socket.
pub(crate) trait Voice: Send + Sync {
    /// The messages for these frames.
    fn say(&self, frames: Vec<Bytes>) -> Vec<Message>;

    /// The last message before the Close frame, if there is one.
    fn goodbye(&self, bye: &ServerFrame) -> Option<Message>;
}

/// Carries the conversation until one side ends it. `bell` tells when one of its deadlines has come.
pub(crate) async fn converse(mut socket: Socket, mut connection: impl Conversation, mut bell: Bell) {
    let (queue, voice) = (connection.queue(), connection.voice());
    let mut deadlines = Deadlines::new();
    let over = loop {
        let listening = connection.is_ready();
        if !listening {
            deadlines.deaf();
        }
        let due = deadlines.next(connection.is_greeted(), socket.get_ref().begun());
        let step = tokio::select! {
            // Each arm is safe to cancel: receiving keeps a partial frame inside the socket, `ready` takes
            // nothing, and a deadline that is not waited for any more is computed anew.
            // While we do not listen, the queue or a send's answer (which is queued) wakes this loop.
            message = socket.next(), if listening => {
                deadlines.heard();
                receive(message, &mut socket, &mut connection, &queue, &*voice).await
            }
            () = queue.ready() => deliver(&mut socket, &queue, &*voice).await,
            () = bell.until(due) => {
                deadlines.strike(&mut socket, &mut connection, &queue, &*voice).await
            }
        };
        if let Err(over) = step {
            break over;
        }
    };
    let answers = match over {
        Over::Ended(ended) if answers_first(ended.close) => queue.take().unwrap_or_default(),
        _ => Vec::new(),
    };
    // Out of the rooms first: nobody should be shown as here while a dead peer's goodbye times out.
    drop(connection);
    match over {
        Over::Ended(ended) => say_goodbye(&mut socket, answers, ended, &*voice).await,
        Over::Closed => answer_close(&mut socket).await,
        Over::Left => {}
    }
}

/// Ends a socket before its conversation began.
pub(super) async fn turn_away(mut socket: Socket, reason: Close) {
    say_goodbye(&mut socket, Vec::new(), close(reason), &Wire).await;
}

async fn receive(
    message: Option<Result<Message, WsError>>,
    socket: &mut Socket,
    connection: &mut impl Conversation,
    queue: &Queue,
    voice: &dyn Voice,
) -> Result<(), Over> {
    match message {
        Some(Ok(Message::Text(text))) => hear(&text, socket, connection, queue, voice).await,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(connection.hear_control()?),
        Some(Ok(Message::Binary(_))) => Err(close(Close::Binary).into()),
        Some(Ok(Message::Close(_))) => Err(Over::Closed),
        // tungstenite hands out whole messages only.
        Some(Ok(Message::Frame(_))) => Ok(()),
        None => Err(Over::Left),
        Some(Err(error)) => Err(reading_failed(&error)),
    }
}

/// Lets the conversation do what a frame asks.
async fn hear(
    text: &str,
    socket: &mut Socket,
    connection: &mut impl Conversation,
    queue: &Queue,
    voice: &dyn Voice,
) -> Result<(), Over> {
    while_writing(connection.hear(text), socket, queue, voice).await
}

/// Waits for the end of `work`, and writes meanwhile: a slow database must delay neither what others said nor the news
/// that the session was revoked.
async fn while_writing(
    work: impl Future<Output = Result<(), Ended>> + Send,
    socket: &mut Socket,
    queue: &Queue,
    voice: &dyn Voice,
) -> Result<(), Over> {
    // Boxed: an idle socket should not carry the room for it.
    let mut work = Box::pin(work);
    loop {
        tokio::select! {
            // Most frames are answered at once. Safe to cancel, `ready` takes nothing; leaving the loop before the
            // end of the work ends the conversation.
            biased;
            done = &mut work => return Ok(done?),
            () = queue.ready() => deliver(socket, queue, voice).await?,
        }
    }
}

/// tungstenite sends no Close frame after an error of its own (TR-21), so the reason is told here.
fn reading_failed(error: &WsError) -> Over {
    match error {
        WsError::Capacity(_) => close(Close::TooBig).into(),
        WsError::Utf8(_) => close(Close::InvalidUtf8).into(),
        WsError::Protocol(_) => close(Close::ProtocolError).into(),
        WsError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<NotText>()) => {
            close(Close::InvalidUtf8).into()
        }
        _ => Over::Left,
    }
}

const fn close(close: Close) -> Ended {
    Ended { close, retry_after_ms: None }
}

/// Writes what waits, with one flush. A peer that takes too long, or whose queue overflows meanwhile, is closed.
async fn deliver(socket: &mut Socket, queue: &Queue, voice: &dyn Voice) -> Result<(), Over> {
    let messages = voice.say(queue.take()?);
    let write = async {
        for message in messages {
            socket.feed(message).await?;
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
fn text_of(frame: Bytes) -> Message {
    Message::Text(Utf8Bytes::try_from(frame).unwrap_or_else(|_| Utf8Bytes::from_static("{}")))
}

/// The wire itself: frames as they are.
struct Wire;

impl Voice for Wire {
    fn say(&self, frames: Vec<Bytes>) -> Vec<Message> {
        frames.into_iter().map(text_of).collect()
    }

    fn goodbye(&self, bye: &ServerFrame) -> Option<Message> {
        Some(Message::Text(codec::encode(bye).into()))
    }
}

impl Conversation for Connection {
    fn queue(&self) -> Arc<Queue> {
        self.queue()
    }

    fn is_ready(&self) -> bool {
        self.is_ready()
    }

    fn is_greeted(&self) -> bool {
        self.is_greeted()
    }

    fn hear(&mut self, text: &str) -> impl Future<Output = Result<(), Ended>> + Send {
        self.hear(text)
    }

    fn hear_control(&mut self) -> Result<(), Ended> {
        self.hear_control()
    }

    fn revalidate(&mut self) -> impl Future<Output = Result<(), Ended>> + Send {
        self.revalidate()
    }

    fn voice(&self) -> Arc<dyn Voice> {
        Arc::new(Wire)
    }
}

/// Whether what waits is said before the goodbye: who is closed for a number of refused frames should learn what was
/// wrong with each, also when they came in one go.
const fn answers_first(close: Close) -> bool {
    matches!(close, Close::Malformed | Close::RateLimited)
}

/// Says the last answers, then why it ends, in a frame (clients without close codes read it) and in the Close frame, and
/// lets go.
async fn say_goodbye(socket: &mut Socket, answers: Vec<Bytes>, ended: Ended, voice: &dyn Voice) {
    let Ended { close, retry_after_ms } = ended;
    let bye = ServerFrame::Bye { code: close.code(), reason: close.reason().to_owned(), retry_after_ms };
    let frame = CloseFrame { code: close.code().into(), reason: Utf8Bytes::from_static(close.reason()) };
    let goodbye = async {
        for message in voice.say(answers) {
            socket.feed(message).await?;
        }
        // After a slow peer's overflow nothing but the Close frame is written: what came before is incomplete.
        if let Some(bye) = voice.goodbye(&bye).filter(|_| close != Close::TooSlow) {
            socket.feed(bye).await?;
        }
        socket.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(message)) = socket.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
        Ok::<_, WsError>(hang_up(socket).await?)
    };
    // A peer that is gone cannot be told; there is nobody to report that to.
    let _ = timeout(GOODBYE, goodbye).await;
}

/// tungstenite has the answer to the peer's Close frame ready, and writes it only when it is read from again.
async fn answer_close(socket: &mut Socket) {
    let answer = async {
        while let Some(Ok(_)) = socket.next().await {}
        hang_up(socket).await
    };
    // A peer that does not wait for the answer is gone, which is what it said.
    let _ = timeout(GOODBYE, answer).await;
}

/// Ends the stream in order: nothing more is written, and what the peer was still saying is dropped. To a close over bytes
/// that nobody read, the kernel adds a reset, which may destroy the Close frame on its way.
async fn hang_up(socket: &mut Socket) -> io::Result<()> {
    let stream = socket.get_mut().unwatched();
    stream.shutdown().await?;
    tokio::io::copy(stream, &mut tokio::io::sink()).await.map(drop)
}

/// What must happen when: a `hello`, a ping, its pong, the end of a message, a look at the session. Monotonic time.
struct Deadlines {
    hello: Instant,
    ping: Instant,
    /// Set while a ping is unanswered.
    pong: Option<Instant>,
    revalidate: Instant,
    /// When we last could not hear the end of a message, because we did not listen.
    deaf: Instant,
}

// A message begins while the socket sleeps until some other deadline, and its own is looked at then: in time, because
// there is a ping or an answer to one at least so often.
const _: () = assert!(PING_MS <= MESSAGE_MS && PONG_MS <= MESSAGE_MS);

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
            deaf: now,
        }
    }

    /// Any frame is a sign of life.
    fn heard(&mut self) {
        self.pong = None;
        self.ping = Instant::now() + Duration::from_millis(PING_MS);
    }

    /// Whoever is not listened to cannot be heard to be alive.
    fn deaf(&mut self) {
        self.deaf = Instant::now();
        self.pong = self.pong.map(|due| due.max(self.deaf + Duration::from_millis(PONG_MS)));
    }

    /// When a message must have ended that began at `begun`. Pongs between its fragments change nothing about it.
    fn message(&self, begun: Option<Instant>) -> Option<Instant> {
        begun.map(|begun| begun.max(self.deaf) + Duration::from_millis(MESSAGE_MS))
    }

    fn next(&self, greeted: bool, begun: Option<Instant>) -> Instant {
        let life = self.pong.unwrap_or(self.ping).min(self.revalidate);
        let life = self.message(begun).map_or(life, |due| life.min(due));
        if greeted { life } else { life.min(self.hello) }
    }

    async fn strike(
        &mut self,
        socket: &mut Socket,
        connection: &mut impl Conversation,
        queue: &Queue,
        voice: &dyn Voice,
    ) -> Result<(), Over> {
        let now = Instant::now();
        if !connection.is_greeted() && now >= self.hello {
            return Err(Over::Ended(Ended { close: Close::NoHello, retry_after_ms: Some(MEND_MS) }));
        }
        if self.message(socket.get_ref().begun()).is_some_and(|due| now >= due) {
            return Err(Over::Ended(Ended { close: Close::Unfinished, retry_after_ms: Some(MEND_MS) }));
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
            while_writing(connection.revalidate(), socket, queue, voice).await?;
        }
        Ok(())
    }
}
