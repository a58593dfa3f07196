//! Reading: pages, heads and snapshots that agree, bounded, and never older than an answer.

use std::sync::Arc;

use tertulia_protocol::{RoomId, Seq, limits};

use super::{ALL, Database, bodies, guest, room, say, whole_log};
use crate::store::Store;

async fn room_of(store: &dyn Store, slug: &str, messages: usize) -> RoomId {
    let by = guest(store, "Ada").await;
    let room = room(store, slug, &by).await.id;
    for n in 0..messages {
        say(store, room, &by, n.to_string()).await;
    }
    room
}

/// Every way to read says the same about the same log.
pub async fn pages_heads_and_snapshots_agree(database: &impl Database) {
    let store = database.open().await;
    let full = room_of(&*store, "full", 19).await;
    let new = room_of(&*store, "new", 0).await;
    let log = whole_log(&*store, full).await;
    assert_eq!(log.len(), 20);
    let nowhere = RoomId(new.0 + 1_000);
    let mut heads = store.heads(&[new, nowhere, full]).await.unwrap();
    heads.sort_unstable();
    let mut expected = [(full, Seq(20)), (new, Seq(1))];
    expected.sort_unstable();
    assert_eq!(heads, expected);
    assert_eq!(store.heads(&[]).await.unwrap(), []);
    for limit in [1, 7, 20, 21] {
        let snapshot = store.snapshot(full, limit).await.unwrap();
        assert_eq!((snapshot.seq, snapshot.epoch.clone()), (Seq(20), store.epoch()));
        assert_eq!(snapshot.entries, log[20_usize.saturating_sub(limit)..]);
        assert_eq!(Some(snapshot.room), store.room(full).await.unwrap());
        for place in 0..=20_usize {
            let seq = Seq(i64::try_from(place).unwrap());
            let after = store.entries_after(full, seq, limit).await.unwrap();
            assert_eq!(after, log[place..20.min(place + limit)]);
            let before = store.entries_before(full, seq.next(), limit).await.unwrap();
            assert_eq!(before, log[place.saturating_sub(limit)..place]);
        }
    }
}

/// Nothing odd happens at the ends of the log or of the numbers.
pub async fn bounds_hold_at_the_edges(database: &impl Database) {
    let store = database.open().await;
    let room = room_of(&*store, "edges", 4).await;
    let log = whole_log(&*store, room).await;
    let (least, most) = (Seq(i64::MIN), Seq(i64::MAX));
    for (after, limit, expected) in [
        (Seq(0), 0, &log[..0]),
        (Seq(0), 1, &log[..1]),
        (Seq(5), 10, &log[..0]),
        (Seq(6), 10, &log[..0]),
        (most, usize::MAX, &log[..0]),
        (Seq(-1), 10, &log[..]),
        (least, usize::MAX, &log[..]),
    ] {
        assert_eq!(store.entries_after(room, after, limit).await.unwrap(), expected, "{limit} after {after}");
    }
    for (before, limit, expected) in [
        (Seq(6), 0, &log[..0]),
        (Seq(6), 1, &log[4..]),
        (Seq(2), 10, &log[..1]),
        (Seq(1), 10, &log[..0]),
        (Seq(0), 10, &log[..0]),
        (Seq(-1), 10, &log[..0]),
        (least, usize::MAX, &log[..0]),
        (most, usize::MAX, &log[..]),
    ] {
        assert_eq!(store.entries_before(room, before, limit).await.unwrap(), expected, "{limit} before {before}");
    }
    assert_eq!(store.snapshot(room, 0).await.unwrap().entries, []);
    assert_eq!(store.snapshot(room, usize::MAX).await.unwrap().entries, log);
    for odd in [RoomId(0), RoomId(-1), RoomId(i64::MIN), RoomId(i64::MAX)] {
        assert_eq!(store.room(odd).await.unwrap(), None);
        assert_eq!(store.entries_after(odd, Seq::ZERO, ALL).await.unwrap(), []);
    }
}

