-- What the migrations make. A test writes this file with -update and compares it otherwise.

CREATE TABLE campaign_runs (
	number   INTEGER PRIMARY KEY,
	lane     INTEGER NOT NULL,
	campaign TEXT NOT NULL,
	name     TEXT NOT NULL,
	body     BLOB NOT NULL
);
CREATE UNIQUE INDEX campaign_runs_name ON campaign_runs (lane, campaign, name);
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
CREATE INDEX deliveries_alike ON deliveries (state, journey, channel, because);
CREATE INDEX deliveries_due ON deliveries (channel, priority, not_before, id) WHERE state = 1;
CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_open ON deliveries (state, id) WHERE state IN (2, 3);
CREATE INDEX deliveries_profile ON deliveries (profile, planned);
CREATE TABLE feed (
	number   INTEGER PRIMARY KEY,
	lane     INTEGER NOT NULL,
	epoch    INTEGER NOT NULL,
	from_seq INTEGER NOT NULL,
	to_seq   INTEGER NOT NULL,
	body     BLOB NOT NULL
);
CREATE INDEX feed_lane ON feed (lane, number, to_seq);
CREATE TABLE forwards (
	lane   INTEGER NOT NULL,
	number INTEGER NOT NULL,
	source BLOB NOT NULL,
	target BLOB NOT NULL,
	at     INTEGER NOT NULL,
	entry  BLOB NOT NULL,
	PRIMARY KEY (lane, number)
) WITHOUT ROWID;
CREATE TABLE history (
	number  INTEGER PRIMARY KEY,
	strand  BLOB NOT NULL,
	month   INTEGER NOT NULL,
	before  INTEGER NOT NULL,
	earlier INTEGER NOT NULL,
	prints  BLOB NOT NULL,
	body    BLOB NOT NULL
);
CREATE TABLE history_end (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	number INTEGER NOT NULL
);
CREATE TABLE member_changes (
	segment INTEGER NOT NULL,
	number  INTEGER NOT NULL,
	body    BLOB NOT NULL,
	PRIMARY KEY (segment, number)
) WITHOUT ROWID;
CREATE TABLE "members" (
	segment INTEGER NOT NULL,
	profile BLOB NOT NULL,
	PRIMARY KEY (segment, profile)
) WITHOUT ROWID;
CREATE TABLE migrations (
	number   INTEGER PRIMARY KEY,
	name     TEXT NOT NULL,
	checksum TEXT NOT NULL
);
CREATE TABLE positions (
	lane    INTEGER PRIMARY KEY,
	epoch   INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	now     INTEGER NOT NULL,
	turns TEXT NOT NULL DEFAULT '');
CREATE TABLE profiles (
	number  INTEGER PRIMARY KEY,
	id      BLOB NOT NULL,
	alarm   INTEGER,
	newest  INTEGER NOT NULL,
	month   INTEGER NOT NULL,
	earlier INTEGER NOT NULL,
	body    BLOB
, signpost INTEGER);
CREATE INDEX profiles_alarm ON profiles (alarm, id) WHERE alarm IS NOT NULL;
CREATE INDEX profiles_bare ON profiles (id) WHERE body IS NULL;
CREATE UNIQUE INDEX profiles_id ON profiles (id);
CREATE INDEX profiles_living ON profiles (id) WHERE signpost IS NULL;
CREATE TABLE programs (
	hash   INTEGER PRIMARY KEY,
	source BLOB NOT NULL
);
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
CREATE TABLE rests (
	number INTEGER PRIMARY KEY,
	body   BLOB NOT NULL
);
CREATE TABLE segments (
	segment INTEGER PRIMARY KEY,
	members INTEGER NOT NULL
);
