//! Who is here: merged rosters, leases that run out, and the grace that hides a reload.

use std::time::Duration;

use tertulia_protocol::limits::{INTEGER_MAX, PERSON_NAME_CHARS, PRESENCE_NAMES};
use tertulia_protocol::{Epoch, Person, RoomId, UserId};
use tokio::time::Instant;

use super::{
    ALIVE_EVERY, Change, INSTANCES, LEASE, OUTBOX_ROOMS, Presence, REPEAT_EVERY, ROSTER_LEASE, ROSTER_PEOPLE, Roster,
    Say,
};
use crate::bus::PAYLOAD_BYTES;
use crate::news::{self, News};

mod coming;
mod going;

const ROOM: RoomId = RoomId(1);
const GRACE: Duration = Duration::from_secs(12);

fn person(id: i64) -> Person {
    Person { id: UserId(id), name: format!("person {id}") }
}

fn ids(people: &[Person]) -> Vec<i64> {
    people.iter().map(|person| person.id.0).collect()
}

fn people(ids: impl IntoIterator<Item = i64>) -> Vec<Person> {
    ids.into_iter().map(person).collect()
}

fn roster(ids: impl IntoIterator<Item = i64>) -> Roster {
    Roster { people: people(ids), ..Roster::default() }
}

/// An empty view, and a moment.
fn fresh() -> (Presence, Instant) {
    (Presence::new(GRACE), Instant::now())
}

/// What the other instances are told at a moment, as (room, people, whether they are asked).
fn said(presence: &mut Presence, now: Instant) -> Vec<(i64, Vec<i64>, bool)> {
    presence.take_outbox(now).iter().map(|Say { room, roster, who }| (room.0, ids(&roster.people), *who)).collect()
}

/// What the room is told at a moment: (online, joined, left).
fn told(presence: &mut Presence, now: Instant) -> (usize, Vec<i64>, Vec<i64>) {
    let changes = presence.tick(now, false);
    let change = changes.into_iter().find(|(room, _)| *room == ROOM).map(|(_, change)| change);
    let Change { online, joined, left, .. } = change.unwrap_or_default();
    (online, ids(&joined), ids(&left))
}

#[test]
fn two_tabs_are_one_person() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    assert_eq!(said(&mut presence, start), [(1, vec![1], true)], "the first connection is news");
    presence.arrive(ROOM, &person(1));
    assert_eq!(said(&mut presence, start), []);
    assert_eq!(told(&mut presence, start), (1, vec![1], vec![]));
    presence.depart(ROOM, UserId(1));
    assert_eq!(said(&mut presence, start), [], "one tab is left");
    presence.depart(ROOM, UserId(1));
    assert_eq!(said(&mut presence, start), [(1, vec![], false)]);
}

#[test]
fn a_reload_within_the_grace_is_never_told() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    assert_eq!(told(&mut presence, start).1, [1], "premise: told that she came");
    presence.depart(ROOM, UserId(1));
    assert_eq!(told(&mut presence, start + Duration::from_secs(1)), (0, vec![], vec![]));
    presence.arrive(ROOM, &person(1));
    assert_eq!(told(&mut presence, start + GRACE * 2), (0, vec![], vec![]), "nothing to tell");
    assert_eq!(ids(&presence.online(ROOM).0), [1]);
}

#[test]
fn who_stays_away_is_told_to_have_left_once() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.arrive(ROOM, &person(2));
    told(&mut presence, start);
    presence.depart(ROOM, UserId(1));
    told(&mut presence, start);
    assert_eq!(told(&mut presence, start + GRACE), (1, vec![], vec![1]));
    assert_eq!(told(&mut presence, start + GRACE * 2), (0, vec![], vec![]));
}

#[test]
fn whoever_a_list_named_before_they_were_told_is_taken_off_it_when_they_go() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    told(&mut presence, start);
    presence.arrive(ROOM, &person(2));
    presence.depart(ROOM, UserId(2));
    assert_eq!(ids(&presence.online(ROOM).0), [1, 2], "premise: whoever comes now is given a list with both");
    told(&mut presence, start);
    let gone = presence.tick(start + GRACE, false);
    let [(ROOM, Change { online: 1, joined, left, list: Some(list) })] = &gone[..] else { panic!("{gone:?}") };
    assert_eq!((ids(joined), ids(left), ids(list)), (vec![], vec![], vec![1]), "no line of somebody who never came");
}

