//! The schema's versions, and what a new database holds. Safe when several processes start at once.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use tertulia_protocol::{Change, Entry, Epoch, Person, RoomId, Seq, UserId};

use super::connection::{enter_wal, patiently};
use super::fault::{Locked, answer};
use super::writes;
use crate::store::StoreError;

/// The steps from nothing to now; `PRAGMA user_version` counts those already done.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../../../migrations/sqlite/0001_rooms_and_logs.sql"),
    include_str!("../../../../../migrations/sqlite/0002_authors.sql"),
    include_str!("../../../../../migrations/sqlite/0003_purging.sql"),
    include_str!("../../../../../migrations/sqlite/0004_moves.sql"),
    include_str!("../../../../../migrations/sqlite/0005_tellings.sql"),
];

/// The newest version of the schema that this binary knows.
const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Rooms and people that were made after a backup, at most: a thousand a day for three years.
const NUMBERS_LOST: i64 = 1_000_000;

/// The server's own account: who made the lobby.
const SYSTEM: UserId = UserId(1);
const SYSTEM_NAME: &str = "tertulia";
/// The lobby's slug and name.
const LOBBY: &str = "chat";

/// Why a file cannot be brought to this version's schema.
#[derive(Debug, thiserror::Error)]
pub(super) enum MigrationError {
    /// A later version of Tertulia wrote it.
    #[error(
        "the database has schema {found}, this version of Tertulia knows up to {known}: \
         start the newer version again, or restore a backup made with this one"
    )]
    Newer { found: u32, known: u32 },
    /// Some other program's.
    #[error("the file is a SQLite database, but not one of Tertulia's: choose another file")]
    Foreign,
    /// `SQLite`'s word.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

impl From<MigrationError> for StoreError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Sql(error) => answer(&error),
            refused => Self::Unavailable(refused.to_string()),
        }
    }
}

impl Locked for MigrationError {
    fn is_lock(&self) -> bool {
        matches!(self, Self::Sql(error) if error.is_lock())
    }
}

/// Brings the schema up to date and reads the database's identity; a new one is dated `now` (Unix milliseconds).
pub(super) fn prepare(connection: &mut Connection, patience: Duration, now: i64) -> Result<Epoch, StoreError> {
    patiently(patience, || {
        // Before WAL mode: a file that is refused must stay as it was.
        recognise_at_one_moment(connection)?;
        enter_wal(connection)?;
        migrate(connection, now)
    })?;
    epoch(connection).map_err(|error| answer(&error))
}

/// Gives the database another identity, unless it is not ours or somebody has it open.
pub(super) fn renew_epoch(connection: &mut Connection) -> Result<Epoch, StoreError> {
    if recognise_at_one_moment(connection)? == 0 {
        return Err(MigrationError::Foreign.into());
    }
    // Only the one connection there is can do that; the next start goes back to the log.
    let leave_wal = connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()));
    leave_wal.map_err(|error| answer(&error))?;
    renew(connection).map_err(|error| answer(&error))
}

/// Another epoch, and numbers of rooms and people that none can have had who came after the backup: what waits in a browser
/// for a room that was lost must not go into the next one that is made.
fn renew(connection: &mut Connection) -> rusqlite::Result<Epoch> {
    let fresh = Epoch::fresh();
    let tx = connection.transaction()?;
    if tx.execute("UPDATE meta SET value = ?1 WHERE name = 'epoch'", [&fresh.0])? != 1 {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    tx.execute("UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name IN ('rooms', 'users')", [NUMBERS_LOST])?;
    tx.commit()?;
    Ok(fresh)
}

/// Refuses what is not ours to write, before anything is written.
fn recognise(db: &Connection) -> Result<u32, MigrationError> {
    let found = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > KNOWN {
        return Err(MigrationError::Newer { found, known: KNOWN });
    }
    if found == 0 && has_tables(db)? {
        return Err(MigrationError::Foreign);
    }
    Ok(found)
}

/// Brings the schema up to date in one transaction, and seeds a new database.
fn migrate(connection: &mut Connection, now: i64) -> Result<(), MigrationError> {
    // Without the lock first: a start on a database that is up to date waits for nobody's writes.
    if recognise_at_one_moment(connection)? == KNOWN {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another process may have done it in between.
    let found = recognise(&tx)?;
    for step in MIGRATIONS.iter().skip(found as usize) {
        tx.execute_batch(step)?;
    }
    if found == 0 {
        seed(&tx, now)?;
    }
    tx.pragma_update(None, "user_version", KNOWN)?;
    tx.commit()?;
    Ok(())
}

/// Version and tables of one moment: between two reads another process may make the tables.
fn recognise_at_one_moment(connection: &mut Connection) -> Result<u32, MigrationError> {
    let tx = connection.transaction()?;
    recognise(&tx)
}

fn epoch(connection: &Connection) -> rusqlite::Result<Epoch> {
    connection.query_row("SELECT value FROM meta WHERE name = 'epoch'", [], |row| row.get(0)).map(Epoch)
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let any: Option<i64> =
        connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |row| row.get(0)).optional()?;
    Ok(any.is_some())
}

/// The epoch, the server's own account and the lobby.
fn seed(tx: &Transaction<'_>, at: i64) -> rusqlite::Result<()> {
    tx.execute("INSERT INTO meta (name, value) VALUES ('epoch', ?1)", [Epoch::fresh().0])?;
    tx.execute("INSERT INTO users (id, name, created_at) VALUES (?1, ?2, ?3)", (SYSTEM.0, SYSTEM_NAME, at))?;
    tx.execute(
        "INSERT INTO rooms (slug, name, head, created_by, created_at) VALUES (?1, ?1, 1, ?2, ?3)",
        (LOBBY, SYSTEM.0, at),
    )?;
    let by = Person { id: SYSTEM, name: SYSTEM_NAME.to_owned() };
    let created = Entry { seq: Seq(1), at, by, key: None, change: Change::Created };
    writes::insert_entry(tx, RoomId(tx.last_insert_rowid()), &created)
}
