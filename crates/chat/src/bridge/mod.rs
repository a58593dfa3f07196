//! Rooms joined to channels of Redis, so that `redis-cli` can take part: what is said in the room and who comes and goes
//! is published to the channel, what strangers publish there becomes a message. One instance does it for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tertulia_protocol::{Code, Refusal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::redis::bridge::Channel;
use crate::bus::redis::{RedisBus, SettingsError};
use crate::chat::Chat;
use crate::member::Member;
use crate::seldom::Seldom;

mod inward;
mod outward;
mod place;
#[cfg(test)]
mod tests;
mod words;

use inward::{Inbox, Waiting};

/// As whom a message comes that names no author, and as whom the bridge itself is in the room.
const AUTHOR: &str = "Redis";

/// Messages from a channel that wait to be stored: at 500 a second, 16 s of a disk that stands still.
const INBOX: usize = 8 * 1024;

/// Bytes of those: as much as Redis itself keeps for a subscriber that is slow.
const INBOX_BYTES: usize = 32 * 1024 * 1024;

/// Between two tries of what failed.
const RETRY: Duration = Duration::from_millis(500);

/// Between two tries to ask Redis who holds the channel.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// At most one line a second says what is refused.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A room and the channel it is joined to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The room's place in URLs; the room is made if need be.
    pub room: String,
    /// The channel's literal name.
    pub channel: String,
}

/// What went through a bridge on this instance; each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages of the room that were published.
    pub spoken: u64,
    /// Messages from the channel that were stored.
    pub stored: u64,
    /// Payloads and messages that were refused: too large, not text, not a message.
    pub refused: u64,
    /// Payloads that were dropped because too many waited to be stored.
    pub overflowed: u64,
    /// How often the listening connection was lost.
    pub disconnected: u64,
}

/// A refusal as its reader in the log needs it.
fn in_words(refusal: Refusal) -> String {
    refusal.message.into_owned()
}

/// The bridges of an instance.
pub struct Bridges {
    bridges: Vec<Arc<Bridge>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// One of them.
struct Bridge {
    chat: Arc<Chat>,
    channel: Channel,
    room: String,
    /// Our name on the channel.
    from: String,
    counters: Counters,
    stop: CancellationToken,
}

#[derive(Default)]
struct Counters {
    spoken: AtomicU64,
    stored: AtomicU64,
    refused: AtomicU64,
    overflowed: AtomicU64,
}

impl Bridges {
    /// Builds the bridges; they work as soon as Redis is there.
    ///
    /// # Errors
    /// When the name of a channel can never work.
    pub fn start(chat: &Arc<Chat>, bus: &RedisBus, pairs: &[Pair]) -> Result<Self, SettingsError> {
        let epoch = chat.epoch();
        let stop = CancellationToken::new();
        let bridge = |pair: &Pair| {
            Ok(Arc::new(Bridge {
                chat: chat.clone(),
                channel: bus.channel(&pair.channel, &epoch.0, &pair.room)?,
                room: pair.room.clone(),
                from: words::from(&epoch),
                counters: Counters::default(),
                stop: stop.clone(),
            }))
        };
        let bridges = pairs.iter().map(bridge).collect::<Result<Vec<_>, SettingsError>>()?;
        let tasks = TaskTracker::new();
        for bridge in &bridges {
            tasks.spawn(bridge.clone().run());
        }
        tasks.close();
        Ok(Self { bridges, tasks, stop })
    }

    /// Stops listening and publishing, stores what was heard, and returns when nothing of it runs any more. To be
    /// called before the chat stops, so that another instance takes over only then.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    /// What went through, by channel.
    pub fn totals(&self) -> impl Iterator<Item = (&str, Totals)> {
        self.bridges.iter().map(|bridge| (bridge.channel.name(), bridge.totals()))
    }
}

impl Drop for Bridges {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Bridge {
    async fn run(self: Arc<Self>) {
        let Some(member) = self.enter().await else { return };
        let (inbox, heard) = mpsc::channel(INBOX);
        let (confirmed, waiting) = mpsc::channel(INBOX);
        let inbox = Inbox::new(inbox, Arc::new(Semaphore::new(INBOX_BYTES)));
        // Storing is not bound to the office: what was heard while holding it is ours to store.
        tokio::join!(
            self.store_all(&member, waiting),
            self.confirm_all(heard, confirmed),
            self.listen(inbox),
            self.speak(&member),
        );
    }

