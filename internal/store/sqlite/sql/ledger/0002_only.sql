-- Of the deliveries of one run of a campaign to one address one is begun: which
-- one. The key is a keyed hash, so no address stands here.
CREATE TABLE only_one (
	key      BLOB NOT NULL PRIMARY KEY,
	delivery BLOB NOT NULL,
	at       INTEGER NOT NULL
) WITHOUT ROWID;
