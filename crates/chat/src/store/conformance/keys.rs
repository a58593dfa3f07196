//! Once, for ever: what a key promises.

use std::sync::Arc;

use futures::future::join_all;
use tertulia_protocol::{Change, Seq};

use super::{Database, bodies, guest, post, room, say, whole_log};
use crate::store::Draft;

/// The first answer is the answer, also when the second try says something else.
pub async fn a_repeat_returns_the_first_entry_whatever_its_content(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "once", &by).await.id;
    let draft = post(room, &by, "first");
    let first = store.append(draft.clone()).await.unwrap();
    assert!(!first.duplicate);
    say(&*store, room, &by, "in between").await;
    let other = Change::Posted { body: "second".to_owned(), reply_to: Some(Seq(1)) };
    for repeat in [draft.clone(), Draft { change: other, at: draft.at + 5, ..draft.clone() }] {
        let again = store.append(repeat).await.unwrap();
        assert!(again.duplicate);
        assert_eq!((again.room, &again.entry), (room, &first.entry));
    }
    assert_eq!(bodies(&whole_log(&*store, room).await), ["first", "in between"]);
}

/// The key names the action, not the place: the answer says where it stands.
pub async fn a_repeat_in_another_room_names_the_first_room(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let here = room(&*store, "here", &by).await.id;
    let there = room(&*store, "there", &by).await.id;
    let draft = post(here, &by, "where am I");
    let first = store.append(draft.clone()).await.unwrap();
    let again = store.append(Draft { room: there, ..draft }).await.unwrap();
    assert!(again.duplicate);
    assert_eq!((again.room, again.entry), (here, first.entry));
    assert_eq!(whole_log(&*store, there).await.len(), 1, "only its creation");
}

/// Nobody can take or learn another's action by guessing its key.
pub async fn another_authors_equal_key_is_another_action(database: &impl Database) {
    let store = database.open().await;
    let (ada, bob) = (guest(&*store, "Ada").await, guest(&*store, "Bob").await);
    let room = room(&*store, "two", &ada).await.id;
    let draft = post(room, &ada, "hers");
    let first = store.append(draft.clone()).await.unwrap();
    let second = store.append(Draft { key: draft.key, ..post(room, &bob, "his") }).await.unwrap();
    assert!(!second.duplicate);
    assert_eq!(second.entry.seq, first.entry.seq.next());
    assert_eq!(second.entry.by, bob);
    assert_eq!(bodies(&whole_log(&*store, room).await), ["hers", "his"]);
}

/// A hundred retries at once: one entry, a hundred equal answers, one of which is not a duplicate.
pub async fn of_100_parallel_equal_sends_one_is_stored(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let room = room(&*store, "hundred", &by).await.id;
    let draft = post(room, &by, "hello");
    let tasks = (0..100).map(|_| {
        let (store, draft) = (Arc::clone(&store), draft.clone());
        tokio::spawn(async move { store.append(draft).await.unwrap() })
    });
    let answers: Vec<_> = join_all(tasks).await.into_iter().map(|answer| answer.unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 1);
    let log = whole_log(&*store, room).await;
    assert_eq!(log.len(), 2);
    for answer in answers {
        assert_eq!((answer.room, &answer.entry), (room, &log[1]));
    }
}
