//! Where the truth is kept.

use std::path::{Path, PathBuf};

use super::{Reason, after_scheme};

/// The file's name inside the data folder when no database is named.
const DEFAULT_FILE: &str = "tertulia.db";

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A `SQLite` file.
    Sqlite {
        /// Its path; a relative one counts from the working folder.
        path: PathBuf,
    },
}

impl Database {
    /// The one that is used when none is named: a file in the data folder.
    #[must_use]
    pub fn in_folder(data: &Path) -> Self {
        Self::Sqlite { path: data.join(DEFAULT_FILE) }
    }

    pub(in super::super) fn parse(text: &str) -> Result<Self, Reason> {
        if ["postgres", "postgresql"].iter().any(|scheme| after_scheme(text, scheme).is_some()) {
            return Err(Some("PostgreSQL is not in this version"));
        }
        let path = after_scheme(text, "sqlite").ok_or(None)?;
        if path.contains(['?', '#']) {
            return Err(Some("options after '?' or '#' are not understood"));
        }
        if path.ends_with('/') {
            return Err(Some("the path names a folder"));
        }
        super::path(path).map(|path| Self::Sqlite { path })
    }
}
