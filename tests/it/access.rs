//! Who may at the plain doors, how much of it, and what pages of others get.

use tertulia_chat::Token;
use tertulia_chat::bus::conformance::RealRedis;
use tokio::net::TcpStream;

use crate::support::eventually;
use crate::support::http::Request;
use crate::support::program::Program;
use crate::support::raw::{RawSocket, head};
use crate::support::server::{Setup, TestServer, folder, hashed};
use crate::support::wire::{FIN, TEXT, UPGRADE, frame};

/// Where the doors are that cost a stream, and one that would make a room.
const STREAMS: [&str; 4] = ["/events/chat", "/events/unheard-of", "/feeds/stocks", "/feeds/cluster"];

/// Whoever is not wanted back comes back an hour later, if it knows no better.
const UNWANTED: &str = "retry: 3600000";

fn token() -> Token {
    Token::mint().expect("randomness")
}

/// Asks for an upgrade with these headers (whole lines); the status, and the socket.
async fn upgrade(server: &TestServer, path: &str, headers: &str) -> (u16, RawSocket) {
    let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{UPGRADE}{headers}\r\n", server.door.host);
    let answer = head(&mut stream, request.as_bytes()).await;
    (status_in(&answer), RawSocket { stream })
}

/// Sends a request and hangs up: the status, and the head of the answer.
async fn status(server: &TestServer, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let answer = head(&mut stream, request.as_bytes()).await;
    (status_in(&answer), answer)
}

