//! How long a message takes from instance A to somebody on instance B, over Redis.

use std::time::Duration;

use tertulia_protocol::{BusState, RoomId};
use tokio::time::{Instant, sleep};

use super::{Common, on_stage};
use crate::choir::{Score, Sung, sing};
use crate::crowd;
use crate::live::Live;
use crate::report::{Goal, Report};
use crate::seat::{Part, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::{Outcome, trouble};
use crate::web::Visitor;

/// How long two instances may take to hear each other after their start.
const LINKED: Duration = Duration::from_secs(15);

/// Options of `delivery`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Delivery {
    /// Messages per second in all.
    #[arg(long, default_value_t = 200.0)]
    pub(crate) rate: f64,
    /// Who says them, on instance A.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) senders: u32,
    /// Who hears them, on instance B.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub(crate) receivers: u32,
    /// Bytes per message.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=9_000))]
    pub(crate) bytes: u32,
}

/// Runs it on two instances.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Delivery, common: &Common) -> Outcome<Vec<Report>> {
    on_stage(common, 2, async |stage| Ok(vec![measured(options, common, stage).await?])).await
}

async fn measured(options: &Delivery, common: &Common, stage: &Stage) -> Outcome<Report> {
    let (run, a, b) = (Run::fresh(), &stage.webs[0], &stage.webs[1]);
    super::check_rate(options.rate)?;
    let length = common.length(15);
    let (senders, receivers) = (options.senders as usize, options.receivers as usize);
    common.say(format_args!("delivery: {senders} on instance A, {receivers} on instance B"));
    // One store: a session made at A is known at B.
    let people = crowd::visitors(a, run, senders + receivers).await?;
    let room = crowd::rooms(&people[0], run, 1).await?[0].id;
    linked(&people[0], run).await?;
    linked(&people[0].at(b), run).await?;
    let seats = crowd::arrive(people.len(), |index| {
        let person = people[index].clone();
        let person = if index < senders { person } else { person.at(b) };
        seat(person, run, room, index, senders)
    })
    .await?;
    common.say(format_args!("delivery: {} messages/s for {} s", options.rate, length.as_secs()));
    let beat = Some((options.rate, options.senders));
    let score = Score { run, warmup: common.warmup, length, beat, bytes: options.bytes as usize };
    let sung = sing(seats, score, stage).await?;
    let mut report = Report::new(format!(
        "delivery: A to B over Redis, {} messages/s, {senders} senders, {receivers} receivers, {} s",
        options.rate,
        length.as_secs()
    ));
    Sung::latency(&mut report, "delivery", &sung.book.deliveries, Some(Goal::Under(50.0)))?;
    report.figure("deliveries measured", sung.book.deliveries.len() as f64, "");
    Sung::latency(&mut report, "ack", &sung.book.acks, None)?;
    report.figure("acked", sung.book.acked_in_window as f64 / sung.seconds, "/s");
    sung.close(&mut report)?;
    Ok(report)
}

async fn seat(person: Visitor, run: Run, room: RoomId, index: usize, senders: usize) -> Outcome<Seat> {
    let part = if index < senders { Part::OnBeat } else { Part::Listen };
    let seat = Seat::take(person, run, room, index as u32, part).await?;
    // What a sender hears came over its own instance: not what is asked here.
    Ok(if index < senders { seat.unsampled() } else { seat })
}

/// Waits until the instance says that it hears the others.
async fn linked(visitor: &Visitor, run: Run) -> Outcome<()> {
    let deadline = Instant::now() + LINKED;
    loop {
        let live = Live::open(visitor, run, Vec::new()).await?;
        let state = live.bus();
        live.close().await;
        if state == BusState::Live {
            return Ok(());
        }
        if Instant::now() > deadline {
            let place = visitor.web.authority();
            return trouble(format!("{place} does not hear the other instance (bus: degraded); is Redis there?"));
        }
        sleep(Duration::from_millis(100)).await;
    }
}
