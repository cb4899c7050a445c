package imports

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"

	"rapport/internal/durable"
	"rapport/internal/fault"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// Desk imports files that were uploaded, with the importer that the command has. One
// file is imported at a time, the others wait; an import that the end of the process
// cut short goes on when the next one begins.
type Desk struct {
	book   *Book
	node   Node
	ledger store.Ledger
	log    *slog.Logger

	stop    context.CancelFunc
	ctx     context.Context
	done    sync.WaitGroup
	working sync.Mutex // who holds it imports or undoes

	moving sync.Mutex // who holds it changes, takes or deletes files that wait

	mu     sync.Mutex
	checks map[string]*outcome // by draft
	runs   map[string]*outcome // by import, of this process
	coming map[string]bool     // drafts of which not every byte is here
}

// outcome is an Outcome that somebody still works on.
type outcome struct {
	mu   sync.Mutex
	o    Outcome
	stop context.CancelFunc
}

func (o *outcome) copied() *Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.o
	c.Problems = slices.Clone(o.o.Problems)
	return &c
}

func (o *outcome) set(change func(*Outcome)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(&o.o)
}

// NewDesk returns the desk of a book. Its caller closes it.
func NewDesk(b *Book, node Node, ledger store.Ledger, log *slog.Logger) *Desk {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{book: b, node: node, ledger: ledger, log: log, checks: map[string]*outcome{}, runs: map[string]*outcome{}, coming: map[string]bool{}}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d
}

// Close stops what is under way, after the batch that is being taken; [Desk.GoOn] of
// the next process goes on with it.
func (d *Desk) Close() error {
	if d == nil {
		return nil
	}
	d.stop()
	d.done.Wait()
	return nil
}

