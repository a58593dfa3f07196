//! The sends of one connection on their way: written one after the other in the order they came, while the
//! socket goes on reading and writing. Its task lives only while something waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tertulia_protocol::frame::Send;
use tertulia_protocol::limits::SENDS_IN_FLIGHT;
use tertulia_protocol::{Close, Person, ServerFrame};
use tokio::sync::Notify;

use crate::chat::Chat;
use crate::member::Member;
use crate::queue::Queue;

/// One connection's sends.
pub(super) struct Lane {
    chat: Arc<Chat>,
    person: Person,
    queue: Arc<Queue>,
    state: Mutex<State>,
    /// A send was answered.
    answered: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Those that wait and the one that is being written, at most [`SENDS_IN_FLIGHT`].
    in_flight: usize,
    running: bool,
}

struct Waiting {
    /// The right to write there, if the room is followed.
    member: Option<Member>,
    send: Send,
}

impl Lane {
    pub(super) fn new(chat: Arc<Chat>, person: Person, queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { chat, person, queue, state: Mutex::default(), answered: Notify::new() })
    }

    /// Whether one more may be taken at once.
    pub(super) fn has_room(&self) -> bool {
        self.lock().in_flight < SENDS_IN_FLIGHT
    }

    /// Takes a send as soon as there is room; it is then written whatever becomes of the connection, unless
    /// the session is revoked before its turn.
    ///
    /// Safe to cancel: the send is then not taken.
    pub(super) async fn take(self: &Arc<Self>, member: Option<Member>, send: Send) {
        loop {
            let answered = self.answered.notified();
            if self.has_room() {
                break;
            }
            answered.await;
        }
        let idle = {
            let mut state = self.lock();
            state.in_flight += 1;
            state.waiting.push_back(Waiting { member, send });
            !std::mem::replace(&mut state.running, true)
        };
        if idle {
            self.chat.spawn_sends(self.clone().run());
        }
    }

    /// Waits until every send that was taken is answered.
    ///
    /// Safe to cancel.
    pub(super) async fn rest(&self) {
        loop {
            let answered = self.answered.notified();
            // Not the count of those in flight: the last answer is queued after it is counted.
            if !self.lock().running {
                return;
            }
            answered.await;
        }
    }

    async fn run(self: Arc<Self>) {
        while let Some(Waiting { member, send }) = self.next() {
            let answer = self.write(member, send).await;
            // Before the answer is queued: it wakes the socket, which then looks whether it may read again.
            self.lock().in_flight -= 1;
            self.queue.push_frame(&answer);
            self.answered.notify_waiters();
        }
        self.answered.notify_waiters();
    }

    /// The next one's turn; without one, or once the session is revoked, the lane is empty and rests.
    fn next(&self) -> Option<Waiting> {
        let revoked = self.queue.ended().is_some_and(|ended| ended.close == Close::Revoked);
        let mut state = self.lock();
        let next = state.waiting.pop_front().filter(|_| !revoked);
        if next.is_none() {
            *state = State::default();
        }
        next
    }

    async fn write(&self, member: Option<Member>, send: Send) -> ServerFrame {
        let Send { room, key, body, reply_to } = send;
        let member = match member {
            Some(member) => Ok(member),
            None => self.chat.member(&self.person, room).await,
        };
        let outcome = match member {
            Ok(member) => self.chat.send(&member, key, &body, reply_to).await,
            Err(refusal) => Err(refusal),
        };
        match outcome {
            Ok(appended) => ServerFrame::Ack {
                key,
                room: appended.room,
                seq: appended.entry.seq,
                at: appended.entry.at,
                duplicate: appended.duplicate,
            },
            Err(refusal) => ServerFrame::Nack { key, refusal },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
