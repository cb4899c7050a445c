package core_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// visit is an event with some identifiers of a handful of people and devices.
type visit struct {
	user, anon, email, phone string
}

func (v visit) event(n int, at event.Time) event.Event {
	var b event.Builder
	b.SetText("email", v.email).SetText("phone", v.phone)
	return event.Event{ID: event.ID(fmt.Sprint("v", n)), Type: event.Track, Name: "Visited", User: v.user, Anon: v.anon, At: at, Raw: at, Trust: event.Server, Traits: b.Object()}
}

// drawVisits draws visits of at most so many users. Everything else is few enough
// that no limit of a kind is reached: what the limits do has tests of its own.
func drawVisits(r *rand.Rand, users int) []visit {
	some := func(list ...string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return list[r.IntN(len(list))]
	}
	var list []visit
	for len(list) < 3+r.IntN(10) {
		v := visit{anon: some("a", "b", "c", "d"), email: some("x@shop.example", "y@shop.example", "z@shop.example"), phone: some("+447700900001", "+447700900002")}
		if r.IntN(3) == 0 && users > 0 {
			v.user = fmt.Sprint("user", r.IntN(users))
		}
		if v != (visit{}) {
			list = append(list, v)
		}
	}
	return list
}

// live plays visits in an order of forwards that r draws, with repetitions, until
// all is quiet. Lanes' clocks differ by some milliseconds.
func live(t tester, visits []visit, r *rand.Rand) *world {
	w := open(t, definitions{})
	w.next, w.skew = r.IntN, map[identity.ID]event.Time{}
	for i, v := range visits {
		e := v.event(i, 0)
		for _, id := range identity.Of(&e) {
			w.skew[w.pr.Home(id)] = event.Time(r.IntN(20))
		}
	}
	var sent []event.Event
	for i, v := range visits {
		w.now = w.now.Add(time.Duration(1+r.IntN(3)) * time.Millisecond)
		e := v.event(i, w.now)
		sent = append(sent, e)
		w.arrive(e)
		for range r.IntN(4) {
			w.now = w.now.Add(time.Duration(r.IntN(2)) * time.Millisecond)
			w.move()
		}
		if r.IntN(4) == 0 {
			w.arrive(sent[r.IntN(len(sent))])
		}
	}
	w.settle()
	return w
}

// groups returns the identifiers that lead to one customer, as text.
func (w *world) groups(visits []visit) string {
	by := map[identity.ID][]string{}
	seen := map[identity.Identifier]bool{}
	for i, v := range visits {
		e := v.event(i, 0)
		for _, id := range identity.Of(&e) {
			if !seen[id] {
				seen[id] = true
				root := w.who(id.Kind, id.Value).ID
				by[root] = append(by[root], id.String())
			}
		}
	}
	var lines []string
	for _, ids := range by { // order does not matter: sorted below
		slices.Sort(ids)
		lines = append(lines, strings.Join(ids, " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// connected returns the groups that follow from the visits alone: whatever was
// named together is one customer.
func connected(visits []visit) string {
	parent := map[string]string{}
	var find func(s string) string
	find = func(s string) string {
		if parent[s] == "" || parent[s] == s {
			parent[s] = s
			return s
		}
		parent[s] = find(parent[s])
		return parent[s]
	}
	for i, v := range visits {
		e := v.event(i, 0)
		ids := identity.Of(&e)
		for _, id := range ids {
			parent[find(id.String())] = find(ids[0].String())
		}
	}
	by := map[string][]string{}
	for _, s := range slices.Sorted(maps.Keys(parent)) {
		by[find(s)] = append(by[find(s)], s)
	}
	var lines []string
	for _, ids := range by { // order does not matter: sorted below
		lines = append(lines, strings.Join(ids, " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// quiet checks what must hold when all is quiet, whoever has met whom.
func (w *world) quiet(visits []visit) {
	w.t.Helper()
	if len(w.aside) > 0 {
		w.t.Fatalf("put aside: %q", w.aside)
	}
	if w.hops > identity.MaxHops {
		w.t.Fatalf("an entry has made %d hops", w.hops)
	}
	count := int64(0)
	for _, id := range w.ids() {
		p := w.at(id)
		if !p.Owner.Zero() {
			continue
		}
		count += p.Count
		for _, h := range p.Held {
			if h.State == profile.Asked {
				w.t.Fatalf("%s was asked for and never answered", h.Identifier)
			}
			if root := w.who(h.Identifier.Kind, h.Identifier.Value); h.State == profile.Owned && root.ID != p.ID {
				w.t.Fatalf("%s says it owns %s, which leads to %s", p.ID, h.Identifier, root.ID)
			}
		}
		for _, s := range p.Strands {
			if w.root(s).ID != p.ID {
				w.t.Fatalf("the strand %s of %s leads elsewhere", s, p.ID)
			}
		}
	}
	for i := range visits {
		if n := w.kept[event.ID(fmt.Sprint("v", i))]; n != 1 {
			w.t.Fatalf("visit %d was applied %d times", i, n)
		}
	}
	if int(count) != len(visits) {
		w.t.Fatalf("%d events are counted, want %d", count, len(visits))
	}
}

func TestWhateverWasNamedTogetherIsOneCustomerHoweverTheHomesAreTold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		visits := drawVisits(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "visits"), 0)), 1)
		want := connected(visits)
		for range 4 {
			w := live(t, visits, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0)))
			w.quiet(visits)
			if got := w.groups(visits); got != want {
				t.Fatalf("of %+v became\n%s\nwant\n%s", visits, got, want)
			}
		}
	})
}

func TestTwoPeopleAreNeverOneCustomer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		visits := drawVisits(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "visits"), 0)), 3)
		w := live(t, visits, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0)))
		w.quiet(visits)
		for i, v := range visits {
			if v.user == "" {
				continue
			}
			e := v.event(i, 0)
			home := w.pr.Home(identity.Of(&e)[0])
			if p := w.at(home); !p.Owner.Zero() {
				t.Fatalf("%s was taken over by %s", v.user, p.Owner)
			}
		}
	})
}

// Each visit brings an older device to the customer, who so moves up to it. If
// every move made the way from the first address one hop longer, the tenth device
// would be out of reach.
func TestACustomerWithTwentyDevicesIsWithinReachOfEachOfTheirNames(t *testing.T) {
	t.Parallel()
	const devices = 20
	w := open(t, definitions{})
	var visits []visit
	see := func(v visit) {
		w.hear(v.event(len(visits), w.now))
		visits = append(visits, v)
		w.now = w.now.Add(8 * day)
	}
	for i := range devices {
		see(visit{anon: fmt.Sprint("device", i)})
	}
	for i := range devices {
		see(visit{anon: fmt.Sprint("device", devices-1-i), email: "ada@shop.example"})
	}
	w.quiet(visits)
	if got, want := w.groups(visits), connected(visits); got != want {
		t.Errorf("groups\n%s\nwant\n%s", got, want)
	}
	if w.hops > 3 {
		t.Errorf("an entry has made %d hops", w.hops)
	}
}
