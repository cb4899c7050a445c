package sqlite_test

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// Changes of members wait and are brought into their table later, a portion at a
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
		if round%7 == 6 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
		}
		s.MergeAt([]int{29, 2, 29, 29}[round/25%4]) // more wait than one question asks about; then some go with each commit
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
	s.MergeAt(1)
	for range 1000 {
		next := store.Position{Epoch: 1, Seq: at.Seq + 1}
		if err := s.Commit(t.Context(), &store.Commit{From: at, To: next}); err != nil {
			t.Fatal(err)
		}
		at = next
	}
	for segment := range uint64(4) {
		waiting, rows, err := s.Changes(segment)
		if waiting > 40/8 || rows > 20 || err != nil {
			t.Errorf("of segment %d %d customers wait in %d rows, %v", segment, waiting, rows, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Of many changes each commit brings in a part. Few wait for more, and fewer of a small
// segment than of a large one.
func TestMembersAreBroughtInAPortionWithEachCommit(t *testing.T) {
	t.Parallel()
	const at, segment = 20, 7
	s := open(t, t.TempDir())
	defer s.Close()
	s.MergeAt(at)
	pos, born := store.Position{}, 0
	commit := func(n int) (waiting int) {
		c := store.Commit{From: pos, To: store.Position{Epoch: 1, Seq: pos.Seq + 1}}
		pos = c.To
		for range n {
			born++
			c.Memberships = append(c.Memberships, store.Membership{Segment: segment, Profile: someone(born), In: true})
		}
		if err := s.Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		waiting, rows, err := s.Changes(segment)
		if err != nil || waiting > 0 && rows == 0 {
			t.Fatalf("%d wait in %d rows, %v", waiting, rows, err)
		}
		return waiting
	}
	if left := commit(at - 1); left != at-1 {
		t.Errorf("%d of %d wait", left, at-1)
	}
	if left := commit(0); left != at-1 {
		t.Errorf("%d of %d wait after another commit", left, at-1)
	}
	for waiting := commit(1000); waiting > 0; {
		left := commit(0)
		if most := max(at, waiting/16); left != max(waiting-most, 0) {
			t.Fatalf("of %d who wait %d do after a commit, want %d fewer", waiting, left, most)
		}
		waiting = left
	}
	most := 0
	for range 200 {
		most = max(most, commit(10))
	}
	if least, all := (1000+at)/8, born/8; most < least || most > all+10 {
		t.Errorf("of a segment that grew from a thousand to %d up to %d waited, want %d to %d", born, most, least, all+10)
	}
}

// A count is that of a moment, though commits bring changes into the table meanwhile.
func TestMembersAreCountedWhileTheyAreBroughtIn(t *testing.T) {
	t.Parallel()
	const at, each, commits, segment = 16, 8, 1500, 7
	s := open(t, t.TempDir())
	defer s.Close()
	s.MergeAt(at)
	var begun, ended atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range uint64(commits) {
			c := store.Commit{To: store.Position{Epoch: 1, Seq: n + 1}}
			if n > 0 {
				c.From = store.Position{Epoch: 1, Seq: n}
			}
			for i := range each {
				c.Memberships = append(c.Memberships, store.Membership{Segment: segment, Profile: someone(int(n)*each + i), In: true})
			}
			begun.Add(each)
			if err := s.Commit(t.Context(), &c); err != nil {
				t.Error(err)
				return
			}
			ended.Add(each)
		}
	}()
	for counting, n := true, 0; counting; n++ {
		select {
		case <-done:
			counting = false
		default:
		}
		least := ended.Load()
		counts, err := s.SegmentCounts(t.Context())
		if most := begun.Load(); err != nil || counts[segment] < least || counts[segment] > most {
			t.Errorf("the %dth count is %d, %v; want %d to %d", n, counts[segment], err, least, most)
			counting = false
		}
	}
	<-done
}
