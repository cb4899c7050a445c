package bench_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"rapport/internal/bench"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/feed"
)

// The parts of one event's way through the engine that are the core's and the codecs',
// each alone, with the mix of the engine's own bench. What they allocate matters more
// than what they take here: the engine's heap is full of customers, and the collector
// goes through it the more often the more they allocate.

var mix = sync.OnceValues(func() (*bench.Mix, error) { return bench.NewMix(1000, 200, 60_000) })

func mixOf(b *testing.B) *bench.Mix {
	m, err := mix()
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkEventApplied is what core.Apply costs, alone.
func BenchmarkEventApplied(b *testing.B) {
	m := mixOf(b)
	people := maps.Clone(m.People)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		k := i % len(m.Heard)
		if k == 0 && i > 0 {
			b.StopTimer()
			people = maps.Clone(m.People)
			b.StartTimer()
		}
		a := &m.Heard[k]
		people[a.To], _ = m.Program.Apply(people[a.To], &a.Event, m.Now[k], false)
	}
}

// BenchmarkAlarm is what an alarm costs: somebody leaves a segment because time passes.
func BenchmarkAlarm(b *testing.B) {
	var list []*profile.Profile
	for _, p := range mixOf(b).People {
		if p.Alarm != event.Never {
			list = append(list, p)
		}
	}
	m := mixOf(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		p := list[i%len(list)]
		m.Program.Wake(p, p.Alarm)
	}
}

// BenchmarkEventTold is what the rows of the feed cost that an event brings.
func BenchmarkEventTold(b *testing.B) {
	m := mixOf(b)
	const some = 2000
	was, is := make([]*profile.Profile, some), make([]*profile.Profile, some)
	people := maps.Clone(m.People)
	for k := range some {
		a := &m.Heard[k]
		was[k] = people[a.To]
		is[k], _ = m.Program.Apply(was[k], &a.Event, m.Now[k], false)
		people[a.To] = is[k]
	}
	var rows []byte
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		k := i % some
		if k == 0 {
			rows = rows[:0]
		}
		if row, changed := feed.OfPerson(was[k], is[k], m.Now[k]); changed {
			rows = row.Append(rows)
		}
		row := feed.OfEvent(is[k], &m.Heard[k].Event, m.Now[k])
		rows = row.Append(rows)
	}
}

// BenchmarkEntryRead is what reading an entry of the log costs.
func BenchmarkEntryRead(b *testing.B) {
	m := mixOf(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, err := identity.DecodeAddressed(m.Entries[i%len(m.Entries)]); err != nil {
			b.Fatal(err)
		}
	}
}

// aged returns the customers as they are after the events of the mix.
func aged(m *bench.Mix) []*profile.Profile {
	people := maps.Clone(m.People)
	for k := range m.Heard {
		a := &m.Heard[k]
		people[a.To], _ = m.Program.Apply(people[a.To], &a.Event, m.Now[k], false)
	}
	var list []*profile.Profile
	for _, id := range m.Homes {
		// Whoever came so often is never out of the cache, and never read.
		if p := people[id]; p.Count < 400 {
			list = append(list, p)
		}
	}
	return list
}

// BenchmarkRowRead is what decoding the row of a customer costs.
func BenchmarkRowRead(b *testing.B) {
	m := mixOf(b)
	var rows []string
	size := 0
	for _, p := range aged(m) {
		rows = append(rows, string(p.Append(nil)))
		size += len(rows[len(rows)-1])
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, err := profile.Decode(rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/float64(len(rows)), "bytes/row")
}

// BenchmarkRowWritten is what encoding it costs: the hot part as with most events, and
// whole.
func BenchmarkRowWritten(b *testing.B) {
	list := aged(mixOf(b))
	var row []byte
	b.Run("hot", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			row = list[i%len(list)].AppendHot(row[:0])
		}
	})
	b.Run("rest", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			row = list[i%len(list)].AppendRest(row[:0])
		}
	})
}

// TestNobodySeesAProfileChange holds what lets a commit, a reader and the next event
// look at one customer at once: a profile that was handed out stays as it was,
// whatever is made of it, also where the one that follows shares its memory.
func TestNobodySeesAProfileChange(t *testing.T) {
	t.Parallel()
	m, err := bench.NewMix(20, 40, 4000)
	if err != nil {
		t.Fatal(err)
	}
	type moment struct {
		p    *profile.Profile
		hash uint64
	}
	var all []moment
	look := func(p *profile.Profile) moment { return moment{p, wire.Hash(string(p.Append(nil)))} }
	for k := range m.Heard {
		a := &m.Heard[k]
		if k%7 == 0 { // as it comes from the store: its lists are pieces of a few
			p, err := profile.Decode(string(m.People[a.To].Append(nil)))
			if err != nil {
				t.Fatal(err)
			}
			m.People[a.To] = p
		}
		all = append(all, look(m.People[a.To]))
		m.People[a.To], _ = m.Program.Apply(m.People[a.To], &a.Event, m.Now[k], false)
	}
	for id, p := range m.People {
		all = append(all, look(p))
		woken, _ := m.Program.Wake(p, m.Now[len(m.Now)-1].Add(90*24*time.Hour))
		m.People[id] = woken
	}
	for i := range all {
		if again := look(all[i].p); again.hash != all[i].hash {
			t.Fatalf("the profile before event %d has changed since", i)
		}
	}
}

// TestTheMixIsThatOfTheBench holds that the benchmarks above measure something.
func TestTheMixIsThatOfTheBench(t *testing.T) {
	t.Parallel()
	m, err := bench.NewMix(20, 20, 500)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for k := range m.Heard {
		a := &m.Heard[k]
		p := m.People[a.To]
		if p == nil || p.Born == 0 || len(p.Segments) == 0 || len(p.Series) == 0 {
			t.Fatalf("event %d goes to somebody without a past", k)
		}
		next, eff := m.Program.Apply(p, &a.Event, m.Now[k], false)
		if !eff.Kept || next.Count != p.Count+1 {
			t.Fatalf("event %d is not heard", k)
		}
		m.People[a.To] = next
		names[a.Event.Name]++
	}
	for _, name := range []string{event.ProductViewed, event.ProductAdded, event.OrderCompleted, event.PageViewed} {
		if names[name] == 0 {
			t.Errorf("no %s among %v", name, names)
		}
	}
}
