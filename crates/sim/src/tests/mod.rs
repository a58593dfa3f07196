//! The promise under many seeds, and the proof that a broken one is noticed.

mod seeds;
