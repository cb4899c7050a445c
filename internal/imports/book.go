package imports

import (
	"bufio"
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

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// State is how far an import is.
type State string

// The states.
const (
	Running State = "running" // or cut short: it can be resumed
	Done    State = "done"
	Failed  State = "failed"  // nothing of it was taken: its header could not be read
	Undoing State = "undoing" // or cut short: undoing again finishes it
	Undone  State = "undone"
)

// Entry is one import in the book.
type Entry struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Source     string          `json:"source"`
	From       string          `json:"from,omitempty"`
	File       string          `json:"file,omitempty"` // its name, for people
	State      State           `json:"state"`
	Live       bool            `json:"live,omitempty"`
	By         string          `json:"by,omitempty"`
	Began      event.Time      `json:"-"`
	BeganAt    int64           `json:"began_ms"`
	Ended      string          `json:"ended,omitempty"`
	UndoneBy   string          `json:"undone_by,omitempty"`
	UndoneAt   string          `json:"undone_at,omitempty"`
	Retracted  int64           `json:"suppressions_retracted,omitempty"`
	Suppressed int64           `json:"suppressions,omitempty"`
	Totals     json.RawMessage `json:"totals,omitempty"`
	Checkpoint json.RawMessage `json:"checkpoint,omitempty"`
	Homes      int64           `json:"homes"` // bytes of the file of homes
}

// Book is the imports of one data directory.
type Book struct {
	dir string
	now func() event.Time
}

// Open returns the book of a data directory.
func Open(dir string, now func() event.Time) *Book {
	return &Book{dir: filepath.Join(dir, "imports"), now: now}
}

func (b *Book) path(id, ending string) string { return filepath.Join(b.dir, id+ending) }

// begin writes a new entry. Its id has the kind and the day in it, for people, and
// chance, so that no two imports are one.
func (b *Book) begin(e Entry) (Entry, error) {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return e, fault.Wrap(fault.Unavailable, err, "the book of imports cannot be made")
	}
	var chance [4]byte
	if _, err := rand.Read(chance[:]); err != nil {
		return e, err
	}
	e.Began = b.now()
	e.ID = e.Kind + "-" + e.Began.Time().Format("20060102-150405") + "-" + hex.EncodeToString(chance[:])
	e.State = Running
	return e, b.save(&e)
}

// save makes an entry durable.
func (b *Book) save(e *Entry) error {
	e.BeganAt = int64(e.Began)
	if err := writeRecord(b.path(e.ID, ".json"), e); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the book of imports cannot be written")
	}
	return nil
}

// Entry returns one import, or a fault of kind NotFound.
func (b *Book) Entry(id string) (e Entry, err error) {
	if id != filepath.Base(id) || strings.ContainsAny(id, `/\`) {
		return e, fault.New(fault.Invalid, "that is no id of an import")
	}
	if there, err := readRecord(b.path(id, ".json"), &e); err != nil {
		return e, fault.Wrap(fault.Corrupt, err, "the entry of import "+id+" cannot be read")
	} else if !there {
		return e, fault.New(fault.NotFound, "there is no import "+id+": rapport import list names them")
	}
	e.Began = event.Time(e.BeganAt)
	return e, nil
}

// List returns every import, the last one first.
func (b *Book) List() ([]Entry, error) {
	files, err := os.ReadDir(b.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the book of imports cannot be read")
	}
	var list []Entry
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ".json")
		if !ok {
			continue
		}
		e, err := b.Entry(id)
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(x, y Entry) int { return int(min(max(y.BeganAt-x.BeganAt, -1), 1)) })
	return list, nil
}

// unfinished returns the last import of the kind and source that was cut short.
func (b *Book) unfinished(kind, source string) (Entry, error) {
	list, err := b.List()
	if err != nil {
		return Entry{}, err
	}
	for i := range list {
		if list[i].State == Running && list[i].Kind == kind && list[i].Source == source {
			return list[i], nil
		}
	}
	return Entry{}, fault.New(fault.NotFound, "no import of "+kind+" from this source was cut short: there is nothing to resume")
}

// homes writes where the events of an import went.
type homes struct {
	f    *os.File
	w    *bufio.Writer
	seen map[identity.ID]struct{}
	n    int64
}

// maxSeen bounds the homes that are remembered so as not to be written twice; one that
// is written again does no harm.
const maxSeen = 1_000_000

func (b *Book) homes(e *Entry) (*homes, error) {
	f, err := os.OpenFile(b.path(e.ID, ".homes"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the book of imports cannot be written")
	}
	// What a process that died wrote behind stays true: an event may have gone there.
	end, err := f.Seek(0, io.SeekEnd)
	if end %= int64(len(identity.ID{})); err == nil && end != 0 {
		_, err = f.Seek(-end, io.SeekEnd) // half of a home
	}
	if err == nil {
		e.Homes, err = f.Seek(0, io.SeekCurrent)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &homes{f: f, w: bufio.NewWriterSize(f, 64<<10), seen: map[identity.ID]struct{}{}, n: e.Homes}, nil
}

func (h *homes) add(id identity.ID) error {
	if _, known := h.seen[id]; known {
		return nil
	}
	if len(h.seen) >= maxSeen {
		clear(h.seen)
	}
	h.seen[id] = struct{}{}
	h.n += int64(len(id))
	_, err := h.w.Write(id[:])
	return err
}

// sync makes what was added durable and returns how long the file is.
func (h *homes) sync() (int64, error) {
	if err := h.w.Flush(); err != nil {
		return 0, err
	}
	return h.n, h.f.Sync()
}

func (h *homes) close() error { return errors.Join(h.w.Flush(), h.f.Close()) }

// homesOf returns where the events of an import went, each home once. What was
// written and not noted counts too: an event may have gone there.
func (b *Book) homesOf(id string) ([]identity.ID, error) {
	body, err := os.ReadFile(b.path(id, ".homes"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the homes of import "+id+" cannot be read")
	}
	list := make([]identity.ID, len(body)/len(identity.ID{}))
	for i := range list {
		list[i] = identity.ID(body[i*len(list[i]):])
	}
	slices.SortFunc(list, identity.ID.Compare)
	return slices.Compact(list), nil
}

// stamp writes an instant for the book.
func stamp(t event.Time) string { return t.Time().Format(time.RFC3339) }
