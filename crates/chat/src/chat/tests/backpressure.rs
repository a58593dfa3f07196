//! What one client can make wait: many rooms at once, long messages, slow writes, and going in the middle.

use std::collections::HashMap;
use std::time::Duration;

use tertulia_protocol::limits::{QUEUE_BYTES, SENDS_IN_FLIGHT};
use tertulia_protocol::{Change, Close, Code, Entry, Key, Person, RoomId, Seq, ServerFrame, UserId};

use super::gated::Gated;
use super::support::{Cluster, Instance, LOBBY};
use crate::bus::embedded::EmbeddedHub;
use crate::queue::Ended;

/// Rooms with `messages` each, made and written on the first instance.
async fn full_rooms(instance: &Instance, rooms: usize, messages: usize, body: &str) -> Vec<RoomId> {
    let person = instance.chat.enter("Ana").await.expect("fine").0;
    let mut made = Vec::new();
    for index in 0..rooms {
        let room = instance.chat.create_room(&person, &format!("Room {index}")).await.expect("made").id;
        let member = instance.chat.member(&person, room).await.expect("open");
        // Followed, so that this instance remembers what is said.
        instance.chat.fanout.local(room).await.expect("loaded");
        let sends = (0..messages).map(|_| instance.chat.send(&member, Key::mint(), body, None));
        for sent in futures::future::join_all(sends).await {
            sent.expect("sent");
        }
        made.push(room);
    }
    made
}

