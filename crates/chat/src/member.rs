//! The authorised handle: nobody reaches a room but through a [`Member`], whatever the door.

use tertulia_protocol::{Person, RoomId, RoomInfo};

/// A person who may read and write in a room, as of the moment it was made. Made by `Chat` alone.
#[derive(Clone, Debug)]
pub struct Member {
    person: Person,
    room: RoomInfo,
}

impl Member {
    /// Only for `Chat`, after it has decided.
    pub(crate) const fn authorised(person: Person, room: RoomInfo) -> Self {
        Self { person, room }
    }

    /// Who.
    #[must_use]
    pub const fn person(&self) -> &Person {
        &self.person
    }

    /// Where.
    #[must_use]
    pub const fn room(&self) -> &RoomInfo {
        &self.room
    }

    /// Where, by number.
    #[must_use]
    pub const fn room_id(&self) -> RoomId {
        self.room.id
    }
}
