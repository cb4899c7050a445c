package storetest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// canary stands in everything that is about person 1.
const canary = "canary-7f3a"

// holds reports whether the store holds the word anywhere.
func holds(t *testing.T, s store.Store, word string) (found bool) {
	t.Helper()
	err := s.Everything(t.Context(), func(_ string, cell []byte) error {
		found = found || bytes.Contains(cell, []byte(word))
		return nil
	})
	if err != nil {
		t.Fatalf("Everything = %v", err)
	}
	return found
}

// remembered commits everything that can be about person 1, and the same about 2.
func remembered(w *writer) {
	for round := range 3 { // history of more than one piece and month
		var c store.Commit
		for n, word := range map[int]string{1: canary, 2: "someone-else"} {
			c.Profiles = append(c.Profiles, row(n, word))
			c.History = append(c.History, store.Block{Strand: person(n), Shelf: store.Shelf{Month: int32(round), Fingerprints: []uint64{uint64(n)}}, Body: []byte(word)})
			c.Memberships = append(c.Memberships, store.Membership{Segment: uint64(round), Profile: person(n), In: true})
			d := planned(n*10+round, n, "email", 0, 1)
			d.Reason, d.Outcome, d.Plan, d.Claim = word, word, []byte(word), []byte(word)
			d.Because = "just_bought"
			c.Deliveries = append(c.Deliveries, d)
			c.Quarantine = append(c.Quarantine, store.Quarantine{At: 1, To: person(n), Kind: "poison", Detail: word, Entry: []byte(word)})
		}
		slices.SortFunc(c.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
		w.commit(c)
	}
}

func forgets(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	remembered(w)
	if !holds(t, s, canary) {
		t.Fatal("the store does not hold what was committed: the test can tell nothing")
	}
	// The same commit brings the tombstone and the last that was heard.
	w.commit(store.Commit{
		Profiles: []store.Row{row(1, "tombstone")}, Forget: []identity.ID{person(1), person(77)},
		Quarantine: []store.Quarantine{{To: person(1), Kind: "hops", Detail: canary}},
	})
	if holds(t, s, canary) {
		t.Error("something of the person is left")
	}
	rows, err := s.Load(t.Context(), []identity.ID{person(1), person(2)})
	equal(t, "rows", must(t, rows, err), []store.Row{{ID: person(1), Body: []byte("tombstone")}, {ID: person(2), Body: []byte("someone-else")}})
	blocks, err := s.History(t.Context(), person(1))
	equal(t, "history", must(t, blocks, err), []store.Block(nil))
	prints, err := s.Fingerprints(t.Context(), person(1), store.AnyMonth)
	equal(t, "fingerprints", must(t, prints, err), []uint64(nil))
	blocks, err = s.History(t.Context(), person(2))
	equal(t, "pieces of another's history", len(must(t, blocks, err)), 3)
	counts, err := s.SegmentCounts(t.Context())
	equal(t, "members", must(t, counts, err), map[uint64]int64{0: 1, 1: 1, 2: 1})
	of, err := s.DeliveriesOf(t.Context(), person(1), 10)
	equal(t, "deliveries of the person", must(t, of, err), []store.Delivery(nil))
	d, err := s.Delivery(t.Context(), parcel(10))
	want := planned(10, 1, "email", 0, 1)
	want.Profile, want.State, want.Because = identity.ID{}, profile.Dropped, store.Erased
	equal(t, "what counts the message", must(t, d, err), want)
	due, err := s.DueDeliveries(t.Context(), "email", 100, 10)
	equal(t, "messages that still leave", len(must(t, due, err)), 3)
	aside, err := s.Quarantined(t.Context(), 10)
	equal(t, "what was put aside of the other", len(must(t, aside, err)), 3)

	// What is heard later begins a new history.
	w.commit(store.Commit{History: []store.Block{{Strand: person(1), Shelf: store.Shelf{Month: 9, Fingerprints: []uint64{5}}, Body: []byte("new")}}})
	blocks, err = s.History(t.Context(), person(1))
	equal(t, "a new history", len(must(t, blocks, err)), 1)
}

func rewritesFeed(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	for _, body := range []string{"keep", canary + " and others", canary, "last"} {
		w.commit(store.Commit{Feed: []byte(body)})
	}
	other := newWriter(t, s)
	other.lane = 1
	other.commit(store.Commit{Feed: []byte(canary)})
	err := s.RewriteFeed(t.Context(), func(f store.Feed) ([]byte, bool, error) {
		switch string(f.Body) {
		case canary + " and others":
			return []byte("others"), true, nil
		case canary:
			return nil, true, nil
		}
		return []byte("not taken"), false, nil
	})
	if err != nil {
		t.Fatalf("RewriteFeed = %v", err)
	}
	blocks, err := s.Feed(t.Context(), 0, 0, 10)
	var bodies []string
	for _, b := range must(t, blocks, err) {
		bodies = append(bodies, string(b.Body))
	}
	equal(t, "feed", bodies, []string{"keep", "others", "last"})
	blocks, err = s.Feed(t.Context(), 1, 0, 10)
	equal(t, "feed of the other lane", len(must(t, blocks, err)), 0)
	broken := errors.New("broken")
	if err := s.RewriteFeed(t.Context(), func(store.Feed) ([]byte, bool, error) { return nil, false, broken }); !errors.Is(err, broken) {
		t.Errorf("RewriteFeed = %v, want the caller's error", err)
	}
}

func prunes(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	for i := range 200 { // more than one page of any implementation
		w.commit(store.Commit{Quarantine: []store.Quarantine{{Kind: "rejected", Detail: []string{"a", canary}[i%2]}}})
	}
	pruned, err := s.PruneQuarantine(t.Context(), func(q store.Quarantine) bool { return q.Detail == canary })
	equal(t, "pruned", must(t, pruned, err), int64(100))
	left, err := s.Quarantined(t.Context(), 1000)
	equal(t, "left", len(must(t, left, err)), 100)
	if err := s.Compact(t.Context()); err != nil {
		t.Fatalf("Compact = %v", err)
	}
	if holds(t, s, canary) {
		t.Error("what was pruned is still there")
	}
}

func ledgerForgets(t *testing.T, open OpenLedger) {
	l, _ := open(t)
	t.Cleanup(func() { mustClose(t, l) })
	start := func(n, to int) store.Start {
		return store.Start{ID: parcel(n), Profile: person(to), Channel: "email", Purpose: "marketing", At: 1, Subjects: [][16]byte{person(to)}}
	}
	answers, err := l.Start(t.Context(), []store.Start{start(1, 1), start(2, 1), start(3, 2)})
	must(t, answers, err)
	if err := errors.Join(l.Note(t.Context(), []store.Receipt{{ID: parcel(1), Entry: []byte(canary)}}), l.Finish(t.Context(), []profile.DeliveryID{parcel(2)}),
		l.Suppress(t.Context(), store.Suppression{Subject: person(1), Reason: store.Erased, At: 2}),
		l.Forget(t.Context(), person(1), person(9)), l.Compact(t.Context())); err != nil {
		t.Fatal(err)
	}
	open2, err := l.Unfinished(t.Context(), 100, 10)
	left := must(t, open2, err)
	if len(left) != 1 || left[0].ID != parcel(3) {
		t.Errorf("unfinished = %v, want the other's alone", left)
	}
	all, err := l.SuppressionsOf(t.Context(), person(1))
	equal(t, "suppressions", must(t, all, err), []store.Suppression{{Subject: person(1), Reason: store.Erased, At: 2}})
	all, err = l.SuppressionsOf(t.Context(), person(2))
	equal(t, "suppressions of the other", len(must(t, all, err)), 0)
	answers, err = l.Start(t.Context(), []store.Start{start(4, 1)})
	equal(t, "answer to a message to the erased", must(t, answers, err), []store.StartAnswer{store.Stop})
}
