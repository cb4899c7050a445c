package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/store"
)

func logPosition(p store.Position) eventlog.Position {
	return eventlog.Position{Epoch: p.Epoch, Seq: p.Seq}
}

// control obeys an entry for the lane itself. The lock is held.
func (l *lane) control(ctx context.Context, e *event.Event, now event.Time) error {
	switch e.Name {
	case event.ProgramChanged:
		hash, err := strconv.ParseUint(e.Props.Text("hash"), 16, 64)
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, "a change of program without a hash")
		}
		prog, err := l.e.o.Programs(ctx, hash)
		if err != nil {
			return fmt.Errorf("program %016x: %w", hash, err)
		}
		l.inForce(prog)
		l.noteUnstored()
		l.showRuns()
	case event.Sweep:
		return l.sweepRange(ctx, e, now)
	case event.CampaignOrdered:
		return l.ordered(e)
	case event.CampaignSlice:
		return l.slice(ctx, e, now)
	case event.Reject:
		// How it came is kept beside the body, to hear it again so once it is mended.
		kept := identity.Addressed{Event: *e}
		kept.Event.Props = e.Props.With("body", event.Value{})
		l.open.quarantine = append(l.open.quarantine, store.Quarantine{
			At: e.At, Kind: "rejected", Reason: e.Props.Text("reason"), Field: e.Props.Text("field"), Detail: e.Props.Text("body"), Entry: kept.Append(nil),
		})
	}
	return nil
}

// inForce puts the program in force from here on. Whom its sweep will not change it
// does not write: the position says how far it came, and what everybody was under
// before, if that is one for all. The lock is held.
func (l *lane) inForce(prog *core.Program) {
	switch {
	case l.pos.Program == 0: // nobody can have been born before the first program
		l.pos.Under, l.pos.Swept = 0, l.end()
	case l.pos.Swept >= l.end():
		l.pos.Under, l.pos.Swept = l.pos.Program, store.Prefix(l.from)
	default:
		l.pos.Under, l.pos.Swept = 0, store.Prefix(l.from)
	}
	l.pos.Program = prog.Hash
	l.step, l.prog = prog.From(l.prog), prog
}

// end is the prefix behind the last one of the lane.
func (l *lane) end() uint32 { return store.Prefix(l.to) + 1 }

// One Sweep record brings about sweepSize customers up to the program, or historySize
// if histories are read: a millisecond or two of work, so that live records pass
// between two of them.
const (
	sweepSize   = 120
	historySize = 24
)

// sweepPage is how many customers are read at once.
const sweepPage = 256

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
		it := l.cache.items[id] // who went from it is in the store by now
		if at := uint64(store.Prefix(id)); it == nil || it.damaged || at < lo || at > hi || l.prog.Current(it.p) {
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
		s.p, _ = l.readRow(s.row.ID, text(s.row.Body), text(s.row.Rest)) // admit says what is wrong with it
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

// leave deals with why a customer could not be brought up to the definitions in
// force: what is their own trouble is put aside, and tried again when something
// happens to them. The lock is held.
func (l *lane) leave(it *item, err error) error {
	p, ok := errors.AsType[*poison](err)
	if !ok {
		return err
	}
	l.silence(it, "the core could not bring this customer up to the definitions in force", p.stack)
	if !profile.Pending(it.p.Program) {
		it.p.Program = profile.CatchUpFailed // silence made the copy
	}
	return nil
}

// Next returns the id after id.
func Next(id identity.ID) identity.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]++
		if id[i] != 0 {
			break
		}
	}
	return id
}

// current brings the profile up to the program in force, reading its history if
// the program asks something new. The lock is held.
func (l *lane) current(ctx context.Context, it *item, now event.Time) error {
	if l.prog.Current(it.p) {
		return nil
	}
	p, eff, err := l.caughtUp(ctx, it.p, now)
	if err != nil {
		return err
	}
	l.take(it, p, &eff, nil, now)
	return nil
}

