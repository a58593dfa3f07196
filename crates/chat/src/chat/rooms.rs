//! Rooms: which there are, who may enter, who is there.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use tertulia_protocol::limits::ROOMS_LISTED;
use tertulia_protocol::names::{RoomName, slug_from_url};
use tertulia_protocol::{Code, Person, Refusal, RoomId, RoomInfo, ServerFrame, codec};

use tokio::task::AbortHandle;

use super::Chat;
use crate::bus::Topic;
use crate::fanout::{Paging, Start};
use crate::member::Member;
use crate::news::News;
use crate::presence::{Presence, Visibility};
use crate::queue::Queue;
use crate::refuse::refusal;
use crate::room_log::ConnId;

/// Connections that follow a room in presence but not yet its log, with the task that brings them there.
/// Bounded by the rooms that the open connections follow.
pub(super) type LateComers = BTreeMap<(ConnId, RoomId), (AbortHandle, Arc<Queue>)>;

/// Rooms whose names differ by nothing that a slug keeps, such as `C`, `C++` and `C#`: more than anybody needs, and each is
/// asked for until the right one is found.
const PLACES: u32 = 20;

impl Chat {
    /// Rooms for the sidebar: the newest, at most 500, in the order they were made.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn rooms(&self) -> Result<Vec<RoomInfo>, Refusal> {
        self.store.rooms(ROOMS_LISTED).await.map_err(|error| refusal(&error))
    }

    /// The same for somebody who is in a room: it is among them however old it is.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn rooms_around(&self, member: &Member) -> Result<Vec<RoomInfo>, Refusal> {
        let mut rooms = self.rooms().await?;
        let here = member.room();
        if let Err(place) = rooms.binary_search_by_key(&here.id, |room| room.id) {
            rooms.insert(place, here.clone());
        }
        Ok(rooms)
    }

    /// Makes a room, or finds the one that has this name. A room of another name in its place leaves it the next one.
    ///
    /// # Errors
    /// What is wrong with the name, `storage_unavailable`, `busy`, `uncertain`.
    pub async fn create_room(&self, person: &Person, name: &str) -> Result<RoomInfo, Refusal> {
        let name = RoomName::parse(name)?;
        for place in (1..=PLACES).filter_map(|number| name.placed(number)) {
            let made = self.store.create_room(place.slug(), place.name(), person, self.clock.now_ms()).await;
            let (room, made) = made.map_err(|error| refusal(&error))?;
            if made {
                tracing::info!(room = room.id.0, user = person.id.0, "a room was made");
                self.tell_room_made(room.clone());
                self.fanout.publish(Topic::Everyone, News::RoomMade { room: room.clone() });
            }
            if made || name.is_called(&room.name) {
                return Ok(room);
            }
        }
        let message =
            format!("There are {PLACES} rooms whose names differ from this one by signs alone. Choose another.");
        Err(Refusal::new(Code::Limit, message).field("name").limit(PLACES.into()))
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

    /// Who is in the room, as far as this instance knows, in the order of their ids; at most
    /// [`PRESENCE_NAMES`](tertulia_protocol::limits::PRESENCE_NAMES) by name, and how many in all.
    #[must_use]
    pub fn online(&self, member: &Member) -> (Vec<Person>, u64) {
        let (named, all) = self.lock_presence().online(member.room_id());
        (named, all as u64)
    }

    /// Lets a connection follow a room; see [`crate::fanout::Fanout::follow`].
    pub(crate) async fn follow(
        self: &Arc<Self>,
        member: &Member,
        conn: ConnId,
        queue: &Arc<Queue>,
        start: Start,
        shown: Visibility,
    ) -> Result<Option<Paging>, Refusal> {
        let room = member.room_id();
        let paging = self.fanout.follow(room, conn, queue, start).await.map_err(|error| refusal(&error))?;
        let mut presence = self.lock_presence();
        match shown {
            Visibility::Shown => presence.arrive(room, member.person()),
            Visibility::Returning => presence.come_back(room, member.person()),
            Visibility::Hidden | Visibility::House => presence.watch(room),
        }
        queue.push_frame(&whole_list(&mut presence, room));
        if let Some(paging) = &paging {
            self.lock_late().insert((conn, room), (paging.task(), queue.clone()));
        }
        Ok(paging)
    }

    /// Ends what [`Chat::follow`] began.
    pub(crate) fn unfollow(&self, room: RoomId, person: &Person, conn: ConnId, shown: Visibility) {
        self.fanout.part(room, conn);
        let mut presence = self.lock_presence();
        if shown.is_shown() {
            presence.depart(room, person.id);
        }
        self.lock_late().remove(&(conn, room));
    }

    /// Sends the whole list again to those whose paging has ended: they were told no change meanwhile.
    pub(super) fn welcome_late(&self, presence: &mut Presence) {
        self.lock_late().retain(|(_, room), (paging, queue)| {
            let ended = paging.is_finished();
            if ended {
                queue.push_frame(&whole_list(presence, *room));
            }
            !ended
        });
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

    fn lock_late(&self) -> MutexGuard<'_, LateComers> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whole_list(presence: &mut Presence, room: RoomId) -> ServerFrame {
    let (joined, online) = presence.online(room);
    ServerFrame::Presence { room, online: online as u64, full: true, joined, left: Vec::new() }
}
