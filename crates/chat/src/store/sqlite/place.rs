//! Whether the file that is open still lies where it was opened: one that was moved or removed under a running server takes
//! writes as before, and the next start would not find them.

use std::fs::metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// A file as the file system knows it, and where it lay.
pub(super) struct Place {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Place {
    /// Remembers the file that lies there now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: file_at(path)? })
    }

    /// # Errors
    /// `Unavailable` when another file lies there, or none.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match file_at(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            Ok(_) => Err(StoreError::Unavailable("another file lies where the database was opened".to_owned())),
            Err(error) => Err(StoreError::Unavailable(format!("the database is not where it was opened: {error}"))),
        }
    }
}

fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    metadata(path).map(|file| (file.dev(), file.ino()))
}
