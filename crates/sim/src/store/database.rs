//! The database itself, in memory: what is in here is durable. Every change is whole, as a transaction is.

use std::collections::BTreeMap;

use tertulia_chat::store::{Appended, Draft, Mark, Moved, StoreError, Telling, TokenHash};
use tertulia_protocol::limits::PAGE_BYTES;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, RoomInfo, Seq, Snapshot, UserId, codec};

/// When everything begins, in Unix milliseconds.
pub(crate) const BEGINNING: i64 = 1_790_000_000_000;

/// Rooms, people, sessions.
pub(crate) struct Database {
    epoch: Epoch,
    rooms: Vec<Room>,
    people: BTreeMap<UserId, String>,
    authors: BTreeMap<String, UserId>,
    sessions: BTreeMap<[u8; 32], Session>,
    keys: BTreeMap<(UserId, Key), (RoomId, Seq)>,
    tellings: BTreeMap<(RoomId, String), Telling>,
    next_person: i64,
    /// Entries written so far, in all rooms.
    moves: i64,
}

struct Room {
    info: RoomInfo,
    made_by: UserId,
    /// The newest move, and the first.
    moved: i64,
    born: i64,
    log: Vec<Stored>,
}

struct Stored {
    entry: Entry,
    /// Bytes of its change as it would be written: pages are bounded by them.
    bytes: usize,
}

struct Session {
    person: UserId,
    expires_at: i64,
}

impl Database {
    /// A new one, with its lobby.
    pub(crate) fn new(epoch: Epoch) -> Self {
        let host = Person { id: UserId(1), name: "tertulia".to_owned() };
        let mut database = Self {
            epoch,
            rooms: Vec::new(),
            people: BTreeMap::from([(host.id, host.name.clone())]),
            authors: BTreeMap::new(),
            sessions: BTreeMap::new(),
            keys: BTreeMap::new(),
            tellings: BTreeMap::new(),
            next_person: 2,
            moves: 0,
        };
        database.create_room("chat", "chat", &host, BEGINNING);
        database
    }

