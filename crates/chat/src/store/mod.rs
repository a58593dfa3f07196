//! The truth: what is kept in SQL. Two backends, one suite of conformance tests for both.

use async_trait::async_trait;
use tertulia_protocol::{Body, Change, Entry, Epoch, Key, Person, RoomId, RoomInfo, Seq, Snapshot, UserId, quote};

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod sqlite;

/// What is to be written into a room's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which room.
    pub room: RoomId,
    /// Who causes it.
    pub by: Person,
    /// The name of the user action; `(by.id, key)` is stored at most once, for ever.
    pub key: Key,
    /// What happens.
    pub change: Change,
    /// The server's clock, in Unix milliseconds. Shown, never used for order.
    pub at: i64,
}

/// The answer to a [`Draft`]: durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The room the entry stands in: the draft's, unless the key was used in another room before.
    pub room: RoomId,
    /// The entry, as first stored.
    pub entry: Entry,
    /// Whether an earlier try had already stored it.
    pub duplicate: bool,
}

impl Appended {
    /// Whether the entry is what these words were stored as: a key that was used before may have brought others.
    #[must_use]
    pub fn says(&self, words: &Body) -> bool {
        let words = words.as_str();
        matches!(&self.entry.change, Change::Posted { body, .. } if body == words || quote::answers(body, words))
    }
}

/// A place in the order in which rooms moved; see [`Store::moved_after`]. Meaningless to another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub i64);

/// A room in which something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The room as it is now.
    pub room: RoomInfo,
    /// Its newest number.
    pub head: Seq,
    /// Whether it was made after the mark that was asked for.
    pub made: bool,
    /// Where the newest of its moves stands among those of all rooms.
    pub mark: Mark,
}

/// How far a room has been told to a channel outside; see [`Store::begin_telling`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Where the room stood when the two were joined: what came before is not told.
    pub begun: Seq,
    /// The last number that was noted as told; `None` until one was.
    pub told: Option<Seq>,
}

/// SHA-256 of a session token; the token itself is known to the browser alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// As 64 hexadecimal digits: in the settings and on the bus.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
        bytes?.try_into().ok().map(Self)
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(***)")
    }
}

/// Why the store could not answer. Nothing was stored, except where it says that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be read or written: disk full, input/output error, link gone.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// The database failed while it stored this: it may or may not be there, and a retry with the same key finds out.
    #[error("nobody knows whether this is stored: {0}")]
    Uncertain(String),
    /// The queue of writes is full, or another process held the lock for too long.
    #[error("the database is busy")]
    Busy,
    /// No such room.
    #[error("no such room")]
    NoRoom,
}

