package event_test

import (
	_ "github.com/mattn/go-sqlite3" // want third-party

	_ "rapport/internal/engine" // want core-imports
)
