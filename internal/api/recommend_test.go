package api_test

import (
	"slices"
	"testing"

	"rapport/internal/core/event"
)

// suggested is what the API answers to a question for a list.
type suggested struct {
	Items []struct {
		Item string
		List string
	}
	Session []string
}

func (s *suggested) has(item string) bool {
	for _, it := range s.Items {
		if it.Item == item {
			return true
		}
	}
	return false
}

func (w *world) looks(anon string, skus ...string) {
	w.t.Helper()
	for _, sku := range skus {
		e := event.Event{ID: event.ID(anon + sku), Type: event.Track, Name: event.ProductViewed, Anon: anon, At: w.clock.Now(), Props: new(event.Builder).SetText("sku", sku).Object()}
		w.must(w.node.Hear(w.t.Context(), []event.Event{e}))
	}
}

func (w *world) recommend(body map[string]any) (s suggested) {
	w.t.Helper()
	if code := w.ask(w.secret, "POST", "/recommend", body, &s); code != 200 {
		w.t.Fatalf("%v is answered %d", body, code)
	}
	return s
}

func TestAListKnowsTheEventThatWasAnsweredJustBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.looks("one", "LAMP", "VASE")
	w.looks("two", "LAMP")
	got := w.recommend(map[string]any{"anonymousId": "two", "list": "session", "strict": true, "n": 5})
	if !got.has("VASE") || got.has("LAMP") || !slices.Equal(got.Session, []string{"LAMP"}) {
		t.Errorf("after a lamp: %+v", got)
	}
	line := event.Nested(new(event.Builder).SetText("sku", "VASE").Set("quantity", event.Int(1)).Set("price", event.Int(10)).Object())
	buy := event.Event{ID: "order", Type: event.Track, Name: event.OrderCompleted, Anon: "two", At: w.clock.Now(), Props: new(event.Builder).SetText("order_id", "7").SetText("currency", "GBP").Set("products", event.ListOf(line)).Object()}
	w.must(w.node.Hear(t.Context(), []event.Event{buy}))
	for range 2 { // before the order is applied to the profile, and after
		for _, list := range []string{"session", "together", "new", "replenish", "popular", "trending"} {
			if got := w.recommend(map[string]any{"anonymousId": "two", "list": list}); got.has("VASE") {
				t.Errorf("%s shows what was just bought: %+v", list, got)
			}
		}
		w.settle()
	}
	if got := w.recommend(map[string]any{"anonymousId": "three", "list": "popular"}); !got.has("VASE") {
		t.Errorf("what is popular: %+v", got)
	}
	var f struct {
		Lists int64
		Share float64 `json:"revenue_share"`
	}
	w.get("/recommend/figures", &f)
	if f.Lists < 14 || f.Share != 1 {
		t.Errorf("the figures: %+v", f)
	}
}

func TestAQuestionForAListIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []map[string]any{
		{"list": "anything"},
		{"list": "popular", "mix": []map[string]any{{"list": "session"}}},
		{"list": "popular", "filters": map[string]any{"min_price": "cheap"}},
		{"list": "popular", "filters": map[string]any{"currency": "???"}},
		{"list": "popular", "n": 1000},
		{"list": "search"},
		{"list": "popular_store", "store": " "},
		{"mix": []map[string]any{{"list": "popular_segment"}, {"list": "popular"}}},
		{"list": "popular_segment", "segment": "no such segment"},
		{"list": "popular", "filters": map[string]any{"min_price": "20", "max_price": "10"}},
	} {
		if code := w.ask(w.secret, "POST", "/recommend", body, nil); code < 400 || code >= 500 {
			t.Errorf("%v is answered %d", body, code)
		}
	}
}
