package core_test

import (
	"testing"

	"rapport/internal/core"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// sent opens a world in which the reminder was accepted by the provider.
func sent(t *testing.T) (*world, core.Delivery) {
	t.Helper()
	w, d := cart(t)
	w.tell(event.MessageSent, w.slot(d.ID), "detail", "250 ok")
	w.wait(hour)
	return w, d
}

func (w *world) bounces(d core.Delivery, cause string, kv ...any) {
	w.own(event.MessageBounced, append([]any{"delivery", d.ID.String(), "channel", "email", "cause", cause, "detail", "said the server"}, kv...)...)
}

func TestABounceThatIsToldAfterAcceptanceMarksTheAddress(t *testing.T) {
	t.Parallel()
	w, d := sent(t)
	w.bounces(d, "hard")
	if w.ada().Reachable("email") {
		t.Fatal("the address does not exist and is written to")
	}
	w.says("Product Added", "sku", "mug")
	w.wait(2 * hour)
	if next := w.last(w.plans[len(w.plans)-1]); len(w.plans) != 2 || next.State != profile.Dropped || next.Because != string(decision.Bounced) {
		t.Errorf("the next message is %s because of %q", next.State, next.Because)
	}
}

func TestOnlyTheAddressThatBouncedIsMarked(t *testing.T) {
	t.Parallel()
	w, d := sent(t)
	before := int(w.now)
	w.wait(minute)
	e := w.track("Address Changed")
	e.Traits = object("email", "new@shop.example")
	w.hear(e)
	w.wait(minute)
	w.bounces(d, "hard", "sent", before)
	if !w.ada().Reachable("email") {
		t.Error("an address that was given after the message went out has bounced")
	}
}

func TestAForeignWordOfABounceMarksNothing(t *testing.T) {
	t.Parallel()
	w, d := sent(t)
	w.says(event.MessageBounced, "delivery", d.ID.String(), "channel", "email", "cause", "hard")
	if !w.ada().Reachable("email") {
		t.Error("a tracking call made the customer unreachable")
	}
}

// RULES 7, item 37, in the core: a refusal for our own standing is nobody's fault.
func TestItem37ARefusalOfTheSenderSuppressesNobody(t *testing.T) {
	t.Parallel()
	w, d := sent(t)
	for range 20 {
		w.bounces(d, "policy", "enhanced", "5.7.515")
		w.wait(2 * day)
	}
	if p := w.ada(); !p.Reachable("email") || len(p.Health) != 0 {
		t.Errorf("the address is %+v", p.Health)
	}
}

func TestManySoftBouncesInARowAreHard(t *testing.T) {
	t.Parallel()
	w, d := sent(t)
	for n := range profile.SoftLimit {
		if !w.ada().Reachable("email") {
			t.Fatalf("after %d soft bounces the address is given up", n)
		}
		w.bounces(d, "soft")
		w.bounces(d, "soft") // of those within a day one counts
		w.wait(2 * day)
	}
	if w.ada().Reachable("email") {
		t.Error("an address that was full for weeks is written to")
	}
}

func TestAMailThatArrivesEndsTheRowOfSoftBounces(t *testing.T) {
	t.Parallel()
	w, d := sent(t)
	for range 3 * profile.SoftLimit {
		w.bounces(d, "soft")
		w.wait(2 * day)
		w.own(event.MessageDelivered, "delivery", d.ID.String(), "channel", "email")
	}
	if !w.ada().Reachable("email") {
		t.Error("an address that takes mail in between is given up")
	}
}

func TestWhatOurOwnPacePutsOffIsNotGivenUp(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	for range 20 { // ten days, and providers are given three
		c := w.slot(d.ID)
		if c.State != profile.Claimed {
			t.Fatalf("it is %s because of %q", c.State, c.Because)
		}
		got := w.tell(event.MessageDeferred, c, "paced", true, "retry_after", 6*3600)
		if got.State != profile.Planned || got.Because != "paced" || got.NotBefore != w.now.Add(6*hour) {
			t.Fatalf("put off, it is %s because of %q until %s", got.State, got.Because, got.NotBefore)
		}
		w.wait(12 * hour)
	}
}

func TestARefusalDuringSMTPCountsLikeABounceByMail(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	w.tell(event.MessageRejected, w.slot(d.ID), "cause", "soft", "detail", "552 mailbox full")
	if h := w.ada().HealthOf("email", w.ada().Address("email")); h.Soft != 1 || h.State != profile.Healthy {
		t.Errorf("after one full mailbox the address is %+v", h)
	}
}
