//! From the channel into the room: every message stored once, in the order it came, many in one commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tertulia_protocol::{Body, Code, Key, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::sleep;

use super::{ASK_AGAIN, AUTHOR, Bridge, RETRY};
use crate::chat::Post;
use crate::member::Member;

/// Messages in one commit: as many as the store writes in one transaction.
const BATCH: usize = 256;

/// A message that was heard and is not stored yet.
pub(super) struct Waiting {
    author: Option<String>,
    text: String,
    /// Kept through every try, so that none stores it twice.
    key: Key,
    /// Its share of the inbox, given back when this is dropped.
    share: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    pub(super) fn new(author: Option<String>, text: String) -> Self {
        Self { author, text, key: Key::mint_foreign(), share: None }
    }
}

/// Where messages wait: bounded by count and bytes.
pub(super) struct Inbox {
    to: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
}

impl Inbox {
    pub(super) const fn new(to: mpsc::Sender<Waiting>, bytes: Arc<Semaphore>) -> Self {
        Self { to, bytes }
    }

    /// `false` when it is full; the message is then dropped.
    pub(super) fn put(&self, mut waiting: Waiting) -> bool {
        let size = waiting.text.len() + waiting.author.as_ref().map_or(0, String::len);
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let Ok(share) = Arc::clone(&self.bytes).try_acquire_many_owned(size) else { return false };
        waiting.share = Some(share);
        self.to.try_send(waiting).is_ok()
    }
}

impl Bridge {
    /// Lets through what was heard while this instance was the only one to hear it, in order, as soon as it is heard;
    /// what another one has heard as well is left to that one.
    pub(super) async fn confirm_all(&self, mut heard: mpsc::Receiver<Waiting>, confirmed: mpsc::Sender<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        while heard.recv_many(&mut batch, BATCH).await > 0 {
            if !self.is_ours_alone().await {
                let (channel, left) = (self.channel.name(), batch.len());
                tracing::info!(channel, left, "messages were heard here that are another instance's to store");
                batch.clear();
            }
            for waiting in batch.drain(..) {
                if confirmed.send(waiting).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Asks Redis for as long as this instance believes that it holds the channel. Whoever cannot know does not store:
    /// Pub/Sub may forget, and nothing may come twice.
    async fn is_ours_alone(&self) -> bool {
        loop {
            match self.channel.confirm().await {
                Ok(ours) => return ours,
                Err(_) if self.channel.is_held() => sleep(ASK_AGAIN).await,
                Err(_) => return false,
            }
        }
    }

    /// Stores what waits, until nobody can put anything in any more and all of it is stored.
    pub(super) async fn store_all(&self, here: &Member, mut inbox: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        while inbox.recv_many(&mut batch, BATCH).await > 0 {
            self.store(here, &batch).await;
            batch.clear();
        }
    }

    /// Tries until the store has it; when the server stops meanwhile, only once more.
    async fn store(&self, here: &Member, batch: &[Waiting]) {
        loop {
            let stopping = self.stop.is_cancelled();
            let Err(why) = self.try_store(here, batch).await else { return };
            if stopping {
                let lost = batch.len();
                tracing::error!(channel = self.channel.name(), lost, "messages could not be stored before the end");
                return;
            }
            tracing::debug!(code = why.code.as_str(), "messages from the channel wait for the store");
            // Stopped meanwhile: the next try is the last.
            let _ = self.pause(RETRY).await;
        }
    }

    async fn try_store(&self, here: &Member, batch: &[Waiting]) -> Result<(), Refusal> {
        let mut members = HashMap::new();
        let mut posts = Vec::with_capacity(batch.len());
        let mut refused = Vec::new();
        for waiting in batch {
            match Body::parse(&waiting.text) {
                Ok(body) => {
                    let author = waiting.author.as_deref().unwrap_or(AUTHOR);
                    if !members.contains_key(author) {
                        members.insert(author, self.member(here, author).await?);
                    }
                    let Some(member) = members.get(author).cloned() else { continue };
                    posts.push(Post { member, key: waiting.key, body });
                }
                Err(refusal) => refused.push(refusal),
            }
        }
        let answers = self.chat.post_all(posts).await?;
        let stored = answers.iter().flatten().count();
        self.counters.stored.fetch_add(u64::try_from(stored).unwrap_or(u64::MAX), Relaxed);
        // Counted only now: a batch that is tried again is counted once.
        for refusal in refused.iter().chain(answers.iter().filter_map(|answer| answer.as_ref().err())) {
            self.refuse(&refusal.message);
        }
        Ok(())
    }

    /// The author as a member of the room; whoever has a name that nobody may have is `Redis`.
    async fn member(&self, here: &Member, author: &str) -> Result<Member, Refusal> {
        let person = match self.chat.author(author).await {
            Ok(person) => person,
            Err(refusal) if passes(refusal.code) => return Err(refusal),
            Err(_) => return Ok(here.clone()),
        };
        self.chat.member(&person, here.room_id()).await
    }
}

/// Whether a refusal is of the moment and not of what was refused.
const fn passes(code: Code) -> bool {
    matches!(code, Code::Busy | Code::StorageUnavailable | Code::Uncertain | Code::Internal)
}
