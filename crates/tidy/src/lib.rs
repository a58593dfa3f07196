//! Keeps the promises that ARCHITECTURE.md and docs/STYLE.md make about the tree: tests that read its files.
//!
//! Reads text, not syntax trees: simple enough to be believed, and done in a second. `tests` asks every rule about
//! the whole tree; `rules/tests` proves with made-up sources that each rule can fail.

pub mod finding;
pub mod rules;
pub mod source;
#[cfg(test)]
mod tests;
pub mod tree;

pub use finding::Finding;
pub use source::Source;
pub use tree::Tree;
