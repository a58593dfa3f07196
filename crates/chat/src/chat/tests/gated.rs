//! A store whose entries, and what was told to channels, wait at a gate each, whose answers about heads may be held back,
//! and whose reads of entries are counted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tertulia_protocol::{Entry, Epoch, Person, RoomId, RoomInfo, Seq, Snapshot, UserId};
use tokio::sync::{RwLock, RwLockWriteGuard, Semaphore};

use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{Appended, Draft, Mark, Moved, Store, StoreError, Telling, TokenHash};

/// Passes everything on.
pub(super) struct Gated {
    inner: SqliteStore,
    /// Appends that may still pass.
    gate: Semaphore,
    /// Nothing that was told is noted while somebody writes here.
    notes: RwLock<()>,
    reads: AtomicUsize,
    /// Answers about heads that may still pass.
    heads: Semaphore,
    /// Such answers that were read from SQL.
    heads_read: AtomicUsize,
}

impl Gated {
    /// A store whose gate is closed.
    pub(super) fn closed(path: &Path) -> Arc<Self> {
        let inner = SqliteStore::open(path, SqliteOptions::default()).expect("the store opens");
        Arc::new(Self {
            inner,
            gate: Semaphore::new(0),
            notes: RwLock::default(),
            reads: AtomicUsize::new(0),
            heads: Semaphore::new(Semaphore::MAX_PERMITS),
            heads_read: AtomicUsize::new(0),
        })
    }

    /// Lets so many more appends through.
    pub(super) fn let_through(&self, appends: usize) {
        self.gate.add_permits(appends);
    }

    /// Holds back what is read about heads from now on.
    pub(super) fn hold_heads(&self) {
        self.heads.forget_permits(Semaphore::MAX_PERMITS);
        self.heads_read.store(0, Ordering::SeqCst);
    }

    /// Answers about heads that are held back.
    pub(super) fn held_heads(&self) -> usize {
        self.heads_read.load(Ordering::SeqCst)
    }

    /// Gives the answers that were held back, and all others.
    pub(super) fn give_heads(&self) {
        self.heads.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Until this is dropped, whoever notes what was told waits.
    pub(super) async fn hold_notes(&self) -> RwLockWriteGuard<'_, ()> {
        self.notes.write().await
    }

    /// How often entries were read so far.
    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Store for Gated {
    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }

    async fn append(&self, draft: Draft) -> Result<Appended, StoreError> {
        self.gate.acquire().await.expect("the gate stands").forget();
        self.inner.append(draft).await
    }

    async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Result<Appended, StoreError>>, StoreError> {
        let passes = u32::try_from(drafts.len()).expect("a few");
        self.gate.acquire_many(passes).await.expect("the gate stands").forget();
        self.inner.append_all(drafts).await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.entries_after(room, after, limit).await
    }

    async fn entries_before(&self, room: RoomId, before: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.entries_before(room, before, limit).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        let heads = self.inner.heads(rooms).await;
        self.heads_read.fetch_add(1, Ordering::SeqCst);
        drop(self.heads.acquire().await.expect("the gate stands"));
        heads
    }

    async fn snapshot(&self, room: RoomId, limit: usize) -> Result<Snapshot, StoreError> {
        self.inner.snapshot(room, limit).await
    }

    async fn create_room(&self, slug: &str, name: &str, by: &Person, at: i64) -> Result<(RoomInfo, bool), StoreError> {
        self.inner.create_room(slug, name, by, at).await
    }

    async fn room_by_slug(&self, slug: &str) -> Result<Option<RoomInfo>, StoreError> {
        self.inner.room_by_slug(slug).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<RoomInfo>, StoreError> {
        self.inner.room(id).await
    }

    async fn rooms(&self, limit: usize) -> Result<Vec<RoomInfo>, StoreError> {
        self.inner.rooms(limit).await
    }

    async fn newest_move(&self) -> Result<Mark, StoreError> {
        self.inner.newest_move().await
    }

    async fn moved_after(&self, mark: Mark, limit: usize) -> Result<Vec<Moved>, StoreError> {
        self.inner.moved_after(mark, limit).await
    }

    async fn begin_telling(&self, room: RoomId, channel: &str, at: Seq) -> Result<Telling, StoreError> {
        self.inner.begin_telling(room, channel, at).await
    }

    async fn note_told(&self, room: RoomId, channel: &str, to: Seq) -> Result<(), StoreError> {
        let _open = self.notes.read().await;
        self.inner.note_told(room, channel, to).await
    }

    async fn create_guest(&self, name: &str, token: TokenHash, at: i64, expires_at: i64) -> Result<Person, StoreError> {
        self.inner.create_guest(name, token, at, expires_at).await
    }

    async fn author(&self, name: &str, at: i64) -> Result<Person, StoreError> {
        self.inner.author(name, at).await
    }

    async fn session(&self, token: TokenHash, at: i64) -> Result<Option<Person>, StoreError> {
        self.inner.session(token, at).await
    }

    async fn end_session(&self, token: TokenHash) -> Result<Option<UserId>, StoreError> {
        self.inner.end_session(token).await
    }

    async fn purge_sessions(&self, now: i64, limit: usize) -> Result<usize, StoreError> {
        self.inner.purge_sessions(now, limit).await
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        self.inner.check_writable().await
    }
}
