//! Bad networks: everybody's link is cut again and again, and nothing may be missed.

use std::time::Duration;

use super::{Common, on_stage};
use crate::choir::{Score, Sung, sing};
use crate::crowd;
use crate::report::{Goal, Report};
use crate::seat::{Cuts, Part, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::Outcome;

/// Options of `jitter`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Jitter {
    /// Sockets in one room.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) clients: u32,
    /// Messages per second.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) rate: f64,
    /// Seconds from one cut of a link to the next, on average.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) every: u64,
    /// Seconds that a cut lasts.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub(crate) away: u64,
}

/// Runs it on one instance.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Jitter, common: &Common) -> Outcome<Vec<Report>> {
    super::check_rate(options.rate)?;
    super::sockets_allowed(options.clients as usize + 1)?;
    on_stage(common, 1, async |stage| Ok(vec![measured(options, common, stage).await?])).await
}

async fn measured(options: &Jitter, common: &Common, stage: &Stage) -> Outcome<Report> {
    let (run, web) = (Run::fresh(), &stage.webs[0]);
    let (clients, length) = (options.clients as usize, common.length(120));
    common.say(format_args!("jitter: letting {clients} in"));
    let people = crowd::visitors(web, run, clients + 1).await?;
    let room = crowd::rooms(&people[0], run, 1).await?[0].id;
    let cuts = Cuts { every: Duration::from_secs(options.every), away: Duration::from_secs(options.away) };
    let seats = crowd::arrive(clients + 1, |index| {
        let person = people[index].clone();
        async move {
            // The speaker's own link holds, or the beat would be measured.
            if index == 0 {
                return Ok(Seat::take(person, run, room, 0, Part::OnBeat).await?.unsampled());
            }
            let seat = Seat::take(person, run, room, u32::try_from(index).unwrap_or(u32::MAX), Part::Listen).await?;
            Ok(seat.unsampled().with_cuts(cuts))
        }
    })
    .await?;
    common.say(format_args!("jitter: {} messages/s for {} s", options.rate, length.as_secs()));
    let score = Score { run, warmup: common.warmup, length, beat: Some((options.rate, 1)), bytes: 200 };
    let sung = sing(seats, score, stage).await?;
    let mut report = Report::new(format!(
        "jitter: {clients} sockets, each cut every {} s for {} s, {} messages/s, {} s",
        options.every,
        options.away,
        options.rate,
        length.as_secs()
    ));
    Sung::latency(&mut report, "replay", &sung.book.returns, Some(Goal::Under(1_000.0)))?;
    report.figure("returns", sung.book.returns.len() as f64, "");
    report.figure("turned away for a while", sung.book.turned_away as f64, "");
    sung.close(&mut report)?;
    Ok(report)
}
