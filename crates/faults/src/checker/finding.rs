//! What was found, with all that one needs to look it up in the journals; printed as one line.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tertulia_protocol::{RoomId, Seq};

use super::windows::Windows;
use super::word::Word;
use crate::journal::{Mono, Stamp};

/// Most findings of one word that are kept: enough to see a pattern. The others are counted.
const KEPT: u64 = 100;

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which promise.
    pub word: Word,
    /// What happened, in words.
    pub what: String,
    /// Where.
    pub room: RoomId,
    /// The first and last number it is about.
    pub seqs: Option<(Seq, Seq)>,
    /// The message it is about.
    pub stamp: Option<Stamp>,
    /// Who noted it, or is concerned.
    pub processes: Vec<String>,
    /// From when to when.
    pub span: Option<(Mono, Mono)>,
    /// The faults that were open in that time.
    pub during: Vec<String>,
}

impl Finding {
    /// A finding in a room, in words that follow its places: `acknowledged, and in no log`.
    pub(super) fn new(word: Word, room: RoomId, what: impl Into<String>) -> Self {
        let (processes, during) = (Vec::new(), Vec::new());
        Self { word, what: what.into(), room, seqs: None, stamp: None, processes, span: None, during }
    }

    pub(super) fn seq(self, seq: Seq) -> Self {
        self.seqs(seq, seq)
    }

    pub(super) fn seqs(mut self, first: Seq, last: Seq) -> Self {
        self.seqs = Some((first, last));
        self
    }

    pub(super) fn stamp(mut self, stamp: Stamp) -> Self {
        self.stamp = Some(stamp);
        self
    }

    pub(super) fn by(mut self, process: &str) -> Self {
        if !self.processes.iter().any(|known| known == process) {
            self.processes.push(process.to_owned());
        }
        self
    }

    /// A moment that belongs to it; several make a span.
    pub(super) fn at(mut self, at: Mono) -> Self {
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} room {}", self.word, self.room)?;
        match self.seqs {
            Some((first, last)) if first == last => write!(f, ", entry {first}")?,
            Some((first, last)) => write!(f, ", entries {first} to {last}")?,
            None => {}
        }
        if let Some(stamp) = self.stamp {
            write!(f, ", message {stamp}")?;
        }
        if !self.processes.is_empty() {
            write!(f, ", {}", self.processes.join(" and "))?;
        }
        match self.span {
            Some((first, last)) if first == last => write!(f, ", at {first}")?,
            Some((first, last)) => write!(f, ", from {first} to {last}")?,
            None => {}
        }
        if !self.during.is_empty() {
            write!(f, ", during {}", self.during.join(" and "))?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    windows: &'a Windows,
    kept: Vec<Finding>,
    counts: BTreeMap<Word, u64>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(windows: &'a Windows) -> Self {
        Self { windows, kept: Vec::new(), counts: BTreeMap::new() }
    }

    /// Adds one, with the faults of its time.
    pub(super) fn add(&mut self, mut finding: Finding) {
        let count = self.counts.entry(finding.word).or_default();
        *count += 1;
        if *count <= KEPT {
            if let Some((from, to)) = finding.span {
                finding.during = self.windows.open_between(from, to);
            }
            self.kept.push(finding);
        }
    }

    /// The findings, by word, and how many there were of each.
    pub(super) fn into_parts(mut self) -> (Vec<Finding>, BTreeMap<Word, u64>) {
        self.kept.sort_by_key(|finding| finding.word);
        (self.kept, self.counts)
    }
}
