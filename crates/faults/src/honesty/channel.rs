//! What a room is told on a channel of Redis: each message once, in order, and none left out between two that the same
//! connection heard. What is published while nobody listens is gone, and nobody's fault.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::Excluded;

use tertulia_protocol::{Key, RoomId, Seq};

use super::Honesty;
use crate::journal::{Channel, Event, Kind, What};

/// What the log of a room owes to the channel.
type Owed = BTreeMap<RoomId, BTreeSet<Seq>>;

/// Judges everything that was heard on the channel.
pub(super) fn judge(events: &[Event], honesty: &mut Honesty) {
    let owed = owed(events);
    let mut heard: BTreeMap<RoomId, BTreeSet<Seq>> = BTreeMap::new();
    // By room, the newest that the present connection has heard.
    let mut newest: BTreeMap<RoomId, Seq> = BTreeMap::new();
    let mut listened = false;
    for event in events {
        let (room, seq) = match &event.what {
            What::Channel(Channel::Listening | Channel::Lost) => {
                listened = true;
                newest.clear();
                continue;
            }
            What::Channel(Channel::Heard { room, seq }) => (*room, *seq),
            _ => continue,
        };
        honesty.told += 1;
        let mut lie = |what: String| honesty.lies.push(format!("{}: at {}, {room}-{seq} {what}", event.p, event.mono));
        let known = heard.entry(room).or_default();
        let last = known.last().copied();
        if !known.insert(seq) {
            lie("came again on the channel".to_owned());
            continue;
        }
        if let Some(last) = last.filter(|last| *last > seq) {
            lie(format!("came after {room}-{last} on the channel"));
            continue;
        }
        if !owed.get(&room).is_none_or(|owed| owed.contains(&seq)) {
            lie("came on the channel and is no message, or came from there".to_owned());
        }
        if let Some(before) = newest.insert(room, seq) {
            let between = owed.get(&room).map_or(0, |owed| owed.range((Excluded(before), Excluded(seq))).count());
            if between > 0 {
                lie(format!("came on the channel, and {between} messages after {room}-{before} had not"));
            }
        }
    }
    if listened && honesty.told == 0 && owed.values().any(|room| room.len() > 1) {
        honesty.lies.push("nothing was heard on the channel".to_owned());
    }
}

/// The messages of every final log, without those that came from a channel themselves.
fn owed(events: &[Event]) -> Owed {
    let mut owed = Owed::new();
    for event in events {
        let What::Final(told) = &event.what else { continue };
        let own = told.log.iter().filter(|entry| entry.kind == Kind::Posted && !entry.key.is_some_and(Key::is_foreign));
        owed.entry(told.room).or_default().extend(own.map(|entry| entry.seq));
    }
    owed
}
