//! Who is shown as there, against who is: one "left" per person really gone, none for who is back within the grace.

use std::collections::BTreeMap;

use tertulia_protocol::RoomId;

use super::Terms;
use super::finding::{Finding, Findings};
use super::history::{People, Saying, Turn};
use super::names::{Id, Names};
use super::windows::Windows;
use super::word::Word;
use crate::journal::{Life, Mono};

/// Somebody was away.
#[derive(Clone, Copy, Debug)]
struct Absence {
    /// From when on they may have been missed: the last sign of life on their link.
    missed: Mono,
    /// From when on they surely were away.
    went: Mono,
    /// When they were back, and through which instance; absent while they are away.
    came: Option<(Mono, Id)>,
    /// When nobody may show them any more; absent when they came back before, or the run did not last so long.
    due: Option<Mono>,
}

/// What everybody who looks at presence needs.
pub(super) struct Watch<'a, 'b, 'c> {
    pub(super) room: RoomId,
    pub(super) terms: &'a Terms,
    pub(super) windows: &'a Windows,
    pub(super) names: &'a Names,
    /// When the run ended.
    pub(super) end: Mono,
    pub(super) found: &'b mut Findings<'c>,
}

/// Holds what each observer of a room was told against what was true.
pub(super) fn check(people: &People, watch: &mut Watch<'_, '_, '_>) {
    let absences = people.lives.iter().map(|(who, life)| {
        let mut absences = absences(life);
        absences.iter_mut().for_each(|absence| absence.due = watch.due(absence));
        (*who, absences)
    });
    let absences: BTreeMap<Id, Vec<Absence>> = absences.collect();
    for (observer, told) in &people.told {
        let shown = watch.replay(*observer, told, (&people.lives, &absences));
        for (who, absences) in &absences {
            for absence in absences {
                watch.must_have_gone((*observer, *who), *absence, shown.get(who).map_or(&[], Vec::as_slice));
            }
        }
    }
}

fn absences(turns: &[Turn]) -> Vec<Absence> {
    let mut found: Vec<Absence> = Vec::new();
    for turn in turns {
        match (turn.life, found.last_mut()) {
            (Life::Came, Some(last)) if last.came.is_none() => last.came = Some((turn.at, turn.via)),
            // Who went twice went once.
            (Life::Went, Some(last)) if last.came.is_none() => {}
            (Life::Went, _) => found.push(Absence { missed: turn.since, went: turn.at, came: None, due: None }),
            (Life::Came, _) => {}
        }
    }
    found
}

/// What is true of everybody: their turns, and the absences between them.
type Truth<'a> = (&'a BTreeMap<Id, Vec<Turn>>, &'a BTreeMap<Id, Vec<Absence>>);

/// From when on an observer shows somebody (true), does not (false), or does not know (`None`).
type Shown = Vec<(Mono, Option<bool>)>;

