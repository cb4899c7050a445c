package api_test

import (
	"slices"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
)

// models say how often a visitor looked, and keep what they were asked by.
type models struct{ asked []predict.Event }

func (*models) Abouts() []predict.About            { return nil }
func (*models) Reports() ([]predict.Report, error) { return nil, nil }

func (m *models) Live(events []predict.Event, now event.Time) []predict.Word {
	m.asked = events
	looks := int64(0)
	for i := range events {
		if events[i].Name == event.ProductViewed {
			looks++
		}
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
			Name, At, Until, Model, Evidence string
			Value                            float64
		}
	}
	ask := func() (s said) {
		w.get("/customers/"+id+"/predictions", &s)
		return s
	}
	if s := ask(); len(s.Data) != 1 || s.Data[0].Name != "intent" || s.Data[0].Value != 1 || s.Data[0].At == "" || s.Data[0].Evidence != "looked" {
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
