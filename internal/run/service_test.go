package run_test

import (
	"fmt"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/run"
)

// owed adds the service message of an order that has shipped.
func owed() map[string]string {
	files := news("undo: none\n")
	files["service/order-shipped.yaml"] = "service: order-shipped\ntrigger: {event: Order Shipped}\ntemplate: shipped\n"
	files["templates/shipped.html.liquid"] = "---\nsubject: Order {{ trigger.order_id }} has shipped\n---\n<p>It is on its way.</p>"
	files["templates/shipped.txt.liquid"] = "It is on its way."
	return files
}

func order(id string) event.Object {
	var b event.Builder
	return b.SetText("order_id", id).SetText("email", "somebody.else@people.example").Object()
}

func TestAServiceMessageIsSentOnceForItsKeyAtNightAndWithoutConsent(t *testing.T) {
	for _, lanes := range []int{1, 4} {
		m := newMailshot(t, "memory", lanes, owed(), nil)
		m.clock.Set(event.At(time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC)))
		ask := func(to run.Recipient, key string) event.ID {
			t.Helper()
			id, err := m.node.SendService(t.Context(), "order-shipped", to, order("A7"), key)
			m.must(err)
			m.must(m.node.Settle(t.Context()))
			return id
		}
		first := ask(run.Recipient{Email: "guest@people.example"}, "k1")
		if len(m.sent) != 1 || m.sent[0].To.Address != "guest@people.example" || m.sent[0].Subject != "Order A7 has shipped" || !m.sent[0].Service {
			t.Fatalf("sent %+v, want the message to the guest at once", m.sent)
		}
		m.until(m.clock.Now().Add(90 * 24 * time.Hour))
		if again := ask(run.Recipient{Email: "Guest@people.example"}, "k1"); again != first || len(m.sent) != 1 {
			t.Errorf("the same key a quarter later: id %s after %s, %d mails", again, first, len(m.sent))
		}
		ask(run.Recipient{Email: "guest@people.example"}, "k2")
		ask(run.Recipient{Email: "other@people.example"}, "k1")
		if to, _ := m.recipients(); len(m.sent) != 3 || to["somebody.else@people.example"] != 0 {
			t.Errorf("mails to %v, want two to the guest and one to the other", to)
		}
		p, err := m.node.Lookup(t.Context(), "guest@people.example")
		m.must(err)
		ask(run.Recipient{Profile: p.ID.String()}, "k3")
		if m.sent[3].To.Address != "guest@people.example" {
			t.Errorf("the profile's message went to %s", m.sent[3].To.Address)
		}
		// An unsubscribe from promotions does not stop it, a refusal of just this does.
		m.must(m.node.Suppress(t.Context(), p.ID, "email", "marketing", "unsubscribed", "d"))
		ask(run.Recipient{Profile: p.ID.String()}, "k4")
		m.must(m.node.Suppress(t.Context(), p.ID, "email", "service", "unsubscribed", "d"))
		ask(run.Recipient{Profile: p.ID.String()}, "k5")
		if len(m.sent) != 5 {
			t.Errorf("%d mails, want 5", len(m.sent))
		}
	}
}

