package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
)

// pair is a way between two homes. What is sent on it arrives in order.
type pair struct{ from, to identity.ID }

// world is the smallest engine: a profile for each home, forwards on their way
// between them, and the histories. It checks after each step what must always
// hold of pointers and identifiers.
type world struct {
	t   tester
	pr  *core.Program
	now event.Time
	n   int // events made so far

	people  map[identity.ID]*profile.Profile
	history map[identity.ID][]*event.Event // by strand
	ways    map[pair][]identity.Addressed
	order   []pair // the ways in the order of their first use

	next func(n int) int            // which of n ways moves next; nil: the first
	skew map[identity.ID]event.Time // how far the clock of a home's lane is ahead

	kept    map[event.ID]int // how often each event was applied
	hops    uint8            // the most that any entry has made
	aside   []string         // why entries were put aside
	ledger  map[profile.DeliveryID][]core.Delivery
	stops   []core.Stop          // what dispatch was asked to stop
	plans   []profile.DeliveryID // in the order planned
	facts   []event.Event
	changes []insight.Change
	refused []string
}

func open(t tester, d definitions) *world {
	t.Helper()
	return &world{
		t: t, pr: d.compile(t), now: noon, people: map[identity.ID]*profile.Profile{}, history: map[identity.ID][]*event.Event{},
		ways: map[pair][]identity.Addressed{}, kept: map[event.ID]int{}, ledger: map[profile.DeliveryID][]core.Delivery{},
	}
}

// at returns the profile at a home, whoever owns it.
func (w *world) at(id identity.ID) *profile.Profile {
	if p := w.people[id]; p != nil {
		return p
	}
	return profile.New(id)
}

// root returns the profile to which everything of a home goes in the end.
func (w *world) root(id identity.ID) *profile.Profile {
	w.t.Helper()
	p := w.at(id)
	for range len(w.people) + 1 {
		if p.Owner.Zero() {
			return p
		}
		p = w.at(p.Owner)
	}
	w.t.Fatalf("the owners of %s go in a circle", id)
	return nil
}

// who returns the customer of an identifier.
func (w *world) who(kind identity.Kind, value string) *profile.Profile {
	w.t.Helper()
	id, ok := identity.Normal(kind, value)
	if !ok {
		w.t.Fatalf("%s:%s identifies nobody", kind, value)
	}
	return w.root(w.pr.Home(id))
}

// ada is the customer of most stories.
func (w *world) ada() *profile.Profile {
	w.t.Helper()
	return w.who(identity.User, "ada")
}

// object takes key, value, key, value …
func object(kv ...any) event.Object {
	var b event.Builder
	for i := 0; i < len(kv); i += 2 {
		b.Set(kv[i].(string), value(kv[i+1]))
	}
	return b.Object()
}

func value(v any) event.Value {
	switch v := v.(type) {
	case string:
		return event.Text(v)
	case int:
		return event.Int(int64(v))
	case bool:
		return event.Yes(v)
	case event.Object:
		return event.Nested(v)
	case []event.Object:
		var list []event.Value
		for _, o := range v {
			list = append(list, event.Nested(o))
		}
		return event.ListOf(list...)
	}
	return event.Value{}
}

// track makes an event of ada's that happens now.
func (w *world) track(name string, kv ...any) event.Event {
	w.n++
	return event.Event{ID: event.ID(fmt.Sprint("m", w.n)), Type: event.Track, Name: name, User: "ada", At: w.now, Raw: w.now, Trust: event.Server, Source: "shop", Props: object(kv...)}
}

// says lets ada do something now, and everything that follows from it.
func (w *world) says(name string, kv ...any) event.Event {
	w.t.Helper()
	e := w.track(name, kv...)
	w.hear(e)
	return e
}

// agrees makes ada somebody who may be written to.
func (w *world) agrees() {
	w.t.Helper()
	e := w.track("Signed Up")
	e.Traits = object("email", "ada@shop.example", "phone", "+447700900123")
	w.hear(e)
	for _, channel := range []string{"email", "sms"} {
		w.says(event.ConsentChanged, "channel", channel, "purpose", "marketing", "state", "granted", "evidence", "checkout box")
	}
}

