package sqlite_test

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
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
	dir  string
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
	l := &load{b: b, dir: o.Dir, dice: rand.NewChaCha8([32]byte{1})}
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
				c.History = append(c.History, store.Block{Strand: id, Shelf: store.Shelf{Month: int32(100 + round), Fingerprints: []uint64{1, 2}}, Body: []byte("past")})
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
			c.History = append(c.History, store.Block{Strand: id, Shelf: store.Shelf{Month: 105, Fingerprints: []uint64{1, 2}}, Body: noise(l.dice, benchBlock)})
		}
	}
	slices.SortFunc(c.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
	slices.SortFunc(c.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
	return c
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
	if info, err := os.Stat(l.dir + "/state.db-wal"); err == nil {
		b.ReportMetric(float64(info.Size())/(1<<20), "wal-MB")
	}
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
	b.ReportMetric(spent.Seconds()*1e3/float64(b.N), "ms/commit")
}

func BenchmarkLoadOfThousand(b *testing.B) {
	l := loaded(b, sqlite.Options{})
	ids := make([]identity.ID, 1000)
	b.ReportAllocs()
	for b.Loop() {
		for i := range ids {
			ids[i] = l.all[l.dice.Uint64()%benchCustomers]
		}
		if _, err := l.s.Load(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
}

// benchDeliveries is how many rows the ledger of deliveries has in benchmarks.
const benchDeliveries = 1_000_000

// BenchmarkDeliveries plans, claims and accepts deliveries of a campaign, a
// thousand in a commit, beside a million others, and asks what people and
// dispatch ask.
func BenchmarkDeliveries(b *testing.B) {
	s, err := sqlite.Open(b.Context(), sqlite.Options{Dir: b.TempDir(), Sync: "off"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l := &load{b: b, s: s, dice: rand.NewChaCha8([32]byte{2})}
	// One in ten is of a journey and comes whenever its customer does; the others
	// are of a campaign, which plans and claims in the order of ids.
	delivery := func(n int, state profile.State) store.Delivery {
		d := store.Delivery{
			Delivery: profile.Delivery{
				ID: profile.DeliveryID(someone(n)), State: state, Channel: "email", Purpose: "news", Journey: "summer-sale",
				Step: "ask", Template: "hello", Priority: 5, Planned: event.Time(n), NotBefore: 700, Expires: event.Never,
				Reason: "She looked at boots three times this week.",
			},
			Profile: someone(n % 200_000), Changed: event.Time(n), Plan: make([]byte, 300),
		}
		binary.BigEndian.PutUint32(d.ID[:], uint32(n)<<10)
		if n%10 == 0 {
			d.ID, d.Journey, d.Channel = profile.DeliveryID(someone(n)), "journey-"+strconv.Itoa(n%200), []string{"email", "sms"}[n%20/10]
			d.Priority, d.NotBefore = int32(n%50/10), event.Time(n%1000)
		}
		return d
	}
	batch := func(from, n int, state profile.State) *store.Commit {
		c := &store.Commit{}
		for i := from; i < from+n; i++ {
			c.Deliveries = append(c.Deliveries, delivery(i, state))
		}
		slices.SortFunc(c.Deliveries, func(a, b store.Delivery) int { return slices.Compare(a.ID[:], b.ID[:]) })
		return c
	}
	const step = 10_000
	for n := 0; n < benchDeliveries; n += step {
		state := profile.Accepted
		if n >= benchDeliveries/2 {
			state = profile.Planned
		}
		l.commit(batch(n, step, state))
	}
	for state, from := range map[profile.State]int{
		profile.Planned: benchDeliveries, profile.Claimed: benchDeliveries / 2, profile.Accepted: benchDeliveries * 3 / 4,
	} {
		b.Run("1000 "+state.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				c := batch(from, 1000, state)
				from += 1000
				b.StartTimer()
				l.commit(c)
			}
		})
	}
	ask := func(name string, ask func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	ask("counts", func() error { _, err := s.DeliveryCounts(b.Context()); return err })
	ask("next", func() error { _, err := s.NextDelivery(b.Context()); return err })
	ask("100 due", func() error { _, err := s.DueDeliveries(b.Context(), "email", 500, 100); return err })
	ask("100 due of all channels", func() error { _, err := s.DueDeliveries(b.Context(), "", 500, 100); return err })
	ask("none due", func() error { _, err := s.DueDeliveries(b.Context(), "", -1, 100); return err })
	ask("claimed", func() error { _, err := s.InState(b.Context(), profile.Claimed, profile.DeliveryID{}, 100); return err })
	ask("sizes", func() error { _, err := s.Stats(b.Context()); return err })
}

func BenchmarkLedger(b *testing.B) {
	l, err := sqlite.OpenLedger(b.Context(), sqlite.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	var n atomic.Int64
	b.Run("100 begun, noted and finished", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			batch, receipts, ids := make([]store.Start, 100), make([]store.Receipt, 100), make([]profile.DeliveryID, 100)
			for i := range batch {
				id := someone(int(n.Add(1)))
				ids[i] = profile.DeliveryID(id)
				batch[i] = store.Start{ID: ids[i], Profile: id, Subjects: [][16]byte{id, {1}}, Channel: "email", Purpose: "news", At: 1}
				receipts[i] = store.Receipt{ID: ids[i], Entry: make([]byte, 200)}
			}
			if _, err := l.Start(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			if err := l.Note(b.Context(), receipts); err != nil {
				b.Fatal(err)
			}
			if err := l.Finish(b.Context(), ids); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unsubscribes of 64 at once", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(64)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				s := store.Suppression{Subject: someone(int(n.Add(1))), Channel: "email", Reason: store.Unsubscribed}
				if err := l.Suppress(b.Context(), s); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
