//! One person in one room: talks by plan, hears everything, keeps the books.
//!
//! A seat that is cut off comes back as a browser does: resumes from the last number it saw and says again,
//! under the same keys, what was not answered.

mod book;
mod returning;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::frame::Send;
use tertulia_protocol::{ClientFrame, Code, Key, Refusal, RoomId, ServerFrame};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

pub(crate) use book::Book;
pub(crate) use returning::Cuts;

use crate::crowd::Hears;
use crate::ledger::{Acked, Ledger, Line, What};
use crate::live::{Live, Next};
use crate::pace::{Beat, Window};
use crate::stamp::{Run, Stamp};
use crate::trouble::{Because, Outcome, trouble};
use crate::web::{LIMITS_HINT, Visitor, Web};
use crate::wire::Heard;

/// How long answers and entries may take to arrive after the talking ended.
const DRAIN: Duration = Duration::from_secs(10);
/// Sends without an answer above which an open-loop speaker gives up: the server is stuck, not slow.
const UNANSWERED: usize = 10_000;
/// How long somebody tries to come back: twice the minute in which everybody is to be back after a storm.
const COME_BACK: Duration = Duration::from_secs(120);

/// What everybody in a run agrees on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The run.
    pub(crate) run: Run,
    /// When talking happens, and what of it counts.
    pub(crate) window: Window,
    /// When messages are due, for those who talk on the beat.
    pub(crate) beat: Option<Beat>,
    /// The length of a message, in bytes.
    pub(crate) bytes: usize,
}

/// What somebody does in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Hears only.
    Listen,
    /// Says what is due by the plan's beat, whether or not earlier sends were answered.
    OnBeat,
    /// Keeps so many sends in flight.
    Pipeline(usize),
}

/// Where the newest acknowledged entry of each room is, once everybody has stopped talking.
pub(crate) type Heads = Option<Arc<HashMap<RoomId, i64>>>;

/// Somebody in a room, ready to start.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Where they may come back to; they began at the first.
    homes: Vec<Visitor>,
    /// How their link breaks by itself.
    cuts: Option<Cuts>,
    cut_at: Option<Instant>,
    /// Since when they have been coming back, and up to which number they have missed something.
    returning: Option<(Instant, Option<i64>)>,
    live: Live,
    room: RoomId,
    speaker: u32,
    part: Part,
    /// Whether what this seat hears counts as delivery latency.
    sampled: bool,
    plan: Option<Plan>,
    next_counter: u32,
    not_before: Option<Instant>,
    in_flight: HashMap<Key, (Stamp, Instant)>,
    ledger: Ledger,
    book: Book,
}

/// What is left of a seat at the end.
#[derive(Debug)]
pub(crate) struct Left {
    /// Its room.
    pub(crate) room: RoomId,
    /// What it received.
    pub(crate) ledger: Ledger,
    /// What it counted.
    pub(crate) book: Book,
}

impl Seat {
    /// Connects somebody and follows the room.
    ///
    /// # Errors
    /// When the server does not let them in.
    pub(crate) async fn take(visitor: Visitor, run: Run, room: RoomId, speaker: u32, part: Part) -> Outcome<Self> {
        let mut live = Live::open(&visitor, run, Vec::new()).await?;
        let ledger = Ledger::after(live.subscribe(room).await?);
        Ok(Self {
            homes: vec![visitor],
            cuts: None,
            cut_at: None,
            returning: None,
            live,
            room,
            speaker,
            part,
            sampled: true,
            plan: None,
            next_counter: 0,
            not_before: None,
            in_flight: HashMap::new(),
            ledger,
            book: Book::default(),
        })
    }

    /// Leaves this seat's deliveries out of the latency.
    pub(crate) fn unsampled(mut self) -> Self {
        self.sampled = false;
        self
    }

    /// Lets them come back to any of these instances.
    pub(crate) fn at_home_in(mut self, webs: &[Web]) -> Self {
        self.homes = webs.iter().map(|web| self.homes[0].at(web)).collect();
        self
    }

    /// Gives them a bad network.
    pub(crate) fn with_cuts(mut self, cuts: Cuts) -> Self {
        self.cuts = Some(cuts);
        self
    }

