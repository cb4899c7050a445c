package engine

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// A sweep brings everybody up to the program in force to whom nothing happens. It goes
// through the rows in the order of their numbers, a range at a time, so that it reads and
// writes what lies together: beside the lane the rows of a range are read and asked, and
// the lane takes those whom the program changes between two records.
// The position says how far it came: a process that ended is followed by one that goes
// on from there.

// How many customers a range has, about: fewer if histories are read. Whoever of two looks
// at it is done first waits for the other, and of 512 each looked at a page and rested once:
// a sixth of their time went by so.
const (
	sweepSize   = 2048
	historySize = 128
)

// mostApart is how many rows a range has for each of its customers, at most: most rows
// are signposts, and where many were erased there are none.
const mostApart = 16

// fewRows are passed over within a moment, so whoever waits for what was heard waits for
// a sweep of them.
const fewRows = 1 << 14

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
	few, many int64         // customers of a range, about: if histories are read, and if not
	moment    int64         // a sweep of so many rows is waited for
	part      int64         // numbers of the next range; 0: where it ends is not known yet
	next      int64         // the first number that nobody has looked at
	end       int64         // the last number of whom it comes to
	ranges    []*swept      // that are looked at, or wait for the lane
	fresh     []identity.ID // who lives, and is not in the store as somebody who does: its first range brings them up
	// touched are whom batches hold changes of, by number of the batch: those under way,
	// and those that were when a range was begun.
	touched map[uint64]map[identity.ID]struct{}
	begun   chan struct{} // gets one when a sweep begins
	ready   chan *swept   // gets a range that was looked at
	pace    pace
	waits   *swept       // it waits for a record, or is taken; only the lane's goroutine asks
	under   atomic.Bool  // a sweep is under way
	short   atomic.Bool  // and whoever waits for what was heard waits for it
	ended   atomic.Int64 // how many sweeps have come to everybody
}

// restart begins the sweep of the turns that the lane has, and makes what was looked at
// for others old. The lock is held.
func (l *lane) restart() {
	s := &l.sweeping
	for _, r := range s.ranges {
		r.old = true
		r.stop()
	}
	s.ranges, s.part, s.fresh, s.touched = nil, 0, nil, nil
	under := l.behind()
	s.short.Store(under)
	s.under.Store(under)
	if under {
		s.pace.begin(tempoOf(l.turns.light()), time.Now())
		s.next = max(l.pos.Turns[l.turns.n-1].Swept, 1)
		s.touched = map[uint64]map[identity.ID]struct{}{}
		for _, b := range l.underWay() {
			for _, it := range b.dirty {
				s.touch(b.number, it.id)
				if it.lives() && (it.row == 0 || it.signpost || it.settled == b.number) {
					s.fresh = append(s.fresh, it.id)
				}
			}
		}
		select {
		case s.begun <- struct{}{}:
		default:
		}
	}
}

// underWay returns the batches that the store does not have yet. The lock is held.
func (l *lane) underWay() []*batch {
	if l.inflight != nil {
		return []*batch{l.inflight, l.open}
	}
	return []*batch{l.open}
}

// swept is a range of rows that a sweep looks at.
type swept struct {
	pos    store.Position
	turns  *turns
	light  bool          // no histories are read
	inTurn bool          // it is not looked at while a commit is written
	paced  bool          // and whoever looks at it rests
	lo, hi int64         // numbers, both included
	batch  uint64        // the first that the store did not have when it began
	found                // by whoever looked
	taken  int           // of those who change
	late   []identity.ID // whom the lane brings up itself, since what was read of them is old
	all    bool          // late has everybody whom it should
	old    bool          // another program has come into force
	stop   func()        // looking at it
}

// waitedFor reports whether whoever waits for what was heard waits for a sweep too.
func (s *sweeping) waitedFor() bool { return s.under.Load() && s.short.Load() }

// touch notes that the profile changes. The lock is held.
func (l *lane) touch(it *item) {
	l.gather(it)
	l.open.touch(it)
	if l.sweeping.touched != nil {
		l.sweeping.touch(l.open.number, it.id)
	}
}

func (s *sweeping) touch(batch uint64, id identity.ID) {
	of := s.touched[batch]
	if of == nil {
		of = map[identity.ID]struct{}{}
		s.touched[batch] = of
	}
	of[id] = struct{}{}
}

// older reports whether what was read of a customer for the range is old: the store did
// not have them as they were, or they have changed since. The lock is held.
func (l *lane) older(r *swept, id identity.ID) bool {
	for batch := r.batch; batch <= l.open.number; batch++ {
		if _, touched := l.sweeping.touched[batch][id]; touched {
			return true
		}
	}
	return false
}

// leaveRange forgets a range that was taken, and what only it asked for. The lock is held.
func (l *lane) leaveRange(r *swept) {
	s := &l.sweeping
	s.ranges = slices.DeleteFunc(s.ranges, func(x *swept) bool { return x == r })
	first := l.underWay()[0].number
	for _, r := range s.ranges {
		first = min(first, r.batch)
	}
	maps.DeleteFunc(s.touched, func(batch uint64, _ map[identity.ID]struct{}) bool { return batch < first })
}

