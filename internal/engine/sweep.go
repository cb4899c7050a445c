package engine

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
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

// One Sweep record brings about sweepSize customers up to the program, or historySize
// if histories are read: a few milliseconds of work, so that live records pass
// between two of them.
const (
	sweepSize   = 200
	historySize = 60
)

// sweepPage is how many customers are read at once.
const sweepPage = 256

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

// sweep appends the records that bring every profile of the lane up to the
// program in force, or sees to it that they are appended one after the other.
func (l *lane) sweep(ctx context.Context, step *core.Step) error {
	entries, err := l.parts(ctx, step, store.Prefix(l.from))
	if err != nil {
		return err
	}
	if l.e.running != nil && len(entries) > l.e.o.SweepAtOnce {
		l.trickle(entries)
		return nil
	}
	l.sweeping.done.Store(0)
	l.sweeping.of.Store(int64(len(entries)))
	for len(entries) > 0 {
		n := min(len(entries), 16)
		if err := l.append(ctx, entries[:n]); err != nil {
			return err
		}
		l.sweeping.done.Add(int64(n))
		entries = entries[n:]
	}
	return nil
}

// parts returns the records of a sweep by a step, from a prefix on. They cut the
// range of ids into equal parts.
func (l *lane) parts(ctx context.Context, step *core.Step, first uint32) (entries []identity.Addressed, err error) {
	stats, err := l.e.o.Store.Stats(ctx)
	if err != nil {
		return nil, err
	}
	size := uint64(historySize)
	if step.Light() {
		size = sweepSize
	}
	lane, left := uint64(l.end()-store.Prefix(l.from)), uint64(l.end()-first)
	living := uint64(stats["living"]) / uint64(len(l.e.lanes)) * left / lane
	parts := min(living/size+1, left)
	for i := range parts {
		lo, hi := uint64(first)+left*i/parts, uint64(first)+left*(i+1)/parts-1
		entries = append(entries, l.sweepEntry(lo, hi))
	}
	return entries, nil
}

// sweepRange catches up the profiles of one range. The lock is held.
func (l *lane) sweepRange(ctx context.Context, e *event.Event, now event.Time) error {
	lo, err1 := strconv.ParseUint(e.Props.Text("from"), 10, 16)
	hi, err2 := strconv.ParseUint(e.Props.Text("to"), 10, 16)
	if err1 != nil || err2 != nil {
		return fault.New(fault.Corrupt, "a sweep without a range")
	}
	if hi < lo || lo > uint64(l.pos.Swept) || hi < uint64(l.pos.Swept) {
		return nil // of the sweep before this one, or come to already
	}
	all, err := l.livingIn(ctx, lo, hi)
	if err != nil {
		return err
	}
	for i := range all {
		l.awaken(all[i].row.ID)
	}
	share := fewAtOnce
	if !l.step.Light() {
		share = 1
	}
	each(len(all), share, func(i int) { l.bringUp(ctx, &all[i], now) })
	for i := range all {
		if s := &all[i]; s.next != nil || s.err != nil || s.p == nil && s.it == nil {
			if err := l.sweep1(s, now); err != nil {
				return err
			}
		}
	}
	for _, id := range l.unstored {
		if at := uint64(store.Prefix(id)); at < lo || at > hi {
			continue
		}
		l.awaken(id)
		it := l.cache.items[id] // who went from it is in the store by now
		if it == nil || it.damaged || l.prog.Current(it.p) {
			continue
		}
		s := swept{it: it, p: it.p}
		s.next, s.eff, s.err = l.caughtUp(ctx, it.p, now)
		if err := l.sweep1(&s, now); err != nil {
			return err
		}
	}
	l.pos.Swept = uint32(hi) + 1
	l.cache.shrink()
	return nil
}

// awaken decodes a profile that rests: what the store has of it is old. The lock is held.
func (l *lane) awaken(id identity.ID) {
	if l.cache.resting[id] != nil {
		l.admit(id, "")
	}
}

