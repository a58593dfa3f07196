//! The final log of a room: one on every instance, numbered without a hole, nothing in it twice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use tertulia_protocol::{Key, RoomId, Seq, UserId};

use super::finding::{Finding, Findings};
use super::history::ToldLog;
use super::names::{Id, Names};
use super::word::Word;
use crate::journal::{Logged, Stamp};

/// How far beyond its length a log's numbers are looked at. Higher ones are reported as a gap, and must not size a
/// table.
const SLACK: usize = 10_000;

/// The log that everything else is held against.
#[derive(Debug)]
pub(super) struct Log<'a> {
    /// Its store.
    pub(super) epoch: Id,
    pub(super) entries: &'a [Logged],
    /// Where each number is, if they are not 1, 2, 3, …
    by_seq: HashMap<Seq, usize>,
    by_stamp: HashMap<Stamp, Vec<usize>>,
    by_key: HashMap<(UserId, Key), Vec<usize>>,
    /// The highest number, as far as it can be believed.
    pub(super) head: Seq,
}

impl<'a> Log<'a> {
    /// The log of the first instance that tells one; `None` when none does. The others must tell the same.
    pub(super) fn settle(
        room: RoomId,
        logs: &'a BTreeMap<String, ToldLog>,
        names: &Names,
        found: &mut Findings<'_>,
    ) -> Option<Self> {
        let mut told = logs.iter();
        let (first, log) = told.next()?;
        for (other, others) in told {
            if let Some(split) = split(room, (first, log), (other, others), names) {
                found.add(split.by(first).by(other));
            }
        }
        let mut last = Seq::ZERO;
        for entry in &log.entries {
            if entry.seq != last.next() {
                let what = format!("the entry after {last} is {}", entry.seq);
                found.add(Finding::new(Word::Gap, room, what).seq(entry.seq).by(first));
            }
            last = entry.seq;
        }
        Some(Self::index(log))
    }

    fn index(log: &'a ToldLog) -> Self {
        let (mut by_seq, mut by_stamp, mut by_key) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut head = Seq::ZERO;
        for (index, entry) in log.entries.iter().enumerate() {
            if usize::try_from(entry.seq.0) != Ok(index + 1) {
                by_seq.entry(entry.seq).or_insert(index);
            }
            if let Some(stamp) = entry.stamp {
                by_stamp.entry(stamp).or_insert_with(Vec::new).push(index);
            }
            if let Some(key) = entry.key {
                by_key.entry((entry.author, key)).or_insert_with(Vec::new).push(index);
            }
            head = head.max(entry.seq);
        }
        head = head.min(Seq(i64::try_from(log.entries.len() + SLACK).unwrap_or(i64::MAX)));
        Self { epoch: log.epoch, entries: &log.entries, by_seq, by_stamp, by_key, head }
    }

    /// Where in `entries` a number is.
    pub(super) fn at(&self, seq: Seq) -> Option<usize> {
        let own = usize::try_from(seq.prev().0)
            .ok()
            .filter(|&index| self.entries.get(index).is_some_and(|entry| entry.seq == seq));
        own.or_else(|| self.by_seq.get(&seq).copied())
    }

    /// The entries that a message became, by its stamp or its key: one, or something is wrong.
    pub(super) fn of(&self, stamp: Stamp, key: Option<(UserId, Key)>) -> Vec<usize> {
        let by_stamp = self.by_stamp.get(&stamp).into_iter().flatten();
        let by_key = key.and_then(|key| self.by_key.get(&key)).into_iter().flatten();
        let mut all: Vec<usize> = by_stamp.chain(by_key).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn split(
    room: RoomId,
    (first, log): (&str, &ToldLog),
    (other, others): (&str, &ToldLog),
    names: &Names,
) -> Option<Finding> {
    let finding = |what: String| Some(Finding::new(Word::Split, room, what));
    if log.epoch != others.epoch {
        let (ours, theirs) = (names.name(log.epoch), names.name(others.epoch));
        return finding(format!("{first} has the store {ours}, {other} has {theirs}"));
    }
    let longest = log.entries.len().max(others.entries.len());
    let differ = |index: &usize| log.entries.get(*index) != others.entries.get(*index);
    let index = (0..longest).find(differ)?;
    let words = |entry: Option<&Logged>| match entry {
        Some(Logged { seq, kind, stamp: Some(stamp), .. }) => format!("{seq} ({kind:?} {stamp})"),
        Some(Logged { seq, kind, .. }) => format!("{seq} ({kind:?})"),
        None => "nothing".to_owned(),
    };
    let (ours, theirs) = (words(log.entries.get(index)), words(others.entries.get(index)));
    finding(format!("at place {} {first} has {ours}, {other} has {theirs}", index + 1))
}

/// Nothing is stored twice in any room: no key of an author, no stamp.
pub(super) fn nothing_is_stored_twice(logs: &BTreeMap<RoomId, Log<'_>>, found: &mut Findings<'_>) {
    let all = || logs.iter().flat_map(|(room, log)| log.entries.iter().map(move |entry| (*room, entry)));
    let by_key = all().filter_map(|(room, entry)| Some(((entry.author, entry.key?), (room, entry))));
    let by_stamp = all().filter_map(|(room, entry)| Some((entry.stamp?, (room, entry))));
    let mut said = HashSet::new();
    report("key", by_key, &mut said, found);
    report("stamp", by_stamp, &mut said, found);
}

fn report<'a, K: Hash + Eq>(
    name: &str,
    entries: impl Iterator<Item = (K, (RoomId, &'a Logged))>,
    said: &mut HashSet<(RoomId, Seq)>,
    found: &mut Findings<'_>,
) {
    let mut first: HashMap<K, (RoomId, Seq)> = HashMap::new();
    for (name_of, (room, entry)) in entries {
        let here = (room, entry.seq);
        let (other, seq) = *first.entry(name_of).or_insert(here);
        // Twice in one place is a fault of the numbering, and told as that.
        if (other, seq) != here && said.insert(here) {
            let what = format!("the same {name} as entry {seq} of room {other}");
            let finding = Finding::new(Word::DuplicateStored, room, what).seq(entry.seq);
            found.add(match entry.stamp {
                Some(stamp) => finding.stamp(stamp),
                None => finding,
            });
        }
    }
}
