package dispatch

import (
	"context"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/killpoint"
)

// A worker does not wait until the ledger and the log have what it found: it hands
// that to a teller and goes on with the next batch, so that the channel is not idle
// while the disk is busy, and what several workers bring goes into one record.

// handed are claims that were handed over, with what became of them.
type handed struct {
	claims   []engine.Claim
	receipts []identity.Addressed
}

// tellerCount is how many tellers there are: one gathers what comes while the
// other's record is being written.
const tellerCount = 2

// teller tells the log what the workers bring, as much at once as has come, until
// they have all ended.
func (d *Dispatch) teller(ctx context.Context, told <-chan handed) {
	for first := range told {
		all := []handed{first}
		receipts := first.receipts
	more:
		for len(receipts) < atOnce-d.o.Batch {
			select {
			case h, open := <-told:
				if !open {
					break more
				}
				all, receipts = append(all, h), append(receipts, h.receipts...)
			default:
				break more
			}
		}
		d.tell(ctx, receipts)
		for i := range all {
			d.release(all[i].claims)
		}
		d.Wake()
	}
}

// tell appends receipts until the log takes them, then finishes them in the
// ledger. It gives up when the log refuses for another reason than that it cannot
// be written now, and at a stop: the ledger keeps the receipts, and the next
// process tells them.
func (d *Dispatch) tell(ctx context.Context, receipts []identity.Addressed) {
	if len(receipts) == 0 {
		return
	}
	lasting := context.WithoutCancel(ctx)
	d.note(lasting, receipts)
	killpoint.Hit(killpoint.BeforeOutcome)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := d.append(lasting, receipts)
		if err == nil {
			break
		}
		if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			d.log.Error("what became of messages is kept in the ledger until the next start", "error", err, "messages", len(receipts))
			return
		}
		select {
		case <-ctx.Done(): // one more try
		case <-time.After(pause):
		}
	}
	if err := d.finish(lasting, receipts); err != nil {
		d.log.Error("finishing deliveries in the ledger", "error", err)
	}
}

// finish closes the deliveries of receipts that are in the log. What the provider
// put off stays open in the ledger, with its receipt: the next process must know
// too that it may be started again.
func (d *Dispatch) finish(ctx context.Context, receipts []identity.Addressed) error {
	over := make([]profile.DeliveryID, 0, len(receipts))
	d.mu.Lock()
	for i := range receipts {
		id, fence, ok := of(&receipts[i])
		switch {
		case !ok:
		case receipts[i].Event.Name == event.MessageDeferred:
			d.put[id] = putOffAt{fence, receipts[i].Event.At}
		default:
			delete(d.put, id)
			over = append(over, id)
		}
	}
	d.mu.Unlock()
	return d.o.Ledger.Finish(ctx, over)
}
