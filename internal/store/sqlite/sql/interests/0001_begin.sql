-- Who was interested in what.

CREATE TABLE interests (
	key     TEXT NOT NULL,
	profile BLOB NOT NULL,
	kind    INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	count   INTEGER NOT NULL,
	PRIMARY KEY (key, profile, kind)
) WITHOUT ROWID;

-- How far the feed of each lane was read; and of lane -1, how far the journal of the
-- catalogue was told.
CREATE TABLE positions (
	lane   INTEGER PRIMARY KEY,
	number INTEGER NOT NULL
);
