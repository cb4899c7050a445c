-- Who enters and leaves a segment is written down first, in the order of commits,
-- and brought into members later, a segment at a time. Members lie anywhere in their
-- table: each of ten thousand changes of a commit would cost a page of its own.
-- body holds the changes, 17 bytes each: the profile, and 1 for in or 0 for out.
CREATE TABLE member_changes (
	segment INTEGER NOT NULL,
	number  INTEGER NOT NULL,
	body    BLOB NOT NULL,
	PRIMARY KEY (segment, number)
) WITHOUT ROWID;

-- Since when somebody is a member stands in the hot row.
CREATE TABLE members_now (
	segment INTEGER NOT NULL,
	profile BLOB NOT NULL,
	PRIMARY KEY (segment, profile)
) WITHOUT ROWID;
INSERT INTO members_now (segment, profile) SELECT segment, profile FROM members ORDER BY segment, profile;
DROP TABLE members;
ALTER TABLE members_now RENAME TO members;
