//! What waits to be sent: where it is kept, what is taken over from pages that ended, and when it goes.

use std::time::Duration;

use leptos::prelude::*;
use tertulia_protocol::frame::Send;
use tertulia_protocol::{Body, ClientFrame, Code, Key, Refusal};
use tertulia_timeline::{Pending, SETTLE_MS, Verdict};

use super::link::{clear, milliseconds};
use super::{Connection, Phase, now};
use crate::ui::kit::browser::{self, AllTabs};
use crate::ui::room::OpenRoom;

/// Other pages whose outboxes are asked for at once, as many as are looked at.
const ASKED: usize = 64;
/// How often pages whose outboxes lie here are asked whether they live, in a browser without locks.
const ASK_OTHERS: Duration = Duration::from_secs(5);

impl Connection {
    /// Says something in the open room: it appears at once and goes as soon as it can. False when so much
    /// waits already that this must stay in the composer.
    pub fn send(self, body: Body) -> bool {
        let key = Key::mint();
        let put = self.state.try_update_value(|state| {
            let (Some(room), Some(by), false) = (state.room, state.me.clone(), state.kept.outbox().is_full()) else {
                return None;
            };
            let body = body.into_string();
            let send = Send { room: room.id(), key, body: body.clone(), reply_to: None };
            state.kept.change(&AllTabs, |outbox| outbox.push(send));
            Some((room, Pending { key, body, at: now(), by }))
        });
        let Some((room, pending)) = put.flatten() else { return false };
        room.pend(pending);
        self.tell();
        self.flush();
        true
    }

    /// Sends a failed message again.
    pub fn retry(self, key: Key) {
        self.retry_each(&[key]);
    }

    /// Sends everything again that failed, in every room.
    pub fn retry_all(self) {
        let failed = |state: &super::State| {
            let failed = state.kept.outbox().held().filter(|(_, refusal)| refusal.is_some());
            failed.map(|(send, _)| send.key).collect::<Vec<_>>()
        };
        self.retry_each(&self.state.try_with_value(failed).unwrap_or_default());
    }

    fn retry_each(self, keys: &[Key]) {
        let retried = self.state.try_update_value(|state| {
            let retried = state
                .kept
                .change(&AllTabs, |outbox| keys.iter().copied().filter(|key| outbox.retry(*key)).collect::<Vec<_>>());
            (retried, state.room)
        });
        let Some((retried, room)) = retried else { return };
        for key in retried {
            if let Some(room) = room {
                room.retried(key);
            }
        }
        self.tell();
        self.flush();
    }

    /// Gives a failed message up.
    pub fn discard(self, key: Key) {
        let gone = self
            .state
            .try_update_value(|state| (state.kept.change(&AllTabs, |outbox| outbox.discard(key)), state.room));
        if let Some((true, Some(room))) = gone {
            room.discarded(key);
        }
        self.tell();
    }

    /// Messages of whoever is here that wait in this tab and in the others of this browser; untracked.
    #[must_use]
    pub fn unsent(self) -> usize {
        let waiting = |state: &super::State| state.kept.outbox().waiting() + state.kept.waiting_elsewhere(&AllTabs);
        self.state.try_with_value(waiting).unwrap_or(0)
    }

    /// A send is durable.
    pub(super) fn settled(self, key: Key) {
        self.state.try_update_value(|state| state.kept.change(&AllTabs, |outbox| outbox.acked(key)));
        self.set_stuck(false);
        self.tell();
        self.flush();
    }

    /// A send was refused; whether it will be tried again by itself.
    pub(super) fn turned_down(self, key: Key, refusal: Refusal) {
        let at = browser::elapsed_ms();
        let answer = self.state.try_update_value(|state| {
            (state.kept.change(&AllTabs, |outbox| outbox.nacked(key, &refusal, at)), state.room)
        });
        match answer {
            Some((Verdict::Final, Some(room))) => room.failed(key, refusal),
            // Who was merely fast is told nothing: what waits goes within seconds.
            Some((Verdict::Temporary { .. }, _)) => {
                self.set_stuck(matches!(refusal.code, Code::StorageUnavailable | Code::Busy | Code::Uncertain))
            }
            _ => {}
        }
        self.tell();
        self.flush();
    }

    /// Says whether the server stores what it is sent.
    pub(super) fn set_stuck(self, stuck: bool) {
        if self.stuck.get_untracked() != stuck {
            self.stuck.set(stuck);
        }
    }

    /// Sends what is due, and comes back when the next is.
    pub(super) fn flush(self) {
        if self.phase.get_untracked() != Phase::Live {
            return;
        }
        let at = browser::elapsed_ms();
        let ready = self.state.try_update_value(|state| {
            if at < state.quiet_until { Vec::new() } else { state.kept.take_ready(&AllTabs, at) }
        });
        for send in ready.unwrap_or_default() {
            self.say(&ClientFrame::Send(send));
        }
        self.flush_when_due();
    }

    /// Comes back for the next send whose wait is over.
    fn flush_when_due(self) {
        let at = self.state.try_update_value(|state| {
            clear(&mut state.resend);
            let quiet = (browser::elapsed_ms() < state.quiet_until).then_some(state.quiet_until);
            quiet.or_else(|| state.kept.outbox().next_at())
        });
        if let Some(at) = at.flatten() {
            let wait = milliseconds(at - browser::elapsed_ms());
            let timer = set_timeout_with_handle(move || self.flush(), wait).ok();
            self.state.try_update_value(|state| state.resend = timer);
        }
    }

