//! Several instances on one database, and one that starts again.

use std::sync::Arc;

use futures::future::join_all;
use tertulia_protocol::Seq;

use super::{ALL, Database, NOW, bodies, guest, post, room, say, whole_log};
use crate::store::TokenHash;

/// Two instances write to one room: one order, no hole, no double, and each sees the other's at once.
pub async fn two_instances_interleave_without_gap_or_double(database: &impl Database) {
    let stores = [database.open().await, database.open().await];
    assert_eq!(stores[0].epoch(), stores[1].epoch());
    let by = guest(&*stores[0], "Ada").await;
    let room = room(&*stores[0], "both", &by).await.id;
    let tasks = (0..16_usize).map(|task| {
        let (mine, other) = (Arc::clone(&stores[task % 2]), Arc::clone(&stores[(task + 1) % 2]));
        let by = by.clone();
        tokio::spawn(async move {
            for turn in 0..10 {
                let entry = say(&*mine, room, &by, format!("{task}.{turn}")).await.entry;
                assert_eq!(other.entries_after(room, entry.seq.prev(), 1).await.unwrap(), [entry]);
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let log = whole_log(&*stores[0], room).await;
    assert_eq!(log, whole_log(&*stores[1], room).await);
    let mut said = bodies(&log);
    said.sort_unstable();
    said.dedup();
    assert_eq!((said.len(), log.len()), (160, 161));
}

/// A client that retries at another instance gets the first answer, also when both work on it at once.
pub async fn an_equal_key_at_two_instances_is_stored_once(database: &impl Database) {
    let stores = [database.open().await, database.open().await];
    let by = guest(&*stores[0], "Ada").await;
    let room = room(&*stores[1], "once", &by).await.id;
    for round in 0..20_i64 {
        let draft = post(room, &by, round.to_string());
        let (one, two) = tokio::join!(stores[0].append(draft.clone()), stores[1].append(draft));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one.entry, two.entry);
        assert_eq!(one.entry.seq, Seq(round + 2));
        assert_ne!(one.duplicate, two.duplicate);
    }
    let (made, found) =
        tokio::join!(stores[0].create_room("race", "race", &by, NOW), stores[1].create_room("race", "race", &by, NOW));
    let (made, found) = (made.unwrap(), found.unwrap());
    assert_eq!(made.0, found.0);
    assert_ne!(made.1, found.1);
}

/// Everything survives the end of the process: epoch, rooms, log, sessions, keys.
pub async fn reopening_keeps_everything(database: &impl Database) {
    let token = TokenHash([5; 32]);
    let store = database.open().await;
    let by = store.create_guest("Ada", token, NOW, NOW + 10).await.unwrap();
    let room = room(&*store, "kept", &by).await;
    let draft = post(room.id, &by, "still here");
    let first = store.append(draft.clone()).await.unwrap();
    let (epoch, rooms, log) = (store.epoch(), store.rooms(ALL).await.unwrap(), whole_log(&*store, room.id).await);
    drop(store);

    let store = database.open().await;
    assert_eq!(store.epoch(), epoch);
    assert_eq!(store.rooms(ALL).await.unwrap(), rooms);
    assert_eq!(whole_log(&*store, room.id).await, log);
    assert_eq!(store.session(token, NOW).await.unwrap(), Some(by.clone()));
    let again = store.append(draft).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.entry, first.entry);
    assert_eq!(say(&*store, room.id, &by, "next").await.entry.seq, first.entry.seq.next());
}
