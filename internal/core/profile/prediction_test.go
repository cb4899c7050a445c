package profile_test

import (
	"reflect"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// predicted is the event by which a model says the value, good for a day.
func predicted(id string, at event.Time, trust event.Trust, name string, v any) event.Event {
	said := object("name", name, "value", v, "until", event.Int(int64(at.Add(day))), "evidence", "6 orders, 31 days apart")
	return event.Event{ID: event.ID(id), Type: event.System, Name: event.PredictionMade, At: at, Trust: trust, Props: object("model", "bg_nbd", "predictions", []event.Object{said})}
}

func TestAPredictionHoldsUntilItsTimeIsOver(t *testing.T) {
	t.Parallel()
	p := fold(profile.New(identity.ID{1}), predicted("a", noon, event.Own, "clv", 120))
	got, ok := p.Prediction("clv", noon)
	if !ok || got.Value != event.Int(120) || got.Model != "bg_nbd" || got.Evidence != "6 orders, 31 days apart" {
		t.Errorf("the prediction is %+v, %v", got, ok)
	}
	if _, ok := p.Prediction("clv", noon.Add(day)); ok {
		t.Error("it is still said when its time is over")
	}
	if _, ok := p.Prediction("aov", noon); ok {
		t.Error("something is said that nobody said")
	}
	if p.Last != 0 || p.Session.Count != 0 {
		t.Error("what a model says counts as a visit")
	}
}

func TestOnlyTheProductItselfPredicts(t *testing.T) {
	t.Parallel()
	p := fold(profile.New(identity.ID{1}), predicted("a", noon, event.Server, "clv", 1_000_000))
	if _, ok := p.Prediction("clv", noon); ok {
		t.Error("a tracking call made a prediction")
	}
}

func TestTheNewestPredictionStandsInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	first, second := predicted("a", noon, event.Own, "clv", 1), predicted("b", noon.Add(hour), event.Own, "clv", 2)
	ahead := fold(profile.New(identity.ID{1}), first, second)
	behind := fold(profile.New(identity.ID{1}), second, first)
	if !reflect.DeepEqual(ahead.Predictions, behind.Predictions) {
		t.Errorf("%+v\n%+v", ahead.Predictions, behind.Predictions)
	}
	if got, _ := ahead.Prediction("clv", noon.Add(hour)); got.Value != event.Int(2) {
		t.Errorf("the value is %v", got.Value)
	}
	back := fold(ahead, predicted("c", noon.Add(2*hour), event.Own, "clv", nil))
	if _, ok := back.Prediction("clv", noon.Add(2*hour)); ok {
		t.Error("a prediction that was taken back is said")
	}
}

func TestTooManyPredictionsForgetTheOldest(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	for i := range profile.MaxPredictions + 1 {
		name := "need." + string(rune('a'+i/26)) + string(rune('a'+i%26))
		p = fold(p, predicted(name, noon+event.Time(i), event.Own, name, i))
	}
	_, first := p.Prediction("need.aa", noon)
	_, second := p.Prediction("need.ab", noon)
	if len(p.Predictions) != profile.MaxPredictions || first || !second {
		t.Errorf("%d are kept, the first %v, the second %v", len(p.Predictions), first, second)
	}
}
