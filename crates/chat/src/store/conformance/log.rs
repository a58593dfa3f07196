//! The log itself: numbers without a hole, one task's order, contents as written.

use std::sync::Arc;

use futures::future::join_all;
use tertulia_protocol::{Change, Key, Person, RoomId, Seq, UserId};

use super::{ALL, Database, NOW, bodies, guest, post, room, say, whole_log};
use crate::store::{Appended, Draft, StoreError};

/// A new database is a chat that can begin.
pub async fn a_fresh_store_has_the_lobby(database: &impl Database) {
    let store = database.open().await;
    let lobby = store.room_by_slug("chat").await.unwrap().expect("there is a lobby");
    assert_eq!((lobby.name.as_str(), lobby.topic.as_str()), ("chat", ""));
    assert_eq!(store.rooms(ALL).await.unwrap(), std::slice::from_ref(&lobby));
    let log = whole_log(&*store, lobby.id).await;
    assert_eq!(log.len(), 1);
    assert_eq!((&log[0].change, log[0].key), (&Change::Created, None));
    assert_eq!(log[0].by, Person { id: UserId(1), name: "tertulia".to_owned() });
    assert!(log[0].at > 1_700_000_000_000, "made at {}", log[0].at);
    assert_eq!(store.epoch().0.len(), 32);
}

/// 64 tasks write to 5 rooms at once: each room counts from 1 without a hole, and each answer is what is stored.
pub async fn numbers_are_contiguous_under_many_writers_and_rooms(database: &impl Database) {
    let store = database.open().await;
    let maker = guest(&*store, "Maker").await;
    let rooms = join_all((0..5).map(|n| {
        let (store, maker) = (&*store, &maker);
        async move { room(store, &format!("room-{n}"), maker).await.id }
    }))
    .await;
    let tasks = (0..64).map(|task| {
        let (store, rooms) = (Arc::clone(&store), rooms.clone());
        tokio::spawn(async move {
            let by = guest(&*store, &format!("Writer {task}")).await;
            let mut answers = Vec::new();
            for turn in 0..10 {
                answers.push(say(&*store, rooms[(task + turn) % 5], &by, format!("{task}.{turn}")).await);
            }
            answers
        })
    });
    let answers: Vec<_> = join_all(tasks).await.into_iter().flat_map(|answers| answers.unwrap()).collect();
    assert_eq!(answers.len(), 640);
    let mut stored = 0;
    for &id in &rooms {
        let log = whole_log(&*store, id).await;
        assert_eq!(log[0].change, Change::Created);
        stored += log.len() - 1;
        for answer in answers.iter().filter(|answer| answer.room == id) {
            assert!(!answer.duplicate);
            let place = usize::try_from(answer.entry.seq.0 - 1).unwrap();
            assert_eq!(log[place], answer.entry, "the answer is what is stored");
        }
    }
    assert_eq!(stored, 640);
}