    /// Talks and hears by the plan, then waits for everything that was acknowledged.
    ///
    /// # Errors
    /// When the server refuses to be measured, or is gone and does not come back.
    pub(crate) async fn sit(
        mut self,
        plan: Plan,
        heads: mpsc::Sender<(RoomId, i64)>,
        finals: watch::Receiver<Heads>,
    ) -> Outcome<Left> {
        self.plan = Some(plan);
        self.hear_until(plan.window.start).await?;
        self.talk(plan).await?;
        let deadline = Instant::now() + DRAIN;
        while !self.in_flight.is_empty() && Instant::now() < deadline {
            self.hear_one_by(deadline).await?;
        }
        self.book.unanswered = self.in_flight.len() as u64;
        let head = self.book.acked.iter().map(|ack| ack.seq).max().unwrap_or(0);
        heads.send((self.room, head)).await.because("the run ended early")?;
        // Held until here only: the last to drop it ends the count.
        drop(heads);
        self.catch_up(finals).await?;
        let Self { live, room, ledger, book, .. } = self;
        live.close().await;
        Ok(Left { room, ledger, book })
    }

    async fn hear_until(&mut self, deadline: Instant) -> Outcome<()> {
        while Instant::now() < deadline {
            self.hear_one_by(deadline).await?;
        }
        Ok(())
    }

    async fn hear_one_by(&mut self, deadline: Instant) -> Outcome<()> {
        match tokio::time::timeout_at(deadline, self.live.hear()).await {
            Err(_time_is_up) => Ok(()),
            Ok(next) => self.heard(next?).await,
        }
    }

    async fn talk(&mut self, plan: Plan) -> Outcome<()> {
        self.plan_cut();
        loop {
            let now = Instant::now();
            if now >= plan.window.to {
                return Ok(());
            }
            let due = self.next_due(plan, now).filter(|&due| due < plan.window.to);
            if let Some(due) = due.filter(|&due| due <= now) {
                self.say_next(plan, due).await?;
                continue;
            }
            // Hearing may be dropped while waiting: a frame that has begun stays in the socket's buffer.
            tokio::select! {
                () = sleep_until(due.unwrap_or(plan.window.to)) => {}
                () = sleep_until(self.cut_at.unwrap_or(plan.window.to)), if self.cut_at.is_some() => self.cut().await?,
                next = self.live.hear() => self.heard(next?).await?,
            }
        }
    }

    /// When there is something to say; `None`: only after something was heard.
    fn next_due(&self, plan: Plan, now: Instant) -> Option<Instant> {
        match self.part {
            Part::Listen => None,
            Part::OnBeat => plan.beat.map(|beat| beat.due(self.speaker, self.next_counter)),
            Part::Pipeline(depth) if self.in_flight.len() < depth => Some(self.not_before.unwrap_or(now)),
            Part::Pipeline(_) => None,
        }
    }

    async fn say_next(&mut self, plan: Plan, due: Instant) -> Outcome<()> {
        if self.in_flight.len() >= UNANSWERED {
            return trouble(format!("{UNANSWERED} sends of one speaker are without an answer"));
        }
        let stamp = Stamp { speaker: self.speaker, counter: self.next_counter };
        self.next_counter += 1;
        let key = Key::mint();
        // Latency counts from when the message was due, the time the generator itself was late included.
        let from = if self.part == Part::OnBeat { due } else { Instant::now() };
        if self.part == Part::OnBeat && plan.window.counts(due) {
            self.book.lag.add(due.elapsed());
        }
        self.in_flight.insert(key, (stamp, from));
        self.say(plan, key, stamp).await;
        Ok(())
    }

    async fn say(&mut self, plan: Plan, key: Key, stamp: Stamp) {
        let body = plan.run.body(stamp, plan.bytes);
        let frame = ClientFrame::Send(Send { room: self.room, key, body, reply_to: None });
        // A socket that cannot be written says so to its reader next, who comes back and says this again.
        let _told_by_hearing = self.live.say(&frame).await;
    }

