//! What happens to Redis in the field, done to a real one.

use bytes::Bytes;
use tertulia_protocol::RoomId;
use tokio::time::{Duration, Instant, timeout};

use super::super::{RedisBus, RedisSettings};
use super::{open, open_up};
use crate::bus::conformance::{PATIENCE, RealRedis, confirmed, enter, heard, news, until_down, until_up};
use crate::bus::{Bus, Heard, PAYLOAD_BYTES, Topic};

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn said_and_heard(bus: &RedisBus, from: &mut tokio::sync::mpsc::Receiver<Heard>, topic: Topic) {
    assert!(bus.publish(topic, bytes("still there?")));
    assert_eq!(news(from).await, (topic, bytes("still there?")));
}

#[tokio::test]
async fn a_server_that_starts_later_is_found() {
    let mut redis = RealRedis::reserve(&[]).await;
    let (bus, mut from) = open(redis.url(), "a");
    let mut room = bus.subscribe(RoomId(1));
    until_down(&*bus, "connection refused").await;
    assert!(!bus.publish(Topic::Everyone, bytes("to nobody")));
    assert_eq!(bus.counters().dropped, 1);
    redis.restart().await;
    until_up(&*bus).await;
    assert_eq!(from.try_recv(), Ok(Heard::MayHaveMissed));
    confirmed(&mut room).await;
    said_and_heard(&bus, &mut from, Topic::Room(RoomId(1))).await;
    assert!(bus.counters().echo_ms.is_some());
}

#[tokio::test]
async fn after_a_restart_all_rooms_are_heard_again_and_heads_are_compared_first() {
    const ROOMS: i64 = 1_100;
    let mut redis = RealRedis::start().await;
    let (bus, mut from) = open_up(&redis, "a").await;
    let mut rooms: Vec<_> = (1..=ROOMS).map(|n| bus.subscribe(RoomId(n))).collect();
    for room in &mut rooms {
        confirmed(room).await;
    }
    redis.kill();
    until_down(&*bus, "").await;
    assert!(rooms.iter().all(|room| !*room.borrow()), "nothing is confirmed while down");
    bus.unsubscribe(RoomId(ROOMS));
    redis.restart().await;
    until_up(&*bus).await;
    assert_eq!(from.try_recv(), Ok(Heard::MayHaveMissed), "before it said up");
    assert!(rooms[..rooms.len() - 1].iter().all(|room| *room.borrow()), "up means everything is confirmed");
    for n in 1..=ROOMS {
        assert!(bus.publish(Topic::Room(RoomId(n)), bytes("again")));
    }
    for n in 1..ROOMS {
        assert_eq!(news(&mut from).await, (Topic::Room(RoomId(n)), bytes("again")));
    }
    said_and_heard(&bus, &mut from, Topic::Everyone).await;
    assert_eq!(bus.counters().reconnects, 1);
}

#[tokio::test]
async fn a_wrong_password_is_named_never_shown_and_forgiven_when_it_becomes_right() {
    let redis = RealRedis::start().await;
    let ok = redis.ask(&[b"CONFIG", b"SET", b"requirepass", b"old-secret"]).await;
    assert!(ok.is_ok(), "premise: the password is set");
    let (bus, mut from) = open(redis.url_with_password("hunter2"), "a");
    let (none, _) = open(redis.url(), "b");
    until_down(&*bus, "wrong password").await;
    until_down(&*none, "Redis asks for a password").await;
    assert!(!format!("{:?}", bus.link().borrow()).contains("hunter2"));
    let mut admin = redis::Client::open(redis.url_with_password("old-secret")).unwrap();
    let _: () = redis::cmd("CONFIG").arg(&["SET", "requirepass", "hunter2"]).query(&mut admin).unwrap();
    until_up(&*bus).await;
    said_and_heard(&bus, &mut from, Topic::Everyone).await;
}

#[tokio::test]
async fn a_frozen_server_is_noticed_by_its_missing_heartbeat_and_found_again() {
    let redis = RealRedis::start().await;
    let (bus, mut from) = open_up(&redis, "a").await;
    enter(&*bus, RoomId(1)).await;
    redis.freeze();
    let frozen = Instant::now();
    until_down(&*bus, "no heartbeat for 6 s").await;
    assert!(frozen.elapsed() > Duration::from_secs(3), "three seconds of silence are not yet a death");
    // A handshake with a frozen server gets no answer: it must not hang for ever either.
    until_down(&*bus, "Redis does not answer").await;
    assert!(!bus.publish(Topic::Room(RoomId(1)), bytes("refused, not queued for later")));
    redis.thaw();
    until_up(&*bus).await;
    assert_eq!(heard(&mut from).await, Heard::MayHaveMissed);
    said_and_heard(&bus, &mut from, Topic::Room(RoomId(1))).await;
}