    /// Tells the views what waits and what failed, and the open room what another page sends from now on.
    pub(super) fn tell(self) {
        let told = self.state.try_update_value(|state| {
            let outbox = state.kept.outbox();
            let (waiting, held) = (outbox.waiting(), outbox.held().count());
            (waiting, held - waiting, state.kept.given_up(), state.room)
        });
        let Some((waiting, failed, given_up, room)) = told else { return };
        for key in given_up {
            if let Some(room) = room {
                room.discarded(key);
            }
        }
        for (signal, count) in [(self.queued, waiting), (self.failed, failed)] {
            if signal.get_untracked() != count {
                signal.set(count);
            }
        }
    }

    /// Shows in a room what was written there before and is not done, in the order in which it will go.
    pub(super) fn show_held(self, room: OpenRoom) {
        let held = self.state.try_with_value(|state| {
            let by = state.me.clone()?;
            let mine = state.kept.outbox().held().filter(|(send, _)| send.room == room.id());
            let shown = mine.map(|(send, refusal)| {
                let pending =
                    Pending { key: send.key, body: send.body.clone(), at: minted_at(send.key), by: by.clone() };
                (pending, refusal.cloned())
            });
            Some(shown.collect::<Vec<_>>())
        });
        room.hold(held.flatten().unwrap_or_default());
    }

    /// Begins to keep what waits, for this person, and looks for what pages before this one left.
    pub(super) fn keep_for(self, whose: &str) {
        let page = Key::mint().to_string();
        let name = self.state.try_update_value(|state| {
            state.kept.begin(page, whose.to_owned());
            state.kept.name()
        });
        // The connection lives as long as the app, and so do its listeners.
        if browser::has_locks() {
            browser::hold(&name.unwrap_or_default());
        } else {
            let _ = window_event_listener_untyped("pagehide", move |_| {
                self.state.try_update_value(|state| state.kept.leave(&AllTabs));
            });
            // A page that crashes, or is ended in a hurry, does not say that it goes.
            set_interval(
                move || {
                    self.look(true);
                },
                ASK_OTHERS,
            );
        }
        let _ = window_event_listener_untyped("storage", move |_| self.others_wrote());
        let wait_ms = self.look(true);
        if wait_ms > 0 {
            let until = browser::elapsed_ms() + (wait_ms + SETTLE_MS) as f64;
            self.state.try_update_value(|state| state.quiet_until = until);
        }
    }

    /// Another page changed what all share: it may have asked for this outbox, taken it, or left its own.
    fn others_wrote(self) {
        self.answer();
        self.look(false);
    }

    /// The page is back, from the background or from a sleep: others may have thought that it had ended, or have ended.
    pub(super) fn look_again(self) {
        self.answer();
        self.look(true);
    }

    fn answer(self) {
        self.state.try_update_value(|state| state.kept.answer(&AllTabs));
        self.tell();
    }

    /// Looks for outboxes whose pages have ended; how long it takes to know, in milliseconds, 0 when there are none.
    ///
    /// Where locks tell, each is asked for once and stays asked for. Where they do not, those whose pages said that
    /// they go are claimed, and all others only when `anew`: who writes lives, and need not be asked each time.
    fn look(self, anew: bool) -> u64 {
        let locks = browser::has_locks();
        let names = self.state.try_update_value(|state| {
            let mut names = state.kept.others(&AllTabs);
            names.retain(|name| !state.asked.contains(name) && (anew || locks || state.kept.has_left(&AllTabs, name)));
            names.truncate(ASKED.saturating_sub(state.asked.len()));
            state.asked.extend(names.iter().cloned());
            names
        });
        let mut longest = 0;
        for name in names.unwrap_or_default() {
            longest = longest.max(if locks { self.await_end_of(name) } else { self.claim(name) });
        }
        longest
    }

    /// Takes an outbox over once the lock of its page is free. What the page wrote last may still be on its way then.
    fn await_end_of(self, name: String) -> u64 {
        browser::when_free(&name.clone(), SETTLE_MS, move || self.take(&name));
        SETTLE_MS
    }

    /// Takes an outbox over when its page does not answer.
    fn claim(self, name: String) -> u64 {
        let claimed = self.state.try_with_value(|state| state.kept.claim(&AllTabs, &name)).flatten();
        let Some(wait_ms) = claimed else {
            self.state.try_update_value(|state| state.asked.retain(|asked| *asked != name));
            return 0;
        };
        let then = move || {
            if self.state.try_with_value(|state| state.kept.stands(&AllTabs, &name)) == Some(true) {
                self.take(&name);
            } else {
                self.state.try_update_value(|state| state.asked.retain(|asked| *asked != name));
            }
        };
        set_timeout(then, Duration::from_millis(wait_ms));
        wait_ms
    }

    /// Takes an outbox over, shows what it held and sends it.
    fn take(self, name: &str) {
        let taken = self.state.try_update_value(|state| {
            state.asked.retain(|asked| asked != name);
            (state.kept.take(&AllTabs, name), state.room)
        });
        if let Some((true, room)) = taken {
            if let Some(room) = room {
                self.show_held(room);
            }
            self.tell();
            self.flush();
        }
    }
}

/// When a key was minted, in Unix milliseconds: version 7 carries it. The present for keys that do not.
fn minted_at(key: Key) -> i64 {
    let seconds = key.0.get_timestamp().map(|stamp| stamp.to_unix());
    seconds
        .and_then(|(seconds, nanos)| i64::try_from(seconds * 1_000 + u64::from(nanos / 1_000_000)).ok())
        .unwrap_or_else(now)
}
