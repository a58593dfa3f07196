//! How many sends one instance makes durable, and how long a lonely one takes.

use std::time::Duration;

use super::{Common, on_stage};
use crate::choir::{Score, Sung, sing};
use crate::crowd;
use crate::report::{Goal, Report};
use crate::seat::{Part, Seat};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::Outcome;

/// Bytes of a message: a sentence.
const BYTES: usize = 100;
/// Most rooms made for one run: the server lists 500, the lobby and those of earlier runs among them.
const ROOMS: usize = 400;
/// A lonely speaker's rate: one send every 50 ms, slow enough that none waits for another.
const LONELY_PER_SECOND: f64 = 20.0;

/// Options of `sends`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sends {
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) connections: u32,
    /// Rooms they are spread over; as many as connections when left out.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub(crate) rooms: Option<u32>,
    /// Sends each keeps in flight. The server takes 40 of one socket.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=40))]
    pub(crate) pipeline: u32,
    /// Seconds of one lonely connection afterwards; 0 for none.
    #[arg(long, default_value_t = 10)]
    pub(crate) lonely_seconds: u64,
}

/// Runs both parts on one instance.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Sends, common: &Common) -> Outcome<Vec<Report>> {
    on_stage(common, 1, async |stage| {
        let mut reports = vec![crowded(options, common, stage).await?];
        if options.lonely_seconds > 0 {
            reports.push(lonely(options, common, stage).await?);
        }
        Ok(reports)
    })
    .await
}

async fn crowded(options: &Sends, common: &Common, stage: &Stage) -> Outcome<Report> {
    let (run, web) = (Run::fresh(), &stage.webs[0]);
    let length = common.length(10);
    let connections = options.connections as usize;
    let rooms = options.rooms.map_or(connections.min(ROOMS), |rooms| (rooms as usize).min(connections));
    common.say(format_args!("sends: letting {connections} in, {rooms} rooms"));
    let people = crowd::visitors(web, run, connections).await?;
    let rooms = crowd::rooms(&people[0], run, rooms).await?;
    let part = Part::Pipeline(options.pipeline as usize);
    let seats = crowd::arrive(connections, |index| {
        Seat::take(people[index].clone(), run, rooms[index % rooms.len()].id, index as u32, part)
    })
    .await?;
    common.say(format_args!("sends: {} s", length.as_secs()));
    let sung = sing(seats, Score { run, warmup: common.warmup, length, beat: None, bytes: BYTES }, stage).await?;
    let mut report = Report::new(format!(
        "sends: {connections} connections in {} rooms, {} in flight each, {} s",
        rooms.len(),
        options.pipeline,
        length.as_secs()
    ));
    report.figure("acked", sung.book.acked_in_window as f64 / sung.seconds, "/s");
    report.goal(Goal::AtLeast(5_000.0));
    Sung::latency(&mut report, "ack", &sung.book.acks, None)?;
    report.figure(
        "server CPU per send (its deliveries included)",
        sung.server_micros_per(sung.book.acked_in_window),
        "us",
    );
    sung.close(&mut report)?;
    Ok(report)
}

async fn lonely(options: &Sends, common: &Common, stage: &Stage) -> Outcome<Report> {
    let (run, web) = (Run::fresh(), &stage.webs[0]);
    let length = Duration::from_secs(options.lonely_seconds);
    common.say(format_args!("lonely: {} s", length.as_secs()));
    let people = crowd::visitors(web, run, 1).await?;
    let rooms = crowd::rooms(&people[0], run, 1).await?;
    let seat = Seat::take(people[0].clone(), run, rooms[0].id, 0, Part::OnBeat).await?;
    let score = Score { run, warmup: common.warmup, length, beat: Some((LONELY_PER_SECOND, 1)), bytes: BYTES };
    let sung = sing(vec![seat], score, stage).await?;
    let mut report = Report::new(format!("lonely: 1 connection, a send every 50 ms, {} s", length.as_secs()));
    Sung::latency(&mut report, "ack", &sung.book.acks, Some(Goal::Under(30.0)))?;
    sung.close(&mut report)?;
    Ok(report)
}