// noteUnstored notes who is not in the store when the program changes: a sweep reads
// the store, and must come to them too. The lock is held.
func (l *lane) noteUnstored() {
	l.unstored = nil
	for _, b := range []*batch{l.inflight, l.open} {
		if b == nil {
			continue
		}
		for id, it := range b.dirty { // order does not matter: sorted below
			if it.row == 0 {
				l.unstored = append(l.unstored, id)
			}
		}
	}
	slices.SortFunc(l.unstored, identity.ID.Compare)
	l.unstored = slices.Compact(l.unstored)
}

// ends returns the first and the last id of a range by its first two bytes.
func ends(lo, hi uint64) (from, to identity.ID) {
	for i := range to {
		to[i] = 0xff
	}
	from[0], from[1], to[0], to[1] = byte(lo>>8), byte(lo), byte(hi>>8), byte(hi)
	return from, to
}

// swept is what a sweep made of one row.
type swept struct {
	row  *store.Row       // as the store has it; nil: only the cache knows it
	it   *item            // nil: it is not in the cache
	p    *profile.Profile // as it is; nil: its row is damaged
	next *profile.Profile // under the program in force; nil: there is nothing to do, or err says why not
	eff  core.Effects
	err  error
}

// livingIn reads who lives within a range of prefixes, parts of it on every processor.
func (l *lane) livingIn(ctx context.Context, lo, hi uint64) (all []swept, err error) {
	parts := make([][]store.Row, min(uint64(runtime.GOMAXPROCS(0)), hi-lo+1))
	errs := make([]error, len(parts))
	each(len(parts), 1, func(i int) {
		n := uint64(len(parts))
		from, to := ends(lo+(hi-lo+1)*uint64(i)/n, lo+(hi-lo+1)*uint64(i+1)/n-1)
		for {
			rows, err := l.e.o.Store.Living(ctx, from, to, sweepPage)
			parts[i], errs[i] = append(parts[i], rows...), err
			if err != nil || len(rows) < sweepPage {
				return
			}
			from = Next(rows[len(rows)-1].ID)
		}
	})
	for i, rows := range parts {
		if errs[i] != nil {
			return nil, errs[i]
		}
		for k := range rows {
			all = append(all, swept{row: &rows[k]})
		}
	}
	return all, nil
}

// bringUp makes of a row what the program in force does, and nothing of whom it does
// not change. It changes nothing else: it is done for several at once. The lock is held.
func (l *lane) bringUp(ctx context.Context, s *swept, now event.Time) {
	s.it = l.cache.items[s.row.ID]
	switch {
	case s.it == nil:
		p, err := readRow(s.row.ID, text(s.row.Body), text(s.row.Rest))
		if err != nil {
			return // admit says what is wrong with it
		}
		p.Program = l.pos.Evaluated(p.ID, p.Program)
		s.p = p
	case !s.it.damaged:
		s.p = s.it.p
	}
	if s.p == nil || l.prog.Current(s.p) {
		return
	}
	s.next, s.eff, s.err = l.caughtUp(ctx, s.p, now)
	if s.it == nil && s.err == nil && s.eff.None() && s.next.Same(s.p) {
		s.next = nil // nobody need know
	}
}

// sweep1 takes what a sweep made of one row. Who is not in the cache comes there only
// now, when something changes: a sweep is no visit. The lock is held.
func (l *lane) sweep1(s *swept, now event.Time) error {
	if s.p == nil {
		l.admit(s.row.ID, text(s.row.Body)+text(s.row.Rest))
		return nil
	}
	if s.it == nil {
		s.it = l.hold(s.p, text(s.row.Body)+text(s.row.Rest))
	}
	switch {
	case s.err != nil:
		return l.leave(s.it, s.err)
	case s.eff.None() && s.next.Same(s.p):
		s.it.p = s.next // the store need not know
	default:
		l.take(s.it, s.next, &s.eff, nil, now)
	}
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
