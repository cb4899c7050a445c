-- What the migrations make. A test writes this file with -update and compares it otherwise.

CREATE TABLE migrations (
	number   INTEGER PRIMARY KEY,
	name     TEXT NOT NULL,
	checksum TEXT NOT NULL
);
CREATE TABLE only_one (
	key      BLOB NOT NULL PRIMARY KEY,
	delivery BLOB NOT NULL,
	at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE starts (
	number   INTEGER PRIMARY KEY,
	id       BLOB NOT NULL,
	profile  BLOB NOT NULL,
	fence    INTEGER NOT NULL,
	subjects BLOB NOT NULL,
	channel  TEXT NOT NULL,
	purpose  TEXT NOT NULL,
	at       INTEGER NOT NULL,
	resend   INTEGER NOT NULL,
	service  INTEGER NOT NULL,
	finished INTEGER NOT NULL,
	receipt  BLOB
);
CREATE UNIQUE INDEX starts_id ON starts (id);
CREATE INDEX starts_unfinished ON starts (id, at) WHERE finished = 0;
CREATE TABLE "suppressions" (
	subject BLOB NOT NULL,
	channel TEXT NOT NULL,
	purpose TEXT NOT NULL,
	reason  TEXT NOT NULL,
	at      INTEGER NOT NULL,
	by      TEXT NOT NULL,
	PRIMARY KEY (subject, channel, purpose, reason, by)
) WITHOUT ROWID;
