//! What a stream or a request is refused for, and in which words.

use serde_json::json;
use tertulia_protocol::limits::{FRAME_BYTES, FRAMES_PER_REQUEST};
use tertulia_protocol::{Key, ServerFrame};
use tokio::net::TcpStream;

use crate::support::guest::Guest;
use crate::support::http::{Answer, Request, encoded};
use crate::support::server::TestServer;
use crate::support::stream::{EventStream, hello, request};
use crate::support::{LOBBY, eventually};

const PING: &str = r#"{"t":"ping"}"#;

async fn ask(guest: &Guest, query: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(&format!("/live/events?{query}")).header("cookie", &guest.cookie);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send(&guest.door).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_may_not_be_is_refused_by_name_and_a_page_is_told_in_the_stream() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let fine = hello("");
    let of = |frame: &str, rest: &str| format!("hello={}{rest}", encoded(frame));
    let good = r#"{"t":"hello","v":1}"#;
    for (status, query, headers) in [
        (403, fine.clone(), vec![("origin", "https://evil.example")]),
        (403, fine.clone(), vec![("origin", "null")]),
        (403, fine.clone(), vec![("sec-fetch-site", "cross-site")]),
        (403, fine.clone(), vec![("sec-fetch-site", "same-site")]),
        (422, String::new(), vec![]),
        (400, of("", ""), vec![]),
        (400, of("{", ""), vec![]),
        (422, of(PING, ""), vec![]),
        (422, of(r#"{"t":"hello"}"#, ""), vec![]),
        (422, of(r#"{"t":"hello","v":1,"resume":[[1]]}"#, ""), vec![]),
        (422, of(good, "&lastEventId=-1"), vec![]),
        (422, of(good, "&lastEventId=feed-1.1e9"), vec![]),
        (422, of(good, "&lastEventId="), vec![]),
        (400, format!("{fine}&{fine}"), vec![]),
    ] {
        let answer = ask(&guest, &query, &headers).await;
        assert_eq!(answer.status, status, "{query} {headers:?}: {answer:?}");
        assert!(answer.json()["code"].is_string(), "{answer:?}");
    }
    let nobody = Guest { cookie: "sid=".to_owned(), ..guest.clone() };
    let answer = ask(&nobody, &fine, &[]).await;
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("unauthorized")));
    // What `EventSource` cannot read it is told in a stream, with when not to come back.
    let outdated = [r#"{"t":"hello","v":2}"#, r#"{"t":"hello"}"#].map(|frame| of(frame, ""));
    for (who, query, code) in [(&nobody, &fine, 4500), (&guest, &outdated[0], 4502), (&guest, &outdated[1], 4502)] {
        let tcp = TcpStream::connect(server.door.address).await.expect("the server accepts");
        let mut stream = EventStream::over(tcp, &request(who, query, "")).await;
        let last = stream.last().await;
        assert_eq!((last.name.as_str(), last.bye()), ("bye", (code, None)));
        assert!(last.retry > Some(60_000), "{last:?}");
    }
    let ours = [("origin", server.door.origin.as_str()), ("sec-fetch-site", "same-origin")];
    for header in ours {
        let tcp = TcpStream::connect(server.door.address).await.expect("the server accepts");
        let header = format!("{}: {}\r\n", header.0, header.1);
        let mut stream = EventStream::over(tcp, &request(&guest, &fine, &header)).await;
        stream.until(|frame| matches!(frame, ServerFrame::Welcome { .. }).then_some(())).await;
    }
    eventually("nobody stays", async || (server.connections() == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_handler_sees_is_refused_with_its_field_all_the_same() {
    let server = TestServer::alone().await;
    for (path, header) in [
        ("/publish/chat", ("origin", "http://evil.example")),
        ("/publish/chat", ("origin", "null")),
        ("/live", ("sec-fetch-site", "cross-site")),
        ("/api/anything", ("sec-fetch-site", "same-site")),
    ] {
        let answer = Request::new("POST", path).header(header.0, header.1).send(&server.door).await;
        let told = answer.json();
        assert_eq!(
            (answer.status, &told["code"], &told["field"]),
            (403, &json!("forbidden"), &json!("origin")),
            "{path}"
        );
    }
    for (method, path, allow) in [
        ("GET", "/publish/chat", "POST"),
        ("PUT", "/live", "GET,HEAD,POST"),
        ("DELETE", "/rooms.json", "GET,HEAD"),
        ("TRACE", "/no/such/file", "GET, HEAD"),
    ] {
        let answer = Request::new(method, path).send(&server.door).await;
        let told = answer.json();
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}: {answer:?}");
        assert_eq!((&told["code"], &told["field"]), (&json!("unsupported"), &json!("method")), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_may_not_be_is_refused_whole_and_a_frame_that_may_not_be_in_its_place() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let send = format!(r#"{{"t":"send","room":1,"key":"{}","body":"never"}}"#, Key::mint());
    let ask = async |headers: &[(&str, &str)], body: &str| {
        let mut request = Request::new("POST", "/live").body(body.as_bytes().to_vec());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send(&server.door).await
    };
    let (cookie, origin) = (("cookie", guest.cookie.as_str()), ("origin", server.door.origin.as_str()));
    let kind = ("content-type", "application/json");
    for (status, headers) in [
        (403, vec![cookie, kind]),
        (403, vec![cookie, kind, ("origin", "https://evil.example")]),
        (403, vec![cookie, kind, ("origin", "null")]),
        (403, vec![cookie, kind, origin, ("sec-fetch-site", "cross-site")]),
        (401, vec![kind, origin]),
        (422, vec![cookie, origin]),
        (422, vec![cookie, origin, ("content-type", "text/plain")]),
        (422, vec![cookie, origin, ("content-type", "application/x-www-form-urlencoded")]),
    ] {
        let answer = ask(&headers, &send).await;
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
    let long = format!(r#"{{"t":"ping","x":"{}"}}"#, "x".repeat(FRAME_BYTES));
    let many = vec![send.as_str(); FRAMES_PER_REQUEST + 1].join(",");
    for (status, code, body) in [
        (400, "malformed", format!("[{send}")),
        (400, "malformed", format!("[{send}] [{send}]")),
        (413, "too_long", format!("[{send},{long}]")),
        (422, "limit", format!("[{many}]")),
        (422, "bad_char", "[\u{fffd}]".to_owned()),
    ] {
        let mut bytes = body.clone().into_bytes();
        if code == "bad_char" {
            bytes = vec![b'[', 0xff, b']'];
        }
        let request = Request::new("POST", "/live").header(kind.0, kind.1).header(cookie.0, cookie.1);
        let answer = request.header(origin.0, origin.1).body(bytes).send(&server.door).await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{body:.60}: {answer:?}");
    }
    let following =
        guest.says(r#"[{"t":"subscribe","room":1},{"t":"hello","v":1},{"t":"unsubscribe","room":1}]"#).await;
    for (frame, kind) in
        following.json().as_array().expect("an array").iter().zip(["subscribe", "hello", "unsubscribe"])
    {
        assert_eq!(
            (&frame["t"], &frame["ref"], &frame["code"]),
            (&json!("error"), &json!(kind), &json!("unsupported"))
        );
        assert!(frame["message"].as_str().is_some_and(|said| said.contains("GET /live/events")), "{frame}");
    }
    let mixed = guest.says(&format!(r#"[{PING},{{"t":"send"}},"x",{{"t":"nonsense"}},{PING}]"#)).await;
    let said: Vec<_> = mixed.json().as_array().expect("an array").iter().map(|frame| frame["t"].clone()).collect();
    assert_eq!(said, ["pong", "error", "error", "error", "pong"], "{mixed:?}");
    assert_eq!(guest.tells(LOBBY, "the first").await, 2, "nothing of all that was stored");
}