/// One append awaited after the other keeps its place, whatever others do.
pub async fn what_one_task_appends_keeps_its_order(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "order", &by).await.id;
    let tasks = (0..8).map(|task| {
        let (store, by) = (Arc::clone(&store), by.clone());
        tokio::spawn(async move {
            for turn in 0..25 {
                say(&*store, room, &by, format!("{task}.{turn}")).await;
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let log = whole_log(&*store, room).await;
    for task in 0..8 {
        let own = format!("{task}.");
        let said: Vec<_> = bodies(&log).into_iter().filter(|body| body.starts_with(&own)).collect();
        let expected: Vec<_> = (0..25).map(|turn| format!("{task}.{turn}")).collect();
        assert_eq!(said, expected);
    }
}

/// A refusal consumes no number, and the refused key stays free.
pub async fn an_unknown_room_is_refused_and_an_unknown_author_stores_nothing(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "here", &by).await.id;
    let nowhere = RoomId(room.0 + 1_000);
    let lost = post(nowhere, &by, "hello?");
    // Together, so that a backend that groups has the refused ones among the others.
    let (refused, stored, again) =
        tokio::join!(store.append(lost.clone()), store.append(post(room, &by, "hello")), store.append(lost.clone()));
    assert_eq!(refused, Err(StoreError::NoRoom));
    assert_eq!(again, Err(StoreError::NoRoom));
    assert_eq!(stored.unwrap().entry.seq, Seq(2));
    assert_eq!(store.snapshot(nowhere, 10).await, Err(StoreError::NoRoom));
    assert_eq!(store.entries_after(nowhere, Seq::ZERO, 10).await, Ok(Vec::new()));
    assert_eq!(store.entries_before(nowhere, Seq(i64::MAX), 10).await, Ok(Vec::new()));
    assert_eq!(store.room(nowhere).await, Ok(None));

    let nobody = Person { id: UserId(by.id.0 + 1_000), name: "Nobody".to_owned() };
    let (ghost, stored) = tokio::join!(store.append(post(room, &nobody, "boo")), store.append(post(room, &by, "you")));
    assert!(matches!(ghost, Err(StoreError::Unavailable(_))), "{ghost:?}");
    assert_eq!(stored.unwrap().entry.seq, Seq(3));

    let retried = store.append(Draft { room, ..lost }).await.unwrap();
    assert_eq!((retried.entry.seq, retried.duplicate), (Seq(4), false), "a refusal used neither number nor key");
    assert_eq!(whole_log(&*store, room).await.len(), 4);
}

/// One of each kind, with texts that quoting and encoding could break.
fn changes() -> Vec<Change> {
    let message = Seq(2);
    let text = "it's \"quoted\" \\ back\n\ttab \u{202e} 日本語 👩‍👩‍👧‍👦 '); DROP TABLE entries;-- %s {} $1 ?1";
    vec![
        Change::Posted { body: text.to_owned(), reply_to: None },
        Change::Posted { body: "x".repeat(40_000), reply_to: Some(message) },
        Change::Edited { message, body: text.to_owned() },
        Change::Deleted { message },
        Change::Reacted { message, emoji: "👩‍👩‍👧‍👦".to_owned() },
        Change::Unreacted { message, emoji: "👩‍👩‍👧‍👦".to_owned() },
        Change::Joined,
        Change::Left,
        Change::Renamed { name: "Sala d'estar".to_owned() },
        Change::TopicSet { topic: String::new() },
        Change::Removed { who: Person { id: UserId(1), name: "Eve".to_owned() } },
        Change::illegible(),
        serde_json::from_str(r#"{"kind":"teleported","to":[1,{"x":2.5}],"body":null}"#).unwrap(),
    ]
}

/// Whatever happens is read back exactly, with author, key and time.
pub async fn every_change_reads_back_as_written(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Zoë O'Neill").await;
    let room = room(&*store, "kinds", &by).await.id;
    for (turn, change) in (0..).zip(changes()) {
        let draft = Draft { room, by: by.clone(), key: Key::mint(), change, at: NOW + turn };
        let answer = store.append(draft.clone()).await.unwrap();
        assert_eq!(answer.entry.by, by);
        assert_eq!(answer.entry.key, Some(draft.key));
        assert_eq!(answer.entry.at, draft.at);
        assert_eq!(answer.entry.change, draft.change);
        let read = store.entries_after(room, answer.entry.seq.prev(), 1).await.unwrap();
        assert_eq!(read, [answer.entry]);
    }
}

/// Name and topic of a room are those of its newest entries, at once.
pub async fn a_room_follows_its_log(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let before = room(&*store, "plan", &by).await;
    let other = room(&*store, "other", &by).await;
    let tell = async |change: Change| {
        let draft = Draft { room: before.id, by: by.clone(), key: Key::mint(), change, at: NOW };
        store.append(draft.clone()).await.unwrap();
        draft
    };
    let first = tell(Change::Renamed { name: "Plans".to_owned() }).await;
    tell(Change::TopicSet { topic: "What next".to_owned() }).await;
    tell(Change::Renamed { name: "Great plans".to_owned() }).await;
    assert!(store.append(first).await.unwrap().duplicate);
    let after = store.room(before.id).await.unwrap().unwrap();
    assert_eq!((after.name.as_str(), after.topic.as_str()), ("Great plans", "What next"), "a repeat renames nothing");
    assert_eq!(after.slug, "plan");
    assert_eq!(store.snapshot(before.id, 1).await.unwrap().room, after);
    assert_eq!(store.room_by_slug("plan").await.unwrap(), Some(after));
    assert_eq!(store.room(other.id).await.unwrap(), Some(other));
}

/// In one transaction: a repeat and a refusal have their answers between those that are new.
pub async fn what_is_appended_at_once_keeps_its_order_and_each_has_its_answer(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let garden = room(&*store, "garden", &by).await.id;
    assert_eq!(store.append_all(Vec::new()).await.unwrap(), []);
    let nowhere = RoomId(garden.0 + 1);
    let repeated = post(garden, &by, "0");
    let drafts: Vec<_> = (0..256)
        .map(|n| match n {
            0 | 100 => repeated.clone(),
            200 => post(nowhere, &by, "nowhere"),
            _ => post(garden, &by, n.to_string()),
        })
        .collect();
    let answers = store.append_all(drafts).await.unwrap();
    assert_eq!(answers.len(), 256);
    assert_eq!(answers[200], Err(StoreError::NoRoom));
    let first = answers[0].clone().unwrap();
    assert_eq!(answers[100], Ok(Appended { duplicate: true, ..first }));
    let log = whole_log(&*store, garden).await;
    let expected: Vec<_> = (0..256).filter(|n| ![100, 200].contains(n)).map(|n| n.to_string()).collect();
    assert_eq!(bodies(&log), expected);
}