// buys completes an order of some SKUs.
func (w *world) buys(order string, skus ...string) event.Event {
	w.t.Helper()
	return w.says(event.OrderCompleted, "order_id", order, "products", products(skus...))
}

func products(skus ...string) []event.Object {
	var list []event.Object
	for _, s := range skus {
		list = append(list, object("sku", s, "product_id", s, "name", s, "category", "things", "price", 10))
	}
	return list
}

// hear applies an event at the home of its strongest identifier, and then all that
// is sent between homes because of it.
func (w *world) hear(e event.Event) {
	w.t.Helper()
	w.arrive(e)
	w.settle()
}

// arrive applies an event at its home and lets what follows wait.
func (w *world) arrive(e event.Event) {
	w.t.Helper()
	a, ok := w.pr.Key.Address(e)
	if !ok {
		w.t.Fatalf("%s identifies nobody", e.ID)
	}
	w.apply(&a)
}

// settle moves entries between homes until none waits.
func (w *world) settle() {
	w.t.Helper()
	for steps := 0; w.move(); steps++ {
		if steps > 10_000 {
			w.t.Fatalf("the homes do not come to rest")
		}
	}
}

// move lets one entry arrive. It reports false if none waits.
func (w *world) move() bool {
	w.t.Helper()
	var waiting []pair
	for _, way := range w.order {
		if len(w.ways[way]) > 0 {
			waiting = append(waiting, way)
		}
	}
	if len(waiting) == 0 {
		return false
	}
	way := waiting[0]
	if w.next != nil {
		way = waiting[w.next(len(waiting))]
	}
	a := w.ways[way][0]
	w.ways[way] = w.ways[way][1:]
	w.apply(&a)
	return true
}

func (w *world) apply(a *identity.Addressed) {
	w.t.Helper()
	w.hops = max(w.hops, a.Event.Hops)
	// Between lanes an entry is bytes.
	sent, err := identity.DecodeAddressed(string(a.Append(nil)))
	if err != nil {
		w.t.Fatalf("an entry cannot be read: %v", err)
	}
	a = &sent
	w.current(a.To)
	before := w.at(a.To)
	p, eff := w.pr.Apply(before, &a.Event, w.now+w.skew[a.To], w.heard(before, &a.Event))
	w.take(p, &eff, &a.Event)
	if len(eff.Joined) > 0 {
		w.current(p.ID)
	}
}

// heard reports whether the history knows the event, where the profile itself
// cannot tell.
func (w *world) heard(p *profile.Profile, e *event.Event) bool {
	if s := p.Sees(e); s != profile.AskMonth && s != profile.AskAll {
		return false
	}
	for _, strand := range append([]identity.ID{p.ID}, p.Strands...) {
		if slices.ContainsFunc(w.history[strand], func(x *event.Event) bool { return x.ID == e.ID }) {
			return true
		}
	}
	return false
}

func (w *world) current(id identity.ID) {
	w.t.Helper()
	if p := w.at(id); !w.pr.Current(p) {
		var history []*event.Event
		for _, strand := range append([]identity.ID{p.ID}, p.Strands...) {
			history = append(history, w.history[strand]...)
		}
		next, eff := w.pr.CatchUp(p, history, w.now, nil)
		w.take(next, &eff, nil)
	}
}

