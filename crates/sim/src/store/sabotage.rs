//! Stores that break their promise, to see whether it is noticed.

use std::collections::BTreeMap;

use tertulia_chat::store::{Appended, Draft, StoreError};
use tertulia_protocol::{Entry, Key, RoomId, Seq};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::{Database, Server, lock};
use crate::plan::Sabotage;

/// How far back a disk forgets that never wrote ([`Sabotage::ForgetTail`]).
const TAIL: Duration = Duration::from_secs(1);
/// What makes another key of one.
const OTHER_KEY: u128 = 1 << 127;

impl Server {
    /// Writes an entry as this sabotage has it.
    pub(super) fn append_badly(&self, sabotage: Sabotage, draft: &Draft) -> Result<Appended, StoreError> {
        let strikes = self.strikes();
        let mut database = self.database();
        if !strikes {
            return database.append(draft, sabotage != Sabotage::ForgetKeys);
        }
        match sabotage {
            Sabotage::AckUnstored => unstored(&database, draft),
            Sabotage::ForgetKeys => database.append(draft, false),
            Sabotage::Invent => {
                let key = Key(Uuid::from_u128(draft.key.0.as_u128() | OTHER_KEY));
                database.append(&Draft { key, ..draft.clone() }, true)?;
                database.append(draft, true)
            }
            Sabotage::SkipNumber => {
                let mut appended = database.append(draft, true)?;
                if !appended.duplicate {
                    database.skip_number(appended.room);
                    appended.entry.seq = appended.entry.seq.next();
                }
                Ok(appended)
            }
            Sabotage::Overtake => {
                let mut appended = database.append(draft, true)?;
                if !appended.duplicate
                    && let Some(seq) = database.overtake(appended.room)
                {
                    appended.entry.seq = seq;
                }
                Ok(appended)
            }
            Sabotage::RefuseStored => database.append(draft, true).and(Err(StoreError::NoRoom)),
            Sabotage::DenyStored => {
                database.append(draft, true).and(Err(StoreError::Unavailable("on purpose".to_owned())))
            }
            Sabotage::Panic => {
                drop(database);
                panic!("on purpose: {sabotage:?}")
            }
            Sabotage::ForgetTail
            | Sabotage::LagHeads
            | Sabotage::KeepSessions
            | Sabotage::KeepListening
            | Sabotage::SkipOnResume
            | Sabotage::Deliveries(_) => database.append(draft, true),
        }
    }

    /// What a crash takes with it when nothing was synced.
    pub(super) fn lose_tail(&self, instance: &str) {
        let now = Instant::now();
        let mut first: BTreeMap<RoomId, Seq> = BTreeMap::new();
        for (at, who, room, seq) in lock(&self.0.lately).drain(..) {
            if who == instance && now.saturating_duration_since(at) <= TAIL {
                let first = first.entry(room).or_insert(seq);
                *first = (*first).min(seq);
            }
        }
        for (room, seq) in first {
            self.0.record.note(format_args!("{instance} crashes and {room}/{seq} was never synced"));
            self.database().forget_after(room, seq.prev());
        }
    }
}

/// The answer that a write would have, without the write.
fn unstored(database: &Database, draft: &Draft) -> Result<Appended, StoreError> {
    let seq = database.head(draft.room).ok_or(StoreError::NoRoom)?.next();
    let Draft { room, by, key, change, at } = draft.clone();
    Ok(Appended { room, entry: Entry { seq, at, by, key: Some(key), change }, duplicate: false })
}