/// The store. Cheap to share; every method may be called from any task at any time.
///
/// Guarantees every backend gives, held by `conformance`:
/// - an append is answered after its commit is durable, never before;
/// - `seq` is contiguous from 1 per room, assigned in the transaction that writes the entry; what is
///   rolled back consumes no number;
/// - appends that one task makes one after the other keep their order;
/// - `(author, key)` is stored once for ever; a repeat returns the first entry, whatever its content;
/// - a read sees every append answered before the read began.
///
/// Cancelling a call (dropping its future) leaves the outcome unknown, never half done.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The identity of this store; see [`Epoch`].
    fn epoch(&self) -> Epoch;

    /// Writes one entry. Callers never learn of a write that is not durable.
    ///
    /// # Errors
    /// `NoRoom`, `Busy` when the queue of writes is full, `Unavailable` when it cannot be written; `Uncertain`, as of
    /// every write, when the database failed in the middle of its commit.
    async fn append(&self, draft: Draft) -> Result<Appended, StoreError>;

    /// Writes entries one after the other in one transaction, at most 256: each has an answer of its own, as
    /// [`Store::append`] gives it, or none was written.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`: none was written. `Uncertain`: all were or none.
    async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Result<Appended, StoreError>>, StoreError>;

    /// Entries with `after < seq`, ascending, at most `limit` and at most about `limits::PAGE_BYTES`
    /// of bodies (always at least one entry when there is one).
    ///
    /// # Errors
    /// `Unavailable`. An unknown room has no entries.
    async fn entries_after(&self, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// The newest entries with `seq < before`, ascending, bounded as [`Store::entries_after`]: the oldest are
    /// left to the next page.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn entries_before(&self, room: RoomId, before: Seq, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// The newest number of each room, read at one moment; unknown rooms are left out.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError>;

    /// A room with its newest entries, bounded as [`Store::entries_before`], read at one moment.
    ///
    /// # Errors
    /// `NoRoom`, `Unavailable`.
    async fn snapshot(&self, room: RoomId, limit: usize) -> Result<Snapshot, StoreError>;

    /// Makes a room, with the entry `Created` as number 1, or returns the one that has this slug; the flag
    /// says whether it was made now.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Uncertain`.
    async fn create_room(&self, slug: &str, name: &str, by: &Person, at: i64) -> Result<(RoomInfo, bool), StoreError>;

    /// The room that has this slug.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn room_by_slug(&self, slug: &str) -> Result<Option<RoomInfo>, StoreError>;

    /// The room that has this id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn room(&self, id: RoomId) -> Result<Option<RoomInfo>, StoreError>;

    /// The newest rooms, at most `limit`, in the order they were made.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn rooms(&self, limit: usize) -> Result<Vec<RoomInfo>, StoreError>;

    /// The mark of the newest move: what moves from here on comes after it.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn newest_move(&self) -> Result<Mark, StoreError>;

    /// The rooms that moved after a mark (an entry was written, by whichever instance, or the room was made), each once,
    /// ascending by its newest move, at most `limit`, read at one moment. Moves are ordered as their commits are: what
    /// is answered later never stands before a mark that was read.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn moved_after(&self, mark: Mark, limit: usize) -> Result<Vec<Moved>, StoreError>;

    /// Joins a room to a channel outside, from `at` on, and says how far it has been told there. Those that were joined
    /// before stay as they were: of several who join them, one says where it begins.
    ///
    /// # Errors
    /// `NoRoom`, `Busy`, `Unavailable`.
    async fn begin_telling(&self, room: RoomId, channel: &str, at: Seq) -> Result<Telling, StoreError>;

    /// Notes that a room has been told to a channel up to a number. What is noted only grows: a smaller number, of
    /// somebody who was overtaken, changes nothing.
    ///
    /// # Errors
    /// `NoRoom` when the two were never joined, `Busy`, `Unavailable`.
    async fn note_told(&self, room: RoomId, channel: &str, to: Seq) -> Result<(), StoreError>;

    /// Makes a guest with a session that ends at `expires_at` (Unix milliseconds), both in one transaction.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Uncertain`.
    async fn create_guest(&self, name: &str, token: TokenHash, at: i64, expires_at: i64) -> Result<Person, StoreError>;

    /// The one person who speaks through the plain doors under this name, made at `at` (Unix milliseconds) if
    /// there is none. Names are compared exactly; guests of the same name are other people.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Uncertain`.
    async fn author(&self, name: &str, at: i64) -> Result<Person, StoreError>;

    /// Whose session this is, if it lives at the moment `at` (Unix milliseconds).
    ///
    /// # Errors
    /// `Unavailable`.
    async fn session(&self, token: TokenHash, at: i64) -> Result<Option<Person>, StoreError>;

    /// Ends a session; ending one that does not live is fine. Returns whose it was.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Uncertain`.
    async fn end_session(&self, token: TokenHash) -> Result<Option<UserId>, StoreError>;

    /// Forgets at most `limit` sessions that do not live at the moment `now` (Unix milliseconds), and whoever has no
    /// other session, wrote nothing and made no room. Returns how many sessions; fewer than `limit` were all there are.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Uncertain`.
    async fn purge_sessions(&self, now: i64, limit: usize) -> Result<usize, StoreError>;

    /// Proves that a write would become durable now, without leaving a trace.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Uncertain`.
    async fn check_writable(&self) -> Result<(), StoreError>;
}
