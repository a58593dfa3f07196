//! The checker is checked first: clean histories pass, and every kind of falsified one is caught and named.

mod judged;
mod mutations;
mod tale;
mod world;

use super::check;
use crate::journal::{Kind, What};

#[test]
fn clean_histories_pass() {
    for seed in 0..200 {
        let report = check(world::history(seed).to_vec(), world::TERMS);
        assert!(report.is_clean(), "seed {seed}\n{report}");
    }
}

/// A green run says nothing if nothing happened in it.
#[test]
fn clean_histories_hold_everything_that_can_happen() {
    let mut sum = [0_u64; 12];
    for seed in 0..50 {
        let events = world::history(seed);
        let unsent = events.iter().any(|event| {
            matches!(&event.what, What::Final(told) if told.log.iter().any(|entry| entry.kind == Kind::TopicSet))
        });
        assert!(unsent, "premise: some entries have a cause and no sender");
        let report = check(events.to_vec(), world::TERMS);
        let counts = &report.counts;
        let timing = &report.timing;
        let these = [
            counts.acked,
            counts.refused,
            counts.unknown_outcome,
            counts.adopted,
            counts.duplicates,
            counts.gaps,
            counts.resets,
            counts.lost_links,
            counts.faults,
            timing.deliveries.calm.count as u64,
            timing.deliveries.during.len() as u64,
            timing.recoveries.iter().filter(|recovery| recovery.took_ms.is_some()).count() as u64,
        ];
        assert_eq!(counts.rooms * 6, counts.observers, "seed {seed}");
        sum.iter_mut().zip(these).for_each(|(sum, this)| *sum += this);
    }
    assert!(sum.iter().all(|sum| *sum >= 50), "each once in a history: {sum:?}");
}

#[test]
fn the_same_seed_is_the_same_history_and_the_same_verdict() {
    assert_eq!(world::make(7), world::make(7));
    assert_ne!(world::make(7), world::make(8));
    let verdict = || check(world::make(7), world::TERMS).to_string();
    assert_eq!(verdict(), verdict());
}
