package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/store/memory"
)

// shop is an engine in memory under a virtual clock.
type shop struct {
	t     *testing.T
	key   identity.Key
	clock *clock.Clock
	log   *memlog.Log
	store *memory.Store
	e     *engine.Engine
	n     int
}

func open(t *testing.T, lanes int) *shop {
	s := &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))}
	s.log, s.store = memlog.New(lanes, s.clock.Now), memory.New()
	s.reopen()
	if err := s.e.Switch(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	s.settle()
	return s
}

func (s *shop) reopen() {
	e, err := engine.Open(s.t.Context(), engine.Options{
		Log: s.log, Store: s.store, Key: s.key, Now: s.clock.Now, Virtual: true,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.e = e
}

// theShop is the file that all definitions have.
var theShop = program.File{Path: "shop.yaml", Body: "name: Shop\nzone: Europe/London\ncurrency: GBP\nwebsite: https://shop.example\npostal: 1 Street\npurposes: {marketing: News}\nsenders:\n  email: {from_name: Shop, from: a@shop.example}\n"}

// compiled are the definitions of a shop with these files.
func compiled(t *testing.T, files ...program.File) *core.Program {
	t.Helper()
	src, err := program.New(append([]program.File{theShop}, files...))
	if err != nil {
		t.Fatal(err)
	}
	prog, problems := program.Compile(src, program.Options{Workspace: "w"})
	if prog == nil {
		t.Fatal(problems)
	}
	return prog.Core
}

func empty(t *testing.T, key identity.Key, hash uint64) *core.Program {
	var ps spec.Problems
	set := condition.NewSet()
	segments := insight.Compile(nil, &condition.Env{Set: set}, &ps)
	if ps.Bad() {
		t.Fatal(ps.All())
	}
	return &core.Program{
		Hash: hash, Workspace: "w", Key: key, Zone: time.UTC, Zones: func(string) *time.Location { return nil },
		Series: set, Segments: segments, Journeys: journey.NewSet(nil, nil), Gate: &decision.Gate{},
	}
}

func (s *shop) settle() {
	s.t.Helper()
	if err := s.e.Settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// says sends one event of a person; traits and ids as given.
func (s *shop) says(user, anon, name string, traits map[string]string) event.Event {
	s.t.Helper()
	s.n++
	var b event.Builder
	for _, k := range []string{"email", "phone", "first_name"} {
		b.SetText(k, traits[k])
	}
	e := event.Event{ID: event.ID(fmt.Sprintf("m%d", s.n)), Type: event.Track, Name: name, User: user, Anon: anon, At: s.clock.Now(), Raw: s.clock.Now(), Trust: event.Server, Traits: b.Object()}
	s.send(e)
	return e
}

func (s *shop) send(e event.Event) {
	s.t.Helper()
	a, ok := s.key.Address(e)
	if !ok {
		s.t.Fatalf("%s identifies nobody", e.ID)
	}
	if err := s.e.Append(s.t.Context(), []identity.Addressed{a}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) who(kind identity.Kind, value string) *profile.Profile {
	s.t.Helper()
	id, _ := identity.Normal(kind, value)
	p, err := s.e.Profile(s.t.Context(), s.key.Home(id))
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func bothLanes(t *testing.T, test func(t *testing.T, s *shop)) {
	for _, lanes := range []int{1, 8} {
		t.Run(fmt.Sprintf("%d lanes", lanes), func(t *testing.T) {
			t.Parallel()
			test(t, open(t, lanes))
		})
	}
}

func TestAnAnonymousVisitorWhoSignsInIsOneCustomerOnTwoDevices(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("", "phone", "Product Viewed", nil)
		s.says("", "laptop", "Product Viewed", nil)
		s.settle()
		s.says("ada", "phone", "Signed In", nil)
		s.says("ada", "laptop", "Signed In", nil)
		s.settle()
		ada := s.who(identity.User, "ada")
		for _, device := range []string{"phone", "laptop"} {
			if p := s.who(identity.Anonymous, device); p.ID != ada.ID {
				t.Errorf("%s belongs to %s, want %s", device, p.ID, ada.ID)
			}
		}
		if ada.Count != 4 {
			t.Errorf("ada has %d events, want 4", ada.Count)
		}
		s.says("", "phone", "Product Viewed", nil)
		s.settle()
		if ada = s.who(identity.User, "ada"); ada.Count != 5 {
			t.Errorf("after one more anonymous view ada has %d events, want 5", ada.Count)
		}
	})
}

func TestATillThatKnowsTheAddressFindsTheCustomer(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("", "", "Order Completed", map[string]string{"email": "Ada@Shop.example"})
		s.settle()
		s.says("ada", "web", "Signed In", map[string]string{"email": "ada@shop.example"})
		s.settle()
		s.says("", "", "Visited", map[string]string{"email": "ada@shop.example"})
		s.settle()
		ada := s.who(identity.User, "ada")
		if p := s.who(identity.Email, "ada@shop.example"); p.ID != ada.ID {
			t.Fatalf("the address belongs to %s, ada is %s", p.ID, ada.ID)
		}
		if ada.Count != 3 {
			t.Errorf("ada has %d events, want 3", ada.Count)
		}
	})
}

func TestTwoDevicesThatMeetOneAddressAtOnceAreOneCustomer(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("", "one", "Product Viewed", nil)
		s.says("", "two", "Product Viewed", nil)
		s.says("", "one", "Signed Up", map[string]string{"email": "ada@shop.example"})
		s.says("", "two", "Signed Up", map[string]string{"email": "ada@shop.example"})
		s.settle()
		a, b, c := s.who(identity.Anonymous, "one"), s.who(identity.Anonymous, "two"), s.who(identity.Email, "ada@shop.example")
		if a.ID != b.ID || b.ID != c.ID {
			t.Fatalf("three customers: %s %s %s", a.ID, b.ID, c.ID)
		}
		if a.Count != 4 {
			t.Errorf("%d events, want 4", a.Count)
		}
	})
}

