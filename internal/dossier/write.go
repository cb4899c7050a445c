package dossier

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Document is the name of the JSON file.
const Document = "person.json"

// Write writes a dossier into a folder that it makes: person.json, a CSV file for
// each table, and README.txt. Files are the owner's alone to read. A folder that
// is there already is a Conflict: what lies in it may be another person's.
func Write(dir string, tables []Table) (err error) {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, dir+" is there already: name a folder that is not")
	} else if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder cannot be made: "+err.Error())
	}
	document, err := JSON(tables)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, Document), document, 0o600); err != nil {
		return err
	}
	var readme strings.Builder
	readme.WriteString("Everything that is held about one person. " + Document + " holds all of it; each table also stands in a CSV file.\n" +
		"Times are UTC. An apostrophe before a cell that begins like a formula is not part of it.\n\n")
	for i := range tables {
		t := &tables[i]
		fmt.Fprintf(&readme, "%s.csv, %d rows. %s\n  columns: %s\n\n", t.Name, len(t.Rows), t.About, strings.Join(t.Columns, ", "))
		if err := t.write(filepath.Join(dir, t.Name+".csv")); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "README.txt"), []byte(readme.String()), 0o600)
}

// JSON returns a dossier as one document: an object of tables, each a list of
// objects.
func JSON(tables []Table) ([]byte, error) {
	b := []byte("{")
	for i := range tables {
		t := &tables[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendQuoted(append(b, '\n'), t.Name), ":["...)
		for n, row := range t.Rows {
			if n > 0 {
				b = append(b, ',')
			}
			b = append(b, "\n{"...)
			for c, v := range row {
				if c > 0 {
					b = append(b, ',')
				}
				b = append(event.AppendQuoted(b, t.Columns[c]), ':')
				cell, err := json.Marshal(v)
				if err != nil {
					return nil, fmt.Errorf("writing %s: %w", t.Columns[c], err)
				}
				b = append(b, cell...)
			}
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, "\n}\n"...), nil
}

func (t *Table) write(path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := csv.NewWriter(f)
	if err := w.Write(t.Columns); err != nil {
		return err
	}
	cells := make([]string, len(t.Columns))
	for _, row := range t.Rows {
		for i, v := range row {
			if cells[i], err = text(v); err != nil {
				return err
			}
			cells[i] = Plain(cells[i])
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// Plain returns a cell that no spreadsheet takes for a formula: one that begins
// like a formula gets an apostrophe before it, which spreadsheets take for "what
// follows is text".
func Plain(cell string) string {
	if cell == "" {
		return cell
	}
	switch cell[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + cell
	}
	// Full-width forms are folded to the plain ones by some.
	for _, sign := range []string{"＝", "＋", "－", "＠"} {
		if strings.HasPrefix(cell, sign) {
			return "'" + cell
		}
	}
	return cell
}

// text returns a value as a cell.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case event.Time:
		return v.String(), nil
	case event.Value:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []identity.ID:
		words := make([]string, len(v))
		for i := range v {
			words[i] = v[i].String()
		}
		return strings.Join(words, " "), nil
	case event.Object:
		if v == "" {
			return "", nil
		}
		return string(v.AppendJSON(nil)), nil
	case json.RawMessage:
		return string(v), nil
	case fmt.Stringer:
		return v.String(), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case int, int32, int64:
		return fmt.Sprint(v), nil
	}
	return "", fault.New(fault.Internal, fmt.Sprintf("a cell of an unknown type %T", v))
}
