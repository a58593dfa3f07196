//! Rooms over several instances: one order, every entry exactly once, whatever breaks between client and server.

use std::collections::BTreeSet;

use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::{Entry, Key, ServerFrame};

use crate::support::LOBBY;
use crate::support::guest::Guest;
use crate::support::server::{Setup, TestServer};
use crate::support::socket::{Socket, bodies};

/// The numbers and bodies of entries: what two clients must agree on.
fn log(entries: &[Entry]) -> Vec<(i64, String)> {
    entries.iter().zip(bodies(entries)).map(|(entry, body)| (entry.seq.0, body)).collect()
}

/// Sends texts and waits for every ack.
async fn tell_all(socket: &mut Socket, texts: impl IntoIterator<Item = String>) {
    let mut keys = Vec::new();
    for text in texts {
        let key = Key::mint();
        socket.post(LOBBY, key, &text).await;
        keys.push(key);
    }
    for key in keys {
        assert!(!socket.acked(key).await.1, "nothing was sent twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_messages_from_both_sides_reach_both_sides_once_and_in_one_order() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    let start = ana.follow(LOBBY).await;
    assert_eq!(bruno.follow(LOBBY).await, start, "premise: both begin at one place");
    tokio::join!(
        tell_all(&mut ana, (0..100).map(|n| format!("ana {n}"))),
        tell_all(&mut bruno, (0..100).map(|n| format!("bruno {n}"))),
    );
    let seen_by_ana = log(&ana.entries_until(LOBBY, start + 200).await);
    let seen_by_bruno = log(&bruno.entries_until(LOBBY, start + 200).await);
    assert_eq!(seen_by_ana, seen_by_bruno);
    let distinct: BTreeSet<_> = seen_by_ana.iter().map(|(_, body)| body).collect();
    assert_eq!(distinct.len(), 200, "every message, none twice");
    for side in ["ana", "bruno"] {
        let order: Vec<_> = seen_by_ana.iter().filter(|(_, body)| body.starts_with(side)).collect();
        let said: Vec<_> = (0..100).map(|n| format!("{side} {n}")).collect();
        assert!(order.iter().map(|(_, body)| body).eq(&said), "{side}'s own order is kept");
    }
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_is_resumed_exactly_on_the_other_instance_at_any_distance() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let bruno = a.guest("Bruno").await;
    let mut there = bruno.socket().await;
    let mut last = there.follow(LOBBY).await;
    for missed in [120, 3_000] {
        let position = there.position(LOBBY);
        there.cut();
        tell_all(&mut ana, (0..missed).map(|n| format!("{missed}: {n}"))).await;
        there = Socket::open(&bruno.at(&b.door)).await;
        there.seq = last;
        there.hello(&position).await;
        last += missed;
        let seen = bodies(&there.entries_until(LOBBY, last).await);
        assert!(seen.iter().eq((0..missed).map(|n| format!("{missed}: {n}")).collect::<Vec<_>>().iter()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_of_another_store_is_reset_and_continues_from_there() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let mut writer = guest.socket().await;
    let newest = writer.tell(LOBBY, "before").await;
    let mut socket = Socket::open(&guest).await;
    socket.hello(r#"{"room":1,"epoch":"00000000000000000000000000000000","seq":7}"#).await;
    let (epoch, after, seq, reason) = socket
        .until(|frame| match frame {
            ServerFrame::Reset { room: LOBBY, epoch, after, seq, reason } => Some((epoch, after, seq, reason)),
            _ => None,
        })
        .await;
    assert_eq!((reason.as_str(), seq.0), ("epoch", newest));
    assert_eq!(epoch, socket.epoch, "the reset names the epoch of the welcome");
    socket.seq = after.0;
    let next = writer.tell(LOBBY, "after").await;
    let seen = bodies(&socket.entries_until(LOBBY, next).await);
    assert_eq!(seen, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_cut_in_the_middle_of_a_burst_resumes_without_a_hole_or_a_double() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let bruno = b.guest("Bruno").await;
    let mut there = bruno.socket().await;
    let start = there.follow(LOBBY).await;
    let (total, step) = (600, 75);
    let reading = async {
        let mut all = Vec::new();
        for cut in 1..=total / step {
            all.extend(there.entries_until(LOBBY, start + cut * step).await);
            let (position, seq) = (there.position(LOBBY), there.seq);
            let door = if cut % 2 == 0 { &b.door } else { &a.door };
            let next = Socket::open(&bruno.at(door)).await;
            std::mem::replace(&mut there, next).cut();
            there.seq = seq;
            there.hello(&position).await;
        }
        all.extend(there.entries_until(LOBBY, start + total).await);
        all
    };
    let ((), all) = tokio::join!(tell_all(&mut ana, (0..total).map(|n| n.to_string())), reading);
    let said: Vec<_> = (0..total).map(|n| n.to_string()).collect();
    assert_eq!(bodies(&all), said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_a_hundred_times_in_parallel_on_both_instances_is_stored_once_with_equal_acks() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let guest = a.guest("Ana").await;
    let key = Key::mint();
    let mut sockets = Vec::new();
    for n in 0..20 {
        sockets.push(guest.at(if n % 2 == 0 { &a.door } else { &b.door }).socket().await);
    }
    let start = sockets[0].follow(LOBBY).await;
    let tries = sockets.iter_mut().map(async |socket| {
        for _ in 0..5 {
            socket.post(LOBBY, key, "once").await;
        }
        let mut acks = Vec::new();
        while acks.len() < 5 {
            acks.push(
                socket
                    .until(|frame| match frame {
                        ServerFrame::Ack { room, seq, at, duplicate, .. } => Some(((room, seq, at), duplicate)),
                        ServerFrame::Nack { refusal, .. } => panic!("refused: {refusal:?}"),
                        _ => None,
                    })
                    .await,
            );
        }
        acks
    });
    let acks: Vec<_> = futures::future::join_all(tries).await.into_iter().flatten().collect();
    assert_eq!(acks.len(), 100);
    assert!(acks.iter().all(|(answer, _)| *answer == acks[0].0), "all acks are equal: {acks:?}");
    assert_eq!(acks.iter().filter(|(_, duplicate)| !duplicate).count(), 1, "one of them stored it");
    let mut reader = guest.at(&b.door).socket().await;
    assert_eq!(reader.follow(LOBBY).await, start + 1, "one entry");
}

/// Who is said to have joined the lobby, until this person is.
async fn joined_until(socket: &mut Socket, last: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    while all.last().is_none_or(|name| name != last) {
        let joined = socket
            .until(|frame| match frame {
                ServerFrame::Presence { full: false, joined, .. } => Some(joined),
                _ => None,
            })
            .await;
        all.extend(joined.into_iter().map(|person| person.name));
    }
    all
}

/// Waits until a whole list names these people, in the order in which they came to the house.
async fn listed(socket: &mut Socket, names: &[&str]) {
    socket
        .until(|frame| match frame {
            ServerFrame::Presence { full: true, joined, .. } => {
                joined.iter().map(|person| person.name.as_str()).eq(names.iter().copied()).then_some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_lone_instance_was_restarted_who_comes_back_was_there_and_who_comes_has_come() {
    let first = TestServer::alone().await;
    let folder = first.folder.clone();
    let (ana, bruno) = (first.guest("Ana").await, first.guest("Bruno").await);
    let follow = async |guest: &Guest| {
        let mut socket = guest.socket().await;
        socket.follow(LOBBY).await;
        socket
    };
    let mut of_ana = follow(&ana).await;
    let mut of_bruno = follow(&bruno).await;
    assert_eq!(joined_until(&mut of_ana, "Bruno").await.last().map(String::as_str), Some("Bruno"), "premise");
    let places = [of_ana.position(LOBBY), of_bruno.position(LOBBY)];
    tokio::join!(first.stop(), of_ana.closed(), of_bruno.closed());

    let second = Setup::new().on(&folder).start().await;
    let come_back = async |guest: &Guest, place: &str| {
        let mut socket = Socket::open(&guest.at(&second.door)).await;
        socket.hello_again(place).await;
        socket
    };
    let mut of_ana = come_back(&ana, &places[0]).await;
    let mut of_bruno = come_back(&bruno, &places[1]).await;
    listed(&mut of_ana, &["Ana", "Bruno"]).await;
    let mut of_eva = second.guest("Eva").await.socket().await;
    of_eva.follow(LOBBY).await;
    for socket in [&mut of_ana, &mut of_bruno] {
        assert_eq!(joined_until(socket, "Eva").await, ["Eva"], "the others were there all the while");
    }
}
