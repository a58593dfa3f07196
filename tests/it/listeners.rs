//! Whoever listens to a room at the plain doors: under which names rooms are found, who may, what is told of people.

use serde_json::{Value, json};
use tertulia_chat::bus::conformance::RealRedis;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::http::Request;
use crate::support::program::Program;
use crate::support::raw::head;
use crate::support::server::{Setup, TestServer, folder};
use crate::support::wire::UPGRADE;

fn listen(server: &TestServer, path: &str, headers: &[&str]) -> Program {
    let url = format!("http://{}/events/{path}", server.door.address);
    let headers = headers.iter().flat_map(|header| ["-H", header]);
    Program::start("curl", &["-sN"].into_iter().chain(headers).chain([url.as_str()]).collect::<Vec<_>>())
}

/// The object of the next event of this name.
async fn next(curl: &mut Program, event: &str) -> Value {
    while curl.line().await != format!("event: {event}") {}
    loop {
        if let Some(data) = curl.line().await.strip_prefix("data: ") {
            return serde_json::from_str(data).expect("data is JSON");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_and_goes_on_one_instance_is_an_event_on_the_other() {
    let redis = RealRedis::start().await;
    let folder = folder();
    let near = || Setup::new().on(&folder).redis(&redis.url()).flag("--presence-grace-seconds", "0");
    let (a, b) = (near().named("a").start().await, near().named("b").start().await);
    for server in [&a, &b] {
        server.until_bus("live").await;
    }
    let mut ana = listen(&a, "plaza?name=Ana", &[]);
    assert_eq!(next(&mut ana, "joined").await["who"], "Ana");
    let mut bruno = listen(&b, "plaza?name=Bruno", &[]);
    assert_eq!(next(&mut ana, "joined").await, json!({"event": "joined", "room": "plaza", "who": "Bruno"}));
    assert_eq!(bruno.line().await, "retry: 1000");
    drop(bruno);
    assert_eq!(next(&mut ana, "left").await, json!({"event": "left", "room": "plaza", "who": "Bruno"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_found_under_its_name_in_any_script_case_and_normalisation() {
    let server = Setup::new().without_limits().start().await;
    let same = [
        ("caf%C3%A9", "CAFE%CC%81"),
        ("%D0%BA%D1%83%D1%85%D0%BD%D1%8F", "%D0%9A%D0%A3%D0%A5%D0%9D%D0%AF"),
        ("%E5%BA%83%E5%A0%B4_1", "%E5%BA%83%E5%A0%B4_%EF%BC%91"),
        ("sala-2", "Sala-2"),
    ];
    for (name, other) in same {
        let published = server.publish(name, "hello").await;
        assert_eq!(published.status, 201, "{name}: {published:?}");
        let heard = next(&mut listen(&server, &format!("{other}?history=1"), &[]), "message").await;
        assert_eq!((&heard["room"], &heard["id"]), (&published.json()["room"], &published.json()["id"]), "{other}");
    }
    let longest = "x".repeat(64);
    assert_eq!(server.publish(&longest, "hello").await.status, 201);
    for name in [&format!("{longest}x"), "a%20b", "a.b", "a%2Fb", "%F0%9F%91%8B", "a%00b", "%E2%80%AE", "___", "%ff"] {
        let (published, heard) =
            (server.publish(name, "hello").await, server.get(&format!("/events/{name}?history=1")).await);
        for answer in [published, heard] {
            assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{name}: {answer:?}");
            let words = answer.json()["message"].to_string();
            assert!(words.contains("1 to 64 letters, digits, - or _ of any script"), "{name}: {words}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_public_url_a_session_opens_the_doors_for_its_own_pages_and_under_its_own_name() {
    let server = Setup::new().public_url("https://chat.example.org").start().await;
    let ana = server.guest("Ana").await;
    let cookie = format!("Cookie: {}", ana.cookie);
    let mut curl = listen(&server, "chat?name=Somebody", &[&format!("Host: {}", server.door.host), &cookie]);
    assert_eq!(next(&mut curl, "joined").await["who"], "Ana");
    let publish = async |origin: &str| {
        let request = Request::new("POST", "/publish/chat?message=hello&author=Eva").header("cookie", &ana.cookie);
        request.header("origin", origin).send(&server.door).await.status
    };
    assert_eq!(publish("https://evil.example").await, 403);
    assert_eq!(publish(&server.door.origin).await, 201);
    assert_eq!(next(&mut curl, "message").await["author"], "Ana", "a session has its name");
    for (origin, status) in [("", 403), ("https://evil.example", 403), (server.door.origin.as_str(), 101)] {
        let mut stream = tokio::net::TcpStream::connect(server.door.address).await.expect("the server accepts");
        let origin = if origin.is_empty() { String::new() } else { format!("origin: {origin}\r\n") };
        let request = format!(
            "GET /ws/chat HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n{UPGRADE}{origin}\r\n",
            server.door.host, ana.cookie
        );
        let answer = head(&mut stream, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("http/1.1 {status}")), "{origin}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_a_raw_socket_is_closed_and_nobody_waits_for_them() {
    let server = Setup::new().without_limits().start().await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut deaf = socket.connect(server.door.address).await.expect("the server accepts");
    let request = format!("GET /ws/chat HTTP/1.1\r\nhost: {}\r\n{UPGRADE}\r\n", server.door.host);
    assert!(head(&mut deaf, request.as_bytes()).await.starts_with("http/1.1 101"), "premise: the socket is open");
    let mut curl = listen(&server, "chat", &[]);
    assert_eq!(curl.line().await, "retry: 1000");
    assert_eq!(server.connections(), 2, "premise: both listen");
    let text = "x".repeat(9_000);
    let flooded = async {
        while server.connections() > 1 {
            assert_eq!(server.publish("chat", &text).await.status, 201);
            let heard = next(&mut curl, "message").await;
            assert_eq!(heard["text"].as_str().map(str::len), Some(text.len()), "whoever reads hears all of it");
        }
    };
    timeout(PATIENCE * 2, flooded).await.expect("it is closed");
}