#[tokio::test]
async fn publishing_into_a_frozen_server_never_waits_and_is_bounded() {
    let redis = RealRedis::start().await;
    let (bus, _from) = open_up(&redis, "a").await;
    redis.freeze();
    let large = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let taken = (0..1_000).filter(|_| bus.publish(Topic::Everyone, large.clone())).count();
    assert!(taken <= 128, "{taken} payloads of 256 KiB are more than 32 MiB");
    assert_eq!(bus.counters().dropped, 1_000 - taken as u64);
    until_down(&*bus, "").await;
    let all_counted = async {
        while bus.counters().dropped + bus.counters().published < 1_000 {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(PATIENCE, all_counted).await.is_ok(), "{:?}", bus.counters());
    redis.thaw();
    until_up(&*bus).await;
}

#[tokio::test]
async fn a_killed_subscriber_comes_back_and_owes_a_comparison() {
    let redis = RealRedis::start().await;
    let (bus, mut from) = open_up(&redis, "a").await;
    enter(&*bus, RoomId(1)).await;
    let killed = redis.ask(&[b"CLIENT", b"KILL", b"TYPE", b"pubsub"]).await.unwrap();
    assert_eq!(killed, redis::Value::Int(1), "premise: one subscriber");
    assert_eq!(heard(&mut from).await, Heard::MayHaveMissed);
    until_up(&*bus).await;
    said_and_heard(&bus, &mut from, Topic::Room(RoomId(1))).await;
    assert_eq!(bus.counters().reconnects, 1);
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_is_not_up_until_it_is_primary_again() {
    let redis = RealRedis::start().await;
    let (bus, mut from) = open_up(&redis, "a").await;
    assert!(redis.ask(&[b"REPLICAOF", b"127.0.0.1", b"1"]).await.is_ok());
    let published = redis.ask(&[b"PUBLISH", b"tertulia:all", b"a replica carries this"]).await;
    assert_eq!(published, Ok(redis::Value::Int(1)), "premise: publishing alone does not tell");
    assert_eq!(news(&mut from).await.0, Topic::Everyone, "premise: nor does hearing");
    until_down(&*bus, "this Redis is a replica").await;
    assert!(redis.ask(&[b"REPLICAOF", b"NO", b"ONE"]).await.is_ok());
    until_up(&*bus).await;
    said_and_heard(&bus, &mut from, Topic::Everyone).await;
}

#[tokio::test]
async fn whatever_a_foreign_client_publishes_arrives_as_bytes_or_not_at_all() {
    let redis = RealRedis::start().await;
    let (bus, mut from) = open_up(&redis, "a").await;
    enter(&*bus, RoomId(1)).await;
    let oversized = vec![b'x'; PAYLOAD_BYTES + 1];
    let garbage: [&[u8]; 4] = [b"", b"\xff\xfe\x00", b"{\"v\":", b"*1\r\n"];
    for payload in garbage {
        assert!(redis.ask(&[b"PUBLISH", b"tertulia:{r1}:log", payload]).await.is_ok());
        assert!(redis.ask(&[b"PUBLISH", b"tertulia:hb:a", payload]).await.is_ok());
        assert!(redis.ask(&[b"PUBLISH", b"tertulia:all", &oversized]).await.is_ok());
    }
    for payload in garbage {
        assert_eq!(news(&mut from).await, (Topic::Room(RoomId(1)), Bytes::copy_from_slice(payload)));
    }
    assert!(bus.link().borrow().is_up());
    said_and_heard(&bus, &mut from, Topic::Everyone).await;
    assert_eq!(bus.counters().oversized, 4);
}

#[tokio::test]
async fn deployments_with_different_prefixes_do_not_hear_each_other() {
    let redis = RealRedis::start().await;
    let (here, mut from_here) = open_up(&redis, "a").await;
    let there = RedisSettings { prefix: "tertulia:two".to_owned(), ..RedisSettings::new(redis.url(), "a") };
    let (there, mut from_there) = RedisBus::open(&there).unwrap();
    until_up(&*there).await;
    for bus in [&here, &there] {
        enter(&**bus, RoomId(1)).await;
    }
    said_and_heard(&here, &mut from_here, Topic::Room(RoomId(1))).await;
    said_and_heard(&there, &mut from_there, Topic::Everyone).await;
    said_and_heard(&here, &mut from_here, Topic::Everyone).await;
    said_and_heard(&there, &mut from_there, Topic::Room(RoomId(1))).await;
}

#[tokio::test]
async fn closing_and_dropping_leave_nothing_behind() {
    let redis = RealRedis::start().await;
    let (closed, mut from_closed) = open_up(&redis, "a").await;
    let (dropped, mut from_dropped) = open_up(&redis, "b").await;
    assert!(timeout(PATIENCE, closed.close()).await.is_ok());
    until_down(&*closed, "closed").await;
    assert!(!closed.publish(Topic::Everyone, bytes("too late")));
    assert_eq!(from_closed.recv().await, None);
    drop(dropped);
    assert_eq!(timeout(PATIENCE, from_dropped.recv()).await, Ok(None));
    let gone = async {
        // Redis lists who is connected: in the end only this question itself.
        loop {
            let redis::Value::BulkString(list) = redis.ask(&[b"CLIENT", b"LIST"]).await.unwrap() else { panic!() };
            if list.iter().filter(|byte| **byte == b'\n').count() == 1 {
                break;
            }
        }
    };
    assert!(timeout(PATIENCE, gone).await.is_ok(), "a connection was left behind");
}
