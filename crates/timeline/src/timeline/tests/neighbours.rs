//! What a row looks like beside others: groups, days, and the quiet lines of presence between them.

use std::sync::Arc;

use tertulia_protocol::{Change, Entry, Person, UserId};

use super::super::{Note, Timeline, What};
use super::{ANA, BEN, DAY, ME, MINUTE, NOON, deleted, entry, pending, person, posted, talk, timeline, words};

fn said(seq: i64, by: UserId, at: i64) -> Entry {
    Entry { at, ..posted(seq, by) }
}

fn joined(timeline: &Timeline) -> Vec<bool> {
    timeline.rows().iter().map(|row| row.joined).collect()
}

fn new_days(timeline: &Timeline) -> Vec<bool> {
    timeline.rows().iter().map(|row| row.new_day).collect()
}

fn line(timeline: &Timeline, row: usize) -> (Vec<i64>, Vec<i64>) {
    let What::Note(Note::Presence { joined, left }) = &timeline.rows()[row].what else {
        panic!("row {row} is no line")
    };
    let ids = |people: &[Person]| people.iter().map(|person| person.id.0).collect();
    (ids(joined), ids(left))
}

#[test]
fn messages_of_one_author_within_five_minutes_are_joined() {
    let at = [0, 5 * MINUTE, 10 * MINUTE + 1, 10 * MINUTE + 2].map(|after| NOON + after);
    let timeline = timeline(&[said(1, ANA, at[0]), said(2, ANA, at[1]), said(3, ANA, at[2]), said(4, BEN, at[3])]);
    assert_eq!(joined(&timeline), [false, true, false, false]);
}

#[test]
fn only_messages_are_joined() {
    let timeline =
        timeline(&[entry(1, ANA, Change::Joined), posted(2, ANA), posted(3, ANA), entry(4, ANA, Change::Left)]);
    assert_eq!(joined(&timeline), [false, false, true, false]);
}

#[test]
fn a_deleted_message_ends_its_group() {
    let mut timeline = timeline(&talk(1..=3));
    assert_eq!(joined(&timeline), [false, true, true]);
    timeline.apply(&[deleted(4, ANA, 2)]);
    assert_eq!(joined(&timeline), [false, false, false]);
}

#[test]
fn a_day_begins_with_its_first_row_and_separates_groups() {
    let midnight = NOON + DAY / 2;
    let timeline = timeline(&[said(1, ANA, midnight - 1), said(2, ANA, midnight), said(3, ANA, midnight + 1)]);
    assert_eq!(new_days(&timeline), [true, true, false]);
    assert_eq!(joined(&timeline), [false, false, true]);
}

#[test]
fn days_follow_the_readers_offset() {
    let midnight = NOON + DAY / 2;
    let mut timeline = timeline(&[said(1, ANA, midnight - MINUTE), said(2, ANA, midnight)]);
    assert_eq!(new_days(&timeline), [true, true], "in UTC");
    timeline.set_utc_offset(60);
    assert_eq!(new_days(&timeline), [true, false]);
    timeline.set_utc_offset(-60);
    assert_eq!((new_days(&timeline), joined(&timeline)), (vec![true, false], vec![false, true]));
}

#[test]
fn a_day_begins_once_even_when_clocks_disagree() {
    let midnight = NOON + DAY / 2;
    let times = [midnight - 2, midnight, midnight - 1, midnight + 1];
    let entries: Vec<Entry> = (1..).zip(times).map(|(seq, at)| said(seq, ANA, at)).collect();
    assert_eq!(new_days(&timeline(&entries)), [true, true, false, false]);
}

#[test]
fn an_older_page_joins_what_was_first() {
    let mut timeline = timeline(&talk(3..=4));
    assert_eq!((joined(&timeline), new_days(&timeline)), (vec![false, true], vec![true, false]));
    let last = Arc::clone(&timeline.rows()[1]);
    timeline.prepend(tertulia_protocol::Seq(3), &talk(2..=2));
    assert_eq!((joined(&timeline), new_days(&timeline)), (vec![false, true, true], vec![true, false, false]));
    assert!(Arc::ptr_eq(&last, &timeline.rows()[2]), "its neighbours did not change");
}

