-- Who said it is part of the key. Else a later word would be lost behind an
-- earlier one: an unsubscribe of this year behind one that an import brought of
-- years ago, which a consent in between may release and the undoing of the
-- import takes back.
CREATE TABLE suppressions_by (
	subject BLOB NOT NULL,
	channel TEXT NOT NULL,
	purpose TEXT NOT NULL,
	reason  TEXT NOT NULL,
	at      INTEGER NOT NULL,
	by      TEXT NOT NULL,
	PRIMARY KEY (subject, channel, purpose, reason, by)
) WITHOUT ROWID;
INSERT INTO suppressions_by (subject, channel, purpose, reason, at, by)
	SELECT subject, channel, purpose, reason, at, by FROM suppressions;
DROP TABLE suppressions;
ALTER TABLE suppressions_by RENAME TO suppressions;
