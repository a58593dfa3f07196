//! Whatever pieces the bytes come in, it is known whether a message waits for its end.

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::AsyncReadExt as _;

use super::{FIN, Framing, Part, Watched};

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const PONG: u8 = 10;

/// A masked frame whose payload reads like frames itself.
fn frame(first: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | u8::try_from(length).expect("short")),
        126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).expect("middle").to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([FIN | TEXT, 0x80, 0, 1].iter().cycle().take(4 + length));
    bytes
}

fn framing() -> Framing {
    Watched::new(()).framing
}

#[test]
fn a_message_waits_from_its_first_byte_to_its_last_whatever_its_length() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let (mut framing, bytes) = (framing(), frame(FIN | TEXT, length));
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
                bytes.extend(frame(FIN | PONG, length.min(125)));
            } else {
                let (opcode, last) = (if waits { CONTINUATION } else { TEXT }, rng.random_bool(0.5));
                bytes.extend(frame(if last { FIN | opcode } else { opcode }, length));
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
    let pieces = [frame(TEXT, 3), frame(FIN | PONG, 0), frame(CONTINUATION, 3), frame(FIN | CONTINUATION, 3)];
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
    let next = [frame(FIN | PONG, 1), frame(TEXT, 1)].concat();
    watched.stream = &next;
    watched.read_to_end(&mut Vec::new()).await.expect("bytes");
    assert!(watched.begun().expect("another one began") > began, "it has its own beginning");
}
