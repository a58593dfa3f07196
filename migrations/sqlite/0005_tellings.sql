-- How far each room has been told to the channels of Redis that it is joined to: Redis has the same mark, moved in the
-- step that publishes, and may forget it. `begun` is where the room stood when the two were joined; `told` stays NULL
-- until somebody holds the channel for the first time, and only grows from then on.
CREATE TABLE tellings (
    room_id INTEGER NOT NULL REFERENCES rooms (id),
    channel TEXT NOT NULL,
    begun   INTEGER NOT NULL CHECK (begun >= 0),
    told    INTEGER CHECK (told >= 0),
    PRIMARY KEY (room_id, channel)
) STRICT, WITHOUT ROWID;
