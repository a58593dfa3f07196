//! Keeps the connection alive: connects, notices silence, comes back with jitter and without hurry.
//!
//! Timers and frames carry the generation of their socket; whatever belongs to an older one is ignored.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use tertulia_protocol::frame::{Hello, VERSION};
use tertulia_protocol::limits::{self, HELLO_MS, PONG_MS};
use tertulia_protocol::{ClientFrame, Close, codec};
use tertulia_timeline::Ways;

use super::moment::Moment;
use super::socket::{Heard, Socket};
use super::{Connection, Phase, State, now};
use crate::ui::kit::browser;
use crate::ui::room::OpenRoom;

/// The interval of pings until `welcome` names one, in milliseconds.
pub(super) const PING_MS: f64 = limits::PING_MS as f64;
/// How long a pong may take after the tab was hidden or the network came back, in milliseconds: somebody
/// looks at the page right now, so less patience than in a quiet hour.
const PROBE_MS: f64 = 3_000.0;
/// Hidden for so long, in milliseconds, a link is not trusted without a probe (Chatto: 30 s). The same when it is the
/// machine that slept: a link in use is silent for an interval of pings and their patience less at most.
const HIDDEN_MS: f64 = 30_000.0;
/// How often it is looked whether the machine slept, in milliseconds: with a probe and a new connection, somebody who
/// opens their laptop is up to date within five seconds. Browsers slow this down by themselves in hidden tabs.
const BEAT_MS: f64 = 1_000.0;
/// The wait between tries while the browser knows of no network, in milliseconds. Not for ever: some browsers
/// are mistaken about it, and a server on the same machine answers all the same.
const NO_NETWORK_MS: u64 = 30_000;
/// Where it lies in the tab's storage whose the rest is.
const OWNER: &str = "me";
/// Where it lies in the tab's storage in which room it was last.
pub(super) const HERE: &str = "here";
/// Where it lies in the tab's storage what is known of the ways to the server.
const WAYS: &str = "ways";
/// What answers as long as the server does, by an ordinary request.
const ALIVE: &str = "/healthz";
/// What the server's logs call this client.
const CLIENT: &str = concat!("tertulia-web/", env!("CARGO_PKG_VERSION"));

impl Connection {
    /// Starts with the first room: takes up what waits, listens to the browser, connects. False when the tab
    /// is somebody else's: a page that another tab's session was answered with begins anew.
    pub(super) fn start(self, whose: &str) -> bool {
        let first = self.state.try_update_value(|state| !std::mem::replace(&mut state.started, true));
        if first != Some(true) {
            let same = self.state.try_with_value(|state| state.kept.whose() == whose) == Some(true);
            if !same {
                self.over(Close::Revoked.code());
            }
            return same;
        }
        self.restore(whose);
        for event in ["online", "pageshow"] {
            // The connection lives as long as the app, and so do its listeners.
            let _ = window_event_listener_untyped(event, move |_| self.check());
        }
        let _ = window_event_listener(ev::offline, move |_| self.lost());
        // It is dispatched on the document and bubbles to the window.
        let _ = window_event_listener_untyped("visibilitychange", move |_| self.seen_or_hidden());
        true
    }

    /// Takes up what the tab remembers of this person. What somebody else wrote in it is forgotten.
    fn restore(self, whose: &str) {
        if browser::remembered(OWNER).as_deref() != Some(whose) {
            browser::forget_all();
        }
        browser::remember(OWNER, whose);
        if let Some(known) = browser::remembered(WAYS) {
            self.state.try_update_value(|state| state.ways = Ways::recalled(&known));
        }
        self.keep_for(whose);
    }

