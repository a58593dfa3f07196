//! The truth in one `SQLite` file: one thread writes in groups, a few connections read.
//!
//! Durable means in the WAL and past fsync (`synchronous=FULL`). Several processes on one host may
//! share the file; several hosts may not.

mod connection;
mod fault;
mod migrations;
mod place;
mod queries;
mod readers;
mod writer;
mod writes;

#[cfg(test)]
mod tests;

use std::path::Path;

use async_trait::async_trait;
use tertulia_protocol::{Entry, Epoch, Person, RoomId, RoomInfo, Seq, Snapshot, UserId};

use self::connection::{Opener, patiently};
use self::fault::answer;
use self::place::Place;
use self::readers::Readers;
use self::writer::Writer;
use crate::clock::{Clock, SystemClock};
use crate::store::{Appended, Draft, Mark, Moved, Store, StoreError, Telling, TokenHash};

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// The disk: nothing acknowledged is lost, not even when the power goes.
    #[default]
    Full,
    /// The operating system: a killed process loses nothing, a power loss may lose the last commits.
    Normal,
}

/// How the file is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Connections that read at the same time, at least 1.
    pub readers: usize,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// Several processes write the same file: each leaves the lock free for a while after each group.
    pub shared: bool,
    /// How long a lock of another process is waited for, in milliseconds.
    pub busy_timeout_ms: u64,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// How much of the file the readers map into memory, in bytes; 0 for none. Anything else saves copies and
    /// risks the process: see the default.
    pub mmap_bytes: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            // Reads are short and mostly from memory: more connections than cores gain nothing.
            readers: 4,
            synchronous: Synchronous::Full,
            shared: false,
            // What people wait before they try again themselves.
            busy_timeout_ms: 5_000,
            // The newest pages of the busy rooms; 5 connections make 20 MiB at most.
            cache_kib: 4 * 1024,
            // A disk error, or a file cut short, under a mapping is a signal that ends the process, not an error.
            mmap_bytes: 0,
        }
    }
}

