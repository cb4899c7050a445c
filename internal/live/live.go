// Package live shows what is heard to people who watch.
//
// A [Hub] stands beside the log: it is told of events once they are durable, and of what
// was refused. Who watches gets a [Watch] with a filter and a buffer of its own. Nobody
// who hears waits for who watches: a reader that is slow loses the oldest lines and is
// told how many. While nobody watches, hearing costs the load of one pointer.
package live

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Outcome is what became of something that was sent.
type Outcome string

// The outcomes.
const (
	Accepted    Outcome = "accepted"    // durable
	Rejected    Outcome = "rejected"    // failed a check, and the sender was told why
	Quarantined Outcome = "quarantined" // durable, and could not be applied
)

// Line is one thing that came in.
type Line struct {
	At      event.Time // when we heard it
	Outcome Outcome
	Event   event.Event // accepted and quarantined
	To      identity.ID // whose it is; zero: nobody's
	Name    string      // of the event, as far as it can be told
	Source  string
	Reason  string // why it was not taken
	Field   string
	Raw     string // what was sent, if it could not be read
}

// Filter says which lines are watched. The zero Filter lets everything through.
type Filter struct {
	Name    string // of the event, or a part of it
	Source  string
	Outcome Outcome
	To      identity.ID
	Who     string // a user id, an anonymous id or an address
}

// Lets reports whether a line is watched. Name is in small letters.
func (f *Filter) Lets(l *Line) bool {
	switch {
	case f.Outcome != "" && l.Outcome != f.Outcome,
		f.Source != "" && l.Source != f.Source,
		f.Name != "" && !strings.Contains(strings.ToLower(l.Name), f.Name):
		return false
	case f.To.Zero() && f.Who == "":
		return true
	case !f.To.Zero() && l.To == f.To:
		return true
	case f.Who == "":
		return false
	}
	e := &l.Event
	return strings.EqualFold(e.User, f.Who) || e.Anon == f.Who || strings.EqualFold(e.Traits.Text("email"), f.Who) || strings.EqualFold(e.Props.Text("email"), f.Who)
}

const (
	// MaxWatches bounds who watches at once: each costs a look at every event.
	MaxWatches = 32
	// held is how many lines a reader may be behind: a second of a busy shop.
	held = 2048
)

// Hub tells those who watch.
type Hub struct {
	watches atomic.Pointer[[]*Watch] // nil: nobody
	mu      sync.Mutex               // of changes of watches
	closed  bool
	now     func() event.Time
}

// New returns a hub that nobody watches.
func New(now func() event.Time) *Hub { return &Hub{now: now} }

// Watched reports whether anybody watches.
func (h *Hub) Watched() bool { return h != nil && h.watches.Load() != nil }

// Heard tells of events that are durable.
func (h *Hub) Heard(entries []identity.Addressed) {
	if !h.Watched() {
		return
	}
	list, now := *h.watches.Load(), h.now()
	for i := range entries {
		e := &entries[i].Event
		if e.Type == event.System {
			continue
		}
		l := Line{At: now, Outcome: Accepted, Event: *e, To: entries[i].To, Name: nameOf(e), Source: e.Source}
		for _, w := range list {
			w.offer(&l)
		}
	}
}

// Tell tells of anything else. Its At is now if it has none.
func (h *Hub) Tell(lines ...Line) {
	if !h.Watched() {
		return
	}
	list := *h.watches.Load()
	for i := range lines {
		l := &lines[i]
		if l.At == 0 {
			l.At = h.now()
		}
		for _, w := range list {
			w.offer(l)
		}
	}
}

// nameOf names an event for people: what is no track call is called by its kind.
func nameOf(e *event.Event) string {
	if e.Name != "" {
		return e.Name
	}
	return e.Type.String()
}

// Watch begins to watch. Its caller closes it. It is Unavailable if too many watch, or
// the hub is closed.
func (h *Hub) Watch(f Filter) (*Watch, error) {
	f.Name = strings.ToLower(f.Name)
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*Watch
	if old := h.watches.Load(); old != nil {
		list = *old
	}
	if h.closed || len(list) >= MaxWatches {
		return nil, fault.New(fault.Unavailable, "too many people watch at once: close another page of the live stream")
	}
	w := &Watch{hub: h, filter: f, news: make(chan struct{}, 1), over: make(chan struct{})}
	list = append(slices.Clone(list), w)
	h.watches.Store(&list)
	return w, nil
}

// Close ends every watch, and every later one.
func (h *Hub) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if list := h.watches.Swap(nil); list != nil {
		for _, w := range *list {
			close(w.over)
		}
	}
}

// Watch is one reader. Its methods are for one goroutine.
type Watch struct {
	hub    *Hub
	filter Filter
	news   chan struct{}
	over   chan struct{}

	mu    sync.Mutex
	lines []Line // a ring once it is full
	first int
	lost  int64
}

// offer adds a line; the oldest makes room.
func (w *Watch) offer(l *Line) {
	if !w.filter.Lets(l) {
		return
	}
	w.mu.Lock()
	if len(w.lines) < held {
		w.lines = append(w.lines, *l)
	} else {
		w.lines[w.first] = *l
		w.first = (w.first + 1) % held
		w.lost++
	}
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// Next waits for lines, at most for so long, and returns them in order with how many
// were lost before them. No lines and no error: nothing came. It is Unavailable once
// the hub is closed.
func (w *Watch) Next(ctx context.Context, most time.Duration) (lines []Line, lost int64, err error) {
	wait := time.NewTimer(most)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case <-w.over:
		return nil, 0, fault.New(fault.Unavailable, "the server stops")
	case <-wait.C:
	case <-w.news:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	lines = append(append(make([]Line, 0, len(w.lines)), w.lines[w.first:]...), w.lines[:w.first]...)
	clear(w.lines) // the events are not held longer than they are shown
	w.lines, w.first = w.lines[:0], 0
	lost, w.lost = w.lost, 0
	return lines, lost, nil
}

// Close ends the watch.
func (w *Watch) Close() {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.watches.Load()
	if old == nil {
		return
	}
	list := slices.DeleteFunc(slices.Clone(*old), func(x *Watch) bool { return x == w })
	if len(list) == 0 {
		h.watches.Store(nil)
		return
	}
	h.watches.Store(&list)
}
