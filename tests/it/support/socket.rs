//! A WebSocket client that keeps to the protocol and checks that the server does.

use std::collections::VecDeque;

use futures::{SinkExt as _, StreamExt as _};
use tertulia_protocol::frame::SUBPROTOCOL;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, ServerFrame, codec};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::PATIENCE;
use super::guest::Guest;

/// How a conversation ended: the code of the Close frame, if one came.
pub(crate) type Closed = Option<u16>;

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    frames: VecDeque<ServerFrame>,
    pub(crate) epoch: Epoch,
    pub(crate) you: Option<Person>,
    /// The last entry of the lobby that was handed on.
    pub(crate) seq: i64,
}

impl Socket {
    /// Opens it; nothing is said yet.
    pub(crate) async fn open(guest: &Guest) -> Self {
        let stream = TcpStream::connect(guest.door.address).await.expect("the server accepts");
        Self::over(stream, guest).await.0
    }

    /// Opens it over this connection.
    pub(crate) async fn over(stream: TcpStream, guest: &Guest) -> (Self, Response) {
        let mut request = format!("ws://{}/live", guest.door.host).into_client_request().expect("an address");
        let headers = request.headers_mut();
        headers.insert("cookie", guest.cookie.parse().expect("a cookie is a header"));
        headers.insert("origin", guest.door.origin.parse().expect("an origin is a header"));
        headers.insert("sec-websocket-protocol", SUBPROTOCOL.parse().expect("a protocol is a header"));
        let opened = timeout(PATIENCE, client_async(request, stream)).await.expect("an answer to the upgrade");
        let (stream, response) = opened.expect("the upgrade is granted");
        (Self { stream, frames: VecDeque::new(), epoch: Epoch(String::new()), you: None, seq: 0 }, response)
    }

