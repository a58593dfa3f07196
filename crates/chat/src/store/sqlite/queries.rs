//! What is read, and the SQL that reads it. Every statement goes through the connection's cache.

use rusqlite::{Connection, OptionalExtension, Row, Statement};
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, RoomInfo, Seq, Snapshot, UserId, limits};
use uuid::Uuid;

use crate::store::{Mark, Moved, TokenHash};

// CROSS JOIN fixes the order of the loops: the range of the log first, then each author by id.
pub(super) const ENTRIES_AFTER: &str = "SELECT e.seq, e.at, e.author_id, u.name, e.key, e.payload \
     FROM entries AS e CROSS JOIN users AS u ON u.id = e.author_id \
     WHERE e.room_id = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3";
pub(super) const ENTRIES_BEFORE: &str = "SELECT e.seq, e.at, e.author_id, u.name, e.key, e.payload \
     FROM entries AS e CROSS JOIN users AS u ON u.id = e.author_id \
     WHERE e.room_id = ?1 AND e.seq < ?2 ORDER BY e.seq DESC LIMIT ?3";
pub(super) const HEAD: &str = "SELECT head FROM rooms WHERE id = ?1";
pub(super) const ROOM_BY_ID: &str = "SELECT id, slug, name, topic FROM rooms WHERE id = ?1";
pub(super) const ROOM_BY_SLUG: &str = "SELECT id, slug, name, topic FROM rooms WHERE slug = ?1";
pub(super) const ROOMS: &str = "SELECT id, slug, name, topic FROM rooms ORDER BY id DESC LIMIT ?1";
pub(super) const NEWEST_MOVE: &str = "SELECT max(moved) FROM rooms";
pub(super) const MOVED_AFTER: &str = "SELECT id, slug, name, topic, head, moved, born FROM rooms \
     WHERE moved > ?1 ORDER BY moved LIMIT ?2";
pub(super) const SESSION: &str = "SELECT u.id, u.name FROM sessions AS s CROSS JOIN users AS u ON u.id = s.user_id \
     WHERE s.token_hash = ?1 AND s.expires_at > ?2";

pub(super) const AUTHOR_NAMED: &str = "SELECT u.id, u.name FROM authors AS a CROSS JOIN users AS u ON u.id = a.user_id \
     WHERE a.name = ?1";

pub(super) fn entries_after(db: &Connection, room: RoomId, after: Seq, limit: usize) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = db.prepare_cached(ENTRIES_AFTER)?;
    page(&mut statement, (room.0, after.0, bound(limit)))
}

pub(super) fn entries_before(db: &Connection, room: RoomId, before: Seq, limit: usize) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = db.prepare_cached(ENTRIES_BEFORE)?;
    let mut page = page(&mut statement, (room.0, before.0, bound(limit)))?;
    page.reverse();
    Ok(page)
}

/// Entries as they come, until the next would be too much for one page; always one when there is one.
fn page(statement: &mut Statement<'_>, params: impl rusqlite::Params) -> rusqlite::Result<Vec<Entry>> {
    let mut rows = statement.query(params)?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(PAYLOAD)?.as_str()?.len();
        if bytes > limits::PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(entry(row)?);
    }
    Ok(page)
}

/// `None` when there is no such room.
pub(super) fn head(db: &Connection, room: RoomId) -> rusqlite::Result<Option<Seq>> {
    db.prepare_cached(HEAD)?.query_row([room.0], |row| row.get(0).map(Seq)).optional()
}

/// Must run inside a transaction, or the heads are of several moments.
pub(super) fn heads(tx: &Connection, rooms: &[RoomId]) -> rusqlite::Result<Vec<(RoomId, Seq)>> {
    let mut heads = Vec::with_capacity(rooms.len());
    for &room in rooms {
        heads.extend(head(tx, room)?.map(|seq| (room, seq)));
    }
    Ok(heads)
}

