//! `redis-cli PUBLISH`: a foreign program that speaks in a channel and is answered nothing that counts.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use tertulia_protocol::RoomInfo;
use tertulia_visitor::trouble::{Because, Outcome};
use tokio::time::{Instant, sleep_until, timeout};

use super::{ANSWER, Phase, Run, Words};
use crate::journal::{Attempt, Digest, Door, Step, What, Writer};
use crate::world::ask_redis;

/// Somebody at `redis-cli`.
pub(crate) struct Bridge {
    run: Run,
    name: String,
    room: RoomInfo,
    channel: String,
    redis: u16,
    every: Duration,
    journal: Writer,
    chance: SmallRng,
    words: Words,
}

impl Bridge {
    /// Somebody who will publish on a channel that is joined to a room.
    ///
    /// # Errors
    /// When the journal cannot be begun.
    pub(crate) fn new(
        run: &Run,
        sender: u32,
        name: &str,
        (room, channel): (RoomInfo, &str),
        redis: u16,
        every: Duration,
    ) -> Outcome<Self> {
        let (journal, chance, words) = (run.journal(name)?, run.chance(sender), Words::new(sender, 60));
        let (name, channel) = (name.to_owned(), channel.to_owned());
        Ok(Self { run: run.clone(), name, room, channel, redis, every, journal, chance, words })
    }

    /// Publishes while there is talk. Pub/Sub forgets what nobody hears, so no outcome is ever known.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn live(mut self) -> Outcome<()> {
        let mut due = Instant::now() + self.every.mul_f64(self.chance.random::<f64>());
        while matches!(*self.run.phase.borrow(), Phase::Talk) {
            sleep_until(due).await;
            due = Instant::now().max(due + self.every);
            let (stamp, body) = self.words.next(&mut self.chance);
            let (room, n, h) = (self.room.id, body.len(), Digest::of(&body));
            let via = "redis".to_owned();
            let invoke = Step::Invoke { key: None, author: None, n, h, via, door: Door::Bridge, conn: None };
            self.journal.intend(Attempt { room, stamp, step: invoke }).await.because(&self.name)?;
            let said = timeout(ANSWER, ask_redis(self.redis, &["PUBLISH", &self.channel, &body])).await;
            let code = if matches!(said, Ok(Ok(_))) { "published" } else { "no answer" }.to_owned();
            let step = Step::Info { code };
            self.journal.note(What::Send(Attempt { room, stamp, step })).because(&self.name)?;
        }
        self.journal.flush().because(&self.name)
    }
}
