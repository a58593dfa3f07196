//! Every rule can fail: each is shown something bad, and the same made good.

mod documents;
mod layers;
mod one_place;
mod shape;
mod translations;

use super::Rule;
use crate::Tree;

/// What the rule says of made-up files, as `path:line`.
fn found(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    rule(&Tree::of(files)).iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

/// The rule finds this one thing in the bad file at this line, and nothing in the good one.
fn tells(rule: Rule, path: &str, line: usize, bad: &str, good: &str) {
    assert_eq!(found(rule, &[(path, bad)]), [format!("{path}:{line}")], "bad:\n{bad}");
    assert_eq!(found(rule, &[(path, good)]), Vec::<String>::new(), "good:\n{good}");
}