fn status_in(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// Begins to listen with these headers (whole lines), and hangs up: the status.
async fn listen(server: &TestServer, path: &str, headers: &str) -> u16 {
    status(server, &format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{headers}\r\n", server.door.host)).await.0
}

/// The next line of a raw socket that is nobody's coming or going.
async fn line(socket: &mut RawSocket) -> String {
    loop {
        let frame = socket.next().await.expect("the socket stays open");
        let text = String::from_utf8(frame.payload).expect("text");
        if frame.opcode == TEXT && !text.contains("] * ") {
            return text;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_a_public_url_is_configured_every_door_asks_for_a_session_or_a_token() {
    // The tokens `reader` and `writer`, hashed as `tertulia token new` does.
    let (reader, writer) = (token(), token());
    let rows = format!("reader:{}:chat,writer:{}:chat+news:publish:1000", hashed(&reader), hashed(&writer));
    let server = Setup::new().public_url("https://chat.example.org").tokens(&rows).start().await;
    let ask = async |method: &str, path: &str, token: &str| {
        let request = Request::new(method, path);
        let request =
            if token.is_empty() { request } else { request.header("authorization", &format!("Bearer {token}")) };
        let request = if method == "POST" { request.body(b"hello".to_vec()) } else { request };
        let answer = request.send(&server.door).await;
        assert_eq!(answer.header("www-authenticate").is_some(), answer.status == 401, "{answer:?}");
        answer.status
    };
    assert_eq!(ask("POST", "/publish/chat", "").await, 401);
    assert_eq!(ask("GET", "/events/chat", "").await, 401);
    let in_the_address = format!("/publish/chat?token={0}&access_token={0}&message=x", writer.reveal());
    assert_eq!(ask("POST", &in_the_address, "").await, 401, "addresses are written down everywhere");
    let half = &writer.reveal()[..20];
    for unknown in ["unknown", " ", half, &"x".repeat(10_000)] {
        assert_eq!(ask("POST", "/publish/chat", unknown).await, 401);
    }
    assert_eq!(ask("POST", "/publish/chat", reader.reveal()).await, 403, "it may only read");
    assert_eq!(ask("POST", "/publish/news", reader.reveal()).await, 403, "not its room");
    assert_eq!(ask("POST", "/publish/other", writer.reveal()).await, 403, "not its room");
    assert_eq!(ask("POST", "/publish/news", writer.reveal()).await, 404, "no room is made where access is not open");
    assert_eq!(ask("GET", "/events/other", reader.reveal()).await, 403);
    // Its own budget: a thousand a second.
    for _ in 0..40 {
        assert_eq!(ask("POST", "/publish/chat", writer.reveal()).await, 201);
    }
    let url = format!("http://{}/events/chat?history=1", server.door.address);
    let host = format!("Host: {}", server.door.host);
    let bearer = format!("Authorization: Bearer {}", reader.reveal());
    let mut curl = Program::start("curl", &["-sN", "-H", &host, "-H", &bearer, &url]);
    while !curl.line().await.contains("\"text\":\"hello\"") {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_socket_is_refused_before_the_upgrade_and_a_reader_may_not_write() {
    let (reader, slow) = (token(), token());
    let rows = format!("reader:{}:chat+gone,slow:{}:chat:publish:1", hashed(&reader), hashed(&slow));
    let server = Setup::new().public_url("https://chat.example.org").tokens(&rows).start().await;
    let bearer = |token: &Token| format!("authorization: Bearer {}\r\n", token.reveal());
    for (path, headers, status) in [
        ("/ws/chat", String::new(), 401),
        ("/ws/chat", "authorization: Bearer nobody\r\n".to_owned(), 401),
        ("/ws/other", bearer(&reader), 403),
        ("/ws/gone", bearer(&reader), 404),
        ("/ws/%2e%2e", bearer(&reader), 404),
    ] {
        assert_eq!(upgrade(&server, path, &headers).await.0, status, "{path} {headers}");
    }
    let (status, mut socket) = upgrade(&server, "/ws/chat", &bearer(&reader)).await;
    assert_eq!(status, 101, "premise: it may listen");
    socket.write(&frame(FIN | TEXT, b"hello")).await;
    assert_eq!(line(&mut socket).await, "[chat] ! This token may read and not publish.");
    let (_, mut socket) = upgrade(&server, "/ws/chat", &bearer(&slow)).await;
    socket.write(&[frame(FIN | TEXT, b"one"), frame(FIN | TEXT, b"two")].concat()).await;
    let mut lines = [line(&mut socket).await, line(&mut socket).await];
    lines.sort();
    assert_eq!(
        lines,
        ["[chat] ! This token published too much: 1 at once, and one more every 1s.", "[chat] one"],
        "its own rate holds here as well"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_not_ours_opens_no_raw_socket() {
    let server = TestServer::alone().await;
    let open = async |origin: &str| upgrade(&server, "/ws/chat", origin).await.0;
    let ours = format!("origin: {}\r\n", server.door.origin);
    assert_eq!((open("").await, open(&ours).await), (101, 101));
    assert_eq!(open("origin: https://evil.example\r\n").await, 403);
    assert_eq!(open("origin: null\r\n").await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_not_ours_holds_no_stream_open_and_makes_no_room() {
    let server = TestServer::alone().await;
    let ours = server.door.origin.clone();
    for path in STREAMS {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let answer = Request::get(path).header(name, value).send(&server.door).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None), "{path} {value}");
        }
    }
    let rooms = server.guest("Ana").await.get("/rooms.json").await.json();
    assert_eq!(rooms.as_array().map(Vec::len), Some(1), "{rooms}");
    for path in STREAMS {
        for (name, value) in [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", ours.as_str())]
        {
            let answer = Request::new("HEAD", path).header(name, value).send(&server.door).await;
            let there = !path.contains("unheard-of");
            assert_eq!(answer.status, if there { 200 } else { 404 }, "{path} {name} {value}");
            assert_eq!(there, answer.header("content-type") == Some("text/event-stream"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_programs_and_pages_of_ours_make_a_room_by_listening_and_no_head_does() {
    let server = TestServer::alone().await;
    let ana = server.guest("Ana").await;
    let rooms = async || ana.get("/rooms.json").await.json().as_array().map_or(0, Vec::len);
    // What a browser says for an image over plain http: neither who asks nor where from.
    let browser = "user-agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0\r\n";
    let evil = format!("{browser}referer: http://{}.evil.example/\r\n", server.door.host);
    let ahead = format!("{browser}sec-fetch-site: none\r\nsec-purpose: prefetch\r\n");
    for headers in [browser, &evil, &ahead] {
        assert_eq!(listen(&server, "/events/trap", headers).await, 404, "{headers}");
        assert_eq!(upgrade(&server, "/ws/trap", headers).await.0, 404, "{headers}");
    }
    for headers in ["", "sec-fetch-site: same-origin\r\n"] {
        let request = format!("HEAD /events/trap HTTP/1.1\r\nhost: {}\r\n{headers}\r\n", server.door.host);
        assert_eq!(status(&server, &request).await.0, 404, "{headers}");
    }
    assert_eq!(rooms().await, 1, "premise: the lobby, and nothing was made");
    let referer = format!("{browser}referer: {}/r/chat\r\n", server.door.origin);
    let origin = format!("{browser}origin: {}\r\n", server.door.origin);
    let makers = ["user-agent: curl/8.14.1\r\n", "sec-fetch-site: same-origin\r\n", &referer, &origin];
    for (made, headers) in makers.iter().enumerate() {
        assert_eq!(listen(&server, &format!("/events/room-{made}"), headers).await, 200, "{headers}");
        assert_eq!(rooms().await, made + 2, "{headers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_does_not_say_whose_page_asks_listens_unseen() {
    let server = TestServer::alone().await;
    let mut eva = upgrade(&server, "/ws/chat", "").await.1;
    let mut trap = TcpStream::connect(server.door.address).await.expect("the server accepts");
    let request =
        format!("GET /events/chat?name=Trap HTTP/1.1\r\nhost: {}\r\nuser-agent: Mozilla/5.0\r\n\r\n", server.door.host);
    assert_eq!(status_in(&head(&mut trap, request.as_bytes()).await), 200, "premise: it listens");
    let _bruno = upgrade(&server, "/ws/chat?name=Bruno", "").await.1;
    let heard = eva.next().await.expect("the socket stays open").payload;
    assert_eq!(String::from_utf8_lossy(&heard), "[chat] * Bruno joined", "and nobody else did before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_names_cost_an_address_what_guests_cost_and_known_ones_nothing() {
    let server = TestServer::alone().await;
    let ask = async |name: &str| {
        let request = format!("GET /events/chat?name={name} HTTP/1.1\r\nhost: {}\r\n\r\n", server.door.host);
        status(&server, &request).await
    };
    let mut refused = None;
    for n in 0..600 {
        let (status, answer) = ask(&format!("name-{n}")).await;
        if status != 200 {
            refused = Some((n, status, answer));
            break;
        }
    }
    let (names, status, answer) = refused.expect("an address does not write down as many names as it likes");
    assert!(names >= 300, "a lecture hall comes in: {names}");
    assert!(status == 429 && answer.contains("retry-after: 1\r\n"), "{answer}");
    assert_eq!(ask("name-7").await.0, 200, "this one is known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_sockets_without_a_name_share_the_budget_of_their_address() {
    const EACH: usize = 50;
    let server = TestServer::alone().await;
    let mut sockets = [upgrade(&server, "/ws/chat", "").await.1, upgrade(&server, "/ws/chat", "").await.1];
    for (number, socket) in sockets.iter_mut().enumerate() {
        let said: Vec<_> = (0..EACH).map(|n| frame(FIN | TEXT, format!("{number} {n}").as_bytes())).collect();
        socket.write(&said.concat()).await;
    }
    let mut taken = 0;
    for (number, socket) in sockets.iter_mut().enumerate() {
        let own = format!("[chat] {number} ");
        let mut answered = 0;
        while answered < EACH {
            let line = line(socket).await;
            if line.starts_with(&own) {
                (taken, answered) = (taken + 1, answered + 1);
            } else if line.starts_with("[chat] ! ") {
                assert_eq!(
                    line,
                    "[chat] ! Too many messages were published from your address: 20 at once, and one more every 50ms."
                );
                answered += 1;
            }
        }
    }
    assert!((20..2 * EACH).contains(&taken), "{taken} were taken of both together");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_may_use_one_key_though_they_speak_for_the_same_person() {
    let (one, two) = (token(), token());
    let rows = format!("one:{}:*:publish,two:{}:*:publish", hashed(&one), hashed(&two));
    let server = Setup::new().tokens(&rows).start().await;
    let publish = async |token: &Token| {
        let request = Request::new("POST", "/publish/chat").header("idempotency-key", "1");
        let request = request.header("authorization", &format!("Bearer {}", token.reveal()));
        let request = request.header("content-type", "application/json");
        request.body(br#"{"author":"Eva","message":"the build is green"}"#.to_vec()).send(&server.door).await.json()
    };
    let (first, second) = (publish(&one).await, publish(&two).await);
    assert_ne!(first["seq"], second["seq"], "each said it once");
    assert_eq!(publish(&one).await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_prices_ends_when_the_session_it_came_with_does() {
    let redis = RealRedis::start().await;
    let folder = folder();
    let near = || Setup::new().on(&folder).redis(&redis.url()).public_url("http://chat.example.org");
    let (server, other) = (near().named("a").start().await, near().named("b").start().await);
    for server in [&server, &other] {
        server.until_bus("live").await;
    }
    eventually("the market opens", async || server.chat().market().filter(|market| market.is_open())).await;
    let (ana, bruno) = (server.guest("Ana").await, server.guest("Bruno").await);
    let follow = |cookie: &str| {
        let (host, cookie) = (format!("Host: {}", server.door.host), format!("Cookie: {cookie}"));
        let url = format!("http://{}/feeds/stocks", server.door.address);
        Program::start("curl", &["-sN", "-H", &host, "-H", &cookie, &url])
    };
    let (mut of_ana, mut of_bruno) = (follow(&ana.cookie), follow(&bruno.cookie));
    assert_eq!((of_ana.line().await, of_bruno.line().await), ("retry: 2000".to_owned(), "retry: 2000".to_owned()));
    assert_eq!(ana.at(&other.door).post("/leave", &[]).await.location(), "/");
    while of_ana.line().await != "event: bye" {}
    assert_eq!((of_ana.line().await, of_ana.line().await), (UNWANTED.to_owned(), "data: signed out".to_owned()));
    of_ana.until_it_ends().await;
    for _ in 0..20 {
        of_bruno.line().await;
    }
    // Whoever comes back without a session reads no status if it is a browser's `EventSource`.
    let feed = || Request::get("/feeds/stocks").header("cookie", &ana.cookie);
    assert_eq!(feed().send(&server.door).await.status, 401);
    let told = feed().header("accept", "text/event-stream").send(&server.door).await;
    assert_eq!((told.status, told.header("cache-control")), (200, Some("no-store")));
    assert_eq!(told.body, format!("event: bye\n{UNWANTED}\ndata: signed out\n\n"));
    let wrong = feed().header("accept", "text/event-stream").header("authorization", "Bearer nonsense");
    assert_eq!(wrong.send(&server.door).await.status, 401, "whoever shows a token can read a status");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_access_is_open_a_stream_of_prices_outlives_the_session_it_came_with() {
    let server = TestServer::alone().await;
    eventually("the market opens", async || server.chat().market().filter(|market| market.is_open())).await;
    let ana = server.guest("Ana").await;
    let url = format!("http://{}/feeds/stocks", server.door.address);
    let mut stream = Program::start("curl", &["-sN", "-H", &format!("Cookie: {}", ana.cookie), &url]);
    assert_eq!(stream.line().await, "retry: 2000");
    assert_eq!(ana.post("/leave", &[]).await.location(), "/");
    let left = server.chat().market().expect("a market").latest().expect("a price").second;
    while !stream.line().await.starts_with(&format!("id: {}.", left + 3)) {}
}