/// A page of long messages ends early, but always moves on.
pub async fn a_page_is_bounded_in_bytes_and_never_empty(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "long", &by).await.id;
    let body = "é".repeat(limits::BODY_BYTES / 4);
    // Twice what one page may hold.
    let messages = 2 * limits::PAGE_BYTES / body.len() + 1;
    for _ in 0..messages {
        say(&*store, room, &by, body.clone()).await;
    }
    // Larger than a page: bodies are bounded elsewhere, and a store that gave an empty page would end the log here.
    say(&*store, room, &by, "x".repeat(limits::PAGE_BYTES + 1)).await;
    say(&*store, room, &by, "end").await;
    let mut seen = Seq::ZERO;
    let mut pages = 0;
    let mut read = 0;
    loop {
        let page = store.entries_after(room, seen, ALL).await.unwrap();
        let Some(last) = page.last() else { break };
        let bytes: usize = bodies(&page).iter().map(|body| body.len()).sum();
        assert!(bytes <= limits::PAGE_BYTES || page.len() == 1, "{} entries of {bytes} bytes", page.len());
        pages += 1;
        read += page.len();
        seen = last.seq;
    }
    assert_eq!(read, messages + 3, "with the creation, the giant and the end");
    assert!((4..=6).contains(&pages), "{pages} pages");
    newest_first(&*store, room, seen).await;
}

/// The same from the end: the newest always come, the rest page by page.
async fn newest_first(store: &dyn Store, room: RoomId, last: Seq) {
    let snapshot = store.snapshot(room, ALL).await.unwrap();
    assert_eq!(snapshot.entries.last().map(|entry| entry.seq), Some(last));
    assert_eq!(bodies(&snapshot.entries), ["end"], "the giant before it is left to the next page");
    let mut before = last.next();
    while before > Seq(1) {
        let page = store.entries_before(room, before, ALL).await.unwrap();
        let numbers: Vec<_> = page.iter().map(|entry| entry.seq.0).collect();
        assert_eq!(numbers, (before.0 - page.len() as i64..before.0).collect::<Vec<_>>());
        let bytes: usize = bodies(&page).iter().map(|body| body.len()).sum();
        assert!(bytes <= limits::PAGE_BYTES || page.len() == 1, "{} entries of {bytes} bytes", page.len());
        before = page.first().map(|entry| entry.seq).unwrap();
    }
}

/// Whoever asks after an answer finds what was answered, on every connection of the pool.
pub async fn what_was_answered_is_seen(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "seen", &by).await.id;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (store, by) = (Arc::clone(&store), by.clone());
            tokio::spawn(async move {
                for turn in 0..20 {
                    let entry = say(&*store, room, &by, format!("{task}.{turn}")).await.entry;
                    let read = store.entries_after(room, entry.seq.prev(), 1).await.unwrap();
                    assert_eq!(read, std::slice::from_ref(&entry));
                    assert!(store.heads(&[room]).await.unwrap()[0].1 >= entry.seq);
                    assert!(store.snapshot(room, 1).await.unwrap().seq >= entry.seq);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Whatever is written meanwhile, a snapshot's entries end at its number and have no hole.
pub async fn a_snapshot_is_of_one_moment(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "moment", &by).await.id;
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for turn in 0..150 {
                say(&*store, room, &by, turn.to_string()).await;
            }
        })
    };
    let mut seen = Seq::ZERO;
    while seen < Seq(151) {
        let snapshot = store.snapshot(room, 10).await.unwrap();
        assert!(snapshot.seq >= seen, "time does not run backwards");
        seen = snapshot.seq;
        let numbers: Vec<_> = snapshot.entries.iter().map(|entry| entry.seq.0).collect();
        let expected: Vec<_> = ((seen.0 - 9).max(1)..=seen.0).collect();
        assert_eq!(numbers, expected);
    }
    writer.await.unwrap();
}
