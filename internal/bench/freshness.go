package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
	"rapport/internal/program"
)

const (
	// freshRate is the live traffic, events a second.
	freshRate = 5000
	// probeEvery is how often a customer enters the segment that is watched.
	probeEvery = 10 * time.Millisecond
	// lookEvery is how often the membership is looked for; it bounds the precision.
	lookEvery = 250 * time.Microsecond
	// stay is how long after an event the segments of the bench are left by time
	// alone.
	stay = time.Hour
	// lost is when a membership that did not change is a mistake of ours.
	lost = time.Minute
)

// freshShop is the big shop with two segments to be watched.
func freshShop() (*program.Source, error) {
	src, err := bigShop()
	if err != nil {
		return nil, err
	}
	return program.New(append(slices.Clone(src.Files()),
		program.File{Path: "segments/probe.yaml", Body: "segment: probe\nwhen: {did: Probe Seen, within: 1h}\n"},
		program.File{Path: "segments/visit.yaml", Body: "segment: visit\nwhen: {did: Visit Made, within: 1h}\n"},
	))
}

// freshnessBench measures how soon what was accepted is known, and how soon time
// alone has its effect.
func freshnessBench(ctx context.Context, b *bench) error {
	length := b.seconds(20)
	n := b.size(500, 100_000, 1_000_000)
	r := &b.result
	r.Target = "p99 ≤ 400 ms at 5,000 events/s; exits by time alone ≤ 1 s, also with a million alarms due at one instant"
	r.Inside = "value: p99 from the moment at which Append returned (the event is durable and would be answered 200) until Engine.Profile shows the membership, at 5,000 events/s. " +
		"crowd_…: so many customers leave a segment at one instant, until the commit after which no alarm is due"
	r.LimitIs = "the same p99 without other traffic"
	r.Params["events_per_s"], r.Params["crowd"], r.Params["seconds"] = freshRate, n, length.Seconds()

	prog, err := compile(freshShop())
	if err != nil {
		return err
	}
	// The clock runs as the wall's, but can be put forward to the instant at which
	// the crowd leaves.
	begin := wall()
	hand := clock.Virtual(begin)
	made := begin
	visit := func(i int) []event.Event {
		return []event.Event{
			known(i, begin.Add(-stay)),
			{ID: event.ID(fmt.Sprintf("visit-%07d", i)), Type: event.Track, Name: "Visit Made", At: made, Raw: made, Origin: event.Import, Trust: event.Server, Source: "web"},
		}
	}
	c, err := b.populate(ctx, prog, hand.Now, n, visit)
	if err != nil {
		return err
	}
	if err := c.open(ctx, false); err != nil {
		return err
	}
	defer func() { _ = c.close(ctx) }() // as in engineBench
	hand.Release()
	l, err := newLoad(c.homes[:min(n, 20_000)], 1)
	if err != nil {
		return err
	}
	c.e.Start()
	p := &prober{c: c, prefix: "p"}

	b.say("memberships without traffic")
	idle, err := p.probe(ctx, length/4, 10*probeEvery)
	if err != nil {
		return err
	}
	b.say("memberships and exits at %d events/s, %s", freshRate, length)
	var busy, exits spread
	err = b.profiled("", func() error {
		return c.under(ctx, l, func() (err error) {
			var group sync.WaitGroup
			var failed error
			group.Go(func() { exits, failed = p.exits(ctx, length) })
			busy, err = p.probe(ctx, length, probeEvery)
			group.Wait()
			return errors.Join(err, failed)
		})
	})
	if err != nil {
		return err
	}
	f := b.result.Figures
	f["idle_p50_ms"], f["p50_ms"], f["exit_p50_ms"], f["exit_p99_ms"] = idle.at(0.5), busy.at(0.5), exits.at(0.5), exits.at(0.99)
	r.less(busy.at(0.99), idle.at(0.99), "ms")
	r.Params["probes"], r.Params["exits"] = len(busy), len(exits)

	b.say("%d customers leave at one instant", n)
	if err := c.leave(ctx, l, p, made.Add(stay)); err != nil {
		return err
	}
	return c.close(ctx)
}

// under does something while events arrive.
func (c *crowd) under(ctx context.Context, l *load, do func() error) error {
	a := eventlog.NewAppender(c.log, 0, eventlog.AppenderOptions{})
	defer a.Close()
	f := &feed{l: l, log: a, now: c.now, draw: zipf, rate: freshRate, writers: 1}
	feeding, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- f.run(feeding) }()
	err := do()
	stop()
	return errors.Join(err, <-ended)
}

// prober makes customers of its own and watches them.
type prober struct {
	c      *crowd
	prefix string
	mu     sync.Mutex
	n      int
}

// customer returns a customer whom nobody knows yet.
func (p *prober) customer() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	return fmt.Sprintf("%s-%07d", p.prefix, p.n)
}

