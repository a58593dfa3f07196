//! Following rooms, and stopping to.

use tertulia_protocol::frame::Subscribe;
use tertulia_protocol::limits::ROOMS_PER_SOCKET;
use tertulia_protocol::{Code, Refusal, RoomId, ServerFrame};

use super::{Connection, Followed};
use crate::fanout::Start;
use crate::presence::Visibility;

impl Connection {
    pub(super) async fn subscribe(&mut self, subscribe: Subscribe) {
        let start = subscribe.after.map_or(Start::Now, Start::After);
        if let Err(refusal) = self.follow_room(subscribe.room, start, Visibility::Shown).await {
            self.error("subscribe", Some(subscribe.room), refusal);
        }
    }

    /// Follows a room from a position; following it already means beginning again from there.
    pub(super) async fn follow_room(&mut self, room: RoomId, start: Start, shown: Visibility) -> Result<(), Refusal> {
        if !self.rooms.contains_key(&room) && self.rooms.len() >= ROOMS_PER_SOCKET {
            let refusal = Refusal::new(Code::Limit, "One socket follows at most 256 rooms.");
            return Err(refusal.field("room").limit(ROOMS_PER_SOCKET as u64));
        }
        let member = self.chat.member(&self.person, room).await?;
        self.forget_room(room);
        let paging = self.chat.follow(&member, self.id, &self.queue, start, shown).await?;
        self.rooms.insert(room, Followed { member, paging });
        Ok(())
    }

    /// The rooms that are followed, by number: what is done to all is done in the same order every time.
    pub(super) fn followed(&self) -> Vec<RoomId> {
        let mut rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        rooms.sort_unstable();
        rooms
    }

    pub(super) fn unsubscribe(&mut self, room: RoomId) {
        self.forget_room(room);
        self.queue.push_frame(&ServerFrame::Unsubscribed { room });
    }

    /// Ends what following began: the paging first, so that it cannot join again afterwards.
    pub(super) fn forget_room(&mut self, room: RoomId) {
        let Some(followed) = self.rooms.remove(&room) else { return };
        if let Some(paging) = followed.paging {
            paging.end();
        }
        self.chat.unfollow(room, &self.person, self.id, Visibility::Shown);
    }
}
