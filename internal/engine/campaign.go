package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// sliceSize is how many customers one slice of a run looks at: a few
// milliseconds of work, so that live records pass between two of them.
const sliceSize = 500

// fanOut is what a lane knows of the runs of campaigns. Each run changes by
// entries of the lane's log and by what becomes of its messages, and is committed
// with them.
type fanOut struct {
	runs  []*journey.Run
	dirty map[*journey.Run]struct{}
}

// loadRuns goes back to the runs that the store has. The lock is held.
func (l *lane) loadRuns(rows []store.Run) error {
	l.fan = fanOut{dirty: map[*journey.Run]struct{}{}}
	for _, row := range rows {
		r, err := journey.DecodeRun(string(row.Body))
		if err != nil {
			return fmt.Errorf("run %s of campaign %s: %w", row.Name, row.Campaign, err)
		}
		l.fan.runs = append(l.fan.runs, r)
	}
	l.showRuns()
	return nil
}

// showRuns lets the core see the runs as they are now: what it sees is never
// changed. The lock is held.
func (l *lane) showRuns() {
	if l.prog == nil || len(l.fan.runs) == 0 {
		return
	}
	shown := make(journey.Runs, len(l.fan.runs))
	for i, r := range l.fan.runs {
		own := *r
		shown[i] = &own
	}
	prog := *l.prog
	prog.Runs = shown
	l.prog = &prog
}

// dirtyRuns returns the runs that have changed since the last commit was begun.
// The lock is held.
func (l *lane) dirtyRuns() []store.Run {
	var rows []store.Run
	for _, r := range l.fan.runs { // in their order, not that of the map
		if _, dirty := l.fan.dirty[r]; dirty {
			rows = append(rows, store.Run{Campaign: r.Campaign, Name: r.Name, Body: r.Append(nil)})
		}
	}
	clear(l.fan.dirty)
	return rows
}

// run returns a run by its names; nil if it is not known. The lock is held.
func (l *lane) run(campaign, name string) *journey.Run {
	return journey.Runs(l.fan.runs).Find(campaign, name)
}

// ordered obeys an operator's order. The lock is held.
func (l *lane) ordered(e *event.Event) error {
	o, err := journey.OrderOf(e)
	if err != nil {
		return err
	}
	r := l.run(o.Campaign, o.Run)
	if r == nil {
		r = &journey.Run{}
		l.fan.runs = append(l.fan.runs, r)
	}
	if !r.Take(o) {
		return nil
	}
	l.fan.dirty[r] = struct{}{}
	l.open.urgent = true
	l.showRuns()
	return nil
}

// count notes how many messages of its runs a customer has on their way. The lock
// is held.
func (l *lane) count(before, after *profile.Profile) {
	if len(l.fan.runs) == 0 || len(before.Open)+len(after.Open) == 0 {
		return
	}
	for _, side := range []struct {
		p *profile.Profile
		n int64
	}{{before, -1}, {after, 1}} {
		for i := range side.p.Open {
			if r := journey.Runs(l.fan.runs).Of(&side.p.Open[i]); r != nil {
				r.Open += side.n
				l.fan.dirty[r] = struct{}{}
			}
		}
	}
}

// slice lets a run walk on. What does not fit is left to the next slice; a slice
// that is not the next one, because it was asked for twice, does nothing. The lock
// is held.
func (l *lane) slice(ctx context.Context, e *event.Event, now event.Time) error {
	r := l.run(e.Props.Text("campaign"), e.Props.Text("run"))
	if r == nil || e.Props.Text("slice") != strconv.FormatUint(r.Slices, 10) {
		return nil
	}
	from, walks := r.Walks()
	if !walks || from > now {
		return nil
	}
	r.Slices++
	l.fan.dirty[r] = struct{}{}
	defer l.showRuns()
	d := l.prog.Journeys.Version(r.Campaign, r.Version)
	if d == nil || d.Campaign() == nil {
		l.e.log.Error("a campaign is stopped: its definition is no longer known", "campaign", r.Campaign, "run", r.Name)
		r.State, r.Over = journey.Stopped, r.Open == 0
		return nil
	}
	ids, end, err := l.next(ctx, r, d, now)
	if err != nil {
		return err
	}
	if err := l.bring(ctx, ids); err != nil {
		return err
	}
	l.open.urgent = true
	planned, most := 0, sliceSize
	if r.State == journey.Running {
		most = r.Allowance(now, len(l.e.lanes), sliceSize)
	}
	for _, id := range ids {
		if planned == most {
			r.Spend(planned, len(l.e.lanes))
			return nil
		}
		sent, err := l.meet(ctx, r, d, id, now)
		if err != nil {
			return err
		}
		if sent {
			planned++
		}
		r.Seen++
		r.Cursor = Next(id)
	}
	r.Spend(planned, len(l.e.lanes))
	if r.Cursor = end; end.Zero() {
		r.EndPass()
	}
	l.cache.shrink(len(ids))
	return nil
}

