//! What an instance does last, and what it forgets.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::support::{Cluster, GRACE, Instance, LOBBY, PATIENCE};
use crate::Stay;
use crate::bus::Heard;
use crate::bus::embedded::EmbeddedHub;
use crate::news::{News, hear};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{Store, TokenHash};

#[tokio::test]
async fn the_last_word_of_an_instance_is_that_it_goes() {
    let cluster = Cluster::of(1);
    let [a] = cluster.instances.as_slice() else { panic!("one instance") };
    let (_listener, mut heard) = cluster.hub.open();
    let mut ana = a.guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    a.chat.stop().await;
    let mut last = None;
    while let Ok(news) = heard.try_recv() {
        let Heard::News { payload, .. } = news else { continue };
        last = hear(&a.chat.epoch(), "listener", &payload);
    }
    assert_eq!(last, Some(("node-0".to_owned(), News::Gone)));
}

#[tokio::test]
async fn whoever_only_looks_on_is_told_that_their_session_ended_on_another_instance() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let (ana, token) = a.chat.enter("Ana").await.expect("fine");
    let session = crate::Token::hash_of(token.reveal()).expect("a token has a hash");
    let stay = Stay::begin(a.chat.clone(), ana.id, session);
    assert!(!stay.has_ended().await, "premise: the session lives");
    assert_eq!(a.chat.connections(), 1, "whoever looks on is there");
    b.chat.leave(session).await.expect("fine");
    timeout(PATIENCE, stay.until_told()).await.expect("it is told");
    assert!(stay.has_ended().await);
    drop(stay);
    assert_eq!(a.chat.connections(), 0);
}

#[tokio::test]
async fn an_instance_that_goes_tells_who_only_looks_on_and_their_session_lives() {
    let cluster = Cluster::of(1);
    let [a] = cluster.instances.as_slice() else { panic!("one instance") };
    let (ana, token) = a.chat.enter("Ana").await.expect("fine");
    let session = crate::Token::hash_of(token.reveal()).expect("a token has a hash");
    let stay = Stay::begin(a.chat.clone(), ana.id, session);
    a.chat.dismiss_all(Duration::ZERO);
    timeout(PATIENCE, stay.until_told()).await.expect("it is told");
    assert!(!stay.has_ended().await);
}

#[tokio::test]
async fn sessions_that_ended_are_forgotten_slice_by_slice() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Arc::new(SqliteStore::open(&dir.path().join("chat.db"), SqliteOptions::default()).expect("it opens"));
    // More than two slices, the smallest number for which the loop has to come back.
    let ended: u16 = 401;
    for number in 0..ended {
        let mut token = [0; 32];
        token[..2].copy_from_slice(&number.to_be_bytes());
        store.create_guest("Ana", TokenHash(token), 0, 1).await.expect("a guest");
    }
    let a = Instance::on(store, &EmbeddedHub::new(), 0, false, GRACE);
    let (biel, token) = a.chat.enter("Biel").await.expect("fine");
    assert_eq!(a.chat.purge().await, Ok(usize::from(ended)));
    assert_eq!(a.chat.purge().await, Ok(0));
    let hash = crate::Token::hash_of(token.reveal()).expect("a token has a hash");
    assert_eq!(a.chat.viewer(hash).await.expect("fine"), Some(biel), "who lives stays");
}
