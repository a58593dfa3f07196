//! The plain doors, met by programs that know nothing of ours: curl, Python, a bare WebSocket client.

use serde_json::{Value, json};
use tertulia_chat::bus::conformance::RealRedis;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::support::http::{Answer, Request};
use crate::support::program::Program;
use crate::support::raw::head;
use crate::support::server::{Setup, TestServer};
use crate::support::{LOBBY, PATIENCE, eventually};

/// Debian's Python, which has Debian's `websockets`.
const PYTHON: &str = "/usr/bin/python3";

/// Prints what comes, one JSON text per line, and sends what is typed.
const CLIENT: &str = r#"
import asyncio, json, sys, websockets

async def main(url):
    async with websockets.connect(url) as socket:
        print(json.dumps("open"), flush=True)
        loop = asyncio.get_running_loop()
        async def typed():
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                await socket.send(json.loads(line))
        asyncio.ensure_future(typed())
        async for message in socket:
            print(json.dumps(message), flush=True)

asyncio.run(main(sys.argv[1]))
"#;

/// A client of Python's `websockets` in a room.
struct Snake(Program);

impl Snake {
    async fn open(server: &TestServer, path: &str) -> Self {
        let mut program = Program::start(PYTHON, &["-c", CLIENT, &format!("ws://{}{path}", server.door.address)]);
        assert_eq!(program.line().await, "\"open\"");
        Self(program)
    }

    async fn hears(&mut self) -> String {
        serde_json::from_str(&self.0.line().await).expect("a JSON text")
    }

    /// The next message that is nobody's coming or going.
    async fn hears_said(&mut self) -> String {
        loop {
            let heard = self.hears().await;
            if !heard.contains("] * ") && !heard.contains("\"event\":\"joined\"") {
                return heard;
            }
        }
    }

    async fn says(&mut self, text: &str) {
        self.0.say(&Value::from(text).to_string()).await;
    }
}

async fn publish(server: &TestServer, target: &str, kind: &str, body: &str) -> Answer {
    let request = Request::new("POST", &format!("/publish/{target}")).body(body.as_bytes().to_vec());
    let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
    request.send(&server.door).await
}

/// An event of a stream: its fields.
async fn event(curl: &mut Program) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    loop {
        let line = curl.line().await;
        match line.split_once(": ") {
            Some((name, value)) if !name.is_empty() => fields.push((name.to_owned(), value.to_owned())),
            _ if line.is_empty() && fields.iter().any(|(name, _)| name == "event") => return fields,
            _ if line.is_empty() => fields.clear(),
            _ => {}
        }
    }
}

fn field<'a>(event: &'a [(String, String)], name: &str) -> &'a str {
    event.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str()).expect("the event has that field")
}

