//! Many seeds: nothing is lost, nothing doubled, one order, and the same again under the same number.
//!
//! `SIM_SEEDS=0..5000` runs others, `SIM_SEEDS=4711` one; with `--release` a seed takes some milliseconds.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{explained, run_all};
use crate::{Plan, run};

/// What `bin/test` runs: as many as fit some seconds of an unoptimised build.
const SEEDS: Range<u64> = 0..40;

/// What must have happened under these seeds, or their calm proves nothing.
const SEEN: [&str; 18] = [
    "acks of what was stored before",
    "buses cut",
    "crashes",
    "ended as revoked",
    "ended as too slow",
    "ended without a pong",
    "followings refused",
    "older pages",
    "orderly stops",
    "reloads",
    "resets by epoch",
    "resets of who was ahead",
    "resets of who was too far behind",
    "sends refused for good",
    "sends to be tried again",
    "sessions that ended",
    "writes done for an instance that was gone",
    "writes whose answer was lost",
];

/// The seeds that were asked for; the second says whether anybody asked.
fn asked() -> (Range<u64>, bool) {
    let Ok(asked) = std::env::var("SIM_SEEDS") else { return (SEEDS, false) };
    let number =
        |text: &str| text.trim().parse::<u64>().unwrap_or_else(|_| panic!("SIM_SEEDS is 7 or 0..5000, not {asked:?}"));
    let seeds = match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&asked)..number(&asked) + 1,
    };
    (seeds, true)
}

#[test]
fn the_promise_holds_under_every_seed() {
    let (seeds, chosen) = asked();
    let reports = run_all(seeds.clone());
    assert_eq!(reports.len() as u64, seeds.end - seeds.start, "premise: every seed was run");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for report in &reports {
        report.counts.iter().for_each(|(what, times)| *counts.entry(what).or_default() += times);
    }
    let slowest = reports.iter().filter_map(|report| report.converged_ms).max();
    println!("{} seeds; all was right again within {slowest:?} ms; {counts:#?}", reports.len());
    let failed: Vec<_> = reports.iter().filter(|report| !report.findings.is_empty()).collect();
    if let Some(first) = failed.first() {
        let each =
            failed.iter().flat_map(|report| Some(format!("  seed {}: {}", report.seed, report.findings.first()?)));
        let each: Vec<String> = each.collect();
        panic!("{} of {} seeds fail:\n{}\n\n{}", failed.len(), reports.len(), each.join("\n"), explained(first));
    }
    let unseen: Vec<_> = SEEN.iter().filter(|what| !counts.contains_key(**what)).collect();
    assert!(chosen || unseen.is_empty(), "premise: all of it happened, but not {unseen:?}");
}

/// A tab that asked to follow a room again and then for entries it knows: their answer was taken for a second delivery.
#[test]
fn seeds_that_failed_once_hold() {
    for seed in [478, 2124] {
        let report = run(&Plan::of(seed), false);
        assert!(report.findings.is_empty(), "{}", explained(&report));
    }
}

#[test]
fn the_same_seed_has_the_same_course() {
    for seed in [3, 6, 11] {
        let plan = Plan::of(seed);
        let (first, second) = (run(&plan, true), run(&plan, true));
        assert!(first.events > 500, "premise: something happened");
        let parted = first.trace.iter().zip(&second.trace).find(|(first, second)| first != second);
        assert_eq!(parted, None, "seed {seed} parts from itself here");
        assert_eq!((first.fingerprint, first.events), (second.fingerprint, second.events), "seed {seed}");
    }
}

#[test]
fn other_seeds_have_other_courses() {
    assert_ne!(run(&Plan::of(10), false).fingerprint, run(&Plan::of(15), false).fingerprint);
}
