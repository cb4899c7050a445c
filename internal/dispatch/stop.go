package dispatch

import (
	"context"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
)

// Unwanted takes claims that were recalled. It does not block. What has not begun
// does not begin, and the log is told so; of what has begun, its own receipt tells.
func (d *Dispatch) Unwanted(stops []engine.Stop) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range stops {
		s := &stops[i]
		h, held := d.held[s.Delivery.ID]
		switch {
		case held && h.begun:
			h.stopped = true // it may still wait for its words
			d.held[s.Delivery.ID] = h
			continue
		case held:
			delete(d.held, s.Delivery.ID) // its claim is passed over in the queue
		}
		d.stops = append(d.stops, *s)
	}
	if len(d.stops) > 0 {
		d.Wake()
	}
}

// isStopped reports whether a claim that is being handed over was recalled.
func (d *Dispatch) isStopped(c *engine.Claim) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held[c.Delivery.ID].stopped
}

// stopped is the receipt of a claim that was recalled and had not begun.
func stopped(c *engine.Claim, now event.Time, why string) identity.Addressed {
	r := receipt(event.MessageStopped, c, now, channels.Outcome{Detail: channels.Clip(why)})
	r.Event.Props = r.Event.Props.With("by", event.Text(event.ByRecall))
	return r
}

// undone returns the receipts of the claims that were recalled and did not begin.
// One that is not here any more may have begun, in this process or in one before
// it: that the ledger knows. Its receipt is in the log then, unless the log would
// not take it; so nobody knows what became of it if no receipt came before this one.
func (d *Dispatch) undone(ctx context.Context) ([]identity.Addressed, error) {
	d.mu.Lock()
	stops := d.stops
	d.stops = nil
	d.mu.Unlock()
	if len(stops) == 0 {
		return nil, nil
	}
	now := d.o.Now()
	receipts := make([]identity.Addressed, 0, len(stops))
	for i := range stops {
		c := &stops[i].Claim
		begun, err := d.o.Ledger.Begun(ctx, c.Delivery.ID, c.Delivery.Fence)
		if err != nil {
			d.mu.Lock()
			d.stops = append(stops[i:], d.stops...)
			d.mu.Unlock()
			return receipts, err
		}
		if begun {
			receipts = append(receipts, receipt(event.MessageUnknown, c, now, channels.Outcome{Detail: "it was begun, and its answer came too late or never"}))
			continue
		}
		receipts = append(receipts, stopped(c, now, stops[i].Why))
	}
	return receipts, nil
}

// answerStops tells the log of the claims that were recalled.
func (d *Dispatch) answerStops(ctx context.Context) {
	receipts, err := d.undone(ctx)
	if err != nil && ctx.Err() == nil {
		d.log.Error("asking the ledger of messages that were recalled", "error", err)
	}
	if len(receipts) == 0 {
		return
	}
	if err := d.append(ctx, receipts); err != nil {
		// Each gets a slot after its deadline, and is asked about again.
		d.log.Error("telling that recalled messages did not leave", "error", err, "messages", len(receipts))
	}
}

// keepStops is answerStops under a virtual clock: the receipts wait for Receipts.
func (d *Dispatch) keepStops(ctx context.Context) error {
	receipts, err := d.undone(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.receipts = append(d.receipts, receipts...)
	return err
}
