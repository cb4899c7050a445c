package sqlite_test

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// The shape of a commit under full load: what 37,000 events leave behind.
const (
	benchCustomers  = 200_000
	benchEvents     = 37_000
	benchProfiles   = 15_000
	benchBody       = 1500
	benchBlock      = 700
	benchFeed       = 4 << 20
	benchPastBlocks = 5 // per customer, before the benchmark begins
)

// someone returns the id of the n-th customer, as random as real ones.
func someone(n int) identity.ID {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return identity.ID(sum[:16])
}

// noise returns bytes that do not compress.
func noise(dice *rand.ChaCha8, n int) []byte {
	b := make([]byte, n)
	_, _ = dice.Read(b) // never fails
	return b
}

type load struct {
	b    *testing.B
	s    *sqlite.Store
	dice *rand.ChaCha8
	zipf *rand.Zipf
	pos  store.Position
	all  []identity.ID
}

// loaded opens a state with its customers and their past.
func loaded(b *testing.B, o sqlite.Options) *load {
	b.Helper()
	o.Dir = b.TempDir()

	l := &load{b: b, dice: rand.NewChaCha8([32]byte{1})}
	l.zipf = rand.NewZipf(rand.New(l.dice), 1.07, 1, benchCustomers-1)
	for n := range benchCustomers {
		l.all = append(l.all, someone(n))
	}
	fill := o
	fill.Sync = "off"
	var err error
	if l.s, err = sqlite.Open(b.Context(), fill); err != nil {
		b.Fatal(err)
	}
	const step = 10_000
	for round := range benchPastBlocks {
		for from := 0; from < benchCustomers; from += step {
			c := &store.Commit{}
			for _, id := range l.all[from : from+step] {
				if round == 0 {
					c.Profiles = append(c.Profiles, l.row(id))
				}
				c.History = append(c.History, store.Block{Strand: id, Month: int32(100 + round), Fingerprints: []uint64{1, 2}, Body: []byte("past")})
			}
			slices.SortFunc(c.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
			slices.SortFunc(c.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
			l.commit(c)
		}
	}
	if err := l.s.Close(); err != nil {
		b.Fatal(err)
	}
	if l.s, err = sqlite.Open(b.Context(), o); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.s.Close(); err != nil {
			b.Error(err)
		}
	})
	return l
}

func (l *load) row(id identity.ID) store.Row {
	n := benchBody - 100 + int(l.dice.Uint64()%200)
	return store.Row{ID: id, Alarm: event.Time(l.dice.Uint64() % (90 * 86400_000)), Body: noise(l.dice, n)}
}

func (l *load) commit(c *store.Commit) {
	l.b.Helper()
	c.From, c.To = l.pos, store.Position{Epoch: 1, Seq: l.pos.Seq + 1}
	if err := l.s.Commit(l.b.Context(), c); err != nil {
		l.b.Fatal(err)
	}
	l.pos = c.To
}

// next makes a commit as the engine does under full load.
func (l *load) next() *store.Commit {
	c := &store.Commit{Feed: noise(l.dice, benchFeed)}
	seen := map[identity.ID]bool{}
	for len(seen) < benchProfiles {
		id := l.all[l.zipf.Uint64()]
		if !seen[id] {
			seen[id] = true
			c.Profiles = append(c.Profiles, l.row(id))
			c.History = append(c.History, store.Block{Strand: id, Month: 105, Fingerprints: []uint64{1, 2}, Body: noise(l.dice, benchBlock)})
		}
	}
	slices.SortFunc(c.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
	slices.SortFunc(c.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
	return c
}

// written returns the bytes that this process has had written to disks; zero
// where the operating system does not say.
func written() int64 {
	b, _ := os.ReadFile("/proc/self/io")
	for line := range strings.Lines(string(b)) {
		if n, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			v, _ := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
			return v
		}
	}
	return 0
}

// cpu returns how long this process has worked.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for the process itself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkCommitUnderFullLoad(b *testing.B) {
	l := loaded(b, sqlite.Options{})
	for range 4 {
		l.commit(l.next())
	}
	b.ReportAllocs()
	b.ResetTimer()
	disk := written()
	var spent, worst, worked time.Duration
	for b.Loop() {
		b.StopTimer()
		c := l.next()
		b.StartTimer()
		began, busy := time.Now(), cpu()
		l.commit(c)
		spent += time.Since(began)
		worked += cpu() - busy
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(float64(written()-disk)/float64(b.N)/benchEvents, "diskB/event")
	b.ReportMetric(worked.Seconds()*1e3/float64(b.N), "cpu-ms/commit")
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
	b.ReportMetric(spent.Seconds()*1e3/float64(b.N), "ms/commit")
}
