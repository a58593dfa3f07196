//! Whatever pieces the bytes come in, it is known whether a message waits for its end, and whether it can be text.

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::AsyncReadExt as _;

use super::super::wire::{BINARY, CONTINUATION, FIN, PONG, TEXT, frame, masked};
use super::{Framing, NotText, Part, Watched};

/// A bit that would say that a text is compressed.
const RSV1: u8 = 0x40;
/// Bytes that are in no text.
const JUNK: &[u8] = b"\xff\xfe\xc0";

/// A masked frame whose payload reads like frames itself.
fn misleading(first: u8, length: usize) -> Vec<u8> {
    masked(first, &vec![0; length], [FIN | TEXT, 0x80, 0, 1])
}

fn framing() -> Framing {
    Watched::new(()).framing
}

#[test]
fn a_message_waits_from_its_first_byte_to_its_last_whatever_its_length() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let (mut framing, bytes) = (framing(), misleading(FIN | TEXT, length));
        assert!(framing.begun.is_none());
        for byte in &bytes[..bytes.len() - 1] {
            framing.pass(&[*byte]);
            assert!(framing.begun.is_some(), "{length}");
        }
        framing.pass(&bytes[bytes.len() - 1..]);
        assert!(framing.begun.is_none() && matches!(framing.part, Part::First), "{length}");
    }
}

#[test]
fn random_conversations_in_random_pieces_are_followed() {
    for seed in 0..200 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut framing, mut bytes, mut waits) = (framing(), Vec::new(), false);
        for _ in 0..rng.random_range(1..20) {
            let length = [0, 1, 125, 126, 400, 66_000][rng.random_range(0..6)];
            if rng.random_bool(0.4) {
                bytes.extend(misleading(FIN | PONG, length.min(125)));
            } else {
                let (opcode, last) = (if waits { CONTINUATION } else { TEXT }, rng.random_bool(0.5));
                bytes.extend(misleading(if last { FIN | opcode } else { opcode }, length));
                waits = !last;
            }
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rng.random_range(1..=rest.len()));
            framing.pass(piece);
            rest = after;
        }
        assert_eq!(framing.begun.is_some(), waits, "seed {seed}");
    }
}

#[tokio::test]
async fn pongs_between_fragments_do_not_make_a_message_younger() {
    let pieces = [
        misleading(TEXT, 3),
        misleading(FIN | PONG, 0),
        misleading(CONTINUATION, 3),
        misleading(FIN | CONTINUATION, 3),
    ];
    let mut watched = Watched::new(&pieces[0][..]);
    watched.read_to_end(&mut Vec::new()).await.expect("bytes");
    let began = watched.begun().expect("a message began");
    for piece in &pieces[1..3] {
        watched.stream = piece;
        watched.read_to_end(&mut Vec::new()).await.expect("bytes");
        assert_eq!(watched.begun(), Some(began));
    }
    watched.stream = &pieces[3];
    watched.read_to_end(&mut Vec::new()).await.expect("bytes");
    assert_eq!(watched.begun(), None);
    let next = [misleading(FIN | PONG, 1), misleading(TEXT, 1)].concat();
    watched.stream = &next;
    watched.read_to_end(&mut Vec::new()).await.expect("bytes");
    assert!(watched.begun().expect("another one began") > began, "it has its own beginning");
}

#[test]
fn a_text_is_wrong_at_its_first_wrong_byte_and_nothing_else_is_read_as_text() {
    for seed in 0..200 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut mine = |first, payload| masked(first, payload, rng.random());
        let fine = [
            mine(FIN | BINARY, JUNK),
            mine(FIN | RSV1 | TEXT, JUNK),
            mine(BINARY, JUNK),
            mine(FIN | CONTINUATION, JUNK),
            mine(FIN | TEXT, "κόσμε".as_bytes()),
            // A character in three frames, with a pong between them.
            mine(TEXT, b"\xf0"),
            mine(FIN | PONG, JUNK),
            mine(CONTINUATION, b"\x9d"),
        ]
        .concat();
        let last = mine(FIN | CONTINUATION, b"\x84\x9e\xed\xa0\x80");
        let (head, tail) = last.split_at(last.len() - 2);
        let mut framing = framing();
        let mut rest = &[&fine[..], head].concat()[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rng.random_range(1..=rest.len()));
            framing.pass(piece);
            rest = after;
        }
        assert!(!framing.wrong, "seed {seed}");
        framing.pass(&tail[..1]);
        assert!(framing.wrong, "seed {seed}: a surrogate begins");
    }
}

#[tokio::test]
async fn a_stream_ends_behind_a_wrong_byte_and_goes_on_unwatched() {
    let bytes = [frame(FIN | TEXT, b"heard"), frame(TEXT, JUNK)].concat();
    let (mut watched, mut read) = (Watched::new(&bytes[..]), Vec::new());
    for _ in 0..2 {
        let error = watched.read_to_end(&mut read).await.expect_err("it stays ended");
        assert!(error.get_ref().is_some_and(|inner| inner.is::<NotText>()), "{error}");
        assert_eq!(read, bytes, "what came with the byte was handed out");
        watched.stream = b"more";
    }
    watched.unwatched().read_to_end(&mut read).await.expect("bytes");
    assert!(read.ends_with(b"more"));
}
