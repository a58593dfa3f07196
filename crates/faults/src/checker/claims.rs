//! Refusals claim that nothing was stored: what is sent again after them must not have been there before.

use std::collections::HashMap;

use super::history::{Action, Happening, Room};
use super::log::Log;
use crate::journal::{Digest, Mono};

/// When anybody first heard the texts of a room; of messages no two have the same. Empty where nothing was sent again after a refusal: nobody asks then.
pub(super) struct Heard(HashMap<Digest, Mono>);

impl Heard {
    pub(super) fn of(room: &Room, log: &Log<'_>) -> Self {
        let mut first: HashMap<Digest, Mono> = HashMap::new();
        if !room.sends.iter().any(|action| action.may.is_some_and(|(number, _)| number > 1)) {
            return Self(first);
        }
        for (at, step) in room.observers.values().flat_map(|observer| &observer.steps) {
            if let Happening::Recv(arrived) = step
                && arrived.epoch == log.epoch
                && let Some(text) = arrived.digest
            {
                first.entry(text).and_modify(|first| *first = (*first).min(*at)).or_insert(*at);
            }
        }
        Self(first)
    }

    /// What shows that a refused try had stored a message that is in the log; `None` when nothing does.
    pub(super) fn too_early(&self, action: &Action) -> Option<String> {
        let (number, began) = action.may.filter(|(number, _)| *number > 1)?;
        let refused = number - 1;
        if action.found {
            return Some(format!("the first {refused} tries were refused, and the next found it stored"));
        }
        // Heard before it was ever sent is another fault, with a word of its own.
        let heard = self.0.get(&action.digest).filter(|heard| (action.first..began).contains(heard))?;
        Some(format!("the first {refused} tries were refused, and it was heard at {heard}, before the next at {began}"))
    }
}
