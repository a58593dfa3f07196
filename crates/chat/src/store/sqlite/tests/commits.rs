//! Commits that fail: what is known to be undone, what nobody knows, and that each is stored once all the same.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use rusqlite::{Connection, Transaction, ffi};
use tertulia_protocol::{Change, RoomId, Seq};

use super::super::connection::{Commit, Opener};
use super::super::fault::Broken;
use super::{File, SqliteOptions, SqliteStore, post, somebody};
use crate::store::{Store, StoreError, TokenHash};

fn failure(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
}

/// A store whose next commit can be made to fail.
fn frail(file: &File) -> (SqliteStore, impl Fn(Commit)) {
    let opener = Opener::new(&file.path(), SqliteOptions::default());
    let instead = Arc::clone(&opener.instead);
    let breaks = move |commit| *instead.lock().unwrap_or_else(PoisonError::into_inner) = Some(commit);
    (SqliteStore::with(opener).unwrap(), breaks)
}

/// What a kill at this moment would leave: the file and its log, without the memory that processes share.
fn killed(file: &File) -> File {
    let left = File::new();
    std::fs::create_dir_all(left.path().parent().unwrap()).unwrap();
    for extension in ["db", "db-wal"] {
        std::fs::copy(file.path().with_extension(extension), left.path().with_extension(extension)).unwrap();
    }
    left
}

async fn said(store: &SqliteStore, room: RoomId) -> Vec<(i64, String)> {
    let entries = store.entries_after(room, Seq::ZERO, 100).await.unwrap();
    let body = |change| match change {
        Change::Posted { body, .. } => Some(body),
        _ => None,
    };
    entries.into_iter().filter_map(|entry| Some((entry.seq.0, body(entry.change)?))).collect()
}

fn log(entries: &[(i64, &str)]) -> Vec<(i64, String)> {
    entries.iter().map(|(seq, body)| (*seq, (*body).to_owned())).collect()
}

#[test]
fn only_what_fails_before_the_mark_is_whole_is_known_to_be_undone() {
    let undone = |code| matches!(Broken::at_commit(failure(code)), Broken::Undone(_));
    for code in [ffi::SQLITE_BUSY, ffi::SQLITE_CONSTRAINT_FOREIGNKEY, ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE] {
        assert!(undone(code), "{code}");
    }
    // The index is told after the sync, and on a full disk it may be what cannot grow.
    for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR, ffi::SQLITE_READONLY] {
        assert!(!undone(code), "{code}");
    }
}

#[tokio::test]
async fn a_commit_that_is_refused_before_anything_is_written_is_undone_and_writing_goes_on() {
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    let refused = post(room, &by, "refused");
    let draft = refused.clone();
    // Whether every reference leads somewhere is looked at in COMMIT, and there it is too late for this one.
    let answer = store.writer.write(move |tx| {
        tx.pragma_update(None, "defer_foreign_keys", true)?;
        tx.execute("INSERT INTO authors (name, user_id) VALUES ('nobody', 999)", [])?;
        super::super::writes::append(tx, &draft)
    });
    let answer = answer.await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(store.append(post(room, &by, "next")).await.unwrap().entry.seq, Seq(2));
    let again = store.append(refused).await.unwrap();
    assert_eq!((again.entry.seq, again.duplicate), (Seq(3), false));
    assert_eq!(said(&killed(&file).store(), room).await, log(&[(2, "next"), (3, "refused")]));
}

#[tokio::test]
async fn a_job_whose_commit_failed_in_the_middle_is_not_done_again() {
    let file = File::new();
    let (store, breaks) = frail(&file);
    somebody(&store).await;
    breaks(|tx| tx.commit().and(Err(failure(ffi::SQLITE_IOERR_FSYNC))));
    let token = TokenHash([1; 32]);
    let entered = store.create_guest("Ben", token, 1, 2).await;
    assert!(matches!(entered, Err(StoreError::Uncertain(_))), "{entered:?}");
    assert_eq!(store.session(token, 1).await.unwrap().unwrap().name, "Ben");
    let users = |tx: &Connection| Ok(tx.query_row("SELECT count(*) FROM users", [], |row| row.get::<_, i64>(0))?);
    assert_eq!(store.writer.write(users).await.unwrap(), 3, "the system, Ada and Ben, once");
}

