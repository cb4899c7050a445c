package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
)

// Reading is how a file is understood.
type Reading struct {
	Format   string          `json:"format"`
	Encoding string          `json:"encoding"`
	From     string          `json:"from,omitempty"`
	Dates    string          `json:"dates,omitempty"`
	Columns  []ReadColumn    `json:"columns"`
	Rows     [][]string      `json:"rows"`
	Fields   []string        `json:"fields"`
	Trouble  string          `json:"trouble,omitempty"`
	delim    byte            `json:"-"`
	order    table.DateOrder `json:"-"`
}

// ReadColumn is how one column is understood.
type ReadColumn struct {
	Name  string `json:"name"`
	Field string `json:"field,omitempty"`
	Type  string `json:"type,omitempty"`
	Read  string `json:"read,omitempty"`
}

// shownRows is how many rows a reading shows, and dateRows how many are looked at to
// tell days from months.
const (
	shownRows = 20
	dateRows  = 5000
)

// Read says how a file is understood. What is wrong with the file as a whole, or is
// still to be said, is the reading's trouble and no error.
func (d *Desk) Read(v *Draft) (Reading, error) {
	f, err := os.Open(d.draftPath(v.ID, ".file"))
	if err != nil {
		return Reading{}, errNoDraft
	}
	defer f.Close()
	return v.How.read(f)
}

func (h *How) read(f io.ReadSeeker) (r Reading, err error) {
	trouble := func(err error) (Reading, error) {
		kind, why := fault.Of(err)
		if kind != fault.Invalid && kind != fault.TooLarge {
			return r, err
		}
		r.Trouble = plainly(why)
		return r, nil
	}
	r = Reading{Columns: []ReadColumn{}, Rows: [][]string{}, Fields: h.fields()}
	t, err := table.OpenTable(f, h.delimiter(), table.Encoding(h.Encoding))
	if err != nil {
		return trouble(err)
	}
	r.Format, r.Encoding, r.delim = t.Format, string(t.Encoding), t.Delimiter()
	field, from := h.guess(t)
	r.From = string(from)
	var dates [][]byte
	values := make([][]string, len(t.Header))
	n := 0
	t.Begin(dateRows, func(fields [][]byte) bool {
		if n < shownRows {
			row := make([]string, len(fields))
			for i, b := range fields {
				if text, why := table.Text(b, t.Encoding); why == "" {
					row[i] = table.Clip(string(text), 120)
				}
				if row[i] != "" {
					values[i] = append(values[i], row[i])
				}
			}
			r.Rows = append(r.Rows, row)
		}
		for i, b := range fields {
			if dated[field[i]] && len(b) > 0 {
				dates = append(dates, b)
			}
		}
		n++
		return n < dateRows
	})
	r.order = table.DateOrder(h.Dates)
	if r.order == table.AnyOrder {
		r.order, err = table.OrderOf(dates)
	}
	reader := table.Dates{Zone: h.zone(), Order: r.order}
	for i, name := range t.Header {
		c := ReadColumn{Name: name, Field: field[i], Type: people.Guess(values[i], &reader)}
		if c.Type == "date" || dated[field[i]] && len(values[i]) > 0 {
			if at, why := reader.Parse([]byte(values[i][0])); why == "" {
				c.Read, c.Type = event.At(at).String(), "date" // a wrong one among them is refused, and no more
			}
		}
		r.Columns = append(r.Columns, c)
	}
	r.Dates = string(r.order)
	if err != nil {
		return trouble(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return r, fault.Wrap(fault.Unavailable, err, "the file cannot be read")
	}
	// The importer itself has the last word: it stops before the first row.
	_, err = h.dryRun(f, func(json.RawMessage, int64, int64) error { return nil }, nil, true)
	if errors.Is(err, errShown) {
		return r, nil
	}
	return trouble(err)
}

// errShown ends a dry run as soon as it is clear how the file is understood.
var errShown = fault.New(fault.Conflict, "seen enough")

// dated are the fields that hold a date.
var dated = map[string]bool{"date": true, people.Created: true, people.Updated: true, people.Birthday: true, people.Opened: true, people.Clicked: true, people.Began: true}

// guess says what each column holds.
func (h *How) guess(t *table.Table) ([]string, people.Vendor) {
	if h.Kind == OrdersKind {
		return csv.Guess(t.Header, h.Map), ""
	}
	return people.GuessColumns(t, people.Kind(h.Kind), people.Vendor(h.From), h.Map)
}

func (h *How) fields() []string {
	if h.Kind == OrdersKind {
		return csv.Fields()
	}
	return people.Fields(people.Kind(h.Kind))
}

// plainly takes out of a sentence what only the command line has.
func plainly(why string) string {
	for _, cut := range []string{". Say it with --map COLUMN=FIELD", ", or with --granted that everybody in the file agreed", ": say --dates dmy or --dates mdy", "Say it with --map COLUMN=state"} {
		why = strings.Replace(why, cut, "", 1)
	}
	return why
}