func (w *world) take(p *profile.Profile, eff *core.Effects, e *event.Event) {
	w.t.Helper()
	w.people[p.ID] = p
	w.root(p.ID) // fails if it goes in a circle
	users := 0
	for _, h := range p.Held {
		if h.Identifier.Kind == identity.User && h.State == profile.Owned {
			users++
		}
	}
	if users > 1 {
		w.t.Fatalf("two people are one customer: %+v", p.Held)
	}
	if !p.Owner.Zero() && (len(p.Orders) > 0 || len(p.Open) > 0 || p.Alarm != event.Never) {
		w.t.Fatalf("a signpost holds something: %+v", p)
	}
	if eff.Kept {
		w.kept[e.ID]++
		w.history[p.ID] = append(w.history[p.ID], e)
	}
	if eff.Quarantine != "" {
		w.aside = append(w.aside, eff.Quarantine)
	}
	for i := range eff.Forwards {
		way := pair{p.ID, eff.Forwards[i].To}
		if w.ways[way] == nil {
			w.order = append(w.order, way)
		}
		w.ways[way] = append(w.ways[way], eff.Forwards[i])
	}
	for _, d := range eff.Deliveries {
		if w.ledger[d.ID] == nil {
			w.plans = append(w.plans, d.ID)
		}
		w.ledger[d.ID] = append(w.ledger[d.ID], d)
	}
	w.stops = append(w.stops, eff.Stops...)
	w.facts, w.changes, w.refused = append(w.facts, eff.Facts...), append(w.changes, eff.Changes...), append(w.refused, eff.Refused...)
}

// wait lets time pass. Alarms fire at their own instants, person by person.
func (w *world) wait(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for steps := 0; ; steps++ {
		if steps > 100_000 {
			w.t.Fatalf("the alarms never end")
		}
		next := event.Never
		for _, p := range w.people { // order does not matter: the least counts
			next = min(next, p.Alarm)
		}
		if next > end {
			break
		}
		w.now = max(w.now, next)
		for _, id := range w.ids() {
			if w.at(id).Alarm <= w.now {
				w.current(id)
				p, eff := w.pr.Wake(w.at(id), w.now)
				w.take(p, &eff, nil)
			}
		}
		w.settle()
	}
	w.now = end
}

func (w *world) ids() []identity.ID {
	ids := make([]identity.ID, 0, len(w.people))
	for id := range w.people { // order does not matter: sorted below
		ids = append(ids, id)
	}
	slices.SortFunc(ids, identity.ID.Compare)
	return ids
}

// last returns what the ledger says of a delivery.
func (w *world) last(id profile.DeliveryID) core.Delivery {
	w.t.Helper()
	rows := w.ledger[id]
	if len(rows) == 0 {
		w.t.Fatalf("there is no delivery %s", id)
	}
	return rows[len(rows)-1]
}

// planned returns the deliveries that the ledger holds, each in its last state.
func (w *world) planned() (list []core.Delivery) {
	for _, id := range w.plans {
		list = append(list, w.last(id))
	}
	return list
}

// one returns the only delivery there is.
func (w *world) one() core.Delivery {
	w.t.Helper()
	if len(w.plans) != 1 {
		w.t.Fatalf("%d deliveries, want one: %s", len(w.plans), w.said())
	}
	return w.last(w.plans[0])
}

// said lists the deliveries: journey, step, state and why.
func (w *world) said() string {
	var b strings.Builder
	for _, d := range w.planned() {
		fmt.Fprintf(&b, "%s/%s %s %s; ", d.Journey, d.Step, d.State, d.Because)
	}
	return b.String()
}

// slot offers a delivery its turn, as dispatch does.
func (w *world) slot(d profile.DeliveryID, kv ...any) core.Delivery {
	w.t.Helper()
	w.own(event.Slot, append([]any{"delivery", d.String()}, kv...)...)
	return w.last(d)
}

// tell tells ada's profile what became of a claim.
func (w *world) tell(name string, d core.Delivery, kv ...any) core.Delivery {
	w.t.Helper()
	w.own(name, append([]any{"delivery", d.ID.String(), "fence", fmt.Sprint(d.Fence)}, kv...)...)
	return w.last(d.ID)
}

// own applies an entry of the product's own.
func (w *world) own(name string, kv ...any) {
	w.t.Helper()
	w.n++
	e := event.Event{ID: event.ID(fmt.Sprint("own", w.n)), Type: event.System, Name: name, At: w.now, Raw: w.now, Trust: event.Own, Source: "test", Props: object(kv...)}
	w.apply(&identity.Addressed{To: w.ada().ID, Event: e})
	w.settle()
}

// told returns how often a fact was told.
func (w *world) told(name string) (n int) {
	for _, f := range w.facts {
		if f.Name == name {
			n++
		}
	}
	return n
}

var _ tester = (*testing.T)(nil)
