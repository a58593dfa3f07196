//! The promise under many seeds, and the proof that a broken one is noticed.

mod bus;
mod fanout;
mod sabotage;
mod seeds;
mod store;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{Plan, Report, run, shrink};

/// Runs every seed of a range, on as many threads as the machine has for it; the reports by their numbers.
///
/// Each run has a thread for itself from beginning to end, so how many run beside it changes nothing.
fn run_all(seeds: Range<u64>) -> Vec<Report> {
    let next = AtomicU64::new(seeds.start);
    let reports = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if !seeds.contains(&seed) {
                        return;
                    }
                    let report = run(&Plan::of(seed), false);
                    reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|report| report.seed);
    reports
}

/// What is wrong with a seed, as small as it can be made, with the course of that.
fn explained(report: &Report) -> String {
    const LINES: usize = 200;
    let Some(finding) = report.findings.first() else { return format!("seed {}: nothing is wrong", report.seed) };
    let all: Vec<String> = report.findings.iter().map(|finding| format!("  {finding}")).collect();
    let small = shrink(&Plan::of(report.seed), finding.word);
    let again = run(&small, true);
    let from = again.trace.len().saturating_sub(LINES);
    format!(
        "seed {} breaks the promise:\n{}\n\nThe smallest plan found that still does:\n{small}\nWhat happened then:\n{}\n",
        report.seed,
        all.join("\n"),
        again.trace[from..].join("\n")
    )
}