/// Must run inside a transaction, or room, head and entries are of several moments.
pub(super) fn snapshot(tx: &Connection, epoch: Epoch, id: RoomId, limit: usize) -> rusqlite::Result<Option<Snapshot>> {
    let (Some(room), Some(seq)) = (room_by_id(tx, id)?, head(tx, id)?) else { return Ok(None) };
    let entries = entries_before(tx, id, seq.next(), limit)?;
    Ok(Some(Snapshot { room, epoch, seq, entries }))
}

pub(super) fn room_by_id(db: &Connection, id: RoomId) -> rusqlite::Result<Option<RoomInfo>> {
    db.prepare_cached(ROOM_BY_ID)?.query_row([id.0], room).optional()
}

pub(super) fn room_by_slug(db: &Connection, slug: &str) -> rusqlite::Result<Option<RoomInfo>> {
    db.prepare_cached(ROOM_BY_SLUG)?.query_row([slug], room).optional()
}

pub(super) fn rooms(db: &Connection, limit: usize) -> rusqlite::Result<Vec<RoomInfo>> {
    let mut newest = all(&mut *db.prepare_cached(ROOMS)?, [bound(limit)], room)?;
    newest.reverse();
    Ok(newest)
}

pub(super) fn newest_move(db: &Connection) -> rusqlite::Result<Mark> {
    // Without rooms there is no newest one.
    let newest: Option<i64> = db.prepare_cached(NEWEST_MOVE)?.query_row([], |row| row.get(0))?;
    Ok(Mark(newest.unwrap_or(0)))
}

pub(super) fn moved_after(db: &Connection, mark: Mark, limit: usize) -> rusqlite::Result<Vec<Moved>> {
    let moved = |row: &Row<'_>| {
        let born: i64 = row.get(6)?;
        Ok(Moved { room: room(row)?, head: Seq(row.get(4)?), made: born > mark.0, mark: Mark(row.get(5)?) })
    };
    all(&mut *db.prepare_cached(MOVED_AFTER)?, (mark.0, bound(limit)), moved)
}

pub(super) fn session(db: &Connection, token: TokenHash, at: i64) -> rusqlite::Result<Option<Person>> {
    db.prepare_cached(SESSION)?.query_row((token.0, at), person).optional()
}

pub(super) fn author_named(db: &Connection, name: &str) -> rusqlite::Result<Option<Person>> {
    db.prepare_cached(AUTHOR_NAMED)?.query_row([name], person).optional()
}

/// The column of [`entry`] that holds the JSON.
const PAYLOAD: usize = 5;

/// Reads `seq, at, author_id, name, key, payload`.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let seq = Seq(row.get(0)?);
    let key: Option<[u8; 16]> = row.get(4)?;
    Ok(Entry {
        seq,
        at: row.get(1)?,
        by: Person { id: UserId(row.get(2)?), name: row.get(3)? },
        key: key.map(|bytes| Key(Uuid::from_bytes(bytes))),
        change: change(row.get_ref(PAYLOAD)?.as_str()?, seq),
    })
}

/// An entry that cannot be understood still has its number: without it the room would have a hole for ever.
fn change(payload: &str, seq: Seq) -> Change {
    serde_json::from_str(payload).unwrap_or_else(|error| {
        tracing::error!(%seq, %error, "an entry's payload cannot be read");
        Change::illegible()
    })
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person { id: UserId(row.get(0)?), name: row.get(1)? })
}

fn room(row: &Row<'_>) -> rusqlite::Result<RoomInfo> {
    Ok(RoomInfo { id: RoomId(row.get(0)?), slug: row.get(1)?, name: row.get(2)?, topic: row.get(3)? })
}

fn all<T>(
    statement: &mut Statement<'_>,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    statement.query_map(params, read)?.collect()
}

/// `SQLite` reads a negative LIMIT as none, so a huge one must stay positive.
pub(super) fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
