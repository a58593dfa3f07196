//! What a run writes down while it runs: one file of JSON lines per process, read back as one history.
//!
//! An attempt is on disk before it is made, so that the checker knows every attempt of a process that was killed.
//! Readers ignore fields they do not know and keep an unknown `op` as [`What::Unknown`].

mod clock;
mod event;
mod heard;
mod merge;
mod said;
mod stamp;
#[cfg(test)]
mod tests;
mod writer;

use std::path::PathBuf;

pub use self::clock::{Clock, Mono};
pub use self::event::{
    Channel, Event, Freed, How, Life, Person, Presence, Process, Revoked, Slumber, Switch, Told, What,
};
pub use self::heard::{Final, Follow, Kind, Logged, Reason, Receipt, Resync, Src};
pub use self::merge::Merged;
pub use self::said::{Attempt, Door, Step};
pub use self::stamp::{Digest, Stamp};
pub use self::writer::Writer;

/// Why a journal could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk or the folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line that is none of ours.
    #[error("{} line {line}: {source}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line is older than the one before it: the file was not written by one [`Writer`], or its clocks differ.
    #[error("{} line {line}: its time is before that of the line above", path.display())]
    Backwards {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: u64,
    },
}
