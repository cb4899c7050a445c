-- Dispatch's own book.

-- Deliveries that were begun. subjects are 16 bytes each. receipt is what became
-- of the delivery, until that is in the log.
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

-- Who may not be written to. An empty channel or purpose is every one. The
-- reason is part of the key: a person who asks for messages again takes back
-- the unsubscribe and not the bounce.
CREATE TABLE suppressions (
	subject BLOB NOT NULL,
	channel TEXT NOT NULL,
	purpose TEXT NOT NULL,
	reason  TEXT NOT NULL,
	at      INTEGER NOT NULL,
	by      TEXT NOT NULL,
	PRIMARY KEY (subject, channel, purpose, reason)
) WITHOUT ROWID;
