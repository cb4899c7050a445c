package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"rapport/internal/channels"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/store"
)

// Standing hears what notices say of a sending domain.
type Standing interface {
	// Complained counts a complaint about a mail of the domain.
	Complained(domain string)
	// Refused notes that a receiver refused a mail for the domain's own standing.
	Refused(domain, why string)
}

// Notices counts what came in by [Node.Receive].
type Notices struct {
	Taken   atomic.Int64
	Unknown atomic.Int64 // about no delivery of ours, or one that was never begun

	mu   sync.Mutex
	seen map[event.ID]struct{}
}

// maxSeen bounds the notices that are remembered, so that a domain's standing
// counts one that is told again once. The core remembers for good.
const maxSeen = 50_000

// first reports whether a notice was not heard before.
func (c *Notices) first(id event.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.seen[id]; known {
		return false
	}
	if c.seen == nil || len(c.seen) >= maxSeen {
		c.seen = map[event.ID]struct{}{}
	}
	c.seen[id] = struct{}{}
	return true
}

var toldNames = map[channels.Told]string{
	channels.Delivered: event.MessageDelivered, channels.Bounced: event.MessageBounced, channels.Complained: event.Complained, channels.Unsubscribed: event.Unsubscribed,
	channels.Opened: event.MessageOpened, channels.Clicked: event.MessageClicked, channels.Replied: event.MessageReplied,
}

// Receive keeps the promise of [channels.Receiver]: the one state machine behind
// bounces by mail, feedback loops and providers' webhooks. What stops messages is
// durable in the ledger before its event is in the log.
func (n *Node) Receive(ctx context.Context, notices []channels.Notice) error {
	var errs []error
	for i := range notices {
		errs = append(errs, n.receive(ctx, &notices[i]))
	}
	return errors.Join(errs...)
}

func (n *Node) receive(ctx context.Context, t *channels.Notice) error {
	name := toldNames[t.Told]
	id, err := profile.ParseDelivery(t.Delivery)
	if err != nil || name == "" {
		n.Told.Unknown.Add(1) // delayed, too: somebody goes on trying, and nothing follows
		return nil
	}
	row, err := n.o.Store.Delivery(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && !begun(row.State):
		n.Told.Unknown.Add(1)
		n.log.Info("a notice about no message of ours was passed over", "told", t.Told, "source", t.Source)
		return nil
	case err != nil:
		return err
	}
	n.Told.Taken.Add(1)
	prog, err := n.Program(ctx)
	if err != nil {
		return err
	}
	who, err := n.Engine.Profile(ctx, row.Profile)
	if err != nil && !fault.Is(err, fault.Corrupt) {
		return err
	}
	if err := n.forbid(ctx, t, &row, prog, who); err != nil {
		return err
	}
	e := n.told(t, &row, name)
	if err := n.HearOf(ctx, row.Profile, []event.Event{e}); err != nil {
		return err
	}
	if n.o.Standing != nil && prog != nil && n.Told.first(e.ID) {
		n.standing(t, &row, prog, who)
	}
	return nil
}

// begun reports whether somebody can have heard of a delivery.
func begun(s profile.State) bool {
	switch s {
	case profile.Claimed, profile.Started, profile.Accepted, profile.Unknown, profile.Rejected:
		return true
	}
	return false
}

// forbid makes durable what a notice forbids.
func (n *Node) forbid(ctx context.Context, t *channels.Notice, row *store.Delivery, prog *program.Program, who *profile.Profile) error {
	now := n.o.Clock.Now()
	address := ""
	if who != nil {
		address = who.Address(row.Channel)
	}
	switch {
	case t.Told == channels.Unsubscribed:
		return n.Suppress(ctx, row.Profile, row.Channel, leaves(row), store.Unsubscribed, t.Delivery)
	case t.Told == channels.Complained:
		// Of every brand, and of this person under every address.
		subjects := [][16]byte{row.Profile}
		if who != nil && who.ID != row.Profile {
			subjects = append(subjects, who.ID)
		}
		if address != "" {
			subjects = append(subjects, n.Subject(row.Channel, address))
		}
		for _, purpose := range marketing(prog, row.Purpose) {
			for _, s := range subjects {
				if err := n.o.Ledger.Suppress(ctx, store.Suppression{Subject: s, Channel: row.Channel, Purpose: purpose, Reason: store.Complained, At: now, By: t.Delivery}); err != nil {
					return err
				}
			}
		}
	case t.Told == channels.Bounced && t.Cause() == channels.Hard && address != "" && !changedSince(who, row):
		return n.o.Ledger.Suppress(ctx, store.Suppression{Subject: n.Subject(row.Channel, address), Channel: row.Channel, Reason: store.Bounced, At: now, By: t.Delivery})
	}
	return nil
}

