//! The rules, by subject. A rule reads a tree and returns what breaks it, each with the remedy.

pub mod browser_tests;
pub mod code_map;
pub mod documents;
pub mod hygiene;
pub mod layers;
pub mod one_place;
pub mod shape;
#[cfg(test)]
mod tests;
pub mod translations;

use crate::{Finding, Tree};

/// One promise about the tree.
pub type Rule = fn(&Tree) -> Vec<Finding>;

/// This crate: it has to name what it forbids, so rules that look for words leave it out.
const HERE: &str = "crates/tidy/";

/// The part of a document between a heading of the second level and the next one, with line numbers from 1.
fn section<'a>(text: &'a str, heading: &str) -> Vec<(usize, &'a str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let after = lines.skip_while(|(_, line)| line.strip_prefix("## ") != Some(heading)).skip(1);
    after.take_while(|(_, line)| !line.starts_with("## ")).collect()
}

/// What stands in backticks.
fn code_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
