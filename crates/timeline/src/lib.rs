//! What a browser remembers of a chat: rooms as rows, sends that wait, when to try again. No DOM.
//!
//! [`Timeline`] folds a room's log into rows, [`Outbox`] holds sends until they are answered, [`Kept`] brings them
//! from page to page, [`Backoff`] says when to connect again, [`Ways`] by which way. The same code renders on the server
//! and lives in the tab.

mod backoff;
mod kept;
mod outbox;
#[cfg(test)]
mod testing;
mod timeline;
mod ways;

pub use backoff::Backoff;
pub use kept::{Closed, Kept, SETTLE_MS, Shared, forget_all};
pub use outbox::{Outbox, Verdict};
pub use timeline::{Applied, Note, Pending, Reaction, Row, RowId, RowState, Timeline, What};
pub use ways::{Way, Ways};
