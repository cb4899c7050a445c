package storetest

import (
	"math"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

func in(segment uint64, n int) store.Membership {
	return store.Membership{Segment: segment, Profile: person(n), In: true}
}

func out(segment uint64, n int) store.Membership {
	return store.Membership{Segment: segment, Profile: person(n)}
}

func members(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Memberships: []store.Membership{in(1, 3), in(1, 1), in(1, 2), in(2, 4), in(1, 5)}})
	w.commit(store.Commit{Memberships: []store.Membership{out(1, 2), in(1, 4), out(1, 9), out(3, 1)}})
	for _, test := range []struct {
		name    string
		segment uint64
		after   identity.ID
		limit   int
		want    []identity.ID
	}{
		{"in order of id", 1, identity.ID{}, 10, people(1, 3, 4, 5)},
		{"after an id, within the limit", 1, person(1), 2, people(3, 4)},
		{"another segment", 2, identity.ID{}, 10, people(4)},
		{"a segment of nobody", 3, identity.ID{}, 10, nil},
	} {
		got, err := s.Members(t.Context(), test.segment, test.after, test.limit)
		equal(t, test.name, must(t, got, err), test.want)
	}
}

func segmentCounts(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	want := func(counts map[uint64]int64) {
		t.Helper()
		got, err := s.SegmentCounts(t.Context())
		equal(t, "counts", must(t, got, err), counts)
	}
	want(map[uint64]int64{})
	w.commit(store.Commit{Memberships: []store.Membership{in(1, 1), in(1, 2), in(1, 3), in(2, 1)}})
	want(map[uint64]int64{1: 3, 2: 1})
	w.commit(store.Commit{Memberships: []store.Membership{in(1, 1), in(1, 4), out(1, 7), out(2, 1)}})
	want(map[uint64]int64{1: 4})
	w.commit(store.Commit{Memberships: []store.Membership{out(1, 1), in(1, 1), out(1, 2), out(1, 2), in(2, 5)}})
	want(map[uint64]int64{1: 3, 2: 1})
}

func forwards(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	f := func(number uint64, entry string) store.Forward {
		return store.Forward{Number: number, From: person(1), To: person(2), At: 8, Entry: []byte(entry)}
	}
	w.commit(store.Commit{Forwards: []store.Forward{f(1, "a"), f(2, "b")}})
	w.commit(store.Commit{Forwards: []store.Forward{f(3, "c")}})
	got, err := s.Forwards(t.Context(), 10)
	equal(t, "forwards", must(t, got, err), []store.Forward{f(1, "a"), f(2, "b"), f(3, "c")})
	got, err = s.Forwards(t.Context(), 2)
	equal(t, "two forwards", must(t, got, err), []store.Forward{f(1, "a"), f(2, "b")})
	w.commit(store.Commit{Forwarded: 2, Forwards: []store.Forward{f(4, "d")}})
	got, err = s.Forwards(t.Context(), 10)
	equal(t, "what is left", must(t, got, err), []store.Forward{f(3, "c"), f(4, "d")})
	w.commit(store.Commit{})
	got, err = s.Forwards(t.Context(), 10)
	equal(t, "what is left by a commit that forwards nothing", must(t, got, err), []store.Forward{f(3, "c"), f(4, "d")})
}

func forwardsOfOthers(t *testing.T, open Open) {
	s := opened(t, open)
	zero, one := newWriter(t, s), newWriter(t, s)
	one.lane = 1
	f := store.Forward{Number: 1, From: person(1), To: person(2), Entry: []byte("entry")}
	one.commit(store.Commit{Forwards: []store.Forward{f}})
	zero.commit(store.Commit{Forwards: []store.Forward{f}})
	got, err := s.Forwards(t.Context(), 10)
	second := f
	second.Lane = 1
	equal(t, "forwards", must(t, got, err), []store.Forward{f, second})
	zero.commit(store.Commit{Forwarded: 5})
	got, err = s.Forwards(t.Context(), 10)
	equal(t, "forwards", must(t, got, err), []store.Forward{second})
}

func feed(t *testing.T, open Open) {
	s := opened(t, open)
	w, other := newWriter(t, s), newWriter(t, s)
	other.lane = 1
	w.commit(store.Commit{Feed: []byte("a")})
	other.commit(store.Commit{Feed: []byte("elsewhere")})
	w.commit(store.Commit{Feed: []byte("b")})
	w.commit(store.Commit{Feed: []byte("c")})
	block := func(from uint64, epoch uint64, body string) store.Feed {
		return store.Feed{Epoch: epoch, From: from, To: from + 10, Body: []byte(body)}
	}
	all := []store.Feed{block(0, 7, "a"), block(10, 7, "b"), block(20, 7, "c")}
	got, err := s.Feed(t.Context(), 0, 0, 10)
	equal(t, "feed", must(t, got, err), all)
	got, err = s.Feed(t.Context(), 0, 10, 10)
	equal(t, "feed after a block", must(t, got, err), all[1:])
	got, err = s.Feed(t.Context(), 0, 15, 1)
	equal(t, "feed after half a block", must(t, got, err), all[1:2])
	got, err = s.Feed(t.Context(), 0, 30, 10)
	equal(t, "feed after the last", must(t, got, err), []store.Feed{})
}

