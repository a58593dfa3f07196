//! One room's people: our own, what the other instances say of theirs, and what the followers were told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use tertulia_protocol::limits::PRESENCE_NAMES;
use tertulia_protocol::{Person, RoomId, UserId};
use tokio::time::Instant;

use super::{
    ALIVE_EVERY, ANSWERS, Change, LEASE, LIST_EVERY, REPEAT_EVERY, ROSTER_LEASE, ROSTER_PEOPLE, ROSTER_UNNAMED, Roster,
};

/// Steps over which the repeats of rooms are spread, so that they do not all fall on one tick.
const SPREAD_STEPS: u32 = 32;

#[derive(Default)]
pub(super) struct Room {
    /// Own people.
    pub(super) local: BTreeMap<UserId, Own>,
    /// Other instances' people.
    remote: HashMap<String, Remote>,
    /// Whom the followers have been told of; ordered, so that lists are stable.
    shown: BTreeMap<UserId, Shown>,
    /// The count the followers were told last.
    told_online: usize,
    /// Whether the followers' lists lack names that no line told them.
    owes_list: bool,
    /// When the followers were sent the last list.
    listed_at: Option<Instant>,
    /// Whether the room waits in the outbox.
    pub(super) dirty: bool,
    /// Whether the other instances must be asked who is there.
    pub(super) ask: bool,
    /// When they were asked last because a roster was in doubt.
    asked_at: Option<Instant>,
    /// When the others were asked for the first time: what they then say was so before.
    first_asked: Option<Instant>,
    /// The instances that have spoken of the room since; as many as are believed at all.
    spoke: HashSet<String>,
    /// When the roster was told last.
    told_at: Option<Instant>,
}

/// Somebody who is here on this instance.
pub(super) struct Own {
    person: Person,
    connections: u32,
    /// Whether they were here before the instance began.
    back: bool,
}

/// What another instance said of a room.
struct Remote {
    people: HashMap<UserId, Person>,
    /// People beyond those named.
    unnamed: usize,
    /// When it stops being believed unless it is repeated.
    until: Instant,
    /// Whether something may have been missed since it was heard.
    doubted: bool,
}

struct Shown {
    person: Person,
    /// While this person is found nowhere: when that will be told, unless they are found again.
    left_at: Option<Instant>,
    /// Whether the followers have been told.
    told: bool,
    /// Whether a list named them before that: whoever got it must learn that they are gone.
    listed: bool,
}

impl Room {
    /// A connection of a person came; `true` when it is the person's first here. Who is `back` has not just come.
    pub(super) fn arrive(&mut self, person: &Person, back: bool) -> bool {
        let fresh = || Own { person: person.clone(), connections: 0, back };
        let own = self.local.entry(person.id).or_insert_with(fresh);
        own.connections += 1;
        let first = own.connections == 1;
        self.see(person, back);
        first
    }

    /// A connection of a person went; `true` when it was the last here.
    pub(super) fn depart(&mut self, person: UserId) -> bool {
        let Some(own) = self.local.get_mut(&person) else { return false };
        own.connections = own.connections.saturating_sub(1);
        let last = own.connections == 0;
        if last {
            self.local.remove(&person);
        }
        last
    }

    /// The own people, named as far as one payload surely carries.
    pub(super) fn roster(&self) -> Roster {
        let named = || self.local.values().take(ROSTER_PEOPLE);
        let people: Vec<Person> = named().map(|own| own.person.clone()).collect();
        let back = named().filter(|own| own.back).map(|own| own.person.id).collect();
        let unnamed = (self.local.len() - people.len()) as u64;
        Roster { people, unnamed, first: self.told_at.is_none(), back }
    }

    pub(super) fn hear(&mut self, from: &str, roster: Roster, now: Instant) {
        let Roster { mut people, unnamed, first, back } = roster;
        let back: HashSet<UserId> = back.into_iter().collect();
        let answers = self.first_asked.is_some_and(|asked| now.saturating_duration_since(asked) < ANSWERS);
        let were_here = answers && self.spoke.insert(from.to_owned()) && !first;
        let excess = people.len().saturating_sub(ROSTER_PEOPLE);
        people.truncate(ROSTER_PEOPLE);
        let unnamed = usize::try_from(unnamed).unwrap_or(usize::MAX).saturating_add(excess).min(ROSTER_UNNAMED);
        people.iter().for_each(|person| self.see(person, were_here || back.contains(&person.id)));
        let people: HashMap<_, _> = people.into_iter().map(|person| (person.id, person)).collect();
        if people.is_empty() && unnamed == 0 {
            self.remote.remove(from);
        } else {
            let remote = Remote { people, unnamed, until: now + ROSTER_LEASE, doubted: false };
            self.remote.insert(from.to_owned(), remote);
        }
    }

    pub(super) fn drop_instance(&mut self, from: &str) {
        self.remote.remove(from);
    }

    /// Something may have been missed: every roster must be repeated within a lease, and has that long to be.
    pub(super) fn doubt(&mut self, now: Instant) {
        for remote in self.remote.values_mut().filter(|remote| !remote.doubted) {
            (remote.doubted, remote.until) = (true, now + LEASE);
        }
        self.asked_at = Some(now);
    }

    /// The same after a silence that meant nothing: also those in doubt since before it get a whole lease.
    pub(super) fn doubt_afresh(&mut self, now: Instant) {
        self.remote.values_mut().for_each(|remote| remote.doubted = false);
        self.doubt(now);
    }

