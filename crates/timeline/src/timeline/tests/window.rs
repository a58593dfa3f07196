//! The window: what is held of the log, older pages, trimming, starting afresh.

use std::sync::Arc;

use tertulia_protocol::{Change, Epoch, Seq, Snapshot};

use super::super::{Applied, Timeline};
use super::{
    ANA, BEN, ME, deleted, edited, entry, epoch, pending, person, posted, reacted, room, snapshot, talk, timeline,
    words,
};

#[test]
fn a_snapshot_is_held_at_its_position() {
    let timeline = timeline(&talk(4..=6));
    assert_eq!(words(&timeline), ["4", "5", "6"]);
    assert_eq!(timeline.position(), snapshot(&talk(4..=6)).position());
    assert_eq!((timeline.oldest(), timeline.at_beginning()), (Seq(4), false));
}

#[test]
fn an_empty_log_is_at_its_beginning() {
    let empty = timeline(&[]);
    assert_eq!((empty.oldest(), empty.at_beginning()), (Seq(1), true));
    assert!(timeline(&talk(1..=2)).at_beginning());
}

#[test]
fn a_snapshot_that_contradicts_itself_is_believed_as_far_as_its_entries_go() {
    let mut holed = talk(1..=6);
    holed.remove(2);
    let snapshot = Snapshot { seq: Seq(9), ..snapshot(&holed) };
    let mut timeline = Timeline::new(&snapshot, ME);
    assert_eq!(words(&timeline), ["4", "5", "6"]);
    assert_eq!((timeline.oldest(), timeline.position().seq), (Seq(4), Seq(6)));
    assert_eq!(timeline.apply(&talk(7..=7)), Applied::Changed);
}

#[test]
fn a_page_is_put_in_front_only_where_it_fits() {
    let mut timeline = timeline(&talk(5..=6));
    assert!(!timeline.prepend(Seq(4), &talk(2..=3)), "asked for another place");
    assert!(!timeline.prepend(Seq(5), &talk(2..=3)), "ends too early");
    assert!(!timeline.prepend(Seq(5), &talk(3..=5)), "overlaps");
    assert_eq!(words(&timeline), ["5", "6"]);
    assert!(timeline.prepend(Seq(5), &talk(3..=4)));
    assert!(!timeline.prepend(Seq(5), &talk(3..=4)), "the same page again");
    assert!(timeline.prepend(Seq(3), &talk(1..=2)));
    assert_eq!(words(&timeline), ["1", "2", "3", "4", "5", "6"]);
    assert!(timeline.at_beginning());
    assert!(!timeline.prepend(Seq(1), &[]), "nothing comes before the first");
    assert_eq!(timeline.position().seq, Seq(6), "pages do not move the position");
}

#[test]
fn an_empty_page_says_that_nothing_older_exists() {
    let mut timeline = timeline(&talk(5..=6));
    assert!(!timeline.at_beginning());
    assert!(timeline.prepend(Seq(5), &[]));
    assert!(timeline.at_beginning());
    timeline.reset(epoch(), Seq(8));
    assert!(!timeline.at_beginning(), "a reset knows nothing of the old log");
}

#[test]
fn changes_seen_before_their_message_are_folded_when_it_comes() {
    let changes = [
        edited(3, ANA, 1, "newer"),
        reacted(4, BEN, 1, "👍"),
        deleted(5, ANA, 2),
        edited(6, ANA, 1, "newest"),
        posted(7, BEN),
    ];
    let mut timeline = timeline(&changes);
    assert_eq!(words(&timeline), ["7"]);
    timeline.prepend(Seq(3), &talk(1..=2));
    assert_eq!(words(&timeline), ["newest", "-", "7"]);
    let whole: Vec<_> = talk(1..=2).into_iter().chain(changes).collect();
    assert_eq!(timeline.rows(), Timeline::new(&snapshot(&whole), ME).rows());
}

#[test]
fn an_older_page_does_not_undo_a_newer_edit() {
    let mut timeline = timeline(&[edited(4, ANA, 1, "second"), posted(5, BEN)]);
    timeline.prepend(Seq(4), &[posted(1, ANA), posted(2, BEN), edited(3, ANA, 1, "first")]);
    assert_eq!(words(&timeline), ["second", "2", "5"]);
}

#[test]
fn trimming_forgets_the_oldest_rows_and_a_page_brings_them_back_as_they_were() {
    let mut log = talk(1..=6);
    log.extend([edited(7, ANA, 2, "edited"), deleted(8, ANA, 3)]);
    let mut timeline = timeline(&log);
    let whole = timeline.rows().to_vec();
    assert!(!timeline.trim_to(6), "premise: six rows are held");
    assert!(timeline.trim_to(2));
    assert_eq!(words(&timeline), ["5", "6"]);
    assert_eq!((timeline.oldest(), timeline.position().seq, timeline.at_beginning()), (Seq(5), Seq(8), false));
    assert!(timeline.rows()[0].new_day, "the first row held begins its day");
    assert!(timeline.prepend(Seq(5), &log[..4]));
    assert_eq!(timeline.rows(), whole);
    assert!(timeline.at_beginning());
}