func noFeed(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Profiles: []store.Row{row(1, "a")}})
	w.commit(store.Commit{Feed: []byte{}})
	got, err := s.Feed(t.Context(), 0, 0, 10)
	equal(t, "feed", must(t, got, err), []store.Feed{})
}

func quarantine(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	a := store.Quarantine{At: 5, To: person(1), Kind: "poison", Reason: "It broke.", Field: "price", Detail: "stack", Entry: []byte("event")}
	b := store.Quarantine{At: 4, Kind: "rejected", Reason: "It has no name."}
	c := store.Quarantine{At: 5, Kind: "hops", Reason: "Too far."}
	w.commit(store.Commit{Quarantine: []store.Quarantine{a, b}})
	w.commit(store.Commit{Quarantine: []store.Quarantine{c}})
	got, err := s.Quarantined(t.Context(), 10)
	equal(t, "quarantine", must(t, got, err), []store.Quarantine{c, b, a})
	got, err = s.Quarantined(t.Context(), 1)
	equal(t, "the last", must(t, got, err), []store.Quarantine{c})
}

func programs(t *testing.T, open Open) {
	s := opened(t, open)
	_, err := s.Program(t.Context(), 1)
	refused(t, err, fault.NotFound)
	for _, hash := range []uint64{1, 1<<64 - 1, 1} {
		if err := s.SaveProgram(t.Context(), hash, []byte{byte(hash)}); err != nil {
			t.Fatalf("SaveProgram = %v", err)
		}
	}
	for _, hash := range []uint64{1, 1<<64 - 1} {
		got, err := s.Program(t.Context(), hash)
		equal(t, "program", must(t, got, err), []byte{byte(hash)})
	}
	stats, err := s.Stats(t.Context())
	equal(t, "programs", must(t, stats, err)["programs"], int64(2))
}

func bits(t *testing.T, open Open) {
	s := opened(t, open)
	const most = 1<<64 - 1
	to := store.Position{Epoch: most, Seq: 5, Now: -4, Turns: [store.MaxTurns]store.Turn{
		{Program: most - 1, Since: -4, Swept: store.Everybody},
		{Program: 1 << 63, Since: math.MaxInt64},
		{Program: 4, Since: math.MinInt64, Swept: 7},
		{Program: 5, Swept: store.Everybody - 1},
	}}
	c := store.Commit{
		To:          to,
		Memberships: []store.Membership{in(most, 1)},
		Profiles:    []store.Row{{ID: last, Alarm: event.Never - 1, Body: []byte{0, 255, 0}}, {ID: identity.ID{}, Alarm: -5, Body: []byte{0}}},
		Feed:        []byte{0},
	}
	if err := s.Commit(t.Context(), &c); err != nil {
		t.Fatalf("Commit = %v", err)
	}
	equal(t, "position", must2(t, s.Position, 0), to)
	n, err := s.SegmentCounts(t.Context())
	equal(t, "segments", must(t, n, err), map[uint64]int64{most: 1})
	due, err := s.Due(t.Context(), identity.ID{}, last, event.Never-1, 10)
	equal(t, "due", must(t, due, err), []store.Row{c.Profiles[1], c.Profiles[0]})
	f, err := s.Feed(t.Context(), 0, 0, 10)
	equal(t, "feed", must(t, f, err), []store.Feed{{Epoch: most, To: 5, Body: []byte{0}}})
	c.From, c.To = to, store.Position{Epoch: most, Seq: 6}
	if err := s.Commit(t.Context(), &c); err != nil {
		t.Fatalf("Commit at a large epoch = %v", err)
	}
}

func stats(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(everything(1))
	w.commit(everything(2))
	got, err := s.Stats(t.Context())
	must(t, got, err)
	if got["bytes"] < 0 {
		t.Fatalf("bytes = %d", got["bytes"])
	}
	delete(got, "bytes")
	equal(t, "sizes", got, map[string]int64{
		"profiles": 2, "living": 2, "history": 2, "members": 2, "deliveries": 2, "forwards": 2, "feed": 2, "quarantine": 2, "programs": 0,
	})
}
