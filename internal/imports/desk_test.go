package imports_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/durable"
	"rapport/internal/fault"
	"rapport/internal/imports"
	"rapport/internal/store/memory"
)

// counter is a node that keeps what it hears.
type counter struct {
	mu     sync.Mutex
	heard  []event.Event
	block  chan struct{} // nil: nothing holds it up
	undone string
}

func (s *counter) Hear(ctx context.Context, events []event.Event) error {
	if s.block != nil {
		select {
		case <-s.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, events...)
	return nil
}

func (s *counter) different() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[event.ID]bool{}
	for i := range s.heard {
		ids[s.heard[i].ID] = true
	}
	return len(ids)
}

func (s *counter) Home(*event.Event) (identity.ID, bool) { return identity.ID{1}, true }
func (s *counter) Find(context.Context, identity.Identifier) (*profile.Profile, error) {
	return nil, nil
}
func (s *counter) Erased(*event.Event) bool            { return false }
func (s *counter) Subject(string, string) (b [16]byte) { return b }
func (s *counter) UndoImport(_ context.Context, id, _ string, _ []identity.ID) error {
	s.undone = id
	return nil
}

func deskOf(t *testing.T, dir string, s *counter) (*imports.Desk, *imports.Book) {
	t.Helper()
	book := imports.Open(dir, func() event.Time { return event.At(time.Now()) })
	d := imports.NewDesk(book, s, memory.NewLedger(), nil)
	t.Cleanup(func() { _ = d.Close() })
	return d, book
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never " + what)
		}
	}
}

const orders = "InvoiceNo,InvoiceDate,StockCode,Quantity,UnitPrice,Customer\n" +
	"1,2026-03-01,LAMP,1,20.00,ada@people.example\n" +
	"2,2026-13-99,MUG,2,5.00,bob@people.example\n" +
	"3,2026-03-02,MUG,2,5.00,cyd@people.example\n"

