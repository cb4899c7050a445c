package bench

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/recommend"
	"rapport/internal/suggest"
)

// What the recommend bench builds: a shop of a hundred thousand products whose
// clicks follow the law of popularity of the engine's bench, in visits of five that
// stay among neighbours, as in a department.
const (
	recommendItems  = 100_000
	recommendVisit  = 5
	recommendZipf   = 1.07
	recommendLists  = 20
	recommendNear   = 50 // how far apart the products of one visit lie
	recommendBatch  = 1_000
	recommendPeople = 50_000
)

// plainShelf sells everything: what is measured is the list, not the catalogue.
type plainShelf struct{ goods map[string]recommend.Good }

func (s plainShelf) Good(name string) (recommend.Good, bool) { g, ok := s.goods[name]; return g, ok }
func (plainShelf) Round() uint64                             { return 0 }
func (plainShelf) Descriptions(context.Context) iter.Seq2[recommend.Description, error] {
	return func(func(recommend.Description, error) bool) {}
}

// recommendBench measures lists for visits over an index of a million clicks.
func recommendBench(ctx context.Context, b *bench) error {
	clicks, length := b.size(20_000, 1_000_000, 1_000_000), b.seconds(10)
	r := &b.result
	r.Target = "≥ 5,000 lists/s/core, p99 ≤ 3 ms, over 1M clicks"
	r.Inside = "Room.Ask: VMIS-kNN (m 500, k 100, last 3) over the visit that the room heard, 200 candidates, the shop's word on each, the rules about stock and what was just bought, " +
		"a list of 20, and counting it; on every core at once, while one click in a hundred lists is heard"
	r.LimitIs = "the same visits asked of the index alone, by one goroutine a core, without rules, catalogue or counting"
	r.Params["clicks"], r.Params["items"], r.Params["seconds"] = clicks, recommendItems, length.Seconds()

	names := make([]string, recommendItems)
	shelf := plainShelf{map[string]recommend.Good{}}
	for i := range names {
		names[i] = fmt.Sprintf("SKU-%06d", i)
		shelf.goods[names[i]] = recommend.Good{Name: names[i], SKU: names[i], Category: fmt.Sprint("Department ", i%50), Available: true}
	}
	room := suggest.New(suggest.Options{Now: wall, Shelf: shelf})
	index := recommend.NewIndex(recommend.Options{})
	b.say("%d clicks", clicks)
	now := wall()
	dice := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(dice, recommendZipf, 1, recommendItems-1)
	began := time.Now()
	var entries []identity.Addressed
	for n := range clicks / recommendVisit {
		at := now.Add(-time.Duration(clicks/recommendVisit-n) * time.Second)
		id := identity.ID{byte(n), byte(n >> 8), byte(n >> 16), 1}
		for k, i := range visitAmong(dice, zipf) {
			entries = append(entries, identity.Addressed{To: id, Event: lookAt(uint64(n*recommendVisit+k), names[i], at.Add(time.Duration(k)*time.Second))})
			index.Click(uint64(n), names[i], at)
		}
		if len(entries) >= recommendBatch {
			room.Hear(entries)
			entries = entries[:0]
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	room.Hear(entries)
	r.Figures["clicks_heard_per_s"] = float64(clicks) / time.Since(began).Seconds()

	visits := make([][]string, recommendPeople)
	for i := range visits {
		like := visitAmong(dice, zipf)
		for _, n := range like[:1+i%recommendVisit] {
			visits[i] = append(visits[i], names[n])
		}
	}
	cores := runtime.GOMAXPROCS(0)
	b.say("lists for %s on %d cores", length, cores)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var lists, filled float64
	var took spread
	ask := func(core, n int) int {
		q := suggest.Question{Clicks: visits[(n*cores+core)%len(visits)], Steps: [][]suggest.Part{{{List: suggest.Session}}}, Strict: true, Now: now, Serving: recommend.Serving{N: recommendLists}}
		q.Visitors = []identity.ID{{byte(n), byte(n >> 8), byte(core), 2}}
		if n%100 == 0 {
			room.Hear([]identity.Addressed{{To: q.Visitors[0], Event: lookAt(1<<40+uint64(n*cores+core), q.Clicks[0], now)}})
		}
		a, err := room.Ask(&q)
		if err != nil {
			return 0
		}
		return len(a.Picks)
	}
	if err := b.profiled("", func() error {
		lists, took, filled = eachCore(cores, length, ask)
		return nil
	}); err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	b.say("the index alone")
	scratch, dst := make([]recommend.Scratch, cores), make([][]recommend.Item, cores)
	method := recommend.Defaults(recommend.VMIS)
	alone, _, _ := eachCore(cores, min(length, 5*time.Second), func(core, n int) int {
		dst[core] = index.Next(dst[core][:0], &method, visits[(n*cores+core)%len(visits)], now, recommendLists, &scratch[core])
		return len(dst[core])
	})
	r.more(lists/float64(cores), alone/float64(cores), "lists/s/core")
	r.Figures["p50_ms"], r.Figures["p99_ms"] = took.at(0.5), took.at(0.99)
	r.Figures["items_per_list"] = filled
	r.Figures["allocations_per_list"] = float64(after.Mallocs-before.Mallocs) / math.Max(lists*length.Seconds(), 1)
	r.Figures["bytes_per_list"] = float64(after.TotalAlloc-before.TotalAlloc) / math.Max(lists*length.Seconds(), 1)
	return nil
}

// visitAmong returns what a visit looks at: products that lie near one another.
func visitAmong(dice *rand.Rand, zipf *rand.Zipf) (items [recommendVisit]int) {
	// Popularity by rank, spread over the departments.
	first := int(zipf.Uint64() * 7919 % recommendItems)
	for k := range items {
		items[k] = (first + dice.IntN(recommendNear)) % recommendItems
	}
	items[0] = first
	return items
}

func lookAt(n uint64, sku string, at event.Time) event.Event {
	return event.Event{ID: event.ID(fmt.Sprint(n)), Type: event.Track, Name: event.ProductViewed, At: at, Props: new(event.Builder).SetText("sku", sku).Object()}
}

// eachCore does something again and again on every core, and returns how often a
// second, how long it took each time, and the mean of what it returned.
func eachCore(cores int, length time.Duration, do func(core, n int) int) (perSecond float64, took spread, mean float64) {
	spreads, counts, sums := make([]spread, cores), make([]int, cores), make([]int, cores)
	var group sync.WaitGroup
	began := time.Now()
	until := began.Add(length)
	for core := range cores {
		group.Go(func() {
			for at := time.Now(); at.Before(until); {
				sums[core] += do(core, counts[core])
				counts[core]++
				next := time.Now()
				spreads[core] = append(spreads[core], next.Sub(at))
				at = next
			}
		})
	}
	group.Wait()
	n, sum := 0, 0
	for core := range cores {
		took = append(took, spreads[core]...)
		n, sum = n+counts[core], sum+sums[core]
	}
	return float64(n) / time.Since(began).Seconds(), took, float64(sum) / math.Max(float64(n), 1)
}
