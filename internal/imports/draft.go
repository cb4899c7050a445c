package imports

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// OrdersKind is the kind of a file of orders; the others are those of [people].
const OrdersKind = "orders"

// Kinds are what an uploaded file can be about, in the order in which a shop should
// bring them: who must not be written to comes first.
var Kinds = []string{string(people.Suppressions), string(people.Consents), string(people.Customers), OrdersKind, string(people.Events)}

// How says how an uploaded file is to be read. The zero value of a field has it found out.
type How struct {
	Kind      string            `json:"kind"`
	Source    string            `json:"source,omitempty"`
	Map       map[string]string `json:"map,omitempty"`
	From      string            `json:"from,omitempty"`
	Zone      string            `json:"zone,omitempty"`
	Dates     string            `json:"dates,omitempty"`
	Delimiter string            `json:"delimiter,omitempty"`
	Encoding  string            `json:"encoding,omitempty"`
	Currency  string            `json:"currency,omitempty"`
	Decimal   string            `json:"decimal,omitempty"`
	Returns   string            `json:"returns,omitempty"`
	AsOf      string            `json:"as_of,omitempty"`
	Channel   string            `json:"channel,omitempty"`
	Purpose   string            `json:"purpose,omitempty"`
	Granted   bool              `json:"granted,omitempty"`
	List      string            `json:"list,omitempty"`
	Reason    string            `json:"reason,omitempty"`
}

// Draft is a file that was uploaded and is not imported yet.
type Draft struct {
	ID    string     `json:"id"`
	File  string     `json:"file"`
	Bytes int64      `json:"bytes"`
	By    string     `json:"by"`
	At    event.Time `json:"-"`
	AtMS  int64      `json:"at_ms"`
	How   How        `json:"how"`
	// Check is what the last dry run of this very How found; nil: there was none.
	Check *Outcome `json:"-"`
}

// Outcome is how far a run over a file is, and what it found.
type Outcome struct {
	Running  bool            `json:"running"`
	Rows     int64           `json:"rows"`
	Refused  int64           `json:"refused"`
	Totals   json.RawMessage `json:"totals,omitempty"`
	Problems []RowProblem    `json:"problems,omitempty"`
	Trouble  string          `json:"trouble,omitempty"`
}

