package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"rapport/internal/core"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

type whyCmd struct {
	Customer string `arg:"" help:"A customer's id, user id, e-mail address or phone number."`
	Delivery string `arg:"" optional:"" help:"One message. Default: all of the customer's, the newest first."`
	Data     string `required:"" type:"path" help:"Data directory that no server is using."`
	JSON     bool   `help:"Print the decision records as JSON lines."`
}

// mostMessages bounds what why tells without being asked for one message.
const mostMessages = 200

// answer is one message and why it was sent or not.
type answer struct {
	Delivery profile.DeliveryID `json:"delivery"`
	Journey  string             `json:"journey"`
	Step     string             `json:"step"`
	Channel  string             `json:"channel"`
	State    string             `json:"state"`
	Reason   string             `json:"reason"` // why this person: what the message says of itself
	Why      string             `json:"why"`    // why it was sent or not: what the rules say
	At       event.Time         `json:"at"`
	Planned  json.RawMessage    `json:"planned,omitempty"` // the decision at planning
	Claimed  json.RawMessage    `json:"claimed,omitempty"` // the decision at the claim
}

// Run answers from the decision records.
func (c *whyCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	p, err := n.Lookup(ctx, c.Customer)
	if err != nil {
		return err
	}
	var rows []store.Delivery
	if c.Delivery != "" {
		id, err := profile.ParseDelivery(c.Delivery)
		if err != nil {
			return err
		}
		row, err := d.store.Delivery(ctx, id)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	} else {
		for _, id := range append(p.Strands[:len(p.Strands):len(p.Strands)], p.ID) {
			part, err := d.store.DeliveriesOf(ctx, id, mostMessages)
			if err != nil {
				return err
			}
			rows = append(rows, part...)
		}
	}
	if len(rows) == 0 && !c.JSON {
		fmt.Fprintln(e.out, "No journey has wanted to say anything to this customer.")
	}
	for i := range rows {
		a, err := answerOf(&rows[i], p)
		if err != nil {
			return err
		}
		if c.JSON {
			err = e.printJSON(a)
		} else {
			_, err = fmt.Fprintf(e.out, "%s  %-12s %s (%s)\n    %s.\n    %s\n", a.At.Time().Format("2006-01-02 15:04"), a.State, a.Journey, a.Delivery, a.Reason, a.Why)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func answerOf(row *store.Delivery, p *profile.Profile) (answer, error) {
	a := answer{
		Delivery: row.ID, Journey: row.Journey, Step: row.Step, Channel: row.Channel, State: row.State.String(), Reason: row.Reason, At: row.Changed,
	}
	for _, r := range []struct {
		packed []byte
		to     *json.RawMessage
	}{{row.Plan, &a.Planned}, {row.Claim, &a.Claimed}} {
		if len(r.packed) == 0 {
			continue
		}
		record, err := decision.Decode(string(r.packed))
		if err != nil {
			return a, err
		}
		a.Why = record.Sentence(p, record.Now)
		if *r.to, err = json.Marshal(&record); err != nil {
			return a, err
		}
	}
	if row.Because == core.Aborted {
		a.Why = "Its template gave it up: " + row.Outcome + "."
	} else if row.Outcome != "" {
		a.Why += " The answer: " + row.Outcome + "."
	}
	return a, nil
}
