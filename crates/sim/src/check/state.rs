//! Everybody's state while the house is whole: all know all, and what nobody needs is gone (I7, I8).

use std::collections::{BTreeMap, BTreeSet};

use tertulia_protocol::{RoomId, Seq, Snapshot, UserId};
use tertulia_timeline::{Row, RowState, Timeline};

use crate::crowd::Crowd;
use crate::house::House;
use crate::record::{Finding, Word};

/// What somebody lacks at this moment, if anything: everything sent is answered and everybody has heard everything.
pub(crate) fn missing(house: &House, crowd: &Crowd) -> Vec<Finding> {
    let mut lacks = Vec::new();
    let mut lack = |word, what: String| lacks.push(Finding { word, what });
    let head = |room: RoomId| house.witness.server.database().head(room).unwrap_or(Seq::ZERO);
    let mut here: BTreeMap<RoomId, BTreeSet<UserId>> = BTreeMap::new();
    let standings: Vec<_> = crowd
        .tabs
        .iter()
        .map(|tab| {
            let tab = tab.lock();
            (tab.tab(), tab.person().id, tab.is_out(), tab.standing())
        })
        .collect();
    for (tab, person, out, standing) in &standings {
        if *out && !standing.over {
            lack(Word::Leak, format!("{tab} goes on although its session has ended"));
        }
        if standing.over {
            continue;
        }
        if !standing.settled {
            lack(Word::NotDelivered, format!("{tab} is not connected, or something it asked for is unanswered"));
        }
        if standing.waiting > 0 {
            lack(Word::NotDelivered, format!("{tab} has {} sends without an answer", standing.waiting));
        }
        for (room, (position, ..)) in &standing.rooms {
            here.entry(*room).or_default().insert(*person);
            if *position != head(*room) {
                lack(Word::NotDelivered, format!("{tab} is at {position} of {} in room {room}", head(*room)));
            }
        }
    }
    for (tab, _, _, standing) in standings.iter().filter(|(.., standing)| !standing.over) {
        for (room, (_, shown, count)) in &standing.rooms {
            let truly: Vec<UserId> = here.get(room).into_iter().flatten().copied().collect();
            if *shown != truly || *count != truly.len() as u64 {
                lack(Word::Presence, format!("{tab} sees {shown:?} ({count}) in room {room}, where {truly:?} are"));
            }
        }
    }
    for ear in &crowd.ears {
        if ear.last() != head(ear.room) {
            lack(
                Word::NotDelivered,
                format!("a listener is at {} of {} in room {}", ear.last(), head(ear.room), ear.room),
            );
        }
    }
    if !crowd.door_is_done() {
        lack(Word::NotDelivered, "the door lacks an answer".to_owned());
    }
    lacks
}

/// Whether each tab shows what a tab opened this moment on the same part of the log would.
pub(crate) fn timelines(house: &House, crowd: &Crowd) {
    for tab in &crowd.tabs {
        let tab = tab.lock();
        for timeline in tab.timelines().filter(|_| !tab.standing().over) {
            let room = timeline.position().room;
            if let Err(what) = fold(house, timeline, tab.person().id) {
                house.record().found(Word::Misfolded, format!("{} in room {room}: {what}", tab.tab()));
            }
        }
    }
}

fn fold(house: &House, timeline: &Timeline, me: UserId) -> Result<(), String> {
    let (position, oldest) = (timeline.position(), timeline.oldest());
    let snapshot = {
        let database = house.witness.server.database();
        let entries = database.log(position.room).filter(|entry| entry.seq >= oldest && entry.seq <= position.seq);
        let Some(room) = database.room_info(position.room) else { return Err("the room is gone".to_owned()) };
        Snapshot { room, epoch: database.epoch(), seq: position.seq, entries: entries.cloned().collect() }
    };
    let fresh = Timeline::new(&snapshot, me);
    if position.epoch != snapshot.epoch {
        return Err(format!("it is of the store {}", position.epoch));
    }
    let shown: Vec<Row> = timeline.rows().iter().filter(|row| is_entry(row)).map(|row| plain(row)).collect();
    let expected: Vec<Row> = fresh.rows().iter().map(|row| plain(row)).collect();
    if shown != expected {
        let differ = shown.iter().zip(&expected).find(|(shown, expected)| shown != expected);
        return Err(format!("{} rows instead of {}, first {differ:?}", shown.len(), expected.len()));
    }
    if let Some(row) = timeline.rows().iter().find(|row| row.state == RowState::Pending) {
        return Err(format!("{:?} is still on its way", row.id));
    }
    let ids: std::collections::HashSet<_> = timeline.rows().iter().map(|row| &row.id).collect();
    if ids.len() != timeline.rows().len() {
        return Err("a row is there twice".to_owned());
    }
    Ok(())
}

fn is_entry(row: &Row) -> bool {
    matches!(row.state, RowState::Confirmed { .. }) && !matches!(row.id, tertulia_timeline::RowId::Presence(_))
}

/// Lines of presence stand between messages, so how rows are grouped may rightly differ.
fn plain(row: &Row) -> Row {
    Row { joined: false, new_day: false, ..row.clone() }
}

/// What instances still keep although everybody has gone home and the linger is over.
pub(crate) fn empty(house: &House) {
    for instance in house.all() {
        let (rooms, sockets) = instance.holds();
        let (subscribed, connections) = (instance.bus().rooms(), instance.chat.connections());
        if (rooms, sockets, subscribed, connections) != (0, 0, 0, 0) {
            let what = format!(
                "{} keeps {rooms} logs, {sockets} sockets, {subscribed} subscriptions, {connections} connections",
                instance.name
            );
            house.record().found(Word::Unbounded, what);
        }
    }
}