func TestASharedTabletWithTwoHundredLogInsMergesNobody(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		for i := range 200 {
			s.says(fmt.Sprintf("user-%d", i), "tablet", "Signed In", map[string]string{"email": fmt.Sprintf("u%d@shop.example", i)})
			if i%7 == 0 {
				s.settle()
			}
		}
		s.settle()
		seen := map[identity.ID]bool{}
		for i := range 200 {
			p := s.who(identity.User, fmt.Sprintf("user-%d", i))
			if seen[p.ID] {
				t.Fatalf("user-%d is somebody else too", i)
			}
			seen[p.ID] = true
			if p.Count != 1 {
				t.Errorf("user-%d has %d events, want 1", i, p.Count)
			}
			if q := s.who(identity.Email, fmt.Sprintf("u%d@shop.example", i)); q.ID != p.ID {
				t.Errorf("the address of user-%d is another customer's", i)
			}
		}
	})
}

func TestItem13TheSameEventThreeTimesTheThirdMuchLaterIsOneEvent(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		e := s.says("ada", "", "Product Viewed", nil)
		s.send(e)
		s.settle()
		for i := range 3000 { // enough that the id is no longer among the recent ones
			s.says("ada", "", "Product Viewed", nil)
			if i%500 == 0 {
				s.settle()
			}
		}
		s.settle()
		s.clock.Set(s.clock.Now().Add(27 * 24 * time.Hour))
		s.send(e)
		timeless := e
		timeless.ID, timeless.Raw = "timeless", 0
		s.send(timeless)
		s.settle()
		s.reopen()
		s.send(e)
		for range 600 {
			s.says("ada", "", "Product Viewed", nil)
		}
		s.settle()
		s.send(timeless)
		s.settle()
		if p := s.who(identity.User, "ada"); p.Count != 3602 {
			t.Errorf("%d events, want 3602", p.Count)
		}
	})
}

func TestARestartContinuesWhereTheLastCommitEnded(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("ada", "a", "Product Viewed", nil)
		s.settle()
		s.says("ada", "b", "Product Viewed", nil)
		s.reopen() // nothing of the second was applied
		s.settle()
		if p := s.who(identity.User, "ada"); p.Count != 2 {
			t.Errorf("%d events, want 2", p.Count)
		}
		if a, b := s.who(identity.Anonymous, "b"), s.who(identity.User, "ada"); a.ID != b.ID {
			t.Errorf("b is %s, ada is %s", a.ID, b.ID)
		}
	})
}
