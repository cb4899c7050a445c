package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/program"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// live opens the shop's engine anew, as a process under the clock on the wall would.
func (s *shop) live() {
	s.t.Helper()
	e, err := engine.Open(s.t.Context(), engine.Options{
		Log: s.log, Store: s.store, Key: s.key, Now: s.clock.Now,
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

// behind counts those to whom the program has not come.
func (s *shop) behind(hash uint64) (n int) {
	s.t.Helper()
	for p, err := range s.e.Customers(s.t.Context(), identity.ID{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if p.Program != hash {
			n++
		}
	}
	return n
}

// Beside the lane too, while customers come and are heard.
func TestASweepComesToEverybody(t *testing.T) {
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
	for i := range 300 {
		s.says(fmt.Sprint("user-", 7*i), "", "Product Viewed", nil)
	}
	s.caughtUp()
	if behind := s.behind(7); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
	if done, of := s.e.Swept(); done != of || of < 1500 {
		t.Errorf("%d of %d parts are swept", done, of)
	}
}

// Whoever reads what is in force after they changed it finds what they wrote.
func TestWhatIsPutInForceIsSoOnceItHasPassed(t *testing.T) {
	t.Parallel()
	s := open(t, 3)
	if passed, err := s.e.Passed(t.Context(), time.Hour); err != nil || !passed { // nothing moves, and nobody waits
		t.Fatal(passed, err)
	}
	s.live()
	for i := range 40 {
		hash := uint64(7 + i%2)
		if err := s.e.Switch(t.Context(), hash); err != nil {
			t.Fatal(err)
		}
		if passed, err := s.e.Passed(t.Context(), time.Minute); err != nil || !passed {
			t.Fatal(passed, err)
		}
		if got := s.e.Program(); got == nil || got.Hash != hash {
			t.Fatalf("round %d has %+v in force, want %d", i, got, hash)
		}
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
	if err := s.e.Switch(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	s.settle()
	pos, err := s.store.Position(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	half := pos
	half.Turns = [store.MaxTurns]store.Turn{{Program: 5, Swept: store.Everybody}, {Program: 9, Since: pos.Now, Swept: 751}}
	if err := s.store.Commit(t.Context(), &store.Commit{From: pos, To: half}); err != nil {
		t.Fatal(err)
	}
	if behind := s.behind(9); behind != 750 {
		t.Fatalf("%d of 1500 customers are behind, want half", behind)
	}
	s.live()
	s.caughtUp()
	if behind := s.behind(9); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}

// editions is a shop whose definitions change: each edition has the segments of the
// one before and one more, or, where that is empty, without the first.
type editions struct {
	*shop
	list  []*core.Program
	cache int64
	over  func(store.Store) store.Store // what the engine sees of the store; nil: all
}

func newEditions(t *testing.T, lanes int, segments ...string) *editions {
	s := &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))}
	s.log, s.store = memlog.New(lanes, s.clock.Now), memory.New()
	e := &editions{shop: s}
	var files []program.File
	for i, body := range segments {
		if body == "" {
			files = slices.Delete(files, 0, 1)
		} else {
			files = append(files, program.File{Path: fmt.Sprintf("segments/s%d.yaml", i), Body: fmt.Sprintf("segment: s%d\nwhen: %s\n", i, body)})
		}
		e.list = append(e.list, compiled(t, files...))
	}
	e.again()
	return e
}

// again opens the engine with nothing in memory.
func (e *editions) again() {
	e.t.Helper()
	var err error
	var st store.Store = e.store
	if e.over != nil {
		st = e.over(st)
	}
	e.e, err = engine.Open(e.t.Context(), engine.Options{
		Log: e.log, Store: st, Key: e.key, Now: e.clock.Now, Virtual: true, CacheBytes: e.cache, Programs: e.program,
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *editions) program(_ context.Context, hash uint64) (*core.Program, error) {
	for _, p := range e.list {
		if p.Hash == hash {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no program %x", hash)
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

// story returns the changes of segments that the feed tells, by customer.
func (e *editions) story(lanes int) map[identity.ID]string {
	e.t.Helper()
	all := map[identity.ID]string{}
	for lane := range lanes {
		blocks, err := e.store.Feed(e.t.Context(), lane, 0, 10_000)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, b := range blocks {
			err := feed.Each(b.Body, func(r feed.Row) error {
				if r.Kind == feed.Segment {
					all[r.Profile] += fmt.Sprintf("\n%s %v %d", r.Name, r.In, r.At)
				}
				return nil
			})
			if err != nil {
				e.t.Fatal(err)
			}
		}
	}
	return all
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

// A segment that comes back under the name of one that was taken out must not find its
// members.
func TestASegmentThatIsTakenOutHasNoMembers(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed}", "")
	e.edition(1)
	for i := range 20 {
		e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	e.settle()
	e.edition(2)
	left, err := e.store.Members(t.Context(), condition.SegmentKey("s0"), identity.ID{}, 100)
	if err != nil || len(left) > 0 {
		t.Errorf("%d customers are members of what is no segment any more: %v", len(left), err)
	}
	for id, story := range e.story(1) {
		if !strings.Contains(story, "s0 false") {
			t.Errorf("the feed does not tell that %s left: %s", id, story)
		}
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
	damage := store.Block{Strand: ada, Shelf: store.Shelf{Month: 1}, Body: []byte("damage")}
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

// astray is a store in which the chain of one strand leads nowhere.
type astray struct {
	store.Store
	strand identity.ID
}

func (a astray) broken(strand identity.ID) error {
	if strand == a.strand {
		return fault.New(fault.Corrupt, "its chain leads astray")
	}
	return nil
}

func (a astray) History(ctx context.Context, strands ...identity.ID) ([]store.Block, error) {
	for _, strand := range strands {
		if err := a.broken(strand); err != nil {
			return nil, err
		}
	}
	return a.Store.History(ctx, strands...)
}

func (a astray) Histories(ctx context.Context, strands []store.Strand) ([][]store.Block, error) {
	for _, strand := range strands {
		if err := a.broken(strand.ID); err != nil {
			return nil, err
		}
	}
	return a.Store.Histories(ctx, strands)
}

// Whose history is damaged is put aside: the sweep comes to all others, and what is
// heard of others is applied.
func TestAHistoryThatLeadsAstrayIsOneCustomersTrouble(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed}")
	e.edition(0)
	for i := range 50 {
		e.says(fmt.Sprint("u", i), "", "Cart Viewed", nil)
	}
	e.settle()
	id, _ := identity.Normal(identity.User, "u7")
	e.over = func(st store.Store) store.Store { return astray{st, e.key.Home(id)} }
	e.again()
	e.edition(1)
	for i := range 50 {
		e.says(fmt.Sprint("u", i), "", "Product Viewed", nil)
	}
	e.settle()
	for i := range 50 {
		if user := fmt.Sprint("u", i); e.in(user, 1) != (i != 7) {
			t.Errorf("%s is in the segment: %v", user, e.in(user, 1))
		}
	}
	aside, err := e.store.Quarantined(t.Context(), 10)
	if err != nil || len(aside) == 0 {
		t.Errorf("nothing was put aside (%v)", err)
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

// A sweep is no visit: whom it changed is in memory until that is in the store, and whoever
// was heard meanwhile stays.
func TestWhomASweepChangedDoesNotStayInMemory(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed}")
	e.edition(0)
	for i := range 30 {
		e.says(fmt.Sprint("user-", i), "", "Cart Viewed", nil)
	}
	e.settle()
	e.again()
	if err := e.e.Switch(t.Context(), e.list[1].Hash); err != nil {
		t.Fatal(err)
	}
	e.settle()
	if n := e.e.Stats().Cached; n < 30 {
		t.Fatalf("%d customers are in memory, want the 30 of the last commit: the test tests nothing", n)
	}
	e.says("user-7", "", "Cart Viewed", nil)
	e.settle() // the commit of this lets go of what the one before wrote
	e.says("user-8", "", "Cart Viewed", nil)
	e.settle()
	if n := e.e.Stats().Cached; n != 2 {
		t.Errorf("%d customers are in memory, want the two who were heard", n)
	}
	for i := range 30 {
		if !e.in(fmt.Sprint("user-", i), 1) {
			t.Errorf("user-%d is not in the new segment", i)
		}
	}
}

// When a sweep comes to somebody does not matter: everybody goes through every edition,
// as of the instant at which it came into force, before anything else of them.
func TestWhenASweepComesDoesNotMatter(t *testing.T) {
	t.Parallel()
	segments := []string{"{did: Product Viewed, within: 3d}", "{did: Cart Viewed, within: 2d}", "{did: Product Viewed, times: '>= 2'}", "{all: [{segment: s1}, {segment: s2}]}", ""}
	// told says how the customers end and how they came there, if the engine settles after each step or only
	// now and then.
	told := func(seed uint64, lanes int, settles func() bool) []string {
		e := newEditions(t, lanes, segments...)
		e.edition(0)
		dice := rand.New(rand.NewPCG(seed, 1))
		next := 1
		for i := range 400 {
			switch k := dice.IntN(40); {
			case k == 0 && next < len(e.list):
				if err := e.e.Switch(t.Context(), e.list[next].Hash); err != nil {
					t.Fatal(err)
				}
				next++
			case k < 8:
				// Time passes, by a record of its own: else alarms would come late.
				e.clock.Set(e.clock.Now().Add(time.Duration(dice.IntN(20)) * time.Hour))
				e.says("somebody", "", "Page Viewed", nil)
			default:
				e.says(fmt.Sprint("user-", dice.IntN(60)), "", []string{"Product Viewed", "Cart Viewed"}[dice.IntN(2)], nil)
			}
			if i < 100 || settles() {
				e.settle()
			}
		}
		e.settle()
		story := e.story(lanes)
		var all []string
		for p, err := range e.e.Customers(t.Context(), identity.ID{}) {
			if err != nil {
				t.Fatal(err)
			}
			if p.Program != e.list[next-1].Hash {
				t.Errorf("%s is under program %x", p.ID, p.Program)
			}
			all = append(all, string(p.AppendRest(p.AppendHot(nil)))+story[p.ID])
		}
		return all
	}
	for seed := range uint64(3) {
		want := told(seed, 1, func() bool { return true })
		dice := rand.New(rand.NewPCG(seed, 2))
		for name, settles := range map[string]func() bool{
			"at the end":   func() bool { return false },
			"now and then": func() bool { return dice.IntN(30) == 0 },
		} {
			for _, lanes := range []int{1, 4} {
				got := told(seed, lanes, settles)
				if len(got) != len(want) {
					t.Fatalf("seed %d, swept %s: %d customers, want %d", seed, name, len(got), len(want))
				}
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("seed %d, swept %s, %d lanes: customer %d is\n%q, want\n%q", seed, name, lanes, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// More editions than are kept at once, and one that comes back before everybody has
// left it, reach everybody too.
func TestEditionsThatComeFasterThanTheirSweeps(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{"many": {1, 2, 3, 4, 5, 6}, "back and forth": {1, 2, 1, 2, 1, 6}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed}", "{did: Product Viewed, times: '>= 2'}", "{did: Cart Viewed, times: '>= 2'}", "{did: A}", "{did: B}", "{did: Product Viewed, times: '>= 3'}")
			e.edition(0)
			for i := range 40 {
				e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
				e.says(fmt.Sprint("user-", i), "", "Cart Viewed", nil)
			}
			e.settle()
			e.again()
			for _, n := range order {
				var b event.Builder
				b.Set("hash", event.Text(fmt.Sprintf("%016x", e.list[n].Hash)))
				ev := event.Event{ID: event.ID(fmt.Sprint("program-", n)), Type: event.System, Name: event.ProgramChanged, At: e.clock.Now(), Trust: event.Own, Source: "rapport", Props: b.Object()}
				if err := e.e.Broadcast(t.Context(), ev); err != nil {
					t.Fatal(err)
				}
				e.says("user-3", "", "Product Viewed", nil)
			}
			e.settle()
			if _, current := e.written(6); current != 40 {
				t.Errorf("%d customers are under the last edition, want all 40", current)
			}
			for i := range 40 {
				if user := fmt.Sprint("user-", i); !e.in(user, 1) || e.in(user, 2) != (i == 3) || e.in(user, 3) || e.in(user, 6) != (i == 3) {
					t.Fatalf("%s: once at the cart %v, twice looked %v, twice at the cart %v, three times looked %v", user, e.in(user, 1), e.in(user, 2), e.in(user, 3), e.in(user, 6))
				}
			}
		})
	}
}

// Where an import was undone nobody lives, though there is a row, and no census has it. Who
// is heard there a moment before the change is among those to whom a sweep comes.
func TestASweepComesToWhoCameBackAMomentBefore(t *testing.T) {
	t.Parallel()
	for _, committing := range []bool{false, true} {
		e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed}")
		e.edition(0)
		e.says("bob", "", "Cart Viewed", nil)
		e.settle()
		ada := e.key.Home(identity.Identifier{Kind: identity.User, Value: "ada"})
		pos, err := e.store.Position(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		nobody := store.Row{ID: ada, Alarm: event.Never, Signpost: true, Body: profile.New(ada).AppendHot(nil)}
		if err := e.store.Commit(t.Context(), &store.Commit{From: pos, To: pos, Profiles: []store.Row{nobody}}); err != nil {
			t.Fatal(err)
		}
		e.again()
		e.says("ada", "", "Cart Viewed", nil)
		if committing { // the row is written, and read again
			e.settle()
			e.again()
		}
		if err := e.e.Switch(t.Context(), e.list[1].Hash); err != nil {
			t.Fatal(err)
		}
		e.settle()
		for range 2 { // what is in memory, and what is in the store
			if p := e.who(identity.User, "ada"); p.Program != e.list[1].Hash || !e.in("ada", 1) || !e.in("bob", 1) {
				t.Fatalf("committed %v: ada is under %x, want %x, and in its segment: %v, bob %v", committing, p.Program, e.list[1].Hash, e.in("ada", 1), e.in("bob", 1))
			}
			e.again()
		}
	}
}

// slowly is a store whose readers of customers wait before they have what they read.
type slowly struct {
	store.Store
	read, goOn chan struct{}
}

func (s *slowly) Census(ctx context.Context, first, last int64, from, to identity.ID, limit int, into *store.Page) ([]store.Row, error) {
	rows, err := s.Store.Census(ctx, first, last, from, to, limit, into)
	if len(rows) > 0 {
		s.read <- struct{}{}
		<-s.goOn
	}
	return rows, err
}

// What a sweep has read of a customer is old when they are heard before it is taken.
func TestWhoIsHeardWhileASweepLooksAtThem(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1, "{did: Product Viewed}", "{did: Cart Viewed, times: '>= 2'}", "{did: Cart Viewed, times: '>= 3'}")
	e.edition(0)
	for _, name := range []string{"Product Viewed", "Cart Viewed", "Cart Viewed"} {
		e.says("ada", "", name, nil)
	}
	e.settle()
	slow := &slowly{e.store, make(chan struct{}), make(chan struct{})}
	live, err := engine.Open(t.Context(), engine.Options{Log: e.log, Store: slow, Key: e.key, Now: e.clock.Now, Programs: e.program})
	if err != nil {
		t.Fatal(err)
	}
	e.e = live
	live.Start()
	t.Cleanup(func() { _ = live.Close(context.WithoutCancel(t.Context())) })
	for n := 1; n < 3; n++ {
		if err := live.Switch(t.Context(), e.list[n].Hash); err != nil {
			t.Fatal(err)
		}
		<-slow.read
		e.says("ada", "", "Cart Viewed", nil)
		for e.who(identity.User, "ada").Count < int64(3+n) {
			time.Sleep(time.Millisecond)
		}
		close(slow.goOn)
		e.caughtUp()
		if p := e.who(identity.User, "ada"); p.Count != int64(3+n) || !e.in("ada", n) || p.Program != e.list[n].Hash {
			t.Fatalf("edition %d: ada has %d events, want %d; in its segment: %v", n, p.Count, 3+n, e.in("ada", n))
		}
		slow.read, slow.goOn = make(chan struct{}), make(chan struct{})
	}
}

// A sweep that begins and ends while somebody waits must be committed too.
func TestWhoWaitsWaitsForTheCommitOfAShortSweep(t *testing.T) {
	t.Parallel()
	s, f := troubled(t, func(o *engine.Options) { o.DirtyBytes = 1 })
	s.says("ada", "", "Product Viewed", nil)
	s.caughtUp()
	first, load, second := make(chan struct{}), make(chan struct{}), make(chan struct{})
	f.wait.Store(&load)
	f.hold.Store(&first)
	var b event.Builder
	b.SetText("hash", "9")
	change := event.Event{ID: "program", Type: event.System, Name: event.ProgramChanged, At: s.clock.Now(), Trust: event.Own, Props: b.Object()}
	bob, _ := s.key.Address(event.Event{ID: "bob", Type: event.Track, Name: "Product Viewed", User: "bob", At: s.clock.Now(), Raw: s.clock.Now(), Trust: event.Server})
	if err := s.e.Append(t.Context(), []identity.Addressed{{Event: change}, bob}); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() { waited <- s.e.CaughtUp(t.Context()) }()
	time.Sleep(20 * time.Millisecond) // it waits for the record, which is not applied
	close(load)
	<-f.holding // the commit of the record, without the sweep
	for done, of := s.e.Swept(); done < of; done, of = s.e.Swept() {
		time.Sleep(time.Millisecond)
	}
	f.hold.Store(&second)
	close(first)
	<-f.holding // that of the sweep
	select {
	case err := <-waited:
		t.Errorf("a sweep is not committed, and nobody waits for it: %v", err)
		close(second)
	case <-time.After(20 * time.Millisecond):
		close(second)
		if err := <-waited; err != nil {
			t.Error(err)
		}
	}
}

// deaf is a store whose readers of customers wait for as long as they are let, or fail.
type deaf struct {
	store.Store
	waits, fails atomic.Bool
	asked        chan struct{}
}

func (s *deaf) Census(ctx context.Context, first, last int64, from, to identity.ID, limit int, into *store.Page) ([]store.Row, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	if s.waits.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if s.fails.Load() {
		return nil, errRead
	}
	return s.Store.Census(ctx, first, last, from, to, limit, into)
}

// What is looked at for a program that has had its time holds nobody up, and what
// cannot be looked at does not either.
func TestNobodyWaitsForASweepThatCannotGoOn(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	for i := range 20 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	d := &deaf{Store: s.store, asked: make(chan struct{}, 1)}
	e, err := engine.Open(t.Context(), engine.Options{
		Log: s.log, Store: d, Key: s.key, Now: s.clock.Now,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.e = e
	e.Start()
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	d.waits.Store(true)
	if err := e.Switch(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	<-d.asked
	d.waits.Store(false)
	if err := e.Switch(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	s.caughtUp()
	if behind := s.behind(7); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
	d.fails.Store(true)
	if err := e.Switch(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	s.caughtUp()
	d.fails.Store(false)
	for done, of := e.Swept(); done < of; done, of = e.Swept() {
		time.Sleep(time.Millisecond)
	}
	s.caughtUp()
	if behind := s.behind(8); behind > 0 {
		t.Errorf("%d customers are left behind when the store answers again", behind)
	}
}

// refusing is a log that cannot be written for a while.
type refusing struct {
	*memlog.Log
	refuses atomic.Bool
	tries   atomic.Int64
}

func (r *refusing) Append(ctx context.Context, lane int, body []byte) (eventlog.Record, error) {
	if r.refuses.Load() {
		r.tries.Add(1)
		return eventlog.Record{}, fault.Wrap(fault.Unavailable, errors.New("no space left"), "the log cannot be written")
	}
	return r.Log.Append(ctx, lane, body)
}

// A sweep that needs a record while the log refuses waits for it, and the lane goes on
// with what it has in memory.
func TestASweepWaitsForALogThatRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	for i := range 20 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	log := &refusing{Log: s.log}
	d := &deaf{Store: s.store, asked: make(chan struct{}, 1)}
	f := &faulty{Store: d, asked: make(chan struct{}, 1)}
	d.fails.Store(true)
	e, err := engine.Open(t.Context(), engine.Options{
		Log: log, Store: f, Key: s.key, Now: s.clock.Now,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.e = e
	e.Start()
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	if err := e.Switch(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	s.caughtUp() // the program is committed, and nobody is asked
	<-f.asked    // when it was opened
	log.refuses.Store(true)
	d.fails.Store(false)
	for log.tries.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-f.asked:
		t.Error("the lane goes back because a sweep wants a record")
	default:
	}
	if e.Trouble() == nil {
		t.Error("a log that refuses is no trouble")
	}
	log.refuses.Store(false)
	for done, of := e.Swept(); done < of; done, of = e.Swept() {
		time.Sleep(time.Millisecond)
	}
	s.caughtUp()
	if behind := s.behind(6); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}

// A range has as many customers as it is to have, however many signposts lie between them,
// and never many more: what is found in it is in memory.
func TestRangesHaveAsManyCustomersWhereverTheyAre(t *testing.T) {
	t.Parallel()
	const size, part = 100, 50_000
	every := []int64{1, 3, 3, 12, part, 1, 12, 3} // in each part of the rows so many are one customer's
	var all int
	got := engine.Ranges(size, part*int64(len(every)), func(first, last int64) (n int) {
		for i := first; i <= last; i++ {
			if i%every[(i-1)/part] == 0 {
				n++
			}
		}
		all += n
		return n
	})
	usual := 0
	for _, n := range got {
		if n > 16*size {
			t.Errorf("a range has %d customers", n)
		}
		if n >= size/2 && n <= 2*size {
			usual++
		}
	}
	if least := all / size; len(got) > least*5/4 || usual < least*9/10 {
		t.Errorf("of %d ranges %d are about as large as they should be; %d would do", len(got), usual, least)
	}
}

// Where rows alone tell, those of many customers are read into the same memory: whom the
// program changes stays who they are.
func TestWhomASweepChangesIsNobodyElse(t *testing.T) {
	t.Parallel()
	const people = 3000
	e := newEditions(t, 1, "{did: Product Viewed}", "{segment: s0}")
	e.edition(0)
	for i := range people {
		e.says(fmt.Sprintf("user-%04d", i), "", "Product Viewed", nil)
	}
	e.settle()
	e.again()
	e.edition(1)
	e.settle()
	e.again() // all is read from the store
	who := map[string]bool{}
	for p, err := range e.e.Customers(t.Context(), identity.ID{}) {
		if err != nil {
			t.Fatal(err)
		}
		who[p.Birth.Value] = true
	}
	for i := range people {
		if !who[fmt.Sprintf("user-%04d", i)] {
			t.Fatalf("user-%04d is gone, of %d", i, len(who))
		}
	}
}
