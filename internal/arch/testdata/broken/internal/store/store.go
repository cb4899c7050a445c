// Package store is a port that leans on others.
package store

import (
	_ "rapport/internal/engine"       // want port
	_ "rapport/internal/eventlog"     // want port
	_ "rapport/internal/store/sqlite" // want port

	_ "github.com/mattn/go-sqlite3" // want third-party
)
