//! Rooms joined to Redis channels, with the real `redis-cli` on the other side.

use serde_json::json;
use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::Entry;

use crate::support::binary::Binary;
use crate::support::redis_cli::{Subscriber, publish, stream};
use crate::support::server::{Setup, TestServer, folder};
use crate::support::socket::{Socket, bodies};
use crate::support::{LOBBY, eventually};

/// What a terminal in Barcelona says.
const HOLA: &str = "Hola des de Redis CLI!";

async fn ask(redis: &RealRedis, command: &[&str]) -> Vec<String> {
    let parts: Vec<&[u8]> = command.iter().map(|part| part.as_bytes()).collect();
    // Shown as Rust shows it: this crate does not know the client's types.
    let Ok(answer) = redis.ask(&parts).await else { return Vec::new() };
    format!("{answer:?}").split(['\'', '"']).map(str::to_owned).collect()
}

/// Waits until so many bridges listen to the channel and have marked where they are; returns their marks' keys.
async fn until_joined(redis: &RealRedis, channel: &str, bridges: usize) -> String {
    eventually("the bridge is joined", async || {
        let marks = format!("{:?}", redis.ask(&[b"KEYS", format!("*:bridge:{channel}:*").as_bytes()]).await.ok()?);
        let listening = format!("{:?}", redis.ask(&[b"PUBSUB", b"NUMSUB", channel.as_bytes()]).await.ok()?);
        let joined = marks.matches("tertulia:bridge:").count() >= bridges;
        (joined && listening.contains(&format!("int({bridges})"))).then_some(marks)
    })
    .await
}

/// The name of the instance that holds the lobby's bridge.
async fn holder(redis: &RealRedis) -> Option<String> {
    let keys = ask(redis, &["KEYS", "tertulia:office:bridge:chat:*"]).await;
    let key = keys.iter().find(|word| word.starts_with("tertulia:office:"))?;
    ask(redis, &["GET", key]).await.into_iter().find(|word| word.contains('.'))
}

fn by(entries: &[Entry]) -> Vec<(&str, String)> {
    entries.iter().map(|entry| entry.by.name.as_str()).zip(bodies(entries)).collect()
}

