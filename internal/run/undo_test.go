package run_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/store/memory"
)

// undoWorld is a node that hears and never sends.
type undoWorld struct {
	t     *testing.T
	clock *clock.Clock
	node  *run.Node
	homes []identity.ID
}

func newUndoWorld(t *testing.T, lanes int) *undoWorld {
	t.Helper()
	w := &undoWorld{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)))}
	var err error
	w.node, err = run.Open(t.Context(), run.Options{
		Log: memlog.New(lanes, w.clock.Now), Store: memory.New(), Ledger: memory.NewLedger(), Workspace: "default", Key: identity.Key{9}, Clock: w.clock, NoSending: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.apply(nil)
	return w
}

// apply puts the example's definitions in force, and more files beside them.
func (w *undoWorld) apply(more map[string]string) {
	w.t.Helper()
	src, err := program.Read(os.DirFS("../../examples/shop"))
	if err != nil {
		w.t.Fatal(err)
	}
	files := slices.Clone(src.Files())
	for name, text := range more {
		files = append(files, program.File{Path: name, Body: text})
	}
	if src, err = program.New(files); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.node.Apply(w.t.Context(), src); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func (w *undoWorld) settle() {
	w.t.Helper()
	if err := w.node.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *undoWorld) hear(e event.Event) {
	w.t.Helper()
	if event.Imported(e.Source) {
		home, ok := w.node.Home(&e)
		if !ok {
			w.t.Fatal("an event names nobody")
		}
		w.homes = append(w.homes, home)
	}
	if err := w.node.Hear(w.t.Context(), []event.Event{e}); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func (w *undoWorld) undo(id string) {
	w.t.Helper()
	if err := w.node.UndoImport(w.t.Context(), id, "ada", w.homes); err != nil {
		w.t.Fatal(err)
	}
}

// known is what an import can change of a customer.
type known struct {
	Traits         []profile.Trait
	Orders         []profile.Order
	Bought         []profile.Bought
	Consents       []profile.Consent
	Session        profile.Session
	Zone, Locale   string
	First, Last    event.Time
	Count          int64
	Identifiers    []string
	Segments       []string
	Email          string
	Health         []profile.Health
	Exists, ByMail bool
}

func (w *undoWorld) known(user, email string) (k known) {
	w.t.Helper()
	p, err := w.node.Lookup(w.t.Context(), user)
	if fault.Is(err, fault.NotFound) {
		_, err = w.node.Lookup(w.t.Context(), email)
		k.ByMail = err == nil
		return k
	}
	if err != nil {
		w.t.Fatal(err)
	}
	prog, err := w.node.Program(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	k = known{
		Exists: true, Traits: p.Traits, Orders: p.Orders, Bought: p.Bought, Consents: p.Consents, Session: p.Session, Zone: p.Zone, Locale: p.Locale,
		First: p.First, Last: p.Last, Count: p.Count, Segments: prog.Core.Segments.Members(p), Email: p.Address("email"), Health: p.Health,
	}
	for i := range p.Held {
		if p.Held[i].State == profile.Owned {
			k.Identifiers = append(k.Identifiers, p.Held[i].Identifier.String())
		}
	}
	slices.Sort(k.Identifiers)
	return k
}

// happening makes one random event of a person. Person 2 is known to imports only.
func happening(r *rand.Rand, n int, now event.Time, source string) event.Event {
	who := r.IntN(2)
	if source != "" {
		who = r.IntN(3)
	}
	user, email := "user"+strconv.Itoa(who), fmt.Sprintf("person%d@shop.example", who)
	at := now
	if source != "" || r.IntN(3) == 0 {
		at = now.Add(-time.Duration(r.IntN(200*24)) * time.Hour)
	}
	e := event.Event{ID: event.ID("e" + strconv.Itoa(n)), Type: event.Track, User: user, At: at, Raw: at, Trust: event.Server}
	if source != "" {
		e.ID, e.Origin, e.Source = event.ID("import:e"+strconv.Itoa(n)), event.Import, event.ImportSource(source)
	}
	var p, traits event.Builder
	traits.SetText("email", email)
	switch r.IntN(7) {
	case 0:
		e.Type = event.Identify
		traits.SetText("country", []string{"GB", "IE", "DE"}[r.IntN(3)]).SetText("timezone", []string{"Europe/Berlin", "Europe/London"}[r.IntN(2)])
	case 1, 2:
		e.Name = event.OrderCompleted
		// The same number may come from both sides: it counts once, wherever it came from.
		p.SetText("order_id", "o"+strconv.Itoa(r.IntN(12))).SetText("currency", "GBP").Set("revenue", event.Int(int64(5+r.IntN(400))))
		var line event.Builder
		line.SetText("sku", "S"+strconv.Itoa(r.IntN(4))).SetText("category", "lighting").Set("quantity", event.Int(1)).Set("price", event.Int(5))
		p.Set("products", event.ListOf(event.Nested(line.Object())))
	case 3:
		e.Name = event.ConsentChanged
		p.SetText("channel", "email").SetText("purpose", "marketing").SetText("state", []string{"granted", "denied"}[r.IntN(2)])
	case 4:
		e.Name = event.ProductViewed
		p.SetText("sku", "S1").SetText("category", "lighting")
	case 5:
		e.Name = event.Complained
		if source == "" || r.IntN(4) > 0 {
			e.Name = "Wishlist Changed"
		}
		p.SetText("channel", "email")
	case 6:
		if source != "" {
			e.User = "" // a list of addresses
		}
		e.Name = event.Unsubscribed
		p.SetText("channel", "email").SetText("purpose", "marketing")
	}
	e.Props, e.Traits = p.Object(), traits.Object()
	return e
}

// TestAnUndoneImportNeverWas: whatever live events came before, between and after
// those of an import, once it is undone its customers are as if it had never been,
// and stay so when the definitions change and everything is asked anew.
func TestAnUndoneImportNeverWas(t *testing.T) {
	t.Parallel()
	later := map[string]string{"segments/later.yaml": "segment: ever-two\nlabel: Twice\nabout: Two orders ever.\nwhen: {did: Order Completed, times: \">= 2\"}\n"}
	for seed := range uint64(40) {
		lanes := 1 + int(seed%2)*2
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			with, without := newUndoWorld(t, lanes), newUndoWorld(t, lanes)
			n, undone := 10+r.IntN(40), 0
			tail := n/2 + r.IntN(n/2+1)
			var imported []event.Event
			for i := range n {
				now := with.clock.Now().Add(time.Duration(1+r.IntN(40)) * time.Hour)
				with.clock.Set(now)
				without.clock.Set(now)
				source := ""
				if i > 1 && i < tail && r.IntN(2) == 0 {
					source = "first"
				}
				e := happening(r, i, now, source)
				if i < 2 { // both live people are known before anything is imported
					e = event.Event{ID: e.ID, Type: event.Identify, User: "user" + strconv.Itoa(i), At: now, Raw: now, Trust: event.Server, Traits: (&event.Builder{}).SetText("email", fmt.Sprintf("person%d@shop.example", i)).Object()}
				}
				with.hear(e)
				if source == "" {
					without.hear(e)
				} else {
					imported = append(imported, e)
				}
				if i >= tail && undone == 0 {
					with.undo("first")
					undone++
				}
			}
			if undone == 0 {
				with.undo("first")
			}
			with.undo("first") // again, as after a kill
			same(t, "after the undoing", false, without, with)
			with.apply(later)
			without.apply(later)
			same(t, "after new definitions", false, without, with)

			// What was undone may be imported again, once.
			for range 2 {
				for _, e := range imported {
					e.Source = event.ImportSource("second")
					with.hear(e)
					without.hear(e)
				}
			}
			same(t, "imported again", true, without, with)
		})
	}
}

func same(t *testing.T, when string, again bool, want, got *undoWorld) {
	t.Helper()
	want.settle()
	got.settle()
	for i := range 3 {
		user, email := "user"+strconv.Itoa(i), fmt.Sprintf("person%d@shop.example", i)
		a, b := want.known(user, email), got.known(user, email)
		if again {
			// People whom the import joined have stayed joined: their visits are counted
			// as one person's from the first.
			a.Session, b.Session = profile.Session{}, profile.Session{}
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s %s differs (-never imported +undone):\n%s", when, user, diff)
		}
	}
}

// TestABusyCustomersUndoneEventsComeAgainOnce: whose profile no longer remembers every
// id, the history tells which of them count; refunds would count twice if it did not.
func TestABusyCustomersUndoneEventsComeAgainOnce(t *testing.T) {
	t.Parallel()
	const many = 3 * profile.SeenKept
	w := newUndoWorld(t, 1)
	bring := func(source string) int {
		var events []event.Event
		for i := range many {
			at := w.clock.Now().Add(time.Duration(i-10*many) * time.Hour)
			props := (&event.Builder{}).SetText("order_id", "o"+strconv.Itoa(i)).SetText("currency", "GBP").Set("revenue", event.Int(-1)).Object()
			e := event.Event{ID: event.ID("import:r" + strconv.Itoa(i)), Type: event.Track, Name: event.OrderRefunded, User: "busy", At: at, Raw: at, Origin: event.Import, Trust: event.Server, Source: event.ImportSource(source), Props: props}
			home, _ := w.node.Home(&e)
			w.homes = append(w.homes, home)
			events = append(events, e)
		}
		if err := w.node.Hear(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		w.settle()
		p, err := w.node.Lookup(t.Context(), "busy")
		if err != nil {
			t.Fatal(err)
		}
		return len(p.Orders)
	}
	if n := bring("first"); n != many {
		t.Fatalf("%d refunds, want %d", n, many)
	}
	w.undo("first")
	if _, err := w.node.Lookup(t.Context(), "busy"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("after the undoing: %v", err)
	}
	for _, source := range []string{"second", "third"} {
		if n := bring(source); n != many {
			t.Errorf("%s: %d refunds, want %d", source, n, many)
		}
	}
}
