//! How far a room has been told to a channel outside, as the store keeps it.

use tertulia_protocol::{Refusal, Seq};

use super::Chat;
use crate::member::Member;
use crate::refuse::refusal;
use crate::store::{StoreError, Telling};

impl Chat {
    /// How far a room has been told to a channel. Whoever asks first joins the two, from what is said next on.
    ///
    /// # Errors
    /// `busy`, `storage_unavailable`, also when it can be read and not be written.
    pub(crate) async fn telling(&self, member: &Member, channel: &str) -> Result<Telling, Refusal> {
        let room = member.room_id();
        let telling = async {
            let heads = self.store.heads(&[room]).await?;
            let (_, head) = heads.first().ok_or(StoreError::NoRoom)?;
            self.store.begin_telling(room, channel, *head).await
        };
        telling.await.map_err(|error| refusal(&error))
    }

    /// Notes that a room has been told to a channel up to a number; never less than is noted already.
    ///
    /// # Errors
    /// `busy`, `storage_unavailable`.
    pub(crate) async fn note_told(&self, member: &Member, channel: &str, to: Seq) -> Result<(), Refusal> {
        self.store.note_told(member.room_id(), channel, to).await.map_err(|error| refusal(&error))
    }
}
