package engine

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/killpoint"
	"rapport/internal/store"
)

// maybeCommit begins a commit when one is due and none is under way, and takes
// the result of one that has ended.
func (l *lane) maybeCommit(ctx context.Context, idle bool) error {
	now := time.Now()
	if idle {
		l.breath = now
		// Each commit makes those who read forget their pages, and a long sweep reads all
		// of them: it is load, though the log is empty between two of its records.
		idle = !l.sweeping.under.Load()
	}
	if l.inflight != nil {
		full := l.open.bytes >= 2*l.e.o.DirtyBytes
		if !full {
			select {
			case r := <-l.committed:
				if err := l.finish(ctx, r); err != nil {
					return err
				}
			default:
				return nil
			}
		} else if err := l.settleInflight(ctx); err != nil {
			return err
		}
	}
	if l.open.empty() {
		return nil
	}
	most, urgent := lazy, urgentBusy
	if now.Sub(l.breath) >= flooded {
		most, urgent = urgentFlood, urgentFlood
	}
	age := time.Duration(int64(event.At(now)-l.open.since)) * time.Millisecond
	switch {
	case l.open.bytes >= l.e.o.DirtyBytes, age >= most:
	case l.open.urgent && (idle && age >= urgentIdle || age >= urgent):
	default:
		return nil
	}
	l.begin(ctx)
	return nil
}

// begin sends the open batch to the store and opens the next one. What is written of
// each customer is noted beside the lane, or by the lane before the customer changes.
func (l *lane) begin(ctx context.Context) {
	l.letGo(len(l.leaving))
	l.mu.Lock()
	b := l.open
	b.forwarded, b.runs = l.ackUpTo, l.dirtyRuns()
	s := &l.scratch
	s.noted = slices.Grow(s.noted[:0], len(b.dirty))[:len(b.dirty)]
	clear(s.noted)
	rows := s.noted
	s.rows.clear()
	to := l.pos
	l.batches++
	l.inflight, l.open, l.spare = b, l.spare.renew(l.batches, to), nil
	l.mu.Unlock()

	go func() {
		l.piecemeal(len(rows), func(i int) { l.note(b, i) })
		l.mu.Lock()
		b.noted = true
		l.mu.Unlock()
		// Sorted by id, rows of one lane fall on neighbouring pages.
		slices.SortFunc(rows, func(a, b packed) int { return a.id.Compare(b.id) })
		r := result{rows: rows}
		r.commit = b.pack(l.n, to, rows, l.packer, &l.scratch)
		killpoint.Hit(killpoint.BeforeCommit)
		l.turn.Lock()
		r.err = l.e.o.Store.Commit(context.WithoutCancel(ctx), r.commit)
		l.turn.Unlock()
		if r.err == nil {
			l.piecemeal(len(rows), func(i int) { l.cache.written(&rows[i]) })
			r.nextAlarm, r.unread = l.e.o.Store.NextAlarm(context.WithoutCancel(ctx), l.from, l.to)
		}
		l.committed <- r
	}()
}

// piece is how many rows are worked on before whoever is live goes first, and held for how
// many the lock is held: for less than a tenth of a millisecond.
const (
	piece = 64
	held  = 16
)

// piecemeal calls do for 0 to n−1, with the lock, and lets the lane come between.
func (l *lane) piecemeal(n int, do func(i int)) {
	for first := 0; first < n; first += held {
		l.mu.Lock()
		for i := first; i < min(first+held, n); i++ {
			do(i)
		}
		l.mu.Unlock()
		runtime.Gosched()
	}
}

// letGo lets go of so many of those whom the last commit wrote. Whoever is live does not
// wait until that is done for all of them.
func (l *lane) letGo(n int) {
	if len(l.leaving) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	part := l.leaving[:min(n, len(l.leaving))]
	for i := range part {
		l.cache.release(part[i].it)
	}
	clear(part) // they hold on to profiles
	l.leaving = l.leaving[len(part):]
	l.cache.shrink(len(part))
}

// settleInflight waits for the commit under way.
func (l *lane) settleInflight(ctx context.Context) error {
	if l.inflight == nil {
		return nil
	}
	return l.finish(ctx, <-l.committed)
}

