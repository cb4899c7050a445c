package imports

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rapport/internal/core/identity"
	"rapport/internal/durable"
	"rapport/internal/sources/table"
)

// Forget takes the rows of people who were erased out of what was refused, and deletes
// files that wait: their rows would be refused, but their text would lie there for a day.
func (d *Desk) Forget(gone func(identity.Identifier) bool) error {
	list, err := d.List()
	if err != nil {
		return err
	}
	var errs []error
	for i := range list {
		errs = append(errs, d.Discard(list[i].ID))
	}
	files, err := os.ReadDir(d.book.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errs...)
	}
	errs = append(errs, err)
	for _, f := range files {
		switch path := filepath.Join(d.book.dir, f.Name()); {
		case strings.HasSuffix(f.Name(), ".errors"):
			errs = append(errs, prune(path, gone))
		case strings.Contains(f.Name(), durable.Unfinished): // what a process that died has left of one
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

// prune writes a file of refused rows anew without those that speak of somebody.
func prune(path string, gone func(identity.Identifier) bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	t, err := table.OpenTable(f, ',', table.UTF8)
	if err != nil {
		return errors.Join(f.Close(), os.Remove(path)) // it cannot be told what is in it
	}
	var kept strings.Builder
	row := func(fields [][]byte) {
		for i, b := range fields {
			if i > 0 {
				kept.WriteByte(',')
			}
			kept.WriteString(`"` + strings.ReplaceAll(string(b), `"`, `""`) + `"`)
		}
		kept.WriteByte('\n')
	}
	head := make([][]byte, len(t.Header))
	for i, h := range t.Header {
		head[i] = []byte(h)
	}
	row(head)
	dropped := false
	for {
		rec, err := t.Rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(f.Close(), os.Remove(path))
		}
		if rec.Why != "" || speaks(rec.Fields, gone) {
			dropped = true
			continue
		}
		row(rec.Fields)
	}
	if err := f.Close(); err != nil || !dropped {
		return err
	}
	return durable.Write(path, []byte(kept.String()))
}

// speaks reports whether a row names somebody.
func speaks(fields [][]byte, gone func(identity.Identifier) bool) bool {
	for _, b := range fields {
		for _, kind := range []identity.Kind{identity.User, identity.Email, identity.Phone, identity.Loyalty, identity.Anonymous} {
			if id, ok := identity.Normal(kind, strings.TrimPrefix(string(b), "'")); ok && gone(id) {
				return true
			}
		}
	}
	return false
}