#[test]
fn trimming_never_forgets_unconfirmed_rows() {
    let mut timeline = timeline(&talk(1..=3));
    timeline.pend(pending(8));
    timeline.pend(pending(9));
    assert!(timeline.trim_to(1));
    assert_eq!(words(&timeline), ["8?", "9?"]);
    assert!(!timeline.trim_to(1));
    assert_eq!(timeline.apply(&talk(4..=4)), Applied::Changed);
    assert_eq!(words(&timeline), ["4", "8?", "9?"]);
}

#[test]
fn changes_of_messages_are_bounded_with_the_rows() {
    let mut timeline = timeline(&talk(1..=2));
    let reactions: Vec<_> = (3..=40).map(|seq| reacted(seq, ANA, 1, &format!("emoji {seq}"))).collect();
    timeline.apply(&reactions);
    timeline.apply(&talk(41..=41));
    assert!(timeline.trim_to(3), "three rows fit, their 38 changes do not");
    assert_eq!(timeline.sides.len(), 24);
    assert_eq!((words(&timeline), timeline.oldest()), (vec!["41".to_owned()], Seq(17)));
    let page: Vec<_> = talk(1..=2).into_iter().chain(reactions[..14].to_vec()).collect();
    assert!(timeline.prepend(Seq(17), &page));
    let whole: Vec<_> = talk(1..=2).into_iter().chain(reactions).chain(talk(41..=41)).collect();
    assert_eq!(timeline.rows(), Timeline::new(&snapshot(&whole), ME).rows());
}

#[test]
fn edits_that_a_later_one_replaces_are_not_kept() {
    let mut timeline = timeline(&talk(1..=1));
    timeline.apply(&(2..=50).map(|seq| edited(seq, ANA, 1, "again")).collect::<Vec<_>>());
    assert_eq!(timeline.sides.len(), 1);
    timeline.apply(&[edited(51, BEN, 1, "not mine"), deleted(52, ANA, 1)]);
    assert_eq!(timeline.sides.len(), 2, "Ben's own and Ana's delete: her text is gone from memory");
}

#[test]
fn a_reset_forgets_what_is_confirmed_and_keeps_what_is_ours() {
    let mut timeline = timeline(&talk(1..=3));
    timeline.note_presence(&[person(BEN)], &[], 0);
    timeline.pend(pending(9));
    timeline.reset(epoch(), Seq(50));
    assert_eq!(words(&timeline), ["9?"]);
    assert_eq!((timeline.oldest(), timeline.position().seq), (Seq(51), Seq(50)));
    assert_eq!(timeline.apply(&talk(52..=52)), Applied::Gap { after: Seq(50) });
    assert_eq!(timeline.apply(&talk(51..=52)), Applied::Changed);
    assert_eq!(words(&timeline), ["51", "52", "9?"]);
    assert!(timeline.prepend(Seq(51), &talk(49..=50)));
}

#[test]
fn a_reset_takes_the_new_epoch() {
    let mut timeline = timeline(&talk(1..=3));
    timeline.reset(Epoch("second".to_owned()), Seq(1));
    assert_eq!(timeline.position().epoch, Epoch("second".to_owned()));
    assert_eq!(timeline.apply(&talk(2..=2)), Applied::Changed);
    assert_eq!(words(&timeline), ["2"]);
}

#[test]
fn an_older_page_is_read_only_until_a_reset() {
    let mut timeline = Timeline::with_entries(room(), epoch(), Seq(20), &talk(5..=7), ME);
    assert_eq!((timeline.oldest(), timeline.position().seq), (Seq(5), Seq(20)));
    assert_eq!(timeline.apply(&talk(21..=21)), Applied::Nothing);
    assert_eq!(words(&timeline), ["5", "6", "7"]);
    assert!(timeline.prepend(Seq(5), &talk(4..=4)));
    timeline.reset(epoch(), Seq(20));
    assert_eq!(timeline.apply(&talk(21..=21)), Applied::Changed);
}

#[test]
fn absurd_numbers_do_no_harm() {
    let mut timeline = timeline(&[entry(i64::MAX, ANA, Change::Created)]);
    assert_eq!(
        timeline.apply(&[entry(i64::MIN, ANA, Change::Left), entry(i64::MAX, ANA, Change::Left)]),
        Applied::Nothing
    );
    timeline.trim_to(0);
    timeline.reset(epoch(), Seq(i64::MAX));
    timeline.reset(epoch(), Seq(i64::MIN));
    assert!(!timeline.prepend(Seq(i64::MIN), &[entry(i64::MIN, ANA, Change::Left)]));
    timeline.set_utc_offset(i32::MIN);
    timeline.apply(&[entry(i64::MIN + 1, ANA, Change::Created)]);
    timeline.apply(&[posted(i64::MIN + 2, ANA)].map(|entry| tertulia_protocol::Entry { at: i64::MAX, ..entry }));
    assert_eq!(timeline.rows().len(), 2);
}

#[test]
fn a_clone_shares_its_rows() {
    let timeline = timeline(&talk(1..=2));
    let copy = timeline.clone();
    assert!(timeline.rows().iter().zip(copy.rows()).all(|(one, other)| Arc::ptr_eq(one, other)));
}
