//! What each frame of the server does here.

use leptos::prelude::*;
use tertulia_protocol::limits::ROOMS_LISTED;
use tertulia_protocol::{
    BusState, Close, Code, Entry, Epoch, Key, Person, Refusal, RoomId, RoomInfo, Seq, ServerFrame, codec,
};

use super::asked::{self, Next};
use super::link::HERE;
use super::{Connection, Phase, whose};
use crate::ui::kit::browser;
use crate::ui::room::OpenRoom;

/// The wait before something is asked again whose refusal names no time, in milliseconds.
const ASK_AGAIN_MS: u64 = 2_000;

/// Where the rooms are listed.
const ROOMS: &str = "/rooms.json";
/// Within how long everybody asks for the rooms once instances hear each other again, in milliseconds.
const LIST_WITHIN_MS: f64 = 10_000.0;

impl Connection {
    /// Does what a frame says.
    pub(super) fn obey(self, frame: ServerFrame) {
        match frame {
            ServerFrame::Welcome { epoch, you, ping_ms, bus, .. } => self.welcomed(epoch, you, ping_ms, bus),
            ServerFrame::Subscribed { room, epoch: _, seq } => {
                self.state.try_update_value(|state| state.backoff.reset());
                browser::remember(HERE, &room.to_string());
                self.in_room(room, |open| open.must_reach(seq));
            }
            ServerFrame::Entries { room, entries } => self.entries(room, &entries),
            ServerFrame::Reset { room, epoch, after, seq, reason: _ } => {
                self.in_room(room, |open| open.reset(epoch, after, seq));
            }
            ServerFrame::Page { room, before, entries } => self.in_room(room, |open| open.prepend(before, &entries)),
            ServerFrame::Ack { key, room, seq, at, duplicate: _ } => self.acked(key, room, seq, at),
            ServerFrame::Nack { key, refusal } => self.nacked(key, refusal),
            ServerFrame::Error { reference, room, refusal } => self.refused(reference.as_deref(), room, &refusal),
            ServerFrame::Typing { room, who } => self.in_room(room, |open| open.types(who)),
            ServerFrame::Presence { room, online, full, joined, left } => {
                self.in_room(room, |open| open.present(online, full, joined, &left));
            }
            ServerFrame::Room { room } => self.rooms_made(vec![room]),
            ServerFrame::Service { bus } => {
                self.bus.set(Some(bus));
                if bus == BusState::Live {
                    // Everybody is told at the same moment; they need not all ask at it.
                    let wait = browser::random() * LIST_WITHIN_MS;
                    self.after(wait, self.generation(), move || self.list_rooms());
                }
            }
            ServerFrame::Bye { code: _, reason: _, retry_after_ms } => {
                // The close code that follows decides whether to come back; this only says when.
                self.state.try_update_value(|state| state.hint_ms = retry_after_ms);
            }
            ServerFrame::Unsubscribed { .. } | ServerFrame::Read { .. } | ServerFrame::Pong | ServerFrame::Unknown => {}
        }
    }

    fn welcomed(self, epoch: Epoch, you: Person, ping_ms: u64, bus: BusState) {
        if self.state.try_with_value(|state| state.kept.whose() == whose(&you)) != Some(true) {
            // Another tab left and came in as somebody else: what waits here was not written by them.
            self.over(Close::Revoked.code());
            return;
        }
        let again = self.state.try_update_value(|state| {
            let again = state.epoch.is_some();
            state.epoch = Some(epoch);
            state.me = Some(you);
            state.ping_ms = ping_ms as f64;
            state.hint_ms = None;
            state.backoff.reset();
            again
        });
        self.bus.set(Some(bus));
        self.set_stuck(false);
        self.phase.set(Phase::Live);
        self.beat(self.generation());
        self.follow();
        self.flush();
        if again == Some(true) {
            self.list_rooms();
        }
    }

    fn entries(self, room: RoomId, entries: &[Entry]) {
        self.in_room(room, |open| {
            if let Some(after) = open.apply(entries) {
                self.pull(open, after);
            }
        });
    }

    fn acked(self, key: Key, room: RoomId, seq: Seq, at: i64) {
        self.in_room(room, |open| open.acked(key, seq, at));
        self.settled(key);
    }

    fn nacked(self, key: Key, refusal: Refusal) {
        if refusal.code == Code::Unauthorized {
            browser::reload();
            return;
        }
        self.turned_down(key, refusal);
    }

    /// Something asked for was refused: what can be asked again is, when it may.
    fn refused(self, reference: Option<&str>, about: Option<RoomId>, refusal: &Refusal) {
        let Some(room) = self.state.try_with_value(|state| state.room).flatten() else { return };
        if about.is_some_and(|about| about != room.id()) {
            // A room that was left meanwhile: nobody waits for it.
            return;
        }
        let wait = refusal.retry_after_ms.unwrap_or(ASK_AGAIN_MS) as f64;
        match asked::next(reference, refusal) {
            Next::Reload => browser::reload(),
            // Not before the wait: the edge of the page is in view, and would ask again at once.
            Next::Page => self.after(wait, self.generation(), move || room.no_page()),
            Next::Pull => self.after(wait, self.generation(), move || {
                if room.is_behind() {
                    self.pull(room, room.position().seq);
                }
            }),
            Next::Follow => {
                let wait = self.state.try_update_value(|state| {
                    state.followed = None;
                    state.backoff.next(browser::random(), Some(refusal.retry_after_ms.unwrap_or(ASK_AGAIN_MS)))
                });
                self.after(wait.unwrap_or(ASK_AGAIN_MS) as f64, self.generation(), move || self.follow());
            }
            Next::Nothing => {}
        }
    }

    /// Asks for the rooms: of those made while nobody told us of them.
    fn list_rooms(self) {
        browser::fetch(ROOMS, move |json| {
            if let Ok(rooms) = codec::decode::<Vec<RoomInfo>>(&json) {
                self.rooms_made(rooms);
            }
        });
    }

    fn rooms_made(self, rooms: Vec<RoomInfo>) {
        // The app may be gone when a list comes late.
        let _ = self.made.try_update(|made| {
            made.retain(|known| rooms.iter().all(|room| room.id != known.id));
            made.extend(rooms);
            made.sort_unstable_by_key(|room| room.id);
            let excess = made.len().saturating_sub(ROOMS_LISTED);
            made.drain(..excess);
        });
    }

    /// Does something to the open room, if it is this one. Frames of a room that was left are nobody's.
    fn in_room(self, room: RoomId, then: impl FnOnce(OpenRoom)) {
        let open = self.state.try_with_value(|state| state.room).flatten();
        if let Some(open) = open.filter(|open| open.id() == room && open.is_live()) {
            then(open);
        }
    }
}
