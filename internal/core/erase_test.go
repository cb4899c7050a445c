package core_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// erase applies a person's wish to be forgotten at the home of an identifier.
func (w *world) erase(kind identity.Kind, value string) {
	w.t.Helper()
	id, _ := identity.Normal(kind, value)
	w.n++
	w.apply(&identity.Addressed{To: w.pr.Home(id), Event: event.Event{
		ID: event.ID(fmt.Sprint("erase", w.n)), Type: event.System, Name: event.Erase, At: w.now, Trust: event.Own,
	}})
	w.settle()
}

// remains returns where a word still stands in the profiles.
func (w *world) remains(word string) (where []identity.ID) {
	for id, p := range w.people {
		if strings.Contains(string(p.Append(nil)), word) {
			where = append(where, id)
		}
	}
	return where
}

func TestAnErasedCustomerIsATombstoneAtEveryHome(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{})
	w.agrees()
	device := w.track("Visited")
	device.Anon = "browser-of-ada"
	w.hear(device)
	w.buys("o1", "mug")
	if len(w.remains("ada@shop.example")) == 0 {
		t.Fatal("nothing is known of her: the test can tell nothing")
	}
	w.erase(identity.Phone, "+447700900123") // any identifier will do
	for _, word := range []string{"ada", "+447700900123", "browser-of-ada", "mug", "o1"} {
		if where := w.remains(word); len(where) > 0 {
			t.Errorf("%q stands in %v", word, where)
		}
	}
	for _, id := range []identity.Identifier{{Kind: identity.User, Value: "ada"}, {Kind: identity.Email, Value: "ada@shop.example"}, {Kind: identity.Phone, Value: "+447700900123"}, {Kind: identity.Anonymous, Value: "browser-of-ada"}} {
		if p := w.at(w.pr.Home(id)); p.Owner != identity.Erased || p.Alarm != event.Never {
			t.Errorf("the home of %s is %+v, want a tombstone", id, p)
		}
	}
	// Late events are dropped wherever they arrive.
	heard := len(w.kept)
	w.says("Visited")
	late := w.track("Visited")
	late.User, late.Anon = "", "browser-of-ada"
	w.hear(late)
	if len(w.kept) != heard {
		t.Error("a late event was applied")
	}
	// Erasing twice is erasing once.
	w.erase(identity.User, "ada")
	if w.at(w.pr.Home(identity.Identifier{Kind: identity.User, Value: "ada"})).Owner != identity.Erased {
		t.Error("the second erasure raised the dead")
	}
}

func TestWhoNamesAnErasedIdentifierIsNotErasedAndForgetsIt(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{})
	w.agrees()
	w.erase(identity.User, "ada")
	e := w.track("Signed Up", "plan", "gold")
	e.User, e.Traits = "bob", object("email", "ada@shop.example", "first_name", "Bob")
	w.hear(e)
	bob := w.who(identity.User, "bob")
	if bob.Born == 0 || !bob.Owner.Zero() {
		t.Fatalf("bob is %+v: naming somebody who was erased must not erase", bob)
	}
	if _, known := bob.Trait("email"); known || bob.Address("email") != "" {
		t.Errorf("bob keeps the erased address: %+v", bob.Traits)
	}
	if name, _ := bob.Trait("first_name"); name.Raw != "Bob" {
		t.Error("bob lost what is his own")
	}
}

func TestAnErasureThatMeetsAMergeOnItsWayLeavesNobody(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := live(t, []visit{{user: "ada", email: "x@shop.example"}, {anon: "a"}, {anon: "b", email: "y@shop.example"}}, r)
		// The merges are on their way when the wish arrives.
		for _, v := range []visit{{user: "ada", anon: "a"}, {user: "ada", email: "y@shop.example"}} {
			e := v.event(900+int(r.IntN(90)), w.now)
			w.arrive(e)
		}
		for range r.IntN(6) {
			w.move()
		}
		w.erase(identity.User, "ada")
		ada := w.at(w.pr.Home(identity.Identifier{Kind: identity.User, Value: "ada"}))
		if ada.Owner != identity.Erased {
			t.Fatalf("seed %d: she is %+v", seed, ada)
		}
		for _, word := range []string{"x@shop.example", "y@shop.example"} {
			for _, id := range w.remains(word) {
				if p := w.at(id); p.Owner.Zero() && p.Born != 0 && p.Birth.Value != word {
					t.Errorf("seed %d: %q stands in %+v", seed, word, p)
				}
			}
		}
	}
}

func TestWhatIsPlannedIsDroppedWithItsCustomer(t *testing.T) {
	t.Parallel()
	w, _ := cart(t)
	w.erase(identity.User, "ada")
	for _, d := range w.planned() {
		if d.State != profile.Dropped || d.Because != "erased" {
			t.Errorf("delivery is %s %s", d.State, d.Because)
		}
		if d.Props != "" || d.Product != "" || d.Key != "" {
			t.Errorf("the dropped delivery still says %+v", d.Delivery)
		}
	}
}
