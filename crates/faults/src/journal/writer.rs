//! Writes a journal: one line per event, in the order of time, intents on disk before they are carried out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Attempt, Clock, Event, JournalError, Step, What};

/// The journal of one process of a run. Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    process: String,
    clock: Clock,
    lines: Mutex<BufWriter<File>>,
    /// The same file again: waiting for the disk must not keep others from writing.
    disk: File,
}

impl Writer {
    /// Begins a journal.
    ///
    /// # Errors
    /// When the file is there already (a line torn by a kill may be its last) or cannot be made.
    pub fn create(path: &Path, process: &str, clock: Clock) -> Result<Self, JournalError> {
        let create = || {
            let file = OpenOptions::new().create_new(true).append(true).open(path)?;
            Ok((file.try_clone()?, file))
        };
        let (disk, file) = create().map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        let lines = Mutex::new(BufWriter::new(file));
        let shared = Shared { path: path.to_owned(), process: process.to_owned(), clock, lines, disk };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Notes something that has happened. It waits in memory until the next intent or [`flush`](Self::flush).
    ///
    /// An intent is on disk when this returns, which blocks for some milliseconds: tasks use
    /// [`intend`](Self::intend).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&self, what: What) -> Result<(), JournalError> {
        let intent = is_intent(&what);
        self.line(what, intent)?;
        if intent {
            self.shared.disk.sync_data().map_err(|source| self.io(source))?;
        }
        Ok(())
    }

    /// Notes a try to send, and returns when it is on disk. Does not block the thread.
    ///
    /// # Errors
    /// When the file cannot be written: then the try must not be made.
    pub async fn intend(&self, attempt: Attempt) -> Result<(), JournalError> {
        self.line(What::Send(attempt), true)?;
        let shared = Arc::clone(&self.shared);
        let synced = tokio::task::spawn_blocking(move || shared.disk.sync_data()).await;
        synced.unwrap_or_else(|stopped| Err(io::Error::other(stopped))).map_err(|source| self.io(source))
    }

    /// Hands to the system what waits in memory.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&self) -> Result<(), JournalError> {
        self.lines().flush().map_err(|source| self.io(source))
    }

    /// The time is taken where the order of lines is decided, so that no line is older than the one above it.
    fn line(&self, what: What, flush: bool) -> Result<(), JournalError> {
        let mut lines = self.lines();
        let event = Event { mono: self.shared.clock.now(), p: self.shared.process.clone(), what };
        let mut write = || {
            let mut line = serde_json::to_vec(&event)?;
            line.push(b'\n');
            lines.write_all(&line)?;
            if flush { lines.flush() } else { Ok(()) }
        };
        write().map_err(|source| self.io(source))
    }

    fn lines(&self) -> MutexGuard<'_, BufWriter<File>> {
        self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn io(&self, source: io::Error) -> JournalError {
        JournalError::Io { path: self.shared.path.clone(), source }
    }
}

fn is_intent(what: &What) -> bool {
    matches!(what, What::Send(Attempt { step: Step::Invoke { .. }, .. }))
}
