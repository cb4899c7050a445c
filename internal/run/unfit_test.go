package run_test

import (
	"testing"

	"rapport/internal/core/event"
)

func TestATraitThatCannotBeRightIsPutAsideWithItsReason(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	var traits event.Builder
	traits.SetText("email", "ada at people").SetText("city", "Leeds")
	now := b.clock.Now()
	err := b.node.Hear(t.Context(), []event.Event{{ID: "unfit", Type: event.Identify, User: "ada", At: now, Raw: now, Trust: event.Server, Traits: traits.Object()}})
	if err != nil {
		t.Fatal(err)
	}
	b.settle()
	if p := b.ada(); p.Address("email") != "ada@people.example" {
		t.Errorf("mail would go to %q", p.Address("email"))
	}
	aside, err := b.store.Quarantined(t.Context(), 10)
	if err != nil || len(aside) != 1 || aside[0].Field != "traits.email" || aside[0].Reason == "" || len(aside[0].Entry) == 0 {
		t.Errorf("put aside is %+v, %v", aside, err)
	}
}
