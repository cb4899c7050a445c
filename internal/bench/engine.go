package bench

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
)

const (
	// maxLead is how many events may be in the log and not applied: enough that the
	// engine never waits, few enough that the log stays in memory.
	maxLead = 25_000
	// feeders is how many goroutines append as fast as they may. Each waits until its
	// events are durable, and while the state is synced that takes as long as it
	// takes the disk: two of them kept the engine waiting half of the time.
	feeders = 8
	// catchUpRate is the live traffic of the catch-up test, events a second.
	catchUpRate = 8000
)

// engineBench measures log → Apply → commit.
func engineBench(ctx context.Context, b *bench) error {
	length := b.seconds(60)
	n, history := b.size(300, 200_000, 200_000), 200
	if b.o.History > 0 {
		history = b.o.History
	} else if b.o.Short {
		history = 20
	}
	r := &b.result
	r.Target = "≥ 75,000 events/s is the goal, ≥ 50,000 the bar; uniform ≥ 25,000; ≤ 3 KB disk/event; RSS ≤ 1 GiB; catch-up 3 × 8,000"
	r.Inside = "appending encoded events to the log (group commit, fsynced), reading them, Apply, commit of the state with its checkpoints; from the first append to the last commit. " +
		"Not inside: HTTP, and making the events, which are copies with another customer, id and time"
	r.LimitIs = "decoding and core.Apply alone, on one core, the same events over 2,000 decoded profiles, without log and store"
	r.Params["customers"], r.Params["history"], r.Params["segments"], r.Params["journeys"] = n, history, segments, journeys
	r.Params["zipf"], r.Params["seconds"] = 1.07, length.Seconds()

	prog, err := compile(bigShop())
	if err != nil {
		return err
	}
	c, err := b.populate(ctx, prog, wall, n, shopper(wall(), history))
	if err != nil {
		return err
	}
	if err := c.open(ctx, false); err != nil {
		return err
	}
	defer func() { _ = c.close(ctx) }() // what went wrong has been said; the folder is removed
	l, err := newLoad(c.homes, 1)
	if err != nil {
		return err
	}
	bytes := 0
	for i := range l.shapes {
		bytes += len(l.shapes[i].body)
	}
	r.Params["event_bytes"] = bytes / len(l.shapes)
	limit, err := c.coreAlone(ctx, l, length)
	if err != nil {
		return err
	}
	forgetPeak()
	if err := c.catchUp(ctx, l, length); err != nil {
		return err
	}
	b.say("events of customers as they come (zipf), %s", length)
	var rate float64
	err = b.profiled("", func() (err error) {
		rate, err = c.drive(ctx, l, zipf, length, "")
		return err
	})
	if err != nil {
		return err
	}
	r.more(rate, limit, "events/s")
	r.Figures["rss_mb"], r.Figures["rss_own_mb"] = float64(peakBytes())/(1<<20), float64(ownBytes())/(1<<20)
	b.say("events of all customers alike (uniform), %s", length/2)
	err = b.profiled("uniform-", func() error {
		_, err := c.drive(ctx, l, uniform, length/2, "uniform_")
		return err
	})
	if err != nil {
		return err
	}
	r.Figures["rss_uniform_mb"], r.Figures["rss_own_uniform_mb"] = float64(peakBytes())/(1<<20), float64(ownBytes())/(1<<20)
	return c.close(ctx)
}

// drive feeds the running engine for a time and returns how many events a second
// were appended, applied and committed.
func (c *crowd) drive(ctx context.Context, l *load, who func(uint64, int) draw, length time.Duration, prefix string) (float64, error) {
	a := eventlog.NewAppender(c.log, 0, eventlog.AppenderOptions{})
	defer a.Close()
	if err := c.waitSettled(ctx); err != nil {
		return 0, err
	}
	f := &feed{l: l, log: a, now: c.now, writers: feeders, draw: who}
	before := c.e.Heard()
	f.may = func() bool { return before+f.appended.Load()-c.e.Heard() < maxLead }
	watch := newWatch(c.b.dir)
	disk, busy, began := written(), worked(), time.Now()
	feeding, stop := context.WithTimeout(ctx, length)
	defer stop()
	err := f.run(feeding)
	if err == nil {
		err = c.waitSettled(ctx)
	}
	took := time.Since(began).Seconds()
	checkpoints := watch.end()
	if err != nil {
		return 0, err
	}
	applied := float64(c.e.Heard() - before)
	fig := c.b.result.Figures
	fig[prefix+"events"], fig[prefix+"events_per_s"] = applied, applied/took
	fig[prefix+"disk_bytes_per_event"] = float64(written()-disk) / applied
	fig[prefix+"cpu_us_per_event"] = float64((worked() - busy).Microseconds()) / applied
	fig[prefix+"checkpoints"] = float64(checkpoints)
	return applied / took, nil
}

