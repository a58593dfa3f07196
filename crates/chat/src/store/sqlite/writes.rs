//! What is written, each inside the writer's transaction. A refusal comes before the first write,
//! so a refused job leaves nothing that the others of its group would commit with theirs.

use rusqlite::{Connection, OptionalExtension, Row};
use tertulia_protocol::{Change, Entry, Key, Person, RoomId, RoomInfo, Seq, UserId};

use super::fault::Fault;
use super::queries;
use crate::store::{Appended, Draft, StoreError, Telling, TokenHash};

/// The author, and the entry of an earlier try if there was one, in one look.
pub(super) const AUTHOR: &str = "SELECT e.seq, e.at, e.author_id, u.name, e.key, e.payload, e.room_id \
     FROM users AS u LEFT JOIN entries AS e ON e.author_id = u.id AND e.key = ?2 WHERE u.id = ?1";
pub(super) const NEXT_SEQ: &str = "UPDATE rooms SET head = head + 1, moved = (SELECT max(moved) FROM rooms) + 1 \
     WHERE id = ?1 RETURNING head";
const INSERT_ENTRY: &str = "INSERT INTO entries (room_id, seq, kind, author_id, key, at, payload) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const RENAME: &str = "UPDATE rooms SET name = ?2 WHERE id = ?1";
const SET_TOPIC: &str = "UPDATE rooms SET topic = ?2 WHERE id = ?1";
const INSERT_ROOM: &str = "INSERT INTO rooms (slug, name, head, created_by, created_at, moved, born) \
     SELECT ?1, ?2, 1, ?3, ?4, newest + 1, newest + 1 FROM (SELECT coalesce(max(moved), 0) AS newest FROM rooms)";
const INSERT_USER: &str = "INSERT INTO users (name, created_at) VALUES (?1, ?2)";
const INSERT_AUTHOR: &str = "INSERT INTO authors (name, user_id) VALUES (?1, ?2)";
const INSERT_SESSION: &str =
    "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
// Ended and not deleted, so that one statement finds everything that is to be purged, and with it the guests.
const END_SESSION: &str =
    "UPDATE sessions SET expires_at = 0 WHERE token_hash = ?1 AND expires_at > 0 RETURNING user_id";
pub(super) const ENDED_SESSIONS: &str =
    "SELECT token_hash, user_id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
const DELETE_SESSION: &str = "DELETE FROM sessions WHERE token_hash = ?1";
pub(super) const DELETE_GUEST: &str = "DELETE FROM users WHERE id = ?1 \
     AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = ?1) \
     AND NOT EXISTS (SELECT 1 FROM entries WHERE author_id = ?1) \
     AND NOT EXISTS (SELECT 1 FROM rooms WHERE created_by = ?1) \
     AND NOT EXISTS (SELECT 1 FROM authors WHERE user_id = ?1)";
const BEGIN_TELLING: &str = "INSERT INTO tellings (room_id, channel, begun) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
pub(super) const TELLING: &str = "SELECT begun, told FROM tellings WHERE room_id = ?1 AND channel = ?2";
pub(super) const NOTE_TOLD: &str =
    "UPDATE tellings SET told = max(coalesce(told, 0), ?3) WHERE room_id = ?1 AND channel = ?2";
// A row that comes and goes in one transaction: its page must be written and synced although nothing changed.
// (An UPDATE to the same value would not do: SQLite sees that the bytes are equal and writes nothing.)
const PROBE: &str = "INSERT INTO meta (name, value) VALUES ('probe', '')";
const UNPROBE: &str = "DELETE FROM meta WHERE name = 'probe'";

pub(super) fn append(tx: &Connection, draft: &Draft) -> Result<Appended, Fault> {
    let (by, earlier) = author(tx, draft.by.id, draft.key)?;
    if let Some((room, entry)) = earlier {
        return Ok(Appended { room, entry, duplicate: true });
    }
    let next = tx.prepare_cached(NEXT_SEQ)?.query_row([draft.room.0], |row| row.get(0)).optional()?;
    let seq = Seq(next.ok_or(Fault::Refused(StoreError::NoRoom))?);
    let entry = Entry { seq, at: draft.at, by, key: Some(draft.key), change: draft.change.clone() };
    insert_entry(tx, draft.room, &entry)?;
    match &entry.change {
        Change::Renamed { name } => tx.prepare_cached(RENAME)?.execute((draft.room.0, name))?,
        Change::TopicSet { topic } => tx.prepare_cached(SET_TOPIC)?.execute((draft.room.0, topic))?,
        _ => 0,
    };
    Ok(Appended { room: draft.room, entry, duplicate: false })
}

/// A draft that is refused has written nothing, so the others go on.
pub(super) fn append_all(tx: &Connection, drafts: &[Draft]) -> Result<Vec<Result<Appended, StoreError>>, Fault> {
    let one = |draft| match append(tx, draft) {
        Ok(appended) => Ok(Ok(appended)),
        Err(Fault::Refused(refusal)) => Ok(Err(refusal)),
        Err(fault) => Err(fault),
    };
    drafts.iter().map(one).collect()
}

type Earlier = Option<(RoomId, Entry)>;

