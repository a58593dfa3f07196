//! Somebody at a browser: one socket, some rooms, an outbox with one send in flight per room.

mod hearing;
mod outbox;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use tertulia_protocol::frame::Subscribe;
use tertulia_protocol::{BusState, ClientFrame, Close, Epoch, Key, Position, Refusal, RoomId, Seq};
use tertulia_visitor::live::{Live, frame};
use tertulia_visitor::socket::Next;
use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tertulia_visitor::web::Visitor;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{ANSWER, Pauses, Phase, Run, Words};
use crate::journal::{Life, Person, Stamp, What, Writer};

/// What the server's logs call us.
const CLIENT: &str = concat!("tertulia-faults/", env!("CARGO_PKG_VERSION"));
/// Most that waits to be said: a talker that is kept from talking for minutes stops thinking of more.
const WAITING: usize = 1_000;
/// How long to wait before a temporary refusal without a time is answered by another try.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// How somebody behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Between two things to say.
    pub(crate) every: Duration,
    /// The length of what is said, in bytes.
    pub(crate) bytes: usize,
    /// How often their link breaks by itself, if it does: between two cuts, and for how long.
    pub(crate) cut: Option<(Duration, Duration)>,
    /// Whether they write down who comes and goes.
    pub(crate) watches: bool,
}

/// A person.
pub(crate) struct Talker {
    run: Run,
    name: String,
    habits: Habits,
    doors: Vec<(String, Visitor)>,
    at: usize,
    journal: Writer,
    chance: SmallRng,
    words: Words,
    rooms: BTreeMap<RoomId, Followed>,
    outbox: VecDeque<Waiting>,
    due: Instant,
    cut_at: Option<Instant>,
    /// Told once, at the end.
    settled: Option<mpsc::Sender<()>>,
}

/// A room as this person knows it.
struct Followed {
    /// The store and the last entry applied; none before the first answer.
    position: Option<(Epoch, Seq)>,
    /// Up to here entries were missed while the link was lost.
    resumed_to: Seq,
    /// Up to here they belong to a fresh beginning.
    afresh_to: Seq,
    /// Up to here they are being asked for.
    pulled_to: Seq,
    /// Whether the first answer came, so that the person is there.
    came: bool,
}

impl Followed {
    const fn new() -> Self {
        Self { position: None, resumed_to: Seq::ZERO, afresh_to: Seq::ZERO, pulled_to: Seq::ZERO, came: false }
    }
}

/// Something to say.
struct Waiting {
    room: RoomId,
    stamp: Stamp,
    key: Key,
    body: String,
    /// Since when its answer is waited for.
    asked: Option<Instant>,
    not_before: Instant,
}

/// Why a conversation is over.
enum Over {
    /// The link is gone; come back, after this time if one was named.
    Lost(Option<u64>),
    /// Everything is heard.
    Done,
}

impl Talker {
    /// Somebody who will be in these rooms, at home at the instance `at`.
    ///
    /// # Errors
    /// When the journal cannot be begun.
    pub(crate) fn new(
        run: &Run,
        sender: u32,
        visitor: &Visitor,
        name: &str,
        rooms: &[RoomId],
        habits: Habits,
    ) -> Outcome<Self> {
        let doors = run.doors(visitor);
        let mut chance = run.chance(sender);
        // Not all at once: everybody's first word comes at a moment of its own.
        let due = Instant::now() + habits.every.mul_f64(chance.random::<f64>());
        let cut_at = habits.cut.map(|(every, _)| Instant::now() + every.mul_f64(chance.random::<f64>()));
        Ok(Self {
            name: name.to_owned(),
            habits,
            at: sender as usize % doors.len(),
            doors,
            journal: run.journal(name)?,
            chance,
            words: Words::new(sender, habits.bytes),
            rooms: rooms.iter().map(|room| (*room, Followed::new())).collect(),
            outbox: VecDeque::new(),
            due,
            cut_at,
            settled: Some(run.settled.clone()),
            run: run.clone(),
        })
    }

