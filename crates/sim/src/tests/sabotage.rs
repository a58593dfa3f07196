//! A check that cannot fail says nothing: promises are broken on purpose, and each must be noticed soon, by its name.

use std::collections::BTreeMap;

use super::Plan;
use crate::{Lie, Sabotage, Word, run, shrink};

/// Within so many seeds a broken promise must be found.
const SOON: u64 = 8;

/// The first seed under which the sabotage is noticed; within a few, every one of these words must be said of it.
fn found_soon(sabotage: Sabotage, words: &[Word]) -> Plan {
    let mut said: BTreeMap<Word, u64> = BTreeMap::new();
    for seed in 0..SOON {
        for finding in run(&Plan::of(seed).with(sabotage), false).findings {
            said.entry(finding.word).or_insert(seed);
        }
        if words.iter().all(|word| said.contains_key(word)) {
            return Plan::of(said[&words[0]]).with(sabotage);
        }
    }
    panic!("{sabotage:?} was not noticed as {words:?} within {SOON} seeds, but as {said:?}");
}

/// One test per broken promise, and the list of the words that are proven so.
macro_rules! broken {
    ($($name:ident: $sabotage:expr => $($word:ident)+,)*) => {
        const PROVEN: &[Word] = &[$($(Word::$word,)+)*];
        $(
            #[test]
            fn $name() {
                found_soon($sabotage, &[$(Word::$word),+]);
            }
        )*
    };
}

broken! {
    an_ack_without_a_commit_is_noticed: Sabotage::AckUnstored => FalseAck Lost,
    a_store_that_forgets_keys_is_noticed: Sabotage::ForgetKeys => DuplicateStored,
    a_disk_that_never_synced_is_noticed: Sabotage::ForgetTail => Lost,
    what_nobody_said_is_noticed: Sabotage::Invent => Phantom,
    a_number_left_out_is_noticed: Sabotage::SkipNumber => Gap,
    an_entry_that_overtakes_is_noticed: Sabotage::Overtake => Changed SessionOrder RealtimeOrder,
    a_refusal_of_what_is_stored_is_noticed: Sabotage::RefuseStored => FalseFail,
    a_false_word_that_nothing_was_stored_is_noticed: Sabotage::DenyStored => FalseFail,
    a_store_that_is_behind_itself_is_noticed: Sabotage::LagHeads => SilentGap,
    a_session_that_does_not_end_is_noticed: Sabotage::KeepSessions => Leak,
    a_panic_that_nobody_waits_for_is_noticed: Sabotage::Panic => Panicked,
    what_is_never_let_go_of_is_noticed: Sabotage::KeepListening => Unbounded,
    an_entry_left_out_when_resuming_is_noticed: Sabotage::SkipOnResume => SilentGap,
    an_entry_left_out_is_noticed: Sabotage::Deliveries(Lie::Skip) => SilentGap NotDelivered,
    an_entry_delivered_twice_is_noticed: Sabotage::Deliveries(Lie::Double) => DoubleDelivery,
    entries_that_change_places_are_noticed: Sabotage::Deliveries(Lie::Swap) => OrderDelivery,
    an_entry_that_says_something_else_is_noticed: Sabotage::Deliveries(Lie::Alter) => Diverged,
    an_entry_that_is_kept_otherwise_is_noticed: Sabotage::Deliveries(Lie::Forge) => Misfolded,
    a_list_that_nobody_is_told_is_noticed: Sabotage::Deliveries(Lie::NoPresence) => Presence,
}

#[test]
fn every_word_is_proven_able_to_be_said() {
    let unproven: Vec<_> = Word::ALL.iter().filter(|word| !PROVEN.contains(word)).collect();
    assert!(unproven.is_empty(), "nothing shows that these can be found: {unproven:?}");
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
