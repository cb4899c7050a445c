package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/erase"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// Forget is how a keeper of messages outside of store and log, such as the mail
// catcher, forgets what it holds of people: everything of those whom erased knows.
type Forget func(ctx context.Context, erased func(identity.Identifier) bool) error

// Tables keeps rows that were made of the feed: the warehouse, and who fills it.
type Tables interface {
	// Forget takes every row of the customers out; when it returns, no byte of them
	// is in its files. The feed has them no more when it is called.
	Forget(ctx context.Context, ids []identity.ID) error
	// Everything yields all that is held, for a scan.
	Everything(ctx context.Context, yield func(where string, body []byte) error) error
}

// Clean takes erased customers out of an index: gone reports who they are.
type Clean func(ctx context.Context, gone func(identity.ID) bool) error

// Erase forgets the customer who has the id. It returns once every home of theirs
// is a tombstone, nothing under it is in the state, and nothing more is sent to
// them; old bytes of theirs may still lie in the log and in the free space of
// files until [Node.Sweep]. Interrupted, it is to be called again: [Node.Reerase]
// does so for everybody on the list.
//
// Nobody by that id is NotFound.
func (n *Node) Erase(ctx context.Context, id identity.ID) (erase.Entry, error) {
	p, err := n.Engine.Profile(ctx, id)
	if err != nil {
		return erase.Entry{}, err
	}
	if p == nil {
		return erase.Entry{}, fault.New(fault.NotFound, "there is no such customer, or not any more")
	}
	entry := n.entryOf(p)
	// The list first: whatever fails from here on can be done again from it. The
	// suppression next: a message that is on its way stops at its last step.
	if err := n.erasures.Add(entry); err != nil {
		return entry, err
	}
	return entry, n.bury(ctx, entry)
}

// entryOf says by which homes and addresses a customer is known.
func (n *Node) entryOf(p *profile.Profile) erase.Entry {
	e := erase.Entry{At: n.o.Clock.Now(), Homes: append([]identity.ID{p.ID}, p.Strands...), Subjects: n.Subjects(p)}
	for i := range p.Held {
		if h := &p.Held[i]; h.State == profile.Owned {
			e.Homes = append(e.Homes, n.o.Key.Home(h.Identifier))
		}
	}
	return e
}

// Subjects returns the keyed hashes of every address of a customer, as the ledger
// names them.
func (n *Node) Subjects(p *profile.Profile) (subjects [][16]byte) {
	address := func(channel, value string) {
		if s := n.Subject(channel, value); value != "" && !slices.Contains(subjects, s) {
			subjects = append(subjects, s)
		}
	}
	for i := range p.Held {
		h := &p.Held[i]
		switch {
		case h.State != profile.Owned:
		case h.Identifier.Kind == identity.Email:
			address("email", h.Identifier.Value)
		case h.Identifier.Kind == identity.Phone:
			address("sms", h.Identifier.Value)
			address("whatsapp", h.Identifier.Value)
		}
	}
	for _, channel := range []string{"email", "sms", "whatsapp"} {
		address(channel, p.Address(channel))
	}
	for i := range p.Health {
		address(p.Health[i].Channel, p.Health[i].Address)
	}
	return subjects
}

// bury suppresses, erases and cleans what an entry names.
func (n *Node) bury(ctx context.Context, e erase.Entry) error {
	subjects := e.Subjects
	for _, id := range e.Homes {
		subjects = append(subjects, id)
	}
	for _, s := range subjects {
		if err := n.o.Ledger.Suppress(ctx, store.Suppression{Subject: s, Reason: store.Erased, At: e.At, By: "erasure"}); err != nil {
			return fmt.Errorf("suppressing an erased customer: %w", err)
		}
	}
	entries := make([]identity.Addressed, len(e.Homes))
	for i, id := range e.Homes {
		at := n.o.Clock.Now()
		entries[i] = identity.Addressed{To: id, Event: event.Event{
			ID: event.ID("erase:" + id.String() + ":" + strconv.FormatInt(int64(at), 36)), Type: event.System, Name: event.Erase,
			At: at, Trust: event.Own, Source: "rapport",
		}}
	}
	if err := n.Engine.Append(ctx, entries); err != nil {
		return err
	}
	if err := n.settled(ctx); err != nil {
		return err
	}
	if err := n.buried(ctx, e.Homes); err != nil {
		return err
	}
	return n.clean(ctx, e.Homes)
}

