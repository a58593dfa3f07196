//! One client's conversation: which frame may come when, and what each is answered.
//!
//! Knows frames, not sockets: WebSocket and SSE + POST are two ways to carry the same conversation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::codec::{Undecodable, decode_client};
use tertulia_protocol::limits::{MALFORMED_FRAMES, MALFORMED_WINDOW_MS};
use tertulia_protocol::{ClientFrame, Close, Code, Person, Refusal, RoomId, ServerFrame};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::chat::Chat;
use crate::member::Member;
use crate::queue::{Ended, Queue};
use crate::room_log::ConnId;
use crate::store::TokenHash;
use crate::throttle::FrameBudget;

mod hello;
mod rooms;
mod verbs;

/// When to come back after ignoring the rate limit, in milliseconds.
const RATE_LIMITED_RETRY_MS: u64 = 5_000;

/// One client, from its opening to its end. Dropping it takes the client out of every room.
pub struct Connection {
    chat: Arc<Chat>,
    id: ConnId,
    person: Person,
    token: TokenHash,
    queue: Arc<Queue>,
    greeted: bool,
    rooms: HashMap<RoomId, Followed>,
    frames: FrameBudget,
    /// Frames that broke a rule of form, and those that ignored the rate limit, lately.
    malformed: Strikes,
    ignored: Strikes,
    /// When the last sign of typing was passed on.
    typed: Option<Instant>,
}

/// A room that the client follows.
struct Followed {
    /// The right to be there, decided anew by [`Connection::revalidate`].
    member: Member,
    /// The task that still pages through the past, if any.
    paging: Option<AbortHandle>,
}

impl Connection {
    /// A conversation with somebody whose session is known to live.
    #[must_use]
    pub fn open(chat: Arc<Chat>, person: Person, token: TokenHash) -> Self {
        let queue = Arc::new(Queue::default());
        let id = chat.register(queue.clone(), person.id, token);
        let frames = FrameBudget::new(chat.rate_limits());
        Self {
            chat,
            id,
            person,
            token,
            queue,
            greeted: false,
            rooms: HashMap::new(),
            frames,
            malformed: Strikes::default(),
            ignored: Strikes::default(),
            typed: None,
        }
    }

    /// What is to be sent to the client.
    #[must_use]
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Whether `hello` was said.
    #[must_use]
    pub const fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Takes one frame and does what it asks; answers go to the queue, in order.
    ///
    /// # Errors
    /// The reason to close, when the conversation cannot go on. An ordinary bad frame is answered, not fatal.
    pub async fn hear(&mut self, text: &str) -> Result<(), Ended> {
        if let Err(refusal) = self.frames.take() {
            self.error(None, refusal);
            return self.ignored.strike(Close::RateLimited, Some(RATE_LIMITED_RETRY_MS));
        }
        let decoded = decode_client(text);
        let (legible, hello) = match &decoded {
            Ok(frame) => (true, matches!(frame, ClientFrame::Hello(_))),
            Err(undecodable) => (undecodable.kind.is_some(), undecodable.kind.as_deref() == Some("hello")),
        };
        if legible && !hello && !self.greeted {
            return Err(Ended { close: Close::BeforeHello, retry_after_ms: Some(0) });
        }
        match decoded {
            Ok(ClientFrame::Hello(hello)) => self.hello(hello).await,
            Ok(frame) => {
                self.obey(frame).await;
                Ok(())
            }
            Err(undecodable) => self.refuse_undecodable(undecodable),
        }
    }

    /// Takes a ping or pong of the transport: they cost as much as a frame, so they count as one.
    ///
    /// # Errors
    /// The reason to close, when there were far too many.
    pub fn hear_control(&mut self) -> Result<(), Ended> {
        match self.frames.take() {
            Ok(()) => Ok(()),
            Err(_) => self.ignored.strike(Close::RateLimited, Some(RATE_LIMITED_RETRY_MS)),
        }
    }

    /// Checks session and memberships against SQL: the net for revocations that no bus carried.
    ///
    /// # Errors
    /// `Revoked` when the session does not live. A store that cannot be read ends nobody's conversation.
    pub async fn revalidate(&mut self) -> Result<(), Ended> {
        if matches!(self.chat.viewer(self.token).await, Ok(None)) {
            return Err(Ended { close: Close::Revoked, retry_after_ms: None });
        }
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            match self.chat.member(&self.person, room).await {
                Ok(member) => {
                    self.rooms.entry(room).and_modify(|followed| followed.member = member);
                }
                Err(refusal) if refusal.code == Code::NotFound => {
                    self.forget_room(room);
                    self.error(Some("subscribe".to_owned()), refusal);
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The right to act in a room: the one kept from following it, or decided now.
    async fn member(&self, room: RoomId) -> Result<Member, Refusal> {
        match self.rooms.get(&room) {
            Some(followed) => Ok(followed.member.clone()),
            None => self.chat.member(&self.person, room).await,
        }
    }

    fn refuse_undecodable(&mut self, undecodable: Undecodable) -> Result<(), Ended> {
        let Undecodable { kind, key, refusal } = undecodable;
        let wrong_version = kind.as_deref() == Some("hello") && refusal.field.as_deref() == Some("v");
        if wrong_version {
            return Err(Ended { close: Close::Version, retry_after_ms: None });
        }
        match key {
            Some(key) => {
                self.queue.push_frame(&ServerFrame::Nack { key, refusal });
            }
            None => self.error(kind, refusal),
        }
        self.malformed.strike(Close::Malformed, Some(0))
    }

    fn error(&self, reference: Option<String>, refusal: Refusal) {
        self.queue.push_frame(&ServerFrame::Error { reference, refusal });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.forget_room(room);
        }
        self.chat.unregister(self.id);
    }
}

/// Counts what may happen a few times but not often.
#[derive(Default)]
struct Strikes {
    count: u32,
    since: Option<Instant>,
}

impl Strikes {
    /// One more; an error when it is one too many within the window.
    fn strike(&mut self, close: Close, retry_after_ms: Option<u64>) -> Result<(), Ended> {
        let now = Instant::now();
        let window = Duration::from_millis(MALFORMED_WINDOW_MS);
        if self.since.is_none_or(|since| now.saturating_duration_since(since) > window) {
            *self = Self { count: 0, since: Some(now) };
        }
        self.count += 1;
        if self.count >= MALFORMED_FRAMES { Err(Ended { close, retry_after_ms }) } else { Ok(()) }
    }
}
