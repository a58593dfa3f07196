//! Every order of wishes, steps and confirmations ends in what is wanted.

use std::collections::HashSet;

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tertulia_protocol::RoomId;

use super::super::registry::{BATCH, Registry, Step};

const ROOM: RoomId = RoomId(1);

fn enters(step: Option<Step>) -> Vec<RoomId> {
    let step = step.unwrap();
    assert!(step.unsubscribe.is_empty());
    step.subscribe
}

#[test]
fn a_subscription_is_confirmed_when_redis_says_so_and_not_before() {
    let registry = Registry::default();
    let confirmed = registry.subscribe(ROOM);
    let asked = enters(registry.next_step());
    assert!(!*confirmed.borrow());
    registry.confirm(&asked);
    assert!(*confirmed.borrow());
    assert_eq!(registry.next_step(), None);
}

#[test]
fn left_and_entered_again_between_two_steps_is_confirmed_at_once() {
    let registry = Registry::default();
    drop(registry.subscribe(ROOM));
    registry.confirm(&enters(registry.next_step()));
    registry.unsubscribe(ROOM);
    let again = registry.subscribe(ROOM);
    assert!(*again.borrow(), "the channel was never left");
    assert_eq!(registry.next_step(), None);
}

#[test]
fn left_and_entered_again_while_the_first_is_asked_for_is_confirmed_by_it() {
    let registry = Registry::default();
    drop(registry.subscribe(ROOM));
    let asked = enters(registry.next_step());
    registry.unsubscribe(ROOM);
    let again = registry.subscribe(ROOM);
    assert!(!*again.borrow());
    registry.confirm(&asked);
    assert!(*again.borrow());
    assert_eq!(registry.next_step(), None);
}

#[test]
fn entered_again_while_leaving_is_asked_for_anew() {
    let registry = Registry::default();
    drop(registry.subscribe(ROOM));
    registry.confirm(&enters(registry.next_step()));
    registry.unsubscribe(ROOM);
    assert_eq!(registry.next_step().unwrap().unsubscribe, [ROOM], "premise: it is leaving");
    let again = registry.subscribe(ROOM);
    assert!(!*again.borrow(), "what is being left is not confirmed");
    registry.confirm(&enters(registry.next_step()));
    assert!(*again.borrow());
}

#[test]
fn leaving_while_there_is_no_connection_asks_for_nothing() {
    let registry = Registry::default();
    drop(registry.subscribe(ROOM));
    registry.unsubscribe(ROOM);
    assert_eq!(registry.next_step(), None);
    assert!(!registry.wants(ROOM));
}

#[test]
fn a_new_connection_is_asked_for_everything_in_small_batches() {
    let registry = Registry::default();
    let rooms: Vec<_> = (0..1_300).map(|n| registry.subscribe(RoomId(n))).collect();
    while let Some(step) = registry.next_step() {
        registry.confirm(&step.subscribe);
    }
    assert!(rooms.iter().all(|room| *room.borrow()), "premise: all confirmed");
    registry.reset();
    assert!(rooms.iter().all(|room| !*room.borrow()));
    let mut sizes = Vec::new();
    while let Some(step) = registry.next_step() {
        sizes.push(step.subscribe.len());
        registry.confirm(&step.subscribe);
    }
    assert_eq!(sizes, [BATCH, BATCH, 1_300 - 2 * BATCH]);
    assert!(rooms.iter().all(|room| *room.borrow()));
}

#[test]
fn any_order_of_wishes_and_answers_ends_in_what_is_wanted() {
    for seed in 0..300 {
        let mut random = SmallRng::seed_from_u64(seed);
        let registry = Registry::default();
        let (mut wanted, mut wire) = (HashSet::new(), HashSet::new());
        let mut under_way: Option<Step> = None;
        let answer = |step: Step, wire: &mut HashSet<RoomId>| {
            for room in &step.unsubscribe {
                assert!(wire.remove(room), "seed {seed}: left a channel that was not entered");
            }
            for room in &step.subscribe {
                assert!(wire.insert(*room), "seed {seed}: entered a channel twice");
            }
            registry.confirm(&step.subscribe);
        };
        for _ in 0..300 {
            let room = RoomId(random.random_range(0..6));
            match random.random_range(0..20) {
                0..7 => {
                    drop(registry.subscribe(room));
                    wanted.insert(room);
                }
                7..14 => {
                    registry.unsubscribe(room);
                    wanted.remove(&room);
                }
                14..19 => match under_way.take() {
                    Some(step) => answer(step, &mut wire),
                    None => under_way = registry.next_step(),
                },
                _ => {
                    registry.reset();
                    wire.clear();
                    under_way = None;
                }
            }
        }
        while let Some(step) = under_way.take().or_else(|| registry.next_step()) {
            answer(step, &mut wire);
        }
        assert_eq!(wire, wanted, "seed {seed}");
        assert!(wanted.iter().all(|room| *registry.subscribe(*room).borrow()), "seed {seed}: wanted, unconfirmed");
    }
}
