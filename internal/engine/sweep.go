package engine

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// A sweep brings everybody up to the program in force to whom nothing happens. It goes
// through the ids in order, a range at a time: beside the lane the rows of a range are
// read and asked, and the lane takes those whom the program changes between two records.
// The position says how far it came: a process that ended is followed by one that goes
// on from there.

// How many customers a range has, about: fewer if histories are read.
const (
	sweepSize   = 512
	historySize = 128
)

// sweepPage is how many customers are read at once.
const sweepPage = 256

// A sweep of few ranges is waited for by whoever waits for what was heard.
const fewRanges = 32

const (
	sweepWait  = time.Millisecond // how long the lane may wait for a record while a range waits for it
	sweepRetry = time.Second      // how long a sweep waits for a store that does not answer
)

// sweepSlice is how many customers the lane takes from a range between two looks at
// the log: about a millisecond.
const sweepSlice = 32

// sweeping is where the sweep of a lane is. What is not atomic is guarded by the
// lane's lock.
type sweeping struct {
	part   uint32        // prefixes of a range; 0: it is not known yet
	next   uint32        // the first prefix that nobody has looked at
	ranges []*swept      // that are looked at, or wait for the lane
	begun  chan struct{} // gets one when a sweep begins
	ready  chan *swept   // gets a range that was looked at
	waits  *swept        // it waits for a record, or is taken; only the lane's goroutine asks
	under  atomic.Bool   // a sweep is under way
	short  atomic.Bool   // and whoever waits for what was heard waits for it
	ended  atomic.Int64  // how many sweeps have come to everybody
}

// restart begins the sweep of the turns that the lane has, and makes what was looked at
// for others old. The lock is held.
func (l *lane) restart() {
	s := &l.sweeping
	for _, r := range s.ranges {
		r.old = true
		r.stop()
	}
	s.ranges, s.part = nil, 0
	under := l.behind()
	s.short.Store(under)
	s.under.Store(under)
	if under {
		s.next = l.pos.Turns[l.turns.n-1].Swept
		select {
		case s.begun <- struct{}{}:
		default:
		}
	}
}

// swept is a range of ids that a sweep looks at.
type swept struct {
	pos    store.Position
	turns  *turns
	light  bool   // no histories are read
	inTurn bool   // it is not looked at while a commit is written
	lo, hi uint32 // prefixes, both included
	// touched are those in the range whom the store did not have as they were when it
	// began, or who have changed since: what was read of them is old.
	touched map[identity.ID]struct{}
	changed []change // in order of id
	taken   int      // of them
	old     bool     // another program has come into force
	stop    func()   // looking at it
}

// change is what the program in force makes of a customer.
type change struct {
	row  *store.Row
	p    *profile.Profile // as the store has them; nil: their row is damaged
	made []made
	err  error // why it could not be asked
}

// waitedFor reports whether whoever waits for what was heard waits for a sweep too.
func (s *sweeping) waitedFor() bool { return s.under.Load() && s.short.Load() }

// touch notes that the profile changes. The lock is held.
func (l *lane) touch(it *item) {
	l.gather(it)
	l.open.touch(it)
	for _, r := range l.sweeping.ranges {
		if at := store.Prefix(it.id); r.lo <= at && at <= r.hi {
			r.touched[it.id] = struct{}{}
		}
	}
}

// Swept returns how far the present sweep is, or the last one was: done of all parts
// of the range of ids.
func (e *Engine) Swept() (done, of int64) {
	for _, l := range e.lanes {
		l.mu.Lock()
		first := store.Prefix(l.from)
		of += int64(l.end() - first)
		swept := l.end()
		if n := l.pos.Force(); n > 0 {
			swept = min(swept, l.pos.Turns[n-1].Swept)
		}
		done += int64(swept - first)
		l.mu.Unlock()
	}
	return done, of
}

// plan decides how large a range is.
func (l *lane) plan(ctx context.Context) error {
	s := &l.sweeping
	stats, err := l.e.o.Store.Stats(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	size := uint64(historySize)
	if l.turns.light() {
		size = sweepSize
	}
	all := uint64(l.end() - store.Prefix(l.from))
	living := max(uint64(stats["living"])/uint64(len(l.e.lanes)), 1)
	s.part = uint32(min(max(all*size/living, 1), all))
	s.short.Store(all <= fewRanges*uint64(s.part))
	return nil
}

// beginRange begins to look at the next range; nil if there is none, or not yet. The
// lock is held.
func (l *lane) beginRange() *swept {
	s := &l.sweeping
	if s.part == 0 || s.next >= l.end() || !l.behind() {
		return nil
	}
	r := &swept{
		pos: l.pos, turns: l.turns, light: l.turns.light(), lo: s.next, hi: min(s.next+s.part, l.end()) - 1, touched: map[identity.ID]struct{}{},
	}
	for _, b := range []*batch{l.inflight, l.open} {
		if b == nil {
			continue
		}
		for _, it := range b.dirty {
			if at := store.Prefix(it.id); r.lo <= at && at <= r.hi {
				r.touched[it.id] = struct{}{}
			}
		}
	}
	s.next = r.hi + 1
	s.ranges = append(s.ranges, r)
	return r
}

// look reads who lives in a range and asks what the program makes of them, on every
// processor, or on half of them where histories are read: commits of whom that changes
// have the rest to themselves, and whoever is live waits less. It changes nothing and
// needs no lock.
func (l *lane) look(ctx context.Context, r *swept) error {
	processors := uint32(runtime.GOMAXPROCS(0))
	workers := processors
	if !r.light {
		workers = (processors + 1) / 2
		r.inTurn = workers+1 >= processors && l.e.running != nil // else nobody is live
	}
	workers = min(workers, r.hi-r.lo+1)
	parts := make([][]change, workers)
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
		r.changed = append(r.changed, parts[i]...)
	}
	return nil
}

