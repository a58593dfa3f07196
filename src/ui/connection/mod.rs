//! The tab's one connection: what it is to the views. `link` keeps it alive, `frames` says what each frame
//! does, `socket` is the way frames travel, `status` its words.

mod asked;
mod frames;
mod link;
mod socket;
pub mod status;

use leptos::prelude::*;
use tertulia_protocol::frame::{History, Pull, Send, Subscribe, Typing, Unsubscribe};
use tertulia_protocol::limits::{ENTRIES_PER_PAGE, HISTORY_PAGE, TYPING_EVERY_MS};
use tertulia_protocol::{Body, BusState, ClientFrame, Epoch, Key, Person, RoomInfo, Seq, UserId, codec};
use tertulia_timeline::{Backoff, Outbox, Pending, Way, Ways};

use self::socket::{Said, Socket};
pub use self::status::{Phase, Standing, Status, StatusLine};
use crate::ui::kit::browser;
use crate::ui::room::OpenRoom;

/// Where the outbox lies in the tab's storage.
const OUTBOX: &str = "outbox";

/// The tab's connection. Copy it where it is needed; there is one per app.
#[derive(Clone, Copy)]
pub struct Connection {
    phase: RwSignal<Phase>,
    bus: RwSignal<Option<BusState>>,
    queued: RwSignal<usize>,
    made: RwSignal<Vec<RoomInfo>>,
    state: StoredValue<State>,
}

/// What no view looks at.
struct State {
    started: bool,
    /// Whose tab this is, from the first page on; see [`whose`].
    whose: String,
    me: Option<Person>,
    socket: Option<Socket>,
    /// Goes up with every socket, so that a dead one's frames and timers are known and ignored.
    generation: u64,
    outbox: Outbox,
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
    heard_at: f64,
    /// When the answer to a `ping` is overdue.
    pong_due: Option<f64>,
    /// The server's wish for the next try, from `bye`.
    hint_ms: Option<u64>,
    hidden_at: Option<f64>,
    reconnect: Option<TimeoutHandle>,
    resend: Option<TimeoutHandle>,
    typed_at: f64,
}

impl State {
    const fn new() -> Self {
        Self {
            started: false,
            whose: String::new(),
            me: None,
            socket: None,
            generation: 0,
            outbox: Outbox::new(),
            backoff: Backoff::new(),
            ways: Ways::new(),
            way: Way::Socket,
            silent: true,
            room: None,
            epoch: None,
            followed: None,
            ping_ms: link::PING_MS,
            heard_at: 0.0,
            pong_due: None,
            hint_ms: None,
            hidden_at: None,
            reconnect: None,
            resend: None,
            typed_at: 0.0,
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

    /// The same at this moment, untracked.
    #[must_use]
    pub fn queued_now(self) -> usize {
        self.queued.get_untracked()
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
        if !self.start(&whose(&room.position().epoch, me.id)) {
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

    /// Says something in the open room: it appears at once and goes as soon as it can. False when so much
    /// waits already that this must stay in the composer.
    pub fn send(self, body: Body) -> bool {
        let key = Key::mint();
        let put = self.state.try_update_value(|state| {
            let (Some(room), Some(by), false) = (state.room, state.me.clone(), state.outbox.is_full()) else {
                return None;
            };
            let body = body.into_string();
            state.outbox.push(Send { room: room.id(), key, body: body.clone(), reply_to: None });
            Some((room, Pending { key, body, at: now(), by }))
        });
        let Some((room, pending)) = put.flatten() else { return false };
        room.pend(pending);
        self.flush();
        true
    }

    /// Sends a failed message again.
    pub fn retry(self, key: Key) {
        let (retried, room) =
            self.state.try_update_value(|state| (state.outbox.retry(key), state.room)).unwrap_or((false, None));
        if let (true, Some(room)) = (retried, room) {
            room.retried(key);
            self.flush();
        }
    }

    /// Gives a failed message up.
    pub fn discard(self, key: Key) {
        let (gone, room) =
            self.state.try_update_value(|state| (state.outbox.discard(key), state.room)).unwrap_or((false, None));
        if let (true, Some(room)) = (gone, room) {
            room.discarded(key);
            self.keep_outbox();
        }
    }

    /// Tells the others of the open room that one is writing, at most every three seconds.
    pub fn typing(self) {
        let at = browser::now_ms();
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

    /// Sends what is due, and comes back when the next is.
    fn flush(self) {
        if self.phase.get_untracked() == Phase::Live {
            let ready = self.state.try_update_value(|state| state.outbox.take_ready(browser::now_ms()));
            for send in ready.unwrap_or_default() {
                self.say(&ClientFrame::Send(send));
            }
            self.resend_when_due();
        }
        self.keep_outbox();
    }

    /// Keeps the outbox where it survives a reload, and counts it.
    fn keep_outbox(self) {
        let kept = self.state.try_with_value(|state| {
            let empty = state.outbox.held().next().is_none();
            (state.outbox.waiting(), if empty { String::new() } else { codec::encode(&state.outbox) })
        });
        if let Some((waiting, json)) = kept {
            browser::remember(OUTBOX, &json);
            if self.queued.get_untracked() != waiting {
                self.queued.set(waiting);
            }
        }
    }

    /// Shows in a room what was written there before and is not done.
    fn show_held(self, room: OpenRoom) {
        let held = self.state.try_with_value(|state| {
            let by = state.me.clone()?;
            let mine = state.outbox.held().filter(|(send, _)| send.room == room.id());
            let shown = mine.map(|(send, refusal)| {
                let pending =
                    Pending { key: send.key, body: send.body.clone(), at: minted_at(send.key), by: by.clone() };
                (pending, refusal.cloned())
            });
            Some(shown.collect::<Vec<_>>())
        });
        for (pending, refusal) in held.flatten().unwrap_or_default() {
            room.hold(pending, refusal);
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

/// A person for ever: another store counts its people from one again.
fn whose(epoch: &Epoch, id: UserId) -> String {
    format!("{} {id}", epoch.0)
}

/// The time now, in whole Unix milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "Unix milliseconds stay far below 2^53")]
pub(crate) fn now() -> i64 {
    browser::now_ms() as i64
}

/// When a key was minted, in Unix milliseconds: version 7 carries it. The present for keys that do not.
fn minted_at(key: Key) -> i64 {
    let seconds = key.0.get_timestamp().map(|stamp| stamp.to_unix());
    seconds
        .and_then(|(seconds, nanos)| i64::try_from(seconds * 1_000 + u64::from(nanos / 1_000_000)).ok())
        .unwrap_or_else(now)
}