/// Resumes all rooms from the first entry and reads until everything has come; each room in order, without a hole.
async fn everything_comes(instance: &Instance, rooms: &[RoomId], last: i64) {
    let mut biel = instance.stranger("Biel").await;
    let epoch = instance.chat.epoch();
    let positions: Vec<String> =
        rooms.iter().map(|room| format!(r#"{{"room":{room},"epoch":"{epoch}","seq":1}}"#)).collect();
    biel.say(&format!(r#"{{"t":"hello","v":1,"resume":[{}]}}"#, positions.join(","))).await.expect("hello is fine");
    // Nothing is read for a while: whatever pages must wait for the reader.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut seen: HashMap<RoomId, i64> = rooms.iter().map(|room| (*room, 1)).collect();
    while seen.values().any(|seq| *seq < last) {
        match biel.next().await.expect("the reader keeps up, so it is not closed") {
            ServerFrame::Entries { room, entries } => {
                let seen = seen.get_mut(&room).expect("a room that was asked for");
                for entry in entries {
                    assert_eq!(entry.seq.0, *seen + 1, "room {room}");
                    *seen += 1;
                }
            }
            ServerFrame::Error { refusal, .. } => panic!("{refusal:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn many_rooms_resume_from_memory_at_once() {
    let cluster = Cluster::of(1);
    let rooms = full_rooms(&cluster.instances[0], 8, 130, "short").await;
    everything_comes(&cluster.instances[0], &rooms, 131).await;
}

#[tokio::test]
async fn many_rooms_resume_from_sql_at_once() {
    let cluster = Cluster::of(2);
    let body = "x".repeat(9_000);
    let rooms = full_rooms(&cluster.instances[0], 6, 40, &body).await;
    assert!(6 * 40 * body.len() > 2 * QUEUE_BYTES, "premise: twice what the queue holds");
    // The other instance remembers nothing.
    everything_comes(&cluster.instances[1], &rooms, 41).await;
}

#[tokio::test]
async fn a_page_of_the_longest_messages_arrives() {
    let cluster = Cluster::of(1);
    let body = "\u{1d11e}".repeat(10_000);
    assert!(30 * body.len() > QUEUE_BYTES, "premise: uncut, the page would not fit the queue");
    let room = full_rooms(&cluster.instances[0], 1, 30, &body).await[0];
    let mut biel = cluster.instances[0].guest("Biel").await;
    let mut before = 32;
    while before > 1 {
        let ask = format!(r#"{{"t":"history","room":{room},"before":{before},"limit":50}}"#);
        biel.say(&ask).await.expect("fine");
        let entries = biel
            .until(|frame| match frame {
                ServerFrame::Page { entries, .. } => Some(entries),
                _ => None,
            })
            .await;
        assert_eq!(entries.last().map(|entry| entry.seq.0), Some(before - 1));
        before = entries[0].seq.0;
    }
}

#[tokio::test]
async fn a_frame_after_the_end_is_not_obeyed() {
    let cluster = Cluster::of(1);
    let mut ana = cluster.instances[0].guest("Ana").await;
    let revoked = Ended { close: Close::Revoked, retry_after_ms: None };
    ana.queue.end(revoked);
    let send = format!(r#"{{"t":"send","room":1,"key":"{}","body":"too late"}}"#, Key::mint());
    assert_eq!(ana.say(&send).await, Err(revoked));
    let mut biel = cluster.instances[0].guest("Biel").await;
    assert_eq!(biel.post(LOBBY, "the next number").await, 2, "nothing was stored");
}

#[tokio::test]
async fn a_frame_over_the_budget_is_refused_by_its_key() {
    let cluster = Cluster::limited();
    let mut ana = cluster.instances[0].guest("Ana").await;
    let mut said = 0;
    // Far above the burst of 400: the budget refills while this runs.
    let (key, told) = loop {
        said += 1;
        assert!(said < 5_000, "the budget was never used up");
        let key = Key::mint();
        ana.say(&format!(r#"{{"t":"delete","room":1,"key":"{key}","message":2}}"#)).await.expect("not closed yet");
        let frame = ana.until(|frame| (!matches!(frame, ServerFrame::Welcome { .. })).then_some(frame)).await;
        if !matches!(&frame, ServerFrame::Nack { refusal, .. } if refusal.code == Code::Unsupported) {
            break (key, frame);
        }
    };
    assert!(said > 300, "premise: the burst was let through, not {said}");
    match told {
        ServerFrame::Nack { key: refused, refusal } => assert_eq!((refused, refusal.code), (key, Code::RateLimited)),
        other => panic!("refused without its key: {other:?}"),
    }
}

/// One instance whose writes wait.
fn slow() -> (tempfile::TempDir, std::sync::Arc<Gated>, Instance) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Gated::closed(&dir.path().join("chat.db"));
    let instance = Instance::on(store.clone(), &EmbeddedHub::new(), 0, false, super::support::GRACE);
    (dir, store, instance)
}

fn send(body: &str) -> String {
    format!(r#"{{"t":"send","room":1,"key":"{}","body":"{body}"}}"#, Key::mint())
}

#[tokio::test]
async fn a_slow_write_delays_nothing_else_and_sends_keep_their_order() {
    let (_dir, store, instance) = slow();
    let mut ana = instance.guest("Ana").await;
    ana.subscribe(LOBBY, Some(1)).await;
    for turn in 0..SENDS_IN_FLIGHT {
        assert!(ana.connection.is_ready(), "premise: there is room for send {turn}");
        ana.say(&send(&turn.to_string())).await.expect("taken");
    }
    assert!(!ana.connection.is_ready(), "no more is read until one is answered");
    ana.say(r#"{"t":"ping"}"#).await.expect("fine");
    let first = ana.until(|frame| match frame {
        ServerFrame::Pong => Some("pong"),
        ServerFrame::Ack { .. } | ServerFrame::Nack { .. } => Some("an answer"),
        _ => None,
    });
    assert_eq!(first.await, "pong");
    store.let_through(SENDS_IN_FLIGHT);
    let last = i64::try_from(SENDS_IN_FLIGHT).expect("small") + 1;
    let mut acks = Vec::new();
    let mut bodies = Vec::new();
    while acks.len() < SENDS_IN_FLIGHT || bodies.len() < SENDS_IN_FLIGHT {
        match ana.next().await.expect("goes on") {
            ServerFrame::Ack { seq, .. } => acks.push(seq.0),
            ServerFrame::Entries { entries, .. } => {
                bodies.extend(entries.into_iter().map(|entry| match entry.change {
                    Change::Posted { body, .. } => body,
                    other => panic!("not said: {other:?}"),
                }))
            }
            _ => {}
        }
    }
    assert_eq!(acks, (2..=last).collect::<Vec<_>>());
    assert_eq!(bodies, (0..SENDS_IN_FLIGHT).map(|turn| turn.to_string()).collect::<Vec<_>>());
    assert!(ana.connection.is_ready());
}

#[tokio::test]
async fn what_was_taken_is_written_though_its_socket_is_gone_but_not_once_revoked() {
    let (_dir, store, instance) = slow();
    let (mut ana, mut eve) = (instance.guest("Ana").await, instance.guest("Eve").await);
    for turn in 0..5 {
        ana.say(&send(&format!("ana {turn}"))).await.expect("taken");
        eve.say(&send(&format!("eve {turn}"))).await.expect("taken");
    }
    // Each lane has its first write at the gate; what waits behind it is at stake.
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(ana);
    eve.queue.end(Ended { close: Close::Revoked, retry_after_ms: None });
    store.let_through(100);
    // Stopping waits for all of it.
    instance.chat.stop().await;
    let biel = instance.chat.enter("Biel").await.expect("fine").0;
    let member = instance.chat.member(&biel, LOBBY).await.expect("open");
    let stored = instance.chat.pull(&member, Seq(1), 500).await.expect("read");
    let stored = super::support::bodies(&stored).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let of = |who: &str| stored.iter().filter(|body| body.starts_with(who)).cloned().collect::<Vec<_>>();
    assert_eq!(of("ana"), ["ana 0", "ana 1", "ana 2", "ana 3", "ana 4"]);
    assert_eq!(of("eve"), ["eve 0"], "its write was under way when the session ended");
}

#[tokio::test]
async fn an_entry_that_sql_does_not_have_is_forgotten_and_sql_left_alone() {
    let (_dir, store, instance) = slow();
    let mut biel = instance.guest("Biel").await;
    biel.subscribe(LOBBY, Some(1)).await;
    let local = instance.chat.fanout.local(LOBBY).await.expect("loaded");
    let by = Person { id: UserId(2), name: "Nobody".to_owned() };
    let change = Change::Posted { body: "forged".to_owned(), reply_to: None };
    instance.chat.fanout.offer(LOBBY, &Entry { seq: Seq(900), at: 0, by, key: None, change });
    assert!(local.log.has_hole(), "premise: it waits");
    while local.log.has_hole() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reads = store.reads();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(store.reads(), reads, "nobody reads any more");
    store.let_through(1);
    assert_eq!(biel.post(LOBBY, "true").await, 2);
}
