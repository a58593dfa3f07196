//! Frames as bytes on the wire: what breaks RFC 6455 or the limits is closed with its code, what is merely
//! wrong is answered, and whoever does not read costs nobody else anything.

use std::time::{Duration, Instant};

use tertulia_protocol::limits::{FRAME_BYTES, MESSAGE_MS};
use tertulia_protocol::{Key, ServerFrame};
use tokio::net::TcpSocket;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::support::raw::RawSocket;
use crate::support::server::{Setup, TestServer};
use crate::support::socket::{Socket, bodies};
use crate::support::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, frame, header};
use crate::support::{LOBBY, PATIENCE, eventually};

const RSV1: u8 = 0x40;

/// The code with which the server closes after these bytes. A canary of another guest lives on.
async fn code_after(server: &TestServer, bytes: &[u8]) -> u16 {
    let mut socket = RawSocket::open(&server.guest("Ana").await).await;
    socket.write(bytes).await;
    socket.closed().await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_the_rules_of_websockets_is_closed_with_its_code() {
    let server = TestServer::alone().await;
    let mut canary = server.guest("Canary").await.socket().await;
    let unmasked = [FIN | TEXT, 2, b'{', b'}'];
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("binary", frame(FIN | BINARY, br#"{"t":"ping"}"#), 1003),
        ("unmasked", unmasked.to_vec(), 1002),
        ("RSV1, as of a compressed frame", frame(FIN | RSV1 | TEXT, b"{}"), 1002),
        ("opcode 3", frame(FIN | 0x3, b""), 1002),
        ("opcode 11", frame(FIN | 0xb, b""), 1002),
        ("a ping of 126 bytes", frame(FIN | PING, &[0; 126]), 1002),
        ("a ping in fragments", frame(PING, b"x"), 1002),
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"{}"), 1002),
        ("a text inside a text", [frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat(), 1002),
        ("not UTF-8", frame(FIN | TEXT, b"{\"t\":\"\xff\"}"), 1007),
        ("a surrogate as UTF-8", frame(FIN | TEXT, b"{\"t\":\"\xed\xa0\x80\"}"), 1007),
        (
            "not UTF-8, in a frame without an end",
            [header(FIN | TEXT, 60_000), b"\0\0\0\0{\xff".to_vec()].concat(),
            1007,
        ),
        ("half a character at the end", frame(FIN | TEXT, b"{\"t\":\"\xc3"), 1007),
        ("65537 bytes", frame(FIN | TEXT, &vec![b' '; FRAME_BYTES + 1]), 1009),
        ("a megabyte", frame(FIN | TEXT, &vec![b' '; 1 << 20]), 1009),
        ("65537 bytes, announced alone", [header(FIN | TEXT, 65_537), vec![0; 4]].concat(), 1009),
        ("2^62 bytes, announced alone", [header(FIN | TEXT, 1 << 62), vec![0; 4]].concat(), 1009),
        ("2^63 bytes, announced alone", [header(FIN | TEXT, 1 << 63), vec![0; 4]].concat(), 1009),
    ];
    for (what, bytes, code) in cases {
        assert_eq!(code_after(&server, &bytes).await, code, "{what}");
    }
    canary.say(r#"{"t":"ping"}"#).await;
    canary.until(|frame| matches!(frame, ServerFrame::Pong).then_some(())).await;
    drop(canary);
    eventually("every socket is given back", async || (server.connections() == 0).then_some(())).await;
}

/// Also when they come in one go, and the close with them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_bad_frames_are_each_told_what_was_wrong_before_the_socket_closes() {
    let server = TestServer::alone().await;
    let mut socket = RawSocket::open(&server.guest("Ana").await).await;
    let bad = [r#"{"t":"wave"}"#, r#"{"t":"pull"}"#, "{", "[]", r#"{"t":"send","room":true}"#];
    socket.write(&bad.map(|text| frame(FIN | TEXT, text.as_bytes())).concat()).await;
    let mut codes = Vec::new();
    let closed = loop {
        let frame = socket.next().await.expect("a close comes before the end");
        if frame.opcode == CLOSE {
            break frame.close_code();
        }
        let said: serde_json::Value = serde_json::from_slice(&frame.payload).expect("JSON");
        if said["t"] == "error" {
            codes.push(said["code"].as_str().expect("a word").to_owned());
        }
    };
    assert_eq!(codes, ["unknown_type", "missing_field", "malformed", "malformed", "bad_field"]);
    assert_eq!(closed, 4002);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_in_fragments_is_one_message_and_ends_at_the_limit() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let mut socket = RawSocket::open(&guest).await;
    let whole = br#"{"t":"ping"}"#;
    let mut pieces = frame(TEXT, &whole[..1]);
    for piece in whole[1..whole.len() - 1].chunks(1) {
        // A ping between two fragments is no part of the message.
        pieces.extend(frame(CONTINUATION, piece));
        pieces.extend(frame(FIN | PING, b"in between"));
    }
    pieces.extend(frame(FIN | CONTINUATION, &whole[whole.len() - 1..]));
    socket.write(&pieces).await;
    let pong = loop {
        let frame = socket.next().await.expect("the socket lives on");
        if frame.opcode == TEXT {
            break frame;
        }
    };
    assert_eq!(pong.payload, br#"{"t":"pong"}"#);

    let mut bomb = frame(TEXT, b"x");
    for _ in 0..FRAME_BYTES {
        bomb.extend(frame(CONTINUATION, b"x"));
    }
    socket.write(&bomb).await;
    assert_eq!(socket.closed().await.0, 1009);
}

/// Sends pongs (or the next byte of what is begun) once a second until the server closes: its code, and after how long.
async fn dripping(server: &TestServer, begin: &[u8], drip: &[u8]) -> (u16, Duration) {
    let mut socket = RawSocket::open(&server.guest("Ana").await).await;
    let began = Instant::now();
    socket.write(begin).await;
    loop {
        tokio::select! {
            // Safe to cancel at a byte of a frame that does not begin: the server says little, and at once.
            frame = socket.next() => {
                let frame = frame.expect("a reason comes before the end");
                if frame.opcode == CLOSE {
                    return (frame.close_code(), began.elapsed());
                }
            }
            () = sleep(Duration::from_secs(1)) => {}
        }
        socket.write(drip).await;
        assert!(began.elapsed() < PATIENCE * 3, "{begin:?} and then {drip:?} hold a socket for ever");
    }
}

/// Signs of life do not excuse a message that never ends; whoever is merely silent between messages stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_begun_and_never_finished_is_closed_while_an_idle_client_stays() {
    let server = TestServer::alone().await;
    let pong = frame(FIN | PONG, b"");
    let begun = frame(TEXT, b"{");
    let announced = [header(FIN | TEXT, 60_000), vec![0; 4]].concat();
    let both = futures::future::join(dripping(&server, &begun, &pong), dripping(&server, &announced, b" "));
    let (fragments, bytes) = tokio::select! {
        // Both safe to cancel: nothing is wanted of the idle one when the others are through.
        both = both => both,
        (code, _) = dripping(&server, &pong, &pong) => panic!("an idle client was closed with {code}"),
    };
    for (what, (code, after)) in [("fragments", fragments), ("bytes", bytes)] {
        assert_eq!(code, 4011, "{what}");
        assert!(after >= Duration::from_millis(MESSAGE_MS), "{what}: the whole time is granted: {after:?}");
    }
    eventually("every socket is given back", async || (server.connections() == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_exactly_the_limit_is_heard() {
    let server = TestServer::alone().await;
    let mut socket = server.guest("Ana").await.socket().await;
    let ping = r#"{"t":"ping"}"#;
    let padded = format!("{ping}{}", " ".repeat(FRAME_BYTES - ping.len()));
    assert_eq!(padded.len(), 64 * 1024);
    socket.say(&padded).await;
    socket.until(|frame| matches!(frame, ServerFrame::Pong).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_too_much_through_a_library_is_told_why() {
    let server = TestServer::alone().await;
    let mut socket = server.guest("Ana").await.socket().await;
    // The library may be stopped while it still writes; the reason must have arrived all the same.
    let _ = socket.send(Message::text("x".repeat(FRAME_BYTES + 1))).await;
    assert_eq!(socket.closed().await.0, Some(1009));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_frame_of_the_client_is_answered_as_the_standard_says() {
    let server = TestServer::alone().await;
    let code = |code: u16| code.to_be_bytes().to_vec();
    let mut cases: Vec<(String, Vec<u8>, u16)> = vec![
        ("no payload".to_owned(), Vec::new(), 0),
        ("1000".to_owned(), code(1000), 1000),
        ("4000 with a reason".to_owned(), [code(4000), b"adeu".to_vec()].concat(), 4000),
        ("one byte".to_owned(), vec![3], 1002),
        ("a reason that is no UTF-8".to_owned(), [code(1000), vec![0xff]].concat(), 1007),
    ];
    for reserved in [0, 999, 1004, 1005, 1006, 1015, 2999, 65_535] {
        cases.push((format!("reserved {reserved}"), code(reserved), 1002));
    }
    for (what, payload, expected) in cases {
        let answered = code_after(&server, &frame(FIN | CLOSE, &payload)).await;
        assert_eq!(answered, expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_a_close_frame_is_not_heard() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let mut reader = guest.socket().await;
    let start = reader.follow(LOBBY).await;
    let mut socket = RawSocket::open(&guest).await;
    let send = format!(r#"{{"t":"send","room":1,"key":"{}","body":"from beyond"}}"#, Key::mint());
    socket.write(&[frame(FIN | CLOSE, &1000_u16.to_be_bytes()), frame(FIN | TEXT, send.as_bytes())].concat()).await;
    assert_eq!(socket.closed().await.0, 1000);
    let next = reader.tell(LOBBY, "the next").await;
    assert_eq!(next, start + 1, "nothing was stored in between");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_no_frame_is_answered_and_the_socket_lives_on() {
    let server = TestServer::alone().await;
    let guest = server.guest("Ana").await;
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let mut bad: Vec<String> = [
        "",
        "null",
        "true",
        "0",
        "\"\"",
        "[]",
        "{}",
        "[1,2,3]",
        " \n\t ",
        "\u{feff}{\"t\":\"ping\"}",
        "{\"t\":\"send\",",
        "{\"t\":\"ping\"}{\"t\":\"ping\"}",
        "{\"t\":\"ping\"}\n{\"t\":\"ping\"}",
        "{\"t\":\"ping\"} x",
        "{\"t\":5}",
        "{\"t\":\"entries\",\"room\":1,\"entries\":[]}",
        "{\"t\":\"bye\",\"code\":1,\"reason\":\"\"}",
        "{\"t\":\"pull\",\"room\":1,\"room\":2,\"after\":0,\"limit\":1}",
        "{\"t\":\"pull\",\"room\":1,\"\\u0072oom\":2,\"after\":0,\"limit\":1}",
        "{\"t\":\"pull\",\"room\":\"1\",\"after\":0,\"limit\":1}",
        "{\"t\":\"pull\",\"room\":1.0,\"after\":0,\"limit\":1}",
        "{\"t\":\"pull\",\"room\":1,\"after\":-1,\"limit\":1}",
        "{\"t\":\"pull\",\"room\":1e400,\"after\":0,\"limit\":1}",
        "{\"t\":\"send\",\"room\":1,\"body\":\"\\ud800\"}",
        "{\"t\":\"__proto__\"}",
    ]
    .map(str::to_owned)
    .to_vec();
    bad.extend([deep(129), deep(10_000), "[".repeat(60_000), format!("{{\"t\":{}}}", "9".repeat(60_000))]);
    for batch in bad.chunks(3) {
        // Five bad ones would close, so each socket gets three.
        let mut socket = guest.socket().await;
        for text in batch {
            socket.say(text).await;
            let refused = |frame| match frame {
                ServerFrame::Error { refusal, .. } | ServerFrame::Nack { refusal, .. } => Some(refusal),
                ServerFrame::Pong => panic!("obeyed"),
                _ => None,
            };
            let refusal = socket.until(refused).await;
            assert!(!refusal.message.is_empty(), "{text:.60}");
        }
        socket.say(r#"{"t":"ping","__proto__":1,"constructor":{"prototype":[]}}"#).await;
        socket.until(|frame| matches!(frame, ServerFrame::Pong).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_is_closed_holds_nobody_up_and_resumes_exactly() {
    let server = Setup::new().without_limits().start().await;
    let mut ana = server.guest("Ana").await.socket().await;
    let mut reader = server.guest("Bruno").await.socket().await;
    let start = reader.follow(LOBBY).await;
    let sleepy = server.guest("Cesc").await;
    // A small window, so that the kernel does not read in its place.
    let small = TcpSocket::new_v4().expect("a socket");
    small.set_recv_buffer_size(8 * 1024).expect("a small window");
    let stream = small.connect(server.door.address).await.expect("the server accepts");
    let (mut slow, _) = Socket::over(stream, &sleepy).await;
    slow.hello("").await;
    slow.follow(LOBBY).await;
    let epoch = slow.epoch.clone();
    assert_eq!(server.connections(), 3, "premise");

    let body = "x".repeat(9_000);
    let mut said = 0;
    while server.connections() == 3 {
        // The reader gets each one before the next is sent: it waits for nobody.
        let seq = ana.tell(LOBBY, &format!("{said} {body}")).await;
        assert_eq!(bodies(&reader.entries_until(LOBBY, seq).await).len(), 1);
        said += 1;
        assert!(said < 5_000, "somebody who does not read is closed at 1 MiB");
    }
    // What was written stays in order: entries, and then the code if it could still be written.
    let code = loop {
        match slow.next().await {
            Ok(ServerFrame::Entries { entries, .. }) => {
                for entry in entries {
                    assert_eq!(entry.seq.0, slow.seq + 1, "a hole or a double");
                    slow.seq = entry.seq.0;
                }
            }
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert!(matches!(code, Some(4010) | None), "{code:?}");
    assert!(slow.seq < start + said, "premise: it missed something");
    let mut again = Socket::open(&sleepy).await;
    again.epoch = epoch;
    again.seq = slow.seq;
    let position = again.position(LOBBY);
    again.hello(&position).await;
    let rest = bodies(&again.entries_until(LOBBY, start + said).await);
    assert_eq!(rest.len() as i64, start + said - slow.seq);
    assert!(rest.last().is_some_and(|text| text.starts_with(&format!("{} x", said - 1))));
}
