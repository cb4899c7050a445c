package natslog_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
)

// The size of an event as it comes from a shop's pages.
const eventBytes = 500

// counted notes the sizes of the records that pass, for the raw loop.
type counted struct {
	eventlog.Log
	mu    sync.Mutex
	sizes []int
}

func (c *counted) Append(ctx context.Context, lane int, body []byte) (eventlog.Record, error) {
	c.mu.Lock()
	c.sizes = append(c.sizes, len(body))
	c.mu.Unlock()
	return c.Log.Append(ctx, lane, body)
}

// sample returns an event as a shop's page would send it: half of it words that
// every event has, half of it what is only in this one.
func sample(n uint64) []byte {
	dice := rand.New(rand.NewPCG(n, 1))
	e := []byte(`{"type":"track","event":"Product Viewed","context":{"page":{"path":"/shoes/boots","referrer":"https://www.example.com/"},"locale":"en-GB","timezone":"Europe/London"},"properties":{"category":"shoes","currency":"GBP"},"ids":"`)
	for len(e) < eventBytes-2 {
		e = append(e, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[dice.IntN(64)])
	}
	return append(e, `"}`...)
}

// BenchmarkAppend has 512 writers append one event each, again and again, and
// waits for each to be durable. Then the limit: the same batches with write and
// fsync to a file on the same disk, by one goroutine that does nothing else.
func BenchmarkAppend(b *testing.B) {
	const writers = 512
	dir := b.TempDir()
	log := &counted{Log: mustOpen(b, natslog.Options{Dir: filepath.Join(dir, "log")})}
	defer log.Close()
	a := eventlog.NewAppender(log, 0, eventlog.AppenderOptions{})
	took := make([][]time.Duration, writers)
	var group sync.WaitGroup
	b.SetBytes(eventBytes)
	b.ResetTimer()
	start := time.Now()
	for w := range writers {
		group.Go(func() {
			item := [][]byte{sample(uint64(w))}
			for range b.N / writers {
				began := time.Now()
				if err := a.Add(b.Context(), item); err != nil {
					b.Error(err)
					return
				}
				took[w] = append(took[w], time.Since(began))
			}
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	b.StopTimer()
	a.Close()
	all := slices.Concat(took...)
	if len(all) == 0 {
		return // b.N below the number of writers: the harness feels its way
	}
	slices.Sort(all)
	rate := float64(len(all)) / elapsed.Seconds()
	b.ReportMetric(rate, "ev/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(len(all))/float64(len(log.sizes)), "ev/record")
	raw := rawRate(b, filepath.Join(dir, "raw"), log.sizes) * float64(len(all))
	b.ReportMetric(raw, "raw-ev/s")
	b.ReportMetric(rate/raw*100, "%-of-raw")
}

// rawRate returns how often per second the batches can be written and synced.
func rawRate(b *testing.B, path string, sizes []int) float64 {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, slices.Max(sizes))
	start := time.Now()
	for _, n := range sizes {
		if _, err := f.Write(buf[:n]); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return 1 / time.Since(start).Seconds()
}

// BenchmarkCatchUp reads records of 1,000 events that are not in memory.
func BenchmarkCatchUp(b *testing.B) {
	const events, records = 1000, 400
	dir := b.TempDir()
	l := mustOpen(b, natslog.Options{Dir: dir})
	var body []byte
	for i := range events {
		body = append(body, sample(uint64(i))...)
	}
	for range records {
		if _, err := l.Append(b.Context(), 0, body); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	l = mustOpen(b, natslog.Options{Dir: dir})
	defer l.Close()
	b.ResetTimer()
	for range b.N {
		for p := (eventlog.Position{}); p.Seq < records; {
			rs, err := l.Read(b.Context(), 0, p, 64)
			if err != nil || len(rs) == 0 {
				b.Fatalf("Read = %d records, %v", len(rs), err)
			}
			p = eventlog.Position{Epoch: l.Epoch(), Seq: rs[len(rs)-1].Seq}
		}
	}
	b.ReportMetric(float64(b.N*events*records)/b.Elapsed().Seconds(), "ev/s")
}
