//! Seeds.

use crate::{Plan, run};

#[test]
fn first() {
    for seed in 0..20 {
        let begun = std::time::Instant::now();
        let report = run(&Plan::of(seed), false);
        println!("{seed} {:x} {} events {:?} {:?} {:?}", report.fingerprint, report.events, report.converged_ms, begun.elapsed(), report.counts);
        for finding in &report.findings {
            println!("   {finding}");
        }
    }
}
