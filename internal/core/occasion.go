package core

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/profile"
)

// pries reports whether the event says something of the customer's life to whose
// knowing they have not agreed. Such an event is dropped as a whole: it is not in
// the history either. Taking a word back is always allowed.
func (r *run) pries(e *event.Event) bool {
	if e.Name != event.PredictionMade || e.Trust != event.Own {
		return false
	}
	list, _ := e.Props.Get("predictions")
	found := false
	list.Items(func(v event.Value) bool {
		said := v.Object()
		value, _ := said.Get("value")
		found = value.Kind != event.Null && !r.mayKnow(said.Text("name"))
		return !found
	})
	return found
}

// mayKnow reports whether a prediction of the name may be kept of the customer.
func (r *run) mayKnow(prediction string) bool {
	if !strings.HasPrefix(prediction, occasion.Prefix) {
		return true
	}
	purpose, declared := r.Occasions.Purpose(prediction)
	return declared && r.p.Agrees(purpose, r.now)
}

// forget deletes what the customer does not agree, or agrees no longer, that is
// known of their life, and returns the names.
func (r *run) forget() (names []string) {
	for i := range r.p.Predictions {
		if p := &r.p.Predictions[i]; p.Value.Kind != event.Null && !r.mayKnow(p.Name) {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	r.p.Predictions = slices.DeleteFunc(slices.Clone(r.p.Predictions), func(p profile.Prediction) bool { return slices.Contains(names, p.Name) })
	return names
}
