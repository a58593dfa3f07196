//! Whether all observers are told the same: what arrives is what the log has, or in another store what others got there.

use std::collections::HashMap;

use tertulia_protocol::Seq;

use super::history::Arrived;
use super::log::Log;
use super::names::{Id, Names};
use crate::journal::Digest;

/// What is known of a room's entries.
pub(super) struct Witness<'a> {
    log: &'a Log<'a>,
    /// By whom an entry was first named, and how.
    ids: HashMap<Seq, (Id, Id)>,
    /// What was first received in another store, and by whom.
    elsewhere: HashMap<(Id, Seq), (Option<Digest>, Id)>,
}

impl<'a> Witness<'a> {
    pub(super) fn new(log: &'a Log<'a>) -> Self {
        Self { log, ids: HashMap::new(), elsewhere: HashMap::new() }
    }

    /// How a receipt differs from what is known, in words. `epoch` is the log's.
    pub(super) fn differs(&mut self, process: Id, arrived: &Arrived, epoch: Id, names: &Names) -> Option<String> {
        if arrived.epoch != epoch {
            let known = (arrived.digest, process);
            let (digest, other) = *self.elsewhere.entry((arrived.epoch, arrived.seq)).or_insert(known);
            return (digest != arrived.digest).then(|| format!("{} got another text in that store", names.name(other)));
        }
        let Some(entry) = self.log.at(arrived.seq).map(|index| &self.log.entries[index]) else {
            return Some("the log has no such entry".to_owned());
        };
        if arrived.digest.is_some_and(|digest| entry.h != Some(digest)) {
            return Some("the log has another text there".to_owned());
        }
        if arrived.key.zip(entry.key).is_some_and(|(theirs, ours)| theirs != ours) {
            return Some("the log has another key there".to_owned());
        }
        self.named(process, arrived.seq, arrived.id?, names)
    }

    /// How a name of an entry differs from the one that others were told, in words.
    pub(super) fn named(&mut self, process: Id, seq: Seq, id: Id, names: &Names) -> Option<String> {
        let (known, other) = *self.ids.entry(seq).or_insert((id, process));
        let differs = || format!("named {}, and {} to {}", names.name(id), names.name(known), names.name(other));
        (known != id).then(differs)
    }
}
