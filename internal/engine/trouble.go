package engine

import (
	"context"
	"errors"
	"time"

	"rapport/internal/fault"
)

// probeFor bounds the try by which Trouble asks the log whether it can be written
// again: whoever asks for readiness does not wait longer.
const probeFor = time.Second

// Trouble returns why the engine does not do its work at present, though it may
// again without anybody's help: the log cannot be written, or state cannot be
// committed and a lane keeps going back. It is nil if all is well, and
// [Engine.Err] if the engine has stopped for good.
//
// While a log refuses, each call tries a tick: a balancer that sends nobody to a
// node that is not ready would else never learn that it is ready again.
func (e *Engine) Trouble() error {
	if err := e.Err(); err != nil {
		return err
	}
	for _, l := range e.lanes {
		if why := l.stuck.Load(); why != nil {
			return fault.Wrap(fault.Unavailable, *why, "what is heard cannot be put into the state at present")
		}
		if l.refused.Load() == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), probeFor)
		err := l.tick(ctx, l.e.o.Now())
		cancel()
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the log cannot be written at present")
		}
	}
	return nil
}

// noteAppend notes whether the log could be written. That more arrived than it
// could take has no cause but itself, and passes.
func (l *lane) noteAppend(err error) {
	var f *fault.Error
	switch {
	case err == nil:
		if l.refused.Load() != nil {
			l.refused.Store(nil)
		}
	case errors.As(err, &f) && f.Kind == fault.Unavailable && f.Cause != nil:
		l.refused.Store(&err)
	}
}
