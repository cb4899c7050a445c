package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/sqlite"
)

// inBoth commits the same to two stores.
func inBoth(t *testing.T, s *sqlite.Store, plain *memory.Store, c store.Commit) {
	t.Helper()
	other := c
	other.History = slices.Clone(c.History)
	if err := errors.Join(s.Commit(t.Context(), &c), plain.Commit(t.Context(), &other)); err != nil {
		t.Fatal(err)
	}
}

// sameHistories fails the test if two stores have other histories of some strands.
func sameHistories(t *testing.T, s *sqlite.Store, plain *memory.Store, ids ...identity.ID) {
	t.Helper()
	var strands []store.Strand
	for _, id := range ids {
		strands = append(strands, store.Strand{ID: id})
	}
	got, err := s.Histories(t.Context(), strands)
	want, failed := plain.Histories(t.Context(), strands)
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the histories differ, of %d pieces in memory", s.Remembered())
	}
}

// The newest pieces of history are read from memory where they are wanted. Whatever of a
// history is there, and whoever was erased or comes again after a restart, the answers are
// those of a store that has all of it in one place.
func TestHistoriesArePartlyInMemory(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 4))
	o := sqlite.Options{Dir: t.TempDir(), Sync: "off", CacheMB: 2} // a megabyte of history
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
	warm, most, least := 0, 0, 1<<30
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
		inBoth(t, s, plain, c)
		if n := s.Remembered(); len(c.Forget) > 0 && n > 0 {
			t.Fatalf("somebody was erased, and %d pieces are in memory", n)
		}
		switch dice.IntN(40) {
		case 0, 1, 2, 3:
			if err := s.WarmHistories(t.Context()); err != nil {
				t.Fatal(err)
			}
			warm = max(warm, s.Remembered())
		case 4:
			s.Cool()
		}
		most, least = max(most, s.Remembered()), min(least, s.Remembered())
		var ids []identity.ID
		for range 5 {
			ids = append(ids, someone(dice.IntN(people)))
		}
		sameHistories(t, s, plain, ids...)
	}
	if warm < 100 || most < 100 || least > 0 {
		t.Errorf("between %d and %d pieces were in memory, %d of them read: the test tests nothing", least, most, warm)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// What was read of somebody before they were erased does not come into memory afterwards,
// nor does what is read when nobody wants it any more.
func TestWhatIsReadTooEarlyOrTooLateIsNotKept(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Sync: "off"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	commit := func(seq uint64, c store.Commit) {
		c.From, c.To = store.Position{Epoch: min(seq, 1), Seq: seq}, store.Position{Epoch: 1, Seq: seq + 1}
		if err := s.Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	commit(0, store.Commit{History: []store.Block{{Strand: someone(1), Body: []byte{1}}, {Strand: someone(2), Body: []byte{2}}}})
	kept, err := s.WarmSlowly(t.Context(), func() { commit(1, store.Commit{Forget: []identity.ID{someone(1)}}) })
	if err != nil || kept || s.Remembers(someone(1)) {
		t.Errorf("what was read before an erasure is kept: %v, %v", kept, err)
	}
	kept, err = s.WarmSlowly(t.Context(), func() {})
	if err != nil || !kept || !s.Remembers(someone(2)) {
		t.Errorf("what was read after it is not: %v, %v", kept, err)
	}
	cool := s.Cooling()
	if err := s.WarmHistories(t.Context()); err != nil {
		t.Fatal(err)
	}
	if cool(); !s.Remembers(someone(2)) {
		t.Error("what is wanted again is forgotten a minute after it was first")
	}
	// And where the minute is over nothing is kept: what is committed then would be missing.
	s.Cool()
	kept, err = s.WarmTooLate(t.Context())
	if err != nil || kept || s.Remembered() > 0 {
		t.Errorf("what nobody wants any more is kept: %v, %v", kept, err)
	}
}

// History is brought into memory while others commit and customers are erased: the answers
// are right, and nothing of who was erased stays there.
func TestHistoriesAreWarmedWhileOthersCommit(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(5, 6))
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Sync: "off", CacheMB: 2})
	if err != nil {
		t.Fatal(err)
	}
	plain := memory.New()
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := s.WarmHistories(ctx); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				if n%50 == 49 {
					s.Cool()
				}
			}
		})
	}
	defer others.Wait()
	defer stop()
	const people = 30
	at := store.Position{}
	warm := 0
	for round := range 400 {
		c := store.Commit{From: at, To: store.Position{Epoch: 1, Seq: at.Seq + 1}}
		at = c.To
		erased := someone(1000 + round/10)
		for n := range 10 {
			id := someone(dice.IntN(people))
			if n == 0 {
				id = erased
			}
			c.History = append(c.History, store.Block{Strand: id, Shelf: store.Shelf{Fingerprints: []uint64{1}}, Body: []byte{byte(round), byte(round >> 8), byte(n)}})
		}
		if round%10 == 9 {
			c.Forget = []identity.ID{erased}
		}
		inBoth(t, s, plain, c)
		if round%10 == 9 && s.Remembers(erased) {
			t.Fatal("history of somebody who was erased is in memory")
		}
		if s.Remembered() > 10 {
			warm++
		}
		sameHistories(t, s, plain, someone(dice.IntN(people)), someone(dice.IntN(people)), erased)
	}
	if warm < 40 {
		t.Errorf("only %d times more than a commit was in memory: the test tests nothing", warm)
	}
	stop()
	others.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