    /// Its identity.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch.clone()
    }

    /// Writes an entry, or finds the one with its key when it looks for it (`dedupes`).
    pub(crate) fn append(&mut self, draft: &Draft, dedupes: bool) -> Result<Appended, StoreError> {
        let Draft { room, by, key, change, at } = draft;
        let name = self.people.get(&by.id).cloned();
        let name = name.ok_or_else(|| StoreError::Unavailable(format!("there is no user {}", by.id)))?;
        if let Some((room, seq)) = self.keys.get(&(by.id, *key)).copied().filter(|_| dedupes)
            && let Some(entry) = self.entry(room, seq)
        {
            return Ok(Appended { room, entry: entry.clone(), duplicate: true });
        }
        let seq = self.head(*room).ok_or(StoreError::NoRoom)?.next();
        let by = Person { id: by.id, name };
        let entry = Entry { seq, at: *at, by, key: Some(*key), change: change.clone() };
        self.put(*room, entry.clone());
        Ok(Appended { room: *room, entry, duplicate: false })
    }

    /// Where what somebody sent under a key is stored.
    pub(crate) fn place(&self, author: UserId, key: Key) -> Option<(RoomId, Seq)> {
        self.keys.get(&(author, key)).copied()
    }

    fn put(&mut self, room: RoomId, entry: Entry) {
        if let Some(key) = entry.key {
            self.keys.insert((entry.by.id, key), (room, entry.seq));
        }
        self.moves += 1;
        let moves = self.moves;
        let Some(room) = self.room_mut(room) else { return };
        room.moved = moves;
        match &entry.change {
            Change::Renamed { name } => room.info.name.clone_from(name),
            Change::TopicSet { topic } => room.info.topic.clone_from(topic),
            _ => {}
        }
        room.log.push(Stored { bytes: codec::encode(&entry.change).len(), entry });
    }

    /// Lets the newest entry of a room overtake the two before it, if there are; the number it has then. For sabotage.
    pub(crate) fn overtake(&mut self, room: RoomId) -> Option<Seq> {
        let log = &mut self.room_mut(room)?.log;
        let from = log.len().checked_sub(3).filter(|from| *from > 0)?;
        let first = log[from].entry.seq;
        log[from..].rotate_right(1);
        let mut moved = Vec::new();
        let mut seq = first;
        for Stored { entry, .. } in &mut log[from..] {
            entry.seq = seq;
            moved.extend(entry.key.map(|key| ((entry.by.id, key), (room, seq))));
            seq = seq.next();
        }
        self.keys.extend(moved);
        Some(first)
    }

    /// Gives the newest entry of a room the number after its own. For sabotage.
    pub(crate) fn skip_number(&mut self, room: RoomId) {
        if let Some(newest) = self.room_mut(room).and_then(|room| room.log.last_mut()) {
            newest.entry.seq = newest.entry.seq.next();
        }
    }

    /// Takes the entries after a number back, as a disk does that never wrote them.
    pub(crate) fn forget_after(&mut self, room: RoomId, last: Seq) {
        let Some(room) = self.room_mut(room) else { return };
        let kept = usize::try_from(last.0).unwrap_or(0).min(room.log.len());
        let gone: Vec<_> =
            room.log.drain(kept..).filter_map(|stored| Some((stored.entry.by.id, stored.entry.key?))).collect();
        for key in gone {
            self.keys.remove(&key);
        }
    }

    /// The entry with a number.
    pub(crate) fn entry(&self, room: RoomId, seq: Seq) -> Option<&Entry> {
        let index = usize::try_from(seq.0).ok()?.checked_sub(1)?;
        self.room(room)?.log.get(index).map(|stored| &stored.entry)
    }

    /// A room's entries, from 1 on.
    pub(crate) fn log(&self, room: RoomId) -> impl Iterator<Item = &Entry> {
        self.room(room).into_iter().flat_map(|room| room.log.iter().map(|stored| &stored.entry))
    }

    /// The newest number of a room.
    pub(crate) fn head(&self, room: RoomId) -> Option<Seq> {
        self.room(room).map(|room| Seq(i64::try_from(room.log.len()).unwrap_or(i64::MAX)))
    }

    /// See `Store::entries_after`.
    pub(crate) fn entries_after(&self, room: RoomId, after: Seq, limit: usize) -> Vec<Entry> {
        let Some(room) = self.room(room) else { return Vec::new() };
        let from = usize::try_from(after.0.max(0)).unwrap_or(usize::MAX).min(room.log.len());
        page(room.log[from..].iter().take(limit))
    }

    /// See `Store::entries_before`.
    pub(crate) fn entries_before(&self, room: RoomId, before: Seq, limit: usize) -> Vec<Entry> {
        let Some(room) = self.room(room) else { return Vec::new() };
        let end = usize::try_from(before.0.saturating_sub(1).max(0)).unwrap_or(usize::MAX).min(room.log.len());
        let mut page = page(room.log[..end].iter().rev().take(limit));
        page.reverse();
        page
    }

    /// See `Store::snapshot`.
    pub(crate) fn snapshot(&self, room: RoomId, limit: usize) -> Result<Snapshot, StoreError> {
        let (info, seq) = self.room_info(room).zip(self.head(room)).ok_or(StoreError::NoRoom)?;
        Ok(Snapshot { room: info, epoch: self.epoch(), seq, entries: self.entries_before(room, seq.next(), limit) })
    }

    /// See `Store::create_room`.
    pub(crate) fn create_room(&mut self, slug: &str, name: &str, by: &Person, at: i64) -> (RoomInfo, bool) {
        if let Some(room) = self.room_by_slug(slug) {
            return (room, false);
        }
        let id = RoomId(i64::try_from(self.rooms.len()).unwrap_or(i64::MAX) + 1);
        let info = RoomInfo { id, slug: slug.to_owned(), name: name.to_owned(), topic: String::new() };
        let born = self.moves + 1;
        self.rooms.push(Room { info: info.clone(), made_by: by.id, moved: born, born, log: Vec::new() });
        self.put(id, Entry { seq: Seq(1), at, by: by.clone(), key: None, change: Change::Created });
        (info, true)
    }

    /// See `Store::room_by_slug`.
    pub(crate) fn room_by_slug(&self, slug: &str) -> Option<RoomInfo> {
        self.rooms.iter().find(|room| room.info.slug == slug).map(|room| room.info.clone())
    }

    /// See `Store::room`.
    pub(crate) fn room_info(&self, id: RoomId) -> Option<RoomInfo> {
        self.room(id).map(|room| room.info.clone())
    }

    /// See `Store::rooms`.
    pub(crate) fn newest_rooms(&self, limit: usize) -> Vec<RoomInfo> {
        let from = self.rooms.len().saturating_sub(limit);
        self.rooms[from..].iter().map(|room| room.info.clone()).collect()
    }

    /// See `Store::newest_move`.
    pub(crate) fn newest_move(&self) -> Mark {
        Mark(self.moves)
    }

    /// See `Store::moved_after`.
    pub(crate) fn moved_after(&self, mark: Mark, limit: usize) -> Vec<Moved> {
        let mut moved: Vec<&Room> = self.rooms.iter().filter(|room| room.moved > mark.0).collect();
        moved.sort_unstable_by_key(|room| room.moved);
        let of = |room: &Room| {
            let head = self.head(room.info.id).unwrap_or(Seq::ZERO);
            Moved { room: room.info.clone(), head, made: room.born > mark.0, mark: Mark(room.moved) }
        };
        moved.into_iter().take(limit).map(of).collect()
    }

    /// See `Store::begin_telling`.
    pub(crate) fn begin_telling(&mut self, room: RoomId, channel: &str, at: Seq) -> Result<Telling, StoreError> {
        self.head(room).ok_or(StoreError::NoRoom)?;
        Ok(*self.tellings.entry((room, channel.to_owned())).or_insert(Telling { begun: at, told: None }))
    }

    /// See `Store::note_told`.
    pub(crate) fn note_told(&mut self, room: RoomId, channel: &str, to: Seq) -> Result<(), StoreError> {
        let telling = self.tellings.get_mut(&(room, channel.to_owned())).ok_or(StoreError::NoRoom)?;
        telling.told = telling.told.max(Some(to));
        Ok(())
    }

    /// See `Store::create_guest`.
    pub(crate) fn create_guest(&mut self, name: &str, token: TokenHash, expires_at: i64) -> Result<Person, StoreError> {
        if self.sessions.contains_key(&token.0) {
            return Err(StoreError::Unavailable("a token names one session".to_owned()));
        }
        let person = self.new_person(name);
        self.sessions.insert(token.0, Session { person: person.id, expires_at });
        Ok(person)
    }

    /// See `Store::author`.
    pub(crate) fn author(&mut self, name: &str) -> Person {
        if let Some(id) = self.authors.get(name) {
            return Person { id: *id, name: name.to_owned() };
        }
        let person = self.new_person(name);
        self.authors.insert(person.name.clone(), person.id);
        person
    }

    fn new_person(&mut self, name: &str) -> Person {
        let person = Person { id: UserId(self.next_person), name: name.to_owned() };
        self.next_person += 1;
        self.people.insert(person.id, person.name.clone());
        person
    }

    /// See `Store::session`.
    pub(crate) fn session(&self, token: TokenHash, at: i64) -> Option<Person> {
        let session = self.sessions.get(&token.0).filter(|session| session.expires_at > at)?;
        let name = self.people.get(&session.person)?.clone();
        Some(Person { id: session.person, name })
    }

    /// See `Store::end_session`.
    pub(crate) fn end_session(&mut self, token: TokenHash) -> Option<UserId> {
        let session = self.sessions.get_mut(&token.0).filter(|session| session.expires_at > 0)?;
        session.expires_at = 0;
        Some(session.person)
    }

    /// See `Store::purge_sessions`.
    pub(crate) fn purge_sessions(&mut self, now: i64, limit: usize) -> usize {
        let ended = self.sessions.iter().filter(|(_, session)| session.expires_at <= now).take(limit);
        let ended: Vec<_> = ended.map(|(token, session)| (*token, session.person)).collect();
        for (token, person) in &ended {
            self.sessions.remove(token);
            if !self.left_a_trace(*person) {
                self.people.remove(person);
            }
        }
        ended.len()
    }

    fn left_a_trace(&self, person: UserId) -> bool {
        self.sessions.values().any(|session| session.person == person)
            || self.authors.values().any(|author| *author == person)
            || self.rooms.iter().any(|room| room.made_by == person)
            || self.rooms.iter().flat_map(|room| &room.log).any(|stored| stored.entry.by.id == person)
    }

    fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    fn room_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }
}

/// Entries as they come, until the next would be too much for one page; always one when there is one.
fn page<'a>(entries: impl Iterator<Item = &'a Stored>) -> Vec<Entry> {
    let mut page: Vec<Entry> = Vec::new();
    let mut bytes = 0;
    for stored in entries {
        bytes += stored.bytes;
        if bytes > PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(stored.entry.clone());
    }
    page
}
