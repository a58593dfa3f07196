//! The one place where a failure of the store becomes a refusal that people and programs can read.

use std::time::Duration;

use tertulia_protocol::{Code, Refusal};

use crate::seldom::Seldom;
use crate::store::StoreError;

/// When to try again after the database could not be used: long enough for a disk to be freed by hand or a
/// link to return, short enough that nobody gives up.
const UNAVAILABLE_RETRY_MS: u64 = 1_000;
/// When to try again after the queue of writes was full: a few groups of commits.
const BUSY_RETRY_MS: u64 = 200;
/// A full disk refuses every send: the log is told once a second, with the count.
static UNAVAILABLE: Seldom = Seldom::new(Duration::from_secs(1));
/// The same for a disk that takes a write and fails to keep it.
static UNCERTAIN: Seldom = Seldom::new(Duration::from_secs(1));

/// The answer when a write may be stored although it failed.
pub(crate) fn uncertain() -> Refusal {
    let message = "The database failed while this was being stored: it may or may not be there. Send it again under the \
                   same key; without a key it may come twice.";
    Refusal::new(Code::Uncertain, message).retry_after(UNAVAILABLE_RETRY_MS)
}

/// Says why, without a word of SQL or of files; the details go to the log here.
pub(crate) fn refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Unavailable(reason) => {
            if let Some(times) = UNAVAILABLE.count() {
                tracing::error!(reason, times, "the database cannot be used");
            }
            let message = "The server cannot write or read its database now. Nothing was stored.";
            Refusal::new(Code::StorageUnavailable, message).retry_after(UNAVAILABLE_RETRY_MS)
        }
        StoreError::Uncertain(reason) => {
            if let Some(times) = UNCERTAIN.count() {
                tracing::error!(reason, times, "the database failed in the middle of a commit");
            }
            uncertain()
        }
        StoreError::Busy => {
            Refusal::new(Code::Busy, "The server is busy. Nothing was stored.").retry_after(BUSY_RETRY_MS)
        }
        StoreError::NoRoom => Refusal::no_such_room(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_that_nothing_was_stored_says_so() {
        let reason = || "disk I/O error in /var/lib".to_owned();
        let said = |error| {
            let refusal = refusal(&error);
            assert!(refusal.retry_after_ms.is_some() && !refusal.message.contains("/var"), "{refusal:?}");
            (refusal.code, refusal.message.contains("Nothing was stored"), refusal.message.contains("may or may not"))
        };
        assert_eq!(said(StoreError::Unavailable(reason())), (Code::StorageUnavailable, true, false));
        assert_eq!(said(StoreError::Busy), (Code::Busy, true, false));
        assert_eq!(said(StoreError::Uncertain(reason())), (Code::Uncertain, false, true));
    }
}
