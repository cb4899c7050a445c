package core_test

import (
	"slices"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/occasion"
)

// conclude lets models say something of ada.
func (w *world) conclude(kv ...any) {
	w.t.Helper()
	var list []event.Value
	for i := 0; i < len(kv); i += 2 {
		item := object("name", kv[i])
		v := event.Value{}
		if kv[i+1] != nil {
			v = value(kv[i+1])
		}
		var b event.Builder
		item.Each(func(key string, v event.Value) bool { b.Set(key, v); return true })
		list = append(list, event.Nested(b.Set("value", v).Object()))
	}
	w.n++
	e := w.track(event.PredictionMade)
	e.Trust = event.Own
	var b event.Builder
	e.Props = b.SetText("model", "occasion").Set("predictions", event.ListOf(list...)).Object()
	w.hear(e)
}

// knows reports whether anything, in the profile or in the history, tells of ada's
// new baby.
func (w *world) knows() (profile, history bool) {
	_, profile = w.ada().Prediction("occasion.new-baby", w.now)
	for _, events := range w.history {
		history = history || slices.ContainsFunc(events, func(e *event.Event) bool { return e.Name == event.PredictionMade })
	}
	return profile, history
}

func TestNothingIsKeptOfALifeWithoutItsOwnConsent(t *testing.T) {
	t.Parallel()
	start := func() *world {
		w := open(t, definitions{})
		w.pr.Occasions = occasion.NewSet([]*occasion.Definition{{Name: "new-baby", Purpose: "occasions"}})
		w.agrees() // to be written to, which is another matter
		return w
	}
	consent := func(w *world, state string) {
		w.wait(time.Minute)
		w.says(event.ConsentChanged, "channel", "email", "purpose", "occasions", "state", state, "evidence", "preference page")
	}

	w := start()
	w.conclude("occasion.new-baby", "0.9")
	if inProfile, inHistory := w.knows(); inProfile || inHistory {
		t.Errorf("without consent: in the profile %t, in the history %t", inProfile, inHistory)
	}
	consent(w, "granted")
	w.conclude("occasion.new-baby", "0.9", "occasion.new-baby.start", "2024-05-01")
	if inProfile, _ := w.knows(); !inProfile {
		t.Error("with consent it is not kept")
	}
	w.conclude("occasion.unheard-of", "0.9")
	if _, ok := w.ada().Prediction("occasion.unheard-of", w.now); ok {
		t.Error("an occasion that nobody declared is kept")
	}
	w.conclude("clv", "120")
	consent(w, "withdrawn")
	if inProfile, _ := w.knows(); inProfile {
		t.Error("it is kept after the consent was withdrawn")
	}
	if _, ok := w.ada().Prediction("occasion.new-baby.start", w.now); ok {
		t.Error("its beginning is kept after the consent was withdrawn")
	}
	if _, ok := w.ada().Prediction("clv", w.now); !ok {
		t.Error("what is no occasion was forgotten too")
	}
	consent(w, "granted")
	if inProfile, _ := w.knows(); inProfile {
		t.Error("a consent brings back what was forgotten")
	}

	w = start()
	consent(w, "granted")
	w.conclude("occasion.new-baby", "0.9")
	w.wait(time.Minute)
	w.conclude("occasion.new-baby", nil)
	if inProfile, _ := w.knows(); inProfile {
		t.Error("a word that was taken back stands")
	}
}
