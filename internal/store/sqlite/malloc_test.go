//go:build linux && !race

package sqlite_test

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// Readers forget their pages at each commit. The memory of them stays: whoever reads next
// takes it as it is, where the operating system would have to find and clear it anew.
func TestReadersKeepTheirMemory(t *testing.T) {
	dice := rand.NewChaCha8([32]byte{5})
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Sync: "off", Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const people, rounds = 3000, 20
	at := store.Position{}
	commit := func(c *store.Commit) {
		c.From, c.To = at, store.Position{Epoch: 1, Seq: at.Seq + 1}
		at = c.To
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	faults := func() int64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for the process itself
		return u.Minflt
	}
	c := &store.Commit{}
	for n := range people {
		c.Profiles = append(c.Profiles, store.Row{ID: someone(n), Alarm: 1 << 50, Body: noise(dice, 1500)})
	}
	slices.SortFunc(c.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
	commit(c)
	var before int64
	for round := range rounds + 3 {
		if round == 3 {
			before = faults()
		}
		commit(&store.Commit{})
		rows, err := s.Census(t.Context(), 1, people, identity.ID{}, identity.ID{}, people, nil) // all are looked at, nobody is that
		if err != nil || len(rows) > 0 {
			t.Fatal(len(rows), err)
		}
	}
	// A reader keeps 4 MB, a thousand pages.
	each := (faults() - before) / rounds
	t.Logf("%d page faults a commit", each)
	if each > 200 {
		t.Errorf("the operating system found memory %d times for the pages that one commit made old", each)
	}
}
