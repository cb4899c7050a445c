package run_test

import (
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// TestAConsentAtTheTillEndsAnEarlierUnsubscribe: who unsubscribes and later agrees
// again, anywhere, is written to again; who unsubscribes after that is not.
func TestAConsentAtTheTillEndsAnEarlierUnsubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "memory", 1, nil)
	ctx := t.Context()
	say := func(id, state string) {
		t.Helper()
		w.clock.Set(w.clock.Now() + 1000)
		props := (&event.Builder{}).SetText("channel", "email").SetText("purpose", "marketing").SetText("state", state).Object()
		traits := (&event.Builder{}).SetText("email", "ada@shop.example").Object()
		if err := w.node.Hear(ctx, []event.Event{{ID: event.ID(id), Type: event.Track, Name: event.ConsentChanged, User: "ada", At: w.clock.Now(), Raw: w.clock.Now(), Trust: event.Server, Props: props, Traits: traits}}); err != nil {
			t.Fatal(err)
		}
		if err := w.node.Settle(ctx); err != nil {
			t.Fatal(err)
		}
	}
	stopped := func() bool {
		t.Helper()
		p, err := w.node.Lookup(ctx, "ada")
		if err != nil {
			t.Fatal(err)
		}
		_, byPerson, err := w.ledger.Suppressed(ctx, p.ID, "email", "marketing")
		if err != nil {
			t.Fatal(err)
		}
		_, byAddress, err := w.ledger.Suppressed(ctx, w.node.Subject("email", "ada@shop.example"), "email", "marketing")
		if err != nil {
			t.Fatal(err)
		}
		return byPerson || byAddress
	}
	home := func() identity.ID {
		p, err := w.node.Lookup(ctx, "ada")
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	say("c1", "granted")
	if err := w.node.Suppress(ctx, home(), "email", "marketing", "unsubscribed", "d1"); err != nil {
		t.Fatal(err)
	}
	if !stopped() {
		t.Fatal("an unsubscribe stops nothing")
	}
	say("c2", "granted")
	if stopped() {
		t.Error("a consent given after the unsubscribe does not count")
	}
	w.clock.Set(w.clock.Now() + 1000)
	if err := w.node.Suppress(ctx, home(), "email", "marketing", "unsubscribed", "d2"); err != nil {
		t.Fatal(err)
	}
	say("c3", "denied")
	if !stopped() {
		t.Error("a denial released a suppression")
	}
}
