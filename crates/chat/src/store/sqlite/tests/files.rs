//! The file itself: modes, versions, strangers, and several processes that start at once.

use std::sync::{Arc, Barrier};
use std::thread;

use rusqlite::Connection;

use super::{File, SqliteOptions, SqliteStore, post, somebody};
use crate::store::{Store, StoreError};

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    store.append(post(room, &by, "private")).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.path().parent().unwrap()), 0o700);
    for extension in ["db", "db-wal", "db-shm"] {
        assert_eq!(mode(&file.path().with_extension(extension)), 0o600, "{extension}");
    }
}

#[test]
fn the_pragmas_are_what_durability_needs() {
    let file = File::new();
    file.store();
    let opener = super::super::connection::Opener::new(&file.path(), SqliteOptions::default());
    let writer = opener.writer().unwrap();
    let number = |name: &str| writer.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("synchronous"), 2, "FULL");
    assert_eq!(number("foreign_keys"), 1);
    assert_eq!(number("temp_store"), 2, "MEMORY");
    let mode: String = writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let reader = opener.reader().unwrap();
    assert!(reader.execute("DELETE FROM entries", []).is_err(), "a reader cannot write");
}

#[test]
fn a_newer_schema_is_refused_in_plain_words() {
    let file = File::new();
    drop(file.store());
    let later = Connection::open(file.path()).unwrap();
    later.pragma_update(None, "user_version", 99).unwrap();
    drop(later);
    let refused = SqliteStore::open(&file.path(), SqliteOptions::default()).unwrap_err();
    let StoreError::Unavailable(text) = refused else { panic!("{refused:?}") };
    assert!(text.contains("schema 99") && text.contains("newer version"), "{text}");
}

#[tokio::test]
async fn a_database_from_before_moves_were_counted_keeps_its_log_and_counts_from_here_on() {
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    let before = store.append(post(room, &by, "before")).await.unwrap();
    drop(store);
    let earlier = Connection::open(file.path()).unwrap();
    earlier.execute_batch("DROP INDEX rooms_by_move; ALTER TABLE rooms DROP COLUMN moved").unwrap();
    earlier.execute_batch("ALTER TABLE rooms DROP COLUMN born; DROP TABLE tellings").unwrap();
    earlier.pragma_update(None, "user_version", 3).unwrap();
    drop(earlier);

    let store = file.store();
    assert_eq!(store.entries_after(room, before.entry.seq.prev(), 10).await.unwrap(), [before.entry]);
    let mark = store.newest_move().await.unwrap();
    assert_eq!(store.moved_after(mark, 10).await.unwrap(), [], "what was there is no move");
    let said = store.append(post(room, &by, "after")).await.unwrap().entry.seq;
    let moved = store.moved_after(mark, 10).await.unwrap();
    let moved: Vec<_> = moved.iter().map(|moved| (moved.room.id, moved.head, moved.made)).collect();
    assert_eq!(moved, [(room, said, false)]);
}

#[test]
fn another_programs_database_is_left_alone() {
    let file = File::new();
    std::fs::create_dir(file.path().parent().unwrap()).unwrap();
    let foreign = Connection::open(file.path()).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (id INTEGER PRIMARY KEY)").unwrap();
    drop(foreign);
    let refused = SqliteStore::open(&file.path(), SqliteOptions::default()).unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(text) if text.contains("not one of Tertulia's")), "{refused:?}");
    let foreign = Connection::open(file.path()).unwrap();
    let mode: String = foreign.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete", "not even the journal mode was changed");
    drop(foreign);
    std::fs::write(file.path(), "something that is no database at all, and long enough to have a header".repeat(20))
        .unwrap();
    let refused = SqliteStore::open(&file.path(), SqliteOptions::default()).unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let file = File::new();
    let blocked = file.folder.path().join("a-file");
    std::fs::write(&blocked, "").unwrap();
    let refused = SqliteStore::open(&blocked.join("chat.db"), SqliteOptions::default()).unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(text) if text.contains("chat.db")), "{refused:?}");
}

#[test]
fn eight_that_start_at_once_make_one_database() {
    for _ in 0..5 {
        let file = Arc::new(File::new());
        let start = Arc::new(Barrier::new(8));
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let (file, start) = (Arc::clone(&file), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    file.store()
                })
            })
            .collect();
        let stores: Vec<_> = starting.into_iter().map(|thread| thread.join().unwrap()).collect();
        for store in &stores {
            assert_eq!(store.epoch(), stores[0].epoch());
        }
        let db = Connection::open(file.path()).unwrap();
        let rooms: i64 = db.query_row("SELECT count(*) FROM rooms", [], |row| row.get(0)).unwrap();
        assert_eq!(rooms, 1, "one lobby");
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_understood_keeps_its_number() {
    use tertulia_protocol::{Change, Seq};
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    for body in ["one", "two"] {
        store.append(post(room, &by, body)).await.unwrap();
    }
    let db = Connection::open(file.path()).unwrap();
    let later = r#"{"kind":"teleported","to":[1,2]}"#;
    db.execute("UPDATE entries SET payload = ?1, kind = 'teleported' WHERE seq = 2", [later]).unwrap();
    db.execute("UPDATE entries SET payload = '{\"kind\":\"posted\"' WHERE seq = 3", []).unwrap();
    let page = store.entries_after(room, Seq(1), 10).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [Seq(2), Seq(3)]);
    assert_eq!(serde_json::to_string(&page[0].change).unwrap(), later, "passed on as it was written");
    assert_eq!(page[1].change, Change::illegible());
}

#[tokio::test]
async fn a_database_that_was_brought_back_gets_another_epoch_unless_somebody_has_it_open() {
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    let said = store.append(post(room, &by, "kept")).await.unwrap().entry;
    let epoch = store.epoch();
    assert_eq!(SqliteStore::renew_epoch(&file.path()), Err(StoreError::Busy), "a server has it open");
    assert_eq!(
        SqliteStore::open(&file.path(), SqliteOptions::default()).unwrap().epoch(),
        epoch,
        "and nothing changed"
    );
    store.close().await.unwrap();
    assert!(!file.path().with_extension("db-wal").exists(), "the last to go clears the log away");
    drop(store);
    let fresh = SqliteStore::renew_epoch(&file.path()).unwrap();
    assert_ne!(fresh, epoch);
    let again = file.store();
    assert_eq!(again.epoch(), fresh);
    assert_eq!(again.snapshot(room, 1).await.unwrap().entries, [said], "the log is as it was");
    let (made, _) = again.create_room("since", "since", &by, 0).await.unwrap();
    assert!(made.id.0 > room.0 + 1_000_000, "no room gets the number of one that was lost: {made:?}");
}

#[test]
fn only_a_database_of_ours_can_be_said_to_be_brought_back() {
    let file = File::new();
    let refused = |why: &str| {
        let answer = SqliteStore::renew_epoch(&file.path());
        assert!(matches!(&answer, Err(StoreError::Unavailable(text)) if text.contains(why)), "{answer:?}");
    };
    refused("unable to open");
    assert!(!file.path().exists(), "none is made");
    std::fs::create_dir_all(file.path().parent().unwrap()).unwrap();
    Connection::open(file.path()).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    refused("not one of Tertulia's");
}
