//! Rooms: made once, found by slug and id, listed in order.

use std::sync::Arc;

use futures::future::join_all;
use tertulia_protocol::{Change, RoomId};

use super::{ALL, Database, NOW, guest, room, whole_log};

/// Fifty people make the same room at once: it is made once, and all are in the same one.
pub async fn of_50_parallel_makers_one_makes_the_room(database: &impl Database) {
    let store = database.open().await;
    let tasks = (0..50).map(|maker| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let by = guest(&*store, &format!("Maker {maker}")).await;
            let answer = store.create_room("garden", &format!("Garden {maker}"), &by, NOW).await.unwrap();
            (by, answer)
        })
    });
    let answers: Vec<_> = join_all(tasks).await.into_iter().map(|answer| answer.unwrap()).collect();
    let makers: Vec<_> = answers.iter().filter(|(_, (_, made))| *made).collect();
    assert_eq!(makers.len(), 1);
    let (maker, (garden, _)) = makers[0];
    for (_, (room, _)) in &answers {
        assert_eq!(room, garden);
    }
    let log = whole_log(&*store, garden.id).await;
    assert_eq!(log.len(), 1);
    assert_eq!((&log[0].change, &log[0].by, log[0].at, log[0].key), (&Change::Created, maker, NOW, None));
    assert_eq!(store.rooms(ALL).await.unwrap().len(), 2, "the lobby and the garden");
}

/// By slug, by id, and all of them as they were made.
pub async fn rooms_are_found_and_listed_in_order(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let lobby = store.room_by_slug("chat").await.unwrap().expect("there is a lobby");
    let mut made = vec![lobby];
    for slug in ["zebra", "café", "apple", "日本"] {
        made.push(room(&*store, slug, &by).await);
    }
    assert_eq!(store.rooms(ALL).await.unwrap(), made);
    assert_eq!(store.rooms(usize::MAX).await.unwrap(), made);
    assert_eq!(store.rooms(2).await.unwrap(), made[3..], "the newest, in the order they were made");
    assert_eq!(store.rooms(0).await.unwrap(), []);
    for room in &made {
        assert_eq!(store.room(room.id).await.unwrap().as_ref(), Some(room));
        assert_eq!(store.room_by_slug(&room.slug).await.unwrap().as_ref(), Some(room));
    }
    for missing in ["", "cafe", "CHAT", "chat ", "chat%", "' OR 1=1 --"] {
        assert_eq!(store.room_by_slug(missing).await.unwrap(), None, "{missing:?}");
    }
    assert_eq!(store.room(RoomId(made[4].id.0 + 1)).await.unwrap(), None);
    let (same, again) = store.create_room("apple", "Another name", &by, NOW + 1).await.unwrap();
    assert_eq!((&same, again), (&made[3], false));
    assert_eq!(whole_log(&*store, same.id).await.len(), 1);
}
