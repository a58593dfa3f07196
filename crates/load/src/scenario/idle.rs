//! What a socket costs that nobody uses.

use tertulia_protocol::RoomId;
use tertulia_visitor::proc::Memory;

use super::{Common, on_stage};
use crate::crowd::{self, Hears};
use crate::live::{Live, Next};
use crate::report::{Goal, Report};
use crate::stage::Stage;
use crate::stamp::Run;
use crate::trouble::{Outcome, trouble};
use crate::web::Visitor;

/// Sockets opened before the baseline is read: whatever a server allocates once is there by then.
const WARM: usize = 32;

/// Options of `idle`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Idle {
    /// Sockets, each with a session of its own.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=28_000))]
    pub(crate) sockets: u32,
    /// Rooms they are spread over, each following one; 0: they follow none.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=400))]
    pub(crate) rooms: u32,
}

/// Runs it on one instance.
///
/// # Errors
/// When it cannot be measured.
pub(crate) async fn run(options: &Idle, common: &Common) -> Outcome<Vec<Report>> {
    super::sockets_allowed(options.sockets as usize + WARM)?;
    on_stage(common, 1, async |stage| Ok(vec![measured(options, common, stage).await?])).await
}

async fn measured(options: &Idle, common: &Common, stage: &Stage) -> Outcome<Report> {
    let (run, web, sockets) = (Run::fresh(), &stage.webs[0], options.sockets as usize);
    let warm = crowd::visitors(web, run, WARM).await?;
    let rooms = crowd::rooms(&warm[0], run, options.rooms as usize).await?;
    let rooms: Vec<RoomId> = rooms.into_iter().map(|room| room.id).collect();
    let warm = opened(&warm, run, &rooms).await?;
    common.say(format_args!("idle: opening {sockets} sockets"));
    let before = stage.memory()?;
    let people = crowd::visitors(web, Run::fresh(), sockets).await?;
    let after_entering = stage.memory()?;
    let lives = opened(&people, run, &rooms).await?;
    let after = stage.memory()?;
    let alive = lives.len();
    for live in lives.into_iter().chain(warm) {
        live.close().await;
    }
    let mut report = Report::new(format!("idle: {sockets} sockets, each following one of {} rooms", rooms.len()));
    let each = |kib: Option<u64>| kib.map(|kib| kib as f64 / sockets as f64);
    let grown = |from: Option<u64>, to: Option<u64>| from.zip(to).map(|(from, to)| to.saturating_sub(from));
    let anonymous = |memory: Option<Memory>| memory.map(|memory| memory.anonymous);
    let rss = |memory: Option<Memory>| memory.map(|memory| memory.rss);
    report.figure("anonymous memory per socket", each(grown(anonymous(before), anonymous(after))), "KiB");
    report.goal(Goal::AtMost(8.0));
    report.figure("of it before its WebSocket", each(grown(anonymous(before), anonymous(after_entering))), "KiB");
    report.figure("resident memory per socket", each(grown(rss(before), rss(after))), "KiB");
    report.figure("anonymous memory before", anonymous(before).map(|kib| kib as f64), "KiB");
    report.figure("sockets alive at the end", alive as f64, "");
    Ok(report)
}

/// Opens sockets that follow a room each, and waits until they are quiet.
async fn opened(people: &[Visitor], run: Run, rooms: &[RoomId]) -> Outcome<Vec<Live>> {
    crowd::arrive(people.len(), |index| async move {
        let mut live = Live::open(&people[index], run, Vec::new()).await?;
        if !rooms.is_empty() {
            live.subscribe(rooms[index % rooms.len()]).await?;
        }
        Ok(live)
    })
    .await
}

impl Hears for Live {
    async fn hear_once(&mut self) -> Outcome<()> {
        match self.hear().await? {
            Next::Heard(_) => Ok(()),
            Next::Gone(code, why) => trouble(format!("an idle socket was closed ({code:?}): {why}")),
        }
    }
}
