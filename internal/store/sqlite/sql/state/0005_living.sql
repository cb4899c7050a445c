-- A sweep of new definitions reads everybody who lives at a row of their own, in
-- order of id, and two of three rows are signposts to another: these have a one in
-- signpost. Rows that were written before may be one without it.
ALTER TABLE profiles ADD COLUMN signpost INTEGER;
CREATE INDEX profiles_living ON profiles (id) WHERE signpost IS NULL;

-- The programs that customers may be under, the oldest first and the one in force last,
-- each with the instant since when and how far its sweep has come, separated by blanks:
-- whom a sweep does not change it does not write.
ALTER TABLE positions ADD COLUMN turns TEXT NOT NULL DEFAULT '';
UPDATE positions SET turns = program || ' ' || now || ' 0' WHERE program != 0;
ALTER TABLE positions DROP COLUMN program;
