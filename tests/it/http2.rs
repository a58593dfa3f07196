//! HTTP/2 spoken badly on purpose: what costs the peer little must not cost the server much. hyper and h2 have the
//! bounds; these tests notice when a new version, or a setting of ours, loses one.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::server::TestServer;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// A frame of RFC 9113, section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The fields of a request in HPACK without compression: indexed GET or POST, http, a literal path and authority.
fn request(method: u8, path: &str) -> Vec<u8> {
    let mut block = vec![method, 0x86, 0x04, u8::try_from(path.len()).expect("a short path")];
    block.extend(path.as_bytes());
    block.extend([0x41, 1, b'x']);
    block
}

const GET: u8 = 0x82;
const POST: u8 = 0x83;

/// One connection after its preface.
struct Peer {
    stream: TcpStream,
}

impl Peer {
    async fn open(server: &TestServer) -> Self {
        let mut stream = TcpStream::connect(server.door.address).await.expect("the server accepts");
        let opening = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[])].concat();
        stream.write_all(&opening).await.expect("the server reads");
        Self { stream }
    }

    /// Says all of it while the answers are read; what came back, as kinds with payloads, until a frame of the kind
    /// `last` or the end.
    async fn say(&mut self, bytes: Vec<u8>, last: u8) -> Vec<(u8, Vec<u8>)> {
        let (mut reading, mut writing) = self.stream.split();
        // The server may hang up while it is spoken to.
        let speaking = async { writing.write_all(&bytes).await.is_ok() };
        let hearing = async {
            let mut heard = Vec::new();
            loop {
                let mut head = [0; 9];
                if reading.read_exact(&mut head).await.is_err() {
                    return heard;
                }
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let mut payload = vec![0; length as usize];
                if reading.read_exact(&mut payload).await.is_err() {
                    return heard;
                }
                let acknowledged = head[4] & ACK != 0;
                heard.push((head[3], payload));
                if head[3] == last && (last != PING || acknowledged) {
                    return heard;
                }
            }
        };
        let both = futures::future::join(speaking, hearing);
        timeout(PATIENCE, both).await.expect("the server reads, answers or hangs up").1
    }
}

fn went_away(heard: &[(u8, Vec<u8>)]) -> bool {
    heard.iter().any(|(kind, _)| *kind == GOAWAY)
}

/// Others are served as if nothing were.
async fn others_are_served(server: &TestServer) {
    for _ in 0..5 {
        assert_eq!(server.get("/healthz").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proper_request_over_http_2_is_answered() {
    let server = TestServer::alone().await;
    let mut peer = Peer::open(&server).await;
    let asked = frame(HEADERS, END_STREAM | END_HEADERS, 1, &request(GET, "/healthz"));
    let heard = peer.say(asked, DATA).await;
    assert!(heard.iter().any(|(kind, _)| *kind == HEADERS) && !went_away(&heard), "{heard:?}");
    assert_eq!(heard.last().map(|(_, body)| body.as_slice()), Some(&b"ok\n"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let server = TestServer::alone().await;
    let mut peer = Peer::open(&server).await;
    let mut flood = Vec::new();
    for stream in (1..20_000).step_by(2) {
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &request(GET, "/r/chat")));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let heard = peer.say(flood, GOAWAY).await;
    assert!(went_away(&heard), "{} frames and no end", heard.len());
    others_are_served(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_in_endless_pieces_ends_the_connection() {
    let server = TestServer::alone().await;
    let mut peer = Peer::open(&server).await;
    let mut flood = frame(HEADERS, END_STREAM, 1, &request(GET, "/healthz"));
    let mut piece = vec![0x00, 1, b'x', 100];
    piece.extend([b'y'; 100]);
    for _ in 0..20_000 {
        flood.extend(frame(CONTINUATION, 0, 1, &piece));
    }
    let heard = peer.say(flood, GOAWAY).await;
    assert!(!heard.iter().any(|(kind, _)| *kind == DATA), "it was never a request: {heard:?}");
    others_are_served(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_beyond_all_bounds_ends_the_connection() {
    let server = TestServer::alone().await;
    let mut peer = Peer::open(&server).await;
    let widest = 0x7fff_ffff_u32.to_be_bytes();
    let flood = [frame(WINDOW_UPDATE, 0, 0, &widest), frame(WINDOW_UPDATE, 0, 0, &widest)].concat();
    assert!(went_away(&peer.say(flood, GOAWAY).await));
    others_are_served(&server).await;
}

/// Either the server has enough of it, or it goes on answering; it neither hangs nor starves the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_settings_pings_and_empty_bodies_are_borne_or_ended() {
    let server = TestServer::alone().await;
    let pings = frame(PING, 0, 0, &[7; 8]).repeat(9_999);
    let post = frame(HEADERS, END_HEADERS, 1, &request(POST, "/enter"));
    let empty = [post, frame(DATA, 0, 1, &[]).repeat(10_000)].concat();
    for (what, flood) in [("settings", frame(SETTINGS, 0, 0, &[]).repeat(10_000)), ("empty bodies", empty)] {
        let mut peer = Peer::open(&server).await;
        let heard = peer.say([flood, frame(PING, 0, 0, b"are you?")].concat(), PING).await;
        let answered = heard.iter().any(|(kind, payload)| *kind == PING && payload == b"are you?");
        assert!(answered || went_away(&heard) || heard.len() < 10_000, "{what}: {} frames came back", heard.len());
        others_are_served(&server).await;
    }
    let mut peer = Peer::open(&server).await;
    let heard = peer.say([pings, frame(PING, 0, 0, b"are you?")].concat(), GOAWAY).await;
    let pongs = heard.iter().filter(|(kind, _)| *kind == PING).count();
    assert!(pongs <= 10_000, "one answer to each at most: {pongs}");
    others_are_served(&server).await;
}
