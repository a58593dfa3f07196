//! The frames without WebSockets: a stream of events and requests, on whichever instance each of them meets.

use serde_json::json;
use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::limits::FRAMES_PER_REQUEST;
use tertulia_protocol::{Key, ServerFrame};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::guest::Guest;
use crate::support::http::encoded;
use crate::support::program::{Program, output};
use crate::support::raw::{RawSocket, head};
use crate::support::server::{Setup, TestServer};
use crate::support::socket::{Socket, bodies};
use crate::support::stream::{EventStream, hello, request};
use crate::support::wire::{FIN, TEXT, frame};
use crate::support::{LOBBY, eventually};

const PING: &str = r#"{"t":"ping"}"#;

/// A position in the lobby, as `hello` takes it.
fn position(epoch: &str, seq: i64) -> String {
    format!(r#"{{"room":1,"epoch":"{epoch}","seq":{seq}}}"#)
}

/// Somebody's stream that stands at the newest entry of the lobby.
async fn follow(guest: &Guest, server: &TestServer) -> EventStream {
    let mut probe = guest.socket().await;
    let newest = probe.follow(LOBBY).await;
    let mut stream = EventStream::open(guest, &position(&server.chat().epoch().0, newest)).await;
    stream.seq = newest;
    stream.until(|frame| matches!(frame, ServerFrame::Subscribed { room: LOBBY, .. }).then_some(())).await;
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_carries_byte_for_byte_what_a_socket_carries_with_its_place_as_id() {
    let server = TestServer::alone().await;
    let (ana, bruno) = (server.guest("Ana").await, server.guest("Bruno").await);
    let epoch = server.chat().epoch();
    let mut socket = RawSocket::open(&bruno).await;
    let subscribe = r#"{"t":"subscribe","room":1,"after":1}"#;
    socket.write(&frame(FIN | TEXT, subscribe.as_bytes())).await;
    let mut stream = EventStream::open(&ana, &position(&epoch.0, 1)).await;
    let first = stream.event().await.expect("a first word");
    assert_eq!((first.retry, first.data.as_str()), (Some(1_000), ""));
    let welcome = stream.next().await;
    assert!(matches!(&welcome, Some(ServerFrame::Welcome { you, .. }) if you.name == "Ana"), "{welcome:?}");
    let subscribed = stream.event().await.expect("goes on");
    assert!(subscribed.data.starts_with(r#"{"t":"subscribed","room":1"#), "{subscribed:?}");
    assert_eq!(subscribed.id, None, "nothing moved");
    for seq in 2..5 {
        assert_eq!(ana.tells(LOBBY, &format!("número {seq}\nand a second line")).await, seq);
        let on_the_stream = loop {
            let event = stream.event().await.expect("goes on");
            if event.data.starts_with(r#"{"t":"entries""#) {
                break event;
            }
        };
        assert_eq!(on_the_stream.id, Some(format!("{epoch}-1.{seq}")));
        let on_the_socket = loop {
            let frame = socket.next().await.expect("goes on");
            if frame.payload.starts_with(br#"{"t":"entries""#) {
                break frame;
            }
        };
        assert_eq!(on_the_stream.data.as_bytes(), on_the_socket.payload);
        assert_eq!(on_the_stream.name, "", "an event without a name, as every frame but the last");
    }
    assert_eq!(server.connections(), 2, "a stream counts as a connection, a request as none");
    drop(stream);
    eventually("who hangs up is gone", async || (server.connections() == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_by_request_on_one_instance_is_heard_on_the_stream_of_the_other() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let ana = a.guest("Ana").await;
    let mut stream = follow(&ana, &a).await;
    // The same person, whose requests meet the other instance: no session sticks to either.
    let there = ana.at(&b.door);
    let start = stream.seq;
    let keys: Vec<Key> = (0..FRAMES_PER_REQUEST).map(|_| Key::mint()).collect();
    let frames: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(turn, key)| format!(r#"{{"t":"send","room":1,"key":"{key}","body":"turn {turn}"}}"#))
        .collect();
    let answer = there.says(&format!("[{}]", frames.join(","))).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{answer:?}");
    let acks = answer.json();
    let acked: Vec<_> = acks.as_array().expect("an array").iter().map(|ack| ack["key"].clone()).collect();
    assert_eq!(acked, keys.iter().map(|key| json!(key.to_string())).collect::<Vec<_>>(), "in their order");
    let last = start + FRAMES_PER_REQUEST as i64;
    let heard = bodies(&stream.entries_until(LOBBY, last).await);
    assert_eq!(heard, (0..FRAMES_PER_REQUEST).map(|turn| format!("turn {turn}")).collect::<Vec<_>>());
    // A lost answer: the same again, on the other instance.
    let again = ana.says(&frames[0]).await.json();
    assert_eq!((&again[0]["duplicate"], &again[0]["seq"]), (&json!(true), &acks[0]["seq"]));
    assert_eq!(ana.says(PING).await.json(), json!([{"t": "pong"}]));
    let pulled = there.says(&format!(r#"[{{"t":"pull","room":1,"after":{start},"limit":2}},{PING}]"#)).await.json();
    assert_eq!(pulled[0]["entries"].as_array().map(Vec::len), Some(2));
    assert_eq!(pulled[1], json!({"t": "pong"}));
    let page = there.says(r#"{"t":"history","room":1,"before":2,"limit":2}"#).await.json();
    assert_eq!((&page[0]["t"], &page[0]["before"]), (&json!("page"), &json!(2)));
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_again_and_again_resumes_by_its_last_id_without_a_hole_or_a_double() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let (ana, bruno) = (a.guest("Ana").await, b.guest("Bruno").await);
    let mut stream = follow(&bruno, &b).await;
    let start = stream.seq;
    let (total, step) = (480, 60);
    let talking = async {
        for turn in 0..total {
            let door = if turn % 2 == 0 { &a.door } else { &b.door };
            ana.at(door).tells(LOBBY, &turn.to_string()).await;
        }
    };
    let reading = async {
        let mut all = Vec::new();
        for cut in 1..=total / step {
            all.extend(stream.entries_until(LOBBY, start + cut * step).await);
            let (id, seq) = (stream.last_id.clone().expect("entries have one"), stream.seq);
            let there = bruno.at(if cut % 2 == 0 { &b.door } else { &a.door });
            let next = match cut % 3 {
                // As a client says it that cannot set the header.
                0 => {
                    let query = format!("{}&lastEventId={}", hello(""), encoded(&id));
                    let tcp = TcpStream::connect(there.door.address).await.expect("the server accepts");
                    let mut next = EventStream::over(tcp, &request(&there, &query, "")).await;
                    next.seq = seq;
                    next
                }
                _ => EventStream::resume(&there, &id, seq).await,
            };
            std::mem::replace(&mut stream, next).cut();
        }
        all.extend(stream.entries_until(LOBBY, start + total).await);
        all
    };
    let ((), all) = tokio::join!(talking, reading);
    assert_eq!(bodies(&all), (0..total).map(|turn| turn.to_string()).collect::<Vec<_>>());
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_of_another_store_is_reset_and_its_id_waits_for_that() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let newest = guest.tells(LOBBY, "before").await;
    let mut stream = EventStream::resume(&guest, "feed-1.7", 0).await;
    let (after, reason) = loop {
        let event = stream.event().await.expect("goes on");
        match tertulia_protocol::codec::decode_server(&event.data) {
            Ok(ServerFrame::Reset { after, reason, .. }) => {
                assert_eq!(event.id, Some(format!("{}-1.{after}", server.chat().epoch())));
                break (after.0, reason);
            }
            _ => assert_eq!(event.id, None, "until then whoever resumes has to name the old place"),
        }
    };
    assert_eq!((reason.as_str(), after < newest), ("epoch", true));
    stream.seq = after;
    assert_eq!(bodies(&stream.entries_until(LOBBY, newest).await), ["before"]);
    // What cannot be read at all is as good as nothing: the places of hello count.
    let header = "last-event-id: another version's\r\n";
    let tcp = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let query = hello(&position(&server.chat().epoch().0, newest - 1));
    let mut stream = EventStream::over(tcp, &request(&guest, &query, header)).await;
    stream.seq = newest - 1;
    assert_eq!(bodies(&stream.entries_until(LOBBY, newest).await), ["before"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_on_the_other_instance_ends_its_streams_and_its_requests() {
    let redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let ana = a.guest("Ana").await;
    let mut streams = [follow(&ana, &a).await, follow(&ana.at(&b.door), &b).await];
    let mut bruno = follow(&b.guest("Bruno").await, &b).await;
    ana.at(&b.door).post("/leave", &[]).await.location();
    for stream in &mut streams {
        let last = stream.last().await;
        assert_eq!((last.name.as_str(), last.bye()), ("bye", (4500, None)));
    }
    assert_eq!(ana.says(PING).await.status, 401);
    let said = b.guest("Carla").await.tells(LOBBY, "the others stay").await;
    assert_eq!(bodies(&bruno.entries_until(LOBBY, said).await).last().map(String::as_str), Some("the others stay"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_bye_on_its_streams_and_waits_until_it_is_said() {
    let server = TestServer::alone().await;
    let ana = server.guest("Ana").await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(follow(&ana, &server).await);
    }
    // Stopping comes back only after every stream has ended, within what it grants for that.
    let (goodbyes, ()) = tokio::join!(
        async {
            let mut goodbyes = Vec::new();
            for stream in &mut streams {
                goodbyes.push(stream.last().await);
            }
            goodbyes
        },
        server.stop()
    );
    let mut hints = Vec::new();
    for last in goodbyes {
        let (code, hint) = last.bye();
        assert_eq!((last.name.as_str(), code), ("bye", 1012));
        assert_eq!(last.retry, hint.map(|ms| ms.max(1_000)), "a browser that comes back by itself waits as long");
        hints.push(hint.expect("when to come back"));
    }
    hints.sort_unstable();
    hints.dedup();
    assert_eq!(hints.len(), 4, "each at its own time: {hints:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_a_stream_is_let_go_holds_nobody_up_and_resumes_exactly() {
    let server = Setup::new().without_limits().start().await;
    let mut ana = server.guest("Ana").await.socket().await;
    let mut reader = follow(&server.guest("Bruno").await, &server).await;
    let start = reader.seq;
    let sleepy = server.guest("Cesc").await;
    // A small window, so that the kernel does not read in its place.
    let small = TcpSocket::new_v4().expect("a socket");
    small.set_recv_buffer_size(8 * 1024).expect("a small window");
    let tcp = small.connect(server.door.address).await.expect("the server accepts");
    let query = hello(&position(&server.chat().epoch().0, start));
    let mut slow = EventStream::over(tcp, &request(&sleepy, &query, "")).await;
    slow.seq = start;
    eventually("all three are there", async || (server.connections() == 3).then_some(())).await;

    let body = "x".repeat(9_000);
    let mut said = 0;
    while server.connections() == 3 {
        // The reader gets each one before the next is sent: it waits for nobody.
        let seq = ana.tell(LOBBY, &format!("{said} {body}")).await;
        assert_eq!(bodies(&reader.entries_until(LOBBY, seq).await).len(), 1);
        said += 1;
        assert!(said < 5_000, "somebody who does not read is let go at 1 MiB");
    }
    // What was written stays in order, until the connection is cut or says bye.
    while let Some(frame) = slow.next().await {
        match frame {
            ServerFrame::Entries { entries, .. } => {
                for entry in entries {
                    assert_eq!(entry.seq.0, slow.seq + 1, "a hole or a double");
                    slow.seq = entry.seq.0;
                }
            }
            ServerFrame::Bye { code, .. } => assert_eq!(code, 4010),
            _ => {}
        }
    }
    assert!(slow.seq < start + said, "premise: it missed something");
    let id = slow.last_id.clone().unwrap_or_else(|| format!("{}-1.{start}", server.chat().epoch()));
    let mut again = EventStream::resume(&sleepy, &id, slow.seq).await;
    let rest = bodies(&again.entries_until(LOBBY, start + said).await);
    assert_eq!(rest.len() as i64, start + said - slow.seq);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_takes_a_place_of_its_address_and_gives_it_back() {
    let server =
        Setup::new().flag("--trusted-proxies", "127.0.0.1/32").flag("--max-sockets-per-address", "1").start().await;
    let guest = server.guest("Ana").await;
    let from = "x-forwarded-for: 203.0.113.9\r\n";
    let open = async || {
        let mut tcp = TcpStream::connect(server.door.address).await.expect("the server accepts");
        let answer = head(&mut tcp, request(&guest, &hello(""), from).as_bytes()).await;
        (tcp, answer)
    };
    let (first, answer) = open().await;
    assert!(answer.starts_with("http/1.1 200"), "premise: {answer}");
    let (_, refused) = open().await;
    assert!(refused.starts_with("http/1.1 503") && refused.contains("retry-after: 5"), "{refused}");
    drop(first);
    eventually("the place is given back", async || open().await.1.starts_with("http/1.1 200").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_can_do_what_the_contract_says() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let (origin, cookie) = (format!("Origin: {}", server.door.origin), format!("Cookie: {}", guest.cookie));
    let url = |path: &str| format!("http://{}{path}", server.door.address);
    let resume = r#"hello={"t":"hello","v":1,"resume":[{"room":1,"epoch":"","seq":0}]}"#;
    let events = url("/live/events");
    let mut curl = Program::start("curl", &["-sN", "-G", "-H", &cookie, "--data-urlencode", resume, &events]);
    while !curl.line().await.contains(r#""t":"entries""#) {}
    let send = format!(r#"{{"t":"send","room":1,"key":"{}","body":"Hola"}}"#, Key::mint());
    let json = "Content-Type: application/json";
    let said = output("curl", &["-s", "-H", &cookie, "-H", &origin, "-H", json, "-d", &send, &url("/live")]).await;
    assert!(said.starts_with(r#"[{"t":"ack""#), "{said}");
    while !curl.line().await.contains("Hola") {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_with_a_stream_is_shown_as_here_like_somebody_with_a_socket() {
    let server = TestServer::alone().await;
    let mut socket = Socket::open(&server.guest("Ana").await).await;
    socket.hello(&position(&server.chat().epoch().0, 1)).await;
    let stream = follow(&server.guest("Bruno").await, &server).await;
    let joined = |frame| match frame {
        ServerFrame::Presence { joined, online: 2, .. } => joined.into_iter().find(|who| who.name == "Bruno"),
        _ => None,
    };
    socket.until(joined).await;
    drop(stream);
    eventually("and is not held back", async || (server.connections() == 1).then_some(())).await;
}
