-- What the migrations make. A test writes this file with -update and compares it otherwise.

CREATE TABLE interests (
	key     TEXT NOT NULL,
	profile BLOB NOT NULL,
	kind    INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	count   INTEGER NOT NULL,
	PRIMARY KEY (key, profile, kind)
) WITHOUT ROWID;
CREATE TABLE migrations (
	number   INTEGER PRIMARY KEY,
	name     TEXT NOT NULL,
	checksum TEXT NOT NULL
);
CREATE TABLE positions (
	lane   INTEGER PRIMARY KEY,
	number INTEGER NOT NULL
);