func TestAFileIsReadTriedImportedAndTakenBack(t *testing.T) {
	t.Parallel()
	s := &counter{}
	dir := t.TempDir()
	d, book := deskOf(t, dir, s)
	v, err := d.Upload(strings.NewReader(orders), "../orders.csv", imports.How{Kind: "orders"}, "Ada")
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Read(&v)
	if err != nil || r.Trouble != "" {
		t.Fatalf("read: %v, %q", err, r.Trouble)
	}
	if v.File != "orders.csv" || len(r.Rows) != 3 || r.Columns[0].Field != "order" || r.Columns[1].Field != "date" || r.Columns[5].Type != "address" || r.Columns[3].Type != "number" {
		t.Errorf("it is read as %+v", r)
	}
	if v, err = d.Change(v.ID, imports.How{Kind: "orders", Map: map[string]string{"Customer": "email"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Check(v.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "tried", func() bool { v, err = d.Draft(v.ID); return err == nil && v.Check != nil && !v.Check.Running })
	if c := v.Check; c.Rows != 3 || c.Refused != 1 || len(c.Problems) != 1 || c.Problems[0].Line != 3 || c.Trouble != "" {
		t.Errorf("tried: %+v", c)
	}
	if len(s.heard) != 0 {
		t.Errorf("a try was heard: %v", s.heard)
	}
	e, err := d.Start(v.ID, "Ada")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "done", func() bool { e, err = book.Entry(e.ID); return err == nil && e.State == imports.Done })
	until(t, "told", func() bool { o := d.Outcome(e.ID); return o != nil && !o.Running })
	if s.different() != 2 || s.heard[0].Origin != event.Import || s.heard[0].Traits.Text("email") != "ada@people.example" && s.heard[0].Props.Text("email") != "ada@people.example" {
		t.Errorf("heard %d: %s", s.different(), s.heard[0].AppendJSON(nil))
	}
	f, err := d.Errors(e.ID)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	_ = f.Close()
	if !strings.Contains(string(text), "3,") || !strings.Contains(string(text), "bob@people.example") || strings.Contains(string(text), "cyd@") {
		t.Errorf("the errors are\n%s", text)
	}
	half := filepath.Join(dir, "imports", e.ID+".errors"+durable.Unfinished+"7")
	if err := os.WriteFile(half, []byte("email\nbob@people.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Forget(func(id identity.Identifier) bool { return id.Value == "bob@people.example" }); err != nil {
		t.Fatal(err)
	}
	f, err = d.Errors(e.ID)
	if err != nil {
		t.Fatal(err)
	}
	text, _ = io.ReadAll(f)
	_ = f.Close()
	if strings.Contains(string(text), "bob") {
		t.Errorf("who was erased is still among the errors:\n%s", text)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a process that died has left is still there: %v", err)
	}
	if _, err := d.Draft(v.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("the draft is still there: %v", err)
	}
	if e, err = d.Undo(t.Context(), e.ID, "Ada", false); err != nil || e.State != imports.Undone || s.undone != e.ID {
		t.Errorf("undone: %v %+v", err, e)
	}
}

func TestAnImportGoesOnAfterTheProcessEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var file strings.Builder
	file.WriteString("email,first_name\n")
	const rows = 9000
	for i := range rows {
		file.WriteString("p" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String() + "@people.example,Ada\n")
	}
	s := &counter{block: make(chan struct{})}
	d, book := deskOf(t, dir, s)
	v, err := d.Upload(strings.NewReader(file.String()), "people.csv", imports.How{Kind: "customers"}, "Ada")
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Start(v.ID, "Ada")
	if err != nil {
		t.Fatal(err)
	}
	s.block <- struct{}{} // the first batch gets through
	until(t, "a batch", func() bool { return s.different() > 0 })
	if _, err := d.Undo(t.Context(), e.ID, "Ada", false); !fault.Is(err, fault.Conflict) {
		t.Errorf("undone while it is under way: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = book.Entry(e.ID); err != nil || e.State != imports.Running {
		t.Fatalf("cut short it is %v %v", e.State, err)
	}
	next := &counter{heard: s.heard}
	again, book := deskOf(t, dir, next)
	if err := again.GoOn(); err != nil {
		t.Fatal(err)
	}
	until(t, "done", func() bool { e, err = book.Entry(e.ID); return err == nil && e.State == imports.Done })
	if n := next.different(); n != rows {
		t.Errorf("%d of %d people were heard", n, rows)
	}
}

func TestWhatCannotBeReadSaysWhatToDo(t *testing.T) {
	t.Parallel()
	d, _ := deskOf(t, t.TempDir(), &counter{})
	if _, err := d.Upload(strings.NewReader(""), "x", imports.How{Kind: "orders"}, "Ada"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := d.Upload(strings.NewReader("a"), "x", imports.How{Kind: "nonsense"}, "Ada"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a kind that is none: %v", err)
	}
	v, err := d.Upload(strings.NewReader("no,date,price\n1,03/04/2026,2.00\n"), "x.csv", imports.How{Kind: "orders"}, "Ada")
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Read(&v)
	if err != nil || r.Trouble == "" || strings.Contains(r.Trouble, "--") || len(r.Columns) != 3 || len(r.Rows) != 1 {
		t.Errorf("read: %v %+v", err, r)
	}
	if _, err := d.Start(v.ID, "Ada"); !fault.Is(err, fault.Invalid) {
		t.Errorf("started all the same: %v", err)
	}
	if _, err = d.Change(v.ID, imports.How{Kind: "orders", Dates: "dmy", Map: map[string]string{"no": "order"}}); err != nil {
		t.Fatal(err)
	}
	v, _ = d.Draft(v.ID)
	if r, err = d.Read(&v); err != nil || r.Trouble != "" || r.Columns[1].Read != "2026-04-03T00:00:00.000Z" {
		t.Errorf("read: %v %+v", err, r)
	}
	if _, err := d.Draft("../keys"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a path for an id: %v", err)
	}
	if err := d.Discard(v.ID); err != nil {
		t.Error(err)
	}
}

// A button that is pressed twice, or by two people, begins one import: the others are
// told, and leave nothing in the book that would be under way for ever.
func TestAFileThatIsStartedTwiceIsImportedOnce(t *testing.T) {
	t.Parallel()
	s := &counter{}
	d, book := deskOf(t, t.TempDir(), s)
	for range 10 {
		v, err := d.Upload(strings.NewReader("email\nada@people.example\n"), "x.csv", imports.How{Kind: "customers"}, "Ada")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() { _, errs[i] = d.Start(v.ID, "Ada") })
		}
		all.Wait()
		began := 0
		for _, err := range errs {
			if err == nil {
				began++
			} else if !fault.Is(err, fault.NotFound) {
				t.Errorf("the second is told %v", err)
			}
		}
		if began != 1 {
			t.Errorf("%d imports began", began)
		}
	}
	until(t, "done", func() bool {
		list, err := book.List()
		for i := range list {
			if list[i].State == imports.Running {
				return false
			}
		}
		return err == nil && len(list) == 10
	})
}

// A process that ended while a file came leaves half of it, full of addresses, and one
// that ended while an import began leaves an entry without its file.
func TestWhatAProcessLeftOfAFileIsCleanedUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, book := deskOf(t, dir, &counter{})
	half := filepath.Join(dir, "imports", "drafts", "file-0123456789abcdef.file")
	if err := os.MkdirAll(filepath.Dir(half), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half, []byte("email\nada@people.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	begun := filepath.Join(dir, "imports", "orders-20260301-100000-00000001")
	if err := os.WriteFile(begun+".json", []byte(`{"id":"orders-20260301-100000-00000001","kind":"orders","state":"running"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(begun+".how", []byte(`{"kind":"orders"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.GoOn(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("the half of a file is still there: %v", err)
	}
	if e, err := book.Entry(filepath.Base(begun)); err != nil || e.State != imports.Failed {
		t.Errorf("the import without a file is %v %v", e.State, err)
	}
}

// Files that are still coming count too, or many at once would fill the disk.
func TestFilesThatAreComingCountAsWaiting(t *testing.T) {
	t.Parallel()
	d, _ := deskOf(t, t.TempDir(), &counter{})
	var all sync.WaitGroup
	var ends []io.Closer
	for range 20 {
		r, w := io.Pipe()
		ends = append(ends, w)
		all.Go(func() {
			_, _ = d.Upload(r, "slow.csv", imports.How{Kind: "customers"}, "Ada") // their end is no matter here
		})
		if _, err := w.Write([]byte("x")); err != nil { // it has begun
			t.Fatal(err)
		}
	}
	if _, err := d.Upload(strings.NewReader("email\nada@people.example\n"), "x.csv", imports.How{Kind: "customers"}, "Ada"); !fault.Is(err, fault.Conflict) {
		t.Errorf("one more: %v", err)
	}
	for _, w := range ends {
		_ = w.Close()
	}
	all.Wait()
}

func TestTheNameOfAFileIsFitToBeShown(t *testing.T) {
	t.Parallel()
	d, _ := deskOf(t, t.TempDir(), &counter{})
	for name, want := range map[string]string{"": "", "..": "", "/": "", "a/b.csv": "b.csv", `C:\exports\b.csv`: "b.csv", "b\x1b[2J\r\n.csv": "b[2J.csv", "\u202egnp.csv": "gnp.csv"} {
		v, err := d.Upload(strings.NewReader("email\nada@people.example\n"), name, imports.How{Kind: "customers"}, "Ada")
		if err != nil || v.File != want {
			t.Errorf("%q became %q, %v", name, v.File, err)
		}
	}
}