/// A commit whose sync fails: its frames and their mark are in the WAL, and the index in shared memory is as before.
#[cfg(target_os = "linux")]
fn without_its_sync(tx: Transaction<'_>) -> rusqlite::Result<()> {
    use std::os::unix::fs::FileExt;
    // The index begins with its header, twice 48 bytes: by it all connections know where the log ends.
    let index = format!("{}-shm", tx.path().unwrap());
    let index = std::fs::File::options().read(true).write(true).open(Path::new(&index)).unwrap();
    let mut header = [0; 96];
    index.read_exact_at(&mut header, 0).unwrap();
    tx.commit()?;
    index.write_all_at(&header, 0).unwrap();
    Err(failure(ffi::SQLITE_IOERR_FSYNC))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_failed_sync_left_is_found_after_a_kill_or_stored_by_a_retry_and_never_both() {
    let file = File::new();
    let (store, breaks) = frail(&file);
    let (by, room) = somebody(&store).await;
    store.append(post(room, &by, "kept")).await.unwrap();
    breaks(without_its_sync);
    let doubted = post(room, &by, "doubted");
    let answer = store.append(doubted.clone()).await;
    assert!(matches!(answer, Err(StoreError::Uncertain(_))), "{answer:?}");
    assert_eq!(said(&store, room).await, log(&[(2, "kept")]), "nobody sees it now");

    let after_a_kill = killed(&file).store();
    assert_eq!(said(&after_a_kill, room).await, log(&[(2, "kept"), (3, "doubted")]), "it was there");
    let again = after_a_kill.append(doubted.clone()).await.unwrap();
    assert_eq!((again.entry.seq, again.duplicate), (Seq(3), true));

    let again = store.append(doubted).await.unwrap();
    assert_eq!((again.entry.seq, again.duplicate), (Seq(3), false));
    assert_eq!(said(&killed(&file).store(), room).await, log(&[(2, "kept"), (3, "doubted")]));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_acknowledged_after_a_failed_sync_has_its_place_for_ever() {
    let file = File::new();
    let (store, breaks) = frail(&file);
    let (by, room) = somebody(&store).await;
    breaks(without_its_sync);
    // Longer than what comes after it, so that some of its frames stay behind.
    let doubted = post(room, &by, "x".repeat(40_000));
    let answer = store.append(doubted.clone()).await;
    assert!(matches!(answer, Err(StoreError::Uncertain(_))), "{answer:?}");
    assert_eq!(store.append(post(room, &by, "next")).await.unwrap().entry.seq, Seq(2));
    let after_a_kill = killed(&file).store();
    assert_eq!(said(&after_a_kill, room).await, log(&[(2, "next")]));
    for store in [&after_a_kill, &store] {
        let again = store.append(doubted.clone()).await.unwrap();
        assert_eq!((again.entry.seq, again.duplicate), (Seq(3), false));
    }
}

#[tokio::test]
async fn what_is_found_in_a_log_is_in_the_file_before_anybody_is_told_of_it() {
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    store.append(post(room, &by, "in the log")).await.unwrap();
    let left = killed(&file);
    let bare = |from: &File| {
        let bare = killed(from);
        std::fs::remove_file(bare.path().with_extension("db-wal")).unwrap();
        bare.store()
    };
    assert_eq!(said(&bare(&left), room).await, [], "the log alone has it");
    let found = left.store();
    assert_eq!(said(&bare(&left), room).await, log(&[(2, "in the log")]));
    drop(found);
}
