//! What went wrong in `SQLite`, sorted by what is to be done about it.

use rusqlite::ErrorCode;

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
