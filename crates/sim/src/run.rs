//! One run: everybody comes, there is trouble, everything is healed, and then all must be as if nothing had been.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic;
use std::sync::{Arc, Once};

use tokio::runtime::{Builder, Handle};
use tokio::time::{Duration, Instant, sleep};

use crate::check;
use crate::crowd::Crowd;
use crate::dice::Dice;
use crate::house::House;
use crate::nemesis;
use crate::plan::{Plan, TROUBLED_MS};
use crate::record::{Finding, Record, Word};

/// How long everything may take to be right again. The roster of an instance whose last word was lost is believed
/// for 102 s, then the grace of 12 s runs; a dead connection is noticed after 31 s, and its tab waits up to 30 s more.
const CONVERGED_WITHIN: Duration = Duration::from_secs(150);
/// How long it must stay right.
const STAYS: Duration = Duration::from_secs(3);
/// Under one seed in so many it is looked only when all that time is over: what is right by chance and not for long is
/// found so.
const PATIENT_EVERY: u64 = 8;
/// After that long with nobody there nothing may be left: whoever went without a word is noticed after 35 s, then a log
/// lingers for 45 s and is looked at every half second.
const LINGERS: Duration = Duration::from_secs(85);
/// How often it is looked whether all is right.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its number.
    pub seed: u64,
    /// Equal for equal courses.
    pub fingerprint: u64,
    /// How many things happened.
    pub events: u64,
    /// What is wrong; nothing, if the promise holds.
    pub findings: Vec<Finding>,
    /// What happened, line by line, if that was wanted.
    pub trace: Vec<String>,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// How long it took after the troubles until all was right, in milliseconds; nothing if it never was.
    pub converged_ms: Option<u64>,
}

thread_local! {
    /// Panics on this thread: a run has its thread for itself, and a task that panics tells nobody else.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Runs a plan. The same plan has the same course, whenever and wherever.
#[must_use]
pub fn run(plan: &Plan, traced: bool) -> Report {
    static COUNTED: Once = Once::new();
    COUNTED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
    let before = PANICS.get();
    let mut report = match Builder::new_current_thread().enable_time().start_paused(true).build() {
        Ok(runtime) => runtime.block_on(course(plan, traced)),
        Err(error) => failed(plan, format!("there is no runtime: {error}")),
    };
    if PANICS.get() > before {
        report.findings.push(Finding { word: Word::Panicked, what: "a task panicked; see above".to_owned() });
    }
    report
}

fn failed(plan: &Plan, what: String) -> Report {
    let findings = vec![Finding { word: Word::Panicked, what }];
    let (trace, counts) = (Vec::new(), BTreeMap::new());
    Report { seed: plan.seed, fingerprint: 0, events: 0, findings, trace, counts, converged_ms: None }
}

async fn course(plan: &Plan, traced: bool) -> Report {
    let record = Record::begin(traced);
    let house = House::open(plan, record.clone());
    let crowd = Crowd::gather(plan, &house);
    let troubles = nemesis::rage(house.clone(), plan.troubles.clone(), Dice::of(plan.seed, "nemesis"));
    let raging = house.tasks.spawn(troubles);
    sleep(Duration::from_millis(TROUBLED_MS)).await;
    // A panic is counted elsewhere.
    let _ = raging.await;
    let converged_ms = converge(plan, &house, &crowd).await;
    check::timelines(&house, &crowd);
    crowd.leave().await;
    sleep(LINGERS).await;
    check::empty(&house);
    house.close().await;
    drop(crowd);
    check::history(plan, &house.witness.server, &record);
    leftovers(house, &record).await;
    let kept = record.take();
    Report {
        seed: plan.seed,
        fingerprint: kept.fingerprint,
        events: kept.events,
        findings: kept.findings,
        trace: kept.trace,
        counts: kept.counts,
        converged_ms,
    }
}

/// Waits until nobody lacks anything, and looks whether that lasts.
async fn converge(plan: &Plan, house: &House, crowd: &Crowd) -> Option<u64> {
    let healed = Instant::now();
    if plan.seed.is_multiple_of(PATIENT_EVERY) {
        sleep(CONVERGED_WITHIN).await;
    }
    loop {
        let lacks = check::missing(house, crowd);
        if lacks.is_empty() {
            break;
        }
        if healed.elapsed() > CONVERGED_WITHIN {
            lacks.into_iter().for_each(|lack| house.record().found(lack.word, lack.what));
            return None;
        }
        sleep(LOOK_EVERY).await;
    }
    let converged_ms = u64::try_from(healed.elapsed().as_millis()).unwrap_or(u64::MAX);
    house.record().note(format_args!("all is right again after {converged_ms} ms"));
    sleep(STAYS).await;
    // Who is there may be wrong once more: an instance's last word that was lost is believed until it repeats itself.
    for lack in check::missing(house, crowd).into_iter().filter(|lack| lack.word != Word::Presence) {
        house.record().found(lack.word, format!("all was right, and then: {}", lack.what));
    }
    Some(converged_ms)
}

/// No task is left of anything, once what was dropped has had its turn.
async fn leftovers(house: Arc<House>, record: &Record) {
    drop(house);
    for _ in 0..100 {
        if Handle::current().metrics().num_alive_tasks() == 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    let left = Handle::current().metrics().num_alive_tasks();
    record.found(Word::Unbounded, format!("{left} tasks are left"));
}
