//! Reads the journals of a run as one history, without holding them in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::{Event, JournalError, Mono};

/// The events of several journals in the order of time; at the same nanosecond in the order of the files.
#[derive(Debug)]
pub struct Merged {
    files: Vec<Journal>,
    /// The time of each file's next event.
    order: BinaryHeap<Reverse<(Mono, usize)>>,
    /// What went wrong while looking ahead; said at its turn, and then nothing more.
    failed: Option<JournalError>,
    torn: u64,
}

#[derive(Debug)]
struct Journal {
    path: PathBuf,
    lines: BufReader<File>,
    line: u64,
    last: Mono,
    next: Option<Event>,
}

impl Merged {
    /// Opens the journals.
    ///
    /// # Errors
    /// When one cannot be opened, or begins with something else.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, JournalError> {
        let mut merged = Self { files: Vec::new(), order: BinaryHeap::new(), failed: None, torn: 0 };
        for path in paths {
            let path = path.as_ref().to_owned();
            let file = File::open(&path).map_err(|source| JournalError::Io { path: path.clone(), source })?;
            let lines = BufReader::new(file);
            merged.files.push(Journal { path, lines, line: 0, last: Mono(0), next: None });
            merged.advance(merged.files.len() - 1)?;
        }
        Ok(merged)
    }

    /// Last lines without an end that were left out so far: their process was killed while it wrote them.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.torn
    }

    fn advance(&mut self, index: usize) -> Result<(), JournalError> {
        let journal = &mut self.files[index];
        match journal.read()? {
            Line::Event(event) => {
                self.order.push(Reverse((event.mono, index)));
                journal.next = Some(event);
            }
            Line::Torn => self.torn += 1,
            Line::End => {}
        }
        Ok(())
    }
}

impl Iterator for Merged {
    type Item = Result<Event, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.order.clear();
            return Some(Err(error));
        }
        let Reverse((_, index)) = self.order.pop()?;
        let event = self.files[index].next.take()?;
        self.failed = self.advance(index).err();
        Some(Ok(event))
    }
}

enum Line {
    Event(Event),
    Torn,
    End,
}

impl Journal {
    fn read(&mut self) -> Result<Line, JournalError> {
        let mut text = Vec::new();
        let read = self.lines.read_until(b'\n', &mut text);
        read.map_err(|source| JournalError::Io { path: self.path.clone(), source })?;
        if text.last() != Some(&b'\n') {
            return Ok(if text.is_empty() { Line::End } else { Line::Torn });
        }
        self.line += 1;
        let (path, line) = (self.path.clone(), self.line);
        let event: Event = match serde_json::from_slice(&text) {
            Ok(event) => event,
            Err(source) => return Err(JournalError::Line { path, line, source }),
        };
        if event.mono < self.last {
            return Err(JournalError::Backwards { path, line });
        }
        self.last = event.mono;
        Ok(Line::Event(event))
    }
}
