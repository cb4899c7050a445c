package sqlite_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// Changes of members wait and are brought into their table later, a segment at a
// time. Whatever of them has been, and across restarts, the answers are those of a
// store that knows no waiting.
func TestMembersThatWaitAreMembers(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	s, plain := open(t, dir), memory.New()
	defer plain.Close()
	someone := func() identity.ID { return identity.ID{byte(dice.IntN(40))} }
	at := store.Position{}
	for round := range 430 {
		if round%50 == 49 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
		}
		s.MergeAt(29 - round/50*3) // at first more wait than one question asks about
		c := store.Commit{From: at, To: store.Position{Epoch: 1, Seq: at.Seq + 1}}
		at = c.To
		for range dice.IntN(8) {
			c.Memberships = append(c.Memberships, store.Membership{Segment: uint64(dice.IntN(4)), Profile: someone(), In: dice.IntN(3) > 0 || round%100 < 50}) // where all enter, many are brought in at once
		}
		other := c
		other.Memberships = slices.Clone(c.Memberships)
		if err := s.Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		if err := plain.Commit(t.Context(), &other); err != nil {
			t.Fatal(err)
		}
		got, err := s.SegmentCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want, _ := plain.SegmentCounts(t.Context())
		for segment := range uint64(4) {
			if got[segment] != want[segment] {
				t.Fatalf("round %d: segment %d has %d members, want %d", round, segment, got[segment], want[segment])
			}
			after, limit := someone(), dice.IntN(50)
			ids, err := s.Members(t.Context(), segment, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if wanted, _ := plain.Members(t.Context(), segment, after, limit); !slices.Equal(ids, wanted) {
				t.Fatalf("round %d: the members of %d after %s are %v, want %v", round, segment, after, ids, wanted)
			}
		}
	}
	if s.Merges() == 0 {
		t.Fatal("nothing was brought into the table: the test tests nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
