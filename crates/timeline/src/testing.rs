//! What the tests of this crate share.

use proptest::test_runner::{Config, RngSeed};
use tertulia_protocol::Key;

/// The same cases on every run, so that a failure is replayed by running again. `PROPTEST_RNG_SEED` and
/// `PROPTEST_CASES` explore others.
pub(crate) fn config() -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(0x7E87) } else { config.rng_seed };
    Config { rng_seed, ..config }
}

/// The key with this number, of which 48 bits count.
pub(crate) fn key(number: i64) -> Key {
    Key::parse(&format!("00000000-0000-7000-8000-{:012x}", number & 0xFFFF_FFFF_FFFF)).unwrap()
}
