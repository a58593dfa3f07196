//! `tertulia-load`: the load generator behind `bin/bench`, an independent client of the wire.
//!
//! It never shares a process with the server, takes both stamps of a latency itself, counts from when a message
//! was due, and checks exactly that nothing is lost, doubled or out of order.
//! Exit code 0: measured and correct. 1: measured, and not correct. 2: could not be measured.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "figures on the terminal are what this program is for")]

mod choir;
mod cli;
mod crowd;
#[cfg(test)]
mod fake;
mod ledger;
mod live;
mod pace;
mod report;
mod samples;
mod scenario;
mod seat;
mod stage;
mod stamp;
#[cfg(test)]
mod tests;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Scenario};
use report::{Report, summary};
use scenario::failover::{self, Killed};
use scenario::{Common, delivery, fanout, html, idle, jitter, sends, slow};
use tertulia_visitor::{trouble, web};
use trouble::{Because, Outcome, trouble};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Dropping the run kills what it started and removes its files.
    let outcome = tokio::select! {
        outcome = run(&cli) => outcome,
        stopped = stopped() => stopped.and_then(|()| trouble("stopped before the end")),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tertulia-load: {error}");
            ExitCode::from(2)
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() -> Outcome<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).because("waiting for SIGTERM")?;
    // Nothing is lost when either is dropped: the other ends the process.
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.because("waiting for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

/// Runs what was asked for and prints it.
///
/// A part that cannot be measured does not keep the others from being measured.
async fn run(cli: &Cli) -> Outcome<ExitCode> {
    let common = cli.common()?;
    let (mut reports, mut failed) = (Vec::new(), false);
    for scenario in cli.scenario.parts() {
        match Box::pin(measured(&scenario, &common)).await {
            Ok(found) => {
                if !cli.json {
                    found.iter().for_each(|report| println!("{}", report.table()));
                }
                reports.extend(found);
            }
            Err(error) => {
                failed = true;
                eprintln!("tertulia-load: {}: {error}", scenario.name());
            }
        }
    }
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&reports).because("writing JSON")?);
    } else if matches!(cli.scenario, Scenario::All(_)) {
        print!("{}", summary(&reports));
    }
    Ok(match (reports.iter().all(Report::is_correct), failed) {
        (false, _) => ExitCode::from(1),
        (true, true) => ExitCode::from(2),
        (true, false) => ExitCode::SUCCESS,
    })
}

async fn measured(scenario: &Scenario, common: &Common) -> Outcome<Vec<Report>> {
    Ok(match scenario {
        Scenario::Sends(options) => sends::run(options, common).await?,
        Scenario::Delivery(options) => delivery::run(options, common).await?,
        Scenario::Fanout(options) => fanout::run(options, common).await?,
        Scenario::Idle(options) => idle::run(options, common).await?,
        Scenario::Html(options) => html::run(options, common).await?,
        Scenario::Slow(options) => slow::run(options, common).await?,
        Scenario::Jitter(options) => jitter::run(options, common).await?,
        Scenario::Failover(options) => failover::run(options, Killed::OneOfTwo, common).await?,
        Scenario::Storm(options) => failover::run(options, Killed::TheOnly, common).await?,
        // Taken apart by `parts`.
        Scenario::All(_) => Vec::new(),
    })
}
