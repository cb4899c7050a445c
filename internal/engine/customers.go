package engine

import (
	"context"
	"fmt"
	"iter"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// A row names the program under which it was written; under which it counts as
// evaluated, the position of its lane says as well, since a sweep writes only whom it
// changes. So whoever reads rows to ask [core.Program.Current] reads them here.

// How many customers are read at once: few at first, for who wants few.
const (
	firstPage   = 32
	largestPage = 512
)

// Customers yields everybody who lives in the store, in order of id from one on. A row
// that cannot be read is passed over: doctor tells of it. After an error nothing
// follows. The caller may do anything meanwhile, and may or may not meet what changes.
func (e *Engine) Customers(ctx context.Context, from identity.ID) iter.Seq2[*profile.Profile, error] {
	return func(yield func(*profile.Profile, error) bool) {
		for _, l := range e.lanes {
			if l.to.Compare(from) < 0 {
				continue
			}
			if from.Compare(l.from) < 0 {
				from = l.from
			}
			if !l.customers(ctx, from, yield) {
				return
			}
		}
	}
}

// customers yields those of the lane, and reports whether the caller wants more.
func (l *lane) customers(ctx context.Context, from identity.ID, yield func(*profile.Profile, error) bool) bool {
	for size := firstPage; ; size = min(2*size, largestPage) {
		// The position before the rows: it is never ahead of what they say.
		pos, err := l.e.o.Store.Position(ctx, l.n)
		if err != nil {
			return yield(nil, fmt.Errorf("reading the customers: %w", err)) && false
		}
		rows, err := l.e.o.Store.Living(ctx, from, l.to, size)
		if err != nil {
			return yield(nil, fmt.Errorf("reading the customers: %w", err)) && false
		}
		for i := range rows {
			p, err := profile.DecodeParts(text(rows[i].Body), text(rows[i].Rest))
			if err != nil || !p.Lives() {
				continue
			}
			p.Program = pos.Evaluated(p, rows[i].Number)
			if !yield(p, nil) {
				return false
			}
		}
		if len(rows) < size {
			return true
		}
		if from = Next(rows[len(rows)-1].ID); from.Zero() {
			return true
		}
	}
}

// stored returns the profile at a home as the store has it; nil if there is none.
func (l *lane) stored(ctx context.Context, id identity.ID) (*profile.Profile, error) {
	pos, err := l.e.o.Store.Position(ctx, l.n)
	if err != nil {
		return nil, err
	}
	rows, err := l.e.o.Store.Load(ctx, []identity.ID{id})
	if err != nil || rows[0].Body == nil {
		return nil, err
	}
	p, err := profile.Decode(text(rows[0].Body))
	if err != nil {
		return nil, err
	}
	p.Program = pos.Evaluated(p, rows[0].Number)
	return p, nil
}
