package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

func before(t *testing.T, open Open) {
	s := opened(t, open)
	equal(t, "position", must2(t, s.Position, 3), store.Position{})
}

// must2 asks for the position of a lane.
func must2(t *testing.T, ask func(context.Context, int) (store.Position, error), lane int) store.Position {
	t.Helper()
	p, err := ask(t.Context(), lane)
	return must(t, p, err)
}

func moves(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.lane = 2
	w.commit(store.Commit{})
	w.commit(store.Commit{})
	equal(t, "position", must2(t, s.Position, 2), store.Position{Epoch: 7, Seq: 20, Now: 2, Turns: turns})
	equal(t, "another lane's position", must2(t, s.Position, 1), store.Position{})
}

// everything is a commit of one row in each table.
func everything(n int) store.Commit {
	return store.Commit{
		Profiles:    []store.Row{{ID: person(n), Alarm: 50, Body: []byte("hot")}},
		History:     []store.Block{{Strand: person(n), Shelf: store.Shelf{Month: 100, Fingerprints: []uint64{uint64(n)}}, Body: []byte("past")}},
		Memberships: []store.Membership{{Segment: 9, Profile: person(n), In: true}},
		Deliveries:  []store.Delivery{planned(n, n, "email", 1, 60)},
		Forwards:    []store.Forward{{Number: uint64(n), From: person(n), To: person(n + 1), At: 3, Entry: []byte("entry")}},
		Quarantine:  []store.Quarantine{{At: 3, To: person(n), Kind: "poison", Reason: "It broke.", Detail: "stack"}},
		Feed:        []byte("told"),
	}
}

// dump is everything that can be asked.
type dump struct {
	Position   store.Position
	Profiles   []store.Row
	History    []store.Block
	Prints     []uint64
	Due        []store.Row
	Members    []identity.ID
	Segments   map[uint64]int64
	Deliveries []store.Delivery
	Ready      []store.Ref
	Forwards   []store.Forward
	Feed       []store.Feed
	Quarantine []store.Quarantine
}

func dumped(t *testing.T, s store.Store) (d dump) {
	t.Helper()
	ctx := t.Context()
	d.Position = must2(t, s.Position, 0)
	var err error
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	d.Profiles, e = s.Profiles(ctx, identity.ID{}, 1000)
	keep(e)
	d.History, e = s.History(ctx, people(1, 2, 3)...)
	keep(e)
	d.Prints, e = s.Fingerprints(ctx, person(1), store.AnyMonth)
	keep(e)
	d.Due, e = s.Due(ctx, identity.ID{}, last, 1000, 1000)
	keep(e)
	d.Members, e = s.Members(ctx, 9, identity.ID{}, 1000)
	keep(e)
	d.Segments, e = s.SegmentCounts(ctx)
	keep(e)
	for row, e := range s.Deliveries(ctx) {
		keep(e)
		d.Deliveries = append(d.Deliveries, row)
	}
	d.Ready, e = s.DueDeliveries(ctx, "", 1000, 1000)
	keep(e)
	d.Forwards, e = s.Forwards(ctx, 1000)
	keep(e)
	d.Feed, e = s.Feed(ctx, 0, 0, 1000)
	keep(e)
	d.Quarantine, e = s.Quarantined(ctx, 1000)
	keep(e)
	if err != nil {
		t.Fatalf("reading everything: %v", err)
	}
	return d
}

func stale(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(everything(1))
	was := dumped(t, s)
	c := everything(2)
	c.From, c.To = store.Position{Epoch: 7, Seq: 9}, store.Position{Epoch: 7, Seq: 30}
	c.Forwarded = 1
	refused(t, s.Commit(t.Context(), &c), fault.Conflict)
	equal(t, "the state after a refused commit", dumped(t, s), was)

	// The fence is epoch and sequence; what is kept beside them is not.
	c.From = store.Position{Epoch: 7, Seq: 10, Now: 99, Turns: [store.MaxTurns]store.Turn{{Program: 99}}}
	if err := s.Commit(t.Context(), &c); err != nil {
		t.Fatalf("Commit at the right position = %v", err)
	}
}

