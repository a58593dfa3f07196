//! Moves: what was written since a mark, by whichever instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use tertulia_protocol::{RoomId, Seq};

use super::{ALL, Database, guest, post, room, say};
use crate::store::{Mark, Store};

/// Ids, heads and whether they were made, of what moved after a mark.
async fn moved(store: &dyn Store, mark: Mark, limit: usize) -> Vec<(RoomId, i64, bool)> {
    let moved = store.moved_after(mark, limit).await.unwrap();
    moved.iter().map(|moved| (moved.room.id, moved.head.0, moved.made)).collect()
}

/// Each room once, where its newest entry stands; a repeat and a person who comes in move nothing.
pub async fn what_moved_after_a_mark_is_told_once_in_the_order_of_commits(database: &impl Database) {
    let store = database.open().await;
    let start = store.newest_move().await.unwrap();
    assert_eq!(moved(&*store, start, ALL).await, []);
    let by = guest(&*store, "Ada").await;
    let lobby = store.room_by_slug("chat").await.unwrap().expect("there is a lobby").id;
    assert_eq!(moved(&*store, start, ALL).await, [], "who comes in moves no room");

    let garden = room(&*store, "garden", &by).await;
    let made = store.moved_after(start, ALL).await.unwrap();
    assert_eq!((made.len(), &made[0].room, made[0].head, made[0].made), (1, &garden, Seq(1), true));
    assert_eq!(made[0].mark, store.newest_move().await.unwrap());
    let draft = post(lobby, &by, "one");
    store.append(draft.clone()).await.unwrap();
    assert_eq!(moved(&*store, start, ALL).await, [(garden.id, 1, true), (lobby, 2, false)]);
    assert_eq!(moved(&*store, made[0].mark, ALL).await, [(lobby, 2, false)]);

    say(&*store, garden.id, &by, "two").await;
    assert_eq!(moved(&*store, start, ALL).await, [(lobby, 2, false), (garden.id, 2, true)], "by the newest move");
    assert_eq!(moved(&*store, start, 1).await, [(lobby, 2, false)]);
    assert_eq!(moved(&*store, start, 0).await, []);
    assert_eq!(moved(&*store, start, usize::MAX).await.len(), 2);
    let newest = store.newest_move().await.unwrap();
    assert!(store.append(draft).await.unwrap().duplicate, "premise: it was stored");
    room_again(&*store, "garden").await;
    assert_eq!(store.newest_move().await.unwrap(), newest, "what was there already moves nothing");
    assert_eq!(moved(&*store, newest, ALL).await, []);
}

async fn room_again(store: &dyn Store, slug: &str) {
    let by = guest(store, "Bob").await;
    let (_, made) = store.create_room(slug, "Another name", &by, super::NOW).await.unwrap();
    assert!(!made, "premise: {slug} was there");
}

/// Whoever goes from mark to mark while two instances write has seen, at the end, every room at its head.
pub async fn no_move_of_another_instance_is_missed_while_both_write(database: &impl Database) {
    let stores = [database.open().await, database.open().await];
    let by = guest(&*stores[0], "Ada").await;
    let start = stores[0].newest_move().await.unwrap();
    let mut rooms = Vec::new();
    for turn in 0..4 {
        rooms.push(room(&*stores[turn % 2], &format!("room-{turn}"), &by).await.id);
    }
    let writers = (0..8_usize).map(|task| {
        let (store, by, rooms) = (Arc::clone(&stores[task % 2]), by.clone(), rooms.clone());
        tokio::spawn(async move {
            for turn in 0..12 {
                say(&*store, rooms[(task + turn) % 4], &by, format!("{task}.{turn}")).await;
            }
        })
    });
    let writing = tokio::spawn(join_all(writers));
    let (mut mark, mut heads) = (start, BTreeMap::new());
    loop {
        let ended = writing.is_finished();
        let read = stores[0].moved_after(mark, 3).await.unwrap();
        for moved in &read {
            assert!(moved.mark > mark, "ascending");
            mark = moved.mark;
            let before = heads.insert(moved.room.id, moved.head);
            assert!(before < Some(moved.head), "each once per move");
        }
        if ended && read.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    for task in writing.await.unwrap() {
        task.unwrap();
    }
    let found: Vec<(RoomId, Seq)> = heads.into_iter().collect();
    assert_eq!(found, stores[1].heads(&rooms).await.unwrap());
    assert_eq!(found.iter().map(|(_, head)| head.0).sum::<i64>(), 4 + 8 * 12);
}
