package natslog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"rapport/internal/fault"
)

// Trim implements [eventlog.Log].
func (l *Log) Trim(ctx context.Context, n int, upTo uint64) error {
	ln, err := l.lane(n)
	if err != nil {
		return err
	}
	e, err := l.running(false) // a full disk is when it is needed most
	if err != nil {
		return err
	}
	ln.mu.Lock()
	upTo = min(upTo, max(ln.last, 1)-1) // the newest record stays
	ln.first = max(ln.first, upTo+1)    // at once, so that no reader finds half of it
	ln.mu.Unlock()
	if upTo == 0 {
		return nil
	}
	s, err := e.js.Stream(ctx, ln.stream)
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSequence(upTo+1))
	}
	switch {
	case err == nil:
		return nil
	case l.ctx.Err() != nil:
		return errClosed()
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the records of lane %d cannot be trimmed now", n))
}