    /// Drops rosters that were not repeated in time; `true` when the others should be asked who is here, because rosters
    /// are in doubt or somebody is missed. Again and again, since question and answer can be lost as well.
    pub(super) fn expire(&mut self, now: Instant, grace: Option<Duration>) -> bool {
        self.remote.retain(|_, remote| now <= remote.until);
        let again = self.asked_at.is_none_or(|asked| now.saturating_duration_since(asked) >= ALIVE_EVERY)
            && (self.remote.values().any(|remote| remote.doubted) || self.misses_somebody(now, grace));
        if again {
            self.asked_at = Some(now);
        }
        again
    }

    /// Whether somebody has been found nowhere for longer than a reload takes, and nobody has been told yet: they may be
    /// on an instance whose news of it was lost. Of a crowd no names are told. No `grace`: there is nobody to ask.
    fn misses_somebody(&self, now: Instant, grace: Option<Duration>) -> bool {
        let Some(grace) = grace.filter(|_| self.online() <= PRESENCE_NAMES) else { return false };
        let soon = now + grace.saturating_sub(ALIVE_EVERY);
        self.shown.values().any(|shown| shown.left_at.is_some_and(|left_at| now < left_at && left_at <= soon))
    }

    /// Whether the roster is due to be repeated. The moment depends on the room, so that repeats are spread.
    pub(super) fn repeat_is_due(&self, id: RoomId, now: Instant) -> bool {
        let step = u32::try_from(id.0.rem_euclid(i64::from(SPREAD_STEPS))).unwrap_or(0);
        let after = REPEAT_EVERY - REPEAT_EVERY / 2 / SPREAD_STEPS * step;
        let told = self.told_at.is_some_and(|told| now.saturating_duration_since(told) < after);
        !self.local.is_empty() && !told
    }

    /// The room leaves the outbox: its roster is told now.
    pub(super) fn tell(&mut self, now: Instant) -> (Roster, bool) {
        let (roster, ask) = (self.roster(), std::mem::take(&mut self.ask));
        self.dirty = false;
        self.told_at = Some(now);
        if ask {
            self.first_asked.get_or_insert(now);
        }
        (roster, ask)
    }

    /// How many people are shown as here.
    pub(super) fn online(&self) -> usize {
        let unnamed: usize = self.remote.values().map(|remote| remote.unnamed).sum();
        self.shown.len() + unnamed
    }

    /// Those shown as here, in the order of their ids, named as far as one frame may: for a list that is handed out.
    pub(super) fn names(&mut self) -> Vec<Person> {
        let named = self.shown.values_mut().take(PRESENCE_NAMES);
        named
            .map(|shown| {
                shown.listed = true;
                shown.person.clone()
            })
            .collect()
    }

    /// Shows somebody. Who was here before we looked has not come: the followers get a list instead of that news.
    fn see(&mut self, person: &Person, was_here: bool) {
        let fresh = || Shown { person: person.clone(), left_at: None, told: was_here, listed: false };
        self.owes_list |= was_here && !self.shown.contains_key(&person.id);
        let shown = self.shown.entry(person.id).or_insert_with(fresh);
        shown.left_at = None;
        shown.person.clone_from(person);
    }

    fn is_here(&self, id: UserId) -> bool {
        self.local.contains_key(&id) || self.remote.values().any(|remote| remote.people.contains_key(&id))
    }

    /// Nobody is told to have left before this moment: the others may be about to say where they are.
    pub(super) fn hold(&mut self, until: Instant) {
        let absent = self.shown.values_mut().filter_map(|shown| shown.left_at.as_mut());
        absent.for_each(|left_at| *left_at = until.max(*left_at));
    }

    /// What the followers must be told now, if anything. No `grace`: nobody is told to have left.
    pub(super) fn settle(&mut self, now: Instant, grace: Option<Duration>) -> Option<Change> {
        let mut change = self.comings_and_goings(now, grace);
        change.online = self.online();
        let crowded = change.online > PRESENCE_NAMES;
        if crowded {
            // Only the count travels: with everybody told of everybody, names grow as the square.
            change.joined.clear();
            change.left.clear();
            self.owes_list = true;
        }
        let listed = self.listed_at.is_some_and(|at| now.saturating_duration_since(at) < LIST_EVERY);
        if self.owes_list && !crowded && !listed {
            self.owes_list = false;
            self.listed_at = Some(now);
            change.list = Some(self.names());
        }
        let counted = std::mem::replace(&mut self.told_online, change.online) != change.online;
        let news = counted || change.list.is_some() || !change.joined.is_empty() || !change.left.is_empty();
        news.then_some(change)
    }

    fn comings_and_goings(&mut self, now: Instant, grace: Option<Duration>) -> Change {
        let mut change = Change::default();
        let ids: Vec<UserId> = self.shown.keys().copied().collect();
        for id in ids {
            let here = self.is_here(id);
            let Some(shown) = self.shown.get_mut(&id) else { continue };
            if here {
                shown.left_at = None;
                if !shown.told {
                    shown.told = true;
                    change.joined.push(shown.person.clone());
                }
            } else if grace.is_some_and(|grace| *shown.left_at.get_or_insert(now + grace) <= now) {
                // Whoever came and went before anybody was told goes unsaid; a list that named them is sent anew.
                if shown.told {
                    change.left.push(shown.person.clone());
                } else {
                    self.owes_list |= shown.listed;
                }
                self.shown.remove(&id);
            }
        }
        change
    }
}
