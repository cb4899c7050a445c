-- What the migrations make. A test writes this file with -update and compares it otherwise.

CREATE TABLE changes (
	number   INTEGER PRIMARY KEY AUTOINCREMENT,
	name     TEXT NOT NULL,
	at       INTEGER NOT NULL,
	source   TEXT NOT NULL,
	product  TEXT NOT NULL,
	variant  TEXT NOT NULL,
	sku      TEXT NOT NULL,
	currency TEXT NOT NULL,
	before   INTEGER NOT NULL,
	after    INTEGER NOT NULL,
	stock    INTEGER NOT NULL
);
CREATE TABLE keys (
	key    TEXT NOT NULL,
	source TEXT NOT NULL,
	id     TEXT NOT NULL,
	PRIMARY KEY (key, source, id)
) WITHOUT ROWID;
CREATE TABLE migrations (
	number   INTEGER PRIMARY KEY,
	name     TEXT NOT NULL,
	checksum TEXT NOT NULL
);
CREATE TABLE products (
	number   INTEGER PRIMARY KEY,
	source   TEXT NOT NULL,
	id       TEXT NOT NULL,
	gone     INTEGER NOT NULL,
	variants INTEGER NOT NULL,
	next     INTEGER,
	body     BLOB NOT NULL
);
CREATE INDEX products_next ON products (next, source, id) WHERE next IS NOT NULL;
CREATE UNIQUE INDEX products_ref ON products (source, id);
CREATE TABLE sqlite_sequence(name,seq);
