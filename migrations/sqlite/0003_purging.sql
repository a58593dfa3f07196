-- What purging looks for: sessions that ended, and whether their guests left anything behind. Without these, taking
-- one guest away would read every entry, also because SQLite itself checks that nothing refers to the row.
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX rooms_by_maker ON rooms (created_by);

-- The same promise as before (several NULLs are no repeat), and now it finds the entries without a key as well.
DROP INDEX entries_by_action;
CREATE UNIQUE INDEX entries_by_action ON entries (author_id, key);
