package dispatch

import (
	"context"
	"maps"
	"strconv"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// putOff holds the deliveries that a provider has refused for now, each with the
// claim under which it did. They are the only marketing that may be started a
// second time: the provider said itself that it took nothing.
type putOff map[profile.DeliveryID]putOffAt

type putOffAt struct {
	fence uint64
	at    event.Time
}

// forget drops what can no longer be tried again.
func (p putOff) forget(now event.Time) {
	for id, put := range p {
		if now.Sub(put.at) > core.GiveUp {
			delete(p, id)
		}
	}
}

// mayRepeat reports whether a delivery that was begun before may be begun again
// under this claim. A service message may always, under the same id; marketing
// only if the claim before this one was put off by the provider.
func (d *Dispatch) mayRepeat(c *engine.Claim) bool {
	if c.Delivery.Class == profile.Service {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	put, ok := d.put[c.Delivery.ID]
	return ok && put.fence < c.Delivery.Fence
}

// recoverBatch is how many deliveries Recover reads at once.
const recoverBatch = 1000

// Recovered is what a start found of the process before it.
type Recovered struct {
	Told    int // receipts that were noted and perhaps not in the log
	Unknown int // begun, and nobody knows: marketing is not sent again
	Again   int // service messages begun: they go again under the same id
	Lost    int // claimed and not begun: they get a new slot
}

// Recover finishes what a process before this one left behind. It runs before
// anything is handed over and, by a clock on the wall, once the engine has caught
// up with the log: a slot in there that it has not answered yet may be this
// delivery's new one already.
func (d *Dispatch) Recover(ctx context.Context) (r Recovered, err error) {
	begun, err := d.recoverBegun(ctx, &r)
	if err != nil {
		return r, err
	}
	now, after := d.o.Now(), profile.DeliveryID{}
	for {
		refs, err := d.o.Store.InState(ctx, profile.Claimed, after, recoverBatch)
		if err != nil {
			return r, err
		}
		var slots []identity.Addressed
		d.mu.Lock()
		held := maps.Clone(d.held)
		d.mu.Unlock()
		for i := range refs {
			after = refs[i].ID
			if h, ok := held[refs[i].ID]; ok && h.fence >= refs[i].Fence {
				continue // the log had a slot for it, and the claim is here
			}
			// A claim after the one that was begun was not begun itself.
			if fence, ok := begun[refs[i].ID]; !ok || fence < refs[i].Fence {
				slots = append(slots, slot(refs[i], now, true))
				r.Lost++
			}
		}
		if err := d.append(ctx, slots); err != nil {
			return r, err
		}
		if len(refs) < recoverBatch {
			return r, nil
		}
	}
}

// recoverBegun tells what became of every delivery that is open in the ledger,
// and returns under which claim each was begun.
func (d *Dispatch) recoverBegun(ctx context.Context, r *Recovered) (map[profile.DeliveryID]uint64, error) {
	begun := map[profile.DeliveryID]uint64{}
	stay := 0 // what was put off stays open in the ledger, and is read again each time
	for {
		most := recoverBatch + stay
		if d.o.Virtual {
			most = 1 << 20 // all of them: nothing is finished in between
		}
		left, err := d.o.Ledger.Unfinished(ctx, event.Never, most)
		if err != nil {
			return nil, err
		}
		var receipts []identity.Addressed
		var over []profile.DeliveryID
		for i := range left {
			s := &left[i]
			if _, known := begun[s.ID]; known {
				continue
			}
			begun[s.ID] = s.Fence
			told, err := r.told(s)
			if err != nil {
				return nil, err
			}
			if told.Event.Name == event.MessageDeferred {
				// finish leaves it open: needed only while marketing waits to be tried
				// again, not once it was recalled, has expired or was given up.
				waits := !s.Service
				if waits {
					if waits, err = d.open(ctx, s.ID); err != nil {
						return nil, err
					}
				}
				if waits {
					stay++
				} else {
					over = append(over, s.ID)
				}
			}
			receipts = append(receipts, told)
		}
		if d.o.Virtual {
			// Time has not passed: they wait for the step in which they would have come.
			d.mu.Lock()
			d.receipts = receipts
			d.mu.Unlock()
			return begun, d.o.Ledger.Finish(ctx, over)
		}
		if err := d.append(ctx, receipts); err != nil {
			return nil, err
		}
		if err := d.finish(ctx, receipts); err != nil {
			return nil, err
		}
		if err := d.o.Ledger.Finish(ctx, over); err != nil {
			return nil, err
		}
		if len(left) < most {
			return begun, nil
		}
	}
}

// told returns the receipt of a delivery that was begun: the one that was noted,
// or one that says that nobody knows.
func (r *Recovered) told(s *store.Start) (identity.Addressed, error) {
	if len(s.Receipt) > 0 {
		r.Told++
		return identity.DecodeAddressed(string(s.Receipt))
	}
	name := event.MessageUnknown
	if s.Service {
		name = event.MessageDeferred
		r.Again++
	} else {
		r.Unknown++
	}
	var b event.Builder
	b.Set("delivery", event.Text(s.ID.String())).Set("fence", event.Text(strconv.FormatUint(s.Fence, 10))).SetText("channel", s.Channel)
	b.SetText("detail", "the process ended between the hand-over and the answer")
	return entry(name, s.Profile, s.ID, s.Fence, s.At, b.Object()), nil
}

// open reports whether a delivery may still be handed over.
func (d *Dispatch) open(ctx context.Context, id profile.DeliveryID) (bool, error) {
	row, err := d.o.Store.Delivery(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return false, nil
	case err != nil && !fault.Is(err, fault.Corrupt):
		return false, err
	}
	return err != nil || row.State.Open(), nil // a damaged row says nothing: it stays
}
