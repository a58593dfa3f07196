//! Held against the standard library: the same bytes are refused, and at the first that the library calls wrong.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::Text;

/// The place of the byte at which no text is possible any more.
fn refused_at(bytes: &[u8]) -> Option<usize> {
    let mut text = Text::new();
    bytes.iter().position(|byte| !text.take(*byte))
}

/// The same by the library: of the shortest prefix that is more than merely unfinished.
fn wrong_at(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| std::str::from_utf8(&bytes[..=*at]).is_err_and(|error| error.error_len().is_some()))
}

/// The bytes at which the rules change, and a few between.
const TELLING: [u8; 31] = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
    0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
];

#[test]
fn all_pairs_and_every_four_telling_bytes_are_judged_as_the_library_does() {
    for pair in 0..=u16::MAX {
        let bytes = pair.to_be_bytes();
        assert_eq!(refused_at(&bytes), wrong_at(&bytes), "{bytes:x?}");
    }
    let mut unfinished = 0;
    for number in 0..TELLING.len().pow(4) {
        let bytes = [0, 1, 2, 3].map(|at| TELLING[number / TELLING.len().pow(at) % TELLING.len()]);
        assert_eq!(refused_at(&bytes), wrong_at(&bytes), "{bytes:x?}");
        unfinished += usize::from(refused_at(&bytes).is_none());
    }
    assert!(unfinished > 1_000, "premise: not all are wrong, {unfinished}");
}

#[test]
fn random_bytes_near_text_are_judged_as_the_library_does() {
    let mut refused = 0;
    for seed in 0..20_000 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut bytes = Vec::new();
        for _ in 0..rng.random_range(0..8) {
            if rng.random_bool(0.8) {
                let character: char = rng.random();
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                bytes.extend(TELLING.choose(&mut rng));
            }
        }
        assert_eq!(refused_at(&bytes), wrong_at(&bytes), "seed {seed}: {bytes:x?}");
        refused += usize::from(refused_at(&bytes).is_some());
    }
    assert!((5_000..19_000).contains(&refused), "premise: there is some of both, {refused}");
}
