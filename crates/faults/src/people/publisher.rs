//! A program that publishes by requests, each with a name of its own, again until it is answered.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName};
use rand::Rng;
use rand::rngs::SmallRng;
use serde::Deserialize;
use tertulia_protocol::{Refusal, RoomInfo, Seq};
use tertulia_visitor::trouble::{Because, Outcome};
use tertulia_visitor::web::Answer;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{ANSWER, Pauses, Phase, Run, Words, refused};
use crate::journal::{Attempt, Digest, Door, Step, What, Writer};

/// By which a program names a request.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whether an earlier request of that name had stored the message.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

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
            let (step, is_end) = self.ask(at, &stamp.to_string(), &body).await;
            self.journal.note(What::Send(Attempt { room, stamp, step })).because(&self.name)?;
            if is_end && !std::mem::take(&mut doubts) {
                return Ok(());
            }
            sleep(pauses.next(&mut self.chance)).await;
        }
    }

    /// One try: what became of it, and whether that is the end.
    async fn ask(&self, at: usize, name: &str, body: &str) -> (Step, bool) {
        let path = format!("/publish/{}", self.room.slug);
        let headers = [(CONTENT_TYPE, "text/plain"), (IDEMPOTENCY_KEY, name)];
        match timeout(ANSWER, self.run.instances[at].1.send(&path, &headers, body.to_owned())).await {
            Ok(Ok(answer)) => understood(&answer),
            Ok(Err(_)) => (unknown("no answer".to_owned()), false),
            Err(_) => (unknown("timeout".to_owned()), false),
        }
    }
}

fn understood(answer: &Answer) -> (Step, bool) {
    let passes = answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS;
    match serde_json::from_slice::<Refusal>(&answer.body) {
        _ if answer.status == StatusCode::CREATED => stored(answer),
        // Something in between may speak another language, and nobody knows what it did.
        Ok(refusal) if passes => (refused(refusal.code), false),
        _ if answer.status.is_client_error() && !passes => (Step::Fail { code: answer.status.to_string() }, true),
        _ => (unknown(answer.status.to_string()), false),
    }
}

fn stored(answer: &Answer) -> (Step, bool) {
    let dup = answer.headers.get(IDEMPOTENCY_REPLAYED).is_some_and(|replayed| replayed == "true");
    match serde_json::from_slice(&answer.body) {
        Ok(Published { seq, id }) => (Step::Ok { seq, id: Some(id), dup }, true),
        Err(error) => (unknown(format!("an answer that cannot be read: {error}")), false),
    }
}

fn unknown(code: String) -> Step {
    Step::Info { code }
}
