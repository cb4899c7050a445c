package site

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// outbox holds openings and clicks until they can be judged, and everything
// until it could be heard.
type outbox struct {
	o Options

	flushing sync.Mutex // held while entries are heard, so that none is heard twice at once

	mu      sync.Mutex
	judge   *Judge
	held    []held // by due
	timer   *time.Timer
	closed  bool
	dropped int
}

// held is an entry that waits. A zero hit needs no judgement.
type held struct {
	entry identity.Addressed
	hit   Hit
	due   time.Time
}

// The outbox's measures.
const (
	// maxHeld bounds what waits, some 60 MB, while the log is away. More is
	// dropped and counted: clicks and openings. An unsubscribe is safe in the
	// suppressions before its event comes here.
	maxHeld = 100_000
	// hearBatch is how many entries are heard at once.
	hearBatch = 500
	// hearAgain is the pause after the log refused.
	hearAgain = time.Second
	// hearWithin is how long one call of Hear may take.
	hearWithin = 10 * time.Second
)

func newOutbox(o Options) *outbox { return &outbox{o: o, judge: NewJudge()} }

// hit notes a hit and holds its event until it can be judged.
func (b *outbox) hit(h Hit, entry identity.Addressed) {
	hold := max(b.o.Hold, 0)
	b.mu.Lock()
	b.judge.Note(h)
	b.mu.Unlock()
	b.put(held{entry, h, h.At.Add(hold)}, hold)
}

// later keeps an entry that could not be heard.
func (b *outbox) later(entries ...identity.Addressed) {
	for _, e := range entries {
		b.put(held{entry: e, due: b.o.Wall()}, hearAgain)
	}
}

func (b *outbox) put(h held, after time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.held) == maxHeld {
		b.dropped++
		return
	}
	b.held = append(b.held, h)
	b.arm(after)
}

// arm sees to it that a flush comes. The caller holds the lock.
func (b *outbox) arm(after time.Duration) {
	if b.timer == nil && !b.closed {
		b.timer = time.AfterFunc(after, func() {
			ctx, cancel := context.WithTimeout(context.Background(), hearWithin)
			defer cancel()
			if err := b.flush(ctx, false); err != nil {
				b.o.Log.Warn("events of the site wait for the log", "error", err)
			}
		})
	}
}

// flush hears what is due, or everything.
func (b *outbox) flush(ctx context.Context, all bool) (err error) {
	b.flushing.Lock()
	defer b.flushing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if b.dropped > 0 {
		b.o.Log.Error("openings and clicks were dropped while the log was away", "count", b.dropped)
		b.dropped = 0
	}
	for err == nil && len(b.held) > 0 {
		now, n := b.o.Wall(), 0
		for n < min(len(b.held), hearBatch) && (all || !b.held[n].due.After(now)) {
			n++
		}
		if n == 0 {
			break
		}
		batch := make([]identity.Addressed, n)
		for i, h := range b.held[:n] {
			batch[i] = h.entry
			if h.hit.Delivery != "" {
				e := &batch[i].Event
				e.Props = e.Props.With("actor", event.Text(string(b.judge.Judge(h.hit))))
			}
		}
		b.mu.Unlock()
		err = b.o.Hearer.Hear(ctx, batch)
		b.mu.Lock()
		if err == nil {
			b.held = append(b.held[:0], b.held[n:]...)
		}
	}
	b.judge.Forget(b.o.Wall())
	switch {
	case err != nil:
		b.arm(hearAgain)
		return fmt.Errorf("hearing %d events: %w", len(b.held), err)
	case len(b.held) > 0:
		b.arm(max(b.held[0].due.Sub(b.o.Wall()), time.Millisecond))
	}
	return nil
}

// close hears everything that is left and starts nothing new.
func (b *outbox) close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.flush(ctx, true)
}