// meet lets the run come to one customer. It reports whether a message is on its
// way. The lock is held.
func (l *lane) meet(ctx context.Context, r *journey.Run, d *journey.Definition, id identity.ID, now event.Time) (planned bool, err error) {
	it := l.cache.get(id)
	if it == nil || it.damaged || !it.p.Lives() {
		return false, nil
	}
	if r.State == journey.Stopped {
		p, eff := l.prog.CallBack(it.p, r, now)
		l.take(it, p, &eff, nil, now)
		return false, nil
	}
	if err := l.current(ctx, it, now); err != nil {
		return false, l.leave(it, err)
	}
	p, eff, found, stack := l.enrol(it.p, d, r, now)
	if stack != "" {
		l.silence(it, "the core could not give this customer their place in the campaign "+r.Campaign, stack)
		return false, nil
	}
	l.take(it, p, &eff, nil, now)
	switch found.Place {
	case journey.Waits:
		r.Next = min(r.Next, found.Until)
	case journey.Entered:
		r.Entered++
	}
	return found.Planned, nil
}

// enrol calls the core. A panic is one customer's poison, not the lane's end.
func (l *lane) enrol(p *profile.Profile, d *journey.Definition, r *journey.Run, now event.Time) (next *profile.Profile, eff core.Effects, found core.Enrolment, stack string) {
	defer func() {
		if r := recover(); r != nil {
			stack = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	next, eff, found = l.prog.Enrol(p, d, r, now)
	return next, eff, found, ""
}

// next returns the customers of the next slice in the order of their ids, and
// where the one after it begins: the zero id if this was the last of the pass.
//
// Which they are must not depend on what happens to be committed: so those who
// are in the cache and not yet in the store are among them, and where the store
// is asked for the members of a segment, those whose segments may be about to
// change by the clock are too.
func (l *lane) next(ctx context.Context, r *journey.Run, d *journey.Definition, now event.Time) (ids []identity.ID, end identity.ID, err error) {
	from := r.Cursor
	if from.Compare(l.from) < 0 {
		from = l.from
	}
	last := l.to
	// Who is in a segment is known once the sweep has come to everybody.
	if s := d.Campaign().Segment; s != "" && r.State == journey.Running && !l.behind() {
		if l.prog.Segments.Cond(s) != nil {
			found, full, err := l.members(ctx, condition.SegmentKey(s), from, now)
			if err != nil || !full {
				return l.among(found, from, l.to), identity.ID{}, err
			}
			if found != nil {
				last = found[len(found)-1]
				return l.among(found, from, last), after(last, l.to), nil
			}
		}
	}
	rows, err := l.e.o.Store.Profiles(ctx, from, sliceSize)
	if err != nil {
		return nil, end, err
	}
	for i := range rows {
		if rows[i].ID.Compare(l.to) > 0 {
			rows = rows[:i]
			break
		}
		ids = append(ids, rows[i].ID)
		if l.cache.items[rows[i].ID] == nil {
			l.admit(rows[i].ID, string(rows[i].Body), rows[i].Number)
		}
	}
	if len(rows) == sliceSize {
		last = ids[len(ids)-1]
	}
	return l.among(ids, from, last), after(last, l.to), nil
}

// after returns where a slice begins that follows the id; the zero id if none does.
func after(last, to identity.ID) identity.ID {
	if last.Compare(to) >= 0 {
		return identity.ID{}
	}
	return Next(last)
}

// members returns at most a slice of the members of a segment from an id on,
// together with those to whom an alarm is due. Full says that there may be more.
// Nil and full: there are too many due to tell; everybody must be looked at.
func (l *lane) members(ctx context.Context, segment uint64, from identity.ID, now event.Time) (ids []identity.ID, full bool, err error) {
	ids, err = l.e.o.Store.Members(ctx, segment, before(from), sliceSize)
	if err != nil {
		return nil, false, err
	}
	full = len(ids) == sliceSize
	for i, id := range ids {
		if id.Compare(l.to) > 0 {
			ids, full = ids[:i], false
			break
		}
	}
	last := l.to
	if full {
		last = ids[len(ids)-1]
	}
	due, err := l.e.o.Store.Due(ctx, from, last, now, sliceSize)
	if err != nil {
		return nil, false, err
	}
	if len(due) == sliceSize {
		return nil, true, nil
	}
	for i := range due {
		ids = append(ids, due[i].ID)
	}
	slices.SortFunc(ids, identity.ID.Compare)
	return slices.Compact(ids), full, nil
}

// among adds to a slice those between its ends whose state is not committed.
func (l *lane) among(ids []identity.ID, from, last identity.ID) []identity.ID {
	for _, b := range []*batch{l.open, l.inflight} {
		if b == nil {
			continue
		}
		for _, it := range b.dirty {
			if it.id.Compare(from) >= 0 && it.id.Compare(last) <= 0 {
				ids = append(ids, it.id)
			}
		}
	}
	slices.SortFunc(ids, identity.ID.Compare)
	return slices.Compact(ids)
}

// bring brings customers into the cache. The lock is held.
func (l *lane) bring(ctx context.Context, ids []identity.ID) error {
	var missing []identity.ID
	for _, id := range ids {
		if l.cache.items[id] != nil {
			continue
		}
		if row, ok := l.cache.rows.take(id); ok {
			l.admit(id, row, 0)
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := l.e.o.Store.Load(ctx, missing)
	if err != nil {
		return err
	}
	for i, id := range missing {
		l.admit(id, text(rows[i].Body), rows[i].Number)
	}
	return nil
}

// before returns the id before id: Store.Members asks for those behind one.
func before(id identity.ID) identity.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			return id
		}
	}
	return identity.ID{} // before the first: the home of the zero id is nobody's
}

// NextWalk returns when a run has customers to come to if nothing happens before;
// event.Never if none has.
func (e *Engine) NextWalk() event.Time {
	next := event.Never
	for _, l := range e.lanes {
		l.mu.Lock()
		for _, r := range l.fan.runs {
			if from, walks := r.Walks(); walks {
				next = min(next, from)
			}
		}
		l.mu.Unlock()
	}
	return next
}

// Campaigning reports whether a run has customers to come to now.
func (e *Engine) Campaigning() bool { return e.NextWalk() <= e.Now() }

// Order tells every lane what is wanted of a run.
func (e *Engine) Order(ctx context.Context, o journey.Order) error {
	return e.Broadcast(ctx, o.Event(e.o.Now()))
}

// Runs returns the runs of campaigns, those of all lanes as one: the newest order,
// and the sums of what the lanes have done.
func (e *Engine) Runs() []journey.Run {
	var all []journey.Run
	for _, l := range e.lanes {
		l.mu.Lock()
		for _, r := range l.fan.runs {
			i := slices.IndexFunc(all, func(x journey.Run) bool { return x.Campaign == r.Campaign && x.Name == r.Name })
			if i < 0 {
				all = append(all, *r)
				continue
			}
			x := &all[i]
			seen, entered, open, over, next := x.Seen+r.Seen, x.Entered+r.Entered, x.Open+r.Open, x.Over && r.Over, min(x.Next, r.Next)
			if r.Serial > x.Serial {
				*x = *r
			}
			x.Seen, x.Entered, x.Open, x.Over, x.Next = seen, entered, open, over, next
		}
		l.mu.Unlock()
	}
	return all
}

// maxAhead is how many messages of one run may be on their way before its walk
// waits for dispatch, in each lane: some seconds of sending. What is planned and
// not sent must wait out every pause, and is recalled one by one at a stop.
const maxAhead = 10_000

// Walk lets every run that may go on go on by one slice in each lane, and brings
// orders to lanes that a kill has kept them from. It returns how many entries it
// has appended, and when there will be more to do if nothing happens before;
// event.Never if not by itself. Calling it too often does nothing: a slice counts once.
func (e *Engine) Walk(ctx context.Context) (appended int, next event.Time, err error) {
	now, next := e.Now(), event.Never
	newest := e.Runs()
	for _, l := range e.lanes {
		var entries []identity.Addressed
		l.mu.Lock()
		for i := range newest {
			r := l.run(newest[i].Campaign, newest[i].Name)
			if r == nil || r.Serial < newest[i].Serial {
				o := newest[i].Ordered()
				entries = append(entries, identity.Addressed{Event: o.Event(now)})
				continue
			}
			from, walks := r.Walks()
			switch {
			case !walks:
			case from > now:
				next = min(next, from)
			case r.Open >= maxAhead && !e.o.Virtual && r.State == journey.Running:
			default:
				entries = append(entries, identity.Addressed{Event: r.SliceEvent(now)})
			}
		}
		l.mu.Unlock()
		if len(entries) == 0 {
			continue
		}
		if err := l.append(ctx, entries); err != nil {
			if fault.Is(err, fault.Unavailable) {
				return appended, now, err
			}
			return appended, next, err
		}
		appended += len(entries)
	}
	return appended, next, nil
}
