-- What the shop sells.

-- body is the encoded product. next is when a price changes by itself; NULL: never.
-- variants counts those of a product that is sold.
CREATE TABLE products (
	number   INTEGER PRIMARY KEY,
	source   TEXT NOT NULL,
	id       TEXT NOT NULL,
	gone     INTEGER NOT NULL,
	variants INTEGER NOT NULL,
	next     INTEGER,
	body     BLOB NOT NULL
);
CREATE UNIQUE INDEX products_ref ON products (source, id);
CREATE INDEX products_next ON products (next, source, id) WHERE next IS NOT NULL;

-- The names by which a product is looked up. A name may be that of several.
CREATE TABLE keys (
	key    TEXT NOT NULL,
	source TEXT NOT NULL,
	id     TEXT NOT NULL,
	PRIMARY KEY (key, source, id)
) WITHOUT ROWID;

-- What changed. AUTOINCREMENT: a number is never used again, although the oldest
-- entries are deleted and, one day, all of them.
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
