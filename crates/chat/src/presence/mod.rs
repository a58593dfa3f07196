//! Who is here: a merged view of what each instance says of its own people.
//!
//! Each instance tells a room's roster when it changed and every half minute, and a sign of life every few
//! seconds; whoever falls silent for a lease is forgotten. A grace hides reloads and deploys. Pure state
//! with the time passed in; best effort by design, and whatever the bus loses heals.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use tertulia_protocol::limits::{PERSON_NAME_CHARS, PRESENCE_NAMES};
use tertulia_protocol::{Person, RoomId, UserId};
use tokio::time::Instant;

use crate::bus::PAYLOAD_BYTES;

mod room;
#[cfg(test)]
mod tests;

use room::Room;

/// How often an instance says that it lives.
pub const ALIVE_EVERY: Duration = Duration::from_secs(4);
/// How long an instance is believed without a sign of life: three missed signs. Also how long a roster in
/// doubt is: three questions.
pub const LEASE: Duration = Duration::from_secs(12);
/// Longest pause between two tellings of a room's roster; rooms are spread over its second half.
pub const REPEAT_EVERY: Duration = Duration::from_secs(30);
/// How long a roster is believed without being repeated: three repeats, and a lease for a busy instance.
pub const ROSTER_LEASE: Duration = Duration::from_secs(3 * 30 + 12);
/// How long after an instance first asked who is in a room an instance's first word about it is the answer: three
/// questions' time, since question and answer can be lost.
const ANSWERS: Duration = LEASE;
/// How long after its start an instance believes those who say that they were here before: twice the longest pause
/// that a client makes between two tries (30 s). Later they were missed, and are told to have left.
const YOUNG: Duration = Duration::from_secs(60);
/// Shortest pause between two whole lists to a room's followers: 500 names of 40 bytes to 500 people each
/// second are 10 MB/s, and only in the first seconds of an instance or when a crowd dissolves.
const LIST_EVERY: Duration = Duration::from_secs(1);

/// Most bytes of one person in a roster, `{"id":-9223372036854775808,"name":"…"},`: 38 around 48 scalar values
/// of which JSON makes at most six bytes each (`\u001f`; names have none of these, but this surely fits); and 21 for
/// the id once more among those who are back.
const PERSON_BYTES: usize = 38 + PERSON_NAME_CHARS * 6 + 21;
/// Bytes kept for the envelope: version, store, kind and room need 150, the name of an instance the rest.
const ENVELOPE_BYTES: usize = 4 * 1024;
/// Most people one roster names, 743: as many as surely fit into a payload. The others are a count.
pub const ROSTER_PEOPLE: usize = (PAYLOAD_BYTES - ENVELOPE_BYTES) / PERSON_BYTES;
/// Most people one roster counts without a name; what comes over the bus is untrusted.
const ROSTER_UNNAMED: usize = 1_000_000;
/// Most other instances that are believed at a time, for the same reason (own; ten are a large cluster).
const INSTANCES: usize = 256;
/// Rosters told at one tick: 1,024 a second, so that announcing every room cannot fill the bus' queue.
const OUTBOX_ROOMS: usize = 256;

// Whoever is counted without a name is in a crowd, of which no names are told anyway: so nobody is said to
// have left for having fallen out of the names.
const _: () = assert!(ROSTER_PEOPLE >= PRESENCE_NAMES);

/// What changed in a room, for those who follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// How many people are shown as here now.
    pub online: usize,
    /// Who came.
    pub joined: Vec<Person>,
    /// Who went, after the grace.
    pub left: Vec<Person>,
    /// Everybody, when the followers' lists lack names that no `joined` carried; to be sent after those.
    pub list: Option<Vec<Person>>,
}

/// The people of one instance in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// By name, in the order of their ids; at most [`ROSTER_PEOPLE`].
    pub people: Vec<Person>,
    /// How many more there are.
    pub unnamed: u64,
    /// Whether the instance has said nothing of the room before: whoever is in it has just come.
    pub first: bool,
    /// Who of the people was here before and only lost the connection.
    pub back: Vec<UserId>,
}

/// What the other instances must be told of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Say {
    /// Which room.
    pub room: RoomId,
    /// This instance's own people.
    pub roster: Roster,
    /// Whether to ask for the others' rosters as well.
    pub who: bool,
}

/// Whether somebody who follows a room is there, as far as it matters to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Counted among those who are there, told as having joined and left.
    Shown,
    /// The same for somebody who says that they were there before: to an instance that has just begun, no news.
    Returning,
    /// Nobody knows of them.
    Hidden,
    /// The same, and nobody is there: the house listens to itself.
    House,
}

