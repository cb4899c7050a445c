package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/run"
	"rapport/internal/store"
)

type dumpCmd struct {
	What string `arg:"" enum:"events,profiles,deliveries,quarantine" help:"events, profiles, deliveries or quarantine."`
	Data string `required:"" type:"path" help:"Data directory that no server is using."`
}

// dumpPage is how many profiles are read at once.
const dumpPage = 1000

// Run prints JSON lines.
func (c *dumpCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	w := bufio.NewWriterSize(e.out, 1<<20)
	defer func() { err = errors.Join(err, w.Flush()) }()
	switch c.What {
	case "deliveries":
		for row, err := range d.store.Deliveries(ctx) {
			if err != nil {
				return err
			}
			if err := writeDelivery(w, &row); err != nil {
				return err
			}
		}
		return nil
	case "quarantine":
		list, err := d.store.Quarantined(ctx, 1_000_000)
		if err != nil {
			return err
		}
		for i := range list {
			q := &list[i]
			if _, err := fmt.Fprintf(w, `{"at":%q,"kind":%q,"field":%q,"reason":%q,"detail":%q}`+"\n", q.At.String(), q.Kind, q.Field, q.Reason, q.Detail); err != nil {
				return err
			}
		}
		return nil
	}
	return eachProfile(ctx, d, func(p *profile.Profile) error {
		if c.What == "profiles" {
			if !p.Owner.Zero() {
				return nil
			}
			prog, err := n.Program(ctx)
			if err != nil {
				return err
			}
			b, err := run.ProfileJSON(p, prog)
			if err != nil {
				return err
			}
			_, err = w.Write(append(b, '\n'))
			return err
		}
		return writeEvents(ctx, w, d, p.ID)
	})
}

// eachProfile yields every hot row in order of id. What is damaged it goes past,
// and says at the end how much that was: who audits a damaged directory wants to
// see the rest.
func eachProfile(ctx context.Context, d *directory, yield func(*profile.Profile) error) error {
	var from identity.ID
	var first error
	damaged := 0
	for {
		rows, err := d.store.Profiles(ctx, from, dumpPage)
		if err != nil {
			return err
		}
		for i := range rows {
			p, err := profile.Decode(string(rows[i].Body))
			if err != nil {
				err = fmt.Errorf("profile %s: %w", rows[i].ID, err)
			} else {
				err = yield(p)
			}
			switch {
			case fault.Is(err, fault.Corrupt):
				damaged++
				first = cmp.Or(first, err)
			case err != nil:
				return err
			}
		}
		if len(rows) < dumpPage {
			if damaged > 0 {
				return fmt.Errorf("customers that cannot be read: %d, all others are above; the first: %w", damaged, first)
			}
			return nil
		}
		from = engine.Next(rows[len(rows)-1].ID)
	}
}

// writeEvents prints the history that lies under one strand.
func writeEvents(ctx context.Context, w *bufio.Writer, d *directory, strand identity.ID) error {
	blocks, err := d.store.History(ctx, strand)
	if err != nil {
		return err
	}
	var all []engine.Heard
	for _, b := range blocks {
		events, err := engine.UnpackHistory(b.Body)
		if err != nil {
			return fmt.Errorf("history of %s: %w", strand, err)
		}
		all = append(all, events...)
	}
	slices.SortStableFunc(all, func(a, b engine.Heard) int { return cmp.Compare(a.Now, b.Now) })
	var line []byte
	for i := range all {
		line = all[i].Event.AppendJSON(line[:0])
		line = append(line[:len(line)-1], `,"profile":"`+strand.String()+`","heard":"`+all[i].Now.String()+"\"}\n"...)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// delivery is one row of the ledger as JSON lines show it.
type delivery struct {
	ID        profile.DeliveryID `json:"id"`
	Profile   identity.ID        `json:"profile"`
	State     string             `json:"state"`
	Because   string             `json:"reason,omitempty"` // the rule that stopped it
	Class     string             `json:"class"`
	Channel   string             `json:"channel"`
	Journey   string             `json:"journey"`
	Step      string             `json:"step"`
	Template  string             `json:"template"`
	Says      string             `json:"says,omitempty"` // the reason that the message itself gives
	Product   string             `json:"product,omitempty"`
	Planned   event.Time         `json:"planned"`
	NotBefore event.Time         `json:"not_before"`
	Expires   event.Time         `json:"expires"`
	Changed   event.Time         `json:"changed"`
	Fence     uint64             `json:"fence"`
	Outcome   string             `json:"outcome,omitempty"`
	Decision  json.RawMessage    `json:"decision,omitempty"` // the last one
}

func writeDelivery(w *bufio.Writer, row *store.Delivery) error {
	d := delivery{
		ID: row.ID, Profile: row.Profile, State: row.State.String(), Because: row.Because, Class: row.Class.String(), Channel: row.Channel,
		Journey: row.Journey, Step: row.Step, Template: row.Template, Says: row.Reason, Product: row.Product, Planned: row.Planned,
		NotBefore: row.NotBefore, Expires: row.Expires, Changed: row.Changed, Fence: row.Fence, Outcome: row.Outcome,
	}
	if packed := lastRecord(row); len(packed) > 0 {
		record, err := decision.Decode(string(packed))
		if err != nil {
			return fmt.Errorf("decision of %s: %w", row.ID, err)
		}
		if d.Decision, err = json.Marshal(&record); err != nil {
			return err
		}
	}
	b, err := json.Marshal(&d)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
