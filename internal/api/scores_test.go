package api_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/run"
)

// shopping is two customers: ada bought and looked around, ben only looked.
func shopping(t *testing.T) *world {
	w := newWorld(t)
	for _, sku := range []string{"LAMP", "SHADE"} {
		w.hear("ada", "Product Viewed", func(b *event.Builder) { b.SetText("sku", sku).SetText("category", "lighting") })
	}
	w.hear("ada", "Order Completed", func(b *event.Builder) {
		b.SetText("order_id", "o1").SetText("currency", "GBP").SetText("total", "40")
	})
	w.hear("ben", "Product Viewed", func(b *event.Builder) { b.SetText("sku", "MUG").SetText("category", "kitchen") })
	return w
}

func scoreOf(t *testing.T, s run.CustomerScores, name string) run.CustomerScore {
	t.Helper()
	for _, v := range s.Scores {
		if v.Score == name {
			return v
		}
	}
	t.Fatalf("there is no score %s in %+v", name, s)
	return run.CustomerScore{}
}

func TestACustomersScoreIsExplainedToItsEvents(t *testing.T) {
	t.Parallel()
	w := shopping(t)
	path := "/customers/" + w.idOf("ada") + "/scores"
	var s run.CustomerScores
	w.get(path, &s)
	v := scoreOf(t, s, "engagement")
	if math.Abs(v.Value-22) > 1e-3 || v.Tier != "engaged" || v.Halves != "30 days" {
		t.Errorf("just now she has %+v", v)
	}
	w.clock.Set(w.clock.Now().Add(30 * 24 * time.Hour))
	w.settle()
	w.get(path, &s)
	v = scoreOf(t, s, "engagement")
	if math.Abs(v.Value-11) > 1e-3 || v.Tier != "curious" {
		t.Errorf("a half-life later she has %v, %s", v.Value, v.Tier)
	}
	var sum float64
	for _, e := range v.Parts[0].Events {
		sum += e.Now
	}
	if math.Abs(sum-v.Value) > 1e-5 || len(v.Parts[0].Events) != 3 {
		t.Errorf("the events add up to %v of %v: %+v", sum, v.Value, v.Parts[0].Events)
	}
	if e := v.Parts[0].Events[0]; e.Name != "Order Completed" || e.Then != 20 || math.Abs(e.Now-10) > 1e-3 {
		t.Errorf("her order brought %+v", e)
	}
	w.hear("ada", "Order Refunded", func(b *event.Builder) { b.SetText("order_id", "o1").SetText("currency", "GBP").SetText("total", "40") })
	w.get(path, &s)
	v = scoreOf(t, s, "engagement")
	if math.Abs(v.Value-1) > 1e-3 || !v.Parts[0].Events[0].Taken || v.Parts[0].Events[0].Now != 0 {
		t.Errorf("after the refund she has %v, %+v", v.Value, v.Parts[0].Events[0])
	}
	if len(s.Affinities) != 1 || s.Affinities[0].Likes[0].Name != "lighting" || s.Affinities[0].Likes[0].Share != 1 {
		t.Errorf("her interest is %+v", s.Affinities)
	}
	if both := scoreOf(t, s, "relationship"); len(both.Parts) != 2 || both.Parts[1].Score != "known" || both.Parts[1].Value != 7 {
		t.Errorf("what it sums up is %+v", both.Parts)
	}
}

