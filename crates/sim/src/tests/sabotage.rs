//! A check that cannot fail says nothing: promises are broken on purpose, and each must be noticed soon, by its name.

use super::Plan;
use crate::{Lie, Sabotage, Word, run, shrink};

/// Within so many seeds a broken promise must be found.
const SOON: u64 = 8;

/// The first seed under which the sabotage is noticed by one of these words.
fn found_soon(sabotage: Sabotage, words: &[Word]) -> Plan {
    for seed in 0..SOON {
        let plan = Plan::of(seed).with(sabotage);
        if run(&plan, false).findings.iter().any(|finding| words.contains(&finding.word)) {
            return plan;
        }
    }
    panic!("{sabotage:?} was not noticed as {words:?} within {SOON} seeds");
}

#[test]
fn an_ack_before_the_commit_is_noticed() {
    found_soon(Sabotage::AckUnstored, &[Word::FalseAck, Word::Lost]);
}

#[test]
fn a_store_that_forgets_keys_is_noticed() {
    found_soon(Sabotage::ForgetKeys, &[Word::DuplicateStored]);
}

#[test]
fn a_disk_that_never_synced_is_noticed() {
    found_soon(Sabotage::ForgetTail, &[Word::Lost, Word::Changed]);
}

#[test]
fn what_nobody_said_is_noticed() {
    found_soon(Sabotage::BurnNumbers, &[Word::Phantom]);
}

#[test]
fn an_entry_left_out_when_resuming_is_noticed() {
    found_soon(Sabotage::SkipOnResume, &[Word::SilentGap]);
}

#[test]
fn an_entry_left_out_is_noticed() {
    found_soon(Sabotage::Deliveries(Lie::Skip), &[Word::SilentGap]);
}

#[test]
fn an_entry_delivered_twice_is_noticed() {
    found_soon(Sabotage::Deliveries(Lie::Double), &[Word::DoubleDelivery, Word::OrderDelivery]);
}

#[test]
fn entries_that_change_places_are_noticed() {
    found_soon(Sabotage::Deliveries(Lie::Swap), &[Word::OrderDelivery, Word::DoubleDelivery]);
}

#[test]
fn an_entry_that_says_something_else_is_noticed() {
    found_soon(Sabotage::Deliveries(Lie::Alter), &[Word::Diverged]);
}

#[test]
fn a_failing_plan_is_made_small_and_fails_still() {
    let plan = found_soon(Sabotage::ForgetKeys, &[Word::DuplicateStored]);
    let small = shrink(&plan, Word::DuplicateStored);
    assert!(small.steps() <= 12 && small.steps() < plan.steps(), "from {} to {small}", plan.steps());
    let again = run(&small, true);
    assert!(again.findings.iter().any(|finding| finding.word == Word::DuplicateStored), "{small}");
    assert!(again.trace.iter().any(|line| line.contains("FOUND DuplicateStored")));
}
