-- The runs of campaigns as each lane knows them: what was ordered, and how far
-- the walk has come.
CREATE TABLE campaign_runs (
	number   INTEGER PRIMARY KEY,
	lane     INTEGER NOT NULL,
	campaign TEXT NOT NULL,
	name     TEXT NOT NULL,
	body     BLOB NOT NULL
);
CREATE UNIQUE INDEX campaign_runs_name ON campaign_runs (lane, campaign, name);
