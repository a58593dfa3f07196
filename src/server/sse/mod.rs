//! What all streams of server-sent events have in common, and how what waits in a queue is told on one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use rand::Rng as _;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_protocol::Close;
use tertulia_protocol::limits::{REVALIDATE_MS, WRITE_MS};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use super::client::Place;
use super::serve::Seat;
use super::timekeeper::Bell;

#[cfg(test)]
mod tests;

/// Silence after which something is said, if only a comment: half of the 30 s after which the strictest proxies hang up.
/// A peer that does not acknowledge it is given up by the kernel (`serve`), 31.5 s after its last sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The kind of content that these streams are.
pub(super) const KIND: &str = "text/event-stream";
/// The header in which a browser's `EventSource` says how far it got.
pub(super) const LAST_EVENT_ID: &str = "last-event-id";
/// Nobody keeps a stream, and proxies pass each event on at once (nginx reads the second).
pub(super) const HEADERS: [(HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];

/// What is due on a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A look whether its session lives: at least every [`REVALIDATE_MS`], whatever comes meanwhile.
    Look,
    /// A word, after [`KEEP_ALIVE`] of silence.
    Word,
}

/// When what is due.
pub(super) struct Rounds {
    bell: Bell,
    look: Instant,
    word: Instant,
}

impl Rounds {
    /// The first look comes at a random time, so that those who came back together do not ask SQL together.
    pub(super) fn begin(bell: Bell) -> Self {
        let now = Instant::now();
        let phase = rand::rng().random_range(REVALIDATE_MS / 2..REVALIDATE_MS);
        Self { bell, look: now + Duration::from_millis(phase), word: now + KEEP_ALIVE }
    }

    /// Something was said: the silence begins anew.
    pub(super) fn said(&mut self) {
        self.word = Instant::now() + KEEP_ALIVE;
    }

    /// Returns when something is due. Safe to cancel: what is due stays due.
    pub(super) async fn next(&mut self) -> Due {
        self.bell.until(self.look.min(self.word)).await;
        if Instant::now() < self.look {
            return self.word().await;
        }
        self.look = Instant::now() + Duration::from_millis(REVALIDATE_MS);
        Due::Look
    }

    /// Returns when a word is due. Safe to cancel.
    async fn word(&mut self) -> Due {
        self.bell.until(self.word).await;
        self.said();
        Due::Word
    }
}

/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);
/// The same for whoever is not wanted back: `EventSource` has no other way to be told, and asks for ever.
pub(super) const RETRY_UNWANTED: Duration = Duration::from_secs(3_600);
/// How long the goodbye may take: it is a courtesy to a peer that may be gone.
const GOODBYE: Duration = Duration::from_millis(1_000);
/// Events between the queue and the connection: one, so that what a peer does not take waits in the queue, whose
/// bounds are the same for everybody.
const AHEAD: usize = 1;

/// Somebody who listens to a stream. Dropping them takes them out of every room.
pub(super) trait Audience: Send + 'static {
    /// What waits for them, as frames of the wire.
    fn queue(&self) -> Arc<Queue>;

    /// Does what comes first. It may wait for room in the queue, which is emptied meanwhile.
    fn begin(&mut self) -> impl Future<Output = Result<(), Ended>> + Send {
        async { Ok(()) }
    }

    /// Checks the right to be here against SQL.
    fn revalidate(&mut self) -> impl Future<Output = Result<(), Ended>> + Send;
}

/// How frames of the wire are said on one kind of stream.
pub(super) trait Words: Send + Sync + 'static {
    /// The events for a frame, in order.
    fn say(&mut self, frame: &[u8]) -> Vec<Event>;

    /// The last event, without its `retry`.
    fn goodbye(&self, ended: Ended) -> Event;

    /// What is said after a while of silence.
    fn alive(&self) -> Event {
        Event::default().comment("")
    }
}

/// What a stream keeps for as long as it lasts: a place among the address's sockets, and the seat of its connection.
pub(super) struct Held {
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) place: Place,
    pub(super) seat: Option<Seat>,
}

/// Answers with a stream that tells an audience what its queue holds, until either side ends it.
pub(super) fn carry(
    streams: &TaskTracker,
    bell: Bell,
    held: Held,
    audience: impl Audience,
    words: impl Words,
) -> Response {
    let (events, told) = mpsc::channel(AHEAD);
    let line = Line { events, queue: audience.queue(), words, rounds: Rounds::begin(bell) };
    // A task of its own: hyper asks for nothing more while a peer takes nothing, and then nobody else would keep time.
    // Tracked, so that shutting down waits for the goodbye.
    streams.spawn(async move {
        let reached = line.hold(audience).await;
        if let (false, Some(seat)) = (reached, &held.seat) {
            seat.hang_up();
        }
        drop(held);
    });
    (HEADERS, Sse::new(told_on(told))).into_response()
}

