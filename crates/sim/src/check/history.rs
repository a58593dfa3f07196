//! Every send against the logs: durable, once, in order, and nothing that nobody sent (I1, I2, I3, I4, I6).

use std::collections::BTreeMap;

use tertulia_protocol::{Change, Entry, Key, RoomId, Seq, UserId};

use crate::plan::Plan;
use crate::record::{Fate, Record, Sender, Sent, Word};
use crate::store::Server;
use crate::witness::said;

type Stored = BTreeMap<(UserId, Key), Vec<(RoomId, Entry)>>;

/// Looks through all of it and writes down what is wrong.
pub(crate) fn history(plan: &Plan, server: &Server, record: &Record) {
    let sends = record.all_sent();
    let stored = logs(plan, server, record, &sends);
    for (key, sent) in &sends {
        fate(*key, sent, stored.get(&(sent.author, *key)).map_or(&[], Vec::as_slice), record);
    }
    session_order(&sends, &stored, record);
    realtime_order(&sends, record);
}

/// The logs themselves: without a hole, and everything in them was sent.
fn logs(plan: &Plan, server: &Server, record: &Record, sends: &BTreeMap<Key, Sent>) -> Stored {
    let mut stored = Stored::new();
    for room in (1..=plan.rooms).map(|room| RoomId(i64::try_from(room).unwrap_or(0))) {
        let past = if room == RoomId(1) { plan.past.messages().0 } else { 0 };
        let database = server.database();
        for (place, entry) in (1..).zip(database.log(room)) {
            if entry.seq != Seq(place) {
                record.found(Word::Gap, format!("{room}/{place} has number {}", entry.seq));
            }
            if entry.seq <= Seq(1 + past) {
                continue;
            }
            if entry.key.and_then(|key| sends.get(&key)).is_none() {
                record.found(Word::Phantom, format!("{room}/{} is {}, which nobody sent", entry.seq, said(entry)));
            } else if let Some(key) = entry.key {
                stored.entry((entry.by.id, key)).or_default().push((room, entry.clone()));
            }
        }
    }
    stored
}

fn fate(key: Key, sent: &Sent, stored: &[(RoomId, Entry)], record: &Record) {
    if stored.len() > 1 {
        let places: Vec<_> = stored.iter().map(|(room, entry)| format!("{room}/{}", entry.seq)).collect();
        record.found(Word::DuplicateStored, format!("{key} is {}", places.join(" and ")));
    }
    if sent.invoked.is_none() && !stored.is_empty() {
        record.found(Word::Phantom, format!("{key} is stored, and was never handed over"));
    }
    for (room, entry) in stored {
        let same = matches!(&entry.change, Change::Posted { body, reply_to: None } if *body == sent.body);
        if *room != sent.room || !same {
            record.found(Word::Changed, format!("{key} is {room}/{} {}", entry.seq, said(entry)));
        }
    }
    let at = |seq: Seq| stored.iter().any(|(room, entry)| *room == sent.room && entry.seq == seq);
    match sent.fate {
        Fate::Acked(seq, _) if stored.is_empty() => {
            record.found(Word::Lost, format!("{key} was acknowledged as {}/{seq} and is not stored", sent.room));
        }
        Fate::Acked(seq, _) if !at(seq) => {
            record.found(Word::Changed, format!("{key} was acknowledged as {}/{seq} and is elsewhere", sent.room));
        }
        Fate::Refused if !stored.is_empty() => {
            record.found(Word::FalseFail, format!("{key} was refused for good and is stored"));
        }
        Fate::Acked(..) | Fate::Refused | Fate::Open => {}
    }
}

/// Each sender's messages in a room stand in the order in which they were sent.
fn session_order(sends: &BTreeMap<Key, Sent>, stored: &Stored, record: &Record) {
    let mut lines: BTreeMap<(Sender, RoomId), Vec<(usize, Seq)>> = BTreeMap::new();
    for (key, sent) in sends {
        let places = stored.get(&(sent.author, *key)).map_or(&[][..], Vec::as_slice);
        let line = lines.entry((sent.sender, sent.room)).or_default();
        line.extend(places.first().map(|(_, entry)| (sent.order, entry.seq)));
    }
    for ((sender, room), mut line) in lines {
        line.sort_unstable();
        if let Some(pair) = line.windows(2).find(|pair| pair[1].1 < pair[0].1) {
            let what = format!("sender {sender} said {room}/{} before {room}/{}", pair[0].1, pair[1].1);
            record.found(Word::SessionOrder, what);
        }
    }
}

/// What was sent after another was acknowledged stands behind it.
fn realtime_order(sends: &BTreeMap<Key, Sent>, record: &Record) {
    let mut moments: BTreeMap<RoomId, Vec<(u64, bool, Seq)>> = BTreeMap::new();
    for sent in sends.values() {
        if let (Fate::Acked(seq, acked), Some(invoked)) = (sent.fate, sent.invoked) {
            moments.entry(sent.room).or_default().extend([(invoked, true, seq), (acked, false, seq)]);
        }
    }
    for (room, mut moments) in moments {
        moments.sort_unstable();
        let mut newest = Seq::ZERO;
        for (_, invoked, seq) in moments {
            if !invoked {
                newest = newest.max(seq);
            } else if seq < newest {
                let what = format!("{room}/{seq} was sent after {room}/{newest} had been acknowledged");
                record.found(Word::RealtimeOrder, what);
            }
        }
    }
}