// RowProblem is a row that is not taken.
type RowProblem struct {
	Line   int64  `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

const (
	// MaxUpload is the largest file that can be uploaded, as it comes: a zipped export of
	// some millions of orders.
	MaxUpload = 2 << 30
	// maxDrafts bounds how many files wait at once, so that nobody fills the disk.
	maxDrafts = 20
	// draftFor is how long a file that nobody imports is kept: it is full of addresses.
	draftFor = 24 * time.Hour
	// errorsFor is how long refused rows are kept.
	errorsFor = 30 * 24 * time.Hour
	// firstProblems is how many refused rows a dry run names.
	firstProblems = 50
)

func (d *Desk) drafts() string { return filepath.Join(d.book.dir, "drafts") }

func (d *Desk) draftPath(id, ending string) string { return filepath.Join(d.drafts(), id+ending) }

// Upload keeps a file until it is imported or forgotten. It is TooLarge if the file has
// more than [MaxUpload] bytes, and what came until then is deleted.
func (d *Desk) Upload(r io.Reader, file string, how How, by string) (Draft, error) {
	if err := how.check(); err != nil {
		return Draft{}, err
	}
	d.sweep()
	if err := os.MkdirAll(d.drafts(), 0o700); err != nil {
		return Draft{}, fault.Wrap(fault.Unavailable, err, "the file cannot be kept")
	}
	var chance [8]byte
	if _, err := rand.Read(chance[:]); err != nil {
		return Draft{}, err
	}
	v := Draft{ID: "file-" + hex.EncodeToString(chance[:]), File: nameOf(file), By: by, AtMS: int64(d.book.now()), How: how}
	if err := d.admit(v.ID); err != nil {
		return Draft{}, err
	}
	defer d.came(v.ID)
	f, err := os.OpenFile(d.draftPath(v.ID, ".file"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return Draft{}, fault.Wrap(fault.Unavailable, err, "the file cannot be kept")
	}
	v.Bytes, err = io.Copy(f, io.LimitReader(r, MaxUpload+1))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		err = fault.Wrap(fault.Unavailable, err, "the file did not arrive whole")
	}
	switch {
	case err != nil:
	case v.Bytes > MaxUpload:
		err = fault.New(fault.TooLarge, "the file is larger than 2 GB: zip it, or import it in parts")
	case v.Bytes == 0:
		err = fault.New(fault.Invalid, "the file is empty")
	default:
		err = d.saveDraft(&v)
	}
	if err != nil {
		return Draft{}, errors.Join(err, os.Remove(d.draftPath(v.ID, ".file")))
	}
	return d.Draft(v.ID)
}

// nameOf is the name of a file without its folders, of Unix and of Windows, and without
// what a terminal or a page would not show as a letter. It is "" if there is none.
func nameOf(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, name))
	if name == "." || name == ".." {
		return ""
	}
	return table.Clip(name, 120)
}

func (d *Desk) saveDraft(v *Draft) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err // unreachable: texts and numbers only
	}
	if err := writeDurably(d.draftPath(v.ID, ".draft"), append(b, '\n')); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file cannot be kept")
	}
	return nil
}

// Draft returns an uploaded file, or a fault of kind NotFound.
func (d *Desk) Draft(id string) (v Draft, err error) {
	if id != filepath.Base(id) || strings.ContainsAny(id, `/\`) {
		return v, errNoDraft
	}
	b, err := os.ReadFile(d.draftPath(id, ".draft"))
	if errors.Is(err, fs.ErrNotExist) {
		return v, errNoDraft
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return v, fault.Wrap(fault.Corrupt, err, "what is known of the uploaded file cannot be read")
	}
	v.At = event.Time(v.AtMS)
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.checks[id]; c != nil {
		v.Check = c.copied()
	}
	return v, nil
}

var errNoDraft = fault.New(fault.NotFound, "there is no such file: it was imported, discarded, or forgotten after a day")

// List returns the files that wait, the newest first.
func (d *Desk) List() ([]Draft, error) {
	files, err := os.ReadDir(d.drafts())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the uploaded files cannot be listed")
	}
	var list []Draft
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".draft"); ok {
			if v, err := d.Draft(id); err == nil {
				list = append(list, v)
			}
		}
	}
	slices.SortFunc(list, func(a, b Draft) int { return int(min(max(b.AtMS-a.AtMS, -1), 1)) })
	return list, nil
}

// Change says how a file is to be read. What a dry run found before is forgotten.
func (d *Desk) Change(id string, how How) (Draft, error) {
	if err := how.check(); err != nil {
		return Draft{}, err
	}
	d.moving.Lock()
	defer d.moving.Unlock()
	v, err := d.Draft(id)
	if err != nil {
		return v, err
	}
	d.stopCheck(id)
	v.How, v.Check = how, nil
	return v, d.saveDraft(&v)
}

// Discard deletes an uploaded file.
func (d *Desk) Discard(id string) error {
	d.moving.Lock()
	defer d.moving.Unlock()
	return d.discard(id)
}

// discard does it for who holds moving.
func (d *Desk) discard(id string) error {
	if _, err := d.Draft(id); err != nil {
		return err
	}
	d.stopCheck(id)
	return errors.Join(os.Remove(d.draftPath(id, ".draft")), os.Remove(d.draftPath(id, ".file")))
}

// sweep deletes files that nobody imported, what a process that ended left of files
// that had not come whole, and refused rows that are old.
func (d *Desk) sweep() {
	d.moving.Lock()
	defer d.moving.Unlock()
	now := d.book.now()
	list, _ := d.List() // what cannot be listed now is swept another time
	for i := range list {
		if now.Sub(list[i].At) > draftFor {
			_ = d.discard(list[i].ID) // as above
		}
	}
	files, _ := os.ReadDir(d.drafts()) // as above
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".file"); ok && d.left(id) {
			_ = os.Remove(d.draftPath(id, ".file")) // as above
		}
	}
	entries, _ := d.book.List() // as above
	for i := range entries {
		if entries[i].State != Running && now.Sub(event.Time(entries[i].BeganAt)) > errorsFor {
			_ = os.Remove(d.book.path(entries[i].ID, ".errors")) // as above
		}
	}
}

// left reports whether nobody waits for a file: it has no draft, and is not coming.
func (d *Desk) left(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.coming[id] { // its draft is written before it leaves these
		return false
	}
	_, err := os.Stat(d.draftPath(id, ".draft"))
	return errors.Is(err, fs.ErrNotExist)
}

// admit lets a file come, if not too many wait or come already.
func (d *Desk) admit(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	files, err := os.ReadDir(d.drafts())
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the uploaded files cannot be listed")
	}
	n := len(d.coming)
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".draft"); ok && !d.coming[id] {
			n++
		}
	}
	if n >= maxDrafts {
		return fault.New(fault.Conflict, "too many files wait to be imported: import or discard some of them first")
	}
	d.coming[id] = true
	return nil
}

func (d *Desk) came(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.coming, id)
}

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

func (h *How) check() error {
	bad := func(why string) error { return fault.New(fault.Invalid, why) }
	if !slices.Contains(Kinds, h.Kind) {
		return bad("a file holds " + strings.Join(Kinds, ", "))
	}
	if h.Zone != "" {
		if _, err := time.LoadLocation(h.Zone); err != nil {
			return bad(h.Zone + " is no time zone such as Europe/London")
		}
	}
	if h.Delimiter != "" && h.Delimiter != "tab" && len(h.Delimiter) != 1 {
		return bad("what stands between columns is one character, or tab")
	}
	if h.Decimal != "" && h.Decimal != "." && h.Decimal != "," {
		return bad("decimals are written with . or ,")
	}
	switch table.DateOrder(h.Dates) {
	case table.AnyOrder, table.DayFirst, table.MonthFirst:
	default:
		return bad("dates are dmy or mdy")
	}
	switch table.Encoding(h.Encoding) {
	case "", table.UTF8, table.Windows1252:
	default:
		return bad("the encoding is " + string(table.UTF8) + " or " + string(table.Windows1252))
	}
	if h.Currency != "" {
		if _, err := money.ParseCurrency(h.Currency); err != nil {
			return err
		}
	}
	if h.AsOf != "" {
		dates := table.Dates{Zone: h.zone()}
		if _, why := dates.Parse([]byte(h.AsOf)); why != "" {
			return bad("the date that rows without one have: " + why)
		}
	}
	if _, err := people.ParseVendor(h.From); err != nil {
		return err
	}
	if h.source() != h.Kind && len(h.source()) > 32 {
		return bad("the name of a source has at most 32 letters")
	}
	return nil
}

func (h *How) zone() *time.Location {
	if z, err := time.LoadLocation(h.Zone); err == nil {
		return z
	}
	return time.UTC
}

func (h *How) delimiter() byte {
	switch h.Delimiter {
	case "":
		return 0
	case "tab":
		return '\t'
	}
	return h.Delimiter[0]
}

func (h *How) source() string {
	if h.Source == "" {
		return h.Kind
	}
	return h.Source
}

// orders are the options of a file of orders. What found out the reading, the dates,
// is found out again from the same bytes.
func (h *How) orders() csv.Options {
	o := csv.Options{
		Source: h.source(), Map: h.Map, Zone: h.zone(), Dates: table.DateOrder(h.Dates), Delimiter: h.delimiter(), Encoding: table.Encoding(h.Encoding), ReturnsPrefix: h.Returns,
	}
	if h.Currency != "" {
		o.Currency, _ = money.ParseCurrency(h.Currency) // checked
	}
	if h.Decimal != "" {
		o.Decimal = h.Decimal[0]
	}
	return o
}

// people are the options of any other file.
func (h *How) people() people.Options {
	o := people.Options{
		Kind: people.Kind(h.Kind), From: people.Vendor(h.From), Source: h.source(), Map: h.Map, Zone: h.zone(), Dates: table.DateOrder(h.Dates), Delimiter: h.delimiter(),
		Encoding: table.Encoding(h.Encoding), Channel: h.Channel, Purpose: h.Purpose, Granted: h.Granted, List: h.List, Import: "dry-run",
		Reason: map[string]string{"bounced": store.Bounced, "complained": store.Complained, "manual": store.Manual}[h.Reason],
	}
	if h.AsOf != "" {
		dates := table.Dates{Zone: h.zone()}
		if at, why := dates.Parse([]byte(h.AsOf)); why == "" {
			o.AsOf = event.At(at)
		}
	}
	return o
}

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
		if strings.HasSuffix(f.Name(), ".errors") {
			errs = append(errs, prune(filepath.Join(d.book.dir, f.Name()), gone))
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
	return writeDurably(path, []byte(kept.String()))
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
