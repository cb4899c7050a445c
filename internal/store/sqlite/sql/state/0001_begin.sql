-- The state of a workspace, as folded from its log.

-- How far each lane has been folded. epoch and seq are the fence of every commit.
CREATE TABLE positions (
	lane    INTEGER PRIMARY KEY,
	epoch   INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	now     INTEGER NOT NULL,
	program INTEGER NOT NULL
);

-- Hot rows, in the order in which their customers were first met: what is
-- written together in an import then stands together. The next to last columns
-- are the beginning of the strand's chain in history: its newest piece, the month
-- of that, and the newest piece of another month before it; zero where there is
-- none. A strand with a history and no hot row has no body. alarm is NULL where
-- there is none.
CREATE TABLE profiles (
	number  INTEGER PRIMARY KEY,
	id      BLOB NOT NULL,
	alarm   INTEGER,
	newest  INTEGER NOT NULL,
	month   INTEGER NOT NULL,
	earlier INTEGER NOT NULL,
	body    BLOB
);
CREATE UNIQUE INDEX profiles_id ON profiles (id);
CREATE INDEX profiles_alarm ON profiles (alarm, id) WHERE alarm IS NOT NULL;
CREATE INDEX profiles_bare ON profiles (id) WHERE body IS NULL;

-- Pieces of history in the order in which they were committed. There is no index
-- by strand: it would take a page for every piece, and the profile, which is
-- written anyway, knows where the chain begins. before is the strand's piece
-- before this one, earlier the last one before it of another month than this one
-- and all between. prints holds the fingerprints of the events in body, 8 bytes
-- each, little-endian.
CREATE TABLE history (
	number  INTEGER PRIMARY KEY,
	strand  BLOB NOT NULL,
	month   INTEGER NOT NULL,
	before  INTEGER NOT NULL,
	earlier INTEGER NOT NULL,
	prints  BLOB NOT NULL,
	body    BLOB NOT NULL
);

-- The number of the last piece of history that was ever written. A number is
-- never used again, because chains may still name it.
CREATE TABLE history_end (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	number INTEGER NOT NULL
);
INSERT INTO history_end (one, number) VALUES (1, 0);

-- Who is in which segment, and how many are: counting a million rows to draw
-- a list of segments takes too long.
CREATE TABLE members (
	segment INTEGER NOT NULL,
	profile BLOB NOT NULL,
	since   INTEGER NOT NULL,
	PRIMARY KEY (segment, profile)
) WITHOUT ROWID;
CREATE TABLE segments (
	segment INTEGER PRIMARY KEY,
	members INTEGER NOT NULL
);

-- The ledger of deliveries. body is the whole delivery in the product's own
-- encoding; the columns before it are what somebody looks for. not_before and
-- deadline are NULL where they never come.
CREATE TABLE deliveries (
	number     INTEGER PRIMARY KEY,
	id         BLOB NOT NULL,
	profile    BLOB NOT NULL,
	state      INTEGER NOT NULL,
	channel    TEXT NOT NULL,
	journey    TEXT NOT NULL,
	because    TEXT NOT NULL,
	priority   INTEGER NOT NULL,
	planned    INTEGER NOT NULL,
	not_before INTEGER,
	deadline   INTEGER,
	fence      INTEGER NOT NULL,
	changed    INTEGER NOT NULL,
	outcome    TEXT NOT NULL,
	body       BLOB NOT NULL,
	plan       BLOB,
	claim      BLOB
);
CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_profile ON deliveries (profile, planned);
-- State 1 is planned: what waits for its instant.
CREATE INDEX deliveries_due ON deliveries (channel, priority, not_before, id) WHERE state = 1;
-- States 2 and 3 are claimed and started: what a restart asks for.
CREATE INDEX deliveries_open ON deliveries (state, id) WHERE state IN (2, 3);
-- Counting a million rows reads this index only.
CREATE INDEX deliveries_alike ON deliveries (state, journey, channel, because);

-- Entries on their way from one home to another.
CREATE TABLE forwards (
	lane   INTEGER NOT NULL,
	number INTEGER NOT NULL,
	source BLOB NOT NULL,
	target BLOB NOT NULL,
	at     INTEGER NOT NULL,
	entry  BLOB NOT NULL,
	PRIMARY KEY (lane, number)
) WITHOUT ROWID;

-- What each commit told the warehouse.
CREATE TABLE feed (
	number   INTEGER PRIMARY KEY,
	lane     INTEGER NOT NULL,
	epoch    INTEGER NOT NULL,
	from_seq INTEGER NOT NULL,
	to_seq   INTEGER NOT NULL,
	body     BLOB NOT NULL
);
CREATE INDEX feed_lane ON feed (lane, number, to_seq);

-- Events that were put aside.
CREATE TABLE quarantine (
	number INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,
	target BLOB NOT NULL,
	kind   TEXT NOT NULL,
	reason TEXT NOT NULL,
	field  TEXT NOT NULL,
	detail TEXT NOT NULL,
	entry  BLOB
);

-- Sources of programs by their hash.
CREATE TABLE programs (
	hash   INTEGER PRIMARY KEY,
	source BLOB NOT NULL
);
