//! A program that publishes by requests, each with a name of its own, again until it is answered.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName};
use rand::Rng;
use rand::rngs::SmallRng;
use serde::Deserialize;
use tertulia_protocol::{RoomInfo, Seq};
use tertulia_visitor::trouble::{Because, Outcome};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{ANSWER, Pauses, Phase, Run, Words};
use crate::journal::{Attempt, Digest, Door, Step, What, Writer};

/// By which a program names a request.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One of so many requests is made again although it was answered.
const DOUBTS: u32 = 3;

/// A program.
pub(crate) struct Publisher {
    run: Run,
    name: String,
    room: RoomInfo,
    every: Duration,
    journal: Writer,
    chance: SmallRng,
    words: Words,
}

/// What a publish is answered.
#[derive(Deserialize)]
struct Published {
    seq: Seq,
    id: String,
}

impl Publisher {
    /// A program that will publish into a room.
    ///
    /// # Errors
    /// When the journal cannot be begun.
    pub(crate) fn new(run: &Run, sender: u32, name: &str, room: RoomInfo, every: Duration) -> Outcome<Self> {
        let (journal, chance, words) = (run.journal(name)?, run.chance(sender), Words::new(sender, 80));
        Ok(Self { run: run.clone(), name: name.to_owned(), room, every, journal, chance, words })
    }

    /// Publishes while there is talk.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn live(mut self) -> Outcome<()> {
        let mut due = Instant::now() + self.every.mul_f64(self.chance.random::<f64>());
        while matches!(*self.run.phase.borrow(), Phase::Talk) {
            sleep_until(due).await;
            due = Instant::now().max(due + self.every);
            self.publish().await?;
        }
        self.journal.flush().because(&self.name)
    }

    /// One message, until it is stored or refused for good.
    async fn publish(&mut self) -> Outcome<()> {
        let (stamp, body) = self.words.next(&mut self.chance);
        let room = self.room.id;
        let mut pauses = Pauses::new();
        // A program that is not sure asks again, now and then even after it was answered.
        let mut doubts = self.chance.random_ratio(1, DOUBTS);
        loop {
            let at = self.chance.random_range(0..self.run.instances.len());
            let via = self.run.instances[at].0.clone();
            let (n, h) = (body.len(), Digest::of(&body));
            let invoke = Step::Invoke { key: None, author: None, n, h, via, door: Door::Publish, conn: None };
            self.journal.intend(Attempt { room, stamp, step: invoke }).await.because(&self.name)?;
            let step = self.ask(at, &stamp.to_string(), &body).await;
            let is_end = !matches!(step, Step::Info { .. });
            self.journal.note(What::Send(Attempt { room, stamp, step })).because(&self.name)?;
            if is_end && !std::mem::take(&mut doubts) {
                return Ok(());
            }
            sleep(pauses.next(&mut self.chance)).await;
        }
    }

    async fn ask(&self, at: usize, name: &str, body: &str) -> Step {
        let path = format!("/publish/{}", self.room.slug);
        let headers = [(CONTENT_TYPE, "text/plain"), (IDEMPOTENCY_KEY, name)];
        let asked = timeout(ANSWER, self.run.instances[at].1.send(&path, &headers, body.to_owned())).await;
        let unknown = |code: String| Step::Info { code };
        match asked {
            Ok(Ok(answer)) if answer.status == StatusCode::CREATED => match serde_json::from_slice(&answer.body) {
                Ok(Published { seq, id }) => Step::Ok { seq, id: Some(id), dup: false },
                Err(error) => unknown(format!("an answer that cannot be read: {error}")),
            },
            Ok(Ok(answer)) if answer.status.is_client_error() && answer.status != StatusCode::TOO_MANY_REQUESTS => {
                Step::Fail { code: answer.status.to_string() }
            }
            Ok(Ok(answer)) => unknown(answer.status.to_string()),
            Ok(Err(_)) => unknown("no answer".to_owned()),
            Err(_) => unknown("timeout".to_owned()),
        }
    }
}
