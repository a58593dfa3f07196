//! Our own messages from the keystroke to the log.

use tertulia_protocol::{Change, Code, Epoch, Refusal, Seq};

use super::super::{RowId, RowState, Timeline};
use super::{ANA, ME, NOON, entry, epoch, key, pending, posted, talk, timeline, words};

fn refusal() -> Refusal {
    Refusal::new(Code::TooLong, "too long")
}

fn with_pending(numbers: &[i64]) -> Timeline {
    let mut timeline = timeline(&talk(1..=1));
    for number in numbers {
        timeline.pend(pending(*number));
    }
    timeline
}

#[test]
fn own_messages_are_last_in_the_order_they_were_made() {
    let mut timeline = with_pending(&[9, 8]);
    timeline.apply(&talk(2..=3));
    assert_eq!(words(&timeline), ["1", "2", "3", "9?", "8?"]);
    assert!(timeline.rows()[3].mine);
}

#[test]
fn an_entry_replaces_its_pending_row_and_keeps_its_id() {
    let mut timeline = with_pending(&[2, 9]);
    let id = timeline.rows()[1].id.clone();
    timeline.apply(&[posted(2, ME)]);
    assert_eq!(words(&timeline), ["1", "2", "9?"]);
    assert_eq!((&timeline.rows()[1].id, &id), (&RowId::Key(ME, key(2)), &id));
    assert_eq!(timeline.rows()[1].state, RowState::Confirmed { seq: Seq(2) });
}

#[test]
fn somebody_elses_key_replaces_nothing() {
    let mut timeline = with_pending(&[2]);
    timeline.apply(&[posted(2, ANA)]);
    assert_eq!(words(&timeline), ["1", "2", "2?"]);
}

#[test]
fn an_ack_before_the_entry_leaves_the_row_pending_with_the_servers_time() {
    let mut timeline = with_pending(&[2]);
    timeline.acked(key(2), Seq(2), NOON + 5);
    assert_eq!(words(&timeline), ["1", "2?"]);
    assert_eq!(timeline.rows()[1].at, NOON + 5);
    timeline.apply(&[posted(2, ME)]);
    assert_eq!(words(&timeline), ["1", "2"]);
}

#[test]
fn an_ack_after_the_entry_changes_nothing() {
    let mut timeline = with_pending(&[2]);
    timeline.apply(&[posted(2, ME)]);
    let before = timeline.rows().to_vec();
    timeline.acked(key(2), Seq(2), NOON + 5);
    assert_eq!(timeline.rows(), before);
}

#[test]
fn an_ack_for_an_entry_before_the_window_drops_the_row() {
    let mut timeline = timeline(&talk(10..=11));
    timeline.pend(pending(3));
    timeline.acked(key(3), Seq(3), NOON);
    assert_eq!(words(&timeline), ["10", "11"]);
}

#[test]
fn an_acked_row_goes_when_the_log_is_known_that_far_without_it() {
    let mut timeline = with_pending(&[8, 9]);
    timeline.acked(key(8), Seq(40), NOON);
    timeline.acked(key(9), Seq(60), NOON);
    timeline.reset(epoch(), Seq(50));
    assert_eq!(words(&timeline), ["9?"], "entry 40 is history; entry 60 will come");
}

#[test]
fn an_acked_row_goes_with_its_number_even_when_the_entry_cannot_be_shown() {
    let mut timeline = with_pending(&[8, 9]);
    timeline.acked(key(8), Seq(2), NOON);
    timeline.acked(key(9), Seq(3), NOON);
    timeline.apply(&[entry(2, ME, Change::illegible())]);
    assert_eq!(words(&timeline), ["1", "9?"], "entry 3 may still be the other one");
    timeline.reset(epoch(), Seq(3));
    assert!(words(&timeline).is_empty());
}

#[test]
fn acks_of_another_store_are_void() {
    let mut timeline = with_pending(&[8, 9]);
    timeline.acked(key(8), Seq(60), NOON);
    timeline.reset(Epoch("second".to_owned()), Seq(0));
    assert_eq!(words(&timeline), ["9?"]);
}

#[test]
fn a_pending_row_that_an_older_page_holds_is_replaced() {
    let mut timeline = timeline(&talk(10..=11));
    timeline.pend(pending(9));
    timeline.prepend(Seq(10), &[posted(9, ME)]);
    assert_eq!(words(&timeline), ["9", "10", "11"]);
}

#[test]
fn what_is_there_is_not_made_pending_again() {
    let mut timeline = timeline(&[posted(1, ME)]);
    timeline.pend(pending(1));
    timeline.pend(pending(9));
    timeline.pend(pending(9));
    assert_eq!(words(&timeline), ["1", "9?"]);
}

#[test]
fn a_failed_row_stays_in_its_place_until_it_is_retried_or_discarded() {
    let mut timeline = with_pending(&[7, 8, 9]);
    timeline.failed(key(7), refusal());
    timeline.failed(key(8), refusal());
    assert_eq!(timeline.rows()[1].state, RowState::Failed { refusal: refusal() });
    timeline.apply(&talk(2..=2));
    assert_eq!(words(&timeline), ["1", "2", "7!", "8!", "9?"]);
    timeline.retried(key(7));
    timeline.discarded(key(8));
    assert_eq!(words(&timeline), ["1", "2", "7?", "9?"]);
}

#[test]
fn a_failed_row_whose_entry_comes_was_stored_after_all() {
    let mut timeline = with_pending(&[2]);
    timeline.failed(key(2), refusal());
    timeline.apply(&[posted(2, ME)]);
    assert_eq!(words(&timeline), ["1", "2"]);
}

#[test]
fn a_failure_after_the_ack_is_not_believed() {
    let mut timeline = with_pending(&[8, 9]);
    timeline.acked(key(8), Seq(8), NOON);
    timeline.failed(key(8), refusal());
    timeline.failed(key(9), refusal());
    timeline.acked(key(9), Seq(9), NOON);
    assert_eq!(words(&timeline), ["1", "8?", "9?"]);
}

#[test]
fn keys_that_no_row_has_are_ignored() {
    let mut timeline = with_pending(&[9]);
    let before = timeline.rows().to_vec();
    timeline.acked(key(1), Seq(1), NOON);
    timeline.failed(key(1), refusal());
    timeline.retried(key(77));
    timeline.discarded(key(1));
    assert_eq!(timeline.rows(), before);
}