// settled waits until what was appended is applied, or sees to it.
func (n *Node) settled(ctx context.Context) error {
	switch {
	case n.started.Load():
		return n.Engine.CaughtUp(ctx)
	case n.o.Clock.Virtual():
		return n.Engine.Settle(ctx)
	}
	return n.Engine.CatchUp(ctx)
}

// buriedPoll is how often the store is asked whether all homes are tombstones: an
// erasure travels from home to home by the log.
const buriedPoll = 10 * time.Millisecond

// buried waits until every home is a tombstone in the store.
func (n *Node) buried(ctx context.Context, homes []identity.ID) error {
	for {
		rows, err := n.o.Store.Load(ctx, homes)
		if err != nil {
			return err
		}
		left := 0
		for _, row := range rows {
			if p, err := profile.Decode(string(row.Body)); row.Body == nil || err != nil || p.Owner != identity.Erased {
				left++
			}
		}
		switch {
		case left == 0:
			return nil
		case !n.started.Load():
			return fault.New(fault.Internal, fmt.Sprintf("%d homes of an erased customer are no tombstones", left))
		}
		if err := n.Engine.Err(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(buriedPoll):
		}
	}
}

// erased notes the homes that the core has erased, which may be more than anybody
// knew of: an identifier that came at the last moment.
func (n *Node) erased(ids []identity.ID) {
	if err := n.erasures.Add(erase.Entry{At: n.o.Clock.Now(), Homes: ids}); err != nil {
		n.log.Error("noting who was erased: a restored backup may bring them back", "error", err)
	}
}

// clean takes an erased customer out of what is kept beside their profile.
func (n *Node) clean(ctx context.Context, homes []identity.ID) error {
	packer := feed.NewPacker()
	err := n.o.Store.RewriteFeed(ctx, func(b store.Feed) ([]byte, bool, error) {
		var rows []byte
		gone := false
		err := feed.Each(b.Body, func(row feed.Row) error {
			if n.erasures.Has(row.Profile) {
				gone = true
			} else {
				rows = row.Append(rows)
			}
			return nil
		})
		if err != nil || !gone {
			return nil, false, err
		}
		return packer.Pack(rows), true, nil
	})
	if err != nil {
		return fmt.Errorf("taking an erased customer out of the feed: %w", err)
	}
	if _, err := n.o.Store.PruneQuarantine(ctx, n.spokenOf); err != nil {
		return fmt.Errorf("taking an erased customer out of the quarantine: %w", err)
	}
	if err := n.o.Ledger.Forget(ctx, homes...); err != nil {
		return fmt.Errorf("taking an erased customer out of the ledger: %w", err)
	}
	if n.o.Gone != nil {
		n.o.Gone(homes...)
	}
	if n.o.Tables != nil {
		if err := n.o.Tables.Forget(ctx, homes); err != nil {
			return fmt.Errorf("taking an erased customer out of the warehouse: %w", err)
		}
	}
	var errs []error
	for _, clean := range n.o.Clean {
		errs = append(errs, clean(ctx, n.erasures.Has))
	}
	for _, forget := range n.o.Forget {
		errs = append(errs, forget(ctx, func(id identity.Identifier) bool { return n.erasures.Has(n.o.Key.Home(id)) }))
	}
	return errors.Join(errs...)
}

// spokenOf reports whether something that was put aside is about an erased customer.
func (n *Node) spokenOf(q store.Quarantine) bool {
	if n.erasures.Has(q.To) || n.erasures.Mentions(n.o.Key, q.Detail) || n.erasures.Mentions(n.o.Key, q.Reason) {
		return true
	}
	if len(q.Entry) == 0 {
		return false
	}
	a, err := identity.DecodeAddressed(string(q.Entry))
	return err == nil && (n.erasures.Has(a.To) || n.erasures.Speaks(n.o.Key, &a.Event))
}

