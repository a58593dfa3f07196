//! Sessions of guests, and the check whether writing works.

use tertulia_protocol::Seq;

use super::{ALL, Database, NOW, guest, post, room, say, whole_log};
use crate::store::{StoreError, TokenHash};

/// From its making to its end, and no millisecond longer.
pub async fn a_session_lives_expires_and_ends(database: &impl Database) {
    let store = database.open().await;
    let (token, other) = (TokenHash([7; 32]), TokenHash([8; 32]));
    let ada = store.create_guest("Ada", token, NOW, NOW + 1_000).await.unwrap();
    let namesake = store.create_guest("Ada", other, NOW, NOW + 5_000).await.unwrap();
    assert_ne!(ada.id, namesake.id, "guests may share a name and are still two");
    assert_eq!(ada.name, "Ada");
    for at in [NOW, NOW + 999] {
        assert_eq!(store.session(token, at).await.unwrap(), Some(ada.clone()));
    }
    for at in [NOW + 1_000, NOW + 1_001, i64::MAX] {
        assert_eq!(store.session(token, at).await.unwrap(), None);
    }
    assert_eq!(store.session(TokenHash([9; 32]), NOW).await.unwrap(), None);

    let twice = store.create_guest("Eve", token, NOW, NOW + 9_000).await;
    assert!(twice.is_err(), "a token names one session: {twice:?}");
    assert_eq!(store.session(token, NOW).await.unwrap(), Some(ada.clone()));

    assert_eq!(store.end_session(token).await.unwrap(), Some(ada.id));
    assert_eq!(store.session(token, NOW).await.unwrap(), None);
    assert_eq!(store.end_session(token).await.unwrap(), None, "ending twice is fine");
    assert_eq!(store.session(other, NOW).await.unwrap(), Some(namesake));
}

/// Sessions that ended go, in slices, with the guests who did nothing; who wrote or made a room stays for ever.
pub async fn what_ended_is_purged_and_nobody_who_left_a_trace(database: &impl Database) {
    let store = database.open().await;
    let token = |number: u8| TokenHash([number; 32]);
    let mut people = Vec::new();
    for (number, name) in (1..).zip(["silent", "author", "maker", "left", "alive"]) {
        let end = if name == "left" || name == "alive" { NOW + 1_000 } else { NOW + i64::from(number) };
        people.push(store.create_guest(name, token(number), NOW, end).await.unwrap());
    }
    let [silent, author, maker, left, alive] = &people[..] else { panic!("five") };
    let lobby = store.rooms(ALL).await.unwrap()[0].id;
    say(&*store, lobby, author, "one").await;
    room(&*store, "made", maker).await;
    store.end_session(token(4)).await.unwrap();

    assert_eq!(store.purge_sessions(NOW, 0).await.unwrap(), 0, "a limit of nothing");
    assert_eq!(store.purge_sessions(NOW + 3, 2).await.unwrap(), 2, "as many as asked for");
    assert_eq!(store.purge_sessions(NOW + 3, 100).await.unwrap(), 2, "the rest");
    assert_eq!(store.purge_sessions(NOW + 3, 100).await.unwrap(), 0, "nothing twice");
    for number in 1..=4 {
        assert_eq!(store.session(token(number), NOW).await.unwrap(), None, "session {number} is gone");
    }
    assert_eq!(store.session(token(5), NOW).await.unwrap(), Some(alive.clone()), "who lives stays");
    for gone in [silent, left] {
        let refused = store.append(post(lobby, gone, "too late")).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{}: {refused:?}", gone.name);
    }
    for known in [author, maker, alive] {
        say(&*store, lobby, known, "still known").await;
    }
    assert_eq!(whole_log(&*store, lobby).await.last().unwrap().by, *alive);
    let later = guest(&*store, "later").await;
    assert!(people.iter().all(|person| person.id != later.id), "no number is given twice");
}

/// Asking whether writing works writes nothing that anybody could see.
pub async fn a_check_leaves_no_trace(database: &impl Database) {
    let store = database.open().await;
    let by = guest(&*store, "Ada").await;
    let made = room(&*store, "check", &by).await;
    let (rooms, epoch) = (store.rooms(ALL).await.unwrap(), store.epoch());
    for _ in 0..3 {
        store.check_writable().await.unwrap();
    }
    assert_eq!(store.rooms(ALL).await.unwrap(), rooms);
    assert_eq!(store.heads(&[made.id]).await.unwrap(), [(made.id, Seq(1))]);
    assert_eq!(store.epoch(), epoch);
    assert_eq!(database.open().await.epoch(), epoch);
}
