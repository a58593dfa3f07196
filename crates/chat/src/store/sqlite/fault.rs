//! What went wrong in `SQLite`, sorted by what is to be done about it.

use rusqlite::{ErrorCode, ffi};

use crate::store::StoreError;

/// Why a job of the writer did not do its work.
#[derive(Debug)]
pub(super) enum Fault {
    /// The job has its answer and wrote nothing; the others of its group are not concerned.
    Refused(StoreError),
    /// A statement failed; what the transaction wrote must be rolled back.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// What an error of `SQLite` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Another connection holds a lock: try again in a moment.
    Wait,
    /// The file or the disk cannot be used: answer so, and go on with a new connection.
    Reopen,
    /// This very job is at fault: the others of its group go on without it.
    Single,
}

/// Sorts an error.
pub(super) fn remedy(error: &rusqlite::Error) -> Remedy {
    match error.sqlite_error_code() {
        // A protocol failure is lost races for the lock of the WAL's index: the same thing in another form.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            Remedy::Wait
        }
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::NoLargeFileSupport
            | ErrorCode::InternalMalfunction
            | ErrorCode::ApiMisuse,
        ) => Remedy::Reopen,
        _ => Remedy::Single,
    }
}

/// Errors that may be another connection's lock, which goes by itself.
pub(super) trait Locked {
    /// Whether trying again in a moment may help.
    fn is_lock(&self) -> bool;
}

impl Locked for rusqlite::Error {
    fn is_lock(&self) -> bool {
        remedy(self) == Remedy::Wait
    }
}

/// Why a group of writes was not answered with its results.
#[derive(Debug)]
pub(super) enum Broken {
    /// For certain, nothing of it is stored.
    Undone(rusqlite::Error),
    /// Its commit failed: it may be stored or not.
    Unknown(rusqlite::Error),
}

impl Broken {
    /// Sorts an error of COMMIT.
    ///
    /// COMMIT writes the pages to the WAL, as the last one that which carries the commit mark; then it syncs; then it
    /// tells the other connections through the index they share. What stopped before or at the writing (a lock, a
    /// constraint, a full disk) left no whole mark, and the checksums say so to whoever reads the WAL after a crash.
    /// Anything later may have left one: no connection of now sees the transaction, and the next process may.
    pub(super) fn at_commit(error: rusqlite::Error) -> Self {
        let before_the_mark = matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::ConstraintViolation
                    | ErrorCode::DiskFull
            )
        );
        let at_the_mark = error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
        if before_the_mark || at_the_mark { Self::Undone(error) } else { Self::Unknown(error) }
    }
}

impl From<rusqlite::Error> for Broken {
    /// Every other statement fails before there is a commit mark.
    fn from(error: rusqlite::Error) -> Self {
        Self::Undone(error)
    }
}

impl Locked for Broken {
    /// What may be stored must not be written a second time.
    fn is_lock(&self) -> bool {
        matches!(self, Self::Undone(error) if error.is_lock())
    }
}

/// The answer to a writer's caller.
pub(super) fn answer(error: &rusqlite::Error) -> StoreError {
    match remedy(error) {
        Remedy::Wait => StoreError::Busy,
        Remedy::Reopen | Remedy::Single => unavailable(error),
    }
}

/// The answer to a reader's caller: whatever the reason, nothing can be read now.
pub(super) fn unavailable(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
