//! Whether an observer got everything that it was owed, and when it had it.

use std::collections::HashMap;

use tertulia_protocol::{RoomId, Seq};

use super::finding::{Finding, Findings};
use super::log::Log;
use super::spans::Spans;
use super::stream::Read;
use super::word::Word;
use crate::journal::Mono;

/// Says what never arrived. Returns for each number when everything owed up to it was there; `None` for never.
pub(super) fn check(
    room: RoomId,
    process: &str,
    read: &Read,
    log: &Log<'_>,
    known: &HashMap<Seq, Mono>,
    found: &mut Findings<'_>,
) -> Vec<Option<Mono>> {
    let [owed, spared, member] = [&read.owed, &read.spared, &read.member].map(|spans| spans.marks(log.head));
    let mut complete = Vec::with_capacity(owed.len());
    let mut missing = Vec::new();
    let mut had = Some(Mono(0));
    for (index, seq) in (0..).map(Seq).enumerate().take(owed.len()) {
        if owed[index] && !spared[index] && member[index] && log.at(seq).is_some() {
            match read.arrivals[index] {
                Some((at, _)) => had = had.map(|had| had.max(at)),
                None => {
                    missing.push(seq);
                    had = None;
                }
            }
        }
        complete.push(had);
    }
    for (first, last) in Spans::runs(missing).0 {
        let finding = Finding::new(Word::NotDelivered, room, "owed, and it never came").seqs(first, last).by(process);
        let times = [first, last].into_iter().filter_map(|seq| known.get(&seq));
        found.add(times.fold(finding, |finding, at| finding.at(*at)));
    }
    complete
}
