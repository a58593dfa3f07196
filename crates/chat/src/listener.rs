//! Following one room without speaking the wire: what the plain doors (raw socket, server-sent events) stand on.
//!
//! The same queue, the same bounds and the same repair as a [`crate::Connection`] has; only the words differ.

use std::sync::Arc;

use tertulia_protocol::{Close, Code, Entry, Epoch, Key, Person, Refusal, Seq, ServerFrame, codec};

use crate::chat::Chat;
use crate::fanout::{Paging, Start};
use crate::member::Member;
use crate::presence::Visibility;
use crate::queue::{Ended, Queue};
use crate::room_log::ConnId;
use crate::store::TokenHash;
use crate::throttle::{FrameBudget, RATE_LIMITED_RETRY_MS, Strikes};

/// One thing that happened in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The next entry of the log: each number once, in order.
    Entry(Entry),
    /// Somebody came; best effort.
    Joined(Person),
    /// Somebody went; best effort.
    Left(Person),
    /// What was remembered is void: the next entry is the one after `after`.
    Afresh {
        /// Nothing at or before this number follows.
        after: Seq,
    },
    /// What they said themselves was not taken.
    Refused(Refusal),
}

/// Somebody who follows one room. Dropping it takes them out.
pub struct Listener {
    chat: Arc<Chat>,
    id: ConnId,
    member: Member,
    session: Option<TokenHash>,
    visibility: Visibility,
    queue: Arc<Queue>,
    /// Whether following has begun, and so must be ended.
    follows: bool,
    paging: Option<Paging>,
    frames: FrameBudget,
    ignored: Strikes,
}

impl Listener {
    /// Follows a room from a position. `session` is whose end closes this, if it came with one.
    ///
    /// # Errors
    /// `unauthorized`, when the session has just ended; `storage_unavailable`, when the position cannot be looked up;
    /// `busy`, when too many come in at once.
    pub async fn open(
        chat: Arc<Chat>,
        member: Member,
        session: Option<TokenHash>,
        start: Start,
        visibility: Visibility,
    ) -> Result<Self, Refusal> {
        // The house's own work is never sent away.
        let desk = chat.clone();
        let _place = if visibility == Visibility::House { None } else { Some(desk.admit().await.map_err(crowded)?) };
        let queue = Arc::new(Queue::default());
        let frames = FrameBudget::new(chat.rate_limits());
        let id = chat.register(queue.clone(), member.person().id, session, visibility == Visibility::House);
        // Made before anything can fail: dropping it undoes whatever was done.
        let mut listener = Self {
            chat,
            id,
            member,
            session,
            visibility,
            queue,
            follows: false,
            paging: None,
            frames,
            ignored: Strikes::default(),
        };
        let (chat, member, queue) = (&listener.chat, &listener.member, &listener.queue);
        // Whoever left between the request's look at the session and our listening to its end was not heard.
        if let Some(session) = session
            && chat.has_ended(session).await
        {
            return Err(Refusal::new(Code::Unauthorized, "This session has just ended.").field("cookie"));
        }
        listener.paging = chat.follow(member, id, queue, start, visibility).await?;
        listener.follows = true;
        Ok(listener)
    }

    /// What waits for them, as frames of the wire: [`happened`] tells what they say.
    #[must_use]
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// As whom they are there.
    #[must_use]
    pub const fn member(&self) -> &Member {
        &self.member
    }

    /// The chat they listen to.
    #[must_use]
    pub const fn chat(&self) -> &Arc<Chat> {
        &self.chat
    }

    /// Takes one frame of the transport from the listener's budget, whatever it says.
    ///
    /// # Errors
    /// The reason to close, when far too many came.
    pub fn take_frame(&mut self) -> Result<(), Ended> {
        match self.frames.take() {
            Ok(()) => Ok(()),
            Err(_) => self.ignored.strike(Close::RateLimited, Some(RATE_LIMITED_RETRY_MS)),
        }
    }

    /// Says something in the room, as a person at the page does. What is refused comes back through the queue, to the
    /// one who said it.
    pub async fn say(&mut self, text: &str) {
        if let Err(refusal) = self.chat.send(&self.member, Key::mint(), text, None).await {
            self.refuse(refusal);
        }
    }

    /// The same where somebody else has paid for it; see [`Chat::post`].
    pub async fn post(&mut self, text: &str) {
        if let Err(refusal) = self.chat.post(&self.member, Key::mint(), text).await {
            self.refuse(refusal);
        }
    }

    /// Tells the listener that what they said was not taken.
    pub fn refuse(&self, refusal: Refusal) {
        let (reference, room) = (Some("send".to_owned()), Some(self.member.room_id()));
        self.queue.push_frame(&ServerFrame::Error { reference, room, refusal });
    }

    /// Checks session and membership against SQL: the net for revocations that no bus carried.
    ///
    /// # Errors
    /// `Revoked` when either is gone. A store that cannot be read ends nobody's listening.
    pub async fn revalidate(&mut self) -> Result<(), Ended> {
        let revoked = Err(Ended { close: Close::Revoked, retry_after_ms: None });
        if let Some(session) = self.session
            && self.chat.has_ended(session).await
        {
            return revoked;
        }
        match self.chat.member(self.member.person(), self.member.room_id()).await {
            Ok(member) => self.member = member,
            Err(refusal) if refusal.code == Code::NotFound => return revoked,
            Err(_) => {}
        }
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // First: whoever still pages for it sees that and joins no room any more.
        self.queue.abandon();
        if let Some(paging) = self.paging.take() {
            paging.end();
        }
        if self.follows {
            self.chat.unfollow(self.member.room_id(), self.member.person(), self.id, self.visibility);
        }
        self.chat.unregister(self.id);
    }
}

/// Said to whoever is sent away at the door.
fn crowded(ended: Ended) -> Refusal {
    let refusal = Refusal::new(Code::Busy, "Many come in at this moment. Come back a little later.");
    refusal.retry_after(ended.retry_after_ms.unwrap_or(0))
}

/// What a frame from a listener's queue says happened, in order; nothing for what plain doors do not tell.
#[must_use]
pub fn happened(frame: &[u8]) -> Vec<Happened> {
    let decoded = std::str::from_utf8(frame).map_err(|error| error.to_string()).and_then(codec::decode_server);
    match decoded {
        Ok(ServerFrame::Entries { entries, .. }) => entries.into_iter().map(Happened::Entry).collect(),
        // The whole list is no news of anybody.
        Ok(ServerFrame::Presence { full: false, joined, left, .. }) => {
            let joined = joined.into_iter().map(Happened::Joined);
            joined.chain(left.into_iter().map(Happened::Left)).collect()
        }
        Ok(ServerFrame::Reset { after, .. }) => vec![Happened::Afresh { after }],
        Ok(ServerFrame::Error { refusal, .. }) => vec![Happened::Refused(refusal)],
        Ok(_) => Vec::new(),
        Err(error) => {
            tracing::error!(error, "a frame of our own cannot be read");
            Vec::new()
        }
    }
}

/// Where to begin for somebody who says where they were: a position of this store is resumed, one of another is void.
#[must_use]
pub fn resume(chat: &Chat, epoch: &Epoch, seq: Seq) -> Start {
    if chat.epoch() == *epoch { Start::After(seq) } else { Start::OtherEpoch }
}
