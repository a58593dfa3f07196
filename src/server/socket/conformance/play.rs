//! Plays cases against one server, many at once, and names those that fail.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::case::{Case, Heard, Pieces, Round, close};
use super::echo::Server;
use super::wire::{Frame, UPGRADE, head};

/// How long a case may take. Generous: a busy machine is no fault.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Cases at once.
const AT_ONCE: usize = 32;

/// With which the client leaves, when nobody has closed before.
const NORMAL: u16 = 1000;

/// Plays all of them; fails when the last has ended, with the numbers of those that failed.
pub(super) async fn all(cases: Vec<Case>) {
    let server = Server::start().await;
    let address = server.address;
    let play = |case: Case| async move {
        let number = case.number.clone();
        // A task of its own, so that one that panics is no reason not to play the others.
        let played = tokio::spawn(timeout(PATIENCE, play(case, address))).await;
        match played {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(format!("{number} (not within {PATIENCE:?})")),
            Err(_) => Some(number),
        }
    };
    let failed: Vec<String> =
        stream::iter(cases).map(play).buffer_unordered(AT_ONCE).filter_map(async |failed| failed).collect().await;
    assert!(failed.is_empty(), "what these cases missed stands above: {failed:?}");
    server.stop().await;
}

async fn play(case: Case, address: SocketAddr) {
    let Case { number, pieces, rounds } = case;
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("pieces that leave at once");
    let request = format!("GET /echo HTTP/1.1\r\nhost: {address}\r\n{UPGRADE}\r\n");
    let answer = head(&mut stream, request.as_bytes()).await.expect("an answer");
    assert!(answer.starts_with("http/1.1 101"), "case {number}: {answer}");
    let mut closed = false;
    for Round { sent, heard } in rounds {
        write(&mut stream, &sent, pieces).await;
        for expected in heard {
            assert_eq!(next(&mut stream, &number).await, expected, "case {number}");
            closed = matches!(expected, Heard::Close(_));
        }
    }
    // The client's part of closing: the first word or the last. Where it has been said already, nobody listens any more.
    write(&mut stream, &[close(NORMAL, b"")], Pieces::One).await;
    if !closed {
        assert_eq!(next(&mut stream, &number).await, Heard::Close(NORMAL), "case {number}");
    }
    let end = stream.read(&mut [0]).await;
    assert!(matches!(end, Ok(0)), "case {number}: the connection ends in order after the Close frame, not by {end:?}");
}

async fn next(stream: &mut TcpStream, number: &str) -> Heard {
    match Frame::read(stream).await {
        Ok(frame) => frame.into(),
        Err(error) => panic!("case {number}: the connection ended without a Close frame: {error}"),
    }
}

/// The server may hang up meanwhile; what it said first is heard afterwards.
async fn write(stream: &mut TcpStream, frames: &[Vec<u8>], pieces: Pieces) {
    let bytes = frames.concat();
    let pieces: Vec<&[u8]> = match pieces {
        Pieces::One => vec![&bytes],
        Pieces::Frames => frames.iter().map(Vec::as_slice).collect(),
        Pieces::Of(length) => bytes.chunks(length).collect(),
    };
    for piece in pieces {
        if stream.write_all(piece).await.is_err() {
            return;
        }
        // The server's turn.
        tokio::task::yield_now().await;
    }
}
