//! `tertulia restored`: tells a database that it was brought back from a backup.

use tertulia_chat::store::StoreError;
use tertulia_chat::store::sqlite::SqliteStore;

use super::config::{Database, Settings};

/// Gives the database another epoch, so that no browser takes its numbers for those that it knew. Says what was done.
///
/// # Errors
/// Why it could not be done, as a sentence: a server has the database open, it is not there, or not Tertulia's.
pub fn restored(settings: &Settings) -> Result<String, String> {
    let Database::Sqlite { path } = &settings.database;
    match SqliteStore::renew_epoch(path.as_ref()) {
        Ok(epoch) => Ok(format!(
            "{path} has the epoch {epoch} now. Start Tertulia: browsers show what the database holds, and what people wrote \
             meanwhile is sent.\n",
            path = path.display(),
        )),
        Err(StoreError::Busy) => Err(format!(
            "{} is in use. Stop every instance that has it open, then try again; nothing was changed.",
            path.display()
        )),
        Err(error) => Err(format!("{} could not be changed: {error}.", path.display())),
    }
}