#[test]
fn people_of_other_instances_count_and_moving_between_instances_is_not_told() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    assert_eq!(told(&mut presence, start), (2, vec![1, 2], vec![]));
    presence.hear_roster("b", ROOM, roster([]), start);
    told(&mut presence, start);
    presence.hear_roster("c", ROOM, roster([2]), start + Duration::from_secs(3));
    assert_eq!(told(&mut presence, start + GRACE), (0, vec![], vec![]), "she moved from b to c");
}

#[test]
fn a_silent_instance_loses_its_people_after_lease_and_grace_and_each_left_once() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2, 3]), start);
    assert_eq!(told(&mut presence, start).0, 3, "premise: all three are here");
    let silent = start + LEASE + Duration::from_millis(1);
    assert_eq!(told(&mut presence, silent), (0, vec![], vec![]), "absent, not yet told");
    assert_eq!(told(&mut presence, silent + GRACE), (1, vec![], vec![2, 3]));
    assert!(LEASE + GRACE < Duration::from_secs(30), "the promise of fault F-01");
}

#[test]
fn nobody_is_forgotten_while_the_bus_is_away() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    told(&mut presence, start);
    let much_later = start + LEASE * 10;
    assert_eq!(presence.tick(much_later, true), []);
    assert_eq!(presence.tick(much_later, false), []);
    assert_eq!(told(&mut presence, much_later + LEASE / 2), (0, vec![], vec![]));
    assert_eq!(ids(&presence.online(ROOM).0), [1, 2]);
}

#[test]
fn a_goodbye_starts_the_grace_at_once() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    told(&mut presence, start);
    presence.hear_gone("b");
    told(&mut presence, start);
    assert_eq!(told(&mut presence, start + GRACE).2, [2]);
}

#[test]
fn rosters_of_rooms_that_nobody_here_follows_are_not_kept() {
    let (mut presence, start) = fresh();
    presence.hear_roster("b", RoomId(99), roster([2]), start);
    assert_eq!(presence.online(RoomId(99)), (vec![], 0));
}

#[test]
fn however_often_a_room_changes_between_two_ticks_its_roster_is_told_once_as_it_then_is() {
    let (mut presence, start) = fresh();
    for id in 1..=50 {
        presence.arrive(ROOM, &person(id));
        presence.hear_who(ROOM);
    }
    presence.depart(ROOM, UserId(50));
    assert_eq!(said(&mut presence, start), [(1, (1..=49).collect(), true)]);
    assert_eq!(said(&mut presence, start), [], "once");
}

#[test]
fn a_ghost_whose_leaving_was_lost_goes_when_the_bus_is_back_though_its_instance_lives() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    presence.hear_roster("c", ROOM, roster([3]), start);
    told(&mut presence, start);
    presence.tick(start + LEASE * 5, true);
    let back = start + LEASE * 6;
    presence.tick(back, false);
    assert_eq!(said(&mut presence, back), [(1, vec![1], true)], "told and asked");
    presence.hear_roster("c", ROOM, roster([3]), back);
    let (mut now, mut left) = (back, Vec::new());
    while now < back + LEASE + GRACE + ALIVE_EVERY {
        now += Duration::from_secs(1);
        presence.hear_alive("b", now);
        presence.hear_alive("c", now);
        left.extend(told(&mut presence, now).2);
    }
    assert_eq!(left, [2], "b lives, but did not repeat that 2 is there");
    assert_eq!(ids(&presence.online(ROOM).0), [1, 3]);
}

