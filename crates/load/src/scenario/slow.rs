//! One client that does not read among many that do: the many must not notice, and the server must let go of it.

use std::time::Duration;

use tertulia_protocol::Close;
use tokio::time::{Instant, timeout};

use super::{Common, on_stage};
use crate::choir::{Score, Sung, sing};
use crate::crowd;
use crate::live::{Live, Next};
use crate::report::{Goal, Report};
use crate::samples::Spread;
use crate::seat::{Part, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::Outcome;

/// Bytes per message: large, so that what the kernel keeps for a socket is full within seconds.
const BYTES: usize = 4_000;
/// How long the stalled client reads at the end to hear why it was let go.
const WHY: Duration = Duration::from_secs(10);

/// Options of `slow`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Slow {
    /// Clients that read.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub(crate) clients: u32,
    /// Messages per second.
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
}

/// Runs it on one instance: first without, then with the client that does not read.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Slow, common: &Common) -> Outcome<Vec<Report>> {
    super::check_rate(options.rate)?;
    on_stage(common, 1, async |stage| Ok(vec![measured(options, common, stage).await?])).await
}

async fn measured(options: &Slow, common: &Common, stage: &Stage) -> Outcome<Report> {
    common.say(format_args!("slow: {} clients that read", options.clients));
    let (without, _) = part(options, common, stage, false).await?;
    let before = stage.memory()?;
    common.say(format_args!("slow: and one that does not"));
    let (sung, ended) = part(options, common, stage, true).await?;
    let after = stage.memory()?;
    let (calm, slowed) = (spread(&without)?, spread(&sung)?);
    let mut report = Report::new(format!(
        "slow: one client of {} does not read, {} messages/s of {BYTES} bytes",
        options.clients + 1,
        options.rate
    ));
    report.figure("delivery p99 without it", calm.p99, "ms");
    report.figure("delivery p99 with it", slowed.p99, "ms");
    report.figure("with / without", slowed.p99 / calm.p99, "");
    report.goal(Goal::AtMost(1.2));
    let grown = before.zip(after).map(|(before, after)| after.rss.saturating_sub(before.rss) as f64);
    report.figure("resident memory grown by", grown, "KiB");
    report.goal(Goal::AtMost(8_192.0));
    report.notes.push(format!("the client that does not read was let go with {ended}"));
    sung.close(&mut report)?;
    Ok(report)
}

fn spread(sung: &Sung) -> Outcome<Spread> {
    sung.book.deliveries.spread()
}

/// One part: what was heard, and how the stalled client ended.
async fn part(options: &Slow, common: &Common, stage: &Stage, stalled: bool) -> Outcome<(Sung, String)> {
    let (run, web) = (Run::fresh(), &stage.webs[0]);
    let people = crowd::visitors(web, run, options.clients as usize + 1).await?;
    let (sleeper, people) = (people[0].clone(), &people[1..]);
    let room = crowd::rooms(&sleeper, run, 1).await?[0].id;
    let seats = crowd::arrive(people.len(), |index| {
        let part = if index == 0 { Part::OnBeat } else { Part::Listen };
        Seat::take(people[index].clone(), run, room, u32::try_from(index).unwrap_or(u32::MAX), part)
    })
    .await?;
    let mut deaf = Live::open(&sleeper, run, Vec::new()).await?;
    if stalled {
        deaf.subscribe(room).await?;
    }
    let beat = Some((options.rate, 1));
    let score = Score { run, warmup: common.warmup, length: common.length(20), beat, bytes: BYTES };
    let sung = sing(seats, score, stage).await?;
    let ended = if stalled { ending(&mut deaf).await? } else { String::new() };
    Ok((sung, ended))
}

/// Reads what is left until the end, and says which it was.
async fn ending(deaf: &mut Live) -> Outcome<String> {
    let deadline = Instant::now() + WHY;
    while Instant::now() < deadline {
        match timeout(WHY, deaf.hear()).await {
            Ok(Ok(Next::Heard(_))) => {}
            Ok(Ok(Next::Gone(Some(code), _))) if code == Close::TooSlow.code() => {
                return Ok(format!("{code} (too slow)"));
            }
            Ok(Ok(Next::Gone(code, why))) => return Ok(format!("{code:?} ({why})")),
            // Half a frame before the end of the connection is none.
            Ok(Err(error)) => return Ok(error.to_string()),
            Err(_) => break,
        }
    }
    Ok("nothing: it was not let go".to_owned())
}