// finish makes the effects of a commit known, or forgets everything that was
// applied since the last good one.
func (l *lane) finish(ctx context.Context, r result) error {
	b := l.inflight
	l.mu.Lock()
	l.inflight = nil
	l.mu.Unlock()
	if r.err != nil {
		if fault.Is(r.err, fault.Conflict) {
			return r.err
		}
		return errors.Join(r.err, l.reset(context.WithoutCancel(ctx)))
	}
	killpoint.Hit(killpoint.AfterCommit)
	l.stuck.Store(nil)
	l.mu.Lock()
	l.leaving = r.rows
	if l.nextAlarm = r.nextAlarm; l.open.fired {
		l.nextAlarm = event.Never // the store does not know what has fired since; the next commit tells
	}
	l.waiting = append(l.waiting, b.forwards...)
	if n := len(b.forwards); n > 0 {
		l.owed = b.forwards[n-1].Number
	}
	if b.forwarded == l.ackUpTo {
		l.ackUpTo = 0
	}
	l.mu.Unlock()
	if len(b.forwards) > 0 {
		l.signal()
	}
	if len(b.claims) > 0 && l.e.o.OnClaims != nil {
		l.e.o.OnClaims(b.claims)
	}
	if len(b.stops) > 0 && l.e.o.OnStops != nil {
		l.e.o.OnStops(b.stops)
	}
	if len(b.grants) > 0 && l.e.o.OnGrants != nil {
		l.e.o.OnGrants(b.grants)
	}
	if len(b.forget) > 0 && l.e.o.OnErased != nil {
		l.e.o.OnErased(b.forget)
	}
	if len(b.deliveries) > 0 && l.e.o.OnPlanned != nil {
		l.e.o.OnPlanned()
	}
	l.told.Store(r.commit.To.Seq)
	l.spare = b
	return r.unread
}

// commitNow commits what is open and waits for it.
func (l *lane) commitNow(ctx context.Context) error {
	if err := l.settleInflight(ctx); err != nil {
		return err
	}
	if l.open.empty() {
		return nil
	}
	l.begin(ctx)
	return l.settleInflight(ctx)
}

// fire fires at most n alarms that have a right to: those up to the now of the
// last applied record. Only committed alarms are known to the store; those of
// profiles with newer state in the cache are told by the cache.
func (l *lane) fire(ctx context.Context, n int) error {
	if len(l.due) == 0 {
		if err := l.findDue(ctx); err != nil || len(l.due) == 0 {
			return err
		}
	}
	if l.open.from.Seq == l.pos.Seq {
		// Readers of the feed ask for what was told behind a record, so no two commits
		// may end at one: a crowd takes a record for each.
		return l.nextRecord(ctx)
	}
	if n > len(l.due) {
		n = len(l.due)
	}
	batch := l.due[:n]
	l.due = l.due[n:]
	l.mu.Lock()
	var gone []identity.ID
	for _, id := range batch {
		if l.cache.items[id] == nil {
			gone = append(gone, id)
		}
	}
	l.mu.Unlock()
	if err := l.load(ctx, gone); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open.since == 0 {
		l.open.since = event.At(time.Now())
	}
	l.open.fired = true
	for _, id := range batch {
		it := l.cache.get(id)
		if it == nil {
			continue
		}
		if it.p.Alarm > l.pos.Now { // it has fired and waits for the commit, or moved away
			l.tooEarly(it)
			continue
		}
		if err := l.current(ctx, it, it.p.Alarm); err != nil {
			if err = l.leave(it, err); err != nil {
				return err
			}
			continue
		}
		l.wake(it)
	}
	l.cache.shrink(len(batch))
	return nil
}

