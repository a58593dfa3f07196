//! `kill -9` for a server in the middle: of one of two, whose people go to the other, or of the only one, to which
//! everybody comes back at once.

use std::time::Duration;

use tokio::time::sleep;

use super::{Common, on_stage};
use crate::choir::{Score, Sung, sing};
use crate::crowd;
use crate::report::{Goal, Report};
use crate::seat::{Part, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::Outcome;

/// From the beginning of the talk to the kill.
const CALM: Duration = Duration::from_secs(5);
/// Bytes per message.
const BYTES: usize = 200;

/// Options of `failover` and `storm`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Failover {
    /// Sockets in all, each in one of the rooms [default: 2000; storm: 10000].
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=28_000))]
    pub(crate) sockets: Option<u32>,
    /// Rooms.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub(crate) rooms: u32,
    /// Messages per second in all, one speaker in each of the first ten rooms.
    #[arg(long, default_value_t = 20.0)]
    pub(crate) rate: f64,
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// One of two instances; it stays away.
    OneOfTwo,
    /// The only instance; it is started again at once.
    TheOnly,
}

/// Runs it.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Failover, killed: Killed, common: &Common) -> Outcome<Vec<Report>> {
    super::check_rate(options.rate)?;
    let sockets = options.sockets.unwrap_or(if killed == Killed::TheOnly { 10_000 } else { 2_000 }) as usize;
    super::sockets_allowed(sockets)?;
    let instances = if killed == Killed::TheOnly { 1 } else { 2 };
    on_stage(common, instances, async |stage| Ok(vec![measured(options, killed, sockets, common, stage).await?])).await
}

async fn measured(
    options: &Failover,
    killed: Killed,
    sockets: usize,
    common: &Common,
    stage: &Stage,
) -> Outcome<Report> {
    let run = Run::fresh();
    let name = if killed == Killed::TheOnly { "storm" } else { "failover" };
    common.say(format_args!("{name}: letting {sockets} in"));
    // One store: a session made at the last is known at the first.
    let last = stage.webs.len() - 1;
    let people = crowd::visitors(&stage.webs[last], run, sockets).await?;
    let rooms = crowd::rooms(&people[0], run, options.rooms as usize).await?;
    let speakers = rooms.len().min(10).min(sockets);
    let seats = crowd::arrive(sockets, |index| {
        // Speakers sit at the instance that stays, where there is one; everybody else at both in turn.
        let at = if index < speakers { last } else { index % stage.webs.len() };
        let (person, room) = (people[index].at(&stage.webs[at]), rooms[index % rooms.len()].id);
        let part = if index < speakers { Part::OnBeat } else { Part::Listen };
        async move {
            let seat = Seat::take(person, run, room, u32::try_from(index).unwrap_or(u32::MAX), part).await?;
            let homes = if killed == Killed::TheOnly { &stage.webs[..] } else { &stage.webs[last..] };
            Ok(seat.unsampled().at_home_in(homes))
        }
    })
    .await?;
    let length = common.length(if killed == Killed::TheOnly { 75 } else { 20 });
    common.say(format_args!("{name}: {} messages/s for {} s", options.rate, length.as_secs()));
    let beat = Some((options.rate, u32::try_from(speakers).unwrap_or(1)));
    let score = Score { run, warmup: common.warmup, length, beat, bytes: BYTES };
    let strike = async {
        sleep(common.warmup + CALM).await;
        common.say(format_args!("{name}: kill -9"));
        stage.kill(0).await?;
        if killed == Killed::TheOnly { stage.restart(0).await } else { Ok(()) }
    };
    let (sung, struck) = tokio::join!(sing(seats, score, stage), strike);
    struck?;
    let sung = sung?;
    let lost = if killed == Killed::TheOnly { sockets } else { (sockets - speakers) / 2 };
    let title = format!("{name}: kill -9, {lost} of {sockets} sockets come back, {} messages/s", options.rate);
    let mut report = Report::new(title);
    let goal = if killed == Killed::TheOnly { 60_000.0 } else { 3_000.0 };
    Sung::latency(&mut report, "back after", &sung.book.returns, Some(Goal::Under(goal)))?;
    report.figure("back", sung.book.returns.len() as f64, "");
    report.figure("turned away for a while", sung.book.turned_away as f64, "");
    let memory = stage.memory()?.map(|memory| memory.rss as f64);
    report.figure("resident memory at the end", memory, "KiB");
    sung.close(&mut report)?;
    Ok(report)
}
