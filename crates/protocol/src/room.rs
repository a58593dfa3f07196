//! Rooms as they travel, and the snapshot that a page is rendered from.

use serde::Serialize;

use crate::entry::Entry;
use crate::ids::{Epoch, Position, RoomId, Seq};

/// A room as anybody in it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomInfo {
    /// Which room.
    pub id: RoomId,
    /// Its place in URLs: `/r/{slug}`. Letters, digits, `-` and `_` in any script, 1 to 64.
    pub slug: String,
    /// Its name, 1 to 64 scalar values.
    pub name: String,
    /// What it is about; empty for none.
    pub topic: String,
}

/// A room at a position: what the first HTML is rendered from, and where the socket resumes.
///
/// The newest entries up to and including `seq`; nothing after it, no hole in between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The room.
    pub room: RoomInfo,
    /// The store that `seq` belongs to.
    pub epoch: Epoch,
    /// The newest entry at the moment of reading; 0 when there is none.
    pub seq: Seq,
    /// Ascending and contiguous; the last one has number `seq`.
    pub entries: Vec<Entry>,
}

impl Snapshot {
    /// Where a reader of this snapshot stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { room: self.room.id, epoch: self.epoch.clone(), seq: self.seq }
    }
}

crate::from_json!(RoomInfo { id, slug, name, topic });
crate::from_json!(Snapshot { room, epoch, seq, entries });
crate::deserialize_from_json!(RoomInfo, Snapshot);
