package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

const (
	shortBacklog = 1 << 20
	usualBacklog = 200 << 20
	fullBacklog  = 2 << 30
)

// startBench measures how long a process takes until it answers: after an orderly
// end, and over what a kill leaves.
func startBench(ctx context.Context, b *bench) error {
	n := b.size(300, 100_000, 1_000_000)
	backlog := b.o.Backlog
	switch {
	case backlog > 0:
	case b.o.Short:
		backlog = shortBacklog
	case b.o.Full:
		backlog = fullBacklog
	default:
		backlog = usualBacklog
	}
	r := &b.result
	r.Target = "ready with 1M profiles ≤ 2 s; after kill -9 with a 2 GB log ≤ 5 s"
	r.Inside = "value: opening log, state and engine after an orderly end, until the first event is durable. killed_…: the same over a copy of the files taken while a process had them open " +
		"and had not applied its log, which is what kill -9 leaves; caught_up is when that log is applied. What the operating system has cached stays cached"
	r.LimitIs = "opening a directory without customers in the same way"
	r.Params["customers"], r.Params["backlog_mb"] = n, float64(backlog)/(1<<20)

	prog, err := compile(bigShop())
	if err != nil {
		return err
	}
	c, err := b.populate(ctx, prog, wall, n, shopper(wall(), 5))
	if err != nil {
		return err
	}
	empty := &crowd{b: &bench{Rig: b.Rig, o: b.o, dir: filepath.Join(b.dir, "empty"), result: Result{Params: map[string]any{}}}, prog: prog, now: wall}
	var limit time.Duration
	for _, fresh := range []bool{true, false} { // made, and opened again like the other
		if limit, err = empty.ready(ctx, fresh); err != nil {
			return err
		}
		if err := empty.close(ctx); err != nil {
			return err
		}
	}
	b.say("opening after an orderly end")
	ready, err := c.ready(ctx, false)
	if err != nil {
		return err
	}
	r.less(ready.Seconds(), limit.Seconds(), "s")
	if err := c.close(ctx); err != nil {
		return err
	}

	b.say("%d MB of log that nobody applies", backlog>>20)
	killed := filepath.Join(b.dir, "killed")
	if err := c.abandon(ctx, backlog, killed); err != nil {
		return err
	}
	b.say("opening what a kill left")
	again := &crowd{b: &bench{Rig: b.Rig, o: b.o, dir: killed, result: Result{Params: map[string]any{}}}, prog: prog, now: wall, homes: c.homes}
	began := time.Now()
	ready, err = again.ready(ctx, false)
	if err != nil {
		return err
	}
	defer func() { _ = again.close(ctx) }() // as in engineBench
	lag := again.e.Stats().Lag
	if err := again.waitSettled(ctx); err != nil {
		return err
	}
	r.Figures["killed_ready_s"], r.Figures["killed_caught_up_s"] = ready.Seconds(), time.Since(began).Seconds()
	r.Params["killed_lag_records"] = lag
	return again.close(ctx)
}

// ready opens everything and returns how long it takes until an event is durable.
// A fresh directory gets its program first.
func (c *crowd) ready(ctx context.Context, fresh bool) (time.Duration, error) {
	began := time.Now()
	if err := c.open(ctx, false); err != nil {
		return 0, err
	}
	c.e.Start()
	if fresh {
		if err := c.e.Switch(ctx, c.prog.Core.Hash); err != nil {
			return 0, err
		}
	}
	for c.e.Program() == nil {
		if err := c.e.Err(); err != nil {
			return 0, err
		}
		time.Sleep(100 * time.Microsecond)
	}
	e := known(0, wall())
	e.ID += event.ID(":" + e.At.String())
	if err := c.e.Append(ctx, []identity.Addressed{{To: home(identity.User, e.User), Event: e}}); err != nil {
		return 0, err
	}
	return time.Since(began), c.e.Err()
}

// abandon appends a backlog that no engine applies and copies the files while they
// are open.
func (c *crowd) abandon(ctx context.Context, backlog int64, to string) (err error) {
	if err := c.open(ctx, false); err != nil {
		return err
	}
	defer func() {
		// The engine is not closed: that would apply the backlog.
		err = errors.Join(err, c.store.Close(), c.log.Close())
		c.e, c.store, c.log = nil, nil, nil
	}()
	l, err := newLoad(c.homes, 7)
	if err != nil {
		return err
	}
	sizes := &counted{Log: c.log}
	a := eventlog.NewAppender(sizes, 0, eventlog.AppenderOptions{})
	filling, full := context.WithCancel(ctx)
	defer full()
	var bytes int64
	for i := range l.shapes {
		bytes += int64(len(l.shapes[i].body))
	}
	f := &feed{l: l, log: a, now: c.now, draw: zipf}
	f.may = func() bool {
		if f.appended.Load()*bytes/int64(len(l.shapes)) >= backlog {
			full()
		}
		return filling.Err() == nil
	}
	err = f.run(filling)
	a.Close()
	if err != nil {
		return err
	}
	return copyDir(ctx, c.b.dir, to)
}

// copyDir copies a folder with everything in it, except the copy itself.
func copyDir(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case path == to:
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		if !entry.Type().IsRegular() {
			return fault.New(fault.Internal, path+" is no ordinary file")
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
