//! One client's conversation: which frame may come when, and what each is answered.
//!
//! Knows frames, not sockets: WebSocket and SSE + POST are two ways to carry the same conversation.

use std::collections::HashMap;
use std::sync::Arc;

use tertulia_protocol::codec::{Undecodable, decode_client};
use tertulia_protocol::limits::MEND_MS;
use tertulia_protocol::{ClientFrame, Close, Code, Person, Refusal, RoomId, ServerFrame};

use crate::chat::Chat;
use crate::fanout::Paging;
use crate::member::Member;
use crate::queue::{Ended, Queue};
use crate::room_log::ConnId;
use crate::store::TokenHash;
use crate::throttle::{RATE_LIMITED_RETRY_MS, Strikes};

use self::asked::Asked;
use self::budget::Budget;
use self::lane::Lane;

mod asked;
mod budget;
mod hello;
mod lane;
mod request;
mod rooms;
mod verbs;

/// One client, from its opening to its end. Dropping it takes the client out of every room.
pub struct Connection {
    chat: Arc<Chat>,
    id: ConnId,
    person: Person,
    token: TokenHash,
    queue: Arc<Queue>,
    lane: Arc<Lane>,
    greeted: bool,
    rooms: HashMap<RoomId, Followed>,
    budget: Budget,
    /// Frames that broke a rule of form, and those that ignored the rate limit, lately.
    malformed: Strikes,
    ignored: Strikes,
}

/// A room that the client follows.
struct Followed {
    /// The right to be there, decided anew by [`Connection::revalidate`].
    member: Member,
    /// The task that still pages through the past, if any.
    paging: Option<Paging>,
}

impl Connection {
    /// A conversation with somebody whose session is known to live.
    #[must_use]
    pub fn open(chat: Arc<Chat>, person: Person, token: TokenHash) -> Self {
        let queue = Arc::new(Queue::default());
        let id = chat.register(queue.clone(), person.id, Some(token), false);
        let budget = Budget::of_conversation(&chat);
        Self::with(chat, id, person, token, queue, budget)
    }

    fn with(chat: Arc<Chat>, id: ConnId, person: Person, token: TokenHash, queue: Arc<Queue>, budget: Budget) -> Self {
        let lane = Lane::new(chat.clone(), person.clone(), queue.clone());
        Self {
            chat,
            id,
            person,
            token,
            queue,
            lane,
            greeted: false,
            rooms: HashMap::new(),
            budget,
            malformed: Strikes::default(),
            ignored: Strikes::default(),
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

    /// Whether the next frame may be taken: half of the queue is free, and few sends wait for their answer.
    /// Whenever it turns true again, something has been queued or taken from the queue just before.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.queue.is_roomy() && self.lane.has_room()
    }

    /// Takes one frame and does what it asks; answers go to the queue, in order.
    ///
    /// It may wait for room in the queue, so whoever calls it empties the queue at the same time. Safe to cancel
    /// when the connection is dropped after it: what was asked is then not done, or done whole.
    ///
    /// # Errors
    /// The reason to close, when the conversation cannot go on. An ordinary bad frame is answered, not fatal.
    pub async fn hear(&mut self, text: &str) -> Result<(), Ended> {
        if let Some(ended) = self.queue.ended() {
            return Err(ended);
        }
        let decoded = decode_client(text);
        if let Err(refusal) = self.budget.take_frame(&self.chat, self.person.id) {
            // Decoded all the same: a send must be refused by its key, or the client waits for its answer for ever.
            let asked = match decoded {
                Ok(frame) => Asked::by(&frame),
                Err(undecodable) => asked::of_undecodable(undecodable).0,
            };
            self.refuse(asked, refusal);
            return self.ignored.strike(Close::RateLimited, Some(RATE_LIMITED_RETRY_MS));
        }
        let (legible, hello) = match &decoded {
            Ok(frame) => (true, matches!(frame, ClientFrame::Hello(_))),
            Err(undecodable) => (undecodable.kind.is_some(), undecodable.kind.as_deref() == Some("hello")),
        };
        if legible && !hello && !self.greeted {
            return Err(Ended { close: Close::BeforeHello, retry_after_ms: Some(MEND_MS) });
        }
        match decoded {
            Ok(frame) if self.budget.is_of_person() && request::needs_a_conversation(&frame) => {
                self.refuse(Asked::by(&frame), request::open_a_stream());
                Ok(())
            }
            Ok(ClientFrame::Hello(hello)) => self.greet(hello).await,
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
        match self.budget.take_frame(&self.chat, self.person.id) {
            Ok(()) => Ok(()),
            Err(_) => self.ignored.strike(Close::RateLimited, Some(RATE_LIMITED_RETRY_MS)),
        }
    }

    /// Checks session and memberships against SQL: the net for revocations that no bus carried.
    ///
    /// # Errors
    /// `Revoked` when the session does not live. A store that cannot be read ends nobody's conversation.
    pub async fn revalidate(&mut self) -> Result<(), Ended> {
        if self.chat.has_ended(self.token).await {
            return Err(Ended { close: Close::Revoked, retry_after_ms: None });
        }
        for room in self.followed() {
            match self.chat.member(&self.person, room).await {
                Ok(member) => {
                    self.rooms.entry(room).and_modify(|followed| followed.member = member);
                }
                Err(refusal) if refusal.code == Code::NotFound => {
                    self.forget_room(room);
                    self.error("subscribe", Some(room), refusal);
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
        if let Some(close) = undecodable.close() {
            return Err(Ended { close, retry_after_ms: None });
        }
        let (asked, refusal) = asked::of_undecodable(undecodable);
        self.refuse(asked, refusal);
        self.malformed.strike(Close::Malformed, Some(MEND_MS))
    }

    /// Refuses by the key of the action when there is one, else by the kind of the frame and its room.
    fn refuse(&self, asked: Asked, refusal: Refusal) {
        let Asked { key, kind, room } = asked;
        self.queue.push_frame(&match key {
            Some(key) => ServerFrame::Nack { key, refusal },
            None => ServerFrame::Error { reference: kind, room, refusal },
        });
    }

    fn error(&self, kind: &str, room: Option<RoomId>, refusal: Refusal) {
        self.refuse(Asked { key: None, kind: Some(kind.to_owned()), room }, refusal);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // First: whoever still pages for it sees that and joins no room any more.
        self.queue.abandon();
        for room in self.followed() {
            self.forget_room(room);
        }
        self.chat.unregister(self.id);
    }
}