    /// Opens a new socket, after closing the one there is.
    pub(super) fn connect(self) {
        let opened = self.state.try_update_value(|state| {
            state.socket = None;
            clear(&mut state.reconnect);
            state.kept.disconnected();
            state.generation += 1;
            state.pong_due = None;
            state.heard = Moment::now();
            state.way = state.ways.next(now());
            state.silent = true;
            state.followed = state.room.filter(|room| room.is_live());
            (state.generation, state.way, state.followed, state.epoch.is_some())
        });
        let Some((generation, way, room, back)) = opened else { return };
        // After a room of another epoch the same tab greets again: until the answer it is not live.
        if matches!(self.phase.get_untracked(), Phase::Live | Phase::Still) {
            self.phase.set(Phase::Opening);
        }
        // Whoever reloads was here as much as whoever lost the connection; only a young server makes a difference of it.
        let here = room.is_some_and(|room| browser::remembered(HERE) == Some(room.id().to_string()));
        let back = back || here;
        let resume: Vec<_> = room.map(OpenRoom::position).into_iter().collect();
        let hello = Hello { v: VERSION, client: CLIENT.to_owned(), back, resume };
        let socket = Socket::open(way, hello, move |heard| self.heard(generation, heard));
        self.state.try_update_value(|state| state.socket = Some(socket));
        if let Some(room) = room {
            room.falls_behind();
        }
        self.after(HELLO_MS as f64, generation, move || {
            if self.phase.get_untracked() != Phase::Live {
                self.lost();
            }
        });
    }

    fn heard(self, generation: u64, heard: Heard) {
        if !self.is_current(generation) {
            return;
        }
        if let Heard::Text(_) = heard {
            self.state.try_update_value(State::lives);
        }
        match heard {
            Heard::Text(text) | Heard::Answer(text) => match codec::decode_server(&text) {
                Ok(frame) => self.obey(frame),
                // A hole that this leaves is seen by its number and pulled.
                Err(why) => leptos::logging::warn!("a frame could not be read: {why}"),
            },
            Heard::Closed { code } if Close::should_return(code) => self.lost(),
            Heard::Closed { code } => self.over(code),
        }
    }

    /// The connection is gone: say so, and come back after a while.
    pub(super) fn lost(self) {
        if matches!(self.phase.get_untracked(), Phase::Over(_) | Phase::Still) {
            return;
        }
        let lost = self.state.try_update_value(|state| {
            let tried = state.socket.is_some() && state.silent && browser::is_online();
            let doubtful = tried && state.ways.silent(state.way);
            state.let_go();
            let hint = state.hint_ms.take();
            (state.backoff.next(browser::random(), hint), doubtful)
        });
        if self.phase.get_untracked() != Phase::Lost {
            self.phase.set(Phase::Lost);
        }
        let Some((delay, doubtful)) = lost else { return };
        // A browser that knows of no network fails at once, and loudly; `online` wakes us before this does.
        let delay = if browser::is_online() { delay } else { delay.max(NO_NETWORK_MS) };
        let timer = set_timeout_with_handle(move || self.connect(), Duration::from_millis(delay)).ok();
        self.state.try_update_value(|state| state.reconnect = timer);
        if doubtful {
            self.doubt_sockets();
        }
    }

    /// Sockets stay silent: if the server answers an ordinary request meanwhile, something between here and there blocks
    /// them, and another way is taken.
    fn doubt_sockets(self) {
        browser::fetch(ALIVE, move |_| {
            if self.phase.try_get_untracked() != Some(Phase::Lost) {
                return;
            }
            let known = self.state.try_update_value(|state| {
                state.ways.blocked(now());
                state.ways.to_recall()
            });
            browser::remember(WAYS, &known.unwrap_or_default());
            self.try_now();
        });
    }

    /// The server does not want this client back.
    pub(super) fn over(self, code: u16) {
        self.state.try_update_value(State::let_go);
        self.phase.set(Phase::Over(code));
        if code == Close::Revoked.code() {
            browser::reload();
        }
    }

    /// Connects at once instead of waiting for the timer; for whoever is asked to.
    pub fn try_now(self) {
        let trying = self.state.try_with_value(|state| state.socket.is_some());
        if self.phase.get_untracked() == Phase::Lost && trying == Some(false) {
            self.connect();
        }
    }

