//! Messages: what is said, and what was said before.

use std::sync::Arc;

use tertulia_protocol::limits::{ENTRIES_PER_PAGE, HISTORY_PAGE, HISTORY_PAGE_MAX};
use tertulia_protocol::{Body, Change, Code, Entry, Key, Refusal, Seq, Snapshot};

use super::Chat;
use crate::member::Member;
use crate::refuse::{refusal, uncertain};
use crate::sabotage::{EARLY, Sabotage};
use crate::store::{Appended, Draft, StoreError};

impl Chat {
    /// Posts a message, or the quote that `/stocks AAPL` asks for. The answer comes after the commit is durable; the same
    /// key again returns the first answer.
    ///
    /// # Errors
    /// What is wrong with the text or the stock it asks for, `not_found` for a message to reply to that is none,
    /// `rate_limited`, `busy`, `storage_unavailable`: nothing was stored then. `uncertain`: nobody knows.
    pub async fn send(
        self: &Arc<Self>,
        member: &Member,
        key: Key,
        body: &str,
        reply_to: Option<Seq>,
    ) -> Result<Appended, Refusal> {
        let body = Body::parse(body)?;
        self.sends.take(member.person().id)?;
        if let Some(message) = reply_to {
            self.check_message(member, message).await?;
        }
        let body = self.worded(body)?;
        let at = self.clock.now_ms();
        self.commit(draft(member, key, Change::Posted { body, reply_to }, at)).await
    }

    /// What a text is stored as: itself, or the quote that it asks for.
    pub(super) fn worded(&self, body: Body) -> Result<String, Refusal> {
        Ok(self.quoted(body.as_str())?.unwrap_or_else(|| body.into_string()))
    }

    /// Writes an entry and tells everybody. Runs to its end even when whoever asked is gone: an entry that is
    /// committed but told to nobody would wait for the next comparison of heads.
    pub(super) async fn commit(self: &Arc<Self>, draft: Draft) -> Result<Appended, Refusal> {
        let this = self.clone();
        if Sabotage::AckEarly.is_on() {
            return self.promise(draft).await;
        }
        let commit = self.commits.spawn(async move {
            let draft = if Sabotage::NoDedupe.is_on() { Draft { key: Key::mint(), ..draft } } else { draft };
            let appended = this.store.append(draft).await?;
            this.tell_committed(&appended);
            Ok::<_, StoreError>(appended)
        });
        match commit.await {
            Ok(outcome) => outcome.map_err(|error| refusal(&error)),
            Err(error) => Err(unfinished(&error)),
        }
    }

    /// What [`Sabotage::AckEarly`] does instead of committing.
    async fn promise(self: &Arc<Self>, draft: Draft) -> Result<Appended, Refusal> {
        let heads = self.store.heads(&[draft.room]).await.map_err(|error| refusal(&error))?;
        let seq = heads.first().map_or(Seq::ZERO, |(_, head)| *head).next();
        let Draft { room, by, key, change, at } = draft.clone();
        let this = self.clone();
        self.commits.spawn(async move {
            tokio::time::sleep(EARLY).await;
            if let Ok(appended) = this.store.append(draft).await {
                this.tell_committed(&appended);
            }
        });
        Ok(Appended { room, entry: Entry { seq, at, by, key: Some(key), change }, duplicate: false })
    }

    /// The same for several entries, in their order. The outer refusal means that none is known to be written.
    pub(super) async fn commit_all(
        self: &Arc<Self>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Result<Appended, Refusal>>, Refusal> {
        let this = self.clone();
        let commit = self.commits.spawn(async move {
            let answers = this.store.append_all(drafts).await?;
            for appended in answers.iter().flatten() {
                this.tell_committed(appended);
            }
            Ok::<_, StoreError>(answers)
        });
        match commit.await {
            Ok(Ok(answers)) => Ok(answers.into_iter().map(|answer| answer.map_err(|error| refusal(&error))).collect()),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(error) => Err(unfinished(&error)),
        }
    }

    fn tell_committed(self: &Arc<Self>, appended: &Appended) {
        if appended.duplicate {
            self.fanout.offer(appended.room, &appended.entry);
        } else {
            self.fanout.committed(appended.room, appended.entry.clone());
            self.show_said(appended.room);
        }
    }

    /// Runs sends that outlive the connection they came from; stopping waits for them.
    pub(crate) fn spawn_sends(&self, sends: impl Future<Output = ()> + Send + 'static) {
        self.commits.spawn(sends);
    }

    async fn check_message(&self, member: &Member, message: Seq) -> Result<(), Refusal> {
        let found = self.store.entries_after(member.room_id(), message.prev(), 1).await;
        let found = found.map_err(|error| refusal(&error))?;
        match found.first() {
            Some(entry) if entry.seq == message && matches!(entry.change, Change::Posted { .. }) => Ok(()),
            _ => Err(Refusal::new(Code::NotFound, "There is no such message in this room.").field("reply_to")),
        }
    }

    /// The room with its newest messages, at one position: what the first HTML is rendered from.
    ///
    /// # Errors
    /// `not_found`, `storage_unavailable`.
    pub async fn snapshot(&self, member: &Member) -> Result<Snapshot, Refusal> {
        self.store.snapshot(member.room_id(), HISTORY_PAGE).await.map_err(|error| refusal(&error))
    }

    /// Entries before a number, ascending; `limit` is clamped to 100.
    ///
    /// # Errors
    /// `bad_cursor` for `before` below 1, `bad_field` for a limit below 1, `storage_unavailable`.
    pub async fn history(&self, member: &Member, before: Seq, limit: i64) -> Result<Vec<Entry>, Refusal> {
        if before.0 < 1 {
            return Err(Refusal::new(Code::BadCursor, "The field before must be 1 or more.").field("before").limit(1));
        }
        let limit = clamped(limit, HISTORY_PAGE_MAX)?;
        self.store.entries_before(member.room_id(), before, limit).await.map_err(|error| refusal(&error))
    }

    /// Entries after a number, ascending; `limit` is clamped to 500.
    ///
    /// # Errors
    /// `bad_cursor` for a negative number, `bad_field` for a limit below 1, `storage_unavailable`.
    pub async fn pull(&self, member: &Member, after: Seq, limit: i64) -> Result<Vec<Entry>, Refusal> {
        if after.0 < 0 {
            return Err(Refusal::new(Code::BadCursor, "The field after must be 0 or more.").field("after").limit(0));
        }
        let limit = clamped(limit, ENTRIES_PER_PAGE)?;
        self.store.entries_after(member.room_id(), after, limit).await.map_err(|error| refusal(&error))
    }
}

pub(super) fn draft(member: &Member, key: Key, change: Change, at: i64) -> Draft {
    Draft { room: member.room_id(), by: member.person().clone(), key, change, at }
}

fn unfinished(error: &tokio::task::JoinError) -> Refusal {
    tracing::error!(%error, "a commit ended without an answer");
    uncertain()
}

fn clamped(limit: i64, most: usize) -> Result<usize, Refusal> {
    match usize::try_from(limit) {
        Ok(limit) if limit > 0 => Ok(limit.min(most)),
        _ if limit > 0 => Ok(most),
        _ => Err(Refusal::new(Code::BadField, "The field limit must be 1 or more.").field("limit").limit(1)),
    }
}
