// Package loader fills the warehouse from the feed.
//
// It follows the feed of every lane by its key: what was loaded last stands in the
// warehouse with its rows, so a loader that was killed goes on where the rows end,
// and a block that is read twice is loaded once. A warehouse that is ahead of the
// state, after a backup was brought back, is thrown away and made anew.
//
// It never holds up what it follows: it only reads, in its own time, and rests
// between loads.
package loader

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/store"
	"rapport/internal/warehouse"
)

// Loader fills one warehouse from one store.
type Loader struct {
	store     store.Store
	warehouse warehouse.Warehouse
	lanes     int
	log       *slog.Logger
	gone      func(identity.ID) bool

	mu      sync.Mutex // held while something read from the feed is on its way
	load    warehouse.Load
	reader  reader
	behind  atomic.Bool
	trouble string // said last
	late    bool   // there may be events without their visit
}

// New returns a loader that goes on where the warehouse ends. Gone says who was
// erased: a row of theirs that the feed still has, since an erasure was cut short, is
// passed over. Nil: nobody was.
func New(s store.Store, w warehouse.Warehouse, lanes int, gone func(identity.ID) bool, log *slog.Logger) *Loader {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if gone == nil {
		gone = func(identity.ID) bool { return false }
	}
	return &Loader{store: s, warehouse: w, lanes: lanes, gone: gone, log: log, late: true}
}

const (
	// perLoad is about how many rows go into the warehouse at once: enough to make
	// its transaction cheap, few enough to keep them in memory.
	perLoad = 20_000
	// blocks is how many feed blocks are read at once.
	blocks = 16
	// idle is how long the loader rests when it has caught up, and busy how long
	// between two loads when it has not: the live path goes first.
	idle = 2 * time.Second
	busy = 20 * time.Millisecond
	// again is how long it waits after something failed.
	again = 10 * time.Second
	// visit is after how many rests events that came late get their visits: an import
	// has ended by then.
	visit = 15
)

// Run loads until the context ends.
func (l *Loader) Run(ctx context.Context) {
	for rests := 0; ; {
		pause := idle
		more, err := l.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			pause = again
			if err.Error() != l.trouble {
				l.log.Error("the warehouse is not filled; it is tried again", "error", err)
			}
			l.trouble = err.Error()
		case more:
			pause, l.trouble, rests = busy, "", 0
		default:
			l.trouble = ""
			if rests++; rests%visit == 0 {
				if err := l.visits(ctx); err != nil && ctx.Err() == nil {
					l.log.Error("events that came late have no visits yet; it is tried again", "error", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Load loads everything that the feed has to tell now, with its visits.
func (l *Loader) Load(ctx context.Context) error {
	for {
		switch more, err := l.step(ctx); {
		case err != nil:
			return err
		case !more:
			return l.visits(ctx)
		}
	}
}

// visits gives what came late its visits.
func (l *Loader) visits(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.late {
		return nil
	}
	if err := l.warehouse.Visit(ctx); err != nil {
		return err
	}
	l.late = false
	return nil
}

// Behind reports whether the feed had more to tell when it was read last.
func (l *Loader) Behind() bool { return l.behind.Load() }

// step makes one load of each lane that has something, and reports whether there
// is more.
func (l *Loader) step(ctx context.Context) (more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for lane := range l.lanes {
		rest, err := l.lane(ctx, lane)
		if err != nil {
			return false, err
		}
		more = more || rest
	}
	l.behind.Store(more)
	return more, nil
}

// lane makes one load of a lane.
func (l *Loader) lane(ctx context.Context, lane int) (more bool, err error) {
	at, err := l.warehouse.Position(ctx, lane)
	if err != nil {
		return false, err
	}
	state, err := l.store.Position(ctx, lane)
	if err != nil {
		return false, err
	}
	if at != (warehouse.Key{}) && (at.Epoch != state.Epoch || at.Seq > state.Seq) {
		l.log.Warn("the warehouse is ahead of the state and is made anew", "lane", lane, "warehouse", at.Seq, "state", state.Seq)
		return true, l.warehouse.Clear(ctx)
	}
	defer func() { // rows are pieces of their blocks, and nobody needs them now
		if l.load.Reset(); !more {
			l.load = warehouse.Load{} // nor their memory: the first block of an import is large
		}
	}()
	l.load.Lane, l.load.From, l.load.To = lane, at, at
	l.reader.begin(&l.load)
	for {
		list, err := l.store.Feed(ctx, lane, l.load.To.Seq, blocks)
		if err != nil {
			return false, err
		}
		for i := range list {
			if err := feed.Each(list[i].Body, func(r feed.Row) error {
				if !l.gone(r.Profile) {
					l.reader.add(&r)
				}
				return nil
			}); err != nil {
				return false, err
			}
			l.load.To = warehouse.Key{Epoch: list[i].Epoch, Seq: list[i].To}
			if l.load.Rows() >= perLoad {
				return true, l.send(ctx)
			}
		}
		if len(list) < blocks {
			return false, l.send(ctx)
		}
	}
}

// send hands the rows over.
func (l *Loader) send(ctx context.Context) error {
	if l.load.To == l.load.From {
		return nil
	}
	if err := l.reader.end(ctx, l.warehouse); err != nil {
		return err
	}
	if err := l.warehouse.LoadFeed(ctx, &l.load); err != nil {
		return err
	}
	for i := range l.load.Events {
		e := &l.load.Events[i]
		l.late = l.late || e.Session == 0 && e.Type != factType && e.Type != event.System.String()
	}
	return nil
}

// Forget takes people out of the warehouse. Their rows are in the feed no more when
// it is called; what was read before is loaded before, or not at all.
func (l *Loader) Forget(ctx context.Context, ids []identity.ID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.warehouse.Forget(ctx, ids...)
}

// Finish takes out who was erased and is still there, because the process ended
// between the two.
func (l *Loader) Finish(ctx context.Context) error {
	rows, err := l.warehouse.Query(ctx, "SELECT DISTINCT profile FROM events UNION SELECT DISTINCT profile FROM profiles UNION SELECT DISTINCT strand FROM persons", nil, warehouse.All)
	if err != nil {
		return err
	}
	var left []identity.ID
	for row := rows.Next(); row != nil; row = rows.Next() {
		if id, ok := row[0].(identity.ID); ok && l.gone(id) {
			left = append(left, id)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(left) == 0 {
		return err
	}
	l.log.Warn("finished taking erased customers out of the warehouse", "people", len(left))
	return l.Forget(ctx, left)
}

// Rebuild throws the warehouse away and makes it anew.
func (l *Loader) Rebuild(ctx context.Context) error {
	l.mu.Lock()
	err := l.warehouse.Clear(ctx)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.Load(ctx)
}

// Everything yields all that the warehouse holds, for a scan.
func (l *Loader) Everything(ctx context.Context, yield func(where string, body []byte) error) error {
	err := l.warehouse.Everything(ctx, func(table string, row []byte) error { return yield("the warehouse's table "+table, row) })
	if fault.Is(err, fault.Unavailable) {
		return nil
	}
	return err
}
