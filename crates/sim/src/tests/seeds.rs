//! Seeds.

use crate::{Plan, run};

#[test]
fn first() {
    for seed in 0..20 {
        let begun = std::time::Instant::now();
        let report = run(&Plan::of(seed), true);
        let again = run(&Plan::of(seed), true);
        println!("{seed} {:x} {} events {:?} {:?} {:?}", report.fingerprint, report.events, report.converged_ms, begun.elapsed(), report.counts);
        for finding in &report.findings {
            println!("   {finding}");
        }
        if report.fingerprint != again.fingerprint {
            let at = report.trace.iter().zip(&again.trace).position(|(a, b)| a != b).unwrap_or(0);
            println!("   DIFFER at {at}");
            for line in &report.trace[at.saturating_sub(4)..(at + 4).min(report.trace.len())] { println!("      {line}"); }
            println!("      ---");
            for line in &again.trace[at.saturating_sub(4)..(at + 4).min(again.trace.len())] { println!("      {line}"); }
        }
    }
}
