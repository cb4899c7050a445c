package sqlite_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// BenchmarkHistories reads the histories of some customers at once: of those who are live,
// whose visits are many pieces, as the lane does when a program comes into force, and of
// those who are not, as a sweep does. The figure is for a piece.
func BenchmarkHistories(b *testing.B) {
	const people, visitors, visits = 20_000, 1000, 60
	dice := rand.NewChaCha8([32]byte{1})
	s, err := sqlite.Open(b.Context(), sqlite.Options{Dir: b.TempDir(), Sync: "off"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	visitor := map[identity.ID]bool{}
	for n := range visitors {
		visitor[someone(n)] = true
	}
	l := &load{b: b, s: s, dice: dice}
	for visit := range visits {
		c := &store.Commit{}
		for n := range people {
			if visit > 0 && n >= visitors {
				break
			}
			if visit == 0 {
				c.Profiles = append(c.Profiles, store.Row{ID: someone(n), Alarm: 1 << 50, Body: noise(dice, 1600)})
			}
			c.History = append(c.History, store.Block{Strand: someone(n), Shelf: store.Shelf{Month: 100, Fingerprints: []uint64{1}}, Body: noise(dice, 150)})
		}
		slices.SortFunc(c.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
		slices.SortFunc(c.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
		l.commit(c)
	}
	read := func(b *testing.B, strands []store.Strand, pieces int) int {
		all, err := s.Histories(b.Context(), strands)
		if err != nil {
			b.Fatal(err)
		}
		for _, of := range all {
			if len(of) != pieces {
				b.Fatal(len(of))
			}
		}
		return len(all) * pieces
	}
	b.Run("live", func(b *testing.B) {
		n := 0
		for from := 0; b.Loop(); from += 15 {
			var strands []store.Strand
			for i := range 15 {
				strands = append(strands, store.Strand{ID: someone((from + i) % visitors)})
			}
			n += read(b, strands, visits)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/piece")
	})
	b.Run("swept", func(b *testing.B) {
		n := 0
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			from, last := someone(visitors+i), identity.ID{}
			for i := range last {
				last[i] = 0xff
			}
			rows, err := s.Living(b.Context(), from, last, 64)
			if err != nil {
				b.Fatal(err)
			}
			var strands []store.Strand
			for _, r := range rows {
				if !visitor[r.ID] {
					strands = append(strands, store.Strand{ID: r.ID, Head: r.Head})
				}
			}
			b.StartTimer()
			n += read(b, strands, 1)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/piece")
	})
}
