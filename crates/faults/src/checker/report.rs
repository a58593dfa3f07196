//! The outcome of a check: what was wrong, what could not be checked, and the figures.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::counts::Counts;
use super::finding::Finding;
use super::timing::Timing;
use super::word::Word;

/// What a run has shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was wrong, by word; of each word the first hundred.
    pub findings: Vec<Finding>,
    /// How often each word was found.
    pub words: BTreeMap<Word, u64>,
    /// What the journals lack or contradict, so that nothing is proven.
    pub unchecked: Vec<String>,
    /// How much was checked.
    pub counts: Counts,
    /// How long things took.
    pub timing: Timing,
}

impl Report {
    /// Whether everything was checked and nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.words.is_empty() && self.unchecked.is_empty()
    }
}

/// One line per finding, then the figures; the last line is the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        for puzzle in &self.unchecked {
            writeln!(f, "not checked: {puzzle}")?;
        }
        writeln!(f, "{}", self.counts)?;
        write!(f, "{}", self.timing)?;
        if self.is_clean() {
            return write!(f, "nothing lost, nothing twice, one order");
        }
        let words = self.words.iter().map(|(word, count)| format!("{count} {word}"));
        let puzzles = (!self.unchecked.is_empty()).then(|| format!("{} not checked", self.unchecked.len()));
        write!(f, "FAILED: {}", words.chain(puzzles).collect::<Vec<_>>().join(", "))
    }
}