// currentAll brings those whom a record is about up to the program in force, on
// every processor: while a sweep is under way, live events should not wait until
// histories are read one after the other. Of whom that fails, each entry says so. The
// lock is held.
func (l *lane) currentAll(ctx context.Context, all []entry, now event.Time) {
	var behind []swept
	asked := map[identity.ID]bool{}
	for i := range all {
		id := all[i].To
		if id.Zero() || l.prog == nil {
			return // the program may change within the record
		}
		if it := l.cache.items[id]; it != nil && !it.damaged && !l.prog.Current(it.p) && !asked[id] {
			asked[id] = true
			behind = append(behind, swept{it: it, p: it.p})
		}
	}
	each(len(behind), 1, func(i int) {
		s := &behind[i]
		s.next, s.eff, s.err = l.caughtUp(ctx, s.p, now)
	})
	for i := range behind {
		if s := &behind[i]; s.err == nil {
			l.take(s.it, s.next, &s.eff, nil, now)
		}
	}
}

// caughtUp returns the profile under the program in force. It changes nothing, so
// several may be asked for at once. The lock is held.
func (l *lane) caughtUp(ctx context.Context, p *profile.Profile, now event.Time) (*profile.Profile, core.Effects, error) {
	var history []Heard
	var err error
	switch l.step.Reads(p) {
	case core.ReadsSome:
		history, err = l.history(ctx, p, l.step.Wants)
	case core.ReadsAll:
		history, err = l.history(ctx, p, nil)
	}
	if err != nil {
		return nil, core.Effects{}, err
	}
	next, eff, stack := l.catch(p, history, now)
	if stack != "" {
		return nil, core.Effects{}, &poison{stack}
	}
	return next, eff, nil
}

func (l *lane) catch(p *profile.Profile, history []Heard, now event.Time) (next *profile.Profile, eff core.Effects, stack string) {
	defer func() {
		if r := recover(); r != nil {
			stack = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	events := make([]*event.Event, len(history))
	for i := range history {
		events[i] = &history[i].Event
	}
	next, eff = l.prog.CatchUp(p, events, now, l.step)
	return next, eff, ""
}

func (l *lane) rouse(p *profile.Profile) (next *profile.Profile, eff core.Effects, stack string) {
	defer func() {
		if r := recover(); r != nil {
			stack = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	next, eff = l.prog.Wake(p, l.pos.Now)
	return next, eff, ""
}

// history returns the wanted events of the profile and its strands in the order in
// which they were heard, what is not committed included. Wanted nil: every event.
func (l *lane) history(ctx context.Context, p *profile.Profile, wanted func(event.Type, string) bool) ([]Heard, error) {
	var all []Heard
	for _, strand := range StrandsOf(p.ID, p.Strands) {
		blocks, err := l.e.o.Store.History(ctx, strand)
		if err != nil {
			return nil, err
		}
		held := 0
		for _, b := range blocks {
			events, err := unpack(b.Body, wanted)
			if err != nil {
				// One customer's damage is not the lane's.
				return nil, &poison{fmt.Sprintf("history of %s: %v", strand, err)}
			}
			all = append(all, events...)
			held += len(events)
		}
		for _, b := range []*batch{l.inflight, l.open} {
			if b == nil {
				continue
			}
			waiting, err := b.heard(strand, wanted)
			if err != nil {
				return nil, err
			}
			// The commit under way may have ended already.
			if b == l.open || !endsWith(all[len(all)-held:], waiting) {
				all = append(all, waiting...)
			}
		}
	}
	HeardInOrder(all)
	return all, nil
}

// heard returns the strand's wanted events in the batch, in order.
func (b *batch) heard(strand identity.ID, wanted func(event.Type, string) bool) (events []Heard, err error) {
	b.past(strand, func(k *kept) {
		e, damage := event.Decode(k.raw)
		err = errors.Join(err, damage)
		if wanted == nil || wanted(e.Type, e.Name) {
			events = append(events, Heard{k.now, e})
		}
	})
	return events, err
}

// endsWith reports whether a strand's events in the store end with those of a
// batch. All of them must be the same, each heard at the same instant: what is
// imported again after an undo has ids that are there already.
func endsWith(stored, batch []Heard) bool {
	if len(stored) < len(batch) {
		return false
	}
	return slices.EqualFunc(stored[len(stored)-len(batch):], batch, func(a, b Heard) bool { return a.Now == b.Now && a.Event.ID == b.Event.ID })
}
