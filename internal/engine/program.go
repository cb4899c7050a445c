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
		l.older, l.prog, l.pos.Program = l.prog, prog, hash
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

// sweepSize is how many profiles one Sweep record brings up to the program: a
// few milliseconds of work, so that live records pass between two of them.
const sweepSize = 500

// sweep appends the records that bring every profile of the lane up to the
// program in force, or sees to it that they are appended one after the other.
func (l *lane) sweep(ctx context.Context) error {
	entries, err := l.parts(ctx)
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

// parts returns the records of a sweep. They cut the range of ids into equal parts.
func (l *lane) parts(ctx context.Context) (entries []identity.Addressed, err error) {
	stats, err := l.e.o.Store.Stats(ctx)
	if err != nil || stats["profiles"] == 0 {
		return nil, err
	}
	parts := int(stats["profiles"])/len(l.e.lanes)/sweepSize + 1
	first, last := uint64(l.from[0])<<8|uint64(l.from[1]), uint64(l.to[0])<<8|uint64(l.to[1])
	parts = min(parts, int(last-first+1))
	for i := range parts {
		lo := first + (last-first+1)*uint64(i)/uint64(parts)
		hi := first + (last-first+1)*uint64(i+1)/uint64(parts) - 1
		entries = append(entries, l.sweepEntry(i, lo, hi))
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
	var from identity.ID
	from[0], from[1] = byte(lo>>8), byte(lo)
	for {
		rows, err := l.e.o.Store.Profiles(ctx, from, sweepSize)
		if err != nil {
			return err
		}
		for i := range rows {
			id := rows[i].ID
			if uint64(id[0])<<8|uint64(id[1]) > hi {
				return nil
			}
			it := l.cache.get(id)
			if it == nil {
				it = l.admit(id, string(rows[i].Body))
			}
			if it.damaged {
				continue
			}
			if err := l.current(ctx, it, now); err != nil {
				p, ok := errors.AsType[*poison](err)
				if !ok {
					return err
				}
				l.silence(it, "the core could not bring this customer up to the definitions in force", p.stack)
			}
		}
		if len(rows) < sweepSize {
			return nil
		}
		from = Next(rows[len(rows)-1].ID)
		l.cache.shrink()
	}
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
	var history []Heard
	if it.p.Count > 0 && l.prog.NeedsHistory(it.p, l.older) {
		var err error
		if history, err = l.history(ctx, it.p); err != nil {
			return err
		}
	}
	p, eff, stack := l.catch(it.p, history, now)
	if stack != "" {
		return &poison{stack}
	}
	l.take(it, p, &eff, nil, now)
	return nil
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
	next, eff = l.prog.CatchUp(p, events, now, l.older)
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

// history returns every event of the profile and its strands in the order in
// which they were heard, what is not committed included.
func (l *lane) history(ctx context.Context, p *profile.Profile) ([]Heard, error) {
	var all []Heard
	for _, strand := range StrandsOf(p.ID, p.Strands) {
		blocks, err := l.e.o.Store.History(ctx, strand)
		if err != nil {
			return nil, err
		}
		held := 0
		for _, b := range blocks {
			events, err := UnpackHistory(b.Body)
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
			waiting, err := b.heard(strand)
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

// heard returns the strand's events in the batch, in order.
func (b *batch) heard(strand identity.ID) (events []Heard, err error) {
	b.past(strand, func(k *kept) {
		e, damage := event.Decode(k.raw)
		err = errors.Join(err, damage)
		events = append(events, Heard{k.now, e})
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