    /// Says hello with these positions (JSON, without the brackets) and waits for the welcome.
    pub(crate) async fn hello(&mut self, resume: &str) {
        self.greet(&format!(r#"{{"t":"hello","v":1,"client":"it","resume":[{resume}]}}"#)).await;
    }

    /// The same for somebody whose connection was lost.
    pub(crate) async fn hello_again(&mut self, resume: &str) {
        self.greet(&format!(r#"{{"t":"hello","v":1,"client":"it","back":true,"resume":[{resume}]}}"#)).await;
    }

    async fn greet(&mut self, hello: &str) {
        self.say(hello).await;
        let (epoch, you) = self
            .until(|frame| match frame {
                ServerFrame::Welcome { epoch, you, .. } => Some((epoch, you)),
                _ => None,
            })
            .await;
        self.epoch = epoch;
        self.you = Some(you);
    }

    /// Follows a room from now on; returns its newest number.
    pub(crate) async fn follow(&mut self, room: RoomId) -> i64 {
        self.say(&format!(r#"{{"t":"subscribe","room":{room}}}"#)).await;
        self.seq = self
            .until(|frame| match frame {
                ServerFrame::Subscribed { room: r, seq, .. } if r == room => Some(seq.0),
                _ => None,
            })
            .await;
        self.seq
    }

    /// A position to resume from, as `hello` takes it.
    pub(crate) fn position(&self, room: RoomId) -> String {
        format!(r#"{{"room":{room},"epoch":"{}","seq":{}}}"#, self.epoch, self.seq)
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await.expect("the socket takes it");
    }

    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Error> {
        timeout(PATIENCE, self.stream.send(message)).await.expect("the server reads")
    }

    /// The next frame; how it was closed when nothing more comes.
    pub(crate) async fn next(&mut self) -> Result<ServerFrame, Closed> {
        if let Some(frame) = self.frames.pop_front() {
            return Ok(frame);
        }
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("a frame comes, or the end") {
                Some(Ok(Message::Text(text))) => {
                    return Ok(codec::decode_server(&text).expect("frames of the server decode"));
                }
                Some(Ok(Message::Close(frame))) => {
                    // The answer to it travels with the next look.
                    let _ = timeout(PATIENCE, self.stream.next()).await;
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame for which `pick` has an answer; others are passed over.
    pub(crate) async fn until<T>(&mut self, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = self.next().await.unwrap_or_else(|code| panic!("closed with {code:?}"));
            if let Some(found) = pick(frame) {
                return found;
            }
        }
    }

    /// Reads to the end: the code of the Close frame, and the hint of the `bye` if one came.
    pub(crate) async fn closed(&mut self) -> (Closed, Option<ServerFrame>) {
        let mut bye = None;
        loop {
            match self.next().await {
                Ok(frame @ ServerFrame::Bye { .. }) => bye = Some(frame),
                Ok(_) => {}
                Err(code) => return (code, bye),
            }
        }
    }

    /// Sends a text with a key; does not wait.
    pub(crate) async fn post(&mut self, room: RoomId, key: Key, body: &str) {
        let body = serde_json::to_string(body).expect("text is JSON");
        self.say(&format!(r#"{{"t":"send","room":{room},"key":"{key}","body":{body}}}"#)).await;
    }

    /// The answer to a send: the number, and whether it was there already. What else comes is kept for later.
    pub(crate) async fn acked(&mut self, key: Key) -> (i64, bool) {
        let mut kept = VecDeque::new();
        let answer = loop {
            match self.next().await.unwrap_or_else(|code| panic!("closed with {code:?}")) {
                ServerFrame::Ack { key: k, seq, duplicate, .. } if k == key => break (seq.0, duplicate),
                ServerFrame::Nack { key: k, refusal } if k == key => panic!("refused: {refusal:?}"),
                frame => kept.push_back(frame),
            }
        };
        kept.append(&mut self.frames);
        self.frames = kept;
        answer
    }

    /// Sends and waits for the ack: the number.
    pub(crate) async fn tell(&mut self, room: RoomId, body: &str) -> i64 {
        let key = Key::mint();
        self.post(room, key, body).await;
        self.acked(key).await.0
    }

    /// Waits until the room's log has reached a number, without taking what came.
    pub(crate) async fn heard(&mut self, room: RoomId, last: i64) {
        let mut kept = VecDeque::new();
        let mut seen = self.seq;
        while seen < last {
            let frame = match self.frames.pop_front() {
                Some(frame) => frame,
                None => self.next().await.unwrap_or_else(|code| panic!("closed with {code:?}")),
            };
            if let ServerFrame::Entries { room: r, entries } = &frame
                && *r == room
            {
                seen = entries.iter().map(|entry| entry.seq.0).fold(seen, i64::max);
            }
            kept.push_back(frame);
        }
        kept.append(&mut self.frames);
        self.frames = kept;
    }

    /// Sends as soon as the room's log has reached a number.
    pub(crate) async fn tell_after(&mut self, room: RoomId, last: i64, body: &str) -> i64 {
        self.heard(room, last).await;
        self.tell(room, body).await
    }

    /// The entries of a room that come until (and with) number `last`. Every one is the successor of the one before,
    /// beginning after `self.seq`: a hole or a double fails here.
    pub(crate) async fn entries_until(&mut self, room: RoomId, last: i64) -> Vec<Entry> {
        let mut all = Vec::new();
        while self.seq < last {
            let entries = self
                .until(|frame| match frame {
                    ServerFrame::Entries { room: r, entries } if r == room => Some(entries),
                    ServerFrame::Reset { reason, .. } => panic!("reset: {reason}"),
                    _ => None,
                })
                .await;
            for entry in entries {
                assert_eq!(entry.seq.0, self.seq + 1, "a hole or a double");
                self.seq = entry.seq.0;
                all.push(entry);
            }
        }
        all
    }

    /// Cuts the connection as a dead battery would: no Close frame, and what was unread is gone.
    pub(crate) fn cut(self) {
        let stream = self.stream.into_inner();
        // A reset instead of an orderly end.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
        drop(stream);
    }
}

/// The bodies of messages, in order.
pub(crate) fn bodies(entries: &[Entry]) -> Vec<String> {
    let body = |entry: &Entry| match &entry.change {
        Change::Posted { body, .. } => Some(body.clone()),
        _ => None,
    };
    entries.iter().filter_map(body).collect()
}
