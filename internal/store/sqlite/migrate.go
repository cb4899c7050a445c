package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

//go:embed sql/state/*.sql sql/ledger/*.sql sql/catalogue/*.sql sql/interests/*.sql
var migrationFiles embed.FS

// Folders of the migrations of each file.
const (
	stateMigrations  = "sql/state"
	ledgerMigrations = "sql/ledger"
)

// migration is one numbered step of a schema.
type migration struct {
	number int
	name   string
	sum    string // SHA-256 of sql in hex
	sql    string
}

// migrations reads the steps of a folder: files named 0001_what.sql, without gaps.
func migrations(folder string) ([]migration, error) {
	names, err := fs.Glob(migrationFiles, folder+"/[0-9]*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	steps := make([]migration, len(names))
	for i, name := range names {
		body, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		steps[i] = migration{i + 1, path.Base(name), hex.EncodeToString(sum[:]), string(body)}
		if !strings.HasPrefix(steps[i].name, fmt.Sprintf("%04d_", i+1)) {
			return nil, fault.New(fault.Internal, "migration "+name+" is out of order")
		}
	}
	return steps, nil
}

// migrate brings the schema of c up to the last step of the folder, forward
// only, each step in a transaction of its own. A step that was run and reads
// differently today is Corrupt; a step that this program does not know is
// Invalid, because a newer program has been here.
func migrate(ctx context.Context, c *conn, folder string) error {
	steps, err := migrations(folder)
	if err != nil {
		return err
	}
	const table = `CREATE TABLE IF NOT EXISTS migrations (
	number   INTEGER PRIMARY KEY,
	name     TEXT NOT NULL,
	checksum TEXT NOT NULL
)`
	if err := c.exec(table); err != nil {
		return err
	}
	run := 0
	err = c.query(ctx, 3, func(row []driver.Value) error {
		number, name, sum := int(row[0].(int64)), row[1].(string), row[2].(string)
		run++
		switch {
		case number > len(steps):
			return fault.New(fault.Invalid, "a newer version of the program wrote this data (step "+strconv.Itoa(number)+", "+name+"): use that version")
		case number != run || sum != steps[number-1].sum:
			return fault.New(fault.Corrupt, "step "+strconv.Itoa(number)+" of the schema is not the one that this program knows: use the version that wrote this data")
		}
		return nil
	}, "SELECT number, name, checksum FROM migrations ORDER BY number")
	if err != nil {
		return err
	}
	for _, step := range steps[run:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step.run(c); err != nil {
			return fmt.Errorf("running migration %s: %w", step.name, err)
		}
	}
	return nil
}

// run runs one step and notes it. An error leaves the transaction open; the
// caller closes the connection, which takes it back.
func (m migration) run(c *conn) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if _, err := c.db.ExecContext(context.Background(), m.sql, nil); err != nil {
		return trouble(err)
	}
	if err := c.exec("INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)", m.number, m.name, m.sum); err != nil {
		return err
	}
	return c.exec("COMMIT")
}