// lookAt looks at a part of a range.
func (l *lane) lookAt(ctx context.Context, r *swept, lo, hi uint32) (changed []change, err error) {
	var room profile.Room
	into := readings.Get().(*reading)
	defer into.done()
	from, to := ends(lo, hi)
	for {
		rows, err := l.e.o.Store.Living(ctx, from, to, sweepPage)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(rows); i += askedAtOnce {
			if r.inTurn {
				l.turn.RLock()
			}
			found, err := l.ask(ctx, r, &room, into, rows[i:min(i+askedAtOnce, len(rows))])
			if r.inTurn {
				l.turn.RUnlock()
			}
			if err != nil {
				return nil, err
			}
			changed = append(changed, found...)
			if r.inTurn {
				time.Sleep(breath)
			}
		}
		if len(rows) < sweepPage {
			return changed, ctx.Err()
		}
		from = Next(rows[len(rows)-1].ID)
	}
}

// breath is how long, at the least, whoever looks at histories in turn rests after some
// of them. The processor then takes what waits at another one that is away in C or at the
// disk, which it does not while it has work of its own.
const breath = 100 * time.Microsecond

// askedAtOnce is of how many customers the histories are read at once.
const askedAtOnce = 64

// ask asks what the program makes of rows, and returns those of which the lane need know.
func (l *lane) ask(ctx context.Context, r *swept, room *profile.Room, into *reading, rows []store.Row) (changed []change, err error) {
	var behind []change
	var strands []store.Strand
	for i := range rows {
		giveWay(i)
		c := change{row: &rows[i]}
		if r.light && r.unchanged(ctx, c.row, room) {
			continue
		}
		p, err := readRow(c.row.ID, text(c.row.Body), text(c.row.Rest))
		if err != nil {
			changed = append(changed, c) // admit says what is wrong with it
			continue
		}
		p.Program = r.pos.Evaluated(p)
		if r.turns.last().Current(p) {
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
		return nil, err
	}
	history := l.historyOf(blocks, false, into) // who has more than what is committed is touched
	for i := range behind {
		c := &behind[i]
		if r.pass(ctx, c, history); c.counts() {
			changed = append(changed, *c)
		}
		giveWay(i)
	}
	return changed, nil
}

// giveWay lets whoever is live go first, after a tenth of a millisecond or two.
func giveWay(n int) {
	if n%8 == 0 {
		runtime.Gosched()
	}
}

// pass asks what the program makes of a customer.
func (r *swept) pass(ctx context.Context, c *change, history past) {
	c.made, c.err = r.turns.pass(ctx, c.p, r.turns.list[r.turns.n-1].Since, history)
}

// unchanged reports whether the program changes nothing of a customer, if their row alone
// can tell: of nine in ten no more need be known, and what is decoded of them is written
// over by the next.
func (r *swept) unchanged(ctx context.Context, row *store.Row, room *profile.Room) bool {
	p, err := room.Decode(text(row.Body), text(row.Rest))
	if err != nil || p.ID != row.ID {
		return false
	}
	p.Program = r.pos.Evaluated(p)
	if r.turns.last().Current(p) {
		return true
	}
	if r.turns.reads(p) {
		return false
	}
	c := change{p: p}
	r.pass(ctx, &c, nil)
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

// ends returns the first and the last id of a range of prefixes.
func ends(lo, hi uint32) (from, to identity.ID) {
	for i := range to {
		to[i] = 0xff
	}
	from[0], from[1], to[0], to[1] = byte(lo>>8), byte(lo), byte(hi>>8), byte(hi)
	return from, to
}

// takeRange takes what was found in a range, of so many customers at most, between two
// records, and reports whether that was the rest. The lane goes back to its last commit
// after an error.
func (l *lane) takeRange(ctx context.Context, r *swept, most int) (all bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.old {
		return true, nil
	}
	if l.open.since == 0 {
		l.open.since = event.At(time.Now())
	}
	l.open.events++ // the store must know how far it came
	end := min(r.taken+most, len(r.changed))
	for ; r.taken < end; r.taken++ {
		c := &r.changed[r.taken]
		if _, old := r.touched[c.row.ID]; old {
			continue
		}
		if err := l.takeChange(c); err != nil {
			return false, err
		}
		delete(r.touched, c.row.ID) // by this
		*c = change{}
	}
	l.cache.shrink(most)
	if r.taken < len(r.changed) {
		return false, nil
	}
	l.sweeping.ranges = slices.DeleteFunc(l.sweeping.ranges, func(x *swept) bool { return x == r })
	if err := l.takeTouched(ctx, r); err != nil {
		return false, err
	}
	l.pos.Turns[l.turns.n-1].Swept = r.hi + 1
	if !l.behind() {
		l.pos.Turns = [store.MaxTurns]store.Turn{l.pos.Turns[l.turns.n-1]}
		l.turns = &turns{list: l.pos.Turns, n: 1, progs: [store.MaxTurns]*core.Program{l.prog}}
		l.sweeping.ended.Add(1)
		l.sweeping.under.Store(false)
	}
	return true, nil
}

// takeChange takes what the program in force makes of a customer. Who is not in the
// cache comes there only now: a sweep is no visit. The lock is held.
func (l *lane) takeChange(c *change) error {
	it := l.cache.items[c.row.ID]
	switch {
	case it != nil && it.damaged:
		return nil
	case c.p == nil && it == nil:
		l.admit(c.row.ID, text(c.row.Body)+text(c.row.Rest))
		return nil
	case c.p == nil:
		return nil
	case it == nil:
		it = l.hold(c.p, len(c.row.Body)+len(c.row.Rest), profile.InParts(text(c.row.Body)))
		l.cache.pass(it)
	}
	if c.err != nil {
		return l.leave(it, c.err)
	}
	l.takeTurns(it, c.made)
	return nil
}

// takeTouched brings up those of whom the store did not have what was known. The lock
// is held.
func (l *lane) takeTouched(ctx context.Context, r *swept) error {
	ids := slices.SortedFunc(maps.Keys(r.touched), identity.ID.Compare)
	if err := l.bring(ctx, ids); err != nil {
		return err
	}
	for _, id := range ids {
		it := l.cache.items[id]
		if it == nil || it.damaged {
			continue
		}
		if err := l.current(ctx, it, l.pos.Now); err != nil {
			if err := l.leave(it, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweeps looks at ranges for as long as the engine runs, one more than the lane takes.
func (l *lane) sweeps(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.sweeping.begun:
		}
		for l.sweeping.under.Load() {
			r, err := l.nextRange(ctx)
			var ready chan<- *swept
			var over <-chan time.Time
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				l.e.log.Warn("a sweep of customers goes on when the store answers again", "error", err)
				over = time.After(sweepRetry)
			case r == nil: // the last ranges wait for the lane
				over = time.After(sweepWait)
			default:
				ready = l.sweeping.ready
			}
			select {
			case <-ctx.Done():
				return
			case ready <- r:
			case <-over:
			}
		}
	}
}

// nextRange looks at the next range; nil if all were looked at.
func (l *lane) nextRange(ctx context.Context) (*swept, error) {
	l.mu.Lock()
	known := l.sweeping.part > 0
	l.mu.Unlock()
	if !known {
		if err := l.plan(ctx); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	r := l.beginRange()
	if r == nil {
		l.mu.Unlock()
		return nil, nil
	}
	ctx, r.stop = context.WithCancel(ctx)
	l.mu.Unlock()
	defer r.stop()
	err := l.look(ctx, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.old: // what it was looked at for is
		return nil, nil
	case err != nil:
		l.restart()
		l.sweeping.short.Store(false) // nobody waits for what cannot go on
	}
	return r, err
}

// takeReady takes a range that was looked at, if there is one. Readers of the feed ask
// for what was told behind a record, so no two commits may end at one: a range comes
// after a record that is not committed.
func (l *lane) takeReady(ctx context.Context) error {
	s := &l.sweeping
	if s.waits == nil {
		select {
		case s.waits = <-s.ready:
		default:
			return nil
		}
	}
	if l.open.from.Seq == l.pos.Seq {
		return l.nextRecord(ctx)
	}
	all, err := l.takeRange(ctx, s.waits, sweepSlice)
	if all {
		s.waits = nil
	}
	return err
}

// sweepOn does the next piece of a sweep, for a lane that has nothing else to do.
func (l *lane) sweepOn(ctx context.Context) error {
	if l.open.from.Seq == l.pos.Seq {
		return l.nextRecord(ctx)
	}
	r, err := l.nextRange(ctx)
	if err != nil || r == nil {
		return err
	}
	_, err = l.takeRange(ctx, r, len(r.changed))
	return err
}
