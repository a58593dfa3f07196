-- Who speaks through the plain doors (publish, the Redis bridge): one user per name, found again by that name.
-- Guests of the page are not here: they may share a name and remain two people.
CREATE TABLE authors (
    name    TEXT PRIMARY KEY NOT NULL,
    user_id INTEGER NOT NULL UNIQUE REFERENCES users (id)
) STRICT, WITHOUT ROWID;