/// The next event that is a message: its place and its text.
async fn message(curl: &mut Program) -> (String, String) {
    loop {
        let event = event(curl).await;
        if field(&event, "event") == "message" {
            let data: Value = serde_json::from_str(field(&event, "data")).expect("data is JSON");
            return (field(&event, "id").to_owned(), data["text"].as_str().expect("a text").to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_sockets_of_python_talk_across_two_instances_while_redis_restarts() {
    let mut redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let mut ana = Snake::open(&a, "/ws/plaza?name=Ana").await;
    let mut bruno = Snake::open(&b, "/ws/plaza?name=Bruno").await;
    while ana.hears().await != "[plaza] * Bruno joined" {}
    ana.says("¡Hola!\nqué tal").await;
    for client in [&mut ana, &mut bruno] {
        assert_eq!(client.hears_said().await, "[plaza] ¡Hola!\nqué tal");
    }
    let mut json = Snake::open(&b, "/ws/PLAZA?format=json&history=1").await;
    let said: Value = serde_json::from_str(&json.hears_said().await).expect("an object");
    assert_eq!((&said["room"], &said["author"]), (&json!("plaza"), &json!("Ana")));
    assert_eq!((&said["text"], &said["event"]), (&json!("¡Hola!\nqué tal"), &json!("message")));
    assert!(said["seq"].is_i64() && said["at"].is_i64() && said["id"].is_string(), "{said}");
    // What is refused comes back to the one who said it, and the socket goes on.
    bruno.says(&"x".repeat(10_001)).await;
    assert!(bruno.hears_said().await.starts_with("[plaza] ! "));
    bruno.says("still here").await;
    for client in [&mut ana, &mut bruno] {
        assert_eq!(client.hears_said().await, "[plaza] still here");
    }
    redis.kill();
    bruno.says("without Redis").await;
    for client in [&mut ana, &mut bruno] {
        assert_eq!(client.hears_said().await, "[plaza] without Redis");
    }
    redis.restart().await;
    for server in [&a, &b] {
        server.until_bus("live").await;
    }
    ana.says("and with it").await;
    for client in [&mut ana, &mut bruno] {
        assert_eq!(client.hears_said().await, "[plaza] and with it");
    }
    drop(bruno);
    while ana.hears().await != "[plaza] * Bruno left" {}
    assert_eq!(a.guest("Eva").await.get("/r/plaza").await.status, 200, "the room was made, and has a page");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_subscribes_to_a_room_once_however_many_sockets_there_are() {
    let redis = RealRedis::start().await;
    let server = Setup::new().redis(&redis.url()).flag("--bridges", "none").without_limits().start().await;
    server.until_bus("live").await;
    // Subscriptions of the connection that has most.
    let subscriptions = async || {
        let clients = format!("{:?}", redis.ask(&[b"CLIENT", b"LIST"]).await.expect("Redis answers"));
        let counts = clients.split(" sub=").skip(1).map(|rest| rest.split(' ').next().and_then(|n| n.parse().ok()));
        counts.flatten().max().unwrap_or(0_usize)
    };
    let before = subscriptions().await;
    assert!(before > 0, "premise: it is subscribed to what concerns all");
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(Snake::open(&server, "/ws/plaza").await);
    }
    sockets[0].says("hello").await;
    for socket in &mut sockets {
        assert_eq!(socket.hears_said().await, "[plaza] hello");
    }
    eventually("it is subscribed once more", async || (subscriptions().await == before + 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_socket_resumes_after_the_last_id_it_heard() {
    let server = Setup::new().without_limits().start().await;
    let mut first = Snake::open(&server, "/ws/chat?format=json").await;
    first.says("one").await;
    let one: Value = serde_json::from_str(&first.hears_said().await).expect("an object");
    drop(first);
    for n in 2..=30 {
        publish(&server, "chat", "text/plain", &format!("message {n}")).await;
    }
    let id = one["id"].as_str().expect("an id");
    let mut second = Snake::open(&server, &format!("/ws/chat?after={id}")).await;
    for n in 2..=30 {
        assert_eq!(second.hears_said().await, format!("[chat] message {n}"));
    }
    let refused = server.get("/ws/chat?after=nonsense").await;
    assert_ne!(refused.status, 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_may_come_in_every_usual_shape() {
    let server = TestServer::alone().await;
    let form = "application/x-www-form-urlencoded";
    let shapes = [
        ("chat?message=%C2%A1Hola%21", "", "", "¡Hola!", "Guest"),
        ("chat", "application/json", "\"¡Hola mundo!\"", "¡Hola mundo!", "Guest"),
        ("chat", form, "\"curl -d\"", "curl -d", "Guest"),
        ("chat", "application/json", r#"{"message":"an object","author":"Eva","more":[1]}"#, "an object", "Eva"),
        ("chat", "application/json; charset=utf-8", r#"{"text":"other names","user":"Eva"}"#, "other names", "Eva"),
        ("chat", form, "message=a+form&author=Bruno", "a form", "Bruno"),
        ("chat", form, "bare", "bare", "Guest"),
        ("chat?author=Query", "text/plain", "plain text", "plain text", "Query"),
        ("CHAT", "", "no type", "no type", "Guest"),
        ("-chat--", "", "dashes beside a name are none of it", "dashes beside a name are none of it", "Guest"),
    ];
    let mut curl = Program::start("curl", &["-sN", &format!("http://{}/events/chat", server.door.address)]);
    assert_eq!(curl.line().await, "retry: 1000");
    for (at, (target, kind, body, text, author)) in shapes.into_iter().enumerate() {
        let answer = publish(&server, target, kind, body).await;
        assert_eq!(answer.status, 201, "{text}: {answer:?}");
        let published = answer.json();
        assert_eq!((&published["room"], &published["instances"]), (&json!("chat"), &json!(1)), "{published}");
        let event = event(&mut curl).await;
        let said: Value = serde_json::from_str(field(&event, "data")).expect("data is JSON");
        assert_eq!((&said["text"], &said["author"]), (&json!(text), &json!(author)));
        assert_eq!((&said["seq"], &said["id"]), (&published["seq"], &published["id"]));
        assert_eq!(said["seq"], json!(at + 2), "the first entry made the room");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_published_is_refused_by_name_and_stores_nothing() {
    let server = Setup::new().without_limits().start().await;
    let json = "application/json";
    let long = Value::from("x".repeat(10_001)).to_string();
    let deep = "[".repeat(10_000);
    for (target, kind, body, status, code) in [
        ("chat", json, "{", 400, "malformed"),
        ("chat", json, deep.as_str(), 400, "malformed"),
        ("chat", json, "{}", 422, "missing_field"),
        ("chat", json, "17", 422, "bad_field"),
        ("chat", json, r#"{"message":17}"#, 422, "bad_field"),
        ("chat", json, "\"  \"", 422, "empty"),
        ("chat", json, r#""a\u0000b""#, 422, "bad_char"),
        ("chat", json, long.as_str(), 413, "too_long"),
        ("chat", json, r#"{"message":"x","author":"admin"}"#, 422, "name_reserved"),
        ("chat", json, r#"{"message":"a","\u006dessage":"b"}"#, 422, "duplicate_field"),
        ("chat", "image/png", "x", 415, "unsupported"),
        ("chat?message=a", "text/plain", "b", 422, "duplicate_field"),
        ("chat", "", "", 422, "missing_field"),
        ("chat?message=a&message=b", "", "", 400, "malformed"),
        ("not%20a%20room", json, "\"x\"", 404, "not_found"),
        ("___", json, "\"x\"", 404, "not_found"),
        ("%2e%2e", json, "\"x\"", 404, "not_found"),
        ("%ff", json, "\"x\"", 404, "not_found"),
    ] {
        let answer = publish(&server, target, kind, body).await;
        let shown = body.chars().take(40).collect::<String>();
        assert_eq!(answer.status, status, "{target} {shown}: {answer:?}");
        assert_eq!(answer.json()["code"], code, "{target} {shown}");
    }
    let huge = publish(&server, "chat", json, &"x".repeat(128 * 1024 + 1)).await;
    assert_eq!((huge.status, &huge.json()["code"]), (413, &json!("too_long")), "a program is told as programs are");
    let squeezed = Request::new("POST", "/publish/chat").header("content-encoding", "gzip").body(vec![0x1f, 0x8b, 8]);
    assert_eq!(squeezed.send(&server.door).await.status, 415, "what is compressed is not inflated");
    let mut ana = server.guest("Ana").await.socket().await;
    assert_eq!(ana.follow(LOBBY).await, 1, "nothing was stored");
    assert_eq!(server.guest("Eva").await.get("/rooms.json").await.json().as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_publishes_once_and_is_no_cover_for_another_message() {
    let server = TestServer::alone().await;
    let send = async |body: &str, key: &str| {
        let request = Request::new("POST", "/publish/chat").body(body.as_bytes().to_vec());
        request.header("content-type", "text/plain").header("idempotency-key", key).send(&server.door).await
    };
    let first = send("once", "order 17").await;
    let again = send("once", "order 17").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (Some("false"), Some("true"))
    );
    let other = send("something else", "order 17").await;
    assert_eq!((other.status, &other.json()["code"]), (422, &json!("duplicate_field")));
    assert_eq!(send("once", "").await.status, 422);
    let mut ana = server.guest("Ana").await.socket().await;
    assert_eq!(ana.follow(LOBBY).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_stocks_command_becomes_a_quote_once() {
    let server = Setup::new().without_limits().start().await;
    let ask = async |text: &str| {
        let request = Request::new("POST", "/publish/chat").body(text.as_bytes().to_vec());
        request.header("content-type", "text/plain").header("idempotency-key", "morning").send(&server.door).await
    };
    let first = eventually("the market opens", async || Some(ask("/stocks aapl").await).filter(|a| a.status == 201));
    let (first, again) = (first.await, ask("/stocks aapl").await);
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), first.json()));
    let mut curl = Program::start("curl", &["-sN", &format!("http://{}/events/chat?history=9", server.door.address)]);
    let (_, text) = message(&mut curl).await;
    assert!(text.starts_with("AAPL ") && text.ends_with(") "), "{text:?}");
    assert_eq!(ask("/stocks IBM").await.json()["code"], "duplicate_field", "another question under the same key");
    let unknown = publish(&server, "chat", "text/plain", "/stocks NOPE").await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (422, &json!("bad_field")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_who_resumes_after_a_restart_is_not_said_to_have_come() {
    let first = Setup::new().without_limits().start().await;
    let folder = first.folder.clone();
    let mut ana = Snake::open(&first, "/ws/chat?format=json&name=Ana").await;
    ana.says("before").await;
    let before: Value = serde_json::from_str(&ana.hears_said().await).expect("an object");
    first.stop().await;
    let second = Setup::new().on(&folder).without_limits().start().await;
    let mut eva = Snake::open(&second, "/ws/chat").await;
    let id = before["id"].as_str().expect("an id");
    let mut ana = Snake::open(&second, &format!("/ws/chat?name=Ana&after={id}")).await;
    let _bruno = Snake::open(&second, "/ws/chat?name=Bruno").await;
    assert_eq!(eva.hears().await, "[chat] * Bruno joined", "Ana was there before the server was");
    ana.says("back").await;
    assert_eq!(eva.hears_said().await, "[chat] back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_a_second_of_one_address_are_published_and_more_are_told_to_wait() {
    let server = TestServer::alone().await;
    let answers = futures::future::join_all((0..60).map(|_| publish(&server, "chat", "text/plain", "x"))).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((20..60).contains(&taken), "{taken} were taken");
    let refused = answers.iter().find(|answer| answer.status != 201).expect("some are refused");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["code"], "rate_limited");
    eventually("one more goes through", async || {
        (publish(&server, "chat", "text/plain", "later").await.status == 201).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_resume_without_a_gap_at_another_instance_while_redis_restarts() {
    let mut redis = RealRedis::start().await;
    let (a, b) = TestServer::pair(&redis.url()).await;
    let url = |server: &TestServer| format!("http://{}/events/chat", server.door.address);
    // A browser accepts compressed answers: events must come at once all the same.
    let mut curl = Program::start("curl", &["-sN", "--compressed", &url(&a)]);
    assert_eq!(curl.line().await, "retry: 1000");
    let listens = async || (b.chat().instances_told(LOBBY).await == 2).then_some(());
    eventually("the other instance listens", listens).await;
    let mut heard = Vec::new();
    for n in 0..20 {
        assert_eq!(publish(&b, "chat", "text/plain", &format!("{n}")).await.json()["instances"], 2);
        heard.push(message(&mut curl).await);
    }
    drop(curl);
    redis.kill();
    for n in 20..40 {
        assert_eq!(publish(&b, "chat", "text/plain", &format!("{n}")).await.status, 201);
    }
    let last = format!("Last-Event-ID: {}", heard.last().expect("twenty were heard").0);
    let mut curl = Program::start("curl", &["-sN", "-H", &last, &url(&a)]);
    for _ in 20..40 {
        heard.push(message(&mut curl).await);
    }
    redis.restart().await;
    for server in [&a, &b] {
        server.until_bus("live").await;
    }
    for n in 40..60 {
        publish(&b, "chat", "text/plain", &format!("{n}")).await;
        heard.push(message(&mut curl).await);
    }
    let texts: Vec<String> = heard.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts, (0..60).map(|n| n.to_string()).collect::<Vec<_>>());
    // The place of another room or store begins afresh, and says so.
    let mut lost = Program::start("curl", &["-sN", "-H", "Last-Event-ID: elsewhere-9-9", &url(&a)]);
    assert_eq!(field(&event(&mut lost).await, "event"), "reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_a_stream_is_hung_up_on_and_nobody_waits_for_them() {
    let server = Setup::new().without_limits().start().await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut deaf = socket.connect(server.door.address).await.expect("the server accepts");
    let request = format!("GET /events/chat HTTP/1.1\r\nhost: {}\r\n\r\n", server.door.host);
    assert!(head(&mut deaf, request.as_bytes()).await.starts_with("http/1.1 200"), "premise: the stream is open");
    let mut curl = Program::start("curl", &["-sN", &format!("http://{}/events/chat", server.door.address)]);
    assert_eq!(curl.line().await, "retry: 1000");
    let text = "x".repeat(9_000);
    let flooded = async {
        while server.connections() > 1 {
            assert_eq!(publish(&server, "chat", "text/plain", &text).await.status, 201);
            assert_eq!(message(&mut curl).await.1.len(), text.len(), "whoever reads hears all of it");
        }
    };
    // The kernel gives a peer half a minute.
    timeout(PATIENCE * 2, flooded).await.expect("it is hung up on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_events_of_a_server_that_stops_end_with_a_word() {
    let server = TestServer::alone().await;
    let mut curl = Program::start("curl", &["-sN", &format!("http://{}/events/chat?history=5", server.door.address)]);
    let made = event(&mut curl).await;
    assert_eq!(field(&made, "event"), "change", "the first entry made the room");
    server.stop().await;
    assert_eq!(field(&event(&mut curl).await, "event"), "bye");
}
