//! Who is said to have come, and who was there before anybody looked.

use tertulia_protocol::UserId;
use tokio::time::Instant;

use super::{GRACE, ROOM, fresh, ids, person, roster, said, told};
use crate::presence::{ALIVE_EVERY, LEASE, Presence, Roster, YOUNG};

/// What a change tells: (joined, the whole list).
fn told_and_listed(presence: &mut Presence, now: Instant) -> (Vec<i64>, Option<Vec<i64>>) {
    let changes = presence.tick(now, false);
    let change = changes.into_iter().find(|(room, _)| *room == ROOM).map(|(_, change)| change).unwrap_or_default();
    (ids(&change.joined), change.list.as_deref().map(ids))
}

#[test]
fn who_was_there_when_a_cold_instance_first_asked_is_listed_and_not_said_to_have_come() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    assert!(said(&mut presence, start)[0].2, "premise: the others are asked");
    presence.hear_roster("b", ROOM, roster([2, 3]), start);
    presence.hear_roster("c", ROOM, roster([4]), start + ALIVE_EVERY);
    let after = start + ALIVE_EVERY;
    assert_eq!(told_and_listed(&mut presence, after), (vec![1], Some(vec![1, 2, 3, 4])), "who came here did come");
    presence.hear_roster("b", ROOM, roster([2, 3, 5]), after);
    assert_eq!(told(&mut presence, after), (5, vec![5], vec![]), "who came after the answer did come");
}

#[test]
fn who_comes_on_an_instance_that_was_empty_is_said_to_have_come_at_once() {
    let (mut presence, start) = fresh();
    let (mut other, _) = fresh();
    presence.arrive(ROOM, &person(1));
    said(&mut presence, start);
    told(&mut presence, start);
    other.arrive(ROOM, &person(2));
    let roster = other.take_outbox(start).remove(0).roster;
    assert!(roster.first, "premise: nobody was there before");
    presence.hear_roster("b", ROOM, roster, start);
    assert_eq!(told(&mut presence, start), (2, vec![2], vec![]), "the first guests of a fresh cluster are greeted");
    presence.hear_roster("c", ROOM, Roster::default(), start);
    presence.hear_roster("c", ROOM, super::roster([3]), start);
    assert_eq!(told(&mut presence, start).1, [3], "c answered that nobody is there, and then somebody came");
}

#[test]
fn long_after_the_question_a_first_word_is_news() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    said(&mut presence, start);
    told(&mut presence, start);
    presence.hear_roster("b", ROOM, roster([2]), start + LEASE);
    assert_eq!(told(&mut presence, start + LEASE).1, [2]);
}

#[test]
fn who_comes_back_to_an_instance_that_just_began_is_listed_and_not_said_to_have_come() {
    let (mut presence, start) = fresh();
    presence.come_back(ROOM, &person(1));
    presence.arrive(ROOM, &person(2));
    assert_eq!(told_and_listed(&mut presence, start), (vec![2], Some(vec![1, 2])));
    let late = start + YOUNG;
    presence.tick(late, false);
    presence.come_back(ROOM, &person(3));
    assert_eq!(told(&mut presence, late).1, [3], "by now everybody who was away was missed");
}

#[test]
fn who_was_said_to_have_left_comes_anew_however_young_the_instance() {
    let (mut presence, start) = fresh();
    presence.come_back(ROOM, &person(1));
    presence.come_back(ROOM, &person(2));
    told(&mut presence, start);
    presence.depart(ROOM, UserId(1));
    told(&mut presence, start);
    assert_eq!(told(&mut presence, start + GRACE).2, [1], "premise: that was told");
    presence.come_back(ROOM, &person(1));
    assert_eq!(told(&mut presence, start + GRACE).1, [1]);
}

#[test]
fn who_comes_back_to_another_instance_that_just_began_is_not_said_to_have_come_either() {
    let (mut presence, start) = fresh();
    let (mut other, _) = fresh();
    presence.arrive(ROOM, &person(1));
    said(&mut presence, start);
    told(&mut presence, start);
    other.come_back(ROOM, &person(2));
    other.arrive(ROOM, &person(3));
    let roster = other.take_outbox(start).remove(0).roster;
    presence.hear_roster("b", ROOM, roster.clone(), start);
    assert_eq!(told_and_listed(&mut presence, start), (vec![3], Some(vec![1, 2, 3])));

    let (mut old, _) = fresh();
    old.arrive(ROOM, &person(1));
    told(&mut old, start);
    told(&mut old, start + YOUNG);
    old.hear_roster("b", ROOM, roster, start + YOUNG);
    assert_eq!(told(&mut old, start + YOUNG).1, [2, 3], "an instance that was here all the while knows better");
}
