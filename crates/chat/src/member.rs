//! The authorised handle: nobody reaches a room but through a [`Member`], whatever the door.

use std::sync::Arc;

use tertulia_protocol::{Person, RoomId, RoomInfo};

/// A person who may read and write in a room, as of the moment it was made. Made by `Chat` alone.
#[derive(Clone, Debug)]
pub struct Member(Arc<Inner>);

/// Shared: a member is handed on with every frame.
#[derive(Debug)]
struct Inner {
    person: Person,
    room: RoomInfo,
}

impl Member {
    /// Only for `Chat`, after it has decided.
    pub(crate) fn authorised(person: Person, room: RoomInfo) -> Self {
        Self(Arc::new(Inner { person, room }))
    }

    /// Who.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.0.person
    }

    /// Where.
    #[must_use]
    pub fn room(&self) -> &RoomInfo {
        &self.0.room
    }

    /// Where, by number.
    #[must_use]
    pub fn room_id(&self) -> RoomId {
        self.0.room.id
    }
}
