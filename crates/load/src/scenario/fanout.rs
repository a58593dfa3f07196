//! One busy room: what a delivery costs the server.

use super::{Common, on_stage};
use crate::choir::{Score, Sung, sing};
use crate::crowd;
use crate::report::{Goal, Report};
use crate::seat::{Part, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::Outcome;

/// Options of `fanout`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Fanout {
    /// Sockets in the room; the speakers are among them.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) members: u32,
    /// Messages per second in all.
    #[arg(long, default_value_t = 40.0)]
    pub(crate) rate: f64,
    /// Members who speak.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) speakers: u32,
    /// Bytes per message.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=9_000))]
    pub(crate) bytes: u32,
}

/// Runs it on one instance.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Fanout, common: &Common) -> Outcome<Vec<Report>> {
    super::check_rate(options.rate)?;
    super::sockets_allowed(options.members as usize)?;
    on_stage(common, 1, async |stage| Ok(vec![measured(options, common, stage).await?])).await
}

async fn measured(options: &Fanout, common: &Common, stage: &Stage) -> Outcome<Report> {
    let (run, web) = (Run::fresh(), &stage.webs[0]);
    let length = common.length(15);
    let (members, speakers) = (options.members as usize, options.speakers.min(options.members));
    common.say(format_args!("fanout: letting {members} into one room"));
    let people = crowd::visitors(web, run, members).await?;
    let room = crowd::rooms(&people[0], run, 1).await?[0].id;
    let seats = crowd::arrive(members, |index| {
        let part = if index < speakers as usize { Part::OnBeat } else { Part::Listen };
        Seat::take(people[index].clone(), run, room, index as u32, part)
    })
    .await?;
    common.say(format_args!("fanout: {} messages/s for {} s", options.rate, length.as_secs()));
    let beat = Some((options.rate, speakers));
    let score = Score { run, warmup: common.warmup, length, beat, bytes: options.bytes as usize };
    let sung = sing(seats, score, stage).await?;
    let mut report = Report::new(format!(
        "fanout: {members} in one room, {} messages/s of {} bytes, {} s",
        options.rate,
        options.bytes,
        length.as_secs()
    ));
    let book = &sung.book;
    report.figure("deliveries", book.entries as f64 / sung.seconds, "/s");
    Sung::latency(&mut report, "delivery", &book.deliveries, None)?;
    report.figure("server CPU per delivery", sung.server_micros_per(book.entries), "us");
    report.goal(Goal::AtMost(8.5));
    report.figure("entries per frame", book.entries as f64 / book.frames as f64, "");
    sung.close(&mut report)?;
    Ok(report)
}
