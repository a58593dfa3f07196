//! How long things took: answers, deliveries, and the way back after each fault.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tertulia_protocol::Seq;

use super::stream::Read;
use super::windows::{Phases, Windows};
use crate::journal::{Mono, Src};

/// Where durations lie, in milliseconds; all zero when there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// The median.
    pub p50: f64,
    /// Ninety-nine of a hundred are at most this.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// One kind of duration, by what went on when it began.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// While no fault was open.
    pub calm: Spread,
    /// While this fault was open. With several open, it counts for each.
    pub during: BTreeMap<String, Spread>,
}

/// The way back after one fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// Which fault.
    pub fault: String,
    /// What it was done to; empty for everything.
    pub on: String,
    /// When it ended.
    pub stop: Mono,
    /// Milliseconds until everybody who followed a room then had everything that was acknowledged by then; absent
    /// when somebody never got there.
    pub took_ms: Option<f64>,
}

/// Durations in microseconds, raw until the end: percentiles cannot be merged.
#[derive(Debug, Default)]
struct Samples {
    calm: Vec<u64>,
    /// By fault, as [`Windows::names`] numbers them.
    during: Vec<Vec<u64>>,
}

/// Collects all durations of a run.
pub(super) struct Stopwatch<'a> {
    windows: &'a Windows,
    phases: Phases,
    acks: Samples,
    deliveries: Samples,
    catch_ups: Samples,
    /// For each fault that ended, the slowest observer so far; `None` for never.
    recoveries: Vec<Option<Duration>>,
}

/// The figures of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timing {
    /// From the first try to the acknowledgement, retries included.
    pub acks: Figures,
    /// From the acknowledgement to the arrival at an observer whose link was up; 0 when it arrived before.
    pub deliveries: Figures,
    /// The same for what came when an observer resumed, pulled or started afresh.
    pub catch_ups: Figures,
    /// In the order of the faults.
    pub recoveries: Vec<Recovery>,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn new(windows: &'a Windows) -> Self {
        let (phases, recoveries) = (windows.phases(), vec![Some(Duration::ZERO); windows.all.len()]);
        let [acks, deliveries, catch_ups] = std::array::from_fn(|_| Samples::default());
        Self { windows, phases, acks, deliveries, catch_ups, recoveries }
    }

    /// A send was acknowledged.
    pub(super) fn acked(&mut self, first: Mono, at: Mono) {
        self.acks.add(self.phases.at(first), at.since(first));
    }

    /// An observer got an entry for the first time.
    pub(super) fn arrived(&mut self, acked: Mono, at: Mono, src: Src) {
        let samples = match src {
            Src::Live | Src::Events | Src::Raw => &mut self.deliveries,
            Src::Resume | Src::History | Src::Reset => &mut self.catch_ups,
        };
        samples.add(self.phases.at(acked), at.since(acked));
    }

    /// For each fault, the highest number of a room that was acknowledged when it ended.
    pub(super) fn heads(&self, acked: &HashMap<Seq, Mono>) -> Vec<Option<Seq>> {
        let mut acks: Vec<(Mono, Seq)> = acked.iter().map(|(seq, at)| (*at, *seq)).collect();
        acks.sort_unstable();
        let heads: Vec<Seq> = acks
            .iter()
            .scan(Seq::ZERO, |head, (_, seq)| {
                *head = (*head).max(*seq);
                Some(*head)
            })
            .collect();
        let head_at = |stop: Mono| match acks.partition_point(|(at, _)| *at <= stop) {
            0 => None,
            count => Some(heads[count - 1]),
        };
        self.windows.all.iter().map(|window| head_at(window.stop?)).collect()
    }

    /// An observer's way back after each fault. `complete` says for each number when the observer had it and all
    /// that it was owed before it; `None` for never.
    pub(super) fn recovered(&mut self, heads: &[Option<Seq>], read: &Read, complete: &[Option<Mono>]) {
        for ((window, head), recovery) in self.windows.all.iter().zip(heads).zip(&mut self.recoveries) {
            let (Some(stop), Some(head)) = (window.stop, head) else { continue };
            let follows = |(from, to): &(Mono, Option<Mono>)| *from <= stop && to.is_none_or(|to| to > stop);
            if read.follows.iter().any(follows) {
                let had = usize::try_from(head.0).ok().and_then(|head| complete.get(head).copied()).flatten();
                // Who was away by its own doing is not waited for meanwhile.
                let took = had.map(|had| had.since(stop).saturating_sub(read.away_within(stop, had)));
                *recovery = recovery.zip(took).map(|(slowest, took)| slowest.max(took));
            }
        }
    }

    /// The figures.
    pub(super) fn read(self) -> Timing {
        let names = self.windows.names();
        let figures = |samples: Samples| samples.figures(&names);
        let (acks, deliveries, catch_ups) = (figures(self.acks), figures(self.deliveries), figures(self.catch_ups));
        let ended = self.windows.all.iter().zip(self.recoveries);
        let recoveries = ended.filter_map(|(window, took)| {
            let (fault, on, stop) = (window.fault.clone(), window.on.clone(), window.stop?);
            Some(Recovery { fault, on, stop, took_ms: took.map(|took| took.as_secs_f64() * 1_000.0) })
        });
        Timing { acks, deliveries, catch_ups, recoveries: recoveries.collect() }
    }
}

impl Samples {
    fn add(&mut self, faults: &[usize], took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if faults.is_empty() {
            self.calm.push(micros);
        }
        for &fault in faults {
            if self.during.len() <= fault {
                self.during.resize_with(fault + 1, Vec::new);
            }
            self.during[fault].push(micros);
        }
    }

    fn figures(self, names: &[&str]) -> Figures {
        let during = names.iter().zip(self.during).filter(|(_, samples)| !samples.is_empty());
        let during = during.map(|(name, samples)| ((*name).to_owned(), spread(samples))).collect();
        Figures { calm: spread(self.calm), during }
    }
}

fn spread(mut micros: Vec<u64>) -> Spread {
    micros.sort_unstable();
    let at = |percent: usize| {
        // The smallest sample that so many of a hundred do not exceed.
        let rank = (micros.len() * percent).div_ceil(100).max(1) - 1;
        micros.get(rank).map_or(0.0, |&micros| micros as f64 / 1_000.0)
    };
    Spread { count: micros.len(), p50: at(50), p99: at(99), max: at(100) }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50, p99, max } = self;
        write!(f, "p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms of {count}")
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.on.is_empty() { String::new() } else { format!(" on {}", self.on) };
        match self.took_ms {
            Some(took) => write!(f, "{}{place}, over at {}: {took:.0} ms", self.fault, self.stop),
            None => write!(f, "{}{place}, over at {}: never", self.fault, self.stop),
        }
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, figures) in [("ack", &self.acks), ("delivery", &self.deliveries), ("catching up", &self.catch_ups)] {
            writeln!(f, "  {name}, no fault open: {}", figures.calm)?;
            for (fault, spread) in &figures.during {
                writeln!(f, "  {name}, during {fault}: {spread}")?;
            }
        }
        for recovery in &self.recoveries {
            writeln!(f, "  recovery from {recovery}")?;
        }
        Ok(())
    }
}
