package engine

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// A sweep over few customers is appended at once. Over many it would stand in the log
// before everything that is heard meanwhile, and live customers would wait until all
// of it is applied; so its records are appended one by one, as those before
// them are applied. The position says how far it came: a process that ended is
// followed by one that goes on from there.
const (
	// sweptAtOnce is how many records are no wait worth speaking of.
	sweptAtOnce = 64
	// sweepAhead is how many records of a long sweep may stand in the log at once.
	sweepAhead = 2
	// sweepPoll is how often a sweep looks by itself whether its last record is applied.
	sweepPoll = 10 * time.Millisecond
)

// sweeping is how far the sweep of a lane has come.
type sweeping struct {
	done, of atomic.Int64 // records
	round    atomic.Int64 // grows with each sweep: the one before gives way

	at    atomic.Uint64 // the number of the last record of the lane that was applied
	moved chan struct{} // gets one when it has grown while a sweep is under way
}

// reached notes that the lane has applied a record.
func (s *sweeping) reached(seq uint64) {
	s.at.Store(seq)
	if s.under() {
		select {
		case s.moved <- struct{}{}:
		default:
		}
	}
}

// under reports whether a long sweep is under way.
func (s *sweeping) under() bool { return s.done.Load() < s.of.Load() }

// Swept returns how many of the records of the present sweep, or of the last one,
// were applied, and how many there are, over all lanes.
func (e *Engine) Swept() (done, of int64) {
	for _, l := range e.lanes {
		done, of = done+l.sweeping.done.Load(), of+l.sweeping.of.Load()
	}
	return min(done, of), of
}

// trickle appends the records one by one, in the background. Few stand in the log at
// once: none would leave the lane waiting for the disk between two of them.
func (l *lane) trickle(entries []identity.Addressed) {
	round := l.sweeping.round.Add(1)
	l.sweeping.done.Store(0)
	l.sweeping.of.Store(int64(len(entries)))
	l.e.done.Go(func() {
		var ahead [sweepAhead]uint64 // up to where each of the last records stands in the log
		for i := 0; i < len(entries); {
			if l.e.running.Err() != nil || l.sweeping.round.Load() != round {
				return // found again at the next start, or a newer one has begun
			}
			if err := l.append(l.e.running, entries[i:i+1]); err != nil {
				l.e.log.Warn("a sweep of customers goes on when the log takes records again", "error", err)
				if !l.pause(time.Second) {
					return
				}
				continue
			}
			last, err := l.e.o.Log.Last(l.e.running, l.n)
			if err != nil {
				last.Seq = 0 // then it is not waited for
			}
			ahead[i%sweepAhead] = last.Seq
			i++
			if !l.applied(ahead[i%sweepAhead]) {
				return
			}
			l.sweeping.done.Store(int64(max(0, i-sweepAhead+1)))
		}
		for _, seq := range ahead {
			if !l.applied(seq) {
				return
			}
		}
		if l.sweeping.round.Load() == round {
			l.sweeping.done.Store(int64(len(entries)))
		}
	})
}

// applied waits until the records up to the number are applied. It reports false if
// the engine ends meanwhile.
func (l *lane) applied(seq uint64) bool {
	for l.sweeping.at.Load() < seq {
		select {
		case <-l.e.running.Done():
			return false
		case <-l.sweeping.moved:
		case <-time.After(sweepPoll):
			if l.e.Err() != nil {
				return false
			}
		}
	}
	return true
}

// pause reports false if the engine ends meanwhile.
func (l *lane) pause(d time.Duration) bool {
	select {
	case <-l.e.running.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// resume goes on with a sweep that a process before this one did not finish.
func (l *lane) resume(ctx context.Context) error {
	if err := l.e.CaughtUp(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	at, step, prog := l.pos, l.step, l.prog
	l.mu.Unlock()
	if prog == nil || at.Swept >= l.end() {
		return nil
	}
	entries, err := l.parts(ctx, step, max(at.Swept, store.Prefix(l.from)))
	if err != nil {
		return err
	}
	l.trickle(entries)
	return nil
}

// sweepEntry is the record that brings one range of ids up to the program in force.
func (l *lane) sweepEntry(lo, hi uint64) identity.Addressed {
	var b event.Builder
	b.Set("from", event.Int(int64(lo))).Set("to", event.Int(int64(hi)))
	return identity.Addressed{Event: event.Event{
		ID: event.ID("sweep:" + strconv.FormatUint(lo, 10)), Type: event.System, Name: event.Sweep, At: l.e.o.Now(), Trust: event.Own, Source: "rapport", Props: b.Object(),
	}}
}
