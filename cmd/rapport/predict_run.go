package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/predict"
	"rapport/internal/run"
)

// What the value of a customer rests on where nobody says otherwise: turnover, and
// money that is worth a tenth less a year later.
const (
	defaultMargin   = 1.0
	defaultDiscount = 0.1
)

// predictor runs the models on a directory. They learn from its tables, which are
// open by now, if there are any.
func predictor(d *directory, n *run.Node, margin, discount float64) *predict.Runner {
	source := &predict.Tables{Warehouse: d.tables.store(), Named: func(ctx context.Context, id identity.ID) (bool, error) {
		p, err := n.Engine.Profile(ctx, id)
		if p == nil || err != nil {
			return false, err
		}
		return p.Named(), nil
	}}
	dir := filepath.Join(d.dir, "predictions")
	return &predict.Runner{
		Models: append(predict.Models(), predict.Behaviour(dir, n.Occasions)...), Source: source, Say: n.Engine.Append, Dir: dir,
		Fresh: func(ctx context.Context) error { return d.tables.fresh(ctx, n) },
		Moment: func(ctx context.Context, now event.Time) (predict.Moment, error) {
			pr, err := n.Program(ctx)
			if err != nil {
				return predict.Moment{}, err
			}
			if pr == nil {
				return predict.Moment{}, fault.New(fault.Unavailable, "no definitions are in force yet: whose shop this is, in which zone and currency, is not known")
			}
			return predict.Moment{Now: now, Zone: pr.Zone, Currency: pr.Currency, Margin: margin, Discount: discount}, nil
		},
	}
}

// predictDaily runs the models each day until what it returns is called.
func (s *server) predictDaily(ctx context.Context) (stop func()) {
	if s.d.tables == nil {
		s.logger.Warn("the models do not run: they learn from the warehouse, which this server keeps none of")
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			zone := time.UTC
			if pr, err := s.node.Program(ctx); err == nil && pr != nil {
				zone = pr.Zone
			}
			now := s.clock.Now()
			select {
			case <-ctx.Done():
				return
			case <-time.After(predict.Next(now, zone).Sub(now)):
			}
			if _, err := s.predictor.Run(ctx, s.node.Engine.Now()); err != nil && ctx.Err() == nil {
				s.logger.Error("predicting", "error", err)
			}
		}
	}()
	return func() { cancel(); <-done }
}

type predictRun struct {
	Models   []string `arg:"" optional:"" help:"Which models. Default: all."`
	Data     string   `required:"" type:"path" help:"Data directory that no server is using."`
	Margin   float64  `default:"1" help:"Which share of an order's sum is the shop's own, for the value of customers. Default: all of it."`
	Discount float64  `default:"0.1" help:"By which share a year makes money less worth."`
	JSON     bool     `help:"Print the reports as JSON lines."`
}

// Run fits the models now and tells the customers what changed.
func (c *predictRun) Run(ctx context.Context, e *env) (err error) {
	if !(c.Margin > 0 && c.Margin <= 1) || !(c.Discount >= 0 && c.Discount < 1) {
		return fmt.Errorf("%w: --margin is above 0 and at most 1, --discount at least 0 and below 1", errMisuse)
	}
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	if err := n.Start(ctx); err != nil {
		return err
	}
	if d.tables == nil { // else the definitions were compared with it
		if err := d.openTables(ctx, "duckdb", e.logger); err != nil {
			return err
		}
	}
	reports, err := predictor(d, n, c.Margin, c.Discount).Run(ctx, n.Engine.Now(), c.Models...)
	for i := range reports {
		if c.JSON {
			err = errors.Join(err, e.printJSON(&reports[i]))
		} else {
			writeReport(e, &reports[i])
		}
	}
	return errors.Join(err, n.Engine.Arrived(ctx))
}

type predictList struct {
	Data string `required:"" type:"path" help:"Data directory that no server is using."`
	JSON bool   `help:"Print it as JSON lines."`
}

// listed is a model with its last report.
type listed struct {
	predict.About
	Report predict.Report `json:"report"`
}

// Run lists the models.
func (c *predictList) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	r := predictor(d, n, defaultMargin, defaultDiscount)
	reports, err := r.Reports()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	for i, m := range r.Models {
		about, report := m.About(), reports[i]
		if c.JSON {
			if err := e.printJSON(listed{about, report}); err != nil {
				return err
			}
			continue
		}
		state := "never ran"
		switch {
		case report.Refused != "":
			state = report.At.Time().Format(time.DateOnly) + ": says nothing, " + report.Refused
		case report.At != 0:
			state = fmt.Sprintf("%s: %d customers, %d told", report.At.Time().Format(time.DateOnly), report.Predicted, report.Said)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", about.Name, about.Title, state)
	}
	return w.Flush()
}

type predictShow struct {
	What string `arg:"" help:"A model, or a customer's id, user id, e-mail address or phone number."`
	Data string `required:"" type:"path" help:"Data directory that no server is using."`
	JSON bool   `help:"Print it as JSON."`
}

// Run shows the last report of a model, or what is said of a customer.
func (c *predictShow) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	r := predictor(d, n, defaultMargin, defaultDiscount)
	reports, err := r.Reports()
	if err != nil {
		return err
	}
	for i, m := range r.Models {
		if m.About().Name != c.What {
			continue
		}
		if c.JSON {
			return e.printJSON(listed{m.About(), reports[i]})
		}
		for _, need := range m.About().Needs {
			fmt.Fprintf(e.out, "needs at least %d %s\n", need.Least, need.What)
		}
		writeReport(e, &reports[i])
		return nil
	}
	p, err := n.Lookup(ctx, c.What)
	if err != nil {
		return err
	}
	said := predict.Said(p, n.Engine.Now())
	if c.JSON {
		return e.printJSON(said)
	}
	if len(said) == 0 {
		fmt.Fprintln(e.out, "No model says anything of this customer.")
	}
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	for _, s := range said {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, s.Value, s.At.Time().Format(time.DateOnly), s.Evidence)
	}
	return w.Flush()
}

// writeReport prints what a model says of itself.
func writeReport(e *env, r *predict.Report) {
	switch {
	case r.At == 0:
		fmt.Fprintf(e.out, "%s never ran\n", r.Model)
		return
	case r.Refused != "":
		fmt.Fprintf(e.out, "%s says nothing: %s\n", r.Model, r.Refused)
		return
	}
	fmt.Fprintf(e.out, "%s, %s: learned from %d customers, says something of %d, told %d what changed\n", r.Model, r.At.Time().Format(time.DateOnly), r.Customers, r.Predicted, r.Said)
	if r.Method != "" {
		fmt.Fprintln(e.out, r.Method)
	}
	for _, f := range r.Figures {
		fmt.Fprintf(e.out, "  %s %.4f\n", f.Name, f.Value)
	}
	if r.Checked != "" {
		fmt.Fprintf(e.out, "Checked: %s\n", r.Checked)
	}
	if len(r.Calibration) > 0 {
		writeBins(e, "group", "mean", r.Calibration)
	}
}