    /// Talks and hears until the run is over.
    ///
    /// # Errors
    /// When the server ends the conversation for good, says what is no frame, or the journal cannot be written.
    pub(crate) async fn live(mut self) -> Outcome<()> {
        loop {
            let mut live = self.connect().await?;
            let over = self.converse(&mut live).await;
            if !matches!(over, Ok(Over::Done)) {
                self.lost()?;
            }
            match over {
                Ok(Over::Done) => {
                    live.close().await;
                    for room in self.rooms.keys().copied().collect::<Vec<_>>() {
                        self.note(What::Unsubscribe { room })?;
                        self.note_person(room, Life::Went)?;
                    }
                    return self.journal.flush().because(&self.name);
                }
                Ok(Over::Lost(hint)) => {
                    drop(live);
                    sleep(Duration::from_millis(hint.unwrap_or(0))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Comes in at the own instance first, then at any.
    async fn connect(&mut self) -> Outcome<Live> {
        let mut pauses = Pauses::new();
        loop {
            let resume = self.positions();
            let (_, visitor) = &self.doors[self.at];
            let hint = match timeout(ANSWER, Live::knock(visitor, CLIENT, resume)).await {
                Ok(Ok(Ok(live))) => {
                    self.note_status(live.bus)?;
                    return Ok(live);
                }
                Ok(Ok(Err(turned))) => {
                    if turned.code.is_some_and(|code| !Close::should_return(code)) {
                        return trouble(format!("{}: turned away for good: {}", self.name, turned.why));
                    }
                    turned.retry_after_ms.unwrap_or(0)
                }
                Ok(Err(_)) | Err(_) => 0,
            };
            sleep(pauses.next(&mut self.chance) + Duration::from_millis(hint)).await;
            self.at = self.chance.random_range(0..self.doors.len());
        }
    }

    fn positions(&self) -> Vec<Position> {
        let known = self.rooms.iter().filter_map(|(room, followed)| {
            let (epoch, seq) = followed.position.clone()?;
            Some(Position { room: *room, epoch, seq })
        });
        known.collect()
    }

    async fn converse(&mut self, live: &mut Live) -> Outcome<Over> {
        for room in self.rooms.iter().filter(|(_, followed)| followed.position.is_none()).map(|(room, _)| *room) {
            if live.say(&ClientFrame::Subscribe(Subscribe { room, after: None })).await.is_err() {
                return Ok(Over::Lost(None));
            }
        }
        let mut hint = None;
        loop {
            if self.is_done() {
                return Ok(Over::Done);
            }
            self.say_that_it_is_settled();
            if self.say_what_is_due(live).await?.is_err() {
                return Ok(Over::Lost(None));
            }
            let mut phase = self.run.phase.clone();
            phase.mark_unchanged();
            let wake = self.wake();
            let next = tokio::select! {
                // All safe to cancel: a frame stays in the socket's buffer, a watch keeps its value.
                next = live.hear() => next?,
                () = sleep_until(wake) => {
                    if self.is_overdue() || self.is_cut() {
                        return Ok(Over::Lost(self.pause_of_cut()));
                    }
                    continue;
                }
                changed = phase.changed() => {
                    changed.because("the run ended early")?;
                    continue;
                }
            };
            match next {
                Next::Said(text) => {
                    if let Some(asked) = self.hear(frame(&text)?, &mut hint)?
                        && live.say(&asked).await.is_err()
                    {
                        return Ok(Over::Lost(None));
                    }
                }
                Next::Gone(Some(code), why) if !Close::should_return(code) => {
                    return trouble(format!("{}: the server ended it for good ({code}): {why}", self.name));
                }
                Next::Gone(..) => return Ok(Over::Lost(hint)),
            }
        }
    }

    /// Once, when there is nothing new to say and everything was answered.
    fn say_that_it_is_settled(&mut self) {
        if self.outbox.is_empty() && matches!(*self.run.phase.borrow(), Phase::Settle) {
            // The run counts; when it has ended early, nobody is left to.
            let _ = self.settled.take().map(|settled| settled.try_send(()));
        }
    }

    fn is_done(&self) -> bool {
        match &*self.run.phase.borrow() {
            Phase::Talk | Phase::Settle => false,
            Phase::Finish(heads) => {
                let reached = |(room, followed): (&RoomId, &Followed)| {
                    let seq = followed.position.as_ref().map_or(Seq::ZERO, |(_, seq)| *seq);
                    heads.get(room).is_none_or(|head| seq >= *head)
                };
                self.outbox.is_empty() && self.rooms.iter().all(reached)
            }
        }
    }

    /// When there is something to do besides hearing.
    fn wake(&self) -> Instant {
        let far = Instant::now() + ANSWER;
        let answers = self.outbox.iter().filter_map(|waiting| Some(waiting.asked? + ANSWER));
        let retries = self.outbox.iter().filter(|waiting| waiting.asked.is_none()).map(|waiting| waiting.not_before);
        let talks = matches!(*self.run.phase.borrow(), Phase::Talk).then_some(self.due);
        answers.chain(retries).chain(talks).chain(self.cut_at).fold(far, Instant::min)
    }

    fn is_overdue(&self) -> bool {
        self.outbox.iter().any(|waiting| waiting.asked.is_some_and(|asked| asked.elapsed() >= ANSWER))
    }

    fn is_cut(&self) -> bool {
        self.cut_at.is_some_and(|at| Instant::now() >= at) && matches!(*self.run.phase.borrow(), Phase::Talk)
    }

    /// How long this cut lasts, and when the next one comes.
    fn pause_of_cut(&mut self) -> Option<u64> {
        let (every, length) = self.habits.cut.filter(|_| self.is_cut())?;
        self.cut_at = Some(Instant::now() + every.mul_f64(0.5 + self.chance.random::<f64>()));
        u64::try_from(length.as_millis()).ok()
    }

    fn note_status(&self, bus: BusState) -> Outcome<()> {
        let word = if bus == BusState::Live { "live" } else { "degraded" };
        self.note(What::Status { word: word.to_owned() })
    }

    fn note_person(&self, room: RoomId, t: Life) -> Outcome<()> {
        self.note(What::Person(Person { room, who: self.name.clone(), t }))
    }

    fn note(&self, what: What) -> Outcome<()> {
        self.journal.note(what).because(&self.name)
    }
}

fn is_temporary(refusal: &Refusal) -> bool {
    refusal.code.is_temporary() || refusal.retry_after_ms.is_some()
}