    /// The network or the page is back: whatever was lost is tried now, whatever seems alive must prove it.
    fn check(self) {
        self.look_again();
        match self.phase.get_untracked() {
            Phase::Live => self.ping(PROBE_MS),
            Phase::Lost => {
                self.state.try_update_value(|state| state.backoff.reset());
                self.connect();
            }
            Phase::Opening | Phase::Still | Phase::Over(_) => {}
        }
    }

    fn seen_or_hidden(self) {
        let now = Moment::now();
        if !browser::is_visible() {
            self.state.try_update_value(|state| state.hidden = Some(now));
            return;
        }
        let hidden = self.state.try_update_value(|state| state.hidden.take()).flatten();
        let long = hidden.is_some_and(|since| since.perhaps_ago(now) >= HIDDEN_MS);
        if long || self.phase.get_untracked() == Phase::Lost {
            self.check();
        }
    }

    /// Beats while this generation lives: a ping whenever nothing was heard for an interval, and a probe when nothing
    /// was heard because the machine slept.
    pub(super) fn beat(self, generation: u64) {
        let now = Moment::now();
        let (silent, slept) = self
            .state
            .try_with_value(|state| {
                let silent = state.heard.waited(now) >= state.ping_ms;
                // Whoever is asked already need not be asked again.
                let asked = state.pong_due.is_some();
                (silent && !asked, !silent && !asked && state.heard.perhaps_ago(now) >= HIDDEN_MS)
            })
            .unwrap_or_default();
        if slept {
            self.check();
        } else if silent {
            self.ping(PONG_MS as f64);
        }
        self.after(BEAT_MS, generation, move || self.beat(generation));
    }

    /// Asks for a sign of life; silence for `patience` milliseconds means that the link is dead.
    fn ping(self, patience: f64) {
        let due = browser::elapsed_ms() + patience;
        let generation = self.state.try_update_value(|state| {
            // A shorter patience wins over a longer one that is running.
            state.pong_due = Some(state.pong_due.map_or(due, |running| running.min(due)));
            state.generation
        });
        let Some(generation) = generation else { return };
        self.say(&ClientFrame::Ping);
        self.after(patience, generation, move || {
            // Timers of a hidden tab may be late, never early by more than a millisecond of rounding.
            let overdue = |state: &State| state.pong_due.is_some_and(|due| browser::elapsed_ms() + 1.0 >= due);
            if self.state.try_with_value(overdue) == Some(true) {
                self.lost();
            }
        });
    }

    /// Does something after `wait` milliseconds, if the same socket is still there.
    pub(super) fn after(self, wait: f64, generation: u64, then: impl FnOnce() + 'static) {
        set_timeout(
            move || {
                if self.is_current(generation) {
                    then();
                }
            },
            milliseconds(wait),
        );
    }

    fn is_current(self, generation: u64) -> bool {
        self.state.try_with_value(|state| state.generation == generation) == Some(true)
    }

    pub(super) fn generation(self) -> u64 {
        self.state.try_with_value(|state| state.generation).unwrap_or(0)
    }
}

impl State {
    /// Something was heard that shows that the link lives.
    fn lives(&mut self) {
        self.heard = Moment::now();
        self.pong_due = None;
        if std::mem::replace(&mut self.silent, false) {
            self.ways.heard(self.way);
        }
    }

    /// Forgets the socket: its frames and timers mean nothing any more, and what was in flight waits again.
    fn let_go(&mut self) {
        self.socket = None;
        self.generation += 1;
        self.followed = None;
        self.kept.disconnected();
        clear(&mut self.reconnect);
        clear(&mut self.resend);
    }
}

/// Stops a timer, if there is one.
pub(super) fn clear(timer: &mut Option<TimeoutHandle>) {
    if let Some(timer) = timer.take() {
        timer.clear();
    }
}

/// A wait, rounded up, so that what is due when the timer fires is due.
pub(super) fn milliseconds(wait: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "waits are 0 to an hour")]
    Duration::from_millis(wait.max(0.0).ceil() as u64)
}