#[test]
fn own_pending_messages_are_joined_too() {
    let mut timeline = timeline(&[posted(1, ME)]);
    timeline.pend(pending(8));
    timeline.pend(pending(9));
    assert_eq!(joined(&timeline), [false, true, true]);
    timeline.discarded(super::key(8));
    assert_eq!(joined(&timeline), [false, true]);
}

#[test]
fn presence_is_a_line_after_what_is_confirmed_and_before_what_is_ours() {
    let mut timeline = timeline(&talk(1..=1));
    timeline.pend(pending(9));
    timeline.note_presence(&[person(BEN)], &[], NOON);
    assert_eq!(words(&timeline), ["1", "*", "9?"]);
    assert_eq!(line(&timeline, 1), (vec![3], vec![]));
    assert_eq!(timeline.rows()[1].by, person(BEN));
    timeline.apply(&[posted(2, ANA)]);
    assert_eq!(words(&timeline), ["1", "*", "2", "9?"]);
    assert_eq!(joined(&timeline), [false, false, false, false], "the line stands between Ana's messages");
}

#[test]
fn presence_merges_into_the_last_line_and_cancels_out() {
    let carla = UserId(4);
    let mut timeline = timeline(&talk(1..=1));
    timeline.note_presence(&[], &[person(BEN)], NOON);
    let id = timeline.rows()[1].id.clone();
    timeline.note_presence(&[person(carla), person(carla)], &[], NOON);
    assert_eq!((line(&timeline, 1), timeline.rows().len()), ((vec![4], vec![3]), 2));
    timeline.note_presence(&[person(BEN)], &[], NOON);
    assert_eq!((line(&timeline, 1), &timeline.rows()[1].id), ((vec![4], vec![]), &id));
    assert_eq!(timeline.rows()[1].by, person(carla));
    timeline.note_presence(&[], &[person(carla)], NOON);
    assert_eq!(words(&timeline), ["1"], "a line that names nobody goes");
    timeline.note_presence(&[person(BEN)], &[], NOON);
    assert_ne!(timeline.rows()[1].id, id, "a new line is a new row");
}

#[test]
fn a_new_entry_ends_the_line() {
    let mut timeline = timeline(&[]);
    timeline.note_presence(&[person(BEN)], &[], NOON);
    timeline.apply(&[posted(1, ANA)]);
    timeline.note_presence(&[], &[person(BEN)], NOON);
    assert_eq!(words(&timeline), ["*", "1", "*"]);
    assert_eq!((line(&timeline, 0), line(&timeline, 2)), ((vec![3], vec![]), (vec![], vec![3])));
}

#[test]
fn who_looks_is_left_out_of_presence() {
    let mut timeline = timeline(&talk(1..=1));
    timeline.note_presence(&[person(ME)], &[person(ME)], NOON);
    timeline.note_presence(&[], &[], NOON);
    timeline.note_presence(&[person(BEN)], &[person(BEN)], NOON);
    assert_eq!(words(&timeline), ["1"]);
}

#[test]
fn a_line_names_a_bounded_number_of_people() {
    let mut timeline = timeline(&[]);
    for id in 10..=110 {
        timeline.note_presence(&[person(UserId(id))], &[], NOON);
    }
    assert_eq!(timeline.rows().len(), 2);
    assert_eq!(line(&timeline, 0).0.len(), 100);
    assert_eq!(line(&timeline, 1).0, [110]);
}

#[test]
fn trimming_counts_lines_and_pages_go_before_them() {
    let mut timeline = timeline(&talk(1..=2));
    timeline.note_presence(&[person(BEN)], &[], NOON);
    timeline.apply(&talk(3..=3));
    assert!(timeline.trim_to(2));
    assert_eq!(
        (words(&timeline), timeline.oldest()),
        (vec!["*".to_owned(), "3".to_owned()], tertulia_protocol::Seq(3))
    );
    timeline.prepend(tertulia_protocol::Seq(3), &talk(1..=2));
    assert_eq!(words(&timeline), ["1", "2", "*", "3"]);
}
