//! Who is here: merged rosters, leases that run out, and the grace that hides a reload.

use std::time::Duration;

use tertulia_protocol::{Person, RoomId, UserId};
use tokio::time::Instant;

use super::{Change, LEASE, Presence};

const ROOM: RoomId = RoomId(1);
const GRACE: Duration = Duration::from_secs(12);

fn person(id: i64) -> Person {
    Person { id: UserId(id), name: format!("person {id}") }
}

fn ids(people: &[Person]) -> Vec<i64> {
    people.iter().map(|person| person.id.0).collect()
}

/// What the room is told at a moment: (online, joined, left).
fn told(presence: &mut Presence, now: Instant) -> (usize, Vec<i64>, Vec<i64>) {
    let changes = presence.tick(now, false);
    let change = changes.into_iter().find(|(room, _)| *room == ROOM).map(|(_, change)| change);
    let Change { online, joined, left } = change.unwrap_or_default();
    (online, ids(&joined), ids(&left))
}

#[test]
fn two_tabs_are_one_person() {
    let mut presence = Presence::new(GRACE);
    assert!(presence.arrive(ROOM, &person(1)), "the first connection is news");
    assert!(!presence.arrive(ROOM, &person(1)));
    assert_eq!(told(&mut presence, Instant::now()), (1, vec![1], vec![]));
    assert!(!presence.depart(ROOM, UserId(1)), "one tab is left");
    assert!(presence.depart(ROOM, UserId(1)));
}

#[test]
fn a_reload_within_the_grace_is_never_told() {
    let mut presence = Presence::new(GRACE);
    let start = Instant::now();
    presence.arrive(ROOM, &person(1));
    assert_eq!(told(&mut presence, start).1, [1], "premise: told that she came");
    presence.depart(ROOM, UserId(1));
    assert_eq!(told(&mut presence, start + Duration::from_secs(1)), (0, vec![], vec![]));
    presence.arrive(ROOM, &person(1));
    assert_eq!(told(&mut presence, start + GRACE * 2), (0, vec![], vec![]), "nothing to tell");
    assert_eq!(ids(&presence.online(ROOM)), [1]);
}

#[test]
fn who_stays_away_is_told_to_have_left_once() {
    let mut presence = Presence::new(GRACE);
    let start = Instant::now();
    presence.arrive(ROOM, &person(1));
    presence.arrive(ROOM, &person(2));
    told(&mut presence, start);
    presence.depart(ROOM, UserId(1));
    told(&mut presence, start);
    assert_eq!(told(&mut presence, start + GRACE), (1, vec![], vec![1]));
    assert_eq!(told(&mut presence, start + GRACE * 2), (0, vec![], vec![]));
}

#[test]
fn people_of_other_instances_count_and_moving_between_instances_is_not_told() {
    let mut presence = Presence::new(GRACE);
    let start = Instant::now();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, vec![person(2)], start);
    assert_eq!(told(&mut presence, start), (2, vec![1, 2], vec![]));
    presence.hear_roster("b", ROOM, vec![], start);
    told(&mut presence, start);
    presence.hear_roster("c", ROOM, vec![person(2)], start + Duration::from_secs(3));
    assert_eq!(told(&mut presence, start + GRACE), (0, vec![], vec![]), "she moved from b to c");
}

#[test]
fn a_silent_instance_loses_its_people_after_lease_and_grace_and_each_left_once() {
    let mut presence = Presence::new(GRACE);
    let start = Instant::now();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, vec![person(2), person(3)], start);
    assert_eq!(told(&mut presence, start).0, 3, "premise: all three are here");
    let silent = start + LEASE + Duration::from_millis(1);
    assert_eq!(told(&mut presence, silent), (0, vec![], vec![]), "absent, not yet told");
    assert_eq!(told(&mut presence, silent + GRACE), (1, vec![], vec![2, 3]));
    assert!(LEASE + GRACE < Duration::from_secs(30), "the promise of fault F-01");
}

#[test]
fn nobody_is_forgotten_while_the_bus_is_away() {
    let mut presence = Presence::new(GRACE);
    let start = Instant::now();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, vec![person(2)], start);
    told(&mut presence, start);
    let much_later = start + LEASE * 10;
    assert_eq!(presence.tick(much_later, true), []);
    presence.renew_leases(much_later);
    assert_eq!(told(&mut presence, much_later + LEASE / 2), (0, vec![], vec![]));
    assert_eq!(ids(&presence.online(ROOM)), [1, 2]);
}

#[test]
fn a_goodbye_starts_the_grace_at_once() {
    let mut presence = Presence::new(GRACE);
    let start = Instant::now();
    presence.arrive(ROOM, &person(1));
    presence.hear_roster("b", ROOM, vec![person(2)], start);
    told(&mut presence, start);
    presence.hear_gone("b");
    told(&mut presence, start);
    assert_eq!(told(&mut presence, start + GRACE).2, [2]);
}

#[test]
fn rosters_of_rooms_that_nobody_here_follows_are_not_kept() {
    let mut presence = Presence::new(GRACE);
    presence.hear_roster("b", RoomId(99), vec![person(2)], Instant::now());
    assert_eq!(presence.online(RoomId(99)), []);
}