func TestARequestForAServiceMessageThatCannotBeRightIsRefused(t *testing.T) {
	m := newMailshot(t, "memory", 1, owed(), nil)
	guest := run.Recipient{Email: "guest@people.example"}
	for _, c := range []struct {
		why   string
		name  string
		to    run.Recipient
		props event.Object
		key   string
		want  fault.Kind
	}{
		{"no such message", "order-lost", guest, "", "k", fault.NotFound},
		{"a campaign is none", "news", guest, "", "k", fault.NotFound},
		{"no key", "order-shipped", guest, "", "", fault.Invalid},
		{"nobody", "order-shipped", run.Recipient{}, "", "k", fault.Invalid},
		{"two at once", "order-shipped", run.Recipient{Email: "a@b.example", User: "u"}, "", "k", fault.Invalid},
		{"no address", "order-shipped", run.Recipient{Email: "a b@c"}, "", "k", fault.Invalid},
		{"a word for nobody", "order-shipped", run.Recipient{User: "undefined"}, "", "k", fault.Invalid},
		{"no such profile", "order-shipped", run.Recipient{Profile: "00112233445566778899aabbccddeeff"}, "", "k", fault.NotFound},
		{"too much", "order-shipped", guest, event.Object(make([]byte, run.MaxServiceProps+1)), "k", fault.TooLarge},
	} {
		if _, err := m.node.SendService(t.Context(), c.name, c.to, c.props, c.key); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", c.why, err, c.want)
		}
	}
	m.until(m.clock.Now().Add(time.Hour))
	if len(m.sent) != 0 {
		t.Errorf("%d mails", len(m.sent))
	}
}

func TestAPagesKeyCannotAskForAServiceMessage(t *testing.T) {
	m := newMailshot(t, "memory", 1, owed(), nil)
	m.hear(m.signUp("ada", "ada@people.example", "")...)
	for _, kind := range []event.Type{event.Track, event.System} {
		e := event.Event{ID: event.ID(fmt.Sprint("x", kind)), Type: kind, Name: event.ServiceAsked, User: "ada", At: m.clock.Now(), Raw: m.clock.Now(), Trust: event.Public, Source: "t"}
		e.Props = order("A7").With("service", event.Text("order-shipped"))
		m.hear(e)
	}
	if len(m.sent) != 0 {
		t.Errorf("%d mails for a key that stands in a page", len(m.sent))
	}
}

func TestAnOrderThatIsLateSilencesCampaigns(t *testing.T) {
	m := newMailshot(t, "memory", 2, owed(), nil)
	m.hear(m.signUp("ada", "ada@people.example", "")...)
	m.hear(m.signUp("ben", "ben@people.example", "")...)
	m.does("ada", event.OrderDelayed, "order_id", "A7")
	m.send("news")
	m.until(m.clock.Now().Add(time.Hour))
	m.wantStates("news", "accepted:1, planned order_late:1")
	m.does("ada", event.OrderShipped, "order_id", "A7")
	m.until(m.clock.Now().Add(24 * time.Hour))
	m.wantStates("news", "accepted:2")
	m.wantStates("order-shipped", "accepted:1")
}

func TestClaimsOfServiceMessagesComeBeforeThoseOfACampaign(t *testing.T) {
	m := newMailshot(t, "memory", 1, owed(), nil)
	m.people(60)
	m.send("news")
	now := m.clock.Now()
	m.hear(event.Event{ID: "s", Type: event.Track, Name: event.OrderShipped, User: "p1", At: now, Raw: now, Trust: event.Server, Source: "t", Props: order("A7")})
	m.until(now.Add(time.Minute))
	// Both kinds planned at one instant: what is owed is first among what is due.
	m.node.Close(t.Context()) //nolint:errcheck // nothing is under way
	m.open()
	_, err := m.node.SendCampaign(t.Context(), "news", run.SendOptions{Again: true})
	m.must(err)
	_, _, err = m.node.Engine.Walk(t.Context())
	m.must(err)
	_, err = m.node.SendService(t.Context(), "order-shipped", run.Recipient{User: "p1"}, order("A8"), "k")
	m.must(err)
	m.must(m.node.Engine.Settle(t.Context()))
	refs, err := m.store.DueDeliveries(t.Context(), "", m.clock.Now(), 100)
	m.must(err)
	if len(refs) != 52 {
		t.Fatalf("%d messages are due, want 51 of the campaign and one that is owed", len(refs))
	}
	first, err := m.store.Delivery(t.Context(), refs[0].ID)
	m.must(err)
	if first.Journey != "order-shipped" {
		t.Errorf("the first to be claimed is of %s", first.Journey)
	}
}