#[test]
fn what_is_in_doubt_is_asked_for_again_until_it_is_repeated() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    said(&mut presence, start);
    presence.doubt(start);
    presence.tick(start, false);
    assert_eq!(said(&mut presence, start), [(1, vec![1], true)]);
    presence.tick(start + ALIVE_EVERY / 2, false);
    assert_eq!(said(&mut presence, start + ALIVE_EVERY / 2), [], "not at every tick");
    presence.tick(start + ALIVE_EVERY, false);
    assert_eq!(said(&mut presence, start + ALIVE_EVERY), [(1, vec![1], true)], "the question was lost");
    presence.hear_roster("b", ROOM, roster([2]), start + ALIVE_EVERY);
    presence.tick(start + ALIVE_EVERY * 2, false);
    assert_eq!(said(&mut presence, start + ALIVE_EVERY * 2), [], "answered");
}

#[test]
fn who_is_found_nowhere_is_asked_for_before_anybody_is_told() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    assert_eq!(told(&mut presence, start).0, 2, "premise: both are here");
    // She moves to c, and the news of it is lost.
    presence.hear_roster("b", ROOM, roster([]), start);
    presence.hear_alive("c", start);
    told(&mut presence, start);
    said(&mut presence, start);
    presence.tick(start + ALIVE_EVERY / 2, false);
    assert_eq!(said(&mut presence, start + ALIVE_EVERY / 2), [], "a reload takes less");
    for question in 1..=2 {
        let now = start + ALIVE_EVERY * question;
        presence.hear_alive("c", now);
        presence.tick(now, false);
        assert_eq!(said(&mut presence, now), [(1, vec![1], true)], "question {question}");
    }
    presence.hear_roster("c", ROOM, roster([2]), start + ALIVE_EVERY * 2);
    assert_eq!(told(&mut presence, start + GRACE), (0, vec![], vec![]), "she never left");
}

#[test]
fn whoever_stood_still_hears_the_others_before_it_tells_who_left() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    told(&mut presence, start);
    presence.hear_roster("b", ROOM, roster([]), start);
    assert_eq!(told(&mut presence, start), (0, vec![], vec![]), "premise: she may be back in a moment");
    // Frozen for longer than any grace; that she is back waits in a socket.
    let woken = start + GRACE * 3;
    presence.thaw(woken);
    assert!(told(&mut presence, woken).2.is_empty(), "nobody is told before the news is heard");
    presence.hear_roster("b", ROOM, roster([2]), woken);
    assert!(told(&mut presence, woken + GRACE).2.is_empty(), "she never left");
}

#[test]
fn rosters_are_repeated_and_one_that_is_not_is_dropped_in_the_end() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, roster([2]), start);
    assert_eq!(said(&mut presence, start).len(), 1, "premise");
    assert_eq!(said(&mut presence, start + REPEAT_EVERY / 3), []);
    assert_eq!(said(&mut presence, start + REPEAT_EVERY), [(1, vec![1], false)]);
    told(&mut presence, start);
    let late = start + ROSTER_LEASE + Duration::from_millis(1);
    presence.hear_alive("b", late);
    told(&mut presence, late);
    assert_eq!(told(&mut presence, late + LEASE).2, [2]);
}

#[test]
fn the_repeats_of_many_rooms_are_spread() {
    let (mut presence, start) = fresh();
    (1..=200).for_each(|room| presence.arrive(RoomId(room), &person(1)));
    assert_eq!(said(&mut presence, start).len(), 200, "premise");
    let most = (1..=300).map(|tenth| said(&mut presence, start + REPEAT_EVERY * tenth / 300).len()).max();
    assert!(most.is_some_and(|most| (1..=20).contains(&most)), "{most:?} at once");
}

#[test]
fn a_stranger_is_told_and_asked_whether_it_gives_a_sign_or_a_roster_first() {
    for roster_first in [false, true] {
        let (mut presence, start) = fresh();
        presence.arrive(ROOM, &person(1));
        said(&mut presence, start);
        let hear = |presence: &mut Presence| match roster_first {
            true => presence.hear_roster("b", ROOM, roster([2]), start),
            false => presence.hear_alive("b", start),
        };
        hear(&mut presence);
        assert_eq!(said(&mut presence, start), [(1, vec![1], true)]);
        hear(&mut presence);
        assert_eq!(said(&mut presence, start), [], "no stranger any more");
    }
}