    async fn heard(&mut self, next: Next) -> Outcome<()> {
        match next {
            Next::Heard(Heard::Entries(room, lines)) if room == self.room => self.entries(&lines),
            Next::Heard(Heard::Entries(..) | Heard::Presence) => {}
            Next::Heard(Heard::Frame(frame)) => return self.answered(*frame),
            Next::Gone(code, why) => return self.come_back(code, why, Duration::ZERO).await,
        }
        Ok(())
    }

    fn entries(&mut self, lines: &[Line]) {
        let now = Instant::now();
        let counts = self.plan.is_some_and(|plan| plan.window.counts(now));
        self.book.frames += u64::from(counts);
        for &line in lines {
            let fresh = self.ledger.note(line);
            self.book.entries += u64::from(counts && fresh);
            let beat = self.plan.and_then(|plan| Some((plan.window, plan.beat?)));
            if let (What::Message(stamp), Some((window, beat)), true) = (line.what, beat, self.sampled && fresh) {
                let due = beat.due(stamp.speaker, stamp.counter);
                if window.counts(due) {
                    self.book.deliveries.add(now.saturating_duration_since(due));
                }
            }
        }
        self.look_whether_back();
    }

    fn answered(&mut self, frame: ServerFrame) -> Outcome<()> {
        match frame {
            ServerFrame::Ack { key, seq, .. } => {
                if let Some((stamp, from)) = self.in_flight.remove(&key) {
                    self.book.acked.push(Acked { seq: seq.0, stamp });
                    if let Some(plan) = self.plan {
                        self.book.acked_in_window += u64::from(plan.window.counts(Instant::now()));
                        if plan.window.counts(from) {
                            self.book.acks.add(from.elapsed());
                        }
                    }
                }
            }
            ServerFrame::Nack { key, refusal } => {
                self.in_flight.remove(&key);
                self.refused(&refusal)?;
            }
            ServerFrame::Error { refusal, .. } => {
                self.refused(&refusal)?;
                return trouble(format!("the server answered with an error: {refusal}"));
            }
            ServerFrame::Reset { .. } => self.book.resets += 1,
            ServerFrame::Subscribed { room, seq, .. } if room == self.room => self.missed_up_to(seq.0),
            _ => {}
        }
        Ok(())
    }

    fn refused(&mut self, refusal: &Refusal) -> Outcome<()> {
        if refusal.code == Code::RateLimited {
            return trouble(format!("{refusal} ({LIMITS_HINT})"));
        }
        *self.book.refused.entry(refusal.code.as_str()).or_default() += 1;
        let wait = Duration::from_millis(refusal.retry_after_ms.unwrap_or(0).min(1_000));
        self.not_before = Some(Instant::now() + wait);
        Ok(())
    }

    /// Hears until everything acknowledged in the room is here, and then whatever is still queued.
    async fn catch_up(&mut self, mut finals: watch::Receiver<Heads>) -> Outcome<()> {
        let head = loop {
            // Both may be dropped while waiting: a watch keeps its value, a socket its frame.
            tokio::select! {
                changed = finals.changed() => {
                    changed.because("the run ended early")?;
                    let heads = finals.borrow_and_update().clone();
                    let Some(heads) = heads else { continue };
                    break heads.get(&self.room).copied().unwrap_or(0);
                }
                next = self.live.hear() => self.heard(next?).await?,
            }
        };
        let deadline = Instant::now() + DRAIN;
        while self.ledger.last() < head && Instant::now() < deadline {
            self.hear_one_by(deadline).await?;
        }
        // Frames keep their order on a socket: what was queued before the pong, a double say, is heard before it.
        self.live.say(&ClientFrame::Ping).await?;
        while Instant::now() < deadline {
            match tokio::time::timeout_at(deadline, self.live.hear()).await {
                Ok(Ok(Next::Heard(Heard::Frame(frame)))) if *frame == ServerFrame::Pong => break,
                Ok(next) => self.heard(next?).await?,
                Err(_time_is_up) => break,
            }
        }
        Ok(())
    }
}

impl Hears for Seat {
    async fn hear_once(&mut self) -> Outcome<()> {
        let next = self.live.hear().await?;
        self.heard(next).await
    }
}
