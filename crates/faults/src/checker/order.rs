//! Order: what was sent after something was acknowledged stands after it, for one client and for all.

use std::collections::HashMap;

use tertulia_protocol::{RoomId, Seq};

use super::finding::{Finding, Findings};
use super::history::{Action, Outcome};
use super::names::{Id, Names};
use super::word::Word;
use crate::journal::Mono;

/// A moment of the sweep. At the same nanosecond intents come first: only what was surely acknowledged before counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Intent,
    Ack,
}

/// The highest number that was known to be stored, and by which message.
type Highest = Option<(Seq, usize)>;

/// Sweeps over the sends of a room by time. `seqs` are their numbers in the log.
pub(super) fn check(room: RoomId, sends: &[Action], seqs: &[Option<Seq>], names: &Names, found: &mut Findings<'_>) {
    let mut moments: Vec<(Mono, Moment, usize, Seq)> = Vec::new();
    for (index, (action, seq)) in sends.iter().zip(seqs).enumerate() {
        let Some(seq) = *seq else { continue };
        moments.push((action.first, Moment::Intent, index, seq));
        moments.extend(action.acks.first().map(|ack| (ack.at, Moment::Ack, index, seq)));
    }
    moments.sort_unstable();
    let mut sweep = Sweep { all: None, own: HashMap::new(), piped: HashMap::new() };
    for (at, moment, index, seq) in moments {
        let action = &sends[index];
        match moment {
            Moment::Intent => {
                if let Some((word, earlier)) = sweep.breach(action, index, seq) {
                    let before = &sends[earlier];
                    let (other, theirs) = (before.stamp, seqs[earlier].unwrap_or(Seq::ZERO));
                    let what = match before.acks.first().filter(|ack| ack.at < at) {
                        Some(ack) => format!("{other} had been acknowledged at {} and is entry {theirs}", ack.at),
                        None => format!("{other} was said before it on the same connection and is entry {theirs}"),
                    };
                    let finding = Finding::new(word, room, what).seq(seq).stamp(action.stamp).at(at);
                    found.add(finding.by(names.name(action.process)).by(names.name(before.process)));
                }
            }
            Moment::Ack => sweep.acked(action.process, (seq, index)),
        }
    }
}

struct Sweep {
    /// Of everybody.
    all: Highest,
    /// Of each process.
    own: HashMap<Id, Highest>,
    /// Of each connection that sends without waiting, among the sends that needed one try.
    piped: HashMap<(Id, u32), Highest>,
}

impl Sweep {
    fn acked(&mut self, process: Id, what: (Seq, usize)) {
        self.all = self.all.max(Some(what));
        let own = self.own.entry(process).or_default();
        *own = (*own).max(Some(what));
    }

    /// Which promise a message breaks that is sent now and stands at `seq`, and after which message it should stand.
    fn breach(&mut self, action: &Action, index: usize, seq: Seq) -> Option<(Word, usize)> {
        let above = |highest: Highest| highest.filter(|(other, _)| *other > seq).map(|(_, index)| index);
        let own = self.own.get(&action.process).copied().flatten();
        let steady = action.tries == 1 && action.outcome() == Outcome::Ok;
        let piped = action.conn.filter(|_| steady).and_then(|conn| {
            let piped = self.piped.entry((action.process, conn)).or_default();
            let before = *piped;
            *piped = before.max(Some((seq, index)));
            before
        });
        let session = above(own).or_else(|| above(piped)).map(|earlier| (Word::SessionOrder, earlier));
        session.or_else(|| above(self.all).map(|earlier| (Word::RealtimeOrder, earlier)))
    }
}
