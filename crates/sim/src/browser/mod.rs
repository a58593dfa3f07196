//! A tab of a browser: the real outbox, timeline and backoff, moved by a script and by frames.
//!
//! Written after `src/ui/connection`, without a page: `link` keeps the connection, `frames` says what each frame
//! does, `deeds` what somebody does. All of it is a machine that never waits; `drive` waits for it.

mod deeds;
mod drive;
mod frames;
mod link;
mod room;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tertulia_chat::store::TokenHash;
use tertulia_protocol::{Epoch, Person, RoomId, Seq, ServerFrame, Snapshot, UserId};
use tertulia_timeline::{Backoff, Outbox, Timeline};
use tokio::sync::mpsc;
use tokio::time::Instant;

pub(crate) use self::drive::drive;
use self::room::Open;
use crate::dice::Dice;
use crate::house::{Away, House, Line};
use crate::plan::{Claim, Lie, Plan, Sabotage};
use crate::socket::Up;
use crate::wire::{Tx, Wire};

/// Errands whose outcome waits for the tab; more than it has rooms.
const ERRANDS: usize = 64;

/// Somebody with a session; tabs share it.
#[derive(Clone)]
pub(crate) struct Account {
    /// Who.
    pub(crate) person: Person,
    /// The session.
    pub(crate) token: TokenHash,
    /// Whether it has ended.
    pub(crate) out: Arc<AtomicBool>,
}

/// The number of a tab, and how it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tab(pub(crate) usize);

impl fmt::Display for Tab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tab {}", self.0)
    }
}

/// How the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No room has been opened yet.
    Still,
    /// A try at this moment.
    Lost(Instant),
    /// Since then.
    Opening(Instant),
    Live,
    /// The server does not want this tab back.
    Over,
}

/// What an errand brought.
enum Errand {
    /// An instance let the connection of this generation in, or nobody did.
    Connected(u64, Result<Line, Away>),
    /// The page of a room; nothing when it could not be had.
    Fetched(RoomId, Option<Box<Snapshot>>),
}

/// A tab.
pub(crate) struct Browser {
    tab: Tab,
    account: Account,
    house: Arc<House>,
    seed: u64,
    dice: Dice,
    errands: mpsc::Sender<Errand>,
    outbox: Outbox,
    backoff: Backoff,
    rooms: BTreeMap<RoomId, Open>,
    /// Pages that are on their way.
    fetching: Vec<RoomId>,
    /// Where one writes.
    home: Option<RoomId>,
    phase: Phase,
    up: Option<Tx<Up>>,
    wire: Option<Arc<Wire>>,
    /// Goes up with every connection, so that a dead one's frames and errands are known and ignored.
    generation: u64,
    epoch: Option<Epoch>,
    /// Followings that were asked for and not answered, in order, with the position they were asked from.
    asked: VecDeque<(RoomId, Seq)>,
    /// When those that were refused are asked for again.
    follow_at: Option<Instant>,
    ping_ms: u64,
    heard_at: Instant,
    pong_due: Option<Instant>,
    hint_ms: Option<u64>,
    claim: Option<Claim>,
    /// Keys minted so far.
    minted: u64,
    start: Instant,
    lie: Option<Lie>,
    skips: bool,
    /// Whether what is kept is not what was heard.
    forges: bool,
    /// A frame that waits to change places with the next.
    swapped: Option<ServerFrame>,
    /// Whether its script is over.
    done: bool,
}

/// What somebody who looks at the tab from outside sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether its script is over, it is connected, also in truth, and nothing it asked for is unanswered.
    pub(crate) settled: bool,
    /// Whether it will never come back.
    pub(crate) over: bool,
    /// Sends without an answer.
    pub(crate) waiting: usize,
    /// Of each open room: the position, who is said to be here, and how many.
    pub(crate) rooms: BTreeMap<RoomId, (Seq, Vec<UserId>, u64)>,
}

/// A tab in the hands of several: the one who drives it, and those who look.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Browser>>);

impl Shared {
    /// The tab itself. Nothing is held over an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Browser> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tab that has done nothing yet, with the way on which its errands come back.
pub(crate) struct Fresh {
    shared: Shared,
    errands: mpsc::Receiver<Errand>,
}

impl Fresh {
    /// The tab.
    pub(crate) fn shared(&self) -> Shared {
        self.shared.clone()
    }
}

impl Browser {
    /// A tab of an account.
    pub(crate) fn open(tab: Tab, account: Account, house: Arc<House>, plan: &Plan) -> Fresh {
        let (to, errands) = mpsc::channel(ERRANDS);
        let now = Instant::now();
        let browser = Self {
            tab,
            account,
            house,
            seed: plan.seed,
            dice: Dice::of(plan.seed, &tab.to_string()),
            errands: to,
            outbox: Outbox::new(),
            backoff: Backoff::new(),
            rooms: BTreeMap::new(),
            fetching: Vec::new(),
            home: None,
            phase: Phase::Still,
            up: None,
            wire: None,
            generation: 0,
            epoch: None,
            asked: VecDeque::new(),
            follow_at: None,
            ping_ms: tertulia_protocol::limits::PING_MS,
            heard_at: now,
            pong_due: None,
            hint_ms: None,
            claim: None,
            minted: 0,
            start: now,
            lie: match plan.sabotage {
                Some(Sabotage::Deliveries(lie)) => Some(lie),
                _ => None,
            },
            forges: false,
            skips: plan.sabotage == Some(Sabotage::SkipOnResume),
            swapped: None,
            done: false,
        };
        Fresh { shared: Shared(Arc::new(Mutex::new(browser))), errands }
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        let followed = self.rooms.values().all(Open::is_followed) && self.asked.is_empty() && self.fetching.is_empty();
        let whole = self.wire.as_ref().is_some_and(|wire| wire.is_whole());
        let quiet = self.rooms.is_empty() && self.fetching.is_empty() && self.phase == Phase::Still;
        let rooms = self.rooms.iter().map(|(id, open)| {
            let (here, count) = open.online();
            (*id, (open.timeline.position().seq, here, count))
        });
        Standing {
            settled: self.done && (self.phase == Phase::Live && followed && whole || quiet),
            over: self.phase == Phase::Over,
            waiting: self.outbox.waiting(),
            rooms: rooms.collect(),
        }
    }

    /// Whose tab it is.
    pub(crate) const fn person(&self) -> &Person {
        &self.account.person
    }

    /// Whether its session has ended.
    pub(crate) fn is_out(&self) -> bool {
        self.account.out.load(Ordering::SeqCst)
    }

    /// What it shows of its rooms.
    pub(crate) fn timelines(&self) -> impl Iterator<Item = &Timeline> {
        self.rooms.values().map(|open| &open.timeline)
    }

    /// Its number.
    pub(crate) const fn tab(&self) -> Tab {
        self.tab
    }

    /// Milliseconds on the tab's clock.
    fn now_ms(&self) -> f64 {
        self.start.elapsed().as_millis() as f64
    }

    /// Unix milliseconds as the tab has them.
    fn time(&self) -> i64 {
        crate::store::BEGINNING + i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}
