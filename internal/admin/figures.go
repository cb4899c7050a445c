package admin

import (
	"context"
	"maps"
	"sync"
	"time"

	"rapport/internal/report"
	"rapport/internal/store"
)

const (
	// fresh is how old figures may be that a page shows. A page of the
	// demonstration asks once a second.
	fresh = 700 * time.Millisecond
	// patience is how long a page waits for newer figures before it shows those
	// that are there: pages answer at once. The first page has nothing to show, and
	// so waits longer.
	patience      = 300 * time.Millisecond
	firstPatience = 1500 * time.Millisecond
	// slice bounds one round of adding up. What is left is for the next round.
	slice = 4 * time.Second
)

// snapshot is what was added up, as of some moment. It is not changed once made.
type snapshot struct {
	heard    report.Heard
	receipts map[string]int64
	counts   []store.DeliveryCount
	members  map[uint64]int64
	tally    *tally
	busy     bool // the feed has more to tell
	err      error
}

// figures adds up what pages show, beside the requests for them: at most one
// round at a time, and none when nobody asks.
type figures struct {
	store  store.Store
	loader *report.Loader

	mu   sync.Mutex
	sums *tally // of the round under way
	last snapshot
	at   time.Time     // when last was made
	work chan struct{} // closed when the round under way ends; nil: none is
}

func newFigures(s store.Store, l *report.Loader) *figures {
	return &figures{store: s, loader: l, sums: newTally(), last: snapshot{busy: true, tally: newTally()}}
}

// now returns the newest figures that can be had at once. Whether the store could
// not be read is in the snapshot: a page shows what is known and not an error.
func (f *figures) now(ctx context.Context) snapshot {
	if f.store == nil {
		return f.last // the product is not open yet, and there is nothing to add up
	}
	f.mu.Lock()
	if f.work == nil && time.Since(f.at) >= fresh {
		f.work = make(chan struct{})
		// The round outlives the request, so that a reader who leaves does not stop
		// the figures for everybody; it ends by itself.
		go f.round(f.work)
	}
	work, long := f.work, patience
	if f.at.IsZero() {
		long = firstPatience
	}
	f.mu.Unlock()
	if work != nil {
		wait := time.NewTimer(long)
		defer wait.Stop()
		select {
		case <-work:
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *figures) round(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), slice)
	defer cancel()
	next := snapshot{}
	behind, err := f.sums.load(ctx, f.store)
	if err == nil {
		// What does not fit into this round is read in the next one.
		err = f.loader.Load(ctx)
	}
	next.busy = behind || ctx.Err() != nil
	if ctx.Err() != nil {
		err = nil
		ctx, cancel = context.WithTimeout(context.Background(), slice)
		defer cancel()
	}
	if err == nil {
		next.counts, err = f.store.DeliveryCounts(ctx)
	}
	if err == nil {
		next.members, err = f.store.SegmentCounts(ctx)
	}
	next.err = err
	next.heard, next.receipts, next.tally = f.loader.Heard(), f.loader.Receipts(), f.sums.clone()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		next.counts, next.members = f.last.counts, maps.Clone(f.last.members)
	}
	f.last, f.at, f.work = next, time.Now(), nil
	close(done)
}
