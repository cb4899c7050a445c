-- A sweep of new definitions reads everybody who lives at a row of their own, in
-- order of id, and two of three rows are signposts to another: these have a one in
-- signpost. Rows that were written before may be one without it.
ALTER TABLE profiles ADD COLUMN signpost INTEGER;
CREATE INDEX profiles_living ON profiles (id) WHERE signpost IS NULL;

-- How far the sweep of the program in force has come, and the program up to which
-- everybody had been brought before it: whom a sweep does not change it does not write.
ALTER TABLE positions ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE positions ADD COLUMN under INTEGER NOT NULL DEFAULT 0;
