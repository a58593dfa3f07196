//! Every message against the log: what was acknowledged is there, what was refused is not, the rest was said by somebody.

use std::collections::HashMap;

use tertulia_protocol::{RoomId, Seq};

use super::claims::Heard;
use super::finding::{Finding, Findings};
use super::history::{Action, Outcome, Room};
use super::log::Log;
use super::names::Names;
use super::word::Word;
use crate::journal::{Kind, Mono, Stamp};

/// Where messages ended up in the log, and what that proves.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The number of each message of `Room::sends`, as far as it is stored.
    pub(super) seqs: Vec<Option<Seq>>,
    /// When the client knew that an entry is stored; for one that was never acknowledged, when it was first sent.
    pub(super) known: HashMap<Seq, Mono>,
    /// When entries were acknowledged.
    pub(super) acked: HashMap<Seq, Mono>,
    /// Messages of unknown outcome that are stored.
    pub(super) adopted: u64,
}

/// Holds the messages of one room against its log. `everywhere` says where any message of the run was sent to.
pub(super) fn check(
    (id, room): (RoomId, &Room),
    log: &Log<'_>,
    everywhere: &HashMap<Stamp, RoomId>,
    names: &Names,
    found: &mut Findings<'_>,
) -> Placed {
    let mut court = Court { room: id, log, names, found, claimed: vec![false; log.entries.len()] };
    let heard = Heard::of(room, log);
    let mut placed = Placed::default();
    let mut missing = Vec::new();
    for action in &room.sends {
        let places = log.of(action.stamp, action.author.zip(action.key));
        for &index in &places {
            court.claimed[index] = true;
        }
        placed.seqs.push(places.first().map(|&index| log.entries[index].seq));
        placed.learn(action);
        match (action.outcome(), places.is_empty()) {
            (Outcome::Ok, true) => missing.push(action),
            (Outcome::Fail, false) => {
                court.refused_and_stored(action, &places, "every try was refused, and it is stored".to_owned());
            }
            (outcome, false) => {
                placed.adopted += u64::from(outcome == Outcome::Info);
                court.compare(action, &places);
                if let Some(what) = heard.too_early(action) {
                    court.refused_and_stored(action, &places, what);
                }
            }
            (Outcome::Fail | Outcome::Info, true) => {}
        }
    }
    // Only now is it known which entries belong to nobody.
    missing.into_iter().for_each(|action| court.missing(action, everywhere));
    court.phantoms(everywhere);
    placed
}

impl Placed {
    fn learn(&mut self, action: &Action) {
        let Some(Some(seq)) = self.seqs.last().copied() else { return };
        match action.acks.first() {
            Some(ack) => {
                self.acked.insert(seq, ack.at);
                self.known.insert(seq, ack.at);
            }
            None => {
                self.known.insert(seq, action.first);
            }
        }
    }
}

struct Court<'a, 'b, 'c> {
    room: RoomId,
    log: &'a Log<'a>,
    names: &'a Names,
    found: &'b mut Findings<'c>,
    /// Entries that are some message.
    claimed: Vec<bool>,
}

impl Court<'_, '_, '_> {
    /// Stored: under the number and with the text that were acknowledged?
    fn compare(&mut self, action: &Action, places: &[usize]) {
        let entries = || places.iter().map(|&index| &self.log.entries[index]);
        let same_text = entries().any(|entry| match entry.kind {
            Kind::Posted => entry.h == Some(action.digest),
            _ => entry.h.is_none_or(|digest| digest == action.digest),
        });
        let stored = entries().map(|entry| entry.seq.to_string()).collect::<Vec<_>>().join(", ");
        let wrong = action.acks.iter().find(|ack| entries().all(|entry| entry.seq != ack.seq));
        match (wrong, same_text) {
            (Some(ack), _) => {
                let what = format!("acknowledged as entry {}, stored as {stored}", ack.seq);
                self.say(Word::Changed, action, ack.seq, what);
            }
            (None, false) => {
                let seq = self.log.entries[places[0]].seq;
                self.say(Word::Changed, action, seq, "stored with another text than was sent".to_owned());
            }
            (None, true) => {}
        }
    }

    fn refused_and_stored(&mut self, action: &Action, places: &[usize], what: String) {
        let seq = self.log.entries[places[0]].seq;
        self.say(Word::FalseFail, action, seq, what);
    }

    /// Acknowledged, and neither its stamp nor its key is in the log. What stands in its place may be what became of it.
    fn missing(&mut self, action: &Action, everywhere: &HashMap<Stamp, RoomId>) {
        let Some(ack) = action.acks.first() else { return };
        let heir = self.log.at(ack.seq).filter(|&index| {
            let entry = &self.log.entries[index];
            let anothers = entry.stamp.is_some_and(|stamp| everywhere.contains_key(&stamp));
            !self.claimed[index] && !anothers && entry.kind.needs_a_send()
        });
        match heir {
            Some(index) => {
                self.claimed[index] = true;
                self.say(Word::Changed, action, ack.seq, "something else is stored in its place".to_owned());
            }
            None => self.say(Word::Lost, action, ack.seq, "acknowledged, and in no log".to_owned()),
        }
    }

    fn phantoms(&mut self, everywhere: &HashMap<Stamp, RoomId>) {
        for (entry, _) in self.log.entries.iter().zip(&self.claimed).filter(|(_, claimed)| !**claimed) {
            if !entry.kind.needs_a_send() {
                continue;
            }
            let other = entry.stamp.and_then(|stamp| everywhere.get(&stamp)).filter(|other| **other != self.room);
            let what = match other {
                Some(other) => format!("it was sent to room {other}"),
                None => format!("nobody sent this ({:?}, author {})", entry.kind, entry.author),
            };
            let finding = Finding::new(Word::Phantom, self.room, what).seq(entry.seq);
            self.found.add(match entry.stamp {
                Some(stamp) => finding.stamp(stamp),
                None => finding,
            });
        }
    }

    fn say(&mut self, word: Word, action: &Action, seq: Seq, what: String) {
        let finding = Finding::new(word, self.room, what).seq(seq).stamp(action.stamp);
        let finding = finding.by(self.names.name(action.process)).at(action.first);
        self.found.add(action.acks.iter().fold(finding, |finding, ack| finding.at(ack.at)));
    }
}