// GoOn goes on with what the process before left, and deletes what it left of files
// that had not come whole.
func (d *Desk) GoOn() error {
	d.sweep()
	list, err := d.book.List()
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(list) {
		if e.State != Running {
			continue
		}
		if _, err := os.Stat(d.book.path(e.ID, ".how")); err == nil && !d.Resumable(e.ID) {
			// It ended between the entry and the file, which still waits: nothing was taken.
			if err := d.abandon(&e); err != nil {
				return err
			}
			continue
		}
		if err := d.Resume(e.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// abandon notes that an import got no file.
func (d *Desk) abandon(e *Entry) error {
	_ = os.Remove(d.book.path(e.ID, ".how")) // there may be none
	e.State, e.Ended = Failed, stamp(d.book.now())
	return d.book.save(e)
}

// Check lets the importer read a file and write nothing. It goes on in the background:
// [Desk.Draft] tells how far it is.
func (d *Desk) Check(id string) (Draft, error) {
	v, err := d.Draft(id)
	if err != nil {
		return v, err
	}
	f, err := os.Open(d.draftPath(id, ".file"))
	if err != nil {
		return v, errNoDraft
	}
	d.stopCheck(id)
	ctx, stop := context.WithCancel(d.ctx)
	o := &outcome{o: Outcome{Running: true}, stop: stop}
	d.mu.Lock()
	d.checks[id] = o
	d.mu.Unlock()
	how := v.How
	d.done.Go(func() {
		defer f.Close()
		totals, err := how.dryRun(f, func(totals json.RawMessage, rows, refused int64) error {
			o.set(func(x *Outcome) { x.Rows, x.Refused, x.Totals = rows, refused, totals })
			return ctx.Err()
		}, func(r table.Refusal) error {
			o.set(func(x *Outcome) {
				if x.Refused++; len(x.Problems) < firstProblems {
					x.Problems = append(x.Problems, RowProblem{r.Line, r.Column, r.Reason})
				}
			})
			return ctx.Err()
		}, false)
		o.set(func(x *Outcome) {
			x.Running = false
			if totals != nil {
				x.Totals = totals
				x.Rows, x.Refused = countsOf(totals)
			}
			x.Trouble = said(err)
		})
	})
	return d.Draft(id)
}

// countsOf reads what all totals have.
func countsOf(totals json.RawMessage) (rows, refused int64) {
	var t struct{ Rows, Refused int64 }
	if err := json.Unmarshal(totals, &t); err != nil {
		return 0, 0 // unreachable: it was just written
	}
	return t.Rows, t.Refused
}

func said(err error) string {
	if err == nil {
		return ""
	}
	_, why := fault.Of(err)
	return plainly(why)
}

func (d *Desk) stopCheck(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.checks[id]; o != nil {
		o.stop()
		delete(d.checks, id)
	}
}

// dryRun reads a file as the importer does, without anywhere to write to. With look
// it ends with errShown before the first row.
func (h *How) dryRun(r io.Reader, progress func(totals json.RawMessage, rows, refused int64) error, refuse func(table.Refusal) error, look bool) (json.RawMessage, error) {
	if h.Kind == OrdersKind {
		o := h.orders()
		o.Refuse = refuse
		o.Columns = func(csv.Mapping) error {
			if look {
				return errShown
			}
			return nil
		}
		o.Progress = func(p csv.Progress) error { return progress(encoded(p.Totals), p.Totals.Rows, p.Totals.Refused) }
		t, err := csv.Import(context.Background(), r, o)
		return encoded(t), err
	}
	o := h.people()
	o.Refuse = refuse
	o.Shown = func(people.Shown) error {
		if look {
			return errShown
		}
		return nil
	}
	o.Progress = func(p people.Progress) error { return progress(encoded(p.Totals), p.Totals.Rows, p.Totals.Refused) }
	t, err := people.Import(context.Background(), r, o)
	return encoded(t), err
}

func encoded(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // unreachable: numbers and texts only
	}
	return b
}

// Start begins to import an uploaded file as history, which never sends anything, and
// returns its entry in the book. Whoever starts the same file again is told that there
// is no such file.
func (d *Desk) Start(id, by string) (Entry, error) {
	e, err := d.take(id, by)
	if err != nil {
		return e, err
	}
	return e, d.Resume(e.ID)
}

// take makes an uploaded file the file of a new import.
func (d *Desk) take(id, by string) (Entry, error) {
	d.moving.Lock()
	defer d.moving.Unlock()
	v, err := d.Draft(id)
	if err != nil {
		return Entry{}, err
	}
	f, err := os.Open(d.draftPath(id, ".file"))
	if err != nil {
		return Entry{}, errNoDraft
	}
	r, err := v.How.read(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return Entry{}, err
	}
	if r.Trouble != "" {
		return Entry{}, fault.New(fault.Invalid, r.Trouble)
	}
	d.stopCheck(id)
	e, err := d.book.begin(Entry{Kind: v.How.Kind, Source: v.How.source(), From: r.From, File: v.File, By: by})
	if err != nil {
		return e, err
	}
	// The file belongs to the import now. What says how it is read goes before it: a file
	// without that could not be gone on with.
	if err = durable.Write(d.book.path(e.ID, ".how"), encoded(v.How)); err == nil {
		err = os.Rename(d.draftPath(id, ".file"), d.book.path(e.ID, ".file"))
	}
	if err != nil {
		return e, errors.Join(fault.Wrap(fault.Unavailable, err, "the file cannot be taken"), d.abandon(&e))
	}
	if err := os.Remove(d.draftPath(id, ".draft")); err != nil {
		return e, fault.Wrap(fault.Unavailable, err, "the file cannot be taken")
	}
	return e, nil
}

// Resume goes on with an import that was cut short. It is NotFound if its file was not
// uploaded, and a Conflict if it is under way or over.
func (d *Desk) Resume(id string) error {
	e, err := d.book.Entry(id)
	if err != nil {
		return err
	}
	if e.State != Running {
		return fault.New(fault.Conflict, "import "+id+" is over: it is "+string(e.State))
	}
	var how How
	b, err := os.ReadFile(d.book.path(id, ".how"))
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "the file of import "+id+" was not uploaded: the command that began it goes on with it")
	}
	if err == nil {
		err = json.Unmarshal(b, &how)
	}
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "how import "+id+" is read cannot be told")
	}
	if _, err := os.Stat(d.book.path(id, ".file")); err != nil {
		return fault.New(fault.NotFound, "the file of import "+id+" is gone: upload it again")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.runs[id]; o != nil && o.copied().Running {
		return fault.New(fault.Conflict, "import "+id+" is under way")
	}
	o := &outcome{o: Outcome{Running: true}}
	d.runs[id] = o
	d.done.Go(func() {
		d.working.Lock()
		defer d.working.Unlock()
		err := d.ctx.Err()
		if err == nil {
			err = d.work(id, &how, o)
		}
		o.set(func(x *Outcome) { x.Running, x.Trouble = false, said(err) })
		if err != nil && d.ctx.Err() == nil {
			d.log.Error("an import was cut short", "import", id, "error", err)
		}
	})
	return nil
}

