-- What seldom changes of a profile, apart from what almost every event changes: a
-- commit writes a row of profiles for everybody who did something, and a row here
-- for the few who bought, agreed or entered a journey. number is that of the row in
-- profiles. Rows that were written before have everything in profiles.body, until
-- they are written next.
CREATE TABLE rests (
	number INTEGER PRIMARY KEY,
	body   BLOB NOT NULL
);
