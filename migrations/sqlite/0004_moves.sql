-- In which order rooms moved: every entry takes the next number of one count for the whole database, in the transaction
-- that writes it. What was written since a number is then one range of the index, however many rooms there are, and an
-- instance finds there what another one wrote and no bus carried. `born` is the number with which the room was made.
ALTER TABLE rooms ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN born INTEGER NOT NULL DEFAULT 0;
CREATE INDEX rooms_by_move ON rooms (moved);
