//! What happened: every send and its fate, what was found wrong, and a fingerprint of the whole course.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tertulia_protocol::{Key, RoomId, Seq, UserId};
use tokio::time::Instant;

use crate::dice::Fingerprint;

/// What can be found wrong; the words of the checker of real fault runs where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Acknowledged, and not in the log.
    Lost,
    /// Stored otherwise than it was sent or acknowledged.
    Changed,
    /// One key is stored twice.
    DuplicateStored,
    /// Refused in words that claim that it is not stored, and stored all the same.
    FalseFail,
    /// Stored or shown, and never sent.
    Phantom,
    /// A log has a hole.
    Gap,
    /// One sender's messages are stored in another order than they were sent.
    SessionOrder,
    /// Sent after another was acknowledged, and stored before it.
    RealtimeOrder,
    /// An instance delivered the same entry twice.
    DoubleDelivery,
    /// An instance delivered an entry after a later one.
    OrderDelivery,
    /// An instance left an entry out.
    SilentGap,
    /// Somebody was shown another entry than the log has under that number.
    Diverged,
    /// Acknowledged before it was stored.
    FalseAck,
    /// Somebody lacks something long after everything was healed.
    NotDelivered,
    /// What a tab shows is not what its log says.
    Misfolded,
    /// Whoever is there is not shown, or the other way round.
    Presence,
    /// A session ended, and somebody still uses it.
    Leak,
    /// Something is kept that nobody needs any more.
    Unbounded,
    /// The program panicked.
    Panicked,
}

impl Word {
    /// Every one: each must be proven able to be said.
    pub const ALL: [Self; 19] = [
        Self::Lost,
        Self::Changed,
        Self::DuplicateStored,
        Self::FalseFail,
        Self::Phantom,
        Self::Gap,
        Self::SessionOrder,
        Self::RealtimeOrder,
        Self::DoubleDelivery,
        Self::OrderDelivery,
        Self::SilentGap,
        Self::Diverged,
        Self::FalseAck,
        Self::NotDelivered,
        Self::Misfolded,
        Self::Presence,
        Self::Leak,
        Self::Unbounded,
        Self::Panicked,
    ];
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// In one word.
    pub word: Word,
    /// In more.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.word, self.what)
    }
}

/// Findings that are kept: one fault says the same many times over.
const FINDINGS: usize = 50;

/// Who sends: a tab by its number, or the plain door.
pub(crate) type Sender = usize;

/// What became of a send, as its sender knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No answer yet, or none that says anything for good.
    Open,
    /// Durable under this number; the second is the moment, counted in events.
    Acked(Seq, u64),
    /// Never to be stored.
    Refused,
}

/// One send.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Who.
    pub(crate) sender: Sender,
    /// As whom.
    pub(crate) author: UserId,
    /// Where.
    pub(crate) room: RoomId,
    /// What.
    pub(crate) body: String,
    /// Its place among all sends of the run.
    pub(crate) order: usize,
    /// When it was first handed to an instance, counted in events.
    pub(crate) invoked: Option<u64>,
    /// How often it was handed over.
    pub(crate) tries: u32,
    /// How often the answer was that it is not stored.
    pub(crate) denials: u32,
    /// What became of it.
    pub(crate) fate: Fate,
}

/// The record of one run, shared by everybody in it.
#[derive(Clone)]
pub(crate) struct Record(Arc<Mutex<State>>);

struct State {
    start: Instant,
    print: Fingerprint,
    events: u64,
    /// Lines for people, when they are wanted.
    trace: Option<Vec<String>>,
    findings: Vec<Finding>,
    counts: BTreeMap<&'static str, u64>,
    sends: BTreeMap<Key, Sent>,
}

/// What is left of a record at the end.
pub(crate) struct Kept {
    /// Of the whole course.
    pub(crate) fingerprint: u64,
    /// How many events there were.
    pub(crate) events: u64,
    /// In words, if they were wanted.
    pub(crate) trace: Vec<String>,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
    /// How often what happened.
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl Record {
    /// An empty one, from this moment on.
    pub(crate) fn begin(traced: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            start: Instant::now(),
            print: Fingerprint::new(),
            events: 0,
            trace: traced.then(Vec::new),
            findings: Vec::new(),
            counts: BTreeMap::new(),
            sends: BTreeMap::new(),
        })))
    }

    /// Something happened.
    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        self.lock().note(what, true);
    }

    /// Something happened that happens all the time: it belongs to the course, but nobody wants to read it.
    pub(crate) fn murmur(&self, what: fmt::Arguments<'_>) {
        self.lock().note(what, false);
    }

    /// Something happened that is worth knowing to have happened at all.
    pub(crate) fn count(&self, what: &'static str) {
        *self.lock().counts.entry(what).or_default() += 1;
    }

    /// Something is wrong.
    pub(crate) fn found(&self, word: Word, what: String) {
        let mut state = self.lock();
        state.note(format_args!("FOUND {word:?}: {what}"), true);
        if state.findings.len() < FINDINGS {
            state.findings.push(Finding { word, what });
        }
    }

    /// Somebody wants to send this.
    pub(crate) fn sends(&self, key: Key, sender: Sender, author: UserId, room: RoomId, body: String) {
        let mut state = self.lock();
        let order = state.sends.len();
        let (invoked, tries, denials, fate) = (None, 0, 0, Fate::Open);
        state.sends.insert(key, Sent { sender, author, room, body, order, invoked, tries, denials, fate });
        *state.counts.entry("sends").or_default() += 1;
    }

    /// It is handed to an instance.
    pub(crate) fn invoked(&self, key: Key) {
        let mut state = self.lock();
        let now = state.events;
        if let Some(sent) = state.sends.get_mut(&key) {
            sent.invoked.get_or_insert(now);
            sent.tries += 1;
        }
    }

    /// A try is answered by a claim that it stored nothing. Returns the author when every try so far was: then it must be
    /// true of the send as a whole.
    pub(crate) fn denied(&self, key: Key) -> Option<UserId> {
        let mut state = self.lock();
        let sent = state.sends.get_mut(&key)?;
        sent.denials += 1;
        (sent.denials == sent.tries).then_some(sent.author)
    }

    /// It has its last answer.
    pub(crate) fn answered(&self, key: Key, stored: Option<Seq>) {
        let mut state = self.lock();
        let now = state.events;
        if let Some(sent) = state.sends.get_mut(&key) {
            sent.fate = stored.map_or(Fate::Refused, |seq| Fate::Acked(seq, now));
        }
    }

    /// All sends, by their keys.
    pub(crate) fn all_sent(&self) -> BTreeMap<Key, Sent> {
        self.lock().sends.clone()
    }

    /// What is kept of it; the record is empty afterwards.
    pub(crate) fn take(&self) -> Kept {
        let mut state = self.lock();
        Kept {
            fingerprint: state.print.value(),
            events: state.events,
            trace: state.trace.take().unwrap_or_default(),
            findings: std::mem::take(&mut state.findings),
            counts: std::mem::take(&mut state.counts),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, what: fmt::Arguments<'_>, told: bool) {
        self.events += 1;
        let ms = self.start.elapsed().as_millis();
        // A fingerprint takes any text.
        let _ = writeln!(self.print, "{ms} {what}");
        if let Some(trace) = self.trace.as_mut().filter(|_| told) {
            trace.push(format!("{ms:>7} {what}"));
        }
    }
}
