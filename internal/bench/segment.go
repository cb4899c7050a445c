package bench

import (
	"context"
	"errors"
	"slices"
	"time"

	"rapport/internal/core"
	"rapport/internal/program"
)

// newSegments are what comes into force: one that is answered from what is kept of
// each customer, then one that asks everybody's history.
var newSegments = []struct{ name, body string }{
	{"hot", "segment: fresh-hot\nwhen: {all: [{segment: ordered-2}, {not_in_segment: lapsed}]}\n"},
	{"history", "segment: fresh-history\nwhen: {did: Product Viewed, where: {price: \">= 10\"}, distinct(sku): \">= 3\"}\n"},
}

// segmentBench measures how long a new segment takes to be right for everybody, and
// what those who come meanwhile notice.
func segmentBench(ctx context.Context, b *bench) error {
	n := b.size(300, 50_000, 1_000_000)
	r := &b.result
	r.Target = "a new segment over 1M customers ≤ 15 s from hot rows, ≤ 90 s over the whole history; live p99 ≤ 2×"
	r.Inside = "value: customers a second from Switch until all that the sweep changed is committed, for a segment answered from hot rows, with live traffic. history_…: the same for one that asks everybody's history. " +
		"…_p99_ms: from a durable event to its membership, meanwhile; quiet_p99_ms: the same without a sweep, before and after. …_cpu_us_per_customer: processor time of the process, live traffic included"
	r.LimitIs = "the rate that the target asks for, a million customers in 15 s"
	r.Params["customers"], r.Params["events_per_s"] = n, freshRate
	prog, err := compile(freshShop())
	if err != nil {
		return err
	}
	c, err := b.populate(ctx, prog, wall, n, shopper(wall(), 20))
	if err != nil {
		return err
	}
	src, err := freshShop()
	if err != nil {
		return err
	}
	list := slices.Clone(src.Files())
	for _, s := range newSegments {
		list = append(list, program.File{Path: "segments/fresh-" + s.name + ".yaml", Body: s.body})
		next, err := compile(program.New(slices.Clone(list)))
		if err != nil {
			return err
		}
		c.next = append(c.next, next)
	}
	if err := c.open(ctx, false); err != nil {
		return err
	}
	defer func() { _ = c.close(ctx) }() // as in engineBench
	l, err := newLoad(c.homes[:min(n, 20_000)], 1)
	if err != nil {
		return err
	}
	c.e.Start()
	p := &prober{c: c, prefix: "s"}
	b.say("memberships at %d events/s without a sweep", freshRate)
	var quiet spread
	if err := c.under(ctx, l, func() error { quiet, err = p.probe(ctx, b.seconds(20), probeEvery); return err }); err != nil {
		return err
	}
	meanwhile := map[string]spread{}
	for i, s := range newSegments {
		b.say("a new segment: %s", s.name)
		var took time.Duration
		var live spread
		busy := worked()
		err := b.profiled(s.name+"-", func() (err error) {
			took, live, err = c.swept(ctx, l, p, c.next[i].Core)
			return err
		})
		if err != nil {
			return err
		}
		r.Figures[s.name+"_s"], r.Figures[s.name+"_customers_per_s"] = took.Seconds(), float64(n)/took.Seconds()
		r.Figures[s.name+"_cpu_us_per_customer"] = float64((worked() - busy).Microseconds()) / float64(n)
		meanwhile[s.name] = live
	}
	b.say("memberships once more without a sweep")
	if err := c.under(ctx, l, func() error {
		after, err := p.probe(ctx, b.seconds(20), probeEvery)
		quiet = append(quiet, after...)
		return err
	}); err != nil {
		return err
	}
	r.Figures["quiet_p99_ms"] = quiet.at(0.99)
	for name, live := range meanwhile {
		r.Figures[name+"_p99_ms"], r.Figures[name+"_p99_ratio"] = live.at(0.99), live.at(0.99)/quiet.at(0.99)
	}
	r.more(r.Figures["hot_customers_per_s"], 1_000_000.0/15, "customers/s")
	return c.close(ctx)
}

// swept puts the program in force and returns how long the sweep took, with how soon
// memberships were known meanwhile.
func (c *crowd) swept(ctx context.Context, l *load, p *prober, next *core.Program) (took time.Duration, live spread, err error) {
	err = c.under(ctx, l, func() error {
		probing, stop := context.WithCancel(ctx)
		defer stop()
		probed := make(chan error, 1)
		go func() {
			var all spread
			for probing.Err() == nil {
				some, err := p.probe(ctx, 300*time.Millisecond, probeEvery)
				if err != nil {
					probed <- err
					return
				}
				all = append(all, some...)
			}
			live = all
			probed <- nil
		}()
		began := time.Now()
		if err := c.e.Switch(ctx, next.Hash); err != nil {
			return err
		}
		if err := c.e.CaughtUp(ctx); err != nil { // the lanes know of it
			return err
		}
		for done, of := c.e.Swept(); done < of; done, of = c.e.Swept() {
			if err := errors.Join(c.e.Err(), ctx.Err()); err != nil {
				return err
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err := c.e.CaughtUp(ctx); err != nil {
			return err
		}
		took = time.Since(began)
		stop()
		return <-probed
	})
	return took, live, err
}