// findDue reads whose alarms are due: those behind the last full page, or all if
// there was none and the store knows of one. Of a crowd the pages are read while
// commits are under way: whoever these change is in the cache until they end, and a
// row in the store that is not in the cache is as it is.
func (l *lane) findDue(ctx context.Context) (err error) {
	var rows []store.Row
	switch {
	case l.prog == nil:
		return nil
	case l.crowd != nil:
		rows, err = l.e.o.Store.DueAfter(ctx, *l.crowd, l.from, l.to, l.pos.Now, dueLimit)
	case l.nextAlarm > l.pos.Now || l.inflight != nil:
		return nil
	default:
		rows, err = l.e.o.Store.Due(ctx, l.from, l.to, l.pos.Now, dueLimit)
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	come := l.arrivals[:0]
	for i := range rows {
		id := rows[i].ID
		if l.cache.items[id] == nil {
			come = append(come, l.arriving(id, text(rows[i].Body), rows[i].Number))
		}
		l.due = append(l.due, id)
	}
	l.enterAll(come)
	if l.crowd != nil {
		l.open.urgent = true // a crowd is written as it goes, not when all of it has gone; and its last
	}
	l.crowd = nil
	if len(rows) == dueLimit {
		l.crowd = &store.Row{ID: rows[dueLimit-1].ID, Alarm: rows[dueLimit-1].Alarm}
		l.open.urgent = true
	}
	l.nextAlarm = event.Never // it is being fired, and the next commit tells which comes then
	return nil
}

// dueLimit is how many due alarms are read at once.
const dueLimit = 4096

// wake fires the alarms of one profile up to the lane's now. The lock is held.
func (l *lane) wake(it *item) {
	p, eff, stack := l.rouse(it.p)
	if stack != "" {
		l.silence(it, "the core could not fire this customer's alarm", stack)
		return
	}
	l.take(it, p, &eff, nil, l.pos.Now)
	l.open.events++
}

// quiet works until the lane has nothing to do as of now: everything read,
// every due alarm fired, all committed.
func (l *lane) quiet(ctx context.Context, now event.Time) error {
	for {
		last, err := l.e.o.Log.Last(ctx, l.n)
		if err != nil {
			return err
		}
		switch {
		case last.Seq > l.pos.Seq:
			err = l.catchUp(ctx, last.Seq)
		case l.behind():
			err = l.sweepOn(ctx)
			if err == nil && l.open.bytes >= l.e.o.DirtyBytes {
				err = l.commitNow(ctx)
			}
		case len(l.due) > 0 || l.crowd != nil || l.nextAlarm <= l.pos.Now && l.prog != nil:
			if err = l.settleInflight(ctx); err == nil {
				err = l.fire(ctx, dueLimit)
			}
			if err == nil && l.open.bytes >= l.e.o.DirtyBytes {
				err = l.commitNow(ctx)
			}
		case !l.open.empty() || l.inflight != nil:
			err = l.commitNow(ctx)
		case l.nextAlarm <= now && l.pos.Now < now:
			err = l.tick(ctx, now)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// catchUp applies the records up to the sequence.
func (l *lane) catchUp(ctx context.Context, seq uint64) error {
	for l.pos.Seq < seq {
		records, err := l.e.o.Log.Read(ctx, l.n, logPosition(l.pos), readLimit)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return ctx.Err()
		}
		for i := range records {
			if err := l.record(ctx, &records[i]); err != nil {
				return err
			}
			if l.open.bytes >= l.e.o.DirtyBytes {
				if err := l.settleInflight(ctx); err != nil {
					return err
				}
				l.begin(ctx)
			}
		}
	}
	return nil
}

// drain applies what is in the log and commits it: an orderly end.
func (l *lane) drain(ctx context.Context) error {
	last, err := l.e.o.Log.Last(ctx, l.n)
	if err != nil {
		return err
	}
	if err := l.catchUp(ctx, last.Seq); err != nil {
		return err
	}
	return l.commitNow(ctx)
}

// signal tells the pump that something waits.
func (l *lane) signal() {
	select {
	case l.wakePump <- struct{}{}:
	default:
	}
}

// takeForwards returns what waits for other homes and is committed.
func (l *lane) takeForwards() []store.Forward {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiting
	l.waiting = nil
	return w
}

// forwarded notes that the forwards up to the number are durable in their lanes'
// logs; the next commit lets them go.
func (l *lane) forwarded(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ackUpTo, l.paid = max(l.ackUpTo, number), max(l.paid, number)
}

// pump appends what waits for other homes, in the order in which it was sent.
func (l *lane) pump(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wakePump:
		}
		for {
			all := l.takeForwards()
			if len(all) == 0 {
				break
			}
			killpoint.Hit(killpoint.BeforeForward)
			for len(all) > 0 {
				n := min(len(all), maxForwards)
				if err := l.sendForwards(ctx, all[:n]); err != nil {
					return err
				}
				all = all[n:]
			}
		}
	}
}

func (l *lane) sendForwards(ctx context.Context, batch []store.Forward) error {
	entries := make([]identity.Addressed, len(batch))
	for i := range batch {
		a, err := identity.DecodeAddressed(string(batch[i].Entry))
		if err != nil {
			return err
		}
		entries[i] = a
	}
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := l.e.Append(ctx, entries)
		if err == nil {
			l.forwarded(batch[len(batch)-1].Number)
			return nil
		}
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
