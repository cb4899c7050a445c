package imports

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/store"
)

// Node is what an import needs of the product.
type Node interface {
	// Hear takes events that are durable when it returns.
	Hear(ctx context.Context, events []event.Event) error
	// Home returns where an event goes first; false if it names nobody.
	Home(e *event.Event) (identity.ID, bool)
	// Find returns the customer who is known by an identifier; nil if nobody is.
	Find(ctx context.Context, id identity.Identifier) (*profile.Profile, error)
	// Erased reports whether an event speaks of somebody who was erased.
	Erased(e *event.Event) bool
	// Subject is the keyed hash under which an address is suppressed.
	Subject(channel, address string) [16]byte
	// UndoImport makes customers what they would be without the import.
	UndoImport(ctx context.Context, id, by string, homes []identity.ID) error
}

// Import is one import under way.
type Import struct {
	Entry
	book   *Book
	node   Node
	ledger store.Ledger
	homes  *homes
	saved  time.Time
}

// Plan says what is about to be imported.
type Plan struct {
	Kind, Source, From, File, By string
	Live                         bool
	// Resume goes on with the last import of this kind and source that was cut short.
	Resume bool
}

// Begin opens an entry in the book. The caller closes the import.
func Begin(b *Book, node Node, ledger store.Ledger, p Plan) (*Import, error) {
	i := &Import{book: b, node: node, ledger: ledger}
	var err error
	if p.Resume {
		i.Entry, err = b.unfinished(p.Kind, p.Source)
	} else {
		i.Entry, err = b.begin(Entry{Kind: p.Kind, Source: p.Source, From: p.From, File: p.File, By: p.By, Live: p.Live})
	}
	if err != nil {
		return nil, err
	}
	i.homes, err = b.homes(&i.Entry)
	return i, err
}

// Close ends the work on an import. One that is not done can be resumed, unless
// nothing of it was taken: that one has failed.
func (i *Import) Close() error {
	var err error
	if i.State == Running && i.homes.n == 0 && i.Checkpoint == nil {
		i.State, i.Ended = Failed, stamp(i.book.now())
		err = i.book.save(&i.Entry)
	}
	return errors.Join(err, i.homes.close())
}

// append makes events durable, after the homes that they go to: an event that nobody
// can find again could not be undone.
func (i *Import) append(ctx context.Context, events []event.Event) error {
	before := i.homes.n
	for n := range events {
		if home, ok := i.node.Home(&events[n]); ok {
			if err := i.homes.add(home); err != nil {
				return fault.Wrap(fault.Unavailable, err, "the book of imports cannot be written")
			}
		}
	}
	if i.homes.n != before {
		if err := i.homes.w.Flush(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the book of imports cannot be written")
		}
	}
	return i.node.Hear(ctx, events)
}

// saveEvery is how often the place in the file is made durable: what lies behind it is
// read again after a kill, and changes nothing.
const saveEvery = time.Second

// note keeps how far the import is.
func (i *Import) note(totals, point any, done bool) error {
	if now := time.Now(); !done && now.Sub(i.saved) < saveEvery {
		return nil
	} else {
		i.saved = now
	}
	var err error
	if i.Entry.Homes, err = i.homes.sync(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the book of imports cannot be written")
	}
	t, terr := json.Marshal(totals)
	c, cerr := json.Marshal(point)
	if err := errors.Join(terr, cerr); err != nil {
		return err // unreachable: texts and numbers only
	}
	i.Totals, i.Checkpoint = t, c
	if done {
		i.State, i.Ended = Done, stamp(i.book.now())
	}
	return i.book.save(&i.Entry)
}

// Orders imports orders. The options' Import, Append and After are the import's own.
func (i *Import) Orders(ctx context.Context, r io.Reader, o csv.Options) (csv.Totals, error) {
	o.Import, o.Live, o.Append, o.Source, o.Erased = i.ID, i.Live, i.append, i.Source, i.node.Erased
	if len(i.Checkpoint) > 0 {
		if err := json.Unmarshal(i.Checkpoint, &o.After); err != nil {
			return csv.Totals{}, fault.Wrap(fault.Corrupt, err, "the place where the import was cut short cannot be read")
		}
	}
	told := o.Progress
	o.Progress = func(p csv.Progress) error {
		if err := i.note(p.Totals, p.Checkpoint, p.Checkpoint.Done); err != nil || told == nil {
			return err
		}
		return told(p)
	}
	return csv.Import(ctx, r, o)
}