// catchUp appends a backlog to a standing engine, starts it under live traffic,
// and measures how fast the backlog goes.
func (c *crowd) catchUp(ctx context.Context, l *load, length time.Duration) error {
	backlog := min(int(length.Seconds()*4000), 15*catchUpRate)
	c.b.say("catching up with %d events while %d a second arrive", backlog, catchUpRate)
	a := eventlog.NewAppender(c.log, 0, eventlog.AppenderOptions{})
	defer a.Close()
	fill := &feed{l: l, log: a, now: c.now, draw: zipf}
	filling, full := context.WithCancel(ctx)
	defer full()
	fill.may = func() bool {
		if fill.appended.Load() >= int64(backlog) {
			full()
		}
		return filling.Err() == nil
	}
	if err := fill.run(filling); err != nil {
		return err
	}
	live := &feed{l: l, log: a, now: c.now, draw: zipf, rate: catchUpRate, writers: 1}
	living, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	before := c.e.Heard()
	began := time.Now()
	go func() { ended <- live.run(living) }()
	c.e.Start()
	for c.e.Stats().Lag > 1 && ctx.Err() == nil {
		if err := c.e.Err(); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	rate := float64(c.e.Heard()-before) / time.Since(began).Seconds()
	stop()
	c.b.result.Figures["catch_up_events_per_s"], c.b.result.Figures["catch_up_times_8k"] = rate, rate/catchUpRate
	return <-ended
}

// coreAlone applies events without log and store: what one core could do.
func (c *crowd) coreAlone(ctx context.Context, l *load, length time.Duration) (float64, error) {
	few := min(2000, len(c.homes))
	rows, err := c.store.Load(ctx, c.homes[:few])
	if err != nil {
		return 0, err
	}
	people := make(map[identity.ID]*profile.Profile, few)
	for i, row := range rows {
		p, err := profile.Decode(string(row.Body))
		if err != nil {
			return 0, err
		}
		people[c.homes[i]] = p
	}
	who := zipf(9, few)
	var buf []byte
	applied := 0
	began, until := time.Now(), time.Now().Add(min(length, 3*time.Second))
	for now := c.now(); time.Now().Before(until); now = c.now() {
		for k := range 100 {
			buf = l.write(buf[:0], who(), &l.shapes[(applied+k)%shapes], now)
			a, err := identity.DecodeAddressed(string(buf))
			if err != nil {
				return 0, err
			}
			people[a.To], _ = c.prog.Core.Apply(people[a.To], &a.Event, now, false)
		}
		applied += 100
	}
	return float64(applied) / time.Since(began).Seconds(), nil
}

// watch counts checkpoints of the state: only they write the database's main
// file, so each shows as a time at which the file changes after one at which it
// did not.
type watch struct {
	stop chan struct{}
	done chan int
}

// watchEvery is how often the file is looked at. A checkpoint takes longer.
const watchEvery = 50 * time.Millisecond

func newWatch(dir string) *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan int, 1)}
	changed := func() time.Time {
		info, err := os.Stat(filepath.Join(dir, "state.db"))
		if err != nil {
			return time.Time{} // a store that keeps its state elsewhere: nothing is counted
		}
		return info.ModTime()
	}
	go func() {
		last, count, busy := changed(), 0, false
		for {
			select {
			case <-w.stop:
				w.done <- count
				return
			case <-time.After(watchEvery):
			}
			now := changed()
			if moved := now != last; moved != busy {
				busy = moved
				if moved {
					count++
				}
			}
			last = now
		}
	}()
	return w
}

func (w *watch) end() int {
	close(w.stop)
	return <-w.done
}
