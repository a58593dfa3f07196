//! Rooms: which there are, who may enter, who is there.

use std::sync::Arc;

use bytes::Bytes;
use tertulia_protocol::limits::{PRESENCE_NAMES, ROOMS_LISTED};
use tertulia_protocol::names::{RoomName, slug_from_url};
use tertulia_protocol::{Person, Refusal, RoomId, RoomInfo, ServerFrame, codec};

use super::Chat;
use crate::bus::Topic;
use crate::fanout::{Paging, Start};
use crate::member::Member;
use crate::news::News;
use crate::queue::Queue;
use crate::refuse::refusal;
use crate::room_log::ConnId;

impl Chat {
    /// Rooms for the sidebar, in the order they were made, at most 500.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn rooms(&self) -> Result<Vec<RoomInfo>, Refusal> {
        self.store.rooms(ROOMS_LISTED).await.map_err(|error| refusal(&error))
    }

    /// Makes a room, or finds the one that has this name's slug.
    ///
    /// # Errors
    /// What is wrong with the name, `storage_unavailable`, `busy`.
    pub async fn create_room(&self, person: &Person, name: &str) -> Result<RoomInfo, Refusal> {
        let name = RoomName::parse(name)?;
        let now = self.clock.now_ms();
        let made = self.store.create_room(name.slug(), name.name(), person, now).await;
        let (room, made) = made.map_err(|error| refusal(&error))?;
        if made {
            tracing::info!(room = room.id.0, user = person.id.0, "a room was made");
            self.tell_all(&ServerFrame::Room { room: room.clone() });
            self.fanout.publish(Topic::Everyone, News::RoomMade { room: room.clone() });
        }
        Ok(room)
    }

    /// The one way into a room: everything done there asks for the [`Member`] this returns.
    ///
    /// Rooms are open to everybody who has a session, until there are private ones.
    ///
    /// # Errors
    /// `not_found`, the same for rooms that do not exist and rooms that are not theirs; `storage_unavailable`.
    pub async fn member(&self, person: &Person, room: RoomId) -> Result<Member, Refusal> {
        let room = self.store.room(room).await.map_err(|error| refusal(&error))?;
        room.map(|room| Member::authorised(person.clone(), room)).ok_or_else(Refusal::no_such_room)
    }

    /// The same by the place in URLs.
    ///
    /// # Errors
    /// As [`Chat::member`].
    pub async fn member_by_slug(&self, person: &Person, slug: &str) -> Result<Member, Refusal> {
        let slug = slug_from_url(slug).ok_or_else(Refusal::no_such_room)?;
        let room = self.store.room_by_slug(&slug).await.map_err(|error| refusal(&error))?;
        room.map(|room| Member::authorised(person.clone(), room)).ok_or_else(Refusal::no_such_room)
    }

    /// Who is in the room, as far as this instance knows.
    #[must_use]
    pub fn online(&self, member: &Member) -> Vec<Person> {
        self.lock_presence().online(member.room_id())
    }

    /// Lets a connection follow a room; see [`crate::fanout::Fanout::follow`].
    pub(crate) async fn follow(
        self: &Arc<Self>,
        member: &Member,
        conn: ConnId,
        queue: &Arc<Queue>,
        start: Start,
    ) -> Result<Option<Paging>, Refusal> {
        let room = member.room_id();
        let paging = self.fanout.follow(room, conn, queue, start).await.map_err(|error| refusal(&error))?;
        let (first, alone) = {
            let mut presence = self.lock_presence();
            let alone = presence.roster(room).is_empty();
            (presence.arrive(room, member.person()), alone)
        };
        if first {
            self.publish_roster(room);
        }
        if alone {
            self.fanout.publish(Topic::Room(room), News::Who { room });
        }
        queue.push_frame(&self.whole_presence(room));
        Ok(paging)
    }

    /// Ends what [`Chat::follow`] began.
    pub(crate) fn unfollow(&self, room: RoomId, person: &Person, conn: ConnId) {
        self.fanout.part(room, conn);
        let last = self.lock_presence().depart(room, person.id);
        if last {
            self.publish_roster(room);
        }
    }

    /// Tells the room that somebody writes; may be lost.
    pub(crate) fn typing(&self, member: &Member, conn: ConnId) {
        let (room, who) = (member.room_id(), member.person().clone());
        self.show_typing(room, who.clone(), Some(conn));
        self.fanout.publish(Topic::Room(room), News::Typing { room, who });
    }

    pub(super) fn show_typing(&self, room: RoomId, who: Person, but: Option<ConnId>) {
        let frame = Bytes::from(codec::encode(&ServerFrame::Typing { room, who }));
        self.fanout.tell(room, &frame, but, true);
    }

    pub(super) fn publish_roster(&self, room: RoomId) {
        let people = self.lock_presence().roster(room);
        self.fanout.publish(Topic::Room(room), News::Roster { room, people });
    }

    fn whole_presence(&self, room: RoomId) -> ServerFrame {
        let mut joined = self.lock_presence().online(room);
        let online = joined.len() as u64;
        joined.truncate(PRESENCE_NAMES);
        ServerFrame::Presence { room, online, full: true, joined, left: Vec::new() }
    }
}
