// Package sqlite keeps the port's promise.
package sqlite

import (
	_ "github.com/mattn/go-sqlite3"

	_ "rapport/internal/core/profile"
	_ "rapport/internal/fault"
	_ "rapport/internal/killpoint"
	_ "rapport/internal/store"
	_ "rapport/internal/store/sqlite/sql"
)
