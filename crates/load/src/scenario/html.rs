//! How long the first HTML of a room takes, open loop.

use std::sync::Arc;

use tertulia_protocol::frame::Send;
use tertulia_protocol::{ClientFrame, Key, RoomInfo, ServerFrame, limits};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::{Common, check_rate, on_stage};
use crate::choir::Sung;
use crate::crowd;
use crate::live::{Live, Next};
use crate::pace::{Beat, Window};
use crate::report::{Goal, Report};
use crate::samples::Samples;
use crate::stage::Stage;
use crate::stamp::{Run, Stamp};
use crate::trouble::{Because, Outcome, trouble};
use crate::web::{LIMITS_HINT, Visitor};
use crate::wire::Heard;

/// Requests under way at once. A server that is further behind is not measured better by asking more.
const AT_ONCE: usize = 1_000;
/// Bytes of a message: a sentence.
const BYTES: usize = 100;

/// Options of `html`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Html {
    /// Requests per second.
    #[arg(long, default_value_t = 200.0)]
    pub(crate) rate: f64,
    /// Ask for a page that is not compressed, unlike a browser.
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Runs it on one instance.
///
/// # Errors
/// When it cannot be measured, or the page lacks a message.
pub(crate) async fn run(options: &Html, common: &Common) -> Outcome<Vec<Report>> {
    check_rate(options.rate)?;
    on_stage(common, 1, async |stage| Ok(vec![measured(options, common, stage).await?])).await
}

async fn measured(options: &Html, common: &Common, stage: &Stage) -> Outcome<Report> {
    let run = Run::fresh();
    let length = common.length(10);
    let visitor = crowd::visitors(&stage.webs[0], run, 1).await?.remove(0);
    let room = crowd::rooms(&visitor, run, 1).await?.remove(0);
    fill(&visitor, run, &room).await?;
    let bytes = check_page(&visitor, run, &room).await?;
    common.say(format_args!("html: {} requests/s for {} s", options.rate, length.as_secs()));
    let window = Window::ahead(std::time::Duration::ZERO, common.warmup, length);
    let beat = Beat::new(window.start, options.rate, 1);
    let mut cpu_before = None;
    let (mut tasks, mut samples, mut failed) = (JoinSet::new(), Samples::default(), Vec::new());
    let room_for = Arc::new(Semaphore::new(AT_ONCE));
    for due in (0..).map(|counter| beat.due(0, counter)).take_while(|&due| due < window.to) {
        sleep_until(due).await;
        if cpu_before.is_none() && window.counts(due) {
            cpu_before = stage.cpu()?;
        }
        let permit = Arc::clone(&room_for).acquire_owned().await.because("asking")?;
        let (visitor, slug, compressed) = (visitor.clone(), room.slug.clone(), !options.plain);
        tasks.spawn(async move {
            let page = visitor.page(&slug, compressed).await;
            drop(permit);
            (due, page.map(|_| due.elapsed()))
        });
        while let Some(ended) = tasks.try_join_next() {
            note(ended.because("a request")?, &window, &mut samples, &mut failed);
        }
    }
    let cpu = cpu_before.zip(stage.cpu()?).map(|(before, after)| (after - before).as_secs_f64());
    while let Some(ended) = tasks.join_next().await {
        note(ended.because("a request")?, &window, &mut samples, &mut failed);
    }
    let what = if options.plain { "plain" } else { "compressed as for a browser" };
    let mut report = Report::new(format!(
        "html: a room with {} messages, {} requests/s, {what}, {} s",
        limits::HISTORY_PAGE,
        options.rate,
        length.as_secs()
    ));
    Sung::latency(&mut report, "first HTML", &samples, Some(Goal::Under(25.0)))?;
    report.figure("pages measured", samples.len() as f64, "");
    report.figure("page, not compressed", bytes as f64 / 1024.0, "KiB");
    report.figure("server CPU per page", cpu.map(|cpu| cpu * 1e6 / samples.len() as f64), "us");
    // A page that was refused fast must not make the figures better.
    report.figure("requests failed", failed.len() as f64, "");
    report.goal(Goal::AtMost(0.0));
    report.notes.extend(failed.first().map(|first| format!("the first that failed: {first}")));
    Ok(report)
}

fn note(
    (due, page): (Instant, Outcome<std::time::Duration>),
    window: &Window,
    samples: &mut Samples,
    failed: &mut Vec<String>,
) {
    match page {
        Ok(latency) if window.counts(due) => samples.add(latency),
        Ok(_warmup) => {}
        Err(error) => failed.push(error.to_string()),
    }
}

/// Says as many messages as the first HTML shows.
async fn fill(visitor: &Visitor, run: Run, room: &RoomInfo) -> Outcome<()> {
    let mut live = Live::open(visitor, run, Vec::new()).await?;
    for counter in 0..limits::HISTORY_PAGE as u32 {
        let (key, body) = (Key::mint(), run.body(Stamp { speaker: 0, counter }, BYTES));
        live.say(&ClientFrame::Send(Send { room: room.id, key, body, reply_to: None })).await?;
        loop {
            let Next::Heard(heard) = live.hear().await? else { return trouble("the socket was closed") };
            let Heard::Frame(frame) = heard else { continue };
            match *frame {
                ServerFrame::Ack { key: of, .. } if of == key => break,
                ServerFrame::Nack { refusal, .. } | ServerFrame::Error { refusal, .. } => {
                    return trouble(format!("{refusal} (if it is about rates: {LIMITS_HINT})"));
                }
                _ => {}
            }
        }
    }
    live.close().await;
    Ok(())
}

/// The page holds every message; its bytes come back. A fast page without them would be worth nothing.
async fn check_page(visitor: &Visitor, run: Run, room: &RoomInfo) -> Outcome<usize> {
    let page = visitor.page(&room.slug, false).await?;
    let text = String::from_utf8_lossy(&page);
    for counter in 0..limits::HISTORY_PAGE as u32 {
        let stamp = run.body(Stamp { speaker: 0, counter }, 0);
        if !text.contains(&stamp) {
            return trouble(format!("the first HTML of /r/{} lacks message {}", room.slug, counter + 1));
        }
    }
    Ok(page.len())
}