/// A store in one `SQLite` file.
///
/// Dropping it waits for the writes under way, up to a few fsyncs; where that must not block a
/// runtime's thread, [`close`](Self::close) it first.
pub struct SqliteStore {
    epoch: Epoch,
    place: Place,
    // Before the writer: the last connection that closes clears the WAL away, and a reader cannot.
    readers: Readers,
    writer: Writer,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file, makes it if it is missing (0600, in a folder 0700), and brings its schema up to date.
    ///
    /// Blocks for some milliseconds; up to `busy_timeout_ms` when other processes hold the lock.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be used, is no database of Tertulia's, or was written by a
    /// newer version; `Busy` when another process holds its lock for too long.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        Self::with(Opener::new(path, options))
    }

    /// Gives a store that went back in time a new identity, so that nobody takes its numbers for those they knew. The file
    /// must be there, and nobody may have it open.
    ///
    /// # Errors
    /// `Busy` when somebody has it open; `Unavailable` when it is not there or no database of Tertulia's. Nothing was
    /// changed then.
    pub fn renew_epoch(path: &Path) -> Result<Epoch, StoreError> {
        let opener = Opener::new(path, SqliteOptions::default());
        let mut connection = opener.plain_writer().map_err(|error| answer(&error))?;
        migrations::renew_epoch(&mut connection)
    }

    fn with(opener: Opener) -> Result<Self, StoreError> {
        opener.create_file()?;
        let place = Place::of(opener.path()).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let mut connection = patiently(opener.patience(), || opener.plain_writer()).map_err(|error| answer(&error))?;
        let epoch = migrations::prepare(&mut connection, opener.patience(), SystemClock.now_ms())?;
        let readers = Readers::open(opener.clone()).map_err(|error| answer(&error))?;
        let writer = Writer::start(opener, connection)?;
        Ok(Self { epoch, place, readers, writer })
    }

    /// Ends in order: refuses new calls, finishes what is under way, closes the file. Calling it again is fine.
    ///
    /// # Errors
    /// `Unavailable` when the writer's thread had panicked.
    pub async fn close(&self) -> Result<(), StoreError> {
        // First: the last connection that closes clears the WAL away, and a reader cannot.
        self.readers.close().await;
        self.writer.refuse();
        let Some(thread) = self.writer.thread() else { return Ok(()) };
        match tokio::task::spawn_blocking(move || thread.join()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StoreError::Unavailable("the writer's thread panicked".to_owned())),
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn epoch(&self) -> Epoch {
        self.epoch.clone()
    }

    async fn append(&self, draft: Draft) -> Result<Appended, StoreError> {
        self.writer.write(move |tx| writes::append(tx, &draft)).await
    }

    async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Result<Appended, StoreError>>, StoreError> {
        self.writer.write(move |tx| writes::append_all(tx, &drafts)).await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.readers.read(move |db| queries::entries_after(db, room, after, limit)).await
    }

    async fn entries_before(&self, room: RoomId, before: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.readers.read(move |db| queries::entries_before(db, room, before, limit)).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        let rooms = rooms.to_vec();
        self.readers.read(move |tx| queries::heads(tx, &rooms)).await
    }

    async fn snapshot(&self, room: RoomId, limit: usize) -> Result<Snapshot, StoreError> {
        let epoch = self.epoch();
        self.readers.read(move |tx| queries::snapshot(tx, epoch, room, limit)).await?.ok_or(StoreError::NoRoom)
    }

    async fn create_room(&self, slug: &str, name: &str, by: &Person, at: i64) -> Result<(RoomInfo, bool), StoreError> {
        let (slug, name, by) = (slug.to_owned(), name.to_owned(), by.clone());
        self.writer.write(move |tx| writes::create_room(tx, &slug, &name, &by, at)).await
    }

    async fn room_by_slug(&self, slug: &str) -> Result<Option<RoomInfo>, StoreError> {
        let slug = slug.to_owned();
        self.readers.read(move |db| queries::room_by_slug(db, &slug)).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<RoomInfo>, StoreError> {
        self.readers.read(move |db| queries::room_by_id(db, id)).await
    }

    async fn rooms(&self, limit: usize) -> Result<Vec<RoomInfo>, StoreError> {
        self.readers.read(move |db| queries::rooms(db, limit)).await
    }

    async fn newest_move(&self) -> Result<Mark, StoreError> {
        self.readers.read(queries::newest_move).await
    }

    async fn moved_after(&self, mark: Mark, limit: usize) -> Result<Vec<Moved>, StoreError> {
        self.readers.read(move |db| queries::moved_after(db, mark, limit)).await
    }

    async fn begin_telling(&self, room: RoomId, channel: &str, at: Seq) -> Result<Telling, StoreError> {
        let channel = channel.to_owned();
        self.writer.write(move |tx| writes::begin_telling(tx, room, &channel, at)).await
    }

    async fn note_told(&self, room: RoomId, channel: &str, to: Seq) -> Result<(), StoreError> {
        let channel = channel.to_owned();
        self.writer.write(move |tx| writes::note_told(tx, room, &channel, to)).await
    }

    async fn create_guest(&self, name: &str, token: TokenHash, at: i64, expires_at: i64) -> Result<Person, StoreError> {
        let name = name.to_owned();
        self.writer.write(move |tx| writes::create_guest(tx, &name, token, at, expires_at)).await
    }

    async fn author(&self, name: &str, at: i64) -> Result<Person, StoreError> {
        let name = name.to_owned();
        self.writer.write(move |tx| writes::author_named(tx, &name, at)).await
    }

    async fn session(&self, token: TokenHash, at: i64) -> Result<Option<Person>, StoreError> {
        self.readers.read(move |db| queries::session(db, token, at)).await
    }

    async fn end_session(&self, token: TokenHash) -> Result<Option<UserId>, StoreError> {
        self.writer.write(move |tx| writes::end_session(tx, token)).await
    }

    async fn purge_sessions(&self, now: i64, limit: usize) -> Result<usize, StoreError> {
        self.writer.write(move |tx| writes::purge_sessions(tx, now, limit)).await
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        self.writer.write(writes::probe).await?;
        self.place.check()
    }
}
