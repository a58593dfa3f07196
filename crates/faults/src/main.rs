//! `tertulia-faults`: the fault runs behind `bin/test faults`.
//!
//! Exit code 0: every promise was kept. 1: one was not. 2: it could not be run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a verdict on the terminal is what this program is for")]

mod cli;
mod honesty;
mod nemesis;
mod page;
mod people;
mod run;
mod world;

use std::process::ExitCode;

use clap::Parser;
use tertulia_faults::{checker, journal, proxy};
use tertulia_visitor::trouble::{Because, Outcome, trouble};

use cli::Cli;
use nemesis::Fault;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        Fault::ALL.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    // Dropping the run kills what it started and removes its files.
    let outcome = tokio::select! {
        outcome = shown(&cli) => outcome,
        stopped = stopped() => stopped.and_then(|()| trouble("stopped before the end")),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tertulia-faults: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for and prints what it showed.
async fn shown(cli: &Cli) -> Outcome<ExitCode> {
    let wishes = cli.wishes();
    println!("seed {}, {} faults: the same again with --seed {}", wishes.seed, wishes.faults.len(), wishes.seed);
    let shown = run::run(&wishes).await?;
    let honesty = honesty::honesty(&shown.events);
    for trouble in shown.troubles.iter().chain(&honesty.lies) {
        println!("trouble: {trouble}");
    }
    println!("{}", shown.report);
    let is_clean = shown.report.is_clean() && shown.troubles.is_empty() && honesty.lies.is_empty();
    if let Some(file) = &cli.page {
        std::fs::write(file, page::page(&wishes, &shown, &honesty)).because(file.display())?;
    }
    if cli.keep || !is_clean {
        let kept = shown.journals.keep();
        println!("the journals are in {}", kept.display());
    }
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
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
