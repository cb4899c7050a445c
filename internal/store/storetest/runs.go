package storetest

import (
	"testing"

	"rapport/internal/core/profile"
	"rapport/internal/store"
)

func runs(t *testing.T, open Open) {
	s, reopen := open(t)
	w := newWriter(t, s)
	want := func(what string, s store.Store, lane int, want []store.Run) {
		t.Helper()
		got, err := s.Runs(t.Context(), lane)
		equal(t, what, must(t, got, err), want)
	}
	want("runs before the first", s, 0, nil)
	w.commit(store.Commit{Runs: []store.Run{{Campaign: "sale", Name: "1", Body: []byte("a")}, {Campaign: "club", Name: "1", Body: []byte("b")}}})
	w.commit(store.Commit{Runs: []store.Run{{Campaign: "sale", Name: "1", Body: []byte("c")}, {Campaign: "sale", Name: "2", Body: []byte("d")}}})
	all := []store.Run{{Campaign: "sale", Name: "1", Body: []byte("c")}, {Campaign: "club", Name: "1", Body: []byte("b")}, {Campaign: "sale", Name: "2", Body: []byte("d")}}
	want("runs", s, 0, all)
	want("runs of another lane", s, 1, nil)
	s = reopen()
	want("runs after a reopening", s, 0, all)
	mustClose(t, s)
}

func onlyOne(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	begin := func(what string, want store.StartAnswer, s store.Start) {
		t.Helper()
		got, err := l.Start(t.Context(), []store.Start{s})
		equal(t, what, must(t, got, err), []store.StartAnswer{want})
	}
	only := func(n int, key byte) store.Start {
		return store.Start{ID: parcel(n), Profile: person(n), Channel: "email", Purpose: "marketing", Only: [16]byte{key}}
	}
	begin("the first", store.Go, only(1, 7))
	begin("another", store.Same, only(2, 7))
	begin("another, asked again", store.Same, only(2, 7))
	begin("the first again", store.Again, only(1, 7))
	again := only(1, 7)
	again.Resend = true
	begin("the first, put off by the provider", store.Go, again)
	begin("with another key", store.Go, only(3, 8))
	begin("without a key", store.Go, store.Start{ID: parcel(4), Profile: person(4), Channel: "email", Purpose: "marketing"})
	begin("begun without a key, and again with one that is taken", store.Again, only(4, 7))
	begin("begun without a key, and again with a new one", store.Again, only(4, 9))
	begin("whose key that was not", store.Go, only(5, 9))
	late := only(6, 7)
	late.Resend = true
	begin("another that may go again", store.Same, late)
	left, err := l.Unfinished(t.Context(), 1<<40, 10)
	var begun []profile.DeliveryID
	for _, s := range must(t, left, err) {
		begun = append(begun, s.ID)
	}
	equal(t, "what was begun", begun, parcels(1, 3, 4, 5))
}
