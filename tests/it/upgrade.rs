//! Who may open a socket: everything that is decided before the 101.

use tertulia_protocol::ServerFrame;
use tertulia_protocol::frame::SUBPROTOCOL;
use tokio::net::TcpStream;

use crate::support::guest::Guest;
use crate::support::http::{Answer, exchange};
use crate::support::server::{Setup, TestServer};
use crate::support::socket::Socket;
use crate::support::wire::UPGRADE;

/// Asks for the upgrade with these headers (each line ended by CR LF) and returns the answer's head.
async fn ask(server: &TestServer, request_line: &str, headers: &str) -> Answer {
    let head = format!("{request_line}\r\n{headers}connection: close\r\n\r\n");
    Answer::read(&exchange(server.door.address, head.as_bytes()).await, false)
}

fn identity(server: &TestServer, guest: &Guest) -> String {
    format!("host: {}\r\norigin: {}\r\ncookie: {}\r\n", server.door.host, server.door.origin, guest.cookie)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subprotocol_is_echoed_and_no_extension_is_taken() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let (mut socket, response) = Socket::over(stream, &guest).await;
    assert_eq!(
        response.headers().get("sec-websocket-protocol").map(|value| value.as_bytes()),
        Some(SUBPROTOCOL.as_bytes())
    );
    socket.hello("").await;
    assert_eq!(socket.you.map(|you| you.name).as_deref(), Some("Ana"), "the cookie says who it is");

    let offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
    let head = format!("GET /live HTTP/1.1\r\n{}{UPGRADE}{offer}\r\n", identity(&server, &guest));
    let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let answer = crate::support::raw::head(&mut stream, head.as_bytes()).await;
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(!answer.contains("sec-websocket-extensions"), "{answer}");
    assert!(!answer.contains("sec-websocket-protocol"), "nothing is chosen that was not offered: {answer}");

    let offer = format!("sec-websocket-protocol: other, {SUBPROTOCOL}\r\n");
    let head = format!("GET /live HTTP/1.1\r\n{}{UPGRADE}{offer}\r\n", identity(&server, &guest));
    let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let answer = crate::support::raw::head(&mut stream, head.as_bytes()).await;
    assert!(answer.contains(&format!("sec-websocket-protocol: {SUBPROTOCOL}\r\n")), "ours among others: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_session_that_lives_a_page_is_closed_with_4500_and_a_program_gets_401() {
    let server = TestServer::alone().await;
    let left = server.guest("Bruno").await;
    left.post("/leave", &[]).await.location();
    let from = format!("host: {}\r\n", server.door.host);
    let cookies = [
        String::new(),
        "cookie: sid=\r\n".to_owned(),
        "cookie: sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n".to_owned(),
        "cookie: sid=' OR 1=1 --\r\n".to_owned(),
        "cookie: __Host-sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n".to_owned(),
        format!("cookie: {}\r\n", left.cookie),
    ];
    for cookie in cookies {
        let answer = ask(&server, "GET /live HTTP/1.1", &format!("{from}{cookie}{UPGRADE}")).await;
        assert_eq!(answer.status, 401, "{cookie:?}: {answer:?}");
        assert_eq!(answer.json()["code"], "unauthorized", "{cookie:?}");
        let head = format!("GET /live HTTP/1.1\r\n{from}origin: {}\r\n{cookie}{UPGRADE}\r\n", server.door.origin);
        let bytes = exchange(server.door.address, head.as_bytes()).await;
        assert!(bytes.starts_with(b"HTTP/1.1 101"), "{cookie:?}: a browser cannot read any other answer");
        let code = 4500_u16.to_be_bytes();
        assert!(bytes.windows(2).any(|pair| pair == code), "{cookie:?}: the close code is there");
        assert!(String::from_utf8_lossy(&bytes).contains(r#""t":"bye","code":4500"#), "{cookie:?}");
        let foreign = format!("{from}origin: https://evil.example\r\n{cookie}{UPGRADE}");
        let answer = ask(&server, "GET /live HTTP/1.1", &foreign).await;
        assert_eq!(answer.status, 403, "{cookie:?}: a page of somebody else's is not upgraded");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_that_is_there_twice_or_far_too_large_is_refused() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let from = format!("host: {}\r\norigin: {}\r\n{UPGRADE}", server.door.host, server.door.origin);
    let sid = &guest.cookie;
    let planted = "sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cookies = [
        format!("cookie: {sid}; {planted}\r\n"),
        format!("cookie: {planted}; {sid}\r\n"),
        format!("cookie: {sid}\r\ncookie: {planted}\r\n"),
        format!("cookie: {sid}; a={}\r\n", "x".repeat(8 * 1024)),
    ];
    for cookie in cookies {
        let answer = ask(&server, "GET /live HTTP/1.1", &format!("{from}{cookie}")).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert_eq!(answer.json()["code"], "malformed", "{answer:?}");
    }
}

/// SR-20, for a server that is called `ours`.
fn foreign_origins(ours: &str) -> Vec<String> {
    let (scheme, host) = ours.split_once("://").expect("an origin has a scheme");
    let other = if scheme == "http" { "https" } else { "http" };
    let bare = host.split(':').next().expect("a host has a name");
    let mut list: Vec<String> = [
        "https://evil.com",
        "http://evil.com",
        "null",
        "",
        "file://",
        "*",
        "http://localhost",
        "http://xn--80ak6aa92e.com",
    ]
    .map(str::to_owned)
    .to_vec();
    list.extend([
        format!("{scheme}://{host}.evil.com"),
        format!("{scheme}://evil{host}"),
        format!("{scheme}://evil.{host}"),
        format!("{scheme}://{bare}:1"),
        format!("{scheme}://{bare}."),
        format!("{scheme}://{host}/"),
        format!("{scheme}://{host}@evil.com"),
        format!("{scheme}://user@{host}"),
        format!("{scheme}:{host}"),
        format!("{other}x://{host}"),
        format!("{} https://evil.com", ours),
        format!("https://evil.com {ours}"),
        host.to_owned(),
    ]);
    list
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_origin_gets_403_even_with_the_cookie() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let base = format!("host: {}\r\ncookie: {}\r\n{UPGRADE}", server.door.host, guest.cookie);
    for origin in foreign_origins(&server.door.origin) {
        let answer = ask(&server, "GET /live HTTP/1.1", &format!("{base}origin: {origin}\r\n")).await;
        assert_eq!(answer.status, 403, "{origin:?}: {answer:?}");
        assert_eq!((&answer.json()["code"], &answer.json()["field"]), (&"forbidden".into(), &"origin".into()));
    }
    let absent = ask(&server, "GET /live HTTP/1.1", &base).await;
    assert_eq!(absent.status, 403, "a cookie proves nothing about who wrote the request");
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_public_url_the_origin_is_that_url_whatever_host_says() {
    let server = Setup::new().public_url("https://chat.example.org").start().await;
    let guest = server.guest("Ana").await;
    assert!(guest.cookie.starts_with("__Host-sid="), "premise: the cookie of TLS");
    let socket = guest.socket().await;
    let base = format!("cookie: {}\r\n{UPGRADE}", guest.cookie);
    let mut foreign = foreign_origins("https://chat.example.org");
    foreign.extend(
        ["http://chat.example.org", "https://CHAT.example.org", "https://chat.example.org:8443"].map(str::to_owned),
    );
    for origin in foreign {
        let headers = format!("host: chat.example.org\r\n{base}origin: {origin}\r\n");
        let answer = ask(&server, "GET /live HTTP/1.1", &headers).await;
        assert_eq!(answer.status, 403, "{origin:?}: {answer:?}");
    }
    let answer =
        ask(&server, "GET /live HTTP/1.1", &format!("host: evil.com\r\n{base}origin: https://evil.com\r\n")).await;
    assert_eq!(answer.status, 403, "Host and Origin of one attacker agree, and mean nothing");
    drop(socket);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_proper_upgrade_never_gets_101() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let who = identity(&server, &guest);
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "sec-websocket-version: 13\r\n";
    let up = "connection: upgrade\r\nupgrade: websocket\r\n";
    let short = "sec-websocket-key: SGVsbG8=\r\n";
    let words = "sec-websocket-key: not base64, all of it!!!\r\n";
    let bad = [
        ("no key", "GET /live HTTP/1.1", format!("{up}{version}"), 400, "sec-websocket-key"),
        (
            "an empty key",
            "GET /live HTTP/1.1",
            format!("{up}{version}sec-websocket-key:\r\n"),
            400,
            "sec-websocket-key",
        ),
        ("a short key", "GET /live HTTP/1.1", format!("{up}{version}{short}"), 400, "sec-websocket-key"),
        ("a key of words", "GET /live HTTP/1.1", format!("{up}{version}{words}"), 400, "sec-websocket-key"),
        ("two keys", "GET /live HTTP/1.1", format!("{up}{version}{key}{key}"), 400, "sec-websocket-key"),
        (
            "version 8",
            "GET /live HTTP/1.1",
            format!("{up}{key}sec-websocket-version: 8\r\n"),
            426,
            "sec-websocket-version",
        ),
        ("no version", "GET /live HTTP/1.1", format!("{up}{key}"), 426, "sec-websocket-version"),
        ("no upgrade", "GET /live HTTP/1.1", format!("connection: upgrade\r\n{version}{key}"), 400, "upgrade"),
        (
            "another upgrade",
            "GET /live HTTP/1.1",
            format!("connection: upgrade\r\nupgrade: h2c\r\n{version}{key}"),
            400,
            "upgrade",
        ),
        ("no connection", "GET /live HTTP/1.1", format!("upgrade: websocket\r\n{version}{key}"), 400, "connection"),
        (
            "another subprotocol",
            "GET /live HTTP/1.1",
            format!("{UPGRADE}sec-websocket-protocol: other, tertulia.v2\r\n"),
            400,
            "sec-websocket-protocol",
        ),
        ("PUT", "PUT /live HTTP/1.1", format!("{up}{version}{key}content-length: 0\r\n"), 405, "method"),
        ("a raw socket's key", "GET /ws/chat HTTP/1.1", format!("{up}{version}{short}"), 400, "sec-websocket-key"),
        ("HTTP/1.0", "GET /live HTTP/1.0", format!("{up}{version}{key}"), 426, "upgrade"),
    ];
    for (what, line, headers, status, field) in bad {
        let answer = ask(&server, line, &format!("{who}{headers}")).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.json()["field"], field, "{what}: {answer:?}");
        assert!(answer.json()["message"].as_str().is_some_and(|said| said.ends_with('.')), "{what}: {answer:?}");
        if field == "sec-websocket-version" {
            assert_eq!(answer.header(field), Some("13"), "RFC 6455, 4.2.2");
        }
    }
    let post = ask(&server, "POST /live HTTP/1.1", &format!("{who}{up}{version}{key}content-length: 0\r\n")).await;
    assert_eq!(post.status, 422, "that is another door");
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_closes_its_sockets_on_both_instances_and_nobody_elses() {
    let redis = tertulia_chat::bus::conformance::RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let (ana, bruno) = (a.guest("Ana").await, b.guest("Bruno").await);
    let mut closing = Vec::new();
    for door in [&a.door, &a.door, &b.door, &b.door, &b.door] {
        closing.push(ana.at(door).socket().await);
    }
    let mut staying = bruno.socket().await;
    let answer = ana.post("/leave", &[]).await;
    assert_eq!(answer.location(), "/");
    for socket in &mut closing {
        let (code, bye) = socket.closed().await;
        assert_eq!(code, Some(4500));
        assert!(matches!(bye, Some(ServerFrame::Bye { code: 4500, retry_after_ms: None, .. })), "{bye:?}");
    }
    staying.say(r#"{"t":"ping"}"#).await;
    staying.until(|frame| matches!(frame, ServerFrame::Pong).then_some(())).await;
    for door in [&a.door, &b.door] {
        assert_eq!(ana.at(door).get("/rooms.json").await.status, 401, "the session is dead everywhere");
    }
}
