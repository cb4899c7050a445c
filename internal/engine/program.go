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
		return l.inForce(ctx, hash, now)
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

func (l *lane) rouse(p *profile.Profile) (next *profile.Profile, eff core.Effects, stack string) {
	defer func() {
		if r := recover(); r != nil {
			stack = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	next, eff = l.prog.Wake(p, l.pos.Now)
	return next, eff, ""
}

// history is how the wanted events of a customer are read, what is not committed
// included. The lock is held.
func (l *lane) history(ctx context.Context, p *profile.Profile, wanted func(event.Type, string) bool) ([]Heard, error) {
	return l.historyOf(l.blocks, true, nil)(ctx, p, wanted)
}

// committed returns what the store has of a strand.
type committed func(ctx context.Context, strand identity.ID) ([]store.Block, error)

// historyOf returns how to read the wanted events of a profile and its strands in the
// order in which they were heard; wanted nil: every event. Whoever reads what is not
// committed too holds the lock. Into room, if there is one, what is wanted of a history is
// read, which is out of use when the next one comes: what conditions keep of an event
// they copy. Who wants everything folds it, and keeps what they got.
func (l *lane) historyOf(blocks committed, uncommitted bool, room *reading) past {
	return func(ctx context.Context, p *profile.Profile, wanted func(event.Type, string) bool) ([]Heard, error) {
		all := &reading{}
		if room != nil && wanted != nil {
			all = room
			all.begin()
		}
		for _, strand := range StrandsOf(p.ID, p.Strands) {
			list, err := blocks(ctx, strand)
			if err != nil {
				return nil, err
			}
			first := len(all.events)
			for i := range list {
				if err := all.add(list[i].Body, wanted); err != nil {
					// One customer's damage is not the lane's.
					return nil, &poison{fmt.Sprintf("history of %s: %v", strand, err)}
				}
			}
			if !uncommitted {
				continue
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
				if b == l.open || !endsWith(all.events[first:], waiting) {
					all.events = append(all.events, waiting...)
				}
			}
		}
		HeardInOrder(all.events)
		return all.events, nil
	}
}

// blocks asks the store for a strand. One customer's damage is not the lane's.
func (l *lane) blocks(ctx context.Context, strand identity.ID) ([]store.Block, error) {
	list, err := l.e.o.Store.History(ctx, strand)
	if fault.Is(err, fault.Corrupt) {
		return nil, &poison{fmt.Sprintf("history of %s: %v", strand, err)}
	}
	return list, err
}

// histories asks the store for many strands at once, and one by one if one of them is
// damaged.
func (l *lane) histories(ctx context.Context, strands []store.Strand) (committed, error) {
	if len(strands) == 0 {
		return l.blocks, nil
	}
	lists, err := l.e.o.Store.Histories(ctx, strands)
	switch {
	case fault.Is(err, fault.Corrupt):
		return l.blocks, nil
	case err != nil:
		return nil, err
	}
	held := make(map[identity.ID][]store.Block, len(strands))
	for i, strand := range strands {
		held[strand.ID] = lists[i]
	}
	return func(ctx context.Context, strand identity.ID) ([]store.Block, error) {
		if list, known := held[strand]; known {
			return list, nil
		}
		return l.blocks(ctx, strand)
	}, nil
}

// heard returns the strand's wanted events in the batch, in order.
func (b *batch) heard(strand identity.ID, wanted func(event.Type, string) bool) (events []Heard, err error) {
	n := 0
	b.past(strand, func(*kept) { n++ })
	if n == 0 {
		return nil, nil
	}
	events = make([]Heard, 0, n)
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