// Reerase erases everybody on the list again who is not a tombstone: after a
// restored backup, or an erasure that was cut short.
func (n *Node) Reerase(ctx context.Context) (again int, err error) {
	for _, e := range n.erasures.Entries() {
		rows, err := n.o.Store.Load(ctx, e.Homes)
		if err != nil {
			return again, err
		}
		for _, row := range rows {
			p, err := profile.Decode(string(row.Body))
			if row.Body == nil || err != nil || p.Owner != identity.Erased {
				if err := n.bury(ctx, e); err != nil {
					return again, err
				}
				again++
				break
			}
		}
	}
	return again, nil
}

// Sweep sees to it that nothing of those who were erased is left in any file: the
// log forgets what every reader has passed, and the files of state and ledger are
// written anew. It takes as long as writing them does.
func (n *Node) Sweep(ctx context.Context) error {
	now := n.o.Clock.Now()
	const padding = 1 << 20
	for range eventlog.TrimSlack / padding {
		if err := n.tick(ctx, strings.Repeat("-", padding)); err != nil {
			return err
		}
	}
	if err := n.TrimLog(ctx); err != nil {
		return err
	}
	if err := n.o.Store.Compact(ctx); err != nil {
		return err
	}
	if err := n.o.Ledger.Compact(ctx); err != nil {
		return err
	}
	return n.erasures.Sweep(now)
}

// TrimLog lets the log forget every record that is applied and committed. The
// newest record always stays, so a tick is put behind what is to go.
func (n *Node) TrimLog(ctx context.Context) error {
	if err := n.tick(ctx, ""); err != nil {
		return err
	}
	if err := n.settled(ctx); err != nil {
		return err
	}
	for lane := range n.o.Log.Lanes() {
		pos, err := n.o.Store.Position(ctx, lane)
		if err == nil {
			err = n.o.Log.Trim(ctx, lane, pos.Seq)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tick appends a tick to every lane. What it carries is of no meaning.
func (n *Node) tick(ctx context.Context, padding string) error {
	now := n.o.Clock.Now()
	var b event.Builder
	b.SetText("padding", padding)
	return n.Engine.Broadcast(ctx, event.Event{
		ID: event.ID("tick:" + strconv.FormatInt(int64(now), 36)), Type: event.System, Name: event.Tick, At: now, Trust: event.Own, Source: "rapport", Props: b.Object(),
	})
}

// Erased reports whether an event speaks of somebody who was erased. Such an event
// is dropped; whoever imports a file says so of the line.
func (n *Node) Erased(e *event.Event) bool { return n.erasures.Speaks(n.o.Key, e) }

// remembered drops and counts the entries that speak of somebody who was erased.
func (n *Node) remembered(entries []identity.Addressed) []identity.Addressed {
	kept := entries[:0]
	for i := range entries {
		if n.erasures.Has(entries[i].To) || n.Erased(&entries[i].Event) {
			n.late.Add(1)
			continue
		}
		kept = append(kept, entries[i])
	}
	return kept
}

// Late counts what was heard of people after they were erased, and dropped.
func (n *Node) Late() int64 { return n.late.Load() + n.Engine.Stats().Late }

// Everything yields all that state and log hold, each block unpacked by the
// product's own reader, for a scan.
func (n *Node) Everything(ctx context.Context, yield func(where string, body []byte) error) error {
	if n.o.Tables != nil {
		if err := n.o.Tables.Everything(ctx, yield); err != nil {
			return err
		}
	}
	return n.o.Store.Everything(ctx, func(table string, cell []byte) error {
		switch table {
		case "history":
			events, err := engine.UnpackHistory(cell)
			if err != nil {
				return nil // no block: another column of the row, which the files show as it is
			}
			for i := range events {
				if err := yield("the history", events[i].Event.AppendJSON(nil)); err != nil {
					return err
				}
			}
		case "feed":
			err := feed.Each(cell, func(row feed.Row) error { return yield("the feed", row.Append(nil)) })
			if err != nil && !fault.Is(err, fault.Corrupt) {
				return err
			}
		}
		return yield("the table "+table, cell)
	})
}
