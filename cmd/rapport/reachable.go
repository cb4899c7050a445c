package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"rapport/internal/imports"
	"rapport/internal/program"
	"rapport/internal/run"
)

type reachableCmd struct {
	Data    string `required:"" type:"path" help:"Data directory that no server is using."`
	Channel string `default:"email" help:"Channel that is asked about."`
	Purpose string `default:"marketing" help:"Purpose that is asked about."`
	JSON    bool   `help:"Print the result as JSON."`
}

// Run counts who can be written to, and why the others cannot.
func (c *reachableCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	if err := program.CheckChannel(c.Channel); err != nil {
		return fmt.Errorf("%w: %w", errMisuse, err)
	}
	pr, err := n.Program(ctx)
	if err != nil {
		return err
	}
	if pr != nil {
		if err := pr.Shop.CheckPurpose(c.Purpose); err != nil {
			return fmt.Errorf("%w: %w", errMisuse, err)
		}
	}
	r, err := measured(ctx, d, n, c.Channel, c.Purpose)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(reachJSON(r))
	}
	return writeReach(e.out, nil, r)
}

// measured counts who can be written to as of what is committed.
func measured(ctx context.Context, d *directory, n *run.Node, channel, purpose string) (*imports.Reach, error) {
	return imports.Measure(ctx, d.store, d.ledger, n, channel, purpose, n.Engine.Now())
}

// reach is a measure as JSON.
type reach struct {
	Channel   string           `json:"channel"`
	Purpose   string           `json:"purpose"`
	Customers int64            `json:"customers"`
	Address   int64            `json:"with_address"`
	Suppress  int64            `json:"suppressed"`
	Bounced   int64            `json:"bounced"`
	Reachable int64            `json:"reachable"`
	Standings map[string]int64 `json:"standings"` // they add up to customers
}

func reachJSON(r *imports.Reach) reach {
	out := reach{Channel: r.Channel, Purpose: r.Purpose, Standings: map[string]int64{}}
	out.Customers, out.Address, _, out.Suppress, out.Bounced, out.Reachable = r.Funnel()
	for s, n := range r.Counts {
		if n > 0 {
			out.Standings[imports.Standing(s).String()] = n
		}
	}
	return out
}

// writeReach prints a measure, and how it came from the one before.
func writeReach(out io.Writer, before, after *imports.Reach) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s for %s\t", after.Channel, after.Purpose)
	if before != nil {
		fmt.Fprint(w, "before\tdifference\t")
	}
	fmt.Fprint(w, "now\t\n")
	line := func(name string, was, is int64) {
		fmt.Fprintf(w, "%s\t", name)
		if before != nil {
			fmt.Fprintf(w, "%d\t%+d\t", was, is-was)
		}
		fmt.Fprintf(w, "%d\t\n", is)
	}
	var zero imports.Reach
	old := before
	if old == nil {
		old = &zero
	}
	line("customers", old.Customers(), after.Customers())
	for s := range after.Counts {
		if old.Counts[s]+after.Counts[s] > 0 {
			line("of them "+imports.Standing(s).String(), old.Counts[s], after.Counts[s])
		}
	}
	if err := w.Flush(); err != nil || before == nil {
		return err
	}
	for _, m := range imports.Moves(before, after) {
		fmt.Fprintf(out, "%d: %s → %s\n", m.Count, m.From, m.To)
	}
	return nil
}
