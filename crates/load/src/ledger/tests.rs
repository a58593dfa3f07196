//! Every fault is seen, and only then.

use super::{Acked, Faults, Ledger, Line, What};
use crate::stamp::Stamp;

fn stamp(counter: u32) -> Stamp {
    Stamp { speaker: 0, counter }
}

/// Entry `seq` holds message `seq`, which keeps the tests readable.
fn line(seq: i64) -> Line {
    Line { seq, what: What::Message(stamp(seq as u32)) }
}

fn acked(seqs: impl IntoIterator<Item = i64>) -> Vec<Acked> {
    seqs.into_iter().map(|seq| Acked { seq, stamp: stamp(seq as u32) }).collect()
}

fn ledger_of(base: i64, seqs: &[i64]) -> Ledger {
    let mut ledger = Ledger::after(base);
    for &seq in seqs {
        ledger.note(line(seq));
    }
    ledger
}

#[test]
fn a_contiguous_log_is_clean() {
    let ledger = ledger_of(5, &[6, 7, 8]);
    assert_eq!(ledger.last(), 8);
    assert!(ledger.verdict(&acked(6..=8)).is_clean());
}

#[test]
fn an_entry_that_was_never_acknowledged_is_no_fault() {
    assert!(ledger_of(0, &[1, 2, 3]).verdict(&acked([1, 3])).is_clean());
}

#[test]
fn a_hole_is_lost_even_when_nobody_was_told_of_it() {
    let faults = ledger_of(0, &[1, 2, 4]).verdict(&acked([1, 2, 4]));
    assert_eq!(faults, Faults { lost: 1, ..Faults::default() });
}

#[test]
fn an_acknowledged_tail_that_never_came_is_lost() {
    let faults = ledger_of(0, &[1]).verdict(&acked(1..=4));
    assert_eq!(faults, Faults { lost: 3, ..Faults::default() });
}

#[test]
fn nothing_received_is_everything_lost() {
    let faults = Ledger::after(10).verdict(&acked([11, 12]));
    assert_eq!(faults, Faults { lost: 2, ..Faults::default() });
}

#[test]
fn a_second_copy_is_a_double() {
    let faults = ledger_of(0, &[1, 2, 2, 1, 3]).verdict(&acked(1..=3));
    assert_eq!(faults, Faults { doubled: 2, ..Faults::default() });
}

#[test]
fn an_entry_known_before_subscribing_is_a_double() {
    let faults = ledger_of(3, &[3, 4]).verdict(&acked([4]));
    assert_eq!(faults, Faults { doubled: 1, ..Faults::default() });
}

#[test]
fn a_late_entry_is_out_of_order_and_not_lost() {
    let faults = ledger_of(0, &[1, 3, 2]).verdict(&acked(1..=3));
    assert_eq!(faults, Faults { out_of_order: 1, ..Faults::default() });
}

#[test]
fn a_message_stored_under_two_numbers_is_a_double() {
    let mut ledger = ledger_of(0, &[1]);
    assert!(ledger.note(Line { seq: 2, what: What::Message(stamp(1)) }));
    assert_eq!(ledger.verdict(&acked([1])), Faults { doubled: 1, ..Faults::default() });
}

#[test]
fn an_acknowledged_number_with_another_message_is_altered() {
    let acks = [Acked { seq: 1, stamp: stamp(1) }, Acked { seq: 2, stamp: stamp(9) }];
    assert_eq!(ledger_of(0, &[1, 2]).verdict(&acks), Faults { altered: 1, ..Faults::default() });
}

#[test]
fn a_text_nobody_sent_is_altered_once() {
    let mut ledger = Ledger::after(0);
    ledger.note(Line { seq: 1, what: What::Foreign });
    assert_eq!(ledger.verdict(&acked([1])), Faults { altered: 1, ..Faults::default() });
}

#[test]
fn a_number_acknowledged_from_before_the_run_is_altered() {
    assert_eq!(ledger_of(5, &[]).verdict(&acked([4])), Faults { altered: 1, ..Faults::default() });
}

#[test]
fn an_absurd_number_is_counted_and_sizes_no_table() {
    let mut ledger = ledger_of(0, &[1]);
    assert!(!ledger.note(line(1 << 52)));
    assert_eq!(ledger.last(), 1);
    assert_eq!(ledger.verdict(&acked([1])), Faults { altered: 1, ..Faults::default() });
}

#[test]
fn entries_that_are_no_messages_keep_their_numbers() {
    let mut ledger = ledger_of(0, &[1]);
    ledger.note(Line { seq: 2, what: What::Other });
    ledger.note(line(3));
    assert!(ledger.verdict(&acked([1, 3])).is_clean());
}
