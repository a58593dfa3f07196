//! A room with a hole in it.

use leptos::prelude::*;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, RoomInfo, Seq, Snapshot, UserId};
use tertulia_timeline::{Pending, RowId};

use super::OpenRoom;
use crate::api::Visit;

fn ana() -> Person {
    Person { id: UserId(1), name: "Ana".to_owned() }
}

fn entries(from: i64, to: i64) -> Vec<Entry> {
    let entry = |seq| Entry {
        seq: Seq(seq),
        at: seq,
        by: ana(),
        key: None,
        change: Change::Posted { body: seq.to_string(), reply_to: None },
    };
    (from..=to).map(entry).collect()
}

/// A room whose first entry is known.
fn room() -> OpenRoom {
    let room = RoomInfo { id: RoomId(1), slug: "chat".into(), name: "Chat".into(), topic: String::new() };
    let snapshot = Snapshot { room, epoch: Epoch("e".to_owned()), seq: Seq(1), entries: entries(1, 1) };
    OpenRoom::new(&Visit {
        you: ana(),
        rooms: Vec::new(),
        snapshot,
        older: None,
        online: Vec::new(),
        online_count: 0,
        bus: tertulia_protocol::BusState::Live,
        instance: String::new(),
        stocks: false,
        cluster: false,
        form_key: String::new(),
    })
}

#[test]
fn a_hole_larger_than_a_page_is_asked_for_page_by_page_until_it_is_closed() {
    Owner::new().with(|| {
        let room = room();
        assert_eq!(room.apply(&entries(1_000, 1_000)), Some(Seq(1)), "premise: a hole");
        assert_eq!(room.apply(&entries(1_001, 1_001)), None, "one answer is on its way");
        assert_eq!(room.apply(&entries(2, 501)), Some(Seq(501)), "the answer was one page of it");
        assert_eq!(room.apply(&entries(502, 999)), Some(Seq(999)), "of what came beyond nothing is kept");
        assert_eq!(room.apply(&entries(1_000, 1_001)), None, "closed");
        assert!(!room.is_behind());
    });
}

#[test]
fn pages_that_the_server_sends_by_itself_are_not_asked_for_again() {
    Owner::new().with(|| {
        let room = room();
        room.falls_behind();
        room.must_reach(Seq(1_200));
        assert_eq!(room.apply(&entries(2, 501)), None);
        assert_eq!(room.apply(&entries(502, 1_001)), None);
        assert!(room.is_behind(), "premise: more is on its way");
    });
}

#[test]
fn it_is_known_how_many_are_missing_until_they_are_here() {
    Owner::new().with(|| {
        let room = room();
        room.falls_behind();
        assert_eq!((room.is_behind(), room.behind.missing.get_untracked()), (true, 0), "not known yet");
        room.must_reach(Seq(201));
        assert_eq!(room.behind.missing.get_untracked(), 200);
        room.apply(&entries(2, 151));
        assert_eq!(room.behind.missing.get_untracked(), 50);
        room.apply(&entries(152, 201));
        assert_eq!((room.is_behind(), room.behind.missing.get_untracked()), (false, 0));
    });
}

#[test]
fn after_a_reset_the_room_is_that_of_a_fresh_page_and_what_waits_stays() {
    Owner::new().with(|| {
        let room = room();
        let mine = Pending { key: Key::mint(), body: "mine".to_owned(), at: 1, by: ana() };
        room.pend(mine.clone());
        room.scrolled(false);
        room.falls_behind();
        room.reset(Epoch("other".to_owned()), Seq(12_000), Seq(12_050));
        assert_eq!(room.behind.missing.get_untracked(), 50);
        room.apply(&entries(12_001, 12_050));
        assert!(!room.is_behind());
        assert!(room.at_newest.get_untracked(), "the newest is in view");
        assert_eq!(room.before(), Some(Seq(12_001)), "what came before is to be had");
        let rows = room.lines.get_untracked();
        assert_eq!(rows.len(), 51);
        assert_eq!(rows.last().map(|(id, _)| id.clone()), Some(RowId::Key(UserId(1), mine.key)));
    });
}
