//! Random histories against a model that is too simple to be wrong: maps and lists in memory.

use std::collections::HashMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tertulia_protocol::{Change, Entry, Key, Person, RoomId, Seq, UserId};
use uuid::Uuid;

use super::{Database, NOW, guest, whole_log};
use crate::store::{Appended, Draft, Store, StoreError};

/// One step of a history. The numbers are taken modulo what there is, so that every step means something.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Makes room number `slug`, or finds it.
    MakeRoom {
        /// One of six slugs.
        slug: u8,
    },
    /// Appends; few keys, so that many are repeats.
    Append {
        /// One of the rooms, or one that is not there.
        room: u8,
        /// One of three authors.
        author: u8,
        /// One of 24 keys.
        key: u8,
        /// The text.
        body: u8,
    },
    /// Reads a page in one of the two directions.
    Page {
        /// One of the rooms.
        room: u8,
        /// Where from.
        from: u8,
        /// How many.
        limit: u8,
        /// Whether what comes before is read.
        backwards: bool,
    },
}

/// What must be true, kept as simply as possible.
#[derive(Default)]
struct Model {
    rooms: Vec<(String, RoomId)>,
    logs: HashMap<RoomId, Vec<Entry>>,
    done: HashMap<(UserId, Key), (RoomId, Entry)>,
}

impl Model {
    fn pick(&self, room: u8) -> RoomId {
        // One past the end stands for a room that is not there.
        self.rooms.get(usize::from(room) % (self.rooms.len() + 1)).map_or(RoomId(i64::MAX), |(_, id)| *id)
    }

    fn append(&mut self, draft: &Draft) -> Result<Appended, StoreError> {
        if let Some((room, entry)) = self.done.get(&(draft.by.id, draft.key)) {
            return Ok(Appended { room: *room, entry: entry.clone(), duplicate: true });
        }
        let log = self.logs.get_mut(&draft.room).ok_or(StoreError::NoRoom)?;
        let seq = Seq(i64::try_from(log.len()).unwrap() + 1);
        let (by, change) = (draft.by.clone(), draft.change.clone());
        let entry = Entry { seq, at: draft.at, by, key: Some(draft.key), change };
        log.push(entry.clone());
        self.done.insert((draft.by.id, draft.key), (draft.room, entry.clone()));
        Ok(Appended { room: draft.room, entry, duplicate: false })
    }

    fn page(&self, room: RoomId, from: Seq, limit: usize, backwards: bool) -> Vec<Entry> {
        let log = self.logs.get(&room).map_or(&[][..], Vec::as_slice);
        if backwards {
            let before: Vec<_> = log.iter().filter(|entry| entry.seq < from).cloned().collect();
            before[before.len().saturating_sub(limit)..].to_vec()
        } else {
            log.iter().filter(|entry| entry.seq > from).take(limit).cloned().collect()
        }
    }
}

/// Takes the steps on both, comparing every answer, and the whole at the end.
pub async fn history_agrees_with_the_model(store: &dyn Store, steps: &[Step]) {
    let authors = [guest(store, "Ada").await, guest(store, "Bob").await, guest(store, "Eve").await];
    let mut model = Model::default();
    for &step in steps {
        take(store, &mut model, &authors, step).await;
    }
    for (slug, id) in &model.rooms {
        assert_eq!(store.room_by_slug(slug).await.unwrap().map(|room| room.id), Some(*id));
        assert_eq!(whole_log(store, *id).await, model.logs[id], "the log of {slug}");
    }
}

async fn take(store: &dyn Store, model: &mut Model, authors: &[Person; 3], step: Step) {
    match step {
        Step::MakeRoom { slug } => {
            let (slug, by) = (format!("room-{}", slug % 6), &authors[usize::from(slug) % 3]);
            let (room, made) = store.create_room(&slug, &slug, by, NOW).await.unwrap();
            let known = model.rooms.iter().find(|(known, _)| *known == slug).map(|(_, id)| *id);
            assert_eq!(made, known.is_none());
            assert_eq!(room.id, known.unwrap_or(room.id));
            if made {
                let created = Entry { seq: Seq(1), at: NOW, by: by.clone(), key: None, change: Change::Created };
                assert!(model.logs.insert(room.id, vec![created]).is_none(), "a new id");
                model.rooms.push((slug, room.id));
            }
        }
        Step::Append { room, author, key, body } => {
            let by = authors[usize::from(author) % 3].clone();
            let key = Key(Uuid::from_u128(u128::from(key % 24) + 1));
            let change = Change::Posted { body: body.to_string(), reply_to: None };
            let draft = Draft { room: model.pick(room), by, key, change, at: NOW + i64::from(body) };
            assert_eq!(store.append(draft.clone()).await, model.append(&draft));
        }
        Step::Page { room, from, limit, backwards } => {
            let (room, from, limit) = (model.pick(room), Seq(i64::from(from % 40)), usize::from(limit % 12));
            let page = if backwards {
                store.entries_before(room, from, limit).await
            } else {
                store.entries_after(room, from, limit).await
            };
            assert_eq!(page, Ok(model.page(room, from, limit, backwards)));
        }
    }
}

/// A seeded random history per round; the failing seed is in the panic's text.
pub async fn random_histories_agree_with_the_model(database: &impl Database) {
    const SEED: u64 = 0x7e_27;
    let store = database.open().await;
    let mut random = SmallRng::seed_from_u64(SEED);
    let steps: Vec<Step> = (0..300).map(|_| any_step(&mut random)).collect();
    history_agrees_with_the_model(&*store, &steps).await;
}

fn any_step(random: &mut SmallRng) -> Step {
    match random.random_range(0..10) {
        0 => Step::MakeRoom { slug: random.random() },
        1..=6 => {
            Step::Append { room: random.random(), author: random.random(), key: random.random(), body: random.random() }
        }
        _ => Step::Page {
            room: random.random(),
            from: random.random(),
            limit: random.random(),
            backwards: random.random(),
        },
    }
}
