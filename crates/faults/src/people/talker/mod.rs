//! Somebody at a browser: one connection, some rooms, an outbox with one send in flight per room.

mod followed;
mod hearing;
mod outbox;
mod pulse;
mod slumber;
mod way;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tertulia_protocol::frame::Subscribe;
use tertulia_protocol::{BusState, ClientFrame, Close, Epoch, Key, Position, Refusal, RoomId, Seq};
use tertulia_visitor::live::Turned;
use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tertulia_visitor::web::Visitor;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::followed::Followed;
use self::way::{Heard, Way};
use super::{ANSWER, Pauses, Phase, Run, Words};
use crate::journal::{Door, Life, Mono, Person, Slumber, Stamp, What, Writer};

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
    /// By which way they talk: [`Door::Live`], a socket, or [`Door::Sse`], a stream and requests.
    pub(crate) door: Door,
    /// How long it goes well before their browser hangs, if it does. Only sockets are let go of by a deadline of their own.
    pub(crate) hangs: Option<Duration>,
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
    hang_at: Option<Instant>,
    /// How the browser hangs the next time.
    hangs_as: Slumber,
    /// By which word of the server a stream may go on where the last one ended.
    last_id: Option<String>,
    /// Told once, at the end.
    settled: Option<mpsc::Sender<()>>,
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
    /// Nothing comes any more; come back elsewhere, as whatever stands before the instances would lead them.
    Dead,
    /// The network breaks for so long.
    Cut(Duration),
    /// The browser hangs.
    Hangs,
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
        let hangs_as = if chance.random() { Slumber::Stalled } else { Slumber::Silent };
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
            hang_at: habits.hangs.map(|after| Instant::now() + after),
            hangs_as,
            last_id: None,
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
            let mut way = self.connect().await?;
            match self.converse(&mut way).await? {
                Over::Done => {
                    way.close().await;
                    for room in self.rooms.keys().copied().collect::<Vec<_>>() {
                        self.note(What::Unsubscribe { room })?;
                        self.note_person(room, Life::Went, None)?;
                    }
                    return self.journal.flush().because(&self.name);
                }
                Over::Lost(hint) => {
                    self.lost(way.silence(), false)?;
                    self.last_id = way.last_id();
                    drop(way);
                    sleep(Duration::from_millis(hint.unwrap_or(0))).await;
                }
                Over::Dead => {
                    self.lost(way.silence(), false)?;
                    self.last_id = way.last_id();
                    self.at = (self.at + self.chance.random_range(1..self.doors.len().max(2))) % self.doors.len();
                }
                Over::Cut(length) => {
                    self.lost(Duration::ZERO, true)?;
                    self.last_id = way.last_id();
                    drop(way);
                    self.stay_away(length).await;
                }
                Over::Hangs => {
                    self.lost(Duration::ZERO, true)?;
                    let how = self.next_slumber();
                    if let Some(socket) = way.into_socket() {
                        self.slumber(socket, how).await?;
                    }
                    self.hang_at = self.habits.hangs.map(|after| Instant::now() + after);
                }
            }
        }
    }

    /// Is away for so long, or until the talk is over: the end of a run waits for nobody's tunnel.
    async fn stay_away(&self, length: Duration) {
        let mut phase = self.run.phase.clone();
        tokio::select! {
            // Both safe to cancel: nothing is taken. An error means that the run has ended early, and is told elsewhere.
            () = sleep(length) => {}
            _ = phase.wait_for(|phase| !matches!(phase, Phase::Talk)) => {}
        }
    }

    /// Comes in at the own instance first, then at any.
    async fn connect(&mut self) -> Outcome<Way> {
        let mut pauses = Pauses::new();
        loop {
            let hint = match timeout(ANSWER, self.knock()).await {
                Ok(Ok(Ok(way))) => {
                    self.note_status(way.bus())?;
                    return Ok(way);
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

    async fn knock(&mut self) -> Outcome<Result<Way, Turned>> {
        let resume = self.positions();
        if self.habits.door != Door::Sse {
            return Way::socket(&self.doors[self.at], resume).await;
        }
        let chance = SmallRng::seed_from_u64(self.chance.random());
        // Either says where to go on: browsers repeat the word of the server, other programs name their positions.
        let last_id = self.last_id.clone().filter(|_| self.chance.random());
        Way::requests(&self.doors, self.at, resume, last_id.as_deref(), chance).await
    }

    /// Where they stand in each room. A stream must name all its rooms; where there is no position yet, none of any store.
    fn positions(&self) -> Vec<Position> {
        let all = self.habits.door == Door::Sse;
        let known = self.rooms.iter().filter_map(|(room, followed)| {
            let nowhere = || all.then(|| (Epoch(String::new()), Seq::ZERO));
            let (epoch, seq) = followed.position.clone().or_else(nowhere)?;
            Some(Position { room: *room, epoch, seq })
        });
        known.collect()
    }

    /// Begins to follow what no position was named of.
    async fn subscribe(&self, way: &mut Way) -> Outcome<()> {
        let unknown = self.rooms.iter().filter(|(_, followed)| followed.position.is_none()).map(|(room, _)| *room);
        for room in unknown.filter(|_| self.habits.door != Door::Sse) {
            way.say(&ClientFrame::Subscribe(Subscribe { room, after: None })).await?;
        }
        Ok(())
    }

    async fn converse(&mut self, way: &mut Way) -> Outcome<Over> {
        if self.subscribe(way).await.is_err() {
            return Ok(Over::Lost(None));
        }
        let mut hint = None;
        loop {
            if self.is_done() {
                return Ok(Over::Done);
            }
            self.say_that_it_is_settled();
            if self.say_what_is_due(way).await?.is_err() {
                return Ok(Over::Lost(None));
            }
            let mut phase = self.run.phase.clone();
            phase.mark_unchanged();
            let wake = self.wake().min(way.pulse.due());
            let next = tokio::select! {
                // All safe to cancel: a frame stays in the socket's buffer, a watch keeps its value.
                next = way.hear() => next?,
                () = sleep_until(wake) => {
                    if !matches!(way.beat().await, Ok(true)) || self.is_overdue() {
                        return Ok(Over::Dead);
                    }
                    if let Some(own) = self.own_trouble() {
                        return Ok(own);
                    }
                    continue;
                }
                changed = phase.changed() => {
                    changed.because("the run ended early")?;
                    continue;
                }
            };
            match next {
                Heard::Said(said) => {
                    if let Some(asked) = self.hear(said, &mut hint)?
                        && way.say(&asked).await.is_err()
                    {
                        return Ok(Over::Lost(None));
                    }
                }
                Heard::Gone(Some(code), why) if !Close::should_return(code) => {
                    return trouble(format!("{}: the server ended it for good ({code}): {why}", self.name));
                }
                Heard::Gone(..) => return Ok(Over::Lost(hint)),
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

    /// When there is something to do besides hearing. What waits behind another send of its room has no time of its own.
    fn wake(&self) -> Instant {
        let far = Instant::now() + ANSWER;
        let mut rooms = BTreeSet::new();
        let first = self.outbox.iter().filter(|waiting| rooms.insert(waiting.room));
        let sends = first.map(|waiting| waiting.asked.map_or(waiting.not_before, |asked| asked + ANSWER));
        // Who has nothing more to say is not troubled any more either.
        let talks = matches!(*self.run.phase.borrow(), Phase::Talk);
        let own = [Some(self.due), self.cut_at, self.hang_at].into_iter().flatten().filter(|_| talks);
        sends.chain(own).fold(far, Instant::min)
    }

    fn is_overdue(&self) -> bool {
        self.outbox.iter().any(|waiting| waiting.asked.is_some_and(|asked| asked.elapsed() >= ANSWER))
    }

    /// What befalls this person now without anybody else's doing.
    fn own_trouble(&mut self) -> Option<Over> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| Instant::now() >= at);
        if !matches!(*self.run.phase.borrow(), Phase::Talk) {
            return None;
        }
        if let Some((every, length)) = self.habits.cut.filter(|_| is_due(self.cut_at)) {
            self.cut_at = Some(Instant::now() + length + every.mul_f64(0.5 + self.chance.random::<f64>()));
            return Some(Over::Cut(length));
        }
        is_due(self.hang_at).then_some(Over::Hangs)
    }

    fn note_status(&self, bus: BusState) -> Outcome<()> {
        let word = if bus == BusState::Live { "live" } else { "degraded" };
        self.note(What::Status { word: word.to_owned(), via: self.doors[self.at].0.clone() })
    }

    fn note_person(&self, room: RoomId, t: Life, since: Option<Mono>) -> Outcome<()> {
        let (who, via) = (self.name.clone(), self.doors[self.at].0.clone());
        self.note(What::Person(Person { room, who, t, via, since }))
    }

    fn note(&self, what: What) -> Outcome<()> {
        self.journal.note(what).because(&self.name)
    }
}

fn is_temporary(refusal: &Refusal) -> bool {
    refusal.code.is_temporary() || refusal.retry_after_ms.is_some()
}
