//! A run as a page of Markdown: docs/RELIABILITY.md is written by it and by nobody else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::checker::{Figures, Recovery, Spread};
use crate::honesty::{Held, Honesty};
use crate::nemesis::Fault;
use crate::run::{Shown, Wishes};

/// What is promised at which setting; the reasons are in the documents of each database.
const PROMISES: &str = "\
| truth | the process is killed | the machine loses power |
|---|---|---|
| SQLite, `synchronous = full` (the default) | nothing that was acknowledged is lost | nothing, if the disk does what fsync asks |
| SQLite, `synchronous = normal` (said at the start) | nothing | the last messages may be lost; the file stays whole |
| Redis, with any settings | it promises nothing and need not: it only carries | the same |

PostgreSQL for several machines is not there yet; its row comes with it.
";

/// The page of a run.
pub(crate) fn page(wishes: &Wishes, shown: &Shown, honesty: &Honesty) -> String {
    let (counts, timing) = (&shown.report.counts, &shown.report.timing);
    let mut page = String::from("# Reliability\n\n");
    let mut say = |text: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{text}");
    };
    say("Written by a run (`bin/test faults --minutes N`, then `--page`); do not edit. What it checks and how is in\n\
         [TESTING.md](TESTING.md#faults).\n"
        .to_owned());
    say(format!("## What is promised\n\n{PROMISES}"));
    say(format!(
        "## What was run\n\nVersion {}, seed {}: {} instances on one SQLite file and one Redis; {} people in {} rooms who say \
         {} messages a second, every fourth of them where WebSockets are blocked, every third on a network that breaks \
         every 12 s, some at browsers that hang; raw sockets, streams of events, programs that publish and a `redis-cli`. \
         {} faults of {} kinds, one after the other.\n",
        env!("CARGO_PKG_VERSION"),
        wishes.seed,
        wishes.cast.instances,
        wishes.talkers,
        wishes.rooms,
        wishes.rate,
        shown.struck.len(),
        times(&shown.struck).len(),
    ));
    let words: Vec<String> = shown.report.words.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let verdict = if shown.report.is_clean() { "none".to_owned() } else { words.join(", ") };
    say(format!(
        "| counted | |\n|---|---|\n| messages sent, with all their tries | {} in {} |\n| acknowledged | {} |\n\
         | retries that found their message stored | {} |\n| outcome unknown to the sender, of these stored | {}, {} |\n\
         | entries received by {} observers | {} |\n| links lost | {} |\n| `kill -9`, SIGTERM | {}, {} |\n\
         | longest orderly end | {} ms |\n| **broken promises** | **{verdict}** |\n",
        counts.sends,
        counts.tries,
        counts.acked,
        counts.duplicates,
        counts.unknown_outcome,
        counts.adopted,
        counts.observers,
        counts.receipts,
        counts.lost_links,
        counts.kills,
        counts.terms,
        counts.longest_term_ms,
    ));
    say(told(honesty));
    say("## Fault by fault\n\nMilliseconds: from the first try to its answer, from the answer to the arrival at whoever was \
         connected, and from the fault's end until everybody had everything.\n\n\
         | fault | times | seconds | ack p50 | ack p99 | delivery p50 | delivery p99 | whole again, longest |\n\
         |---|---|---|---|---|---|---|---|"
        .to_owned());
    say(row(("none", "", ""), Some(&timing.acks.calm), Some(&timing.deliveries.calm), None));
    for (name, times) in times(&shown.struck) {
        let (acks, deliveries) = (during(&timing.acks, name), during(&timing.deliveries, name));
        let length = Fault::of(name).map_or(0, |fault| wishes.pace.length(fault).as_secs());
        // A moment has no length, and nothing falls into it.
        let length = if length == 0 { String::new() } else { length.to_string() };
        say(row((name, &times.to_string(), &length), acks, deliveries, longest(&timing.recoveries, name)));
    }
    page
}

/// Whether the truth was told about trouble, in sentences.
fn told(honesty: &Honesty) -> String {
    let said =
        |took: Option<Duration>| took.map_or("not seen".to_owned(), |took| format!("{:.1} s", took.as_secs_f64()));
    let held = |held: Held| match held.times {
        0 => "none was seen".to_owned(),
        times => format!("{times} times, after at most {:.1} s", held.longest.as_secs_f64()),
    };
    format!(
        "Pages said *degraded* at most {} after Redis had gone, and *live* at most {} after it was back. Servers let go of \
         browsers that asked for much and read nothing: {}; of browsers that were silent as a cut cable: {}; of people \
         who had signed out on another instance: {}. Whose instance was killed was back on another at most {} later. A \
         store that could not be written said so {} times, and acknowledged nothing. A `redis-cli SUBSCRIBE` heard {} \
         messages of the lobby.\n",
        said(honesty.degraded),
        said(honesty.live),
        held(honesty.stalled),
        held(honesty.silent),
        held(honesty.revoked),
        said(honesty.back),
        honesty.refusals,
        honesty.told,
    )
}

fn times(struck: &[Fault]) -> BTreeMap<&'static str, usize> {
    let mut times = BTreeMap::new();
    for fault in struck {
        *times.entry(fault.name()).or_default() += 1;
    }
    times
}

fn during<'a>(figures: &'a Figures, fault: &str) -> Option<&'a Spread> {
    figures.during.get(fault)
}

/// The longest way back after a fault; `None` when somebody never got there, or it was never struck.
fn longest(recoveries: &[Recovery], fault: &str) -> Option<f64> {
    let took = recoveries.iter().filter(|recovery| recovery.fault == fault).map(|recovery| recovery.took_ms);
    took.reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten()
}

fn row(
    (name, times, length): (&str, &str, &str),
    acks: Option<&Spread>,
    deliveries: Option<&Spread>,
    back: Option<f64>,
) -> String {
    let spread = |spread: Option<&Spread>| match spread.filter(|spread| spread.count > 0) {
        Some(spread) => format!("{:.1} | {:.1}", spread.p50, spread.p99),
        None => "| ".to_owned(),
    };
    let back = back.map_or(String::new(), |back| format!("{back:.0}"));
    format!("| {name} | {times} | {length} | {} | {} | {back} |", spread(acks), spread(deliveries))
}