func otherEpoch(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{})
	c := store.Commit{From: store.Position{Epoch: 8, Seq: 10}, To: store.Position{Epoch: 8, Seq: 20}}
	refused(t, s.Commit(t.Context(), &c), fault.Conflict)
	// A new epoch begins at a position of the old one.
	c.From = w.pos
	if err := s.Commit(t.Context(), &c); err != nil {
		t.Fatalf("Commit into a new epoch = %v", err)
	}
	equal(t, "position", must2(t, s.Position, 0), c.To)
}

func twoEngines(t *testing.T, open Open) {
	s := opened(t, open)
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			c := everything(n)
			c.To = store.Position{Epoch: 7, Seq: uint64(10 + n)}
			switch err := s.Commit(t.Context(), &c); {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.Conflict):
				t.Errorf("Commit = %v, want nil or a Conflict", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d of 8 engines committed at one position", won.Load())
	}
	d := dumped(t, s)
	if len(d.Profiles) != 1 || len(d.Feed) != 1 || len(d.Deliveries) != 1 {
		t.Fatalf("the losers left something behind: %d profiles, %d feed blocks, %d deliveries", len(d.Profiles), len(d.Feed), len(d.Deliveries))
	}
}

// wholeOnly reads while commits of two profiles and a membership go on: what a
// single question finds is of one commit.
func wholeOnly(t *testing.T, open Open) {
	s := opened(t, open)
	const rounds = 50
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				bodies, err := s.Load(t.Context(), people(1, 2))
				if err != nil {
					t.Errorf("Load = %v", err)
					return
				}
				if string(bodies[0].Body) != string(bodies[1].Body) {
					t.Errorf("Load saw %q and %q of two commits", bodies[0].Body, bodies[1].Body)
					return
				}
			}
		})
	}
	w := newWriter(t, s)
	for i := range rounds {
		body := fmt.Sprint(i)
		w.commit(store.Commit{Profiles: []store.Row{row(1, body), row(2, body)}})
	}
	close(stop)
	wg.Wait()
}

func endedCommit(t *testing.T, open Open) {
	s := opened(t, open)
	c := everything(1)
	c.To = store.Position{Epoch: 1, Seq: 1}
	ended(t, s.Commit(cancelled(t), &c))
	equal(t, "the state", dumped(t, s), dump{Segments: map[uint64]int64{}})
	_, err := s.Load(cancelled(t), people(1))
	ended(t, err)
}

func copiedIn(t *testing.T, open Open) {
	s := opened(t, open)
	c := everything(1)
	c.Deliveries[0].Plan = []byte("plan")
	c.Quarantine[0].Entry = []byte("entry")
	newWriter(t, s).commit(c)
	was := dumped(t, s)
	for _, b := range [][]byte{
		c.Profiles[0].Body, c.History[0].Body, c.Deliveries[0].Plan, c.Forwards[0].Entry, c.Quarantine[0].Entry, c.Feed,
	} {
		clear(b)
	}
	c.History[0].Fingerprints[0] = 0
	equal(t, "the state", dumped(t, s), was)
}

func copiedOut(t *testing.T, open Open) {
	s := opened(t, open)
	c := everything(1)
	c.Deliveries[0].Plan = []byte("plan")
	newWriter(t, s).commit(c)
	was, again := dumped(t, s), dumped(t, s)
	for _, b := range [][]byte{
		again.Profiles[0].Body, again.Due[0].Body, again.History[0].Body, again.Deliveries[0].Plan, again.Forwards[0].Entry, again.Feed[0].Body,
	} {
		clear(b)
	}
	again.History[0].Fingerprints[0] = 0
	equal(t, "the state", dumped(t, s), was)
}

