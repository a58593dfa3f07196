//! A full disk, a held lock, a failing job, a full queue, a closed store: never a false answer, and it goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use futures::FutureExt;
use futures::future::join_all;
use rusqlite::Connection;
use tertulia_protocol::Seq;

use super::super::connection::Opener;
use super::super::fault::Fault;
use super::{File, SqliteOptions, SqliteStore, post, somebody};
use crate::store::{Store, StoreError, TokenHash};

#[tokio::test]
async fn a_full_disk_is_said_and_the_next_append_after_it_has_the_next_number() {
    let file = File::new();
    let opener = Opener::new(&file.path(), SqliteOptions::default());
    let page_cap = Arc::clone(&opener.page_cap);
    let store = SqliteStore::with(opener).unwrap();
    let (by, room) = somebody(&store).await;
    let kept = store.append(post(room, &by, "kept")).await.unwrap();

    // The cap holds for every connection opened from now on, so each failure meets a disk that is still full.
    page_cap.store(1, Ordering::SeqCst);
    let cap = |tx: &Connection| Ok(tx.pragma_update_and_check(None, "max_page_count", 1, |_| Ok(()))?);
    store.writer.write(cap).await.unwrap();
    let lost = post(room, &by, "x".repeat(100_000));
    for _ in 0..3 {
        let answers = join_all([&lost, &lost, &lost].map(|draft| store.append(draft.clone()))).await;
        for answer in answers {
            assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("full")), "{answer:?}");
        }
    }
    assert_eq!(store.heads(&[room]).await.unwrap(), [(room, kept.entry.seq)], "reading goes on, nothing is stored");

    // Space returns.
    page_cap.store(0, Ordering::SeqCst);
    let again = store.append(lost).await.unwrap();
    assert_eq!((again.entry.seq, again.duplicate), (kept.entry.seq.next(), false));
    store.check_writable().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_moved_away_is_not_ready_although_it_takes_writes() {
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    store.check_writable().await.unwrap();
    let elsewhere = file.path().with_extension("moved");
    std::fs::rename(file.path(), &elsewhere).unwrap();
    store.append(post(room, &by, "into the file that is open")).await.expect("premise: nothing else notices");
    for put_another_there in [false, true] {
        if put_another_there {
            std::fs::write(file.path(), "").unwrap();
        }
        let answer = store.check_writable().await;
        assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("was opened")), "{answer:?}");
    }
    std::fs::rename(&elsewhere, file.path()).unwrap();
    store.check_writable().await.expect("it is back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_held_too_long_is_busy_for_all_and_then_writing_goes_on() {
    let file = File::new();
    let store = Arc::new(file.store_with(SqliteOptions { busy_timeout_ms: 50, ..SqliteOptions::default() }));
    let (by, room) = somebody(&store).await;
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = (0..300).map(|n| store.append(post(room, &by, n.to_string())));
    for answer in join_all(waiting).await {
        assert_eq!(answer, Err(StoreError::Busy));
    }
    assert_eq!(store.check_writable().await, Err(StoreError::Busy));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.append(post(room, &by, "free")).await.unwrap().entry.seq, Seq(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_given_back_in_time_is_not_noticed() {
    let file = File::new();
    let store = Arc::new(file.store_with(SqliteOptions { busy_timeout_ms: 60_000, ..SqliteOptions::default() }));
    let (by, room) = somebody(&store).await;
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.append(post(room, &by, "patient")).await })
    };
    // Reads never wait for writes.
    assert_eq!(store.heads(&[room]).await.unwrap(), [(room, Seq(1))]);
    assert!(!answer.is_finished());
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(answer.await.unwrap().unwrap().entry.seq, Seq(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_does_not_take_its_group_with_it() {
    let file = File::new();
    let store = file.store();
    let (by, room) = somebody(&store).await;
    let gate = Gate::close(&store);
    // All of these wait behind the gate and so are of one group.
    let token = TokenHash([1; 32]);
    let (before, first, second, after) = tokio::join!(
        store.append(post(room, &by, "before")),
        store.create_guest("One", token, 1, 2),
        store.create_guest("Two", token, 1, 2),
        async {
            let append = store.append(post(room, &by, "after"));
            gate.open();
            append.await
        },
    );
    assert_eq!(before.unwrap().entry.seq, Seq(2));
    assert_eq!(after.unwrap().entry.seq, Seq(3));
    assert_eq!(store.session(token, 1).await.unwrap(), Some(first.unwrap()));
    assert!(matches!(second, Err(StoreError::Unavailable(_))), "{second:?}");
    let users = |tx: &Connection| Ok(tx.query_row("SELECT count(*) FROM users", [], |row| row.get::<_, i64>(0))?);
    assert_eq!(store.writer.write(users).await.unwrap(), 3, "the system, Ada and One: of Two nothing is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_busy_at_once_and_what_waited_is_written() {
    let file = File::new();
    let store = Arc::new(file.store());
    let (by, room) = somebody(&store).await;
    let gate = Gate::close(&store);
    let draft = post(room, &by, "one of very many");
    let mut waiting = Vec::new();
    let mut refused = 0;
    for _ in 0..5_000 {
        // Polled once, each is handed over or refused.
        let mut append = store.append(draft.clone());
        match append.as_mut().now_or_never() {
            None => waiting.push(append),
            Some(answer) => {
                assert_eq!(answer, Err(StoreError::Busy));
                refused += 1;
            }
        }
    }
    // The queue, and at most a group that the writer had taken before it came to the gate.
    assert!((4_095..4_096 + 256).contains(&waiting.len()), "{} wait, {refused} were refused", waiting.len());
    gate.open();
    for answer in join_all(waiting).await {
        answer.unwrap();
    }
    assert_eq!(store.heads(&[room]).await.unwrap(), [(room, Seq(2))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_finishes_what_waits_and_refuses_what_comes() {
    let file = File::new();
    let store = Arc::new(file.store());
    let (by, room) = somebody(&store).await;
    let gate = Gate::close(&store);
    let (waiting, closed, ()) =
        tokio::join!(store.append(post(room, &by, "last")), store.close(), async { gate.open() });
    assert_eq!(waiting.unwrap().entry.seq, Seq(2));
    closed.unwrap();
    let closed = StoreError::Unavailable("the store is closed".to_owned());
    assert_eq!(store.append(post(room, &by, "late")).await, Err(closed.clone()));
    assert_eq!(store.heads(&[room]).await, Err(closed));
    store.close().await.unwrap();
    assert!(!file.path().with_extension("db-wal").exists(), "the last connection cleared the WAL away");
    assert_eq!(file.store().heads(&[room]).await.unwrap(), [(room, Seq(2))]);
}

#[tokio::test]
async fn a_check_of_writing_really_writes() {
    let file = File::new();
    let store = file.store();
    somebody(&store).await;
    let wal = file.path().with_extension("db-wal");
    let before = std::fs::metadata(&wal).unwrap().len();
    store.check_writable().await.unwrap();
    assert!(std::fs::metadata(&wal).unwrap().len() > before, "a frame was written");
}

/// Holds the writer inside a job, so that what comes meanwhile gathers behind it.
struct Gate(mpsc::Sender<()>);

impl Gate {
    fn close(store: &SqliteStore) -> Self {
        let (open, opened) = mpsc::channel();
        let held = store.writer.write(move |_| {
            // An error means that the gate is gone, and then it is open.
            opened.recv().ok();
            Ok::<(), Fault>(())
        });
        // Polled once, it is in the queue; nobody needs its answer.
        let mut held = Box::pin(held);
        assert!((&mut held).now_or_never().is_none());
        Self(open)
    }

    fn open(self) {
        drop(self.0);
    }
}