    /// The right to be in the room; `None` when stopped before.
    async fn enter(&self) -> Option<Member> {
        loop {
            let why = match self.try_enter().await {
                Ok(member) => return Some(member),
                Err(why) => why,
            };
            tracing::warn!(
                room = self.room,
                code = why.code.as_str(),
                "the bridge cannot enter the room; trying again"
            );
            self.pause(RETRY).await?;
        }
    }

    async fn try_enter(&self) -> Result<Member, Refusal> {
        let person = self.chat.author(AUTHOR).await?;
        match self.chat.member_by_slug(&person, &self.room).await {
            Err(refusal) if refusal.code == Code::NotFound => {
                let room = self.chat.create_room(&person, &self.room).await?;
                self.chat.member(&person, room.id).await
            }
            answer => answer,
        }
    }

    /// Listens while this instance holds the channel, until the end.
    async fn listen(&self, inbox: Inbox) {
        let mut held = self.channel.elect();
        while self.until_held(&mut held, true).await.is_some() {
            tracing::info!(channel = self.channel.name(), room = self.room, "this instance joins room and channel");
            tokio::select! {
                // Safe to cancel: the office is looked at, not taken.
                lost = self.until_held(&mut held, false) => if lost.is_none() { return },
                // Safe to cancel: what was handed over waits in the inbox.
                () = self.channel.hear(|payload| self.hear(payload, &inbox)) => {}
            }
            tracing::info!(channel = self.channel.name(), "this instance does not hold the channel any more");
        }
    }

    /// Waits until this instance holds the channel, or does not; `None` when stopped before.
    async fn until_held(&self, held: &mut watch::Receiver<bool>, wanted: bool) -> Option<()> {
        tokio::select! {
            biased;
            // Safe to cancel: nothing is waited for but the wish to end.
            () = self.stop.cancelled() => None,
            // Safe to cancel: the office is looked at, not taken.
            seen = held.wait_for(|held| *held == wanted) => seen.is_ok().then_some(()),
        }
    }

    fn hear(&self, payload: &[u8], inbox: &Inbox) {
        if !self.channel.is_held() {
            return;
        }
        match words::heard(payload, &self.from) {
            Ok(words::Heard::Nothing) => {}
            Ok(words::Heard::Message { author, text }) => {
                if !inbox.put(Waiting::new(author, text)) {
                    static OVERFLOWED: Seldom = Seldom::new(TELL_EVERY);
                    self.tell(&self.counters.overflowed, &OVERFLOWED, "too many wait to be stored");
                }
            }
            Err(words::Unheard::TooLarge) => self.refuse("a payload is larger than 64 KiB"),
            Err(words::Unheard::Binary) => self.refuse("a payload is not UTF-8"),
        }
    }

    fn refuse(&self, why: &str) {
        static REFUSED: Seldom = Seldom::new(TELL_EVERY);
        self.tell(&self.counters.refused, &REFUSED, why);
    }

    fn tell(&self, counter: &AtomicU64, seldom: &Seldom, why: &str) {
        counter.fetch_add(1, Relaxed);
        if let Some(times) = seldom.count() {
            tracing::warn!(channel = self.channel.name(), times, why, "what came from the channel is not stored");
        }
    }

    /// `None` when stopped meanwhile.
    async fn pause(&self, time: Duration) -> Option<()> {
        tokio::select! {
            // Safe to cancel: nothing is waited for but the wish to end.
            () = self.stop.cancelled() => None,
            // Safe to cancel: a pause holds nothing.
            () = sleep(time) => Some(()),
        }
    }

    fn totals(&self) -> Totals {
        Totals {
            spoken: self.counters.spoken.load(Relaxed),
            stored: self.counters.stored.load(Relaxed),
            refused: self.counters.refused.load(Relaxed),
            overflowed: self.counters.overflowed.load(Relaxed),
            disconnected: self.channel.disconnected(),
        }
    }
}
