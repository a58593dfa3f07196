//! Signs that follow each other.

use super::*;

#[test]
fn the_time_of_an_earlier_sign_ends_nothing_while_a_later_one_runs() {
    let (ana, biel) = (UserId(1), UserId(2));
    let mut signs = Signs::default();
    let first = signs.give(ana);
    let other = signs.give(biel);
    let second = signs.give(ana);
    assert!(!signs.is_last(ana, first), "she gave another since");
    assert!(signs.is_last(ana, second));
    assert!(signs.is_last(biel, other), "his is his own");
}

#[test]
fn no_more_are_remembered_than_are_shown() {
    let mut signs = Signs::default();
    let first = signs.give(UserId(0));
    let count = i64::try_from(TYPING).expect("small");
    let all: Vec<_> = (1..=count).map(|id| (UserId(id), signs.give(UserId(id)))).collect();
    assert!(!signs.is_last(UserId(0), first));
    assert!(all.iter().all(|(who, sign)| signs.is_last(*who, *sign)), "those who are shown");
}
