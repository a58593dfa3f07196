//! Redis comes, goes and lies: sends stay acknowledged, everybody gets everything once, and the server says how it is.

use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::{BusState, ServerFrame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::LOBBY;
use crate::support::server::{Setup, TestServer, folder};
use crate::support::socket::{Socket, bodies};

/// Waits for the frame that says so. Entries that come meanwhile are kept, so nothing is lost on the way.
async fn until_service(socket: &mut Socket, wanted: BusState) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match socket.next().await.expect("the socket lives on") {
            ServerFrame::Service { bus } if bus == wanted => return seen,
            ServerFrame::Entries { entries, .. } => {
                for entry in entries {
                    assert_eq!(entry.seq.0, socket.seq + 1, "a hole or a double");
                    socket.seq = entry.seq.0;
                    seen.extend(bodies(std::slice::from_ref(&entry)));
                }
            }
            _ => {}
        }
    }
}

/// Nothing listens at that address, and nothing is asked: the settings alone decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_redis_on_another_machine_is_not_used_and_the_chat_says_why() {
    let server = Setup::new().redis("redis://192.0.2.1:6379").start().await;
    let words = server.until_bus("degraded: ").await;
    assert!(words.contains("asks for no password") && words.contains("--redis-without-password allow"), "{words}");
    let mut ana = server.guest("Ana").await.socket().await;
    ana.follow(LOBBY).await;
    let said = ana.tell(LOBBY, "stored all the same").await;
    assert_eq!(bodies(&ana.entries_until(LOBBY, said).await), ["stored all the same"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_and_comes_back_costs_no_message_and_doubles_none() {
    let mut redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    bruno.follow(LOBBY).await;
    let mut said = Vec::new();
    let mut seen = Vec::new();
    let mut last = 0;
    for n in 0..120 {
        if n == 30 {
            redis.kill();
        }
        if n == 60 {
            seen.extend(until_service(&mut bruno, BusState::Degraded).await);
            let words = b.until_bus("degraded: ").await;
            assert!(words.len() > "degraded: ".len(), "readyz says why");
            // While nothing carries, entries still arrive: from SQL.
            seen.extend(bodies(&bruno.entries_until(LOBBY, last).await));
            assert_eq!(seen, said);
        }
        if n == 90 {
            redis.restart().await;
            seen.extend(until_service(&mut bruno, BusState::Live).await);
            b.until_bus("live").await;
            a.until_bus("live").await;
        }
        let text = format!("message {n}");
        last = ana.tell(LOBBY, &text).await;
        said.push(text);
    }
    seen.extend(bodies(&bruno.entries_until(LOBBY, last).await));
    assert_eq!(seen, said, "everything, in order, once");
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_freezes_and_thaws_costs_no_message_and_doubles_none() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = a.guest("Ana").await.socket().await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    bruno.follow(LOBBY).await;
    redis.freeze();
    let mut said = Vec::new();
    let mut last = 0;
    for n in 0..40 {
        said.push(format!("frozen {n}"));
        last = ana.tell(LOBBY, &said[n]).await;
    }
    let mut seen = until_service(&mut bruno, BusState::Degraded).await;
    seen.extend(bodies(&bruno.entries_until(LOBBY, last).await));
    redis.thaw();
    seen.extend(until_service(&mut bruno, BusState::Live).await);
    a.until_bus("live").await;
    said.push("thawed".to_owned());
    let last = ana.tell(LOBBY, "thawed").await;
    seen.extend(bodies(&bruno.entries_until(LOBBY, last).await));
    assert_eq!(seen, said, "what Redis did late was known already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_redis_an_instance_serves_degraded_and_becomes_live_when_it_appears() {
    let mut redis = RealRedis::reserve(&[]).await;
    let folder = folder();
    let a = Setup::new().on(&folder).redis(&redis.url()).start().await;
    let b = Setup::new().on(&folder).redis(&redis.url()).start().await;
    a.until_bus("degraded: ").await;
    let mut ana = a.guest("Ana").await.socket().await;
    let bruno = b.guest("Bruno").await;
    let mut there = Socket::open(&bruno).await;
    there.say(r#"{"t":"hello","v":1}"#).await;
    let bus = there.until(|frame| if let ServerFrame::Welcome { bus, .. } = frame { Some(bus) } else { None }).await;
    assert_eq!(bus, BusState::Degraded, "the welcome says so");
    there.follow(LOBBY).await;
    let last = ana.tell(LOBBY, "without").await;
    assert_eq!(bodies(&there.entries_until(LOBBY, last).await), ["without"]);
    redis.restart().await;
    until_service(&mut there, BusState::Live).await;
    a.until_bus("live").await;
    let last = ana.tell(LOBBY, "with").await;
    assert_eq!(bodies(&there.entries_until(LOBBY, last).await), ["with"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_wrong_password_an_instance_serves_degraded_and_says_why_but_not_the_password() {
    let redis = RealRedis::start_with(&["--requirepass", "old-secret"]).await;
    let server = Setup::new().redis(&redis.url_with_password("wrong-sesame")).start().await;
    let words = server.until_bus("degraded: ").await;
    assert!(words.contains("password"), "{words}");
    assert!(!words.contains("sesame"), "{words}");
    let mut socket = server.guest("Ana").await.socket().await;
    socket.follow(LOBBY).await;
    let last = socket.tell(LOBBY, "sent all the same").await;
    assert_eq!(bodies(&socket.entries_until(LOBBY, last).await), ["sent all the same"]);
    // Somebody mends the password; the server finds out by itself.
    let address = redis.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let mut admin = TcpStream::connect(address).await.expect("redis accepts");
    admin.write_all(b"AUTH old-secret\r\nCONFIG SET requirepass wrong-sesame\r\nQUIT\r\n").await.expect("it reads");
    let mut answer = String::new();
    admin.read_to_string(&mut answer).await.expect("it answers");
    assert_eq!(answer, "+OK\r\n+OK\r\n+OK\r\n", "premise: the password was changed");
    until_service(&mut socket, BusState::Live).await;
    server.until_bus("live").await;
}
