//! HTTP at its edges: sizes, slowness, odd paths, and the headers that are on every answer.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::support::http::{Answer, Request, exchange, until_closed};
use crate::support::raw::RawSocket;
use crate::support::server::{Setup, TestServer};
use crate::support::{PATIENCE, eventually};

/// SR-35: on every answer, whatever it is.
const ALWAYS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// Addresses that a page elsewhere might like to write to, or to read.
const PREFLIGHTED: &str =
    "/ /live /enter /rooms.json /r/chat/messages /publish/chat /events/chat /ws/chat /feeds/stocks";

fn assert_guarded(what: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{name} of {what}: {answer:?}");
    }
    assert!(answer.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    assert!(answer.header("cache-control").is_some(), "{what}: {answer:?}");
    for name in ["server", "x-powered-by", "access-control-allow-origin", "access-control-allow-credentials"] {
        assert_eq!(answer.header(name), None, "{name} of {what}");
    }
    for secret in ["/src/", "panicked", "rusqlite", "axum", "tertulia.db"] {
        assert!(!answer.body.contains(secret), "{secret} in {what}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_the_headers_of_the_house_and_none_that_opens_it() {
    let server = TestServer::alone().await;
    let secure = Setup::new().public_url("https://chat.example.org").start().await;
    for server in [&server, &secure] {
        let guest = server.guest("Ana").await;
        let signed = |method: &str, path: &str| Request::new(method, path).header("cookie", &guest.cookie);
        let large = Request::post("/enter", &[("name", &"x".repeat(128 * 1024))]);
        let evil = Request::post("/enter", &[("name", "x")]).header("origin", "https://evil.com");
        for (status, request) in [
            (200, Request::get("/")),
            (200, signed("GET", "/r/chat")),
            (200, signed("GET", "/rooms.json")),
            (200, Request::get("/healthz")),
            (200, Request::get("/readyz")),
            (200, Request::new("HEAD", "/")),
            (200, Request::new("HEAD", "/healthz")),
            (200, signed("HEAD", "/r/chat")),
            (303, signed("GET", "/")),
            (303, Request::get("/r/chat")),
            (401, Request::get("/rooms.json")),
            (403, evil),
            (404, Request::get("/no/such/page")),
            (404, Request::get("/pkg/none/tertulia.js")),
            (404, Request::get("/Cargo.toml")),
            (404, Request::new("OPTIONS", "*")),
            (405, Request::new("DELETE", "/enter")),
            (405, Request::new("PUT", "/live")),
            (405, Request::new("TRACE", "/enter")),
            (413, large),
        ] {
            for origin in [None, Some("https://evil.com"), Some("null")] {
                let unsafe_method = format!("{request:?}").contains("POST");
                let request = match origin {
                    Some(origin) if !unsafe_method => request.clone().header("origin", origin),
                    _ => request.clone(),
                };
                let answer = request.send(&server.door).await;
                let foreign = origin.is_some() && answer.status == 403;
                assert!(answer.status == status || foreign, "{status} for {request:?}: {answer:?}");
                assert_guarded(&format!("{request:?}"), &answer);
            }
        }
        let hsts = guest.get("/healthz").await.header("strict-transport-security").map(str::to_owned);
        assert_eq!(hsts.is_some(), server.door.origin.starts_with("https"));
        for path in ["/r/chat", "/rooms.json", "/readyz"] {
            assert_eq!(guest.get(path).await.header("cache-control"), Some("no-store"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_house_are_served_with_their_kind_and_the_headers() {
    let server = TestServer::alone().await;
    for (path, kind) in [("/favicon.svg", "image/svg+xml"), ("/robots.txt", "text/plain; charset=utf-8")] {
        let answer = server.get(path).await;
        // The site is made by the browser's build; without it there is nothing to serve, which is said as 404.
        if answer.status == 200 {
            assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        } else {
            assert_eq!(answer.status, 404, "{path}");
        }
        assert_guarded(path, &answer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_is_granted_nothing() {
    let server = TestServer::alone().await;
    for origin in ["https://evil.com", "null", "http://localhost", "http://127.0.0.1", "https://evil.com:8443"] {
        for path in PREFLIGHTED.split(' ') {
            let request = Request::new("OPTIONS", path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type");
            let answer = request.send(&server.door).await;
            assert!(answer.status >= 400, "{path} for {origin}: {answer:?}");
            assert_guarded(path, &answer);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_paths_have_one_answer_that_stays_here() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let paths = [
        "//evil.com",
        "///evil.com",
        "//evil.com/%2e%2e",
        "/r/../x",
        "/r/./x",
        "/r/%2e%2e/x",
        "/r/%2e%2e%2fhealthz",
        "/r/a%2Fb",
        "/r/a%5Cb",
        "/r//chat",
        "/R/chat",
        "/r/chat/",
        "/r/chat/x",
        "/r/chat%00",
        "/r/chat%0d%0aX:y",
        "/r/%ff%fe",
        "/r/chat.",
        "/r/chat;x=y",
        "/r/ chat",
        "/healthz/",
        "/live/",
        "/enter/..%2f..",
        "/pkg/../Cargo.toml",
        "/pkg/dev/..%2f..%2fCargo.toml",
        "/pkg/dev/%2e%2e/favicon.svg",
        "/..%2f..%2fetc/passwd",
        "/.git/config",
        "/%2e%2e/%2e%2e/etc/passwd",
    ];
    for path in paths {
        let answer = guest.get(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert_eq!(answer.header("location"), None, "{path}");
        let nobody = server.get(path).await;
        match nobody.header("location") {
            // Whoever has no session is sent to the door before anything is looked at.
            Some(location) => assert!(location.starts_with("/?next=/r/"), "{path} leads to {location}"),
            None => assert!(matches!(nobody.status, 400 | 404), "{path}: {nobody:?}"),
        }
    }
    assert_eq!(guest.get("/r/CHAT").await.status, 200, "an address that is typed in capitals is that room");
    let absolute =
        format!("GET http://evil.com/r/chat HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.door.host);
    let answer = Answer::read(&exchange(server.door.address, absolute.as_bytes()).await, false);
    assert!(!answer.headers("location").iter().any(|location| location.contains("evil")), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_413_however_it_is_announced() {
    let server = TestServer::alone().await;
    let over = 128 * 1024 + 1;
    let head =
        "POST /enter HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{over:x}\r\n").into_bytes();
    chunked.extend(vec![b'x'; over]);
    chunked.extend(b"\r\n0\r\n\r\n");
    let mut sized = format!("{head}content-length: {over}\r\n\r\n").into_bytes();
    sized.extend(vec![b'x'; over]);
    let announced = format!("{head}content-length: 99999999999\r\n\r\n").into_bytes();
    for (what, request) in [("chunked", chunked), ("sized", sized), ("announced alone", announced)] {
        let answer = Answer::read(&exchange(server.door.address, &request).await, false);
        assert_eq!(answer.status, 413, "{what}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_are_too_large_or_no_http_are_refused_and_hung_up_on() {
    let server = TestServer::alone().await;
    let line = "GET / HTTP/1.1\r\nhost: x\r\n";
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("17 KiB in one header", format!("{line}x: {}\r\n\r\n", "y".repeat(17 * 1024)).into_bytes(), &[431]),
        (
            "17 KiB of address",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(17 * 1024)).into_bytes(),
            &[414, 431],
        ),
        ("a megabyte", format!("{line}x: {}\r\n\r\n", "y".repeat(1 << 20)).into_bytes(), &[431]),
        ("200 headers", format!("{line}{many}\r\n").into_bytes(), &[431]),
        ("a NUL in a header", format!("{line}x: a\0b\r\n\r\n").into_bytes(), &[400]),
        ("a CR in a header", format!("{line}x: a\rb\r\n\r\n").into_bytes(), &[400]),
        ("a space before the colon", format!("{line}x : a\r\n\r\n").into_bytes(), &[400]),
        ("a folded header", format!("{line}x: a\r\n b\r\n\r\n").into_bytes(), &[400]),
        (
            "two lengths",
            b"POST /enter HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
            &[400],
        ),
        ("a length with a sign", b"POST /enter HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\na".to_vec(), &[400]),
        ("an unknown coding", b"POST /enter HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n".to_vec(), &[400]),
        (
            "a line feed alone within a chunk's size",
            b"POST /enter HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                transfer-encoding: chunked\r\n\r\n5\nname=\r\n0\r\n\r\n"
                .to_vec(),
            &[400],
        ),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n".to_vec(), &[400]),
        ("another version", b"GET / HTTP/9.9\r\nhost: x\r\n\r\n".to_vec(), &[400, 505]),
    ];
    for (what, request, allowed) in cases {
        let bytes = exchange(server.door.address, &request).await;
        let answer = Answer::read(&bytes, false);
        assert!(allowed.contains(&answer.status), "{what}: {answer:?}");
        assert_eq!(answer.header("server"), None);
    }
    // A request that could be read in two ways is never read in both.
    let smuggled = b"POST /enter HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let said = String::from_utf8_lossy(&exchange(server.door.address, smuggled).await).into_owned();
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
}

/// hyper takes a line feed alone for the end of a line, as RFC 9112 (2.2) lets a server do. What matters is that it
/// is one request all the same, and that nothing after it is read as another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_feed_alone_ends_a_line_and_never_a_request() {
    let server = TestServer::alone().await;
    for request in [
        "GET /healthz HTTP/1.1\nhost: x\nconnection: close\n\n",
        "GET /healthz HTTP/1.1\r\nhost: x\nx: y\r\nconnection: close\r\n\r\n",
        "POST /enter HTTP/1.1\r\nhost: x\r\ncontent-length: 37\nconnection: close\r\n\r\n\
            GET /healthz HTTP/1.1\r\nhost: evil\r\n\r\n",
    ] {
        let said = String::from_utf8_lossy(&exchange(server.door.address, request.as_bytes()).await).into_owned();
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{request:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_that_proxies_have_are_not_ours() {
    let server = TestServer::alone().await;
    for request in [
        "TRACE / HTTP/1.1\r\nhost: x\r\nx-secret: 7\r\nconnection: close\r\n\r\n",
        "CONNECT evil.example:80 HTTP/1.1\r\nhost: evil.example:80\r\nconnection: close\r\n\r\n",
    ] {
        let answer = Answer::read(&exchange(server.door.address, request.as_bytes()).await, false);
        assert!(matches!(answer.status, 400 | 404 | 405), "{request:?}: {answer:?}");
        assert!(!answer.body.contains("x-secret"), "nothing is echoed: {answer:?}");
    }
}

/// Links are paths, and an address in full comes from the settings: a foreign `Host` changes nothing, so it need not
/// be refused, and proxies and health checks may call the server what they like.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_host_stands_in_no_answer() {
    let server = Setup::new().public_url("https://chat.example.org").start().await;
    for path in ["/", "/r/chat", "/r/evil?next=x", "/healthz", "/live", "/nowhere"] {
        for head in [
            format!("GET {path} HTTP/1.1\r\nhost: evil.test"),
            format!("GET http://evil.test{path} HTTP/1.1\r\nhost: x"),
        ] {
            let request = format!("{head}\r\nx-forwarded-host: evil.test\r\nconnection: close\r\n\r\n");
            let said = String::from_utf8_lossy(&exchange(server.door.address, request.as_bytes()).await).into_owned();
            assert!(said.starts_with("HTTP/1.1 ") && !said.contains("evil.test"), "{request:?}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_the_cap_a_connection_is_told_to_come_back_and_below_it_all_is_well() {
    let server = Setup::new().most_connections(10).start().await;
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(TcpStream::connect(server.door.address).await.expect("the kernel accepts"));
    }
    let mut one_more = TcpStream::connect(server.door.address).await.expect("the kernel accepts");
    let answer = Answer::read(&until_closed(&mut one_more).await, false);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    held.pop();
    eventually("the place of one who left is free", async || {
        let mut stream = TcpStream::connect(server.door.address).await.expect("the kernel accepts");
        let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        // Above the cap the server may hang up before it has heard anything.
        let _ = stream.write_all(request).await;
        let mut said = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        said.starts_with(b"HTTP/1.1 200").then_some(())
    })
    .await;
}

/// How long the connection of a peer that is too slow stays open. `drip` is what it sends each second.
async fn open_for(server: &TestServer, begin: &[u8], drip: &[u8]) -> (Duration, Vec<u8>) {
    let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
    stream.write_all(begin).await.expect("the server reads");
    let began = Instant::now();
    let (mut reading, mut writing) = stream.split();
    let mut said = Vec::new();
    let mut tick = interval(Duration::from_secs(1));
    tick.tick().await;
    let dripping = async {
        loop {
            tick.tick().await;
            let _ = writing.write_all(drip).await;
        }
    };
    let ended = async {
        // An error is an end as well: a peer that still drips is reset.
        let _ = reading.read_to_end(&mut said).await;
    };
    let closed = timeout(PATIENCE * 2, async {
        tokio::select! {
            // Both safe to cancel: nothing is wanted of the other when one is through.
            () = ended => {}
            () = dripping => {}
        }
    });
    assert!(closed.await.is_ok(), "{:?} and then {drip:?} are waited for for ever", String::from_utf8_lossy(begin));
    (began.elapsed(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_is_refused_and_keeps_no_seat() {
    let server = TestServer::alone().await;
    // The preface and empty SETTINGS: a whole greeting, after which a client may be silent for ever.
    let greeting = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let (_, said) = open_for(&server, greeting, b"").await;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 "), "{:?}", String::from_utf8_lossy(&said));
}

/// One test for all who are slow, at the same time: each takes its whole deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_too_slow_is_hung_up_on_while_others_are_served() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let form = b"POST /enter HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
        content-length: 1000\r\n\r\nname=";
    let slow = [
        ("says nothing at all", open_for(&server, b"", b"")),
        ("sends a head byte by byte", open_for(&server, b"GET / HTTP/1.1\r\nx: ", b"y")),
        ("sends one letter", open_for(&server, b"P", b"")),
        ("sends nothing more after an answer", open_for(&server, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", b"")),
        ("sends a body byte by byte", open_for(&server, form, b"x")),
    ];
    let no_hello = async {
        let mut socket = RawSocket::silent(&guest).await;
        let began = Instant::now();
        let bye = socket.next().await.expect("a reason comes before the end");
        let bye = String::from_utf8(bye.payload).expect("a frame of the protocol");
        assert!(bye.contains(r#""code":4001,"#) && bye.contains(r#""retry_after_ms":1000"#), "{bye}");
        assert_eq!(socket.closed().await.0, 4001);
        assert!(began.elapsed() >= Duration::from_secs(9), "ten seconds are granted: {:?}", began.elapsed());
    };
    let (names, waits): (Vec<_>, Vec<_>) = slow.into_iter().unzip();
    let others = async {
        for _ in 0..20 {
            assert_eq!(server.get("/healthz").await.status, 200);
        }
    };
    let (ended, (), ()) = tokio::join!(futures::future::join_all(waits), no_hello, others);
    for (name, (took, said)) in names.iter().zip(&ended) {
        let body = name.contains("body");
        assert!(*took >= Duration::from_secs(if body { 25 } else { 8 }), "{name}: {took:?}");
        if body {
            let status = Answer::read(said, false).status;
            assert!(matches!(status, 400 | 408), "{name}: {}", String::from_utf8_lossy(said));
        }
    }
    eventually("every socket is given back", async || (server.connections() == 0).then_some(())).await;
}