func later(t *testing.T, open Open) {
	s := opened(t, open)
	sent := planned(1, 1, "email", 1, 60)
	sent.State = profile.Accepted
	newWriter(t, s).commit(store.Commit{
		Profiles:    []store.Row{{ID: person(1), Alarm: 5, Body: []byte("a")}, {ID: person(1), Alarm: 9, Body: []byte("b")}},
		Memberships: []store.Membership{{Segment: 1, Profile: person(1), In: true}, {Segment: 1, Profile: person(1)}},
		Deliveries:  []store.Delivery{planned(1, 1, "email", 1, 60), sent},
	})
	d := dumped(t, s)
	equal(t, "profiles", d.Profiles, []store.Row{{ID: person(1), Alarm: 9, Body: []byte("b")}})
	equal(t, "due", d.Due, d.Profiles)
	equal(t, "segments", d.Segments, map[uint64]int64{})
	equal(t, "deliveries", d.Deliveries, []store.Delivery{sent})
	equal(t, "due deliveries", d.Ready, []store.Ref{})
}

func durable(t *testing.T, open Open) {
	s, reopen := open(t)
	w := newWriter(t, s)
	w.commit(everything(1))
	w.commit(everything(2))
	if err := s.SaveProgram(t.Context(), 5, []byte("source")); err != nil {
		t.Fatalf("SaveProgram = %v", err)
	}
	was := dumped(t, s)
	for range 2 {
		s = reopen()
		equal(t, "the state after a reopening", dumped(t, s), was)
		source, err := s.Program(t.Context(), 5)
		equal(t, "program", string(must(t, source, err)), "source")
	}
	w.s = s
	w.commit(everything(3))
	equal(t, "position", must2(t, s.Position, 0).Seq, uint64(30))
	h, err := s.History(t.Context(), people(3, 1)...)
	if h = must(t, h, err); len(h) != 2 || h[0].Strand != person(1) {
		t.Fatalf("history after a reopening is not in the order of the commits: %v", h)
	}
	mustClose(t, s)
}

func closed(t *testing.T, open Open) {
	s := opened(t, open)
	newWriter(t, s).commit(everything(1))
	mustClose(t, s)
	mustClose(t, s)
	ctx := t.Context()
	_, err := s.Position(ctx, 0)
	refused(t, err, fault.Unavailable)
	_, err = s.Load(ctx, people(1))
	refused(t, err, fault.Unavailable)
	_, err = s.Stats(ctx)
	refused(t, err, fault.Unavailable)
	refused(t, s.Commit(ctx, &store.Commit{From: store.Position{Epoch: 7, Seq: 10}}), fault.Unavailable)
	refused(t, s.SaveProgram(ctx, 1, nil), fault.Unavailable)
	for _, err := range s.Deliveries(ctx) {
		refused(t, err, fault.Unavailable)
	}
}

func concurrent(t *testing.T, open Open) {
	s := opened(t, open)
	const lanes, rounds = 4, 20
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			at := store.Position{}
			for i := range rounds {
				to := store.Position{Epoch: 7, Seq: at.Seq + 1}
				n := lane*rounds + i
				c := everything(n)
				c.Lane, c.From, c.To = lane, at, to
				if err := s.Commit(t.Context(), &c); err != nil {
					t.Errorf("Commit of lane %d = %v", lane, err)
					return
				}
				at = to
				if b, err := s.Load(t.Context(), people(n)); err != nil || string(b[0].Body) != "hot" {
					t.Errorf("Load of what was committed = %v, %v", b, err)
				}
				if _, err := s.Due(t.Context(), identity.ID{}, last, event.Never, 10); err != nil {
					t.Errorf("Due = %v", err)
				}
				if _, err := s.SegmentCounts(t.Context()); err != nil {
					t.Errorf("SegmentCounts = %v", err)
				}
			}
		})
	}
	wg.Wait()
	n, err := s.SegmentCounts(t.Context())
	equal(t, "segments", must(t, n, err), map[uint64]int64{9: lanes * rounds})
}
