package main

import (
	"context"
	"fmt"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/demo"
	"rapport/internal/predict"
	"rapport/internal/report"
	"rapport/internal/run"
)

// understand runs every model once, as of the end of the year, and asks the
// reports. What models say goes to the log, so that the pages of customers show it.
// They learn from orders alone, for the rest is invented.
func (d *play) understand(ctx context.Context, sm *summary) error {
	s, began := d.s, time.Now()
	defer d.tell("")
	d.tell("The year is over, and the models learn from it.")
	u, err := understood(ctx, s.d, s.node, s.clock.Now(), func(model string) { d.tell("The models learn from the year; " + model + " is done.") })
	if err != nil {
		return err
	}
	if err := s.node.Settle(ctx); err != nil {
		return err
	}
	sm.Understood, sm.UnderstoodSeconds = u, time.Since(began).Seconds()
	return nil
}

// tell says on the demo page, and to whoever watches the progress bar, what is done
// after the year.
func (d *play) tell(doing string) {
	d.mu.Lock()
	d.doing = doing
	d.mu.Unlock()
	if d.watched && doing != "" {
		fmt.Fprintln(d.e.err, doing)
	}
}

// understood puts together what models and reports find in a directory whose tables
// are open and filled. It tells of each model that is done.
func understood(ctx context.Context, dir *directory, n *run.Node, now event.Time, done func(model string)) (*demo.Understood, error) {
	r := predictor(dir, n, defaultMargin, defaultDiscount)
	r.Source = demo.Real(dir.tables.warehouse)
	moment, err := r.Moment(ctx, now)
	if err != nil {
		return nil, err
	}
	f := &demo.Found{Results: map[string]*predict.Result{}, Source: r.Source, Moment: moment, Named: numbered(n)}
	r.Models = predict.Watch(r.Models, func(model string, r *predict.Result) {
		f.Results[model] = r
		done(model)
	})
	if _, err := r.Run(ctx, now); err != nil {
		return nil, err
	}
	tables := report.Tables{Warehouse: dir.tables.warehouse, Now: func() event.Time { return now }}
	for _, name := range []string{"cohorts", "rfm"} {
		switch v, err := tables.Ask(ctx, name, report.Params{Zone: moment.Zone, To: now}); v := v.(type) {
		case report.Cohorts:
			f.Cohorts = v
		case report.RFM:
			f.RFM = v
		default:
			return nil, err
		}
	}
	return demo.Understand(ctx, f)
}

// numbered returns the number by which the shop knows a customer.
func numbered(n *run.Node) func(context.Context, identity.ID) (string, error) {
	return func(ctx context.Context, id identity.ID) (string, error) {
		p, err := n.Engine.Profile(ctx, id)
		if err != nil || p == nil {
			return id.String(), err
		}
		if number, ok := p.Identifier(identity.User); ok {
			return number, nil
		}
		return id.String(), nil
	}
}
