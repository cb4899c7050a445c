package engine

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// Whoever looks at a range of a sweep reads its rows, and their histories where the
// program asks them, beside the lane, and finds whom the program changes.

// sweepPage is how many customers are read at once.
const sweepPage = 256

// found is what the program makes of some rows.
type found struct {
	changed []change
	same    []identity.ID // of whom the store need not know
}

func (f *found) add(more found) {
	f.changed, f.same = append(f.changed, more.changed...), append(f.same, more.same...)
}

// change is what the program in force makes of a customer.
type change struct {
	row  *store.Row
	p    *profile.Profile // as the store has them; nil: their row is damaged
	made []made
	err  error // why it could not be asked
}

// look reads who lives in a range and asks what the program makes of them, on half of the
// processors: commits of whom that changes have the rest to themselves, and whoever is
// live waits less. Where few are left it rests now and then. It changes nothing and needs
// no lock.
func (l *lane) look(ctx context.Context, r *swept) error {
	processors := int64(runtime.GOMAXPROCS(0))
	workers := (processors + 1) / 2
	if r.light {
		workers = min(max(workers, 2), processors)
	}
	r.paced = workers+1 >= processors && l.e.running != nil // else nobody is live
	r.inTurn = r.paced && !r.light
	workers = min(workers, r.hi-r.lo+1)
	parts := make([]found, workers)
	errs := make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			n := r.hi - r.lo + 1
			parts[i], errs[i] = l.lookAt(ctx, r, r.lo+n*i/workers, r.lo+n*(i+1)/workers-1)
		})
	}
	all.Wait()
	for i := range parts {
		if errs[i] != nil {
			return errs[i]
		}
		r.add(parts[i])
	}
	return nil
}

// memory is what customers are read into, and asked in, one after the other.
type memory struct {
	page   store.Page // rows, if hardly anybody of them is kept
	room   profile.Room
	passed passing
	into   *reading
	over   time.Duration // how much longer the last rest was than it should have been
}

// lookAt looks at a part of a range.
func (l *lane) lookAt(ctx context.Context, r *swept, lo, hi int64) (all found, err error) {
	m := memory{into: readings.Get().(*reading)}
	defer m.into.done()
	step, page := askedAtOnce, (*store.Page)(nil)
	if r.light {
		step, page = sweepPage, &m.page
	}
	for {
		began := time.Now()
		rows, err := l.e.o.Store.Census(ctx, lo, hi, l.from, l.to, sweepPage, page)
		if err != nil {
			return all, err
		}
		work := time.Since(began)
		for i := 0; i < len(rows); i += step {
			some := rows[i:min(i+step, len(rows))]
			if r.inTurn {
				l.turn.RLock()
			}
			began = time.Now()
			found, err := l.ask(ctx, r, &m, some)
			now := time.Now()
			if r.inTurn {
				l.turn.RUnlock()
			}
			if err != nil {
				return all, err
			}
			all.add(found)
			if work += now.Sub(began); r.paced {
				m.over = rest(l.sweeping.pace.after(len(some)*len(l.e.lanes), work, now)-m.over, now)
			}
			work = 0
		}
		if len(rows) < sweepPage {
			return all, ctx.Err()
		}
		lo = rows[len(rows)-1].Number + 1
	}
}

// askedAtOnce is of how many customers the histories are read at once.
const askedAtOnce = 64

// ask asks what the program makes of rows.
func (l *lane) ask(ctx context.Context, r *swept, m *memory, rows []store.Row) (some found, err error) {
	var behind []change
	var strands []store.Strand
	for i := range rows {
		giveWay(i)
		c := change{row: &rows[i]}
		if r.light {
			if r.unchanged(ctx, c.row, m) {
				some.same = append(some.same, c.row.ID)
				continue
			}
			c.row = copied(c.row)
		}
		p, err := readRow(c.row.ID, text(c.row.Body), text(c.row.Rest))
		if err != nil {
			some.changed = append(some.changed, c) // admit says what is wrong with it
			continue
		}
		p.Program = r.pos.Evaluated(p, c.row.Number)
		if r.turns.last().Current(p) {
			some.same = append(some.same, p.ID)
			continue
		}
		c.p = p
		behind = append(behind, c)
		if r.turns.reads(p) {
			strands = append(strands, store.Strand{ID: p.ID, Head: c.row.Head})
			for _, id := range p.Strands {
				strands = append(strands, store.Strand{ID: id})
			}
		}
	}
	blocks, err := l.histories(ctx, strands)
	if err != nil {
		return some, err
	}
	history := l.historyOf(blocks, false, m.into) // who has more than what is committed is older
	for i := range behind {
		c := &behind[i]
		if r.pass(ctx, c, history, nil); c.counts() {
			some.changed = append(some.changed, *c)
		} else {
			some.same = append(some.same, c.row.ID)
		}
		giveWay(i)
	}
	return some, nil
}

// copied is a copy of a row, for its page is written over.
func copied(row *store.Row) *store.Row {
	own := *row
	both := slices.Concat(row.Body, row.Rest)
	own.Body, own.Rest = both[:len(row.Body):len(row.Body)], both[len(row.Body):]
	return &own
}

// giveWay lets whoever is live go first, after a few tenths of a millisecond. Each time costs
// the scheduler some microseconds, as in the store.
func giveWay(n int) {
	if n%16 == 0 {
		runtime.Gosched()
	}
}

// pass asks what the program makes of a customer.
func (r *swept) pass(ctx context.Context, c *change, history past, room *passing) {
	c.made, c.err = r.turns.pass(ctx, c.p, r.turns.list[r.turns.n-1].Since, history, room)
}

// unchanged reports whether the program changes nothing of a customer, if their row alone
// can tell: of nine in ten no more need be known, and what is decoded of them is written
// over by the next.
func (r *swept) unchanged(ctx context.Context, row *store.Row, m *memory) bool {
	p, err := m.room.Decode(text(row.Body), text(row.Rest))
	if err != nil || p.ID != row.ID {
		return false
	}
	p.Program = r.pos.Evaluated(p, row.Number)
	if r.turns.last().Current(p) {
		return true
	}
	if r.turns.reads(p) {
		return false
	}
	c := change{p: p}
	r.pass(ctx, &c, nil, &m.passed)
	return !c.counts()
}

// counts reports whether the lane need know.
func (c *change) counts() bool {
	if c.err != nil {
		return true
	}
	for i := range c.made {
		if !c.made[i].eff.None() {
			return true
		}
	}
	return !c.made[len(c.made)-1].next.Same(c.p)
}
