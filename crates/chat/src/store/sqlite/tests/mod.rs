//! `SQLite`'s own tests, beside the suite that every backend passes.

mod commits;
mod failures;
mod files;
mod histories;
mod plans;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use tertulia_protocol::{Change, Key, Person, RoomId};

use super::{SqliteOptions, SqliteStore};
use crate::store::conformance::Database;
use crate::store::{Draft, Store, TokenHash};

/// A file in a folder of its own.
struct File {
    folder: TempDir,
    shared: bool,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), shared: false }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("chat.db")
    }

    fn store(&self) -> SqliteStore {
        self.store_with(SqliteOptions { shared: self.shared, ..SqliteOptions::default() })
    }

    fn store_with(&self, options: SqliteOptions) -> SqliteStore {
        SqliteStore::open(&self.path(), options).unwrap()
    }
}

#[async_trait]
impl Database for File {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.store())
    }
}

/// The suite, for one process alone.
mod alone {
    async fn fresh() -> super::File {
        super::File::new()
    }
    crate::store_conformance!(fresh);
}

/// The suite, for processes that take turns.
mod shared {
    async fn fresh() -> super::File {
        super::File { shared: true, ..super::File::new() }
    }
    crate::store_conformance!(fresh);
}

/// Somebody who may write, and the lobby.
async fn somebody(store: &SqliteStore) -> (Person, RoomId) {
    let by = store.create_guest("Ada", TokenHash(rand::random()), 1, i64::MAX).await.unwrap();
    let lobby = store.room_by_slug("chat").await.unwrap().unwrap();
    (by, lobby.id)
}

fn post(room: RoomId, by: &Person, body: impl Into<String>) -> Draft {
    let change = Change::Posted { body: body.into(), reply_to: None };
    Draft { room, by: by.clone(), key: Key::mint(), change, at: 1 }
}
