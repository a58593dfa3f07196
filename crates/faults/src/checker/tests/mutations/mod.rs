//! What can go wrong, done to clean histories: each kind must be caught, and named by the word for it.

mod heard;
mod ordered;
mod people;
mod stored;

use std::collections::BTreeSet;

use super::super::{Word, check};
use super::tale::Tale;
use super::world::{self, TERMS};

/// How many histories each kind is done to.
const EACH: usize = 100;

/// One kind of fault.
struct Mutation {
    name: &'static str,
    /// Words that must be said.
    must: &'static [Word],
    /// Words that may be said as well, because the same fault shows there too. No others.
    may: &'static [Word],
    /// Does it; `None` when this history has no place for it.
    apply: fn(&mut Tale) -> Option<()>,
}

fn prove(mutations: &[Mutation]) {
    for mutation in mutations {
        let mut done = 0;
        for seed in 0..world::SEEDS {
            let mut tale = Tale::of(seed);
            if (mutation.apply)(&mut tale).is_some() {
                prove_one(mutation, seed, tale);
                done += 1;
            }
            if done == EACH {
                break;
            }
        }
        assert_eq!(done, EACH, "{}: too few histories have a place for it", mutation.name);
    }
}

fn prove_one(mutation: &Mutation, seed: usize, tale: Tale) {
    let events = tale.told();
    assert_ne!(events, world::history(seed), "premise: {} changed something (seed {seed})", mutation.name);
    let report = check(events, TERMS);
    let said: BTreeSet<Word> = report.words.keys().copied().collect();
    let missing: Vec<&Word> = mutation.must.iter().filter(|word| !said.contains(word)).collect();
    let wrong: Vec<&Word> =
        said.iter().filter(|word| !mutation.must.contains(word) && !mutation.may.contains(word)).collect();
    assert!(
        missing.is_empty() && wrong.is_empty() && report.unchecked.is_empty(),
        "{} (seed {seed}): missing {missing:?}, wrong {wrong:?}\n{report}",
        mutation.name
    );
}

#[test]
fn whatever_is_stored_wrongly_is_caught_and_named() {
    prove(&stored::all());
}

#[test]
fn whatever_is_stored_in_a_wrong_order_is_caught_and_named() {
    prove(&ordered::all());
}

#[test]
fn whatever_is_heard_wrongly_is_caught_and_named() {
    prove(&heard::all());
}

#[test]
fn whatever_is_said_wrongly_of_people_is_caught_and_named() {
    prove(&people::all());
}

#[test]
fn there_are_enough_kinds_and_every_word_is_among_them() {
    let kinds = [stored::all(), ordered::all(), heard::all(), people::all()];
    let kinds: Vec<&Mutation> = kinds.iter().flatten().collect();
    assert!(kinds.len() >= 16, "{} kinds", kinds.len());
    let names: BTreeSet<&str> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kinds.len(), "each has its own name");
    let words: BTreeSet<Word> = kinds.iter().flat_map(|kind| kind.must).copied().collect();
    assert_eq!(words.len(), 18, "each word must be said of some kind: {words:?}");
}
