//! Looking on by right of a session, without a conversation: whoever watches the market is sent away when it ends.

use std::sync::Arc;

use tertulia_protocol::UserId;

use crate::chat::Chat;
use crate::queue::Queue;
use crate::room_log::ConnId;
use crate::store::TokenHash;

/// A stay that ends with its session, or with the instance. Dropping it ends it too.
pub struct Stay {
    chat: Arc<Chat>,
    id: ConnId,
    session: TokenHash,
    /// Nothing waits in it; it carries the end.
    queue: Arc<Queue>,
}

impl Stay {
    /// Begins; whether the session still lives is asked afterwards, since it may end meanwhile.
    #[must_use]
    pub fn begin(chat: Arc<Chat>, who: UserId, session: TokenHash) -> Self {
        let queue = Arc::new(Queue::default());
        let id = chat.register(queue.clone(), who, Some(session), false);
        Self { chat, id, session, queue }
    }

    /// Returns when this instance is told that the session has ended, or sends everybody away.
    ///
    /// Safe to cancel: what has ended stays so.
    pub async fn until_told(&self) {
        self.queue.until_ended().await;
    }

    /// Whether the session has ended, by SQL: the net for what no bus carried.
    pub async fn has_ended(&self) -> bool {
        self.chat.has_ended(self.session).await
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.chat.unregister(self.id);
    }
}
