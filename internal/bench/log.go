package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
)

// What the log bench writes, by DESIGN §11.
const (
	logWriters = 512
	logEvent   = 500 // bytes
)

// counted notes the sizes of the records that pass.
type counted struct {
	eventlog.Log
	sizes []int // only the appender's one goroutine appends
}

func (c *counted) Append(ctx context.Context, lane int, body []byte) (eventlog.Record, error) {
	c.sizes = append(c.sizes, len(body))
	return c.Log.Append(ctx, lane, body)
}

// logBench has many writers append one event each, again and again, and wait for
// each to be durable.
func logBench(ctx context.Context, b *bench) error {
	length := b.seconds(10)
	r := &b.result
	r.Target = "≥ 50 % of raw write+fsync of the same batches"
	r.Inside = "Appender.Add of one event until it is durable, group commit, log record with its clock and checksum"
	r.LimitIs = "one goroutine that writes the same batches to a file on the same disk and fsyncs each"
	r.Params["writers"], r.Params["event_bytes"], r.Params["seconds"] = logWriters, logEvent, length.Seconds()

	l, err := b.Log(ctx, filepath.Join(b.dir, "log"), wall)
	if err != nil {
		return err
	}
	log := &counted{Log: l}
	a := eventlog.NewAppender(log, 0, eventlog.AppenderOptions{})
	took := make([]spread, logWriters)
	errs := make([]error, logWriters)
	var group sync.WaitGroup
	b.say("%d writers append for %s", logWriters, length)
	disk, began := written(), time.Now()
	until := began.Add(length)
	for w := range logWriters {
		group.Go(func() {
			item := make([]byte, logEvent)
			noise(uint64(w), item)
			for at := time.Now(); at.Before(until) && errs[w] == nil; {
				errs[w] = a.Add(ctx, [][]byte{item})
				now := time.Now()
				took[w], at = append(took[w], now.Sub(at)), now
			}
		})
	}
	group.Wait()
	elapsed := time.Since(began)
	a.Close()
	onDisk := written() - disk
	if err := errors.Join(append(errs, l.Close())...); err != nil {
		return err
	}
	all := slices.Concat(took...)
	rate := float64(len(all)) / elapsed.Seconds()
	b.say("the same %d batches raw", len(log.sizes))
	raw, err := rawWrites(ctx, filepath.Join(b.dir, "raw"), log.sizes)
	if err != nil {
		return err
	}
	r.more(rate, float64(len(all))/raw.Seconds(), "events/s")
	r.Figures["p50_ms"], r.Figures["p99_ms"] = all.at(0.5), all.at(0.99)
	r.Figures["batches"], r.Figures["events_per_batch"] = float64(len(log.sizes)), float64(len(all))/float64(len(log.sizes))
	slices.Sort(log.sizes)
	r.Figures["batch_bytes_p50"], r.Figures["batch_bytes_max"] = float64(log.sizes[len(log.sizes)/2]), float64(log.sizes[len(log.sizes)-1])
	r.Figures["disk_bytes_per_event"] = float64(onDisk) / float64(len(all))
	return nil
}

// rawWrites writes and syncs the batches and returns how long it took.
func rawWrites(ctx context.Context, path string, sizes []int) (took time.Duration, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := make([]byte, slices.Max(sizes))
	noise(1, buf)
	began := time.Now()
	for _, n := range sizes {
		if _, err := f.Write(buf[:n]); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return time.Since(began), nil
}

// noise fills b with bytes that do not compress, by xorshift.
func noise(seed uint64, b []byte) {
	x := seed*0x9e3779b97f4a7c15 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
}

// wall is the clock on the wall.
func wall() event.Time { return event.At(time.Now()) }
