//! Seeded randomness, and the fingerprint of what came of it.
//!
//! Every actor has a stream of its own, so that taking away what one does leaves the dice of the others as they were.

use std::fmt;
use std::ops::RangeInclusive;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// One actor's stream of randomness.
#[derive(Debug)]
pub(crate) struct Dice(SmallRng);

impl Dice {
    /// The stream of this name under this seed.
    pub(crate) fn of(seed: u64, stream: &str) -> Self {
        let mut print = Fingerprint::new();
        print.eat(&seed.to_le_bytes());
        print.eat(stream.as_bytes());
        Self(SmallRng::seed_from_u64(print.value()))
    }

    /// A number of the range.
    pub(crate) fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.0.random_range(range)
    }

    /// An index below `end`; 0 when there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.0.random_range(0..end) }
    }

    /// Whether something happens that does so many times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.0.random_range(0..1_000) < per_mille
    }

    /// A number from 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }
}

/// FNV-1a in 64 bits: equal runs have equal fingerprints, on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing.
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes more in.
    pub(crate) fn eat(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// As a number.
    pub(crate) const fn value(&self) -> u64 {
        self.0
    }
}

impl fmt::Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.eat(text.as_bytes());
        Ok(())
    }
}