fn author(tx: &Connection, id: UserId, key: Key) -> Result<(Person, Earlier), Fault> {
    let read = |row: &Row<'_>| {
        let by = Person { id, name: row.get(3)? };
        let earlier = match row.get(6)? {
            Some(room) => Some((RoomId(room), queries::entry(row)?)),
            None => None,
        };
        Ok((by, earlier))
    };
    tx.prepare_cached(AUTHOR)?.query_row((id.0, key.0.as_bytes()), read).optional()?.ok_or_else(|| unknown_author(id))
}

fn unknown_author(id: UserId) -> Fault {
    Fault::Refused(StoreError::Unavailable(format!("there is no user {id}")))
}

/// Writes an entry whose number the room's head already counts.
pub(super) fn insert_entry(tx: &Connection, room: RoomId, entry: &Entry) -> rusqlite::Result<()> {
    let payload = serde_json::to_string(&entry.change)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let key = entry.key.as_ref().map(|key| key.0.as_bytes());
    tx.prepare_cached(INSERT_ENTRY)?.execute((
        room.0,
        entry.seq.0,
        kind(&entry.change),
        entry.by.id.0,
        key,
        entry.at,
        payload,
    ))?;
    Ok(())
}

/// The tag of a change, as its JSON has it.
pub(super) fn kind(change: &Change) -> &str {
    match change {
        Change::Created => "created",
        Change::Posted { .. } => "posted",
        Change::Edited { .. } => "edited",
        Change::Deleted { .. } => "deleted",
        Change::Reacted { .. } => "reacted",
        Change::Unreacted { .. } => "unreacted",
        Change::Joined => "joined",
        Change::Left => "left",
        Change::Renamed { .. } => "renamed",
        Change::TopicSet { .. } => "topic_set",
        Change::Removed { .. } => "removed",
        Change::Unknown(fields) => fields.kind(),
    }
}

pub(super) fn create_room(
    tx: &Connection,
    slug: &str,
    name: &str,
    by: &Person,
    at: i64,
) -> Result<(RoomInfo, bool), Fault> {
    if let Some(room) = queries::room_by_slug(tx, slug)? {
        return Ok((room, false));
    }
    tx.prepare_cached(INSERT_ROOM)?.execute((slug, name, by.id.0, at))?;
    let id = RoomId(tx.last_insert_rowid());
    let created = Entry { seq: Seq(1), at, by: by.clone(), key: None, change: Change::Created };
    insert_entry(tx, id, &created)?;
    Ok((RoomInfo { id, slug: slug.to_owned(), name: name.to_owned(), topic: String::new() }, true))
}

pub(super) fn create_guest(
    tx: &Connection,
    name: &str,
    token: TokenHash,
    at: i64,
    expires_at: i64,
) -> Result<Person, Fault> {
    tx.prepare_cached(INSERT_USER)?.execute((name, at))?;
    let id = tx.last_insert_rowid();
    tx.prepare_cached(INSERT_SESSION)?.execute((token.0, id, at, expires_at))?;
    Ok(Person { id: UserId(id), name: name.to_owned() })
}

pub(super) fn author_named(tx: &Connection, name: &str, at: i64) -> Result<Person, Fault> {
    if let Some(person) = queries::author_named(tx, name)? {
        return Ok(person);
    }
    tx.prepare_cached(INSERT_USER)?.execute((name, at))?;
    let id = tx.last_insert_rowid();
    tx.prepare_cached(INSERT_AUTHOR)?.execute((name, id))?;
    Ok(Person { id: UserId(id), name: name.to_owned() })
}

pub(super) fn end_session(tx: &Connection, token: TokenHash) -> Result<Option<UserId>, Fault> {
    Ok(tx.prepare_cached(END_SESSION)?.query_row([token.0], |row| row.get(0).map(UserId)).optional()?)
}

pub(super) fn purge_sessions(tx: &Connection, now: i64, limit: usize) -> Result<usize, Fault> {
    let mut statement = tx.prepare_cached(ENDED_SESSIONS)?;
    let found = statement.query_map((now, queries::bound(limit)), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let ended: Vec<([u8; 32], i64)> = found.collect::<rusqlite::Result<_>>()?;
    for (token, user) in &ended {
        tx.prepare_cached(DELETE_SESSION)?.execute([token])?;
        tx.prepare_cached(DELETE_GUEST)?.execute([user])?;
    }
    Ok(ended.len())
}

pub(super) fn begin_telling(tx: &Connection, room: RoomId, channel: &str, at: Seq) -> Result<Telling, Fault> {
    queries::head(tx, room)?.ok_or(Fault::Refused(StoreError::NoRoom))?;
    tx.prepare_cached(BEGIN_TELLING)?.execute((room.0, channel, at.0))?;
    let read = |row: &Row<'_>| {
        let told: Option<i64> = row.get(1)?;
        Ok(Telling { begun: Seq(row.get(0)?), told: told.map(Seq) })
    };
    Ok(tx.prepare_cached(TELLING)?.query_row((room.0, channel), read)?)
}

pub(super) fn note_told(tx: &Connection, room: RoomId, channel: &str, to: Seq) -> Result<(), Fault> {
    match tx.prepare_cached(NOTE_TOLD)?.execute((room.0, channel, to.0))? {
        0 => Err(Fault::Refused(StoreError::NoRoom)),
        _ => Ok(()),
    }
}

pub(super) fn probe(tx: &Connection) -> Result<(), Fault> {
    tx.prepare_cached(PROBE)?.execute([])?;
    tx.prepare_cached(UNPROBE)?.execute([])?;
    Ok(())
}