func TestAChangedScoreSaysWhoseTierWouldChange(t *testing.T) {
	t.Parallel()
	w := shopping(t)
	preview := func(body string) run.ScoreDifference {
		t.Helper()
		var d run.ScoreDifference
		sent := map[string]any{"files": []any{map[string]string{"path": "scores/engagement.yaml", "body": body}}}
		if code := w.ask(w.secret, "POST", "/scores/preview", sent, &d); code != 200 {
			t.Fatalf("the preview is answered with %d", code)
		}
		return d
	}
	change := func(d run.ScoreDifference, name string) run.ScoreChange {
		t.Helper()
		for _, s := range d.Scores {
			if s.Score == name {
				return s
			}
		}
		t.Fatalf("nothing is said of %s in %+v", name, d)
		return run.ScoreChange{}
	}
	const rest = "\n---\nscore: known\npoints: [{when: {reachable: email}, give: 2}, {when: {consent: marketing, channel: email}, give: 3}, {when: {did: Order Completed}, give: 5}]\n"
	d := preview("score: engagement\nhalf_life: 30d\npoints: [{did: Order Completed, give: 20}, {did: Product Viewed, give: 4}]\n" +
		"tiers: [{tier: curious, from: 3}, {tier: engaged, from: 15}, {tier: devoted, from: 28}]" + rest)
	got := change(d, "engagement")
	// Ada goes from 22 points to 28, less what has faded in three seconds: short of a tier.
	if d.Customers != 2 || got.What != "changed" || got.Changes != 1 || got.Up != 1 || got.Down != 0 || got.Values != 2 {
		t.Errorf("%+v", got)
	}
	if len(got.Moves) != 1 || got.Moves[0] != (run.ScoreMove{From: "", To: "curious", Customers: 1}) || len(got.Sample) != 1 || got.Sample[0].ID.String() != w.idOf("ben") {
		t.Errorf("ben comes to 4 points and to a tier: %+v", got)
	}
	if got := change(d, "known"); got.What != "same" || got.Changes != 0 {
		t.Errorf("a score that stays is said to be %+v", got)
	}
	if got := change(d, "relationship"); got.What != "removed" || got.Changes != 2 {
		t.Errorf("a score that goes is said to be %+v", got)
	}
	if d := preview("score: engagement\npoints: [{did: Order Completed, give: many}]"); len(d.Problems) == 0 || d.Customers != 0 {
		t.Errorf("a mistake is answered with %+v", d)
	}
	var s run.CustomerScores
	w.get("/customers/"+w.idOf("ben")+"/scores", &s)
	if v := scoreOf(t, s, "engagement"); v.Tier != "" {
		t.Errorf("a preview has changed something: %+v", v)
	}
	// In force, it is as it was told: made from the history.
	var defs struct {
		Files []map[string]string `json:"files"`
	}
	w.get("/definitions", &defs)
	for _, f := range defs.Files {
		if f["path"] == "scores/engagement.yaml" {
			f["body"] += "---\nscore: visits\npoints: [{did: Product Viewed, per: session, give: 1}]\n"
		}
	}
	if code := w.ask(w.secret, "PUT", "/definitions", defs, nil, "If-Match", "*"); code != 200 {
		t.Fatalf("the definitions are answered with %d", code)
	}
	w.settle()
	w.hear("ben", "Product Viewed", nil)
	w.get("/customers/"+w.idOf("ben")+"/scores", &s)
	if v := scoreOf(t, s, "visits"); v.Value != 1 {
		t.Errorf("a score that is new has %v of one visit in the past", v.Value)
	}
}

// Two devices, of which either may turn out to be ada's first. What the day's cap
// allows is the same for her, and not for each device.
func TestTheScoreOfTwoStrandsIsThatOfOneCustomer(t *testing.T) {
	t.Parallel()
	var values []float64
	for _, devices := range [][2]string{{"phone", "laptop"}, {"laptop", "phone"}} {
		w := newWorld(t)
		at := w.clock.Now()
		n := 0
		hear := func(name, user, anon string) {
			t.Helper()
			n++
			var b event.Builder
			b.SetText("sku", "LAMP").SetText("category", "lighting")
			now := w.clock.Now()
			w.must(w.node.Hear(t.Context(), []event.Event{{
				ID: event.ID(fmt.Sprint("e", n)), Type: event.Track, Name: name, User: user, Anon: anon, At: now, Raw: now, Trust: event.Server, Source: "test", Props: b.Object(),
			}}))
			w.settle()
			w.clock.Set(w.clock.Now().Add(time.Minute))
		}
		for i := range 8 {
			hear("Product Viewed", "", []string{"phone", "laptop"}[i%2])
		}
		hear("Signed In", "ada", devices[0])
		hear("Signed In", "ada", devices[1])
		w.clock.Set(at.Add(time.Hour))
		w.settle()
		var found struct{ ID string }
		if code := w.ask(w.secret, "POST", "/customers/search", map[string]string{"identifier": "ada"}, &found); code != 200 {
			t.Fatalf("ada is not found: %d", code)
		}
		var s run.CustomerScores
		w.get("/customers/"+found.ID+"/scores", &s)
		v := scoreOf(t, s, "engagement")
		var sum float64
		for _, e := range v.Parts[0].Events {
			sum += e.Now
		}
		if v.Value > 5 || v.Value < 4.9 || len(v.Parts[0].Events) != 5 || math.Abs(sum-v.Value) > 1e-5 {
			t.Errorf("eight looks on two devices are worth %v, by %d events", v.Value, len(v.Parts[0].Events))
		}
		// The first five looks that were heard, whichever device they were on.
		if newest := v.Parts[0].Events[0].At; !newest.Equal(at.Add(4 * time.Minute).Time()) {
			t.Errorf("the last look that counts was at %s", newest)
		}
		values = append(values, v.Value)
	}
	if values[0] != values[1] {
		t.Errorf("the score depends on which device came first: %v", values)
	}
}