impl Visibility {
    /// Whether they are counted among those who are there.
    #[must_use]
    pub const fn is_shown(self) -> bool {
        matches!(self, Self::Shown | Self::Returning)
    }
}

/// Who is in which room, as far as this instance knows.
pub struct Presence {
    grace: Duration,
    /// By number, so that all of them are told in the same order every time.
    rooms: BTreeMap<RoomId, Room>,
    /// When each other instance gave its last sign of life.
    alive: BTreeMap<String, Instant>,
    /// Rooms whose roster must be told, each once (their `dirty` says so).
    outbox: VecDeque<RoomId>,
    /// Whether the bus was away at the last tick.
    frozen: bool,
    /// When time first passed.
    born: Option<Instant>,
    /// Whether that was less than a minute ago.
    is_young: bool,
    /// Whom this young view has told to have left: they come anew. Empty once it is no longer young.
    told_left: HashSet<(RoomId, UserId)>,
}

impl Presence {
    /// An empty view; `grace` is how long an absence stays unsaid.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        let (rooms, alive, outbox) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Self { grace, rooms, alive, outbox, frozen: false, born: None, is_young: true, told_left: HashSet::new() }
    }

    /// A connection of a person began to follow a room. The others are told if it is the person's first here, and
    /// asked if it is the first of all here.
    pub fn arrive(&mut self, room: RoomId, person: &Person) {
        self.enter(room, person, false);
    }

    /// The same for somebody who says that they were there before this instance began, and only lost the connection.
    /// Believed while it is young: nobody is told then that they joined.
    pub fn come_back(&mut self, room: RoomId, person: &Person) {
        self.enter(room, person, self.was_here(room, person.id));
    }

    fn enter(&mut self, room: RoomId, person: &Person, back: bool) {
        let alone = self.is_alone(room);
        if self.rooms.entry(room).or_default().arrive(person, back) {
            self.mark(room, alone);
        }
    }

    /// Whether somebody who says so was here before this instance began.
    fn was_here(&self, room: RoomId, person: UserId) -> bool {
        self.is_young && !self.told_left.contains(&(room, person))
    }

    /// Somebody follows a room here without being shown as there: the others are asked who is, unless it is known.
    pub fn watch(&mut self, room: RoomId) {
        if !self.rooms.contains_key(&room) {
            self.rooms.entry(room).or_default();
            self.mark(room, true);
        }
    }

    /// A connection of a person stopped following. The others are told if it was the person's last here.
    pub fn depart(&mut self, room: RoomId, person: UserId) {
        if self.rooms.get_mut(&room).is_some_and(|room| room.depart(person)) {
            self.mark(room, false);
        }
    }

    /// Whether nobody is in the room on this instance.
    #[must_use]
    pub fn is_alone(&self, room: RoomId) -> bool {
        self.rooms.get(&room).is_none_or(|room| room.local.is_empty())
    }

    /// Another instance asks who is in a room.
    pub fn hear_who(&mut self, room: RoomId) {
        self.mark(room, false);
    }

    /// Another instance says who is in a room with it. Only rooms that somebody here follows are of interest.
    pub fn hear_roster(&mut self, from: &str, room: RoomId, mut roster: Roster, now: Instant) {
        self.hear_alive(from, now);
        roster.back.retain(|person| self.was_here(room, *person));
        if self.alive.contains_key(from)
            && let Some(room) = self.rooms.get_mut(&room)
        {
            room.hear(from, roster, now);
        }
    }

    /// Another instance gave a sign of life; a stranger is told every roster, and asked for its own.
    pub fn hear_alive(&mut self, from: &str, now: Instant) {
        if let Some(heard) = self.alive.get_mut(from) {
            *heard = now;
        } else if self.alive.len() < INSTANCES {
            self.alive.insert(from.to_owned(), now);
            self.announce();
        }
    }

    /// Another instance says goodbye.
    pub fn hear_gone(&mut self, from: &str) {
        self.alive.remove(from);
        self.rooms.values_mut().for_each(|room| room.drop_instance(from));
    }

    /// The other instances that are believed to live.
    #[must_use]
    pub fn instances(&self) -> Vec<String> {
        self.alive.keys().cloned().collect()
    }

    /// News may have been lost, in both directions: what the others said is in doubt until they repeat it, and
    /// they are told again what is true here.
    pub fn doubt(&mut self, now: Instant) {
        // Whoever was about to be told to have left may be somewhere of which the news was lost.
        let answered = now + ALIVE_EVERY.min(self.grace);
        self.rooms.values_mut().for_each(|room| {
            room.doubt(now);
            room.hold(answered);
        });
        self.announce();
    }

    /// Forgets rooms that are not among `kept`, but none with somebody here: whoever still pages through a room's
    /// past is no follower of its log yet. Nor one whose last roster is still to be told.
    pub fn forget_all_but(&mut self, kept: &HashSet<RoomId>) {
        self.rooms.retain(|id, room| kept.contains(id) || room.dirty || !room.local.is_empty());
    }

    /// Who is shown as here, in the order of their ids, at most [`PRESENCE_NAMES`]; and how many there are. Whoever
    /// asks hands the list out, so those on it are told to be gone when they go.
    #[must_use]
    pub fn online(&mut self, room: RoomId) -> (Vec<Person>, usize) {
        self.rooms.get_mut(&room).map_or((Vec::new(), 0), |room| (room.names(), room.online()))
    }

    /// Lets time pass: leases and graces run out (not while `frozen`, when the bus is away and silence means nothing;
    /// an instance that knows of no other goes on). Returns what the followers of each room must be told.
    pub fn tick(&mut self, now: Instant, frozen: bool) -> Vec<(RoomId, Change)> {
        let thawed = std::mem::replace(&mut self.frozen, frozen) && !frozen;
        if thawed {
            self.thaw(now);
        }
        if !frozen {
            self.expire(now);
        }
        // While the bus is away, whoever is found nowhere may be on an instance that cannot say so.
        let grace = (!frozen || self.alive.is_empty()).then_some(self.grace);
        let changes: Vec<(RoomId, Change)> =
            self.rooms.iter_mut().filter_map(|(id, room)| Some((*id, room.settle(now, grace)?))).collect();
        self.age(now, &changes);
        changes
    }

    /// The bus came back, or this instance stood still for longer than [`ALIVE_EVERY`] and has yet to hear what was said
    /// meanwhile: everybody gets a full lease to speak again.
    pub fn thaw(&mut self, now: Instant) {
        self.alive.values_mut().for_each(|heard| *heard = now);
        let (rooms, grace) = (self.rooms.values_mut(), self.grace);
        rooms.for_each(|room| {
            room.doubt_afresh(now);
            room.hold(now + grace);
        });
        self.announce();
    }

    /// Remembers whom it told to have left, as long as it is young.
    fn age(&mut self, now: Instant, changes: &[(RoomId, Change)]) {
        self.is_young = now.saturating_duration_since(*self.born.get_or_insert(now)) < YOUNG;
        if self.is_young {
            let left = changes.iter().flat_map(|(room, change)| change.left.iter().map(|person| (*room, person.id)));
            self.told_left.extend(left);
        } else {
            self.told_left = HashSet::new();
        }
    }

    /// What the other instances must be told now: each room at most once however much happened since the last
    /// call, as it is at this moment. One task alone may call and publish, or rosters overtake each other.
    pub fn take_outbox(&mut self, now: Instant) -> Vec<Say> {
        let due: Vec<RoomId> =
            self.rooms.iter().filter(|(id, room)| room.repeat_is_due(**id, now)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|room| self.mark(room, false));
        let count = self.outbox.len().min(OUTBOX_ROOMS);
        let taken: Vec<RoomId> = self.outbox.drain(..count).collect();
        let say = |id: RoomId| {
            let (roster, who) = self.rooms.get_mut(&id)?.tell(now);
            Some(Say { room: id, roster, who })
        };
        taken.into_iter().filter_map(say).collect()
    }

    fn expire(&mut self, now: Instant) {
        let silent = self.alive.iter().filter(|(_, heard)| now.saturating_duration_since(**heard) > LEASE);
        let silent: Vec<String> = silent.map(|(name, _)| name.clone()).collect();
        silent.iter().for_each(|name| self.hear_gone(name));
        let grace = (!self.alive.is_empty()).then_some(self.grace);
        let expire = |(id, room): (&RoomId, &mut Room)| room.expire(now, grace).then_some(*id);
        let unclear: Vec<RoomId> = self.rooms.iter_mut().filter_map(expire).collect();
        unclear.into_iter().for_each(|room| self.mark(room, true));
    }

    /// Tells every room's roster, also the empty ones, and asks for the others'.
    fn announce(&mut self) {
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        rooms.into_iter().for_each(|room| self.mark(room, true));
    }

    /// Puts a room into the outbox, unless it is there.
    fn mark(&mut self, id: RoomId, ask: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.ask |= ask;
        if !std::mem::replace(&mut room.dirty, true) {
            self.outbox.push_back(id);
        }
    }
}