// People imports customers, consents, suppressions or events. The options' Import,
// Now, Append, Suppress, Held and After are the import's own.
func (i *Import) People(ctx context.Context, r io.Reader, o people.Options) (people.Totals, error) {
	o.Import, o.Live, o.Source, o.Now, o.Append, o.Suppress, o.Held = i.ID, i.Live, i.Source, i.Began, i.append, i.suppress, i.held
	o.Erased = i.node.Erased
	if len(i.Checkpoint) > 0 {
		if err := json.Unmarshal(i.Checkpoint, &o.After); err != nil {
			return people.Totals{}, fault.Wrap(fault.Corrupt, err, "the place where the import was cut short cannot be read")
		}
	}
	told := o.Progress
	o.Progress = func(p people.Progress) error {
		if err := i.note(p.Totals, p.Checkpoint, p.Checkpoint.Done); err != nil || told == nil {
			return err
		}
		return told(p)
	}
	return people.Import(ctx, r, o)
}

// inName is in whose name suppressions of an import are written.
func inName(id string) string { return event.ImportSource(id) }

// atOnce is how many suppressions are written beside one another: the ledger makes
// those that wait together durable with one sync of the disk.
const atOnce = 64

// suppress makes suppressions durable, and tells the profiles of those who are known
// already. Those who come later hear of it when they come.
func (i *Import) suppress(ctx context.Context, list []people.Suppression) error {
	work := make(chan people.Suppression)
	failed := make(chan error, atOnce)
	var done sync.WaitGroup
	for range min(atOnce, len(list)) {
		done.Go(func() {
			for s := range work {
				if err := i.ledger.Suppress(ctx, store.Suppression{
					Subject: i.node.Subject(s.Channel, s.Who.Value), Channel: s.Channel, Purpose: s.Purpose, Reason: s.Reason, At: s.At, By: inName(i.ID),
				}); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for _, s := range list {
		work <- s
	}
	close(work)
	done.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	i.Entry.Suppressed += int64(len(list))
	var events []event.Event
	for _, s := range list {
		p, err := i.node.Find(ctx, s.Who)
		if fault.Is(err, fault.Corrupt) {
			continue // nothing is sent to a customer whose row is damaged
		}
		if err != nil {
			return err
		}
		if p == nil || p.Born == 0 {
			continue
		}
		if e, ok := people.Reminder(i.ID, s); ok {
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return nil
	}
	return i.append(ctx, events)
}

// held fills in what the ledger knows of addresses, which it is asked at once.
func (i *Import) held(ctx context.Context, asked []people.Suppression) error {
	questions := make([]store.Question, len(asked))
	for n, s := range asked {
		questions[n] = store.Question{Subject: i.node.Subject(s.Channel, s.Who.Value), Channel: s.Channel, Purpose: s.Purpose}
	}
	answers, err := i.ledger.AllSuppressed(ctx, questions)
	if err != nil {
		return err
	}
	for n, s := range answers {
		if s != nil {
			asked[n].Reason, asked[n].At = s.Reason, s.At
		}
	}
	return nil
}

// Undo takes an import back: its customers become what they would be without it. What
// it suppressed is taken back only if really says so, since somebody will be written
// to again who, as far as anybody knows, did not want it. By says who answers for it,
// and is kept. Undoing once more what was cut short finishes it.
func Undo(ctx context.Context, b *Book, node Node, ledger store.Ledger, id, by string, really bool) (Entry, error) {
	e, err := b.Entry(id)
	if err != nil {
		return e, err
	}
	switch {
	case e.State == Undone:
		return e, fault.New(fault.Conflict, "import "+id+" was undone at "+e.UndoneAt+" by "+e.UndoneBy)
	case by == "":
		return e, fault.New(fault.Invalid, "say who undoes the import: it is kept")
	case e.Suppressed > 0 && !really:
		return e, fault.New(fault.Denied, "import "+id+" suppressed addresses; undone, they may be written to again. Say --yes-really if that is meant: your name is kept with it")
	}
	homes, err := b.homesOf(id)
	if err != nil {
		return e, err
	}
	e.State, e.UndoneBy = Undoing, by
	if err := b.save(&e); err != nil {
		return e, err
	}
	if err := node.UndoImport(ctx, id, by, homes); err != nil {
		return e, err
	}
	if really {
		n, err := ledger.Retract(ctx, inName(id))
		if err != nil {
			return e, err
		}
		e.Retracted += n
	}
	e.State, e.UndoneAt = Undone, stamp(b.now())
	return e, b.save(&e)
}