// Swept returns how far the present sweep is, or the last one was: done of all rows.
func (e *Engine) Swept() (done, of int64) {
	for _, l := range e.lanes {
		l.mu.Lock()
		all := max(l.sweeping.end, 1)
		of += all
		if !l.behind() {
			done += all
		} else if l.sweeping.part > 0 {
			done += max(l.pos.Turns[l.pos.Force()-1].Swept-1, 0)
		}
		l.mu.Unlock()
	}
	return done, of
}

// plan finds where those end whom a sweep of the turns comes to.
func (l *lane) plan(ctx context.Context, of *turns) error {
	last, err := l.e.o.Store.LastNumber(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns != of { // whoever came since is no newcomer to those that are in force now
		return nil
	}
	s := &l.sweeping
	s.end = max(last, s.next) // nobody behind it is in the store under an earlier program
	s.part = s.size(of)
	s.short.Store(s.end <= s.moment)
	return nil
}

// size is how many customers a range of the turns has, about.
func (s *sweeping) size(of *turns) int64 {
	if of.light() {
		return s.many
	}
	return s.few
}

// widen makes the next range as long as this one should have been to have the customers
// that it is to have, of whom it had so many.
func (s *sweeping) widen(r *swept, customers int) {
	size, numbers := s.size(r.turns), r.hi-r.lo+1
	s.part = min(max(numbers*size/max(int64(customers), 1), 1), 2*numbers, mostApart*size)
}

// beginRange begins to look at the next range; nil if there is none, or not yet. The
// lock is held.
func (l *lane) beginRange() *swept {
	s := &l.sweeping
	if s.part == 0 || s.next > s.end || !l.behind() {
		return nil
	}
	r := &swept{
		pos: l.pos, turns: l.turns, light: l.turns.light(), lo: s.next, hi: min(s.next+s.part-1, s.end), batch: l.underWay()[0].number,
		late: s.fresh,
	}
	s.next, s.fresh = r.hi+1, nil
	s.ranges = append(s.ranges, r)
	return r
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
		if l.older(r, c.row.ID) {
			r.late = append(r.late, c.row.ID)
		} else if err := l.takeChange(c); err != nil {
			return false, err
		}
		*c = change{}
	}
	l.cache.shrink(most)
	if r.taken < len(r.changed) {
		return false, nil
	}
	if !r.all {
		r.all = true
		for _, id := range r.same {
			if l.older(r, id) {
				r.late = append(r.late, id)
			}
		}
	}
	some := r.late[:min(most, len(r.late))]
	if err := l.takeLate(ctx, some); err != nil {
		return false, err
	}
	if r.late = r.late[len(some):]; len(r.late) > 0 {
		return false, nil
	}
	l.leaveRange(r)
	turn := &l.pos.Turns[l.turns.n-1]
	if turn.Swept = r.hi + 1; r.hi < l.sweeping.end {
		l.know(r)
		return true, nil
	}
	turn.Swept = store.Everybody
	l.pos.Turns = [store.MaxTurns]store.Turn{*turn}
	l.turns = &turns{list: l.pos.Turns, n: 1, progs: [store.MaxTurns]*core.Program{l.prog}}
	l.sweeping.ended.Add(1)
	l.sweeping.under.Store(false)
	l.sweeping.touched = nil
	return true, nil
}

// know sees to it that what is in memory of whom a range did not change says that they
// were asked: the position says so by the numbers of rows, which the cache does not have.
// The lock is held.
func (l *lane) know(r *swept) {
	program := l.pos.Program()
	for _, id := range r.same {
		switch it := l.cache.items[id]; {
		case it != nil:
			l.underProgram(it, program)
		case l.cache.resting[id] == nil:
			l.cache.rows.drop(id)
		}
	}
}

// takeChange takes what the program in force makes of a customer. Who is not in the
// cache comes there only now: a sweep is no visit. The lock is held.
func (l *lane) takeChange(c *change) error {
	it := l.cache.items[c.row.ID]
	switch {
	case it != nil && it.damaged:
		return nil
	case c.p == nil && it == nil:
		l.admit(c.row.ID, text(c.row.Body)+text(c.row.Rest), c.row.Number)
		return nil
	case c.p == nil:
		return nil
	case it == nil:
		it = l.hold(c.p, len(c.row.Body)+len(c.row.Rest), profile.InParts(text(c.row.Body)), c.row.Number)
		l.cache.pass(it)
	}
	if c.err != nil {
		if err := l.leave(it, c.err); err != nil {
			return err
		}
	} else {
		l.takeTurns(it, c.made)
	}
	switch {
	case it.passes && it.pins == 0:
		l.cache.away(it)
	case it.passes:
		l.open.bytes += int(it.size) // it stays as large as it is until the commit
	}
	return nil
}

// takeLate brings up those of whom what was read is old. The lock is held.
func (l *lane) takeLate(ctx context.Context, ids []identity.ID) error {
	slices.SortFunc(ids, identity.ID.Compare)
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
	known, turns := l.sweeping.part > 0, l.turns
	l.mu.Unlock()
	if !known {
		if err := l.plan(ctx, turns); err != nil {
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
	default:
		l.sweeping.widen(r, len(r.changed)+len(r.same))
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
	for all := false; !all && err == nil; {
		all, err = l.takeRange(ctx, r, max(len(r.changed), sweepSlice))
	}
	return err
}
