package dispatch

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"

	"rapport/internal/channels"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/killpoint"
	"rapport/internal/store"
)

// handOver renders the claims, writes that they begin, sends what may go, and
// returns the receipts. One recipient's failure is never another's.
func (d *Dispatch) handOver(ctx context.Context, claims []engine.Claim) []identity.Addressed {
	now := d.o.Now()
	var receipts []identity.Addressed
	messages := make([]channels.Message, 0, len(claims))
	ready := make([]*engine.Claim, 0, len(claims))
	starts := make([]store.Start, 0, len(claims))
	for i := range claims {
		c := &claims[i]
		if now > c.Delivery.Deadline {
			continue // too late: it gets a new slot
		}
		m, err := d.render(c, now)
		if err != nil {
			receipts = append(receipts, unworded(err, c, now))
			continue
		}
		if wait, why := d.pace(&m); wait > 0 {
			receipts = append(receipts, putOffByPace(c, now, wait, why))
			continue
		}
		messages, ready = append(messages, m), append(ready, c)
		starts = append(starts, store.Start{
			ID: c.Delivery.ID, Profile: c.Profile.ID, Fence: c.Delivery.Fence, Channel: c.Delivery.Channel, Purpose: c.Delivery.Purpose, At: now,
			Subjects: d.subjects(c, m.To.Address), Only: d.only(c, m.To.Address), Service: c.Delivery.Class == profile.Service, Resend: d.mayRepeat(c),
		})
	}
	n := 0
	for i, c := range ready { // the last look before they begin
		if d.isStopped(c) {
			receipts = append(receipts, stopped(c, now, ""))
			continue
		}
		messages[n], ready[n], starts[n] = messages[i], c, starts[i]
		n++
	}
	messages, ready, starts = messages[:n], ready[:n], starts[:n]
	if len(starts) == 0 {
		return receipts
	}
	answers, err := d.o.Ledger.Start(ctx, starts)
	if err != nil {
		// Nothing was begun: the claims get new slots after their deadline.
		d.log.Error("writing that deliveries begin", "error", err, "messages", len(starts))
		return receipts
	}
	killpoint.Hit(killpoint.AfterStarted)
	byChannel := map[string][]int{}
	var order []string
	for i, a := range answers {
		switch a {
		case store.Go:
			name := ready[i].Delivery.Channel
			if byChannel[name] == nil {
				order = append(order, name)
			}
			byChannel[name] = append(byChannel[name], i)
		case store.Stop:
			receipts = append(receipts, receipt(event.MessageStopped, ready[i], now, channels.Outcome{Detail: "suppressed"}))
		case store.Same:
			receipts = append(receipts, receipt(event.MessageStopped, ready[i], now, channels.Outcome{Detail: string(decision.SameAddress)}))
		case store.Again:
			// It was begun under an earlier claim, by a process that was paused or cut
			// off, whose own answer the fence keeps out from now on. So nobody will ever
			// know; the customer is not asked to bear a second copy.
			receipts = append(receipts, receipt(event.MessageUnknown, ready[i], now, channels.Outcome{Detail: "it was begun under an earlier claim, and its answer came too late or never"}))
		}
	}
	for _, name := range order {
		receipts = append(receipts, d.send(ctx, name, byChannel[name], messages, ready, now)...)
	}
	return receipts
}

// note keeps receipts in the ledger until the log has them.
func (d *Dispatch) note(ctx context.Context, receipts []identity.Addressed) {
	if err := d.o.Ledger.Note(ctx, noted(receipts)); err != nil {
		d.log.Error("noting receipts in the ledger", "error", err)
	}
}

// subjects are the keys under which a suppression of this delivery may stand:
// the person and every id they were known by, and the address.
func (d *Dispatch) subjects(c *engine.Claim, address string) [][16]byte {
	subjects := make([][16]byte, 0, 2+len(c.Profile.Strands))
	subjects = append(subjects, c.Profile.ID, d.o.Subject(c.Delivery.Channel, address))
	for _, s := range c.Profile.Strands {
		subjects = append(subjects, s)
	}
	return subjects
}

