//! Everybody comes back at once: to an instance that knows nothing of the room, and to a desk that is full.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tertulia_protocol::{Close, Key};
use tokio::time::timeout;

use super::gated::Gated;
use super::support::{Client, GRACE, Instance, LOBBY, PATIENCE, seqs};
use crate::bus::embedded::EmbeddedHub;
use crate::store::Store;

/// People who were there before.
const CROWD: usize = 100;
/// Messages that were said while they were away: fewer than a log remembers.
const MISSED: i64 = 40;

/// A store with a lobby in which [`MISSED`] messages stand after its creation, and an instance that has just started.
async fn restarted(store: &Arc<Gated>) -> Instance {
    let hub = EmbeddedHub::new();
    let before = Instance::on(store.clone(), &hub, 0, false, GRACE);
    let (person, _token) = before.chat.enter("Ana").await.expect("the name is fine");
    let member = before.chat.member(&person, LOBBY).await.expect("open");
    store.let_through(usize::try_from(MISSED).expect("a few"));
    for n in 0..MISSED {
        before.chat.send(&member, Key::mint(), &format!("n {n}"), None).await.expect("sent");
    }
    before.chat.stop().await;
    Instance::on(store.clone(), &hub, 1, false, GRACE)
}

/// Comes back after entry 1, the room's creation.
async fn resume(client: &mut Client, epoch: &str) {
    let hello = format!(r#"{{"t":"hello","v":1,"resume":[{{"room":{LOBBY},"epoch":"{epoch}","seq":1}}]}}"#);
    client.say(&hello).await.expect("hello is fine");
}

#[tokio::test]
async fn a_crowd_that_comes_back_to_a_new_instance_costs_one_reading_of_the_room() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Gated::closed(&dir.path().join("chat.db"));
    let instance = restarted(&store).await;
    let mut crowd = Vec::new();
    for n in 0..CROWD {
        crowd.push(instance.stranger(&format!("Guest {n}")).await);
    }
    let epoch = store.epoch().to_string();
    let before = store.reads();
    join_all(crowd.iter_mut().map(|client| resume(client, &epoch))).await;
    for client in &mut crowd {
        let entries = client.entries_until(LOBBY, MISSED + 1).await;
        assert_eq!(seqs(&entries), (2..=MISSED + 1).collect::<Vec<_>>());
    }
    assert_eq!(store.reads() - before, 1, "one reads, the others are served from memory");
}

#[tokio::test]
async fn what_is_told_of_a_room_while_its_head_is_being_read_is_not_passed_over() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Gated::closed(&dir.path().join("chat.db"));
    let instance = restarted(&store).await;
    let other = Instance::on(store.clone(), &EmbeddedHub::new(), 2, false, GRACE);
    let (person, _token) = other.chat.enter("Biel").await.expect("the name is fine");
    let member = other.chat.member(&person, LOBBY).await.expect("open");
    let fanout = instance.chat.fanout.clone();
    store.hold_heads();
    let loading = tokio::spawn({
        let fanout = fanout.clone();
        async move { fanout.local(LOBBY).await.map(|local| local.log.head()) }
    });
    // One is asked for to load the log, the other because the bus has confirmed the room.
    timeout(PATIENCE, async {
        while store.held_heads() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("premise: both were read before the message");
    store.let_through(1);
    let said = other.chat.send(&member, Key::mint(), "meanwhile", None).await.expect("sent").entry.seq;
    fanout.advance(&[(LOBBY, said)]).await.expect("read");
    store.give_heads();
    assert_eq!(loading.await.expect("no panic").expect("read"), Some(said));
}

#[tokio::test]
async fn whoever_does_not_fit_at_the_desk_is_told_when_to_come_back() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Gated::closed(&dir.path().join("chat.db"));
    let instance = restarted(&store).await;
    let mut late = instance.stranger("Late").await;
    let chat = instance.chat.clone();
    let places = join_all((0..64).map(|_| chat.admit())).await;
    assert!(places.iter().all(Result::is_ok), "premise: so many fit at the desk");
    chat.admission.set_pace(Duration::from_secs(4));
    let ended = late.say(r#"{"t":"hello","v":1}"#).await.expect_err("the desk is full and slow");
    assert_eq!(ended.close, Close::Overloaded);
    assert!(ended.retry_after_ms.is_some_and(|wait| wait >= 3_000), "{ended:?}");
    drop(places);
    let mut again = instance.stranger("Again").await;
    timeout(PATIENCE, again.say(r#"{"t":"hello","v":1}"#)).await.expect("in time").expect("there is room again");
}
