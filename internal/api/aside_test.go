package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/intake"
)

// refuse lets the edge read a body and puts aside what it refuses.
func (w *world) refuse(body string, trust event.Trust) {
	w.t.Helper()
	d, err := intake.DecodeOne([]byte(body), intake.Defaults{Type: event.Track, Received: w.clock.Now(), Trust: trust, Source: "web"})
	w.must(err)
	if d.Reject == nil {
		w.t.Fatalf("%s is taken", body)
	}
	w.must(w.node.Quarantine(w.t.Context(), []intake.Reject{*d.Reject}))
	w.settle()
}

func TestWhatWasPutAsideIsMendedAndHeardAsIfItHadBeenRight(t *testing.T) {
	t.Parallel()
	w, clean := newWorld(t), newWorld(t)
	bad := `{"messageId":"m1","event":"Order Completed","userId":"ada","timestamp":"tomorrow","properties":{"order_id":"A7","currency":"GBP","total":19.9}}`
	good := map[string]any{"messageId": "m1", "event": "Order Completed", "userId": "ada", "timestamp": "2026-11-10T11:00:00Z", "properties": map[string]any{"order_id": "A7", "currency": "GBP", "total": 19.9}}
	w.refuse(bad, event.Public)
	var l list
	w.get("/quarantine", &l)
	if len(l.Data) != 1 || l.Data[0]["kind"] != "rejected" || l.Data[0]["name"] != "Order Completed" || l.Data[0]["source"] != "web" || l.Data[0]["event"] == nil || l.Data[0]["field"] != "timestamp" {
		t.Fatalf("put aside: %v", l.Data)
	}
	id := l.Data[0]["id"].(string)
	var r struct {
		Taken, Left   int
		Reason, Field string
	}
	if code := w.ask(w.secret, "POST", "/quarantine/"+id+"/replay", map[string]any{}, &r); code != 200 || r.Left != 1 || r.Reason == "" || r.Field != "timestamp" {
		t.Errorf("as it was: %d %+v", code, r)
	}
	r.Reason, r.Field = "", ""
	if code := w.ask(w.secret, "POST", "/quarantine/"+id+"/replay", map[string]any{"event": good}, &r); code != 200 || r.Taken != 1 || r.Left != 0 {
		t.Errorf("mended: %d %+v", code, r)
	}
	w.settle()
	if code := w.ask(w.secret, "POST", "/quarantine/"+id+"/replay", map[string]any{"event": good}, nil); code != http.StatusNotFound {
		t.Errorf("twice: %d", code)
	}
	d, err := intake.DecodeOne([]byte(`{"messageId":"m1","event":"Order Completed","userId":"ada","timestamp":"2026-11-10T11:00:00Z","properties":{"order_id":"A7","currency":"GBP","total":19.9}}`),
		intake.Defaults{Type: event.Track, Received: noon, Source: "web"})
	clean.must(err)
	clean.must(clean.node.Hear(t.Context(), []event.Event{d.Event}))
	clean.settle()
	shown := func(w *world) map[string]any {
		var c map[string]any
		var who struct{ ID string }
		if code := w.ask(w.secret, "POST", "/customers/search", map[string]string{"identifier": "ada"}, &who); code != 200 {
			t.Fatalf("ada is not known: %d", code)
		}
		w.get("/customers/"+who.ID, &c)
		return c
	}
	if replayed, want := shown(w), shown(clean); !equalJSON(t, replayed, want) {
		t.Errorf("replayed she is\n%v\nand from a clean run\n%v", replayed, want)
	}
	w.get("/quarantine", &l)
	if len(l.Data) != 0 {
		t.Errorf("still put aside: %v", l.Data)
	}
}

func TestAllOfOneReasonIsHeardAgainOrDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, who := range []string{"a", "b", "c"} {
		w.refuse(`{"messageId":"`+who+`","event":"","userId":"`+who+`"}`, event.Public)
	}
	w.refuse(`{"messageId":"d","event":"Page Viewed"}`, event.Public)
	var reasons struct {
		Total   int
		Reasons []struct {
			Kind, Reason, Field string
			Count, Replayable   int
		}
	}
	w.get("/quarantine/reasons", &reasons)
	if reasons.Total != 4 || len(reasons.Reasons) != 2 || reasons.Reasons[0].Count != 3 || reasons.Reasons[0].Replayable != 3 {
		t.Fatalf("the reasons are %+v", reasons)
	}
	first := reasons.Reasons[0]
	why := map[string]any{"kind": first.Kind, "reason": first.Reason, "field": first.Field}
	var r struct{ Taken, Left int }
	if code := w.ask(w.secret, "POST", "/quarantine/replay", why, &r); code != 200 || r.Taken != 0 || r.Left != 3 {
		t.Errorf("heard again: %d %+v", code, r)
	}
	if code := w.ask(w.secret, "POST", "/quarantine/discard", why, &r); code != 200 || r.Taken != 3 {
		t.Errorf("deleted: %d %+v", code, r)
	}
	if code := w.ask(w.secret, "POST", "/quarantine/discard", map[string]any{}, nil); code != 400 {
		t.Errorf("all without a word: %d", code)
	}
	w.get("/quarantine/reasons", &reasons)
	if reasons.Total != 1 {
		t.Errorf("left: %+v", reasons)
	}
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	return string(x) == string(y)
}
