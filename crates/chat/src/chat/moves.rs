//! What others wrote and no bus carried: the store tells which rooms moved, whatever the writer's link and ours are.
//!
//! A writer that is cut off says nothing to anybody, and those who hear each other well would not ask.

use std::collections::VecDeque;

use tertulia_protocol::{RoomId, RoomInfo, Seq, ServerFrame};

use super::Chat;
use crate::store::{Mark, StoreError};

/// Rooms in one read: some milliseconds at most, also after a long absence.
const MOVES_READ: usize = 512;
/// New rooms remembered as told. Bus and store tell of the same room within a second of each other, and rooms are made
/// by hand; one that is forgotten too early is told twice, which changes no page.
const ROOMS_REMEMBERED: usize = 64;

/// New rooms that everybody here was told of, the oldest first.
pub(super) type RoomsTold = VecDeque<RoomInfo>;

impl Chat {
    /// Brings the logs of rooms that moved since `mark` to where they are in SQL, tells of the rooms made since, and
    /// sets the mark. Without one it only learns where the store is: whoever comes in from here on reads the rest.
    ///
    /// # Errors
    /// When SQL cannot be read; the mark is what was done.
    pub(super) async fn follow_moves(&self, mark: &mut Option<Mark>) -> Result<(), StoreError> {
        let Some(mut since) = *mark else {
            *mark = Some(self.store.newest_move().await?);
            return Ok(());
        };
        loop {
            let moved = self.store.moved_after(since, MOVES_READ).await?;
            let heads: Vec<(RoomId, Seq)> = moved.iter().map(|moved| (moved.room.id, moved.head)).collect();
            self.fanout.advance(&heads).await?;
            let read = moved.len();
            for moved in moved {
                since = moved.mark;
                if moved.made {
                    self.tell_room_made(moved.room);
                }
            }
            *mark = Some(since);
            if read < MOVES_READ {
                return Ok(());
            }
        }
    }

    /// Tells every connection of a new room, once, whether the bus or the store brings it first.
    pub(super) fn tell_room_made(&self, room: RoomInfo) {
        let mut told = self.lock_rooms_told();
        if told.contains(&room) {
            return;
        }
        if told.len() == ROOMS_REMEMBERED {
            told.pop_front();
        }
        told.push_back(room.clone());
        drop(told);
        self.tell_all(&ServerFrame::Room { room });
    }
}