func (d *Dispatch) send(ctx context.Context, name string, which []int, messages []channels.Message, ready []*engine.Claim, now event.Time) []identity.Addressed {
	channel := d.o.Channels[name]
	batch := make([]channels.Message, len(which))
	for i, n := range which {
		batch[i] = messages[n]
	}
	var outcomes []channels.Outcome
	if channel == nil {
		outcomes = make([]channels.Outcome, len(batch))
		for i := range outcomes {
			outcomes[i] = channels.Outcome{State: channels.Rejected, Detail: "no sender is set up for the channel " + name}
		}
	} else {
		outcomes = d.carry(ctx, channel, batch)
	}
	killpoint.Hit(killpoint.AfterAccept)
	receipts := make([]identity.Addressed, len(which))
	for i, n := range which {
		var o channels.Outcome // Unknown: an adapter that forgets to answer has promised nothing
		if i < len(outcomes) {
			o = outcomes[i]
		}
		receipts[i] = receipt(names[o.State], ready[n], now, o)
	}
	return receipts
}

var names = map[channels.State]string{
	channels.Unknown: event.MessageUnknown, channels.Accepted: event.MessageSent,
	channels.Rejected: event.MessageRejected, channels.Deferred: event.MessageDeferred,
}

// receipt is an event in the customer's history. Its id is made of the delivery
// and the claim, so it counts once however often it is told.
func receipt(name string, c *engine.Claim, now event.Time, o channels.Outcome) identity.Addressed {
	del := &c.Delivery
	var b event.Builder
	b.Set("delivery", event.Text(del.ID.String())).Set("fence", event.Text(strconv.FormatUint(del.Fence, 10)))
	b.SetText("channel", del.Channel).SetText("journey", del.Journey).SetText("step", del.Step).SetText("template", del.Template)
	b.SetText("reason", del.Reason).SetText("product", del.Product).SetText("category", del.Category)
	b.SetText("detail", o.Detail).SetText("enhanced", o.Enhanced)
	if o.Code != 0 {
		b.Set("code", event.Int(int64(o.Code)))
	}
	if o.Hard {
		b.Set("hard", event.Yes(true))
	} else if o.State == channels.Rejected && o.Code != 0 {
		b.SetText("cause", channels.Failure{Status: o.Enhanced, Code: o.Code, Detail: o.Detail}.Cause().String())
	}
	if o.RetryAfter > 0 {
		b.Set("retry_after", event.Num(o.RetryAfter.Seconds()))
	}
	return entry(name, c.Profile.ID, del.ID, del.Fence, now, b.Object())
}

func entry(name string, to identity.ID, id profile.DeliveryID, fence uint64, now event.Time, props event.Object) identity.Addressed {
	return identity.Addressed{To: to, Event: event.Event{
		ID: event.ID("receipt:" + id.String() + ":" + strconv.FormatUint(fence, 36)), Type: event.System, Name: name, At: now, Raw: now,
		Trust: event.Own, Source: "dispatch", Props: props,
	}}
}

// of returns which delivery and claim a receipt is about.
func of(receipt *identity.Addressed) (id profile.DeliveryID, fence uint64, ok bool) {
	id, err := profile.ParseDelivery(receipt.Event.Props.Text("delivery"))
	if err != nil {
		return id, 0, false
	}
	fence, err = strconv.ParseUint(receipt.Event.Props.Text("fence"), 10, 64)
	return id, fence, err == nil
}

// receiptSize is room for nearly every receipt.
const receiptSize = 512

func noted(receipts []identity.Addressed) []store.Receipt {
	notes := make([]store.Receipt, 0, len(receipts))
	for i := range receipts {
		if id, _, ok := of(&receipts[i]); ok {
			notes = append(notes, store.Receipt{ID: id, Entry: receipts[i].Append(make([]byte, 0, receiptSize))})
		}
	}
	return notes
}

// render words a message. A panic is this message's failure: a template must not
// end the process for everybody, again at each start.
func (d *Dispatch) render(c *engine.Claim, now event.Time) (m channels.Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			d.log.Error("wording a message panicked", "delivery", c.Delivery.ID, "template", c.Delivery.Template, "panic", r, "stack", string(debug.Stack()))
			err = errors.New("wording it panicked")
		}
	}()
	return d.o.Render(c, now)
}

// carry sends a batch. After a panic of the adapter nobody knows what had left.
func (d *Dispatch) carry(ctx context.Context, channel channels.Channel, batch []channels.Message) (outcomes []channels.Outcome) {
	defer func() {
		if r := recover(); r != nil {
			d.log.Error("a channel panicked", "channel", batch[0].Channel, "messages", len(batch), "panic", r, "stack", string(debug.Stack()))
			outcomes = make([]channels.Outcome, len(batch))
			for i := range outcomes {
				outcomes[i].Detail = "the channel's adapter panicked"
			}
		}
	}()
	return channel.Send(ctx, batch)
}
