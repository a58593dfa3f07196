//! Opening the file: permissions, pragmas, and patience with the locks of other processes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rand::Rng;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

use super::fault::Locked;
use super::{SqliteOptions, Synchronous};
use crate::store::StoreError;

/// Prepared statements kept per connection: all there are (about twenty), with room to grow.
const STATEMENTS: usize = 32;

/// Bytes of WAL kept on disk after a checkpoint: a busy burst leaves more, which is given back.
const WAL_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// Shortest and longest pause between two tries for the lock, in microseconds: from a fraction of one
/// fsync to one whole. Random, so that waiting processes do not march in step.
const PAUSE_US: std::ops::Range<u64> = 500..5_000;

/// Opens connections to one file.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    path: PathBuf,
    options: SqliteOptions,
    /// Pages the file may have, 0 for no bound: how tests fill the disk and make room again.
    #[cfg(test)]
    pub(super) page_cap: std::sync::Arc<std::sync::atomic::AtomicU32>,
    /// What the next commit is instead: how tests let a disk fail in the middle of one.
    #[cfg(test)]
    pub(super) instead: std::sync::Arc<std::sync::Mutex<Option<Commit>>>,
}

/// A commit that a test has made.
#[cfg(test)]
pub(super) type Commit = fn(Transaction<'_>) -> rusqlite::Result<()>;

impl Opener {
    pub(super) fn new(path: &Path, options: SqliteOptions) -> Self {
        Self {
            path: path.to_owned(),
            options,
            #[cfg(test)]
            page_cap: std::sync::Arc::default(),
            #[cfg(test)]
            instead: std::sync::Arc::default(),
        }
    }

    /// Where the file lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn options(&self) -> &SqliteOptions {
        &self.options
    }

    /// How long a lock of another process is waited for.
    pub(super) const fn patience(&self) -> Duration {
        Duration::from_millis(self.options.busy_timeout_ms)
    }

    /// Makes what a transaction wrote durable.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests keep in it what else a commit is to be"))]
    pub(super) fn commit(&self, tx: Transaction<'_>) -> rusqlite::Result<()> {
        #[cfg(test)]
        if let Some(instead) = super::writer::lock(&self.instead).take() {
            return instead(tx);
        }
        tx.commit()
    }

    /// Makes the folder (0700) and the file (0600) if they are missing.
    ///
    /// The file must be made before `SQLite` sees it: `SQLite` gives the WAL the mode that the file has.
    pub(super) fn create_file(&self) -> Result<(), StoreError> {
        let explain =
            |error: io::Error| StoreError::Unavailable(format!("{} cannot be made: {error}", self.path.display()));
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_folder(folder).map_err(explain)?;
        }
        match private_file(&self.path) {
            // Not opened when it exists: closing such a handle would drop this process's locks on the file.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(explain),
        }
    }

    /// The connection of the writer. Lock waits are the caller's, see [`patiently`].
    pub(super) fn writer(&self) -> rusqlite::Result<Connection> {
        let connection = self.plain_writer()?;
        enter_wal(&connection)?;
        Ok(connection)
    }

    /// The same for a file that may be new or not ours: still in the journal mode that it has.
    pub(super) fn plain_writer(&self) -> rusqlite::Result<Connection> {
        // Never CREATE: a file that vanished is an error to report, not an empty chat to begin.
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | common_flags())?;
        connection.busy_timeout(Duration::ZERO)?;
        self.configure(&connection)?;
        let level = match self.options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", level)?;
        // On macOS fsync stops at the drive's cache; elsewhere these two change nothing.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        #[cfg(test)]
        {
            let cap = self.page_cap.load(std::sync::atomic::Ordering::SeqCst);
            if cap > 0 {
                connection.pragma_update_and_check(None, "max_page_count", cap, |_| Ok(()))?;
            }
        }
        Ok(connection)
    }

    /// A connection that cannot write.
    pub(super) fn reader(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY | common_flags())?;
        connection.busy_timeout(self.patience())?;
        self.configure(&connection)?;
        // Readers only: the writer must be able to report a disk error, and under a mapping it is a signal.
        let mmap = i64::try_from(self.options.mmap_bytes).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "mmap_size", mmap, |_| Ok(()))?;
        Ok(connection)
    }

    fn configure(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Negative: SQLite counts a positive figure in pages, a negative one in KiB.
        connection.pragma_update(None, "cache_size", -i64::from(self.options.cache_kib))
    }
}

/// Each connection is used by one thread at a time, so `SQLite`'s own mutexes are not needed.
fn common_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Switches to the write-ahead log, where readers and the writer do not wait for each other; what is found in one is
/// durable afterwards.
pub(super) fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        return copy_log(connection);
    }
    let text = format!("this file system cannot hold a SQLite file that several connections share (mode {mode})");
    Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN), Some(text)))
}

/// Copies what the write-ahead log holds into the file, as far as other connections let it.
///
/// What a failed sync left may be read although the disk never got it: systems keep such pages and call them clean, so
/// that no later sync writes them. Recovery after a kill takes them in, and a retry is told that it is stored. The copy is
/// written afresh and synced before that.
fn copy_log(connection: &Connection) -> rusqlite::Result<()> {
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        // A full disk must not keep the chat from starting: what there is can still be read.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => Ok(()),
        copied => copied,
    }
}

/// Runs `attempt` until it does not meet a lock any more, at most for `patience`.
///
/// `SQLite`'s busy handler is not enough: some steps (to WAL mode, a stale snapshot) fail without asking it.
pub(super) fn patiently<T, E: Locked>(patience: Duration, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt() {
            // The lock is another process's: there is nobody who could wake this thread when it is free.
            Err(error) if error.is_lock() && Instant::now() < deadline => {
                thread::sleep(Duration::from_micros(rand::rng().random_range(PAUSE_US)));
            }
            settled => return settled,
        }
    }
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn private_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
