package api_test

import (
	"fmt"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/people"
)

// Row T6.
func TestALargeCampaignNeedsFourEyesAndTheNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.team()
	var d bundle
	w.get("/definitions", &d)
	const name = "winter-lights"
	for i, f := range d.Files {
		if f.Path == "campaigns/"+name+".yaml" {
			d.Files[i].Body = "campaign: " + name + "\naudience: {did: Order Completed}\ntemplate: winter-lights\ncategory: lighting\nreason: You bought something before\n"
		}
	}
	if a := w.as(tokens[people.Support], "PUT", "/definitions", d, nil, "If-Match", "*"); a.Code != 403 {
		t.Fatalf("support edits: %d", a.Code)
	}
	if a := w.as(tokens[people.Marketer], "PUT", "/definitions", d, nil, "If-Match", "*"); a.Code != 200 {
		t.Fatalf("editing = %d %s", a.Code, a.Body)
	}
	w.settle()
	for i := range 3 {
		user := fmt.Sprint("person-", i)
		w.hear(user, "Order Completed", func(b *event.Builder) {
			var line event.Builder
			line.SetText("sku", "LAMP").Set("price", event.Value{Kind: event.Number, Raw: "19.90"}).Set("quantity", event.Int(1))
			b.SetText("order_id", user).SetText("currency", "GBP").Set("total", event.Value{Kind: event.Number, Raw: "19.90"}).Set("products", event.ListOf(event.Nested(line.Object())))
		})
		agree := map[string]any{"channel": "email", "purpose": "marketing", "granted": true, "evidence": "till"}
		w.as(tokens[people.Support], "POST", "/customers/"+w.idOf(user)+"/consents", agree, nil)
	}
	w.settle()
	path := "/campaigns/" + name
	var f struct{ Agreed int64 }
	w.get(path+"/preview", &f)
	if f.Agreed == 0 {
		t.Fatal("it would reach nobody")
	}
	if code := w.as(tokens[people.Marketer], "PUT", "/approvals", map[string]any{"above": 0}, nil).Code; code != 403 {
		t.Fatalf("a marketer lifts the rule: %d", code)
	}
	send := func(session string, typed int64) int {
		t.Helper()
		a := w.as(session, "POST", path+"/send", map[string]any{"recipients": typed}, nil)
		t.Logf("sending: %d %s", a.Code, a.Body)
		return a.Code
	}
	w.as(tokens[people.Owner], "PUT", "/approvals", map[string]any{"above": max(f.Agreed-1, 1)}, nil)
	if f.Agreed < 2 {
		t.Fatalf("it would reach %d; the test needs two", f.Agreed)
	}
	marketer, admin := tokens[people.Marketer], tokens[people.Admin]
	if code := send(marketer, f.Agreed); code != 409 {
		t.Fatalf("unapproved = %d", code)
	}
	if code := w.ask(w.secret, "POST", path+"/send", nil, nil); code != 409 {
		t.Fatalf("unapproved by a key = %d", code)
	}
	ask := func() { w.t.Helper(); w.as(marketer, "POST", path+"/approval", nil, nil) }
	approve := func(session string, typed int64) int {
		return w.as(session, "POST", path+"/approve", map[string]any{"recipients": typed}, nil).Code
	}
	ask()
	for what, code := range map[string]int{"one's own": approve(marketer, f.Agreed), "another number": approve(admin, f.Agreed+1)} {
		if code != 409 {
			t.Errorf("approving %s = %d, want 409", what, code)
		}
	}
	if code := w.ask(w.secret, "POST", path+"/approve", map[string]any{"recipients": f.Agreed}, nil); code != 403 {
		t.Errorf("a key approves: %d", code)
	}
	if code := approve(admin, f.Agreed); code != 200 {
		t.Fatalf("approving = %d", code)
	}
	// An edit voids it; and who made it cannot approve it.
	if code := w.as(admin, "PUT", "/definitions", d.with("segments/edited.yaml", "segment: edited\nlabel: Edited\nwhen: {did: Order Completed}\n"), nil, "If-Match", "*"); code.Code != 200 {
		t.Fatalf("editing = %d %s", code.Code, code.Body)
	}
	w.settle()
	if code := send(marketer, f.Agreed); code != 409 {
		t.Errorf("sent although it was edited: %d", code)
	}
	ask()
	if code := approve(admin, f.Agreed); code != 409 {
		t.Errorf("who wrote it approves it: %d", code)
	}
	if code := approve(tokens[people.Owner], f.Agreed); code != 200 {
		t.Fatalf("approving again = %d", code)
	}
	if code := send(marketer, f.Agreed-1); code != 409 {
		t.Errorf("sent with another number: %d", code)
	}
	if code := send(marketer, f.Agreed); code != 202 {
		t.Errorf("approved = %d", code)
	}
}