func (p *prober) send(ctx context.Context, user, name string, at event.Time) error {
	a, ok := secret.Address(event.Event{
		ID: event.ID(name + ":" + user), Type: event.Track, Name: name, User: user, At: at, Raw: at, Trust: event.Server, Source: "web",
	})
	if !ok {
		return errors.New("a probe identifies nobody") // unreachable: it has a user id
	}
	return p.c.e.Append(ctx, []identity.Addressed{a})
}

// watch waits until the customer is, or is no longer, in the segment.
func (p *prober) watch(ctx context.Context, user, segment string, in bool) error {
	key, id := condition.SegmentKey(segment), home(identity.User, user)
	for until := time.Now().Add(lost); ctx.Err() == nil; time.Sleep(lookEvery) {
		if err := p.c.e.Err(); err != nil {
			return err
		}
		who, err := p.c.e.Profile(ctx, id)
		if err != nil {
			return err
		}
		if who != nil && member(who, key) == in {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("the membership of %s in %s did not change within %s", user, segment, lost)
		}
	}
	return ctx.Err()
}

func member(p *profile.Profile, key uint64) bool { return p.Member(key).In }

// probe lets customers enter the segment, one every so often, and returns how
// long after Append each was seen to be in it.
func (p *prober) probe(ctx context.Context, length, every time.Duration) (took spread, err error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	for until := time.Now().Add(length); time.Now().Before(until) && ctx.Err() == nil; time.Sleep(every) {
		group.Go(func() {
			user := p.customer()
			failed := p.send(ctx, user, "Probe Seen", p.c.now())
			at := time.Now()
			if failed == nil {
				failed = p.watch(ctx, user, "probe", true)
			}
			mu.Lock()
			defer mu.Unlock()
			took, err = append(took, time.Since(at)), errors.Join(err, failed)
		})
	}
	group.Wait()
	return took, err
}

// exits lets customers leave the segment by time alone, spread over the length,
// and returns how late each was seen to have left.
func (p *prober) exits(ctx context.Context, length time.Duration) (late spread, err error) {
	const ahead = 500 * time.Millisecond // until then they are in
	count := max(int(length/(5*probeEvery)), 5)
	var group sync.WaitGroup
	var mu sync.Mutex
	for i := range count {
		leave := p.c.now().Add(ahead + length*time.Duration(i)/time.Duration(count))
		group.Go(func() {
			user := p.customer()
			failed := p.send(ctx, user, "Probe Seen", leave.Add(-stay))
			if failed == nil {
				failed = p.watch(ctx, user, "probe", true)
			}
			if failed == nil {
				time.Sleep(leave.Sub(p.c.now()))
				failed = p.watch(ctx, user, "probe", false)
			}
			mu.Lock()
			defer mu.Unlock()
			late, err = append(late, p.c.now().Sub(leave)), errors.Join(err, failed)
		})
	}
	group.Wait()
	return late, err
}

// leave puts the clock forward to just before the instant at which the crowd
// leaves and measures how long that takes, and how live events fare meanwhile.
func (c *crowd) leave(ctx context.Context, l *load, p *prober, at event.Time) error {
	const before = 300 * time.Millisecond
	// The engine stands while the clock is moved: it reads the time without a lock.
	if err := c.close(ctx); err != nil {
		return err
	}
	forward := clock.Virtual(at.Add(-before))
	forward.Release()
	c.now = forward.Now
	if err := c.open(ctx, false); err != nil {
		return err
	}
	c.e.Start()
	var gone time.Duration
	var live spread
	err := c.under(ctx, l, func() error {
		meanwhile, stop := context.WithCancel(ctx)
		defer stop()
		var group sync.WaitGroup
		var failed error
		var seen spread
		group.Go(func() {
			for meanwhile.Err() == nil && failed == nil {
				seen, failed = p.probe(ctx, 10*probeEvery, probeEvery)
				live = append(live, seen...)
			}
		})
		err := c.b.profiled("crowd-", func() error {
			time.Sleep(at.Sub(c.now()))
			err := c.waitLeft(ctx, at)
			gone = c.now().Sub(at)
			return err
		})
		stop()
		group.Wait()
		return errors.Join(err, failed)
	})
	f := c.b.result.Figures
	f["crowd_last_left_s"], f["crowd_live_p50_ms"], f["crowd_live_p99_ms"] = gone.Seconds(), live.at(0.5), live.at(0.99)
	c.b.result.Params["crowd_probes"] = len(live)
	return err
}

// waitLeft waits until no alarm at or before the instant is left in the state.
func (c *crowd) waitLeft(ctx context.Context, at event.Time) error {
	var last identity.ID
	for i := range last {
		last[i] = 0xff
	}
	for ctx.Err() == nil {
		if err := c.e.Err(); err != nil {
			return err
		}
		due, err := c.store.Due(ctx, identity.ID{}, last, at, 1)
		if err != nil || len(due) == 0 {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return ctx.Err()
}
