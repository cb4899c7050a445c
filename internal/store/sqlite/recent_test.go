package sqlite_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/sqlite"
)

// The newest pieces of history are read from memory. Whatever of a history is there, and
// whoever was erased or comes again after a restart, the answers are those of a store that
// has all of it in one place.
func TestHistoriesArePartlyInMemory(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 4))
	o := sqlite.Options{Dir: t.TempDir(), Sync: "off", CacheMB: 8} // a megabyte of history
	again := func() *sqlite.Store {
		s, err := sqlite.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, plain := again(), memory.New()
	defer plain.Close()
	const people = 30
	at := store.Position{}
	most, least := 0, 1<<30
	for round := range 300 {
		if round%60 == 59 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = again()
		}
		c := store.Commit{From: at, To: store.Position{Epoch: 1, Seq: at.Seq + 1}}
		at = c.To
		size := 3000
		if dice.IntN(20) == 0 {
			size = 60_000 // more than is kept of one commit
		}
		for range dice.IntN(20) {
			id := someone(dice.IntN(people))
			body := make([]byte, dice.IntN(size))
			for i := range body {
				body[i] = byte(dice.Uint32())
			}
			c.History = append(c.History, store.Block{Strand: id, Shelf: store.Shelf{Month: int32(dice.IntN(3)), Fingerprints: []uint64{dice.Uint64()}}, Body: body})
			if dice.IntN(2) == 0 {
				c.Profiles = append(c.Profiles, store.Row{ID: id, Body: []byte{1}})
			}
		}
		if dice.IntN(25) == 0 {
			c.Forget = []identity.ID{someone(dice.IntN(people))}
		}
		other := c
		other.History = slices.Clone(c.History)
		if err := s.Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		if err := plain.Commit(t.Context(), &other); err != nil {
			t.Fatal(err)
		}
		if n := s.Remembered(); len(c.Forget) > 0 && n > 0 {
			t.Fatalf("somebody was erased, and %d pieces are in memory", n)
		}
		most, least = max(most, s.Remembered()), min(least, s.Remembered())
		var strands []store.Strand
		for range 5 {
			strands = append(strands, store.Strand{ID: someone(dice.IntN(people))})
		}
		got, err := s.Histories(t.Context(), strands)
		if err != nil {
			t.Fatal(err)
		}
		want, err := plain.Histories(t.Context(), strands)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: the histories differ, of %d pieces in memory", round, s.Remembered())
		}
		for _, blocks := range got { // they are the caller's
			for _, b := range blocks {
				clear(b.Body)
			}
		}
	}
	if most < 100 || least > 0 {
		t.Errorf("between %d and %d pieces were in memory: the test tests nothing", least, most)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
