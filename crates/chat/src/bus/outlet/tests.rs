//! What an overflow costs: news, never the knowledge that news were lost.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Outlet;
use crate::bus::{Heard, Topic};

fn number(n: u32) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

fn drain(heard: &mut mpsc::Receiver<Heard>) -> Vec<Option<u32>> {
    let mut all = Vec::new();
    while let Ok(event) = heard.try_recv() {
        all.push(match event {
            Heard::MayHaveMissed => None,
            Heard::News { payload, .. } => Some(u32::from_be_bytes(payload[..].try_into().unwrap())),
        });
    }
    all
}

#[test]
fn a_full_queue_drops_news_and_ends_in_one_marker() {
    let (mut outlet, mut heard) = Outlet::new(4);
    let taken: Vec<bool> = (0..10).map(|n| outlet.news(Topic::Everyone, number(n))).collect();
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 4, "premise: six were dropped");
    assert_eq!(drain(&mut heard), [Some(0), Some(1), Some(2), Some(3), None]);
}

#[test]
fn a_marker_said_into_a_full_queue_is_not_doubled() {
    let (mut outlet, mut heard) = Outlet::new(2);
    for n in 0..3 {
        outlet.news(Topic::Everyone, number(n));
    }
    outlet.missed();
    outlet.missed();
    assert_eq!(drain(&mut heard), [Some(0), Some(1), None]);
}

#[test]
fn news_flow_again_after_half_was_taken_and_a_second_overflow_has_its_own_marker() {
    let (mut outlet, mut heard) = Outlet::new(4);
    for n in 0..5 {
        outlet.news(Topic::Everyone, number(n));
    }
    assert!(heard.try_recv().is_ok(), "premise: one place is free");
    assert!(!outlet.news(Topic::Everyone, number(5)), "one place is not yet half");
    for _ in 0..2 {
        assert!(heard.try_recv().is_ok());
    }
    assert!(outlet.news(Topic::Everyone, number(6)));
    for n in 7..20 {
        outlet.news(Topic::Everyone, number(n));
    }
    assert_eq!(drain(&mut heard), [Some(3), None, Some(6), Some(7), None]);
}

#[test]
fn any_interleaving_leaves_no_hole_without_a_marker_before_the_next_news() {
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    for seed in 0..200 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (mut outlet, mut heard) = Outlet::new(random.random_range(1..9));
        let (mut expected, mut told, mut published) = (0, false, 0);
        for _ in 0..400 {
            if random.random_bool(0.6) {
                outlet.news(Topic::Everyone, number(published));
                published += 1;
            } else if let Ok(event) = heard.try_recv() {
                match event {
                    Heard::MayHaveMissed => told = true,
                    Heard::News { payload, .. } => {
                        let n = u32::from_be_bytes(payload[..].try_into().unwrap());
                        assert!(n == expected || told, "seed {seed}: {expected} to {n} vanished without a word");
                        (expected, told) = (n + 1, false);
                    }
                }
            }
        }
        let rest = drain(&mut heard);
        let last = rest.iter().flatten().last().map_or(expected, |n| n + 1);
        assert!(last == published || told || rest.last() == Some(&None), "seed {seed}: the last drops were not told");
    }
}

#[test]
fn a_listener_that_left_is_no_reason_to_fail() {
    let (mut outlet, heard) = Outlet::new(1);
    drop(heard);
    assert!(!outlet.news(Topic::Everyone, number(0)));
    outlet.missed();
}