#[test]
fn a_room_with_somebody_in_it_or_a_roster_to_tell_is_not_forgotten() {
    let (mut presence, start) = fresh();
    let nothing = std::collections::HashSet::new();
    presence.arrive(ROOM, &person(1));
    said(&mut presence, start);
    presence.forget_all_but(&nothing);
    assert_eq!(ids(&presence.online(ROOM).0), [1], "she pages, and follows no log yet");
    presence.depart(ROOM, UserId(1));
    presence.forget_all_but(&nothing);
    assert_eq!(said(&mut presence, start), [(1, vec![], false)], "that she left is still told");
    presence.forget_all_but(&nothing);
    assert_eq!(presence.online(ROOM), (vec![], 0));
}

#[test]
fn the_longest_roster_fits_into_a_payload_and_the_rest_is_counted() {
    let (mut presence, start) = fresh();
    let (mut other, _) = fresh();
    let crowd = i64::try_from(ROSTER_PEOPLE).expect("small") * 2;
    for id in 0..crowd {
        presence.come_back(ROOM, &Person { id: UserId(INTEGER_MAX - id), name: "\u{1f}".repeat(PERSON_NAME_CHARS) });
    }
    let said = presence.take_outbox(start);
    let [Say { roster, .. }] = said.as_slice() else { panic!("one room") };
    assert_eq!(roster.back.len(), ROSTER_PEOPLE, "premise: each is named twice");
    let Roster { people, unnamed: more, first, back } = roster.clone();
    let news = News::Roster { room: ROOM, people, more, first, back };
    let payload = news::encode(&Epoch::fresh(), &"n".repeat(255), news);
    assert!((PAYLOAD_BYTES * 3 / 4..=PAYLOAD_BYTES).contains(&payload.len()), "{} bytes", payload.len());
    other.arrive(ROOM, &person(1));
    other.hear_roster("b", ROOM, roster.clone(), start);
    let (names, online) = other.online(ROOM);
    assert_eq!((names.len(), online), (PRESENCE_NAMES, usize::try_from(crowd).expect("small") + 1));
    assert_eq!(told(&mut other, start), (online, vec![], vec![]), "of a crowd only the count is told");
}

#[test]
fn when_a_crowd_dissolves_the_followers_get_the_list_they_lack() {
    let (mut presence, start) = fresh();
    let crowd = i64::try_from(PRESENCE_NAMES).expect("small") + 1;
    presence.arrive(ROOM, &person(crowd));
    presence.hear_roster("b", ROOM, roster(1..crowd), start);
    let changes = presence.tick(start, false);
    assert!(changes[0].1.list.is_none() && changes[0].1.joined.is_empty(), "premise: a crowd");
    presence.hear_roster("b", ROOM, roster(1..=3), start);
    presence.tick(start, false);
    let changes = presence.tick(start + GRACE, false);
    let list = changes[0].1.list.as_deref().map(ids);
    assert_eq!(list, Some(vec![1, 2, 3, crowd]));
    assert_eq!(presence.tick(start + GRACE, false), [], "once");
}

#[test]
fn what_others_claim_is_bounded() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    for name in 0..INSTANCES * 2 {
        presence.hear_roster(&format!("n{name}"), ROOM, roster([2]), start);
    }
    assert_eq!(presence.alive.len(), INSTANCES);
    presence.hear_roster(
        "n0",
        ROOM,
        Roster { people: people(2..5_000), unnamed: u64::MAX, ..Roster::default() },
        start,
    );
    assert!(presence.online(ROOM).1 < 1_100_000);
}

#[test]
fn announcing_every_room_takes_several_ticks_and_misses_none() {
    let (mut presence, start) = fresh();
    let rooms = i64::try_from(OUTBOX_ROOMS).expect("small") * 2 + 1;
    (1..=rooms).for_each(|room| presence.arrive(RoomId(room), &person(1)));
    let mut told: Vec<i64> = Vec::new();
    for turn in [OUTBOX_ROOMS, OUTBOX_ROOMS, 1, 0] {
        let said = said(&mut presence, start);
        assert_eq!(said.len(), turn);
        told.extend(said.iter().map(|(room, ..)| room));
    }
    assert_eq!(told, (1..=rooms).collect::<Vec<_>>());
}