/// Whether whoever asks may be a browser's `EventSource`: it reads no status, and is told in a stream why there is none.
/// It cannot show a token, so that whoever does is a program.
pub(super) fn is_listener(headers: &HeaderMap) -> bool {
    let kinds = headers.get(ACCEPT).is_some_and(|kinds| kinds.as_bytes().starts_with(KIND.as_bytes()));
    kinds && !headers.contains_key(AUTHORIZATION)
}

/// Answers as a stream would that nobody wants to hear (HEAD).
pub(super) fn described() -> Response {
    (HEADERS, [(CONTENT_TYPE, KIND)]).into_response()
}

/// Answers with a stream that only says why there is none.
pub(super) fn turn_away(bye: Event) -> Response {
    let bye = bye.retry(RETRY_UNWANTED);
    (HEADERS, Sse::new(stream::iter([Ok::<_, Infallible>(bye)]))).into_response()
}

fn told_on(told: mpsc::Receiver<Event>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(told, |mut told| async move { Some((Ok(told.recv().await?), told)) })
}

/// Why a stream is over.
enum Over {
    /// We end it, and say why.
    Ended(Ended),
    /// The peer is gone.
    Left,
}

impl From<Ended> for Over {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// The way from a queue to a connection.
struct Line<W> {
    events: Sender<Event>,
    queue: Arc<Queue>,
    words: W,
    rounds: Rounds,
}

impl<W: Words> Line<W> {
    /// Tells the audience everything until the end. False when the peer could not even be told goodbye.
    async fn hold(mut self, mut audience: impl Audience) -> bool {
        let Err(over) = self.tell(&mut audience).await;
        // Out of the rooms first: nobody should be shown as here while a dead peer's goodbye times out.
        drop(audience);
        let Over::Ended(ended) = over else { return true };
        let retry = match ended.retry_after_ms {
            _ if !Close::should_return(ended.close.code()) => RETRY_UNWANTED,
            Some(ms) => RETRY.max(Duration::from_millis(ms)),
            None => RETRY,
        };
        let bye = self.words.goodbye(ended).retry(retry);
        timeout(GOODBYE, self.events.send(bye)).await.is_ok()
    }

    async fn tell(&mut self, audience: &mut impl Audience) -> Result<Infallible, Over> {
        // How soon to come back. Sent at once, so that the client knows that it is heard.
        self.pass_on(Event::default().retry(RETRY).comment("listening")).await?;
        self.while_telling(audience.begin()).await?;
        loop {
            let due = tokio::select! {
                // All safe to cancel: nothing is taken here.
                () = self.queue.ready() => None,
                due = self.rounds.next() => Some(due),
                () = self.events.closed() => return Err(Over::Left),
            };
            match due {
                None => self.deliver().await?,
                Some(Due::Look) => self.while_telling(audience.revalidate()).await?,
                Some(Due::Word) => self.pass_on(self.words.alive()).await?,
            }
        }
    }

    /// Waits for the end of `work`, and tells meanwhile: a slow database must delay neither what others said nor the
    /// news that the session was revoked.
    async fn while_telling(&mut self, work: impl Future<Output = Result<(), Ended>> + Send) -> Result<(), Over> {
        // Boxed: an idle stream should not carry the room for it.
        let mut work = Box::pin(work);
        loop {
            tokio::select! {
                // Safe to cancel, nothing is taken; leaving the loop before the end of the work ends the stream.
                biased;
                done = &mut work => return Ok(done?),
                () = self.queue.ready() => self.deliver().await?,
                _ = self.rounds.word() => self.pass_on(self.words.alive()).await?,
            }
        }
    }

    /// Tells what waits.
    async fn deliver(&mut self) -> Result<(), Over> {
        for frame in self.queue.take()? {
            for event in self.words.say(&frame) {
                self.pass_on(event).await?;
            }
        }
        self.rounds.said();
        Ok(())
    }

    /// Hands an event over. A peer that takes too long, or whose queue overflows meanwhile, is ended.
    async fn pass_on(&self, event: Event) -> Result<(), Over> {
        tokio::select! {
            // Safe to cancel: the stream ends right after, and what was not handed over is resumed by its number.
            ended = self.queue.until_ended() => Err(ended.into()),
            passed = timeout(Duration::from_millis(WRITE_MS), self.events.send(event)) => match passed {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Over::Left),
                Err(_) => Err(Over::Ended(Ended { close: Close::TooSlow, retry_after_ms: Some(0) })),
            },
        }
    }
}
