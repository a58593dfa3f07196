//! The ONE registry of subscriptions: what this instance wants, and what the present connection was asked for.
//! Calls only change what is wanted; the session brings the wire in line, so every race ends in this state.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tertulia_protocol::RoomId;
use tokio::sync::{Notify, watch};

/// Channels in one SUBSCRIBE: Redis answers each, and the client reads no answer while it writes (TR-36).
pub(super) const BATCH: usize = 512;

/// What is wanted, and what is asked for.
#[derive(Default)]
pub(super) struct Registry {
    state: Mutex<State>,
    changed: Notify,
}

/// Bounded by whoever subscribes: rooms with somebody there.
#[derive(Default)]
struct State {
    wanted: HashMap<RoomId, watch::Sender<bool>>,
    /// Channels the present connection was asked for and not asked to leave; `true` once it confirmed.
    wire: HashMap<RoomId, bool>,
    /// Rooms in which the two may differ.
    dirty: HashSet<RoomId>,
}

/// The next step that brings the wire in line: at most [`BATCH`] rooms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) subscribe: Vec<RoomId>,
    pub(super) unsubscribe: Vec<RoomId>,
}

impl Registry {
    pub(super) fn subscribe(&self, room: RoomId) -> watch::Receiver<bool> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let confirmed = state.wire.get(&room).copied().unwrap_or(false);
        let wanted = state.wanted.entry(room).or_insert_with(|| watch::Sender::new(confirmed)).subscribe();
        if !state.wire.contains_key(&room) {
            state.dirty.insert(room);
        }
        drop(guard);
        self.changed.notify_one();
        wanted
    }

    pub(super) fn unsubscribe(&self, room: RoomId) {
        let mut state = self.lock();
        if let Some(confirmed) = state.wanted.remove(&room) {
            confirmed.send_replace(false);
        }
        if state.wire.contains_key(&room) {
            state.dirty.insert(room);
        } else {
            state.dirty.remove(&room);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Whether news of this room still concern anybody here.
    pub(super) fn wants(&self, room: RoomId) -> bool {
        self.lock().wanted.contains_key(&room)
    }

    /// Whether Redis confirmed this room on the present connection.
    pub(super) fn is_confirmed(&self, room: RoomId) -> bool {
        self.lock().wire.get(&room).copied().unwrap_or(false)
    }

    /// A new connection knows nothing yet, or the old one is gone: nothing is confirmed, all is to be asked for.
    pub(super) fn reset(&self) {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.wire.clear();
        state.dirty = state.wanted.keys().copied().collect();
        for confirmed in state.wanted.values() {
            confirmed.send_replace(false);
        }
    }

    /// Takes the next step; `None` when wire and wishes agree. The step counts as asked for from here on.
    pub(super) fn next_step(&self) -> Option<Step> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut step = Step::default();
        while step.subscribe.len() + step.unsubscribe.len() < BATCH {
            let Some(room) = state.dirty.iter().next().copied() else { break };
            state.dirty.remove(&room);
            match (state.wanted.contains_key(&room), state.wire.contains_key(&room)) {
                (true, false) => {
                    state.wire.insert(room, false);
                    step.subscribe.push(room);
                }
                (false, true) => {
                    state.wire.remove(&room);
                    step.unsubscribe.push(room);
                }
                // Left and entered again (or the reverse) between two steps: they agree by now.
                (true, true) | (false, false) => {}
            }
        }
        (step != Step::default()).then_some(step)
    }

    /// Redis confirmed these on the present connection.
    pub(super) fn confirm(&self, rooms: &[RoomId]) {
        let mut guard = self.lock();
        let state = &mut *guard;
        for room in rooms {
            if let Some(confirmed) = state.wire.get_mut(room) {
                *confirmed = true;
                if let Some(wanted) = state.wanted.get(room) {
                    wanted.send_replace(true);
                }
            }
        }
    }

    /// Returns when something may have changed since the last return; remembers a change nobody waited for.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Nothing under this lock can leave it half changed, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
