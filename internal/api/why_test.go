package api_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

func TestWhyACustomerGotNothingIsSaidAsOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(map[string]string{"campaigns/vips.yaml": "campaign: vips\naudience: {segment: vip-frequency}\ntemplate: vip-welcome\nholdout: 0\nreason: You are dear to us\n"})
	w.hear("ada", "Product Viewed", func(b *event.Builder) { b.SetText("sku", "LAMP") })
	id := w.idOf("ada")
	var said struct {
		Kind               string
		Everyone, Audience bool
		Again, Full        bool
		Because            []string
		Times              int
		Messages           []struct {
			Template, Says, Suppressed string
			Record                     struct {
				Outcome, Reason string
				Checks          []map[string]any
			}
		}
		Recorded []map[string]any
	}
	w.get("/customers/"+id+"/why?of=vips", &said)
	if said.Kind != "campaign" || said.Everyone || said.Audience || len(said.Because) == 0 || len(said.Messages) != 1 || said.Times != 0 {
		t.Fatalf("%+v", said)
	}
	if m := said.Messages[0]; m.Template != "vip-welcome" || m.Record.Outcome == "send" || len(m.Record.Checks) == 0 || m.Says == "" {
		t.Errorf("without consent: %+v", m)
	}
	w.ask(w.secret, "POST", "/customers/"+id+"/consents", map[string]any{"channel": "email", "purpose": "marketing", "granted": true, "evidence": "form"}, nil)
	w.settle()
	w.get("/customers/"+id+"/why?of=vips", &said)
	if m := said.Messages[0]; m.Record.Outcome != "send" {
		t.Errorf("with consent: %+v", m)
	}
	// Asking is no wish: nothing was planned.
	if said.Recorded == nil || len(said.Recorded) != 0 {
		t.Errorf("recorded: %v", said.Recorded)
	}
	w.get("/customers/"+id+"/why?of=welcome", &said)
	if said.Kind != "journey" {
		t.Errorf("%+v", said)
	}
	if code := w.ask(w.secret, "GET", "/customers/"+id+"/why?of=nothing", nil, nil); code != 404 {
		t.Errorf("of nothing: %d", code)
	}
	for _, d := range []string{"christmas", "win-back", "order-shipped", "vip-welcome", "replenish"} {
		if code := w.ask(w.secret, "GET", "/customers/"+id+"/why?of="+d, nil, nil); code != 200 {
			t.Errorf("%s: %d", d, code)
		}
	}
}

func TestACustomerSaysOfWhomTheyWerePutTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock.Now()
	look := event.Event{ID: "look", Type: event.Track, Name: event.ProductViewed, Anon: "browser-7", At: now, Raw: now, Props: new(event.Builder).SetText("sku", "LAMP").Object()}
	w.must(w.node.Hear(t.Context(), []event.Event{look}))
	w.settle()
	w.clock.Set(now.Add(time.Hour))
	now = w.clock.Now()
	in := event.Event{
		ID: "in", Type: event.Identify, Anon: "browser-7", User: "ada", At: now, Raw: now, Trust: event.Server, Source: "test",
		Traits: new(event.Builder).SetText("email", "ada@people.example").Object(),
	}
	w.must(w.node.Hear(t.Context(), []event.Event{in}))
	w.settle()
	var c struct {
		ID, Stage string
		Joined    []struct {
			ID, Kind, Value string
			Born, Joined    *time.Time
			Current         bool
		}
		HandOvers []any `json:"hand_overs"`
	}
	w.get("/customers/"+w.idOf("ada"), &c)
	if c.Stage == "" || c.HandOvers == nil || len(c.Joined) < 2 {
		t.Fatalf("%+v", c)
	}
	current, browser := 0, false
	for _, j := range c.Joined {
		if j.Current {
			current++
			if j.ID != c.ID {
				t.Errorf("the current one is %s, not %s", j.ID, c.ID)
			}
		}
		if j.Kind == string(identity.Anonymous) && strings.Contains(j.Value, "browser-7") {
			browser = true
			if !j.Current && j.Joined == nil {
				t.Errorf("it is not said when it joined: %+v", j)
			}
		}
		// An earlier id leads to the same customer still.
		var again struct{ ID string }
		w.get("/customers/"+j.ID, &again)
		if again.ID != c.ID {
			t.Errorf("%s leads to %s", j.ID, again.ID)
		}
	}
	if current != 1 || !browser {
		t.Errorf("%+v", c.Joined)
	}
}
