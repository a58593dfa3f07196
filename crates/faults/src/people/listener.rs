//! `redis-cli SUBSCRIBE`: somebody who hears what a room is told on a channel, and writes down what and when.

use rand::rngs::SmallRng;
use serde::Deserialize;
use tertulia_protocol::{RoomId, Seq};
use tertulia_visitor::trouble::{Because, Outcome};
use tokio::time::{sleep, timeout};

use super::{ANSWER, Pauses, Phase, Run};
use crate::journal::{Channel, What, Writer};
use crate::world::Ears;

/// Somebody at a terminal. Redis remembers nothing for them: what is said while they are away is not theirs to miss.
pub(crate) struct Listener {
    run: Run,
    name: String,
    channel: String,
    redis: u16,
    journal: Writer,
    chance: SmallRng,
}

/// A message of a room on the channel; whatever else is published there has no such name.
#[derive(Deserialize)]
struct Said {
    /// The room's id and the message's number.
    id: String,
}

impl Listener {
    /// Somebody who will listen to a channel.
    ///
    /// # Errors
    /// When the journal cannot be begun.
    pub(crate) fn new(run: &Run, sender: u32, name: &str, channel: &str, redis: u16) -> Outcome<Self> {
        let (journal, chance) = (run.journal(name)?, run.chance(sender));
        Ok(Self { run: run.clone(), name: name.to_owned(), channel: channel.to_owned(), redis, journal, chance })
    }

    /// Listens until the run is over, and comes back whenever the connection ended.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn live(mut self) -> Outcome<()> {
        let mut pauses = Pauses::new();
        while !self.is_over() {
            if let Ok(Ok(ears)) = timeout(ANSWER, Ears::open(self.redis, &self.channel)).await {
                pauses = Pauses::new();
                self.note(Channel::Listening)?;
                self.listen(ears).await?;
                self.note(Channel::Lost)?;
            }
            sleep(pauses.next(&mut self.chance)).await;
        }
        self.journal.flush().because(&self.name)
    }

    /// Hears until the connection ends, or the run.
    async fn listen(&self, mut ears: Ears) -> Outcome<()> {
        let mut phase = self.run.phase.clone();
        let mut over = std::pin::pin!(phase.wait_for(|phase| matches!(phase, Phase::Finish(_))));
        loop {
            let heard = tokio::select! {
                // Safe to cancel: polled by reference, it goes on in the next turn.
                _ = &mut over => return Ok(()),
                // Safe to cancel: that happens in the end alone, when nothing is heard any more.
                heard = ears.next() => heard,
            };
            let Ok(payload) = heard else { return Ok(()) };
            if let Some((room, seq)) = message(&payload) {
                self.note(Channel::Heard { room, seq })?;
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(*self.run.phase.borrow(), Phase::Finish(_))
    }

    fn note(&self, channel: Channel) -> Outcome<()> {
        self.journal.note(What::Channel(channel)).because(&self.name)
    }
}

/// Which message a payload is, if it is one.
fn message(payload: &str) -> Option<(RoomId, Seq)> {
    let said: Said = serde_json::from_str(payload).ok()?;
    let (room, seq) = said.id.split_once('-')?;
    Some((RoomId(room.parse().ok()?), Seq(seq.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_from_all_else_by_their_names() {
        let told = r#"{"room":"chat","seq":12,"id":"7-12","author":"Ana","text":"hola","at":1,"from":"tertulia/e"}"#;
        assert_eq!(message(told), Some((RoomId(7), Seq(12))));
        let moved = r#"{"room":"chat","event":"joined","who":"Ana","from":"tertulia/e"}"#;
        for other in [moved, "10100:4:00c0ffee00c0ffee ...", r#"{"id":"7"}"#, r#"{"id":"a-b"}"#, "[]", ""] {
            assert_eq!(message(other), None, "{other}");
        }
    }
}
