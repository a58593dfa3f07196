//! The tab's one connection: what it is to the views. `link` keeps it alive, `frames` says what each frame
//! does, `sends` is what waits, `socket` is the way frames travel, `status` its words.

mod asked;
mod frames;
mod link;
mod moment;
mod sends;
mod socket;
pub mod status;

use leptos::prelude::*;
use tertulia_protocol::frame::{History, Pull, Subscribe, Typing, Unsubscribe};
use tertulia_protocol::limits::{ENTRIES_PER_PAGE, HISTORY_PAGE, TYPING_EVERY_MS};
use tertulia_protocol::{BusState, ClientFrame, Epoch, Person, RoomInfo, Seq};
use tertulia_timeline::{Backoff, Kept, Way, Ways};

use self::moment::Moment;
use self::socket::{Said, Socket};
pub use self::status::{Phase, Standing, Status, StatusLine};
use crate::ui::kit::browser;
use crate::ui::room::OpenRoom;

/// The tab's connection. Copy it where it is needed; there is one per app.
#[derive(Clone, Copy)]
pub struct Connection {
    phase: RwSignal<Phase>,
    bus: RwSignal<Option<BusState>>,
    queued: RwSignal<usize>,
    failed: RwSignal<usize>,
    stuck: RwSignal<bool>,
    made: RwSignal<Vec<RoomInfo>>,
    state: StoredValue<State>,
}

/// What no view looks at.
struct State {
    started: bool,
    me: Option<Person>,
    socket: Option<Socket>,
    /// Goes up with every socket, so that a dead one's frames and timers are known and ignored.
    generation: u64,
    /// What waits, and whose tab this is, from the first page on; see [`whose`].
    kept: Kept,
    /// Outboxes of other pages that are being asked for.
    asked: Vec<String>,
    /// Until then nothing is sent: what a page left may have to go first.
    quiet_until: f64,
    backoff: Backoff,
    ways: Ways,
    /// The way of the socket there is, or was last.
    way: Way,
    /// Whether nothing was heard that way since it was opened.
    silent: bool,
    room: Option<OpenRoom>,
    /// The epoch that `welcome` named: `subscribe` counts in it.
    epoch: Option<Epoch>,
    /// The room that is followed, by `hello` or by `subscribe`.
    followed: Option<OpenRoom>,
    ping_ms: f64,
    heard: Moment,
    /// When the answer to a `ping` is overdue, in milliseconds that have elapsed, as all times here.
    pong_due: Option<f64>,
    /// The server's wish for the next try, from `bye`.
    hint_ms: Option<u64>,
    hidden: Option<Moment>,
    reconnect: Option<TimeoutHandle>,
    resend: Option<TimeoutHandle>,
    typed_at: f64,
}

impl State {
    const fn new() -> Self {
        Self {
            started: false,
            me: None,
            socket: None,
            generation: 0,
            kept: Kept::new(),
            asked: Vec::new(),
            quiet_until: 0.0,
            backoff: Backoff::new(),
            ways: Ways::new(),
            way: Way::Socket,
            silent: true,
            room: None,
            epoch: None,
            followed: None,
            ping_ms: link::PING_MS,
            heard: Moment::BEGINNING,
            pong_due: None,
            hint_ms: None,
            hidden: None,
            reconnect: None,
            resend: None,
            typed_at: f64::NEG_INFINITY,
        }
    }
}

impl Connection {
    /// Puts the app's connection into the context. It opens with the first room.
    pub fn provide() {
        provide_context(Self {
            phase: RwSignal::new(Phase::Still),
            bus: RwSignal::new(None),
            queued: RwSignal::new(0),
            failed: RwSignal::new(0),
            stuck: RwSignal::new(false),
            made: RwSignal::new(Vec::new()),
            state: StoredValue::new(State::new()),
        });
    }

    /// The app's connection.
    #[must_use]
    pub fn current() -> Self {
        expect_context()
    }

    /// How it stands; tracked.
    #[must_use]
    pub fn phase(self) -> Phase {
        self.phase.get()
    }

    /// Sends that wait for their answer; tracked.
    #[must_use]
    pub fn queued(self) -> usize {
        self.queued.get()
    }

    /// Whether the server could not store the last message it was asked to; tracked.
    #[must_use]
    pub fn is_stuck(self) -> bool {
        self.stuck.get()
    }

    /// Messages that were refused and wait for a word, in all rooms; tracked.
    #[must_use]
    pub fn failed(self) -> usize {
        self.failed.get()
    }

