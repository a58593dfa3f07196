-- The first schema: who there is, which rooms there are, and each room's log.
-- Never edit a migration that was released: add the next number.
-- Times are Unix milliseconds of the server's clock; they are shown and never used for order.

-- Facts about the database itself; `epoch` is its identity, renewed by a restore.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT here and for rooms: an id is for ever, so a number is never given twice.
CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Only the SHA-256 of a token is kept: who reads this table can impersonate nobody.
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `head` is the newest number of the room's log. It moves in the transaction that writes the entry,
-- so what is rolled back consumes no number. `name` and `topic` follow the log in the same way.
CREATE TABLE rooms (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    topic      TEXT NOT NULL DEFAULT '',
    head       INTEGER NOT NULL DEFAULT 0 CHECK (head >= 0),
    created_by INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL
) STRICT;

-- `payload` is the JSON of the change, `kind` its tag. A room's newest page is one range of this tree.
CREATE TABLE entries (
    room_id   INTEGER NOT NULL REFERENCES rooms (id),
    seq       INTEGER NOT NULL CHECK (seq >= 1),
    kind      TEXT NOT NULL,
    author_id INTEGER NOT NULL REFERENCES users (id),
    key       BLOB CHECK (length(key) = 16),
    at        INTEGER NOT NULL,
    payload   TEXT NOT NULL,
    PRIMARY KEY (room_id, seq)
) STRICT, WITHOUT ROWID;

-- A user action is stored at most once, for ever; what the server does by itself has no key.
CREATE UNIQUE INDEX entries_by_action ON entries (author_id, key) WHERE key IS NOT NULL;
