package api_test

import (
	"slices"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
)

// models say how often a visitor looked, and keep what they were asked by.
type models struct {
	asked  []predict.Event
	intent predict.Report
	mute   bool
}

func (*models) Abouts() []predict.About { return nil }

func (m *models) Reports() ([]predict.Report, error) {
	return []predict.Report{{Model: "value"}, m.intent}, nil
}

func (m *models) Live(events []predict.Event, now event.Time) []predict.Word {
	m.asked = events
	looks := int64(0)
	for i := range events {
		if events[i].Name == event.ProductViewed {
			looks++
		}
	}
	if m.mute || looks == 0 {
		return nil
	}
	return []predict.Word{{Name: "intent", Value: event.Int(looks), At: now, Until: now.Add(profile.SessionGap), Model: "intent", Evidence: "looked"}}
}

func TestOfAVisitUnderWayItIsSaidWhatHoldsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	look := func(b *event.Builder) { b.SetText("sku", "LAMP").SetText("category", "lighting") }
	w.hear("ada", event.ProductViewed, look)
	id := w.idOf("ada")
	type said struct {
		Data []struct {
			Name, At, Until, Model, Evidence, Unit string
			Label                                  condition.Words
			Value                                  float64
		}
	}
	ask := func() (s said) {
		w.get("/customers/"+id+"/predictions", &s)
		return s
	}
	if s := ask(); len(s.Data) != 1 || s.Data[0].Name != "intent" || s.Data[0].Value != 1 || s.Data[0].At == "" || s.Data[0].Evidence != "looked" ||
		s.Data[0].Unit != "share" || s.Data[0].Label.DE == "" {
		t.Errorf("%+v", s)
	}
	w.hear("ada", event.ProductViewed, look)
	if s := ask(); len(s.Data) != 1 || s.Data[0].Value != 2 {
		t.Errorf("after another look it says %+v", s)
	}
	if e := w.models.asked; !slices.IsSortedFunc(e, func(a, b predict.Event) int { return int(a.At - b.At) }) || e[len(e)-1].Product != "LAMP" {
		t.Errorf("the model is asked by %+v", e)
	}
	w.models.asked = nil
	w.clock.Set(w.clock.Now().Add(31 * time.Minute))
	if s := ask(); len(s.Data) != 0 || w.models.asked != nil {
		t.Errorf("when the visit is over it says %+v", s)
	}
}

func TestAVisitSaysItsIntentOrWhyThereIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	look := func(b *event.Builder) { b.SetText("sku", "LAMP").SetText("category", "lighting") }
	w.hear("ada", event.PageViewed, look)
	id := w.idOf("ada")
	type visit struct {
		Here, Bought                  bool
		Looks                         int
		Silent, Missing, Ran, Checked string
		Base                          float64
		Calibration                   []predict.Bin
		Intent                        *struct {
			Value    float64
			Evidence string
		}
	}
	ask := func() (v visit) {
		w.get("/customers/"+id+"/visit", &v)
		return v
	}
	w.models.mute = true
	if v := ask(); !v.Here || v.Silent != "never_ran" || v.Intent != nil || v.Ran != "" {
		t.Errorf("before the model ran: %+v", v)
	}
	w.models.intent = predict.Report{Model: "intent", At: 5, Refused: "too few visits"}
	if v := ask(); v.Silent != "refused" || v.Missing != "too few visits" {
		t.Errorf("of a model that refuses: %+v", v)
	}
	w.models.intent = predict.Report{Model: "intent", At: 5, Checked: "9 visits", Figures: []predict.Figure{{Name: predict.BaseRate, Value: 0.14}}, Calibration: []predict.Bin{{Group: "1", N: 9, Predicted: 0.1, Actual: 0.2}}}
	w.models.mute = false
	if v := ask(); v.Silent != "nothing_looked_at" || v.Base != 0.14 || v.Looks != 0 {
		t.Errorf("before anything was looked at: %+v", v)
	}
	w.hear("ada", event.ProductViewed, look)
	if v := ask(); v.Intent == nil || v.Intent.Value != 1 || v.Intent.Evidence != "looked" || v.Silent != "" || v.Looks != 1 || v.Checked != "9 visits" || len(v.Calibration) != 1 {
		t.Errorf("after a look: %+v", v)
	}
	w.models.mute = true
	w.hear("ada", event.OrderCompleted, func(b *event.Builder) { b.SetText("order_id", "o1").SetText("currency", "GBP").SetText("total", "5") })
	if v := ask(); !v.Bought || v.Silent != "bought" || v.Intent != nil {
		t.Errorf("after the order: %+v", v)
	}
	w.clock.Set(w.clock.Now().Add(31 * time.Minute))
	if v := ask(); v.Here || v.Silent != "away" || v.Looks != 0 || v.Base != 0.14 {
		t.Errorf("when the visit is over: %+v", v)
	}
}