    /// Whether instances hear each other, once the server has said so on this connection; tracked.
    #[must_use]
    pub fn bus(self) -> Option<BusState> {
        self.bus.get()
    }

    /// Rooms made since the tab was opened; tracked.
    #[must_use]
    pub fn made(self) -> Vec<RoomInfo> {
        self.made.get()
    }

    /// Follows a room instead of the one before, and shows again what was written there and waits.
    pub fn open(self, room: OpenRoom, me: &Person) {
        let id = room.id();
        if !self.start(&whose(me)) {
            return;
        }
        let before = self.state.try_update_value(|state| {
            state.me = Some(me.clone());
            state.room.replace(room)
        });
        if self.phase.get_untracked() == Phase::Still {
            self.connect();
        }
        if let Some(before) = before.flatten().filter(|before| before.id() != id) {
            self.say(&ClientFrame::Unsubscribe(Unsubscribe { room: before.id() }));
        }
        self.show_held(room);
        self.follow();
    }

    /// Stops following a room when its page goes. A page that has been succeeded already changes nothing.
    pub fn close(self, room: OpenRoom) {
        let closed = self.state.try_update_value(|state| {
            let ours = state.room == Some(room);
            if ours {
                state.room = None;
                state.followed = None;
            }
            ours
        });
        if closed == Some(true) {
            self.say(&ClientFrame::Unsubscribe(Unsubscribe { room: room.id() }));
        }
    }

    /// Tells the others of the open room that one is writing, at most every three seconds.
    pub fn typing(self) {
        let at = browser::elapsed_ms();
        let room = self.state.try_update_value(|state| {
            let early = at - state.typed_at < TYPING_EVERY_MS as f64;
            let room = state.room.filter(|_| !early)?;
            state.typed_at = at;
            Some(room.id())
        });
        if let Some(room) = room.flatten() {
            self.say(&ClientFrame::Typing(Typing { room }));
        }
    }

    /// Asks for what was said before `before`; false when there is nobody to ask.
    pub fn history(self, room: OpenRoom, before: Seq) -> bool {
        self.say(&ClientFrame::History(History { room: room.id(), before, limit: HISTORY_PAGE as i64 }))
    }

    /// Asks for what is missing after `after` in the open room.
    fn pull(self, room: OpenRoom, after: Seq) {
        self.say(&ClientFrame::Pull(Pull { room: room.id(), after, limit: ENTRIES_PER_PAGE as i64 }));
    }

    /// Follows the open room on a connection that was made before it was opened.
    fn follow(self) {
        enum Way {
            Known,
            Subscribe(Subscribe),
            OtherEpoch,
        }
        if self.phase.get_untracked() != Phase::Live {
            return;
        }
        let way = self.state.try_update_value(|state| {
            let room = state.room.filter(|room| room.is_live())?;
            if state.followed == Some(room) {
                return Some(Way::Known);
            }
            let position = room.position();
            if state.epoch.as_ref() != Some(&position.epoch) {
                return Some(Way::OtherEpoch);
            }
            state.followed = Some(room);
            Some(Way::Subscribe(Subscribe { room: position.room, after: Some(position.seq) }))
        });
        match way.flatten() {
            // `subscribe` counts in the connection's epoch, `hello` names its own.
            Some(Way::OtherEpoch) => self.connect(),
            Some(Way::Subscribe(subscribe)) => {
                self.say(&ClientFrame::Subscribe(subscribe));
            }
            Some(Way::Known) | None => {}
        }
    }

    /// Says a frame on the connection there is; false when there is none.
    fn say(self, frame: &ClientFrame) -> bool {
        let said = self.state.try_update_value(|state| state.socket.as_mut().map(|socket| socket.say(frame)));
        match said.flatten() {
            Some(Said::Yes) => true,
            // The greeting names the room that is open now.
            Some(Said::Anew) => {
                self.connect();
                true
            }
            Some(Said::Dead) => {
                self.lost();
                false
            }
            None => false,
        }
    }
}

/// Whom what waits belongs to. A store that was brought back from a backup (another epoch) still knows them, and what they
/// wrote meanwhile goes there; one that was made anew does not, and the page where they enter forgets what waited.
fn whose(person: &Person) -> String {
    format!("{} {}", person.id, person.name)
}

/// The time now, in whole Unix milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "Unix milliseconds stay far below 2^53")]
pub(crate) fn now() -> i64 {
    browser::now_ms() as i64
}
