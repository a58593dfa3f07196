//! What entries make of the rows.

use std::sync::Arc;

use tertulia_protocol::{Change, Entry, Seq};

use super::super::{Applied, Note, Reaction, RowId, Timeline, What};
use super::{ANA, BEN, ME, deleted, edited, entry, key, person, posted, reacted, talk, timeline, unreacted, words};

fn reactions(timeline: &Timeline, row: usize) -> Vec<(String, Vec<i64>)> {
    let What::Message { reactions, .. } = &timeline.rows()[row].what else { panic!("row {row} is no message") };
    let plain = |reaction: &Reaction| (reaction.emoji.clone(), reaction.by.iter().map(|who| who.0).collect());
    reactions.iter().map(plain).collect()
}

#[test]
fn successors_are_applied_and_known_entries_dropped() {
    let mut timeline = timeline(&talk(1..=3));
    assert_eq!(timeline.apply(&talk(2..=3)), Applied::Nothing);
    assert_eq!(timeline.apply(&talk(2..=5)), Applied::Changed);
    assert_eq!(words(&timeline), ["1", "2", "3", "4", "5"]);
    assert_eq!(timeline.position().seq, Seq(5));
    assert_eq!(timeline.apply(&[]), Applied::Nothing);
}

#[test]
fn at_a_hole_what_fits_is_applied_and_the_gap_is_named() {
    let mut timeline = timeline(&talk(1..=2));
    let mut holed = talk(3..=6);
    holed.remove(1);
    assert_eq!(timeline.apply(&holed), Applied::Gap { after: Seq(3) });
    assert_eq!(words(&timeline), ["1", "2", "3"]);
    assert_eq!(timeline.apply(&talk(5..=6)), Applied::Gap { after: Seq(3) }, "asking again gives the same answer");
    assert_eq!(timeline.apply(&talk(4..=6)), Applied::Changed);
    assert_eq!(words(&timeline), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn an_edit_changes_the_text_and_keeps_the_rest() {
    let mut timeline = timeline(&[posted(1, ANA)]);
    timeline.apply(&[reacted(2, BEN, 1, "👍"), edited(3, ANA, 1, "better")]);
    let What::Message { body, edited, reply_to, .. } = &timeline.rows()[0].what else { panic!("no message") };
    assert_eq!((body.as_str(), *edited, *reply_to), ("better", true, None));
    assert_eq!(reactions(&timeline, 0), [("👍".to_owned(), vec![3])]);
    assert_eq!(timeline.rows()[0].id, RowId::Key(ANA, key(1)), "an edit does not change who a row is");
}

#[test]
fn only_the_author_edits_and_deletes() {
    let mut timeline = timeline(&[posted(1, ANA)]);
    let before = Arc::clone(&timeline.rows()[0]);
    assert_eq!(timeline.apply(&[edited(2, BEN, 1, "mine now"), deleted(3, BEN, 1)]), Applied::Changed);
    assert!(Arc::ptr_eq(&before, &timeline.rows()[0]));
    timeline.apply(&[deleted(4, ANA, 1)]);
    assert_eq!(words(&timeline), ["-"]);
}

#[test]
fn a_deleted_message_stays_deleted_whatever_follows() {
    let mut timeline = timeline(&[posted(1, ANA), deleted(2, ANA, 1)]);
    timeline.apply(&[edited(3, ANA, 1, "back"), reacted(4, BEN, 1, "👍")]);
    assert_eq!(timeline.rows()[0].what, What::Deleted);
}

#[test]
fn reactions_are_sets_in_the_order_they_came() {
    let mut timeline = timeline(&[posted(1, ANA)]);
    timeline.apply(&[
        reacted(2, BEN, 1, "👍"),
        reacted(3, ANA, 1, "❤"),
        reacted(4, ANA, 1, "👍"),
        reacted(5, BEN, 1, "👍"),
    ]);
    assert_eq!(reactions(&timeline, 0), [("👍".to_owned(), vec![3, 2]), ("❤".to_owned(), vec![2])]);
    timeline.apply(&[unreacted(6, BEN, 1, "👍"), unreacted(7, BEN, 1, "❤"), unreacted(8, BEN, 1, "🦆")]);
    assert_eq!(reactions(&timeline, 0), [("👍".to_owned(), vec![2]), ("❤".to_owned(), vec![2])]);
    timeline.apply(&[unreacted(9, ANA, 1, "👍")]);
    assert_eq!(reactions(&timeline, 0), [("❤".to_owned(), vec![2])]);
}

#[test]
fn changes_of_what_is_no_message_change_nothing() {
    let mut timeline = timeline(&[entry(1, ANA, Change::Created), posted(2, ANA)]);
    let before = timeline.rows().to_vec();
    timeline.apply(&[edited(3, ANA, 1, "x"), deleted(4, ANA, 1), reacted(5, ANA, 4, "👍"), reacted(6, ANA, 99, "👍")]);
    assert_eq!(timeline.rows(), before);
    assert_eq!(timeline.position().seq, Seq(6));
}

#[test]
fn an_unknown_entry_moves_the_position_only() {
    let mut timeline = timeline(&talk(1..=1));
    assert_eq!(timeline.apply(&[entry(2, ANA, Change::illegible())]), Applied::Changed);
    assert_eq!(words(&timeline), ["1"]);
    assert_eq!(timeline.apply(&[posted(3, ANA)]), Applied::Changed);
    assert_eq!(words(&timeline), ["1", "3"]);
}

#[test]
fn what_happens_in_the_room_becomes_a_note() {
    let text = |text: &str| text.to_owned();
    let changes = [
        (Change::Created, Note::Created),
        (Change::Joined, Note::Joined),
        (Change::Left, Note::Left),
        (Change::Renamed { name: text("Hall") }, Note::Renamed { name: text("Hall") }),
        (Change::TopicSet { topic: text("tea") }, Note::Topic { topic: text("tea") }),
        (Change::Removed { who: person(BEN) }, Note::Removed { who: person(BEN) }),
    ];
    let entries: Vec<Entry> = (1..).zip(&changes).map(|(seq, (change, _))| entry(seq, ANA, change.clone())).collect();
    let mut timeline = timeline(&[]);
    timeline.apply(&entries);
    let notes: Vec<What> = timeline.rows().iter().map(|row| row.what.clone()).collect();
    assert_eq!(notes, changes.map(|(_, note)| What::Note(note)));
    assert_eq!(timeline.rows()[2].id, RowId::Entry(Seq(3)));
    assert_eq!((timeline.room().name.as_str(), timeline.room().topic.as_str()), ("Hall", "tea"));
}

#[test]
fn the_rooms_name_is_the_snapshots_until_newer_entries_change_it() {
    let renamed = |seq, name: &str| entry(seq, ANA, Change::Renamed { name: name.to_owned() });
    let mut timeline = timeline(&[renamed(1, "Old"), posted(2, ANA)]);
    assert_eq!(timeline.room().name, "Lobby", "the snapshot's room is newer than its entries");
    timeline.apply(&[renamed(3, "New")]);
    assert_eq!(timeline.room().name, "New");
}

#[test]
fn a_row_is_mine_when_i_caused_it() {
    let timeline = timeline(&[posted(1, ANA), posted(2, ME)]);
    assert_eq!(timeline.rows().iter().map(|row| row.mine).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn pointers_of_untouched_rows_stay() {
    let mut timeline = timeline(&talk(1..=3));
    let before = timeline.rows().to_vec();
    timeline.apply(&[edited(4, ANA, 2, "other"), posted(5, BEN)]);
    let same: Vec<bool> = before.iter().zip(timeline.rows()).map(|(old, new)| Arc::ptr_eq(old, new)).collect();
    assert_eq!(same, [true, false, true]);
}

#[test]
fn a_message_without_a_key_is_known_by_its_number() {
    let mut bare = posted(1, ANA);
    bare.key = None;
    let timeline = timeline(&[bare, posted(2, ANA)]);
    assert_eq!(timeline.rows()[0].id, RowId::Entry(Seq(1)));
    assert_eq!(timeline.rows()[1].id, RowId::Key(ANA, key(2)));
}

#[test]
fn dom_ids_name_each_kind_of_row() {
    assert_eq!(RowId::Entry(Seq(42)).dom_id(), "e-42");
    assert_eq!(RowId::Presence(3).dom_id(), "p-3");
    assert_eq!(RowId::Key(ANA, key(255)).dom_id(), "m-2-00000000-0000-7000-8000-0000000000ff");
}
