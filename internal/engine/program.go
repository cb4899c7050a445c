package engine

import (
	"context"
	"errors"
	"fmt"
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
