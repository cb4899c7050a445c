package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/core/identity"
)

// Forget implements [warehouse.Warehouse].
func (d *DB) Forget(ctx context.Context, profiles ...identity.ID) error {
	if len(profiles) == 0 {
		return nil
	}
	return d.renew(ctx, func(c conn) error {
		if err := c.exec(ctx, "CREATE TEMP TABLE gone (profile UUID)"); err != nil {
			return err
		}
		gone := make([]identity.ID, len(profiles))
		copy(gone, profiles)
		if err := fill(c, "gone", gone, func(p *identity.ID) []driver.Value { return []driver.Value{id(*p)} }); err != nil {
			return err
		}
		for _, t := range tables {
			copying := "INSERT INTO " + t.name + " SELECT * FROM old." + t.name
			switch {
			case t.name == "raw_joins":
				copying += " WHERE strand NOT IN (SELECT profile FROM gone) AND profile NOT IN (SELECT profile FROM gone)"
			case t.person != "":
				copying += " WHERE " + t.person + " NOT IN (SELECT profile FROM gone)"
			}
			if err := c.exec(ctx, copying); err != nil {
				return err
			}
		}
		return nil
	}, true)
}

// Clear implements [warehouse.Warehouse].
func (d *DB) Clear(ctx context.Context) error {
	return d.renew(ctx, func(conn) error { return nil }, false)
}

// renew writes the next generation, which fill fills, and makes it the present one.
// With old the present one is attached for it, under that name.
func (d *DB) renew(ctx context.Context, fill func(c conn) error, old bool) error {
	d.load.Lock()
	defer d.load.Unlock()
	in, err := d.use()
	if err != nil {
		return err
	}
	next := in.generation + 1
	err = d.write(ctx, in, next, fill, old)
	in.release()
	if err != nil {
		return err
	}
	fresh, err := d.open(ctx, next)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.now = fresh
	d.mu.Unlock()
	if err := d.readPositions(ctx); err != nil {
		return err
	}
	// From here on nobody sees the old one but who is reading it. Its file loses its
	// name at once, and its bytes when the last of them has gone.
	err = errors.Join(remove(in.path), remove(in.path+walEnd))
	return errors.Join(err, syncDir(d.o.Dir), in.retire(ctx))
}

// write makes the file of a generation, durable and under its name.
func (d *DB) write(ctx context.Context, in *instance, next int, fill func(c conn) error, old bool) (err error) {
	path := filepath.Join(d.o.Dir, fileOf(next))
	tmp := path + newEnd
	if err := errors.Join(remove(tmp), remove(tmp+walEnd)); err != nil {
		return err
	}
	if old {
		// What is in the journal must be in the file, which is read as it is. Nobody
		// opens it elsewhere meanwhile, and who has opened it goes first.
		if err := in.hold(ctx); err != nil {
			return err
		}
		defer in.loud()
		if alone := in.lonely(); alone != nil {
			select {
			case <-alone:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		c, err := connect(ctx, in.connector)
		if err != nil {
			return err
		}
		if err := errors.Join(c.exec(ctx, "FORCE CHECKPOINT"), c.Close()); err != nil {
			return err
		}
	}
	// Two openings of one file do not go together in one instance, nor in two that
	// were opened by name: this one has no file of its own.
	connector, err := duckdb.NewConnector("?"+d.config(d.o.MemoryMB/2), nil)
	if err != nil {
		return translate(err, "beginning a new file of the warehouse")
	}
	defer func() {
		if err = errors.Join(err, connector.Close()); err != nil {
			err = errors.Join(err, remove(tmp), remove(tmp+walEnd))
			return
		}
		err = place(tmp, path)
	}()
	c, err := connect(ctx, connector)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.exec(ctx, "ATTACH '"+escape(tmp)+"' AS fresh", "USE fresh"); err != nil {
		return err
	}
	if err := build(ctx, c); err != nil {
		return err
	}
	if old {
		if err := c.exec(ctx, "ATTACH '"+escape(in.path)+"' AS old (READ_ONLY)"); err != nil {
			return err
		}
	}
	if err := fill(c); err != nil {
		return err
	}
	return c.exec(ctx, "CHECKPOINT fresh", "USE memory", "DETACH fresh")
}

// place gives a finished file its name.
func place(tmp, path string) error {
	f, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// escape makes a text the inside of a literal of SQL.
func escape(s string) string { return strings.ReplaceAll(s, "'", "''") }