impl Watch<'_, '_, '_> {
    /// Follows what an observer was told, and says what was said wrongly. Returns whom it showed when.
    fn replay(&mut self, observer: Id, told: &[(Mono, Saying)], (lives, absences): Truth<'_>) -> BTreeMap<Id, Shown> {
        let mut shown: BTreeMap<Id, Shown> = absences.keys().map(|who| (*who, Vec::new())).collect();
        // When each was last said to have left, with nobody saying since that they are there; and whether that can be said.
        let mut left: BTreeMap<Id, (Mono, bool)> = BTreeMap::new();
        for (at, saying) in told {
            let at = *at;
            match saying {
                Saying::Void => {
                    shown.values_mut().for_each(|shown| shown.push((at, None)));
                    // Plain doors tell no list: who came back meanwhile, they do not hear.
                    left.values_mut().for_each(|(_, known)| *known = false);
                }
                Saying::List(list) => {
                    shown.iter_mut().for_each(|(who, shown)| shown.push((at, Some(list.contains(who)))));
                    left.retain(|who, _| !list.contains(who));
                    left.values_mut().for_each(|(_, known)| *known = true);
                }
                Saying::Joined(joined) => {
                    for who in joined {
                        shown.entry(*who).or_default().push((at, Some(true)));
                        left.remove(who);
                    }
                }
                Saying::Left(gone) => {
                    for who in gone {
                        shown.entry(*who).or_default().push((at, Some(false)));
                        let (whom, before) = ((observer, *who), left.insert(*who, (at, true)));
                        let before = before.filter(|(_, known)| *known).map(|(before, _)| before);
                        match (before, absences.get(who)) {
                            (Some(before), _) => self.left_twice(whom, before, at),
                            (None, Some(_)) if self.is_out_of_reach(at, lives.get(who)) => {}
                            (None, Some(absences)) => self.may_be_said(whom, at, absences),
                            // Of whom nothing true was noted, nothing false can be said.
                            (None, None) => {}
                        }
                    }
                }
            }
        }
        shown
    }

    fn left_twice(&mut self, whom: (Id, Id), before: Mono, at: Mono) {
        let what = format!("said already at {before}, and nobody said since that they are there");
        self.say(Word::LeftTwice, whom, [before, at], &what);
    }

    /// Whether an instance through which they are there was shut off for the whole grace: for the others it is as good
    /// as gone, and its people with it.
    fn is_out_of_reach(&self, at: Mono, turns: Option<&Vec<Turn>>) -> bool {
        let grace = self.terms.grace;
        let turns = turns.map_or(&[][..], Vec::as_slice);
        let (now, then) =
            (turns.partition_point(|turn| turn.at <= at), turns.partition_point(|turn| turn.at + grace <= at));
        // Where they were when the grace began, and wherever they have been since.
        turns[then.saturating_sub(1)..now].iter().any(|turn| {
            turn.life == Life::Came && self.windows.shut_off(self.names.name(turn.via), (at - grace, at), grace)
        })
    }

    /// "Left" is for who was away for the whole grace.
    fn may_be_said(&mut self, whom: (Id, Id), at: Mono, absences: &[Absence]) {
        let grace = self.terms.grace;
        match absences.iter().rev().find(|absence| absence.missed <= at) {
            None => self.say(Word::Flicker, whom, [at, at], "said to have left, and they never went"),
            Some(Absence { missed, came: Some((came, via)), .. })
                if came.since(*missed) < grace
                    && !self.windows.hid(self.names.name(*via), (*came, *missed + grace)) =>
            {
                let what = format!("said to have left, and they were away from {missed} to {came} only");
                self.say(Word::Flicker, whom, [*missed, at], &what);
            }
            Some(_) => {}
        }
    }

    /// When nobody may show them any more; faults that freeze presence prolong it.
    fn due(&self, absence: &Absence) -> Option<Mono> {
        let mut due = absence.went + self.terms.gone_within;
        while let Some(calm) = self.windows.calm_after(absence.went, due) {
            let later = calm? + self.terms.gone_within;
            if later <= due {
                break;
            }
            due = later;
        }
        (due <= self.end && absence.came.is_none_or(|(came, _)| came > due)).then_some(due)
    }

    /// Who is gone for good must not be shown any more after a while.
    fn must_have_gone(&mut self, whom: (Id, Id), absence: Absence, shown: &[(Mono, Option<bool>)]) {
        let Some(due) = absence.due else { return };
        let known = shown.partition_point(|(at, _)| *at <= due);
        if known.checked_sub(1).is_some_and(|last| shown[last].1 == Some(true)) {
            let what = format!("still shown at {due}, gone since {}", absence.went);
            self.say(Word::Stayed, whom, [absence.went, due], &what);
        }
    }

    fn say(&mut self, word: Word, (observer, who): (Id, Id), at: [Mono; 2], what: &str) {
        let what = format!("{}: {what}", self.names.name(who));
        let finding = at.into_iter().fold(Finding::new(word, self.room, what), Finding::at);
        self.found.add(finding.by(self.names.name(observer)));
    }
}
