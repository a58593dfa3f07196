//! Many seats at once: starts them together, takes the processor's time at both ends of the window, brings
//! everybody to the end of the log and judges what each has received.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::RoomId;
use tertulia_visitor::proc;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep_until;

use crate::ledger::{Acked, Faults};
use crate::pace::{Beat, Window};
use crate::report::{Goal, Report};
use crate::samples::Samples;
use crate::seat::{Book, Heads, Left, Plan, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::{Because, Outcome, trouble};

/// Between deciding when to start and starting: every task is at the line by then.
const LEAD: Duration = Duration::from_millis(300);

/// A generator later than this, in milliseconds, measures its own machine: its timer alone is at most 2 ms late.
const BUSY_MS: f64 = 10.0;

/// How a choir sings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    /// The run.
    pub(crate) run: Run,
    /// Talking that does not count.
    pub(crate) warmup: Duration,
    /// Talking that counts.
    pub(crate) length: Duration,
    /// Messages per second in all and how many speakers take turns, for those who talk on the beat.
    pub(crate) beat: Option<(f64, u32)>,
    /// Bytes per message.
    pub(crate) bytes: usize,
}

/// What all seats together have found.
#[derive(Debug)]
pub(crate) struct Sung {
    /// All counts.
    pub(crate) book: Book,
    /// All that was wrong.
    pub(crate) faults: Faults,
    /// The length of the window, in seconds.
    pub(crate) seconds: f64,
    /// Processor time of the servers within the window, in seconds; `None` for servers that are not ours.
    pub(crate) server_cpu: Option<f64>,
    /// Processor time of the generator within the window, in seconds.
    pub(crate) own_cpu: f64,
}

impl Sung {
    /// Microseconds of the servers' processor time for each of `count`.
    pub(crate) fn server_micros_per(&self, count: u64) -> Option<f64> {
        self.server_cpu.map(|seconds| seconds * 1e6 / count as f64)
    }

    /// Adds what every scenario tells of itself: faults, the processor's load, the generator's own lateness.
    ///
    /// # Errors
    /// When a histogram cannot be made.
    pub(crate) fn close(&self, report: &mut Report) -> Outcome<()> {
        report.figure("server CPU", self.server_cpu.map(|cpu| cpu / self.seconds * 100.0), "% of a core");
        report.figure("generator CPU", self.own_cpu / self.seconds * 100.0, "% of a core");
        if self.book.lag.len() > 0 {
            let late = self.book.lag.spread()?.p99;
            report.figure("generator late p99 (within the latencies)", late, "ms");
            if late > BUSY_MS {
                report.notes.push("the generator itself was late: this machine is busy with something else".to_owned());
            }
        }
        report.faults = Some(self.faults);
        report.notes.extend(self.book.notes());
        Ok(())
    }

    /// Adds the percentiles of one kind of latency, with a goal for the 99th where there is one.
    ///
    /// # Errors
    /// When a histogram cannot be made.
    pub(crate) fn latency(report: &mut Report, name: &str, samples: &Samples, goal: Option<Goal>) -> Outcome<()> {
        let spread = samples.spread()?;
        let some = |value: f64| (samples.len() > 0).then_some(value);
        report.figure(format!("{name} p50"), some(spread.p50), "ms");
        report.figure(format!("{name} p90"), some(spread.p90), "ms");
        report.figure(format!("{name} p99"), some(spread.p99), "ms");
        goal.into_iter().for_each(|goal| report.goal(goal));
        report.figure(format!("{name} max"), some(spread.max), "ms");
        Ok(())
    }
}

/// Lets all seats talk and hear by the score.
///
/// # Errors
/// When a seat cannot go on, or a server is gone.
pub(crate) async fn sing(seats: Vec<Seat>, score: Score, stage: &Stage) -> Outcome<Sung> {
    let window = Window::ahead(LEAD, score.warmup, score.length);
    let beat = score.beat.map(|(per_second, speakers)| Beat::new(window.start, per_second, speakers));
    let plan = Plan { run: score.run, window, beat, bytes: score.bytes };
    let (heads, mut arrived) = mpsc::channel(seats.len().max(1));
    let (finals, follow) = watch::channel::<Heads>(None);
    // Dropped with this function: no seat outlives the run.
    let mut tasks: JoinSet<Outcome<Left>> = JoinSet::new();
    let count = seats.len();
    for seat in seats {
        tasks.spawn(seat.sit(plan, heads.clone(), follow.clone()));
    }
    drop(heads);
    // Cancelled only when the run fails.
    let (server_cpu, own_cpu) = tokio::select! {
        cpu = cpu_within(window, stage) => cpu?,
        Some(ended) = tasks.join_next() => return early(ended),
    };
    let mut newest: HashMap<RoomId, i64> = HashMap::new();
    for _ in 0..count {
        tokio::select! {
            // Both safe to cancel: the channel and the set keep what is not taken.
            head = arrived.recv() => {
                let Some((room, head)) = head else { break };
                let known = newest.entry(room).or_default();
                *known = head.max(*known);
            }
            Some(ended) = tasks.join_next() => return early(ended),
        }
    }
    finals.send_replace(Some(Arc::new(newest)));
    let mut all = Vec::with_capacity(count);
    while let Some(ended) = tasks.join_next().await {
        all.push(ended.because("a seat")??);
    }
    let (book, faults) = judge(all);
    Ok(Sung { book, faults, seconds: window.seconds(), server_cpu, own_cpu })
}

fn early<T>(ended: Result<Outcome<Left>, JoinError>) -> Outcome<T> {
    ended.because("a seat")??;
    trouble("a seat was left before the end")
}

async fn cpu_within(window: Window, stage: &Stage) -> Outcome<(Option<f64>, f64)> {
    let own = || proc::cpu(std::process::id());
    sleep_until(window.from).await;
    let (server_before, own_before) = (stage.cpu()?, own()?);
    sleep_until(window.to).await;
    let (server_after, own_after) = (stage.cpu()?, own()?);
    // A server that was started anew within the window has less behind it than before: then nothing can be said.
    let server = server_before.zip(server_after).and_then(|(before, after)| after.checked_sub(before));
    let server = server.map(|time| time.as_secs_f64());
    Ok((server, (own_after - own_before).as_secs_f64()))
}

/// Holds every receiver's ledger against all that was acknowledged in its room.
fn judge(all: Vec<Left>) -> (Book, Faults) {
    let mut truth: HashMap<RoomId, Vec<Acked>> = HashMap::new();
    for left in &all {
        truth.entry(left.room).or_default().extend(&left.book.acked);
    }
    let (mut book, mut faults) = (Book::default(), Faults::default());
    for left in all {
        faults = faults.plus(left.ledger.verdict(truth.get(&left.room).map_or(&[], Vec::as_slice)));
        book.merge(left.book);
    }
    (book, faults)
}
