package engine

import (
	"context"
	"errors"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// counts reports whether an event whose id the history knows counts there. If its
// import was undone it does not, and the event may come again by another import.
// The lock is held.
func (l *lane) counts(ctx context.Context, it *item, e *event.Event) (bool, error) {
	if it.gone == nil {
		it.gone = map[uint64]struct{}{}
		history, err := l.history(ctx, it.p, nil)
		if _, damaged := errors.AsType[*poison](err); damaged {
			return true, nil // what cannot be read is not taken back
		}
		if err != nil {
			it.gone = nil
			return false, err
		}
		events := make([]*event.Event, len(history))
		for i := range history {
			events[i] = &history[i].Event
		}
		if _, gone := core.Counting(events); gone != nil {
			it.gone = gone
		}
	}
	_, out := it.gone[profile.Fingerprint(e.ID)]
	return !out, nil
}

// Arrived waits, after Start, until everything that is in the logs now is applied
// and committed, and so is what follows from it at other homes. What comes later
// need not have.
func (e *Engine) Arrived(ctx context.Context) error {
	// An entry is forwarded at most so often, and each round moves all of them on.
	for range identity.MaxHops + 1 {
		if err := e.CaughtUp(ctx); err != nil {
			return err
		}
		for _, l := range e.lanes {
			for owed := l.debt(); owed > 0 && !l.settled(owed); {
				if err := l.wait(ctx, caughtUpPoll); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// debt returns the number of the last forward that is committed.
func (l *lane) debt() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owed
}

// settled reports whether the forwards up to the number are appended.
func (l *lane) settled(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paid >= number
}