async fn at_the_end(socket: &mut Socket, last: i64) -> Vec<Entry> {
    socket.entries_until(LOBBY, last).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_one_readable_line_and_a_line_is_one_message_on_every_instance() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    until_joined(&redis, "chat", 1).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    let start = ana.follow(LOBBY).await;
    bruno.follow(LOBBY).await;

    let seq = ana.tell(LOBBY, "Bon dia,\n\"Redis\" 👋").await;
    let line = terminal.next().await;
    let said: serde_json::Value = serde_json::from_str(&line).expect("readable JSON");
    let from = said["from"].as_str().expect("who speaks").to_owned();
    assert_eq!(from, format!("tertulia/{}", ana.epoch));
    let expected = json!({
        "room": "chat", "seq": seq, "id": format!("1-{seq}"), "author": "Ana",
        "text": "Bon dia,\n\"Redis\" 👋", "at": said["at"], "from": from,
    });
    assert_eq!(said, expected);
    assert!(said["at"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "milliseconds");
    assert!(line.starts_with(r#"{"room":"chat","seq":"#), "in an order for people: {line}");

    publish(&redis, "chat", HOLA).await;
    publish(&redis, "chat", r#"{"user":"Bot","message":"from a program"}"#).await;
    publish(&redis, "chat", r#"{"author":"Ana","text":"not that Ana","more":[1]}"#).await;
    publish(&redis, "chat", r#"{"author":"system","text":"not the server"}"#).await;
    publish(&redis, "chat", r#"{"level":"warn"}"#).await;
    let last = bruno.tell_after(LOBBY, start + 6, "the end").await;
    let expected = [
        ("Redis", HOLA.to_owned()),
        ("Bot", "from a program".to_owned()),
        ("Ana", "not that Ana".to_owned()),
        ("Redis", "not the server".to_owned()),
        ("Redis", r#"{"level":"warn"}"#.to_owned()),
        ("Bruno", "the end".to_owned()),
    ];
    let seen = at_the_end(&mut ana, last).await;
    assert_eq!(by(&seen[1..]), expected);
    assert_eq!(at_the_end(&mut bruno, last).await, seen, "the same on both, each once");
    assert_ne!(seen[0].by.id, seen[3].by.id, "whoever says Ana there is not the Ana here");
    // Nothing of what came in went out again: the next of ours is the end.
    for expected in [HOLA, r#"{"user":"Bot","message":"from a program"}"#] {
        assert_eq!(terminal.next().await, expected);
    }
    for _ in 0..3 {
        terminal.next().await;
    }
    assert_eq!(terminal.next_json().await["text"], "the end");
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_channel_is_told_who_comes_and_goes_on_any_instance_and_other_houses_take_it_for_no_message() {
    let redis = RealRedis::start().await;
    let folder = folder();
    let near =
        |name: &str| Setup::new().on(&folder).redis(&redis.url()).named(name).flag("--presence-grace-seconds", "0");
    let (a, b) = (near("a").start().await, near("b").start().await);
    let other = Setup::new().redis(&redis.url()).named("other").start().await;
    until_joined(&redis, "chat", 2).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    let mut eva = other.guest("Eva").await.socket().await;
    let start = eva.follow(LOBBY).await;
    assert_eq!(terminal.next_moved().await, ("Eva".to_owned(), "joined".to_owned()));
    for (server, name) in [(&a, "Ana"), (&b, "Bruno")] {
        let mut socket = server.guest(name).await.socket().await;
        socket.follow(LOBBY).await;
        assert_eq!(terminal.next_moved().await, (name.to_owned(), "joined".to_owned()));
        drop(socket);
        assert_eq!(terminal.next_moved().await, (name.to_owned(), "left".to_owned()));
    }
    publish(&redis, "chat", HOLA).await;
    assert_eq!(bodies(&at_the_end(&mut eva, start + 1).await), [HOLA], "who came and went there said nothing here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_harms_nothing() {
    let redis = RealRedis::start().await;
    let server = Setup::new().redis(&redis.url()).start().await;
    until_joined(&redis, "chat", 1).await;
    let mut ana = server.guest("Ana").await.socket().await;
    ana.follow(LOBBY).await;
    let long = "x".repeat(10_001);
    let huge = vec![b'x'; 70_000];
    let garbage: [&[u8]; 7] =
        [b"\xff\xfe binary \x80", b"", b"  \n ", b"a\0b", long.as_bytes(), &huge, br#"{"text":"","author":"x"}"#];
    for payload in garbage {
        publish(&redis, "chat", payload).await;
    }
    publish(&redis, "chat", "\u{1b}[31mred\r\nand plain\u{7}").await;
    publish(&redis, "chat", "[".repeat(5_000)).await;
    let last = ana.seq + 2;
    let seen = at_the_end(&mut ana, last).await;
    assert_eq!(bodies(&seen), ["[31mred\nand plain".to_owned(), "[".repeat(5_000)]);
    // A message may be seen before it is counted.
    eventually("all is counted", async || {
        let totals = server.bridges();
        ((totals[0].refused, totals[0].stored, totals[0].overflowed) == (7, 2, 0)).then_some(())
    })
    .await;
    server.until_bus("live").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_in_the_log_with_its_reason_and_seldom() {
    let redis = RealRedis::start().await;
    let server = Binary::serve(&folder(), &["--redis", &redis.url()], &[]).await;
    until_joined(&redis, "chat", 1).await;
    for _ in 0..20 {
        publish(&redis, "chat", b"\xff\xfe binary \x80").await;
    }
    let refused = "what came from the channel is not stored";
    eventually("it is told", async || server.log().contains(refused).then_some(())).await;
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(refused)).collect();
    assert!(lines.len() < 20, "a line a second and no more: {}", lines.len());
    assert!(lines[0].contains("chat") && lines[0].contains("UTF-8") && !log.contains("binary"), "{}", lines[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_instance_takes_over_from_one_that_was_killed() {
    let redis = RealRedis::start().await;
    let folder = folder();
    let url = redis.url();
    let mut servers = Vec::new();
    for name in ["one", "two"] {
        servers.push((name, Binary::serve(&folder, &["--redis", &url, "--instance", name], &[]).await));
    }
    until_joined(&redis, "chat", 1).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    let first = holder(&redis).await.expect("somebody holds it");
    let at = servers.iter().position(|(name, _)| first.starts_with(name)).expect("one of ours");
    let (_, victim) = servers.remove(at);
    let (_, other) = servers.remove(0);
    let guest = crate::support::guest::Guest::enter(&other.door, "Ana").await;
    let mut ana = guest.socket().await;
    ana.follow(LOBBY).await;
    let seq = ana.tell(LOBBY, "before").await;
    assert_eq!(terminal.next_json().await["seq"], seq);
    victim.signal("KILL").await;
    let seq = ana.tell(LOBBY, "while nobody holds it").await;
    assert_eq!(terminal.next_json().await["seq"], seq, "nothing is left out, nothing told twice");
    assert_ne!(holder(&redis).await.expect("the other"), first);
    eventually("the other listens", async || {
        format!("{:?}", redis.ask(&[b"PUBSUB", b"NUMSUB", b"chat"]).await).contains("int(2)").then_some(())
    })
    .await;
    publish(&redis, "chat", HOLA).await;
    let last = ana.tell_after(LOBBY, seq + 1, "after").await;
    let seen = at_the_end(&mut ana, last).await;
    assert_eq!(bodies(&seen), ["before", "while nobody holds it", HOLA, "after"]);
    assert_eq!(terminal.next().await, HOLA);
    assert_eq!(terminal.next_json().await["seq"], last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_redis_was_away_and_forgot_everything_the_bridge_is_back_by_itself() {
    let mut redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    until_joined(&redis, "chat", 1).await;
    let mut ana = a.guest("Ana").await.socket().await;
    ana.follow(LOBBY).await;
    publish(&redis, "chat", HOLA).await;
    let seq = ana.tell_after(LOBBY, ana.seq + 1, "before").await;
    redis.kill();
    a.until_bus("degraded: ").await;
    b.until_bus("degraded: ").await;
    ana.tell(LOBBY, "meanwhile").await;
    redis.restart().await;
    until_joined(&redis, "chat", 1).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    publish(&redis, "chat", HOLA).await;
    let last = ana.tell_after(LOBBY, seq + 2, "after").await;
    assert_eq!(bodies(&at_the_end(&mut ana, last).await), [HOLA, "before", "meanwhile", HOLA, "after"]);
    assert_eq!(terminal.next().await, HOLA);
    assert_eq!(terminal.next_json().await["seq"], last, "each once, and the rest was told before we came");
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_makes_no_second_holder_store_what_the_first_has_heard() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    until_joined(&redis, "chat", 1).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let start = ana.follow(LOBBY).await;
    let mut said = Vec::new();
    for round in 0..3 {
        ask(&redis, &["FLUSHALL"]).await;
        // The first holder believes for up to two seconds more; the other has the lease within those.
        for n in 0..100 {
            let words = format!("{round} {n}");
            publish(&redis, "chat", &words).await;
            said.push(words);
        }
        until_joined(&redis, "chat", 1).await;
    }
    let last = ana.tell(LOBBY, "the end").await;
    let seen = bodies(&at_the_end(&mut ana, last).await);
    assert!(last > start + 1, "premise: something was stored");
    let mut once: Vec<&String> = seen.iter().collect();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "nothing twice");
    let mut order = said.iter();
    assert!(seen[..seen.len() - 1].iter().all(|words| order.any(|known| known == words)), "in the order it was said");
    a.stop().await;
    b.stop().await;
}

/// Empties Redis just after the holder has renewed its lease: the other instance asks for it before the holder does.
async fn empty_it_under_the_holder(redis: &RealRedis) -> String {
    let keys = ask(redis, &["KEYS", "tertulia:office:bridge:chat:*"]).await;
    let lease = keys.iter().find(|word| word.starts_with("tertulia:office:")).expect("premise: somebody holds it");
    let first = holder(redis).await.expect("premise: somebody holds it");
    eventually("the lease is renewed", async || {
        let left = ask(redis, &["PTTL", lease]).await.concat();
        let left: u32 = left.trim_start_matches("int(").trim_end_matches(')').parse().ok()?;
        (left > 5_900).then_some(())
    })
    .await;
    ask(redis, &["FLUSHALL"]).await;
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_makes_nobody_tell_the_channel_a_message_twice_and_none_is_left_out() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    until_joined(&redis, "chat", 1).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    let mut people = [a.guest("Ana").await.socket().await, b.guest("Bruno").await.socket().await];
    for socket in &mut people {
        socket.follow(LOBBY).await;
    }
    let (mut said, mut handed_over) = (Vec::new(), 0);
    for round in 0..4 {
        for n in 0..20 {
            let words = format!("{round} {n}");
            people[n % 2].tell(LOBBY, &words).await;
            said.push(words);
        }
        let first = empty_it_under_the_holder(&redis).await;
        for n in 20..60 {
            let words = format!("{round} {n}");
            people[n % 2].tell(LOBBY, &words).await;
            said.push(words);
        }
        eventually("somebody goes on", async || {
            let keys = ask(&redis, &["KEYS", "tertulia:bridge:chat:*"]).await;
            keys.iter().any(|key| key.starts_with("tertulia:bridge:")).then_some(())
        })
        .await;
        handed_over += usize::from(holder(&redis).await.is_some_and(|now| now != first));
    }
    assert!(handed_over > 0, "premise: another instance took over");
    for words in &said {
        assert_eq!(terminal.next_json().await["text"], *words, "each once, in order");
    }
    people[0].tell(LOBBY, "the end").await;
    assert_eq!(terminal.next_json().await["text"], "the end");
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_while_redis_was_away_is_told_although_the_instance_started_anew_meanwhile() {
    let mut redis = RealRedis::start().await;
    let (folder, url) = (folder(), redis.url());
    let start = async || Setup::new().on(&folder).redis(&url).named("one").start().await;
    let server = start().await;
    until_joined(&redis, "chat", 1).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    server.guest("Ana").await.socket().await.tell(LOBBY, "before").await;
    assert_eq!(terminal.next_json().await["text"], "before");
    redis.kill();
    server.until_bus("degraded: ").await;
    let mut ana = server.guest("Ana").await.socket().await;
    for words in ["one", "two", "three"] {
        ana.tell(LOBBY, words).await;
    }
    server.stop().await;
    redis.restart().await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    let server = start().await;
    for words in ["one", "two", "three"] {
        assert_eq!(terminal.next_json().await["text"], words);
    }
    server.guest("Bruno").await.socket().await.tell(LOBBY, "after").await;
    assert_eq!(terminal.next_json().await["text"], "after", "each once");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_houses_on_one_channel_hear_each_other_once_and_do_not_echo() {
    let redis = RealRedis::start().await;
    let one = Setup::new().redis(&redis.url()).named("one").start().await;
    let two = Setup::new().redis(&redis.url()).named("two").start().await;
    until_joined(&redis, "chat", 2).await;
    let mut terminal = Subscriber::open(&redis, "chat").await;
    let mut ana = one.guest("Ana").await.socket().await;
    let mut bruno = two.guest("Bruno").await.socket().await;
    ana.follow(LOBBY).await;
    bruno.follow(LOBBY).await;
    let start = ana.seq;
    assert_ne!(ana.epoch, bruno.epoch, "premise: two stores");
    for n in 0..10 {
        let seq = ana.tell(LOBBY, &format!("ana {n}")).await;
        bruno.tell_after(LOBBY, seq, &format!("bruno {n}")).await;
        ana.heard(LOBBY, seq + 1).await;
    }
    publish(&redis, "chat", HOLA).await;
    let seen = [at_the_end(&mut ana, start + 21).await, at_the_end(&mut bruno, start + 21).await];
    let mut expected: Vec<_> =
        (0..10).flat_map(|n| [("Ana", format!("ana {n}")), ("Bruno", format!("bruno {n}"))]).collect();
    expected.push(("Redis", HOLA.to_owned()));
    assert_eq!(by(&seen[0]), expected);
    assert_eq!(by(&seen[1]), expected);
    for n in 0..10 {
        assert_eq!(terminal.next_json().await["text"], format!("ana {n}"));
        assert_eq!(terminal.next_json().await["text"], format!("bruno {n}"));
    }
    assert_eq!(terminal.next().await, HOLA, "twenty-one messages went over the channel, and no echo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_messages_at_500_a_second_are_each_stored_once_and_in_order() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    until_joined(&redis, "chat", 1).await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    let start = bruno.follow(LOBBY).await;
    let texts: Vec<String> = (0..10_000).map(|n| format!("quote {n}")).collect();
    let (seen, ()) = tokio::join!(
        at_the_end(&mut bruno, start + i64::try_from(texts.len()).expect("a few")),
        stream(&redis, "chat", &texts, 500)
    );
    assert!(bodies(&seen).iter().eq(&texts));
    a.stop().await;
    b.stop().await;
}