// work imports the file of an entry, from where it was cut short.
func (d *Desk) work(id string, how *How, o *outcome) (err error) {
	f, err := os.Open(d.book.path(id, ".file"))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file cannot be opened")
	}
	defer f.Close()
	i := &Import{book: d.book, node: d.node, ledger: d.ledger}
	if i.Entry, err = d.book.Entry(id); err != nil {
		return err
	}
	if i.homes, err = d.book.homes(&i.Entry); err != nil {
		return err
	}
	defer func() {
		if d.ctx.Err() != nil { // the process ends: nothing has failed
			err = errors.Join(err, i.homes.close())
			return
		}
		err = errors.Join(err, i.Close())
	}()
	refused := &refusals{path: d.book.path(id, ".errors")}
	told := func(totals any) error {
		t := encoded(totals)
		o.set(func(x *Outcome) {
			x.Totals = t
			x.Rows, x.Refused = countsOf(t)
		})
		return d.ctx.Err()
	}
	if how.Kind == OrdersKind {
		opt := how.orders()
		opt.Columns = func(m csv.Mapping) error { refused.header = m.Header(); return nil }
		opt.Refuse = refused.add
		opt.Progress = func(p csv.Progress) error { return told(p.Totals) }
		_, err = i.Orders(d.ctx, f, opt)
	} else {
		opt := how.people()
		opt.Shown = func(s people.Shown) error { refused.header = s.Mapping.Header; return nil }
		opt.Refuse = refused.add
		opt.Progress = func(p people.Progress) error { return told(p.Totals) }
		_, err = i.People(d.ctx, f, opt)
	}
	if err = errors.Join(err, refused.close()); err != nil {
		return err
	}
	return errors.Join(os.Remove(d.book.path(id, ".file")), os.Remove(d.book.path(id, ".how")))
}

// refusals is the file of rows that were refused; it is made with the first. An import
// that goes on reads the rows before again, and so refuses them again.
type refusals struct {
	path   string
	header []string
	file   *os.File
	report *table.Report
}

func (r *refusals) add(x table.Refusal) (err error) {
	if r.report == nil {
		if r.file, err = os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the file of errors cannot be made")
		}
		if r.report, err = table.NewReport(r.file, r.header); err != nil {
			return err
		}
	}
	return r.report.Add(x)
}

func (r *refusals) close() error {
	if r.report == nil {
		return nil
	}
	return errors.Join(r.report.Close(), r.file.Close())
}

// Outcome returns how far an import of this process is; nil if it is none.
func (d *Desk) Outcome(id string) *Outcome {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.runs[id]; o != nil {
		return o.copied()
	}
	return nil
}

// Resumable reports whether the file of an import is here.
func (d *Desk) Resumable(id string) bool {
	_, err := os.Stat(d.book.path(id, ".file"))
	return err == nil
}

// Errors opens the rows that an import refused. It is NotFound if there are none.
func (d *Desk) Errors(id string) (io.ReadCloser, error) {
	if _, err := d.book.Entry(id); err != nil {
		return nil, err
	}
	f, err := os.Open(d.book.path(id, ".errors"))
	if err != nil {
		return nil, fault.New(fault.NotFound, "no refused rows of this import are kept")
	}
	return f, nil
}

// HasErrors reports whether refused rows of an import are kept.
func (d *Desk) HasErrors(id string) bool {
	_, err := os.Stat(d.book.path(id, ".errors"))
	return err == nil
}

// Undo takes an import back; it is a Conflict while a file is imported.
func (d *Desk) Undo(ctx context.Context, id, by string, really bool) (Entry, error) {
	if !d.working.TryLock() {
		return Entry{}, fault.New(fault.Conflict, "a file is being imported: an import is undone when that is done")
	}
	defer d.working.Unlock()
	e, err := Undo(ctx, d.book, d.node, d.ledger, id, by, really)
	if err == nil { // what was cut short is not gone on with
		_ = os.Remove(d.book.path(id, ".file")) // most imports have none
		_ = os.Remove(d.book.path(id, ".how"))  // as above
	}
	return e, err
}
