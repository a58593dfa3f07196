//! Tellings: how far a room has been told to a channel outside.

use futures::future::join_all;
use tertulia_protocol::{RoomId, Seq};

use super::{Database, guest, room};
use crate::store::{StoreError, Telling};

/// By room and channel, whichever instance notes it, and also after it was opened again.
pub async fn a_telling_begins_once_and_what_was_told_only_grows(database: &impl Database) {
    let (store, other) = (database.open().await, database.open().await);
    let by = guest(&*store, "Ada").await;
    let (one, two) = (room(&*store, "one", &by).await.id, room(&*store, "two", &by).await.id);
    assert_eq!(store.note_told(one, "alerts", Seq(3)).await, Err(StoreError::NoRoom), "they are not joined yet");
    let begun = Telling { begun: Seq(5), told: None };
    assert_eq!(store.begin_telling(one, "alerts", Seq(5)).await, Ok(begun));
    assert_eq!(other.begin_telling(one, "alerts", Seq(9)).await, Ok(begun), "it has begun");
    for (to, told) in [(7, 7), (6, 7), (7, 7), (12, 12), (0, 12)] {
        other.note_told(one, "alerts", Seq(to)).await.unwrap();
        let expected = Telling { begun: Seq(5), told: Some(Seq(told)) };
        assert_eq!(store.begin_telling(one, "alerts", Seq(99)).await, Ok(expected), "after {to}");
    }
    for (room, channel) in [(two, "alerts"), (one, "Alerts"), (one, "' OR 1=1 --")] {
        let fresh = Telling { begun: Seq(1), told: None };
        assert_eq!(store.begin_telling(room, channel, Seq(1)).await, Ok(fresh), "{channel}: another telling");
    }
    let nowhere = RoomId(4_711);
    assert_eq!(store.begin_telling(nowhere, "alerts", Seq(1)).await, Err(StoreError::NoRoom));
    assert_eq!(store.note_told(nowhere, "alerts", Seq(1)).await, Err(StoreError::NoRoom));
    drop((store, other));
    let kept = database.open().await.begin_telling(one, "alerts", Seq(1)).await;
    assert_eq!(kept, Ok(Telling { begun: Seq(5), told: Some(Seq(12)) }));
}

/// Instances that start at once agree on it, so none leaves out what another would tell.
pub async fn of_many_who_join_a_room_to_a_channel_one_says_where_it_begins(database: &impl Database) {
    let stores = [database.open().await, database.open().await];
    let by = guest(&*stores[0], "Ada").await;
    let room = room(&*stores[0], "both", &by).await.id;
    let joining = (1..=20_i64).map(|at| {
        let store = stores[usize::from(at % 2 == 0)].clone();
        tokio::spawn(async move { store.begin_telling(room, "alerts", Seq(at)).await.unwrap() })
    });
    let begun: Vec<Telling> = join_all(joining).await.into_iter().map(|telling| telling.unwrap()).collect();
    assert!(begun.iter().all(|telling| *telling == begun[0]), "{begun:?}");
}
