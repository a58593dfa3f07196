//! Who is here: a merged view of what each instance says of its own people.
//!
//! Each instance tells a room's roster when its first or last connection of a person comes or goes, and a
//! sign of life every few seconds; whoever falls silent for a lease is forgotten. A grace hides
//! reloads and deploys. Pure state with the time passed in; best effort by design.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tertulia_protocol::{Person, RoomId, UserId};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// How often an instance says that it lives.
pub const ALIVE_EVERY: Duration = Duration::from_secs(4);
/// How long an instance is believed without a sign of life: three missed signs.
pub const LEASE: Duration = Duration::from_secs(12);
/// Most people one roster of another instance may name; what comes over the bus is untrusted.
const ROSTER_PEOPLE: usize = 10_000;

/// What changed in a room, for those who follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// How many people are shown as here now.
    pub online: usize,
    /// Who came.
    pub joined: Vec<Person>,
    /// Who went, after the grace.
    pub left: Vec<Person>,
}

/// Who is in which room, as far as this instance knows.
pub struct Presence {
    grace: Duration,
    rooms: HashMap<RoomId, Room>,
    /// When each other instance gave its last sign of life.
    alive: HashMap<String, Instant>,
}

#[derive(Default)]
struct Room {
    /// Own people and how many connections each has here.
    local: HashMap<UserId, (Person, u32)>,
    /// Other instances' people.
    remote: HashMap<String, HashMap<UserId, Person>>,
    /// Whom the followers have been told of; ordered, so that lists are stable.
    shown: BTreeMap<UserId, Shown>,
}

struct Shown {
    person: Person,
    /// When this person was last found nowhere.
    absent_since: Option<Instant>,
    /// Whether the followers have been told.
    told: bool,
}

impl Presence {
    /// An empty view; `grace` is how long an absence stays unsaid.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self { grace, rooms: HashMap::new(), alive: HashMap::new() }
    }

    /// A connection of a person began to follow a room; `true` when it is the person's first here, so that
    /// the other instances must be told the new roster.
    pub fn arrive(&mut self, room: RoomId, person: &Person) -> bool {
        let room = self.rooms.entry(room).or_default();
        let slot = room.local.entry(person.id).or_insert_with(|| (person.clone(), 0));
        slot.1 += 1;
        let first = slot.1 == 1;
        room.see(person);
        first
    }

    /// A connection of a person stopped following; `true` when it was the last here.
    pub fn depart(&mut self, room: RoomId, person: UserId) -> bool {
        let Some(room) = self.rooms.get_mut(&room) else { return false };
        let Some(slot) = room.local.get_mut(&person) else { return false };
        slot.1 = slot.1.saturating_sub(1);
        let last = slot.1 == 0;
        if last {
            room.local.remove(&person);
        }
        last
    }

    /// This instance's own people in a room.
    #[must_use]
    pub fn roster(&self, room: RoomId) -> Vec<Person> {
        let Some(room) = self.rooms.get(&room) else { return Vec::new() };
        room.local.values().map(|(person, _)| person.clone()).collect()
    }

    /// Rooms in which this instance has people of its own.
    #[must_use]
    pub fn local_rooms(&self) -> Vec<RoomId> {
        self.rooms.iter().filter(|(_, room)| !room.local.is_empty()).map(|(id, _)| *id).collect()
    }

    /// Another instance says who is in a room with it.
    pub fn hear_roster(&mut self, from: &str, room: RoomId, people: Vec<Person>, now: Instant) {
        self.hear_alive(from, now);
        // Only rooms that somebody here follows are of interest.
        let Some(room) = self.rooms.get_mut(&room) else { return };
        for person in people.iter().take(ROSTER_PEOPLE) {
            room.see(person);
        }
        let people: HashMap<_, _> = people.into_iter().take(ROSTER_PEOPLE).map(|person| (person.id, person)).collect();
        if people.is_empty() {
            room.remote.remove(from);
        } else {
            room.remote.insert(from.to_owned(), people);
        }
    }

    /// Another instance gave a sign of life; `true` when it was not known, so that rosters should be asked for.
    pub fn hear_alive(&mut self, from: &str, now: Instant) -> bool {
        self.alive.insert(from.to_owned(), now).is_none()
    }

    /// Another instance says goodbye.
    pub fn hear_gone(&mut self, from: &str) {
        self.alive.remove(from);
        for room in self.rooms.values_mut() {
            room.remote.remove(from);
        }
    }

    /// The bus came back: everybody gets a full lease to speak again.
    pub fn renew_leases(&mut self, now: Instant) {
        self.alive.values_mut().for_each(|heard| *heard = now);
    }

    /// Forgets a room that nobody here follows any more.
    pub fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
    }

    /// Who is shown as here, in the order of their ids.
    #[must_use]
    pub fn online(&self, room: RoomId) -> Vec<Person> {
        let Some(room) = self.rooms.get(&room) else { return Vec::new() };
        room.shown.values().map(|shown| shown.person.clone()).collect()
    }

    /// Lets time pass: leases and graces run out (not the leases while `frozen`, when the bus is away and
    /// silence means nothing). Returns what the followers of each room must be told.
    pub fn tick(&mut self, now: Instant, frozen: bool) -> Vec<(RoomId, Change)> {
        if !frozen {
            let silent: Vec<String> = self
                .alive
                .iter()
                .filter(|(_, heard)| now.saturating_duration_since(**heard) > LEASE)
                .map(|(name, _)| name.clone())
                .collect();
            silent.iter().for_each(|name| self.hear_gone(name));
        }
        let grace = self.grace;
        let changes = self.rooms.iter_mut().map(|(id, room)| (*id, room.settle(now, grace)));
        changes.filter(|(_, change)| !change.joined.is_empty() || !change.left.is_empty()).collect()
    }
}

impl Room {
    fn see(&mut self, person: &Person) {
        let fresh = || Shown { person: person.clone(), absent_since: None, told: false };
        let shown = self.shown.entry(person.id).or_insert_with(fresh);
        shown.absent_since = None;
        shown.person.clone_from(person);
    }

    fn is_here(&self, id: UserId) -> bool {
        self.local.contains_key(&id) || self.remote.values().any(|people| people.contains_key(&id))
    }

    fn settle(&mut self, now: Instant, grace: Duration) -> Change {
        let mut change = Change::default();
        let ids: Vec<UserId> = self.shown.keys().copied().collect();
        for id in ids {
            let here = self.is_here(id);
            let Some(shown) = self.shown.get_mut(&id) else { continue };
            if here {
                shown.absent_since = None;
                if !shown.told {
                    shown.told = true;
                    change.joined.push(shown.person.clone());
                }
            } else if now.saturating_duration_since(*shown.absent_since.get_or_insert(now)) >= grace {
                // Whoever came and went before anybody was told goes unsaid.
                if shown.told {
                    change.left.push(shown.person.clone());
                }
                self.shown.remove(&id);
            }
        }
        change.online = self.shown.len();
        change
    }
}
