//! What can be measured. Each scenario has a stage of its own, so none inherits another's caches or files.

pub(crate) mod delivery;
pub(crate) mod failover;
pub(crate) mod fanout;
pub(crate) mod html;
pub(crate) mod idle;
pub(crate) mod jitter;
pub(crate) mod sends;
pub(crate) mod slow;
#[cfg(test)]
mod tests;

use std::fmt::Arguments;
use std::time::Duration;

use crate::report::Report;
use crate::stage::{Source, Stage};
use crate::trouble::{Because, Outcome, trouble};

/// Files beside the sockets: the binary, logs, HTTP connections, the runtime's own.
const OTHER_FILES: usize = 300;

/// What all scenarios take.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// Where the servers come from.
    pub(crate) source: Source,
    /// How long to measure, when it was said.
    pub(crate) seconds: Option<u64>,
    /// How long to talk before measuring.
    pub(crate) warmup: Duration,
    /// Whether to say what is going on.
    pub(crate) quiet: bool,
}

impl Common {
    /// How long to measure.
    pub(crate) fn length(&self, usual: u64) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(usual).max(1))
    }

    /// Says what is going on, beside the results.
    pub(crate) fn say(&self, what: Arguments<'_>) {
        if !self.quiet {
            eprintln!("{what}");
        }
    }
}

/// Sets the stage, measures, and strikes it whether or not that went well.
async fn on_stage(
    common: &Common,
    instances: usize,
    measure: impl AsyncFnOnce(&Stage) -> Outcome<Vec<Report>>,
) -> Outcome<Vec<Report>> {
    let stage = Stage::set(&common.source, instances).await?;
    let outcome = measure(&stage).await;
    let notes = stage.strike().await;
    match outcome {
        Ok(mut reports) => {
            if let Some(last) = reports.last_mut() {
                last.notes.extend(notes);
            }
            Ok(reports)
        }
        // A server that died explains what was seen of it.
        Err(error) if notes.is_empty() => Err(error),
        Err(error) => trouble(format!("{error} ({})", notes.join("; "))),
    }
}

/// Refuses a rate with which no schedule can be made.
fn check_rate(rate: f64) -> Outcome<()> {
    if rate.is_finite() && (0.1..=100_000.0).contains(&rate) {
        return Ok(());
    }
    trouble(format!("--rate {rate}: from 0.1 to 100000 per second"))
}

/// Raises the limit of open files as far as the system lets us and says how to raise it further. The servers started
/// from here inherit it.
fn sockets_allowed(sockets: usize) -> Outcome<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = (sockets + OTHER_FILES) as u64;
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        let maximum = limit.maximum.unwrap_or(0);
        return trouble(format!(
            "{sockets} sockets need {wanted} open files, the system allows {maximum}: raise it (ulimit -Hn) or ask for fewer"
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .because("raising the limit of open files (ulimit -n)")
}