// leaves is the purpose that an unsubscribe ends: that of the message. Whoever
// unsubscribes by a message that an order brings, as mail programs offer it on any,
// means the advertising; what an order brings has no purpose to withdraw.
func leaves(row *store.Delivery) string {
	if brand, service := strings.CutSuffix(row.Purpose, decision.PurposeService); service && row.Class == profile.Service {
		return brand + decision.PurposeMarketing
	}
	return row.Purpose
}

// marketing are the purposes that a complaint ends: all that customers can agree
// to, and that of the message. What an order brings is not advertising.
func marketing(prog *program.Program, purpose string) []string {
	list := []string{purpose}
	if prog != nil {
		for _, p := range prog.Purposes {
			if p.Name != purpose && !strings.HasPrefix(p.Name, "track.") {
				list = append(list, p.Name)
			}
		}
	}
	return list
}

// changedSince reports whether the customer gave another address after the
// message went out.
func changedSince(who *profile.Profile, row *store.Delivery) bool {
	for i := range who.Traits {
		if t := &who.Traits[i]; t.Name == "email" && row.Channel == "email" {
			return t.At > row.Changed
		}
	}
	return false
}

// told returns the event of a notice. Its id is made of what it is about, so that
// a bounce that comes by mail and by webhook is one.
func (n *Node) told(t *channels.Notice, row *store.Delivery, name string) event.Event {
	now := n.o.Clock.Now()
	at := t.At
	if at <= 0 || at > now {
		at = now
	}
	var b event.Builder
	b.Set("delivery", event.Text(t.Delivery)).Set("sent", event.Int(int64(row.Changed)))
	b.SetText("channel", row.Channel).SetText("purpose", row.Purpose).SetText("journey", row.Journey).SetText("step", row.Step).SetText("template", row.Template).SetText("source", t.Source)
	id := "notice:" + t.Delivery + ":" + t.Told.String()
	switch t.Told {
	case channels.Bounced:
		b.SetText("cause", t.Cause().String()).SetText("enhanced", t.Status).SetText("detail", channels.Clip(t.Detail))
		if t.Code != 0 {
			b.Set("code", event.Int(int64(t.Code)))
		}
		if t.Cause() == channels.Hard {
			b.Set("hard", event.Yes(true))
		}
		// A mailbox may be full today and gone tomorrow, but one message is not returned
		// a hundred times.
		id += ":" + t.Cause().String()
	case channels.Complained:
		b.SetText("detail", channels.Clip(t.Detail))
	case channels.Unsubscribed:
		b.SetText("purpose", leaves(row)).SetText("evidence", "mail to the unsubscribe address")
		const hour = 3_600_000
		id += ":" + strconv.FormatInt(int64(now)/hour, 36) // a change of mind on another day is a new fact
	case channels.Opened, channels.Clicked:
		actor := t.Actor
		if actor == "" {
			actor = "unknown"
		}
		b.SetText("actor", actor).SetText("url", t.Link)
		id += ":" + short(t.ID, t.Link, strconv.FormatInt(int64(t.At), 36))
	case channels.Replied:
		id += ":" + short(t.ID, "", strconv.FormatInt(int64(t.At), 36))
	}
	return event.Event{ID: event.ID(id), Type: event.Track, Name: name, At: at, Raw: at, Trust: event.Own, Source: "notice", Props: b.Object()}
}

// short returns a few letters that tell one notice from another: the teller's id,
// or else what it is made of.
func short(id string, rest ...string) string {
	text := id
	if text == "" {
		text = strings.Join(rest, "\x00")
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// standing tells what a notice says of the domain that sent the message.
func (n *Node) standing(t *channels.Notice, row *store.Delivery, prog *program.Program, who *profile.Profile) {
	if row.Channel != "email" {
		return
	}
	sender, ok := prog.SenderOf(&row.Delivery, who)
	if !ok {
		return
	}
	switch {
	case t.Told == channels.Complained:
		n.o.Standing.Complained(sender.Domain)
	case t.Told == channels.Bounced && t.Auth() && t.Cause() == channels.Policy:
		n.o.Standing.Refused(sender.Domain, strings.TrimSpace(t.Status+" "+channels.Clip(t.Detail)))
	}
}

var _ channels.Receiver = (*Node)(nil)
