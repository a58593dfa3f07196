//! How many instances listen to a room, as Redis counts its subscribers.

use std::time::Duration;

use tertulia_protocol::RoomId;
use tokio::time::timeout;

use super::Shared;

/// How long Redis may take to say it: a number for whoever published must not hold the answer up, and a Redis that needs
/// longer for a look into a table stands still.
const PATIENCE: Duration = Duration::from_millis(250);

impl Shared {
    /// See [`Bus::reach`](crate::bus::Bus::reach).
    pub(super) async fn reach(&self, room: RoomId) -> usize {
        // Redis counts this instance among the subscribers once it is one; it is told in any case.
        let own = usize::from(self.registry.is_confirmed(room));
        let mut command = redis::cmd("PUBSUB");
        command.arg("NUMSUB").arg(self.channels.room(room));
        let asked = timeout(PATIENCE, self.ask::<(String, usize)>(&command)).await;
        match asked.unwrap_or_else(|_| Err(format!("Redis does not answer within {} ms", PATIENCE.as_millis()))) {
            Ok((_, subscribers)) => 1 + subscribers.saturating_sub(own),
            Err(reason) => {
                tracing::debug!(reason, room = room.0, "how many instances listen to a room is not known");
                1
            }
        }
    }
}
