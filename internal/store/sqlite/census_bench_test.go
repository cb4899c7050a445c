package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// BenchmarkCensus reads everybody page by page, as a sweep does, and in order of id as it
// would if rows lay so; the figure is for a customer.
func BenchmarkCensus(b *testing.B) {
	const people = 200_000
	dice := rand.NewChaCha8([32]byte{1})
	s, err := sqlite.Open(b.Context(), sqlite.Options{Dir: b.TempDir(), Sync: "off"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l := &load{b: b, s: s, dice: dice}
	for from := 0; from < people; from += 5000 {
		c := &store.Commit{}
		for n := from; n < from+5000; n++ {
			c.Profiles = append(c.Profiles, store.Row{ID: someone(3 * n), Alarm: 1 << 50, Body: noise(dice, 1600), Rest: noise(dice, 1400)})
			for k := 1; k < 3; k++ {
				c.Profiles = append(c.Profiles, store.Row{ID: someone(3*n + k), Alarm: 1 << 60, Body: noise(dice, 120), Signpost: true})
			}
		}
		slices.SortFunc(c.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
		l.commit(c)
	}
	last := identity.ID{}
	for i := range last {
		last[i] = 0xff
	}
	const page = 256
	by := func(name string, read func(after store.Row) ([]store.Row, error)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for after := (store.Row{}); ; {
					rows, err := read(after)
					if err != nil {
						b.Fatal(err)
					}
					n += len(rows)
					if len(rows) < page {
						break
					}
					after = rows[page-1]
				}
				if n < people {
					b.Fatal(fmt.Sprint(n))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/people, "ns/customer")
		})
	}
	var memory store.Page
	by("number", func(after store.Row) ([]store.Row, error) {
		return s.Census(b.Context(), after.Number+1, store.Everybody, identity.ID{}, last, page, &memory)
	})
	by("id", func(after store.Row) ([]store.Row, error) {
		from := after.ID
		from[15]++
		return s.Living(b.Context(), from, last, page)
	})
}
