package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// live opens the shop's engine anew, as a process under the clock on the wall would,
// with long sweeps from two records on.
func (s *shop) live() {
	s.t.Helper()
	e, err := engine.Open(s.t.Context(), engine.Options{
		Log: s.log, Store: s.store, Key: s.key, Now: s.clock.Now, SweepAtOnce: 1,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.e = e
	e.Start()
	s.t.Cleanup(func() {
		if err := e.Close(context.WithoutCancel(s.t.Context())); err != nil {
			s.t.Error(err)
		}
	})
}

// swept waits until a sweep of several records has ended, and counts who was left out.
func (s *shop) swept(hash uint64) (behind int) {
	s.t.Helper()
	for done, of := s.e.Swept(); of < 2 || done < of; done, of = s.e.Swept() {
		if err := s.e.Err(); err != nil {
			s.t.Fatal(err)
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatalf("%d of %d", done, of)
		case <-time.After(time.Millisecond):
		}
	}
	if err := s.e.CaughtUp(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	for p, err := range s.e.Customers(s.t.Context(), identity.ID{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if p.Program != hash {
			behind++
		}
	}
	return behind
}

func TestALongSweepComesToEverybody(t *testing.T) {
	t.Parallel()
	s := open(t, 2)
	for i := range 1500 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	s.live()
	if err := s.e.Switch(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if behind := s.swept(7); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}

// The store does not know yet who was born a moment before the change.
func TestASweepComesToWhoWasBornAMomentBefore(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("old", "", "Product Viewed", nil)
		s.settle()
		for i := range 20 {
			s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
		}
		if err := s.e.Switch(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		s.settle()
		for i := range 20 {
			if p := s.who(identity.User, fmt.Sprint("user-", i)); p.Program != 7 {
				t.Fatalf("customer %d is under program %d", i, p.Program)
			}
		}
	})
}

func TestASweepThatAProcessDidNotFinishGoesOn(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	for i := range 1500 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	// The change of program is in the log, and nothing of its sweep.
	var b event.Builder
	b.Set("hash", event.Text(fmt.Sprintf("%016x", 9)))
	if err := s.e.Broadcast(t.Context(), event.Event{ID: "program:9", Type: event.System, Name: event.ProgramChanged, At: s.clock.Now(), Trust: event.Own, Props: b.Object()}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.live()
	if behind := s.swept(9); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}

// editions is a shop whose definitions change: each edition has the segments of the
// one before and one more.
type editions struct {
	*shop
	list  []*core.Program
	cache int64
}

func newEditions(t *testing.T, lanes int, segments ...string) *editions {
	s := &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))}
	s.log, s.store = memlog.New(lanes, s.clock.Now), memory.New()
	e := &editions{shop: s}
	files := []program.File{{Path: "shop.yaml", Body: "name: Shop\nzone: Europe/London\ncurrency: GBP\nwebsite: https://shop.example\npostal: 1 Street\npurposes: {marketing: News}\nsenders:\n  email: {from_name: Shop, from: a@shop.example}\n"}}
	for i, body := range segments {
		files = append(files, program.File{Path: fmt.Sprintf("segments/s%d.yaml", i), Body: fmt.Sprintf("segment: s%d\nwhen: %s\n", i, body)})
		src, err := program.New(slices.Clone(files))
		if err != nil {
			t.Fatal(err)
		}
		prog, problems := program.Compile(src, program.Options{Workspace: "w"})
		if prog == nil {
			t.Fatal(problems)
		}
		e.list = append(e.list, prog.Core)
	}
	e.again()
	return e
}

// again opens the engine with nothing in memory.
func (e *editions) again() {
	e.t.Helper()
	var err error
	e.e, err = engine.Open(e.t.Context(), engine.Options{
		Log: e.log, Store: e.store, Key: e.key, Now: e.clock.Now, Virtual: true, CacheBytes: e.cache,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) {
			for _, p := range e.list {
				if p.Hash == hash {
					return p, nil
				}
			}
			return nil, fmt.Errorf("no program %x", hash)
		},
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// edition puts one in force and lets its sweep end.
func (e *editions) edition(n int) {
	e.t.Helper()
	if err := e.e.Switch(e.t.Context(), e.list[n].Hash); err != nil {
		e.t.Fatal(err)
	}
	e.settle()
}

// written counts the customers whose row in the store names the edition, and those who
// count as evaluated under it.
func (e *editions) written(n int) (rows, current int) {
	e.t.Helper()
	all, err := e.store.Living(e.t.Context(), identity.ID{}, lastID, 10_000)
	if err != nil {
		e.t.Fatal(err)
	}
	for i := range all {
		if p, err := profile.DecodeParts(string(all[i].Body), string(all[i].Rest)); err != nil {
			e.t.Fatal(err)
		} else if p.Program == e.list[n].Hash {
			rows++
		}
	}
	for p, err := range e.e.Customers(e.t.Context(), identity.ID{}) {
		if err != nil {
			e.t.Fatal(err)
		}
		if e.list[n].Current(p) {
			current++
		}
	}
	return rows, current
}

func (e *editions) in(user string, n int) bool {
	e.t.Helper()
	return e.who(identity.User, user).Member(condition.SegmentKey(fmt.Sprint("s", n))).In
}

func TestASweepWritesOnlyWhomItChanges(t *testing.T) {
	t.Parallel()
	for _, lanes := range []int{1, 8} {
		t.Run(fmt.Sprintf("%d lanes", lanes), func(t *testing.T) {
			t.Parallel()
			e := newEditions(t, lanes, "{did: Product Viewed}", "{did: Product Viewed, times: '>= 2'}", "{did: Cart Viewed}", "{did: Product Viewed, times: '>= 3'}")
			e.edition(0)
			for i := range 40 {
				e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
			}
			e.says("user-7", "", "Product Viewed", nil)
			e.settle()
			for n, changed := range []int{1: 1, 2: 0, 3: 0} {
				if n == 0 {
					continue
				}
				e.again()
				e.edition(n)
				if rows, current := e.written(n); rows != changed || current != 40 {
					t.Fatalf("edition %d: %d rows were written and %d customers are under it, want %d and 40", n, rows, current, changed)
				}
			}
			if !e.in("user-7", 1) || e.in("user-8", 1) {
				t.Error("the second edition does not hold")
			}
			// Whom no sweep has written since the first edition goes on from there.
			for range 2 {
				e.says("user-8", "", "Product Viewed", nil)
			}
			e.settle()
			if !e.in("user-8", 1) || !e.in("user-8", 3) || e.in("user-7", 3) {
				t.Error("what happens after sweeps that wrote nothing is not counted right")
			}
			// Back to what was in force before is a change like any other.
			e.edition(0)
			if _, current := e.written(0); current != 40 {
				t.Errorf("%d customers are back under the first edition", current)
			}
			e.edition(3)
			if !e.in("user-8", 1) || !e.in("user-7", 1) || !e.in("user-8", 3) {
				t.Error("what came back with an edition does not hold")
			}
		})
	}
}

// A sweep that cannot read a customer's history passes them by, and must not count
// them among those whom it did not change.
func TestWhoCouldNotBeBroughtUpIsTriedAgain(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed, times: '>= 2'}")
	e.edition(0)
	for _, user := range []string{"ada", "bob"} {
		e.says(user, "", "Product Viewed", nil)
		e.says(user, "", "Cart Viewed", nil)
	}
	e.settle()
	ada := e.who(identity.User, "ada").ID
	pos, err := e.store.Position(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	damage := store.Block{Strand: ada, Month: 1, Body: []byte("damage")}
	if err := e.store.Commit(t.Context(), &store.Commit{From: pos, To: pos, History: []store.Block{damage}}); err != nil {
		t.Fatal(err)
	}
	e.again()
	e.edition(1)
	if _, current := e.written(1); current != 1 {
		t.Fatalf("%d customers count as brought up, want bob alone", current)
	}
	if pos, err = e.store.Position(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := e.store.Commit(t.Context(), &store.Commit{From: pos, To: pos, Forget: []identity.ID{ada}}); err != nil { // the damage is gone, with the history
		t.Fatal(err)
	}
	e.again()
	e.says("ada", "", "Cart Viewed", nil)
	e.says("ada", "", "Cart Viewed", nil)
	e.settle()
	if _, current := e.written(1); current != 2 || !e.in("ada", 1) {
		t.Errorf("%d customers are brought up; ada is in the segment: %v", current, e.in("ada", 1))
	}
}

// What the store has of customers who were heard a moment ago is old, or nothing, and
// where memory is short they are rows that the cache holds for it.
func TestASweepComesToWhoRests(t *testing.T) {
	t.Parallel()
	for _, lanes := range []int{1, 8} {
		t.Run(fmt.Sprintf("%d lanes", lanes), func(t *testing.T) {
			t.Parallel()
			e := newEditions(t, lanes, "{did: Product Viewed}", "{did: Cart Viewed, times: '>= 2'}", "{did: Product Viewed, times: '>= 2'}")
			e.cache = 1
			e.again()
			e.edition(0)
			for i := range 30 {
				e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
				e.says(fmt.Sprint("user-", i), "", "Cart Viewed", nil)
			}
			e.settle()
			for i := range 60 { // half of them are new
				e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
				e.says(fmt.Sprint("user-", i), "", "Cart Viewed", nil)
			}
			for _, n := range []int{1, 2} {
				if err := e.e.Switch(t.Context(), e.list[n].Hash); err != nil {
					t.Fatal(err)
				}
			}
			e.settle()
			if _, current := e.written(2); current != 60 {
				t.Errorf("%d customers are under the last edition, want 60", current)
			}
			e.again()
			for i := range 60 {
				if user := fmt.Sprint("user-", i); e.in(user, 1) != (i < 30) || e.in(user, 2) != (i < 30) {
					t.Fatalf("%s has looked twice: %v, and at the cart: %v", user, e.in(user, 2), e.in(user, 1))
				}
			}
		})
	}
}

// An edition that comes before the sweep of the one before has begun asks for what
// both brought, and what that sweep still has in the log counts for nothing.
func TestASweepGivesWayToTheNext(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed}", "{did: Product Viewed, times: '>= 2'}")
	e.edition(0)
	for i := range 40 {
		e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
		e.says(fmt.Sprint("user-", i), "", "Cart Viewed", nil)
	}
	e.settle()
	e.again()
	own := func(name string, props ...string) {
		t.Helper()
		var b event.Builder
		for i := 0; i < len(props); i += 2 {
			b.Set(props[i], event.Text(props[i+1]))
		}
		ev := event.Event{ID: event.ID(name), Type: event.System, Name: name, At: e.clock.Now(), Trust: event.Own, Source: "rapport", Props: b.Object()}
		if err := e.e.Broadcast(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		e.settle()
	}
	own(event.ProgramChanged, "hash", fmt.Sprintf("%016x", e.list[1].Hash))
	own(event.Sweep, "from", "32768", "to", "65535")
	if _, current := e.written(1); current != 0 {
		t.Fatalf("%d customers count as brought up by a sweep that left a gap", current)
	}
	e.edition(2)
	if _, current := e.written(2); current != 40 {
		t.Errorf("%d customers are under the last edition, want all 40", current)
	}
	for i := range 40 {
		if user := fmt.Sprint("user-", i); !e.in(user, 1) || e.in(user, 2) {
			t.Fatalf("%s is in the edition that was passed over: %v; in the last: %v", user, e.in(user, 1), e.in(user, 2))
		}
	}
}
