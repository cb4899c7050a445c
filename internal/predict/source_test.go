package predict_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
)

// shop is a source that holds what it tells.
type shop struct {
	orders []predict.Order
	lines  []predict.Line
	events []predict.Event
}

// who returns the id of the n-th customer; ids are in the order of the numbers.
func who(n int) identity.ID { return identity.ID{byte(n >> 16), byte(n >> 8), byte(n), 1} }

// sort puts everything into the order that a source promises.
func (s *shop) sort() *shop {
	slices.SortStableFunc(s.orders, func(a, b predict.Order) int { return order(a.Profile, b.Profile, a.At, b.At) })
	slices.SortStableFunc(s.lines, func(a, b predict.Line) int { return order(a.Profile, b.Profile, a.At, b.At) })
	slices.SortStableFunc(s.events, func(a, b predict.Event) int { return order(a.Profile, b.Profile, a.At, b.At) })
	return s
}

func order(a, b identity.ID, at, bt event.Time) int {
	if c := slices.Compare(a[:], b[:]); c != 0 {
		return c
	}
	return int(min(1, max(-1, at-bt)))
}

func (s *shop) Orders(_ context.Context, before event.Time) iter.Seq2[predict.Order, error] {
	return func(yield func(predict.Order, error) bool) {
		for _, o := range s.orders {
			if o.At < before && !yield(o, nil) {
				return
			}
		}
	}
}

func (s *shop) Lines(_ context.Context, before event.Time) iter.Seq2[predict.Line, error] {
	return func(yield func(predict.Line, error) bool) {
		for _, l := range s.lines {
			if l.At < before && !yield(l, nil) {
				return
			}
		}
	}
}

func (s *shop) Events(_ context.Context, before event.Time, names ...string) iter.Seq2[predict.Event, error] {
	return func(yield func(predict.Event, error) bool) {
		for _, e := range s.events {
			if e.At < before && (len(names) == 0 || slices.Contains(names, e.Name)) && !yield(e, nil) {
				return
			}
		}
	}
}

// buys adds an order of one line.
func (s *shop) buys(n int, at event.Time, sku, category string) {
	id := fmt.Sprint("o", len(s.orders))
	s.orders = append(s.orders, predict.Order{Profile: who(n), ID: id, At: at, Net: 20e6, Currency: "GBP", Units: 1000, Channel: "web"})
	s.lines = append(s.lines, predict.Line{Profile: who(n), Order: id, At: at, SKU: sku, Name: "a " + sku, Category: category, Quantity: 1000, Price: 20e6})
}

// does adds an event.
func (s *shop) does(n int, at event.Time, name string, kv ...string) {
	var b event.Builder
	device := ""
	for i := 0; i < len(kv); i += 2 {
		b.SetText(kv[i], kv[i+1])
		if kv[i] == "device" {
			device = kv[i+1]
		}
	}
	e := predict.Told(who(n), &event.Event{At: at, Name: name, Props: b.Object()})
	e.Device = device
	s.events = append(s.events, e)
}

// asOf is when models are fitted.
func asOf(now event.Time) predict.Moment {
	return predict.Moment{Now: now, Zone: time.UTC, Currency: "GBP", Margin: 1}
}

// fit fits a model, whose result must keep the promises of [predict.Result].
func fit(t *testing.T, m predict.Model, s *shop, now event.Time) *predict.Result {
	t.Helper()
	r, err := m.Fit(t.Context(), s, asOf(now))
	if err != nil {
		t.Fatal(err)
	}
	if r.Report.Refused != "" && len(r.People) > 0 {
		t.Errorf("%s refuses, %s, and predicts of %d people", m.About().Name, r.Report.Refused, len(r.People))
	}
	for i, of := range r.People {
		if i > 0 && slices.Compare(r.People[i-1].Profile[:], of.Profile[:]) >= 0 {
			t.Fatalf("%s: people are not in order, or come twice", m.About().Name)
		}
		for k, p := range of.Predictions {
			known := slices.ContainsFunc(m.About().Predicts, func(name string) bool {
				return p.Name == name || name[len(name)-1] == '.' && len(p.Name) > len(name) && p.Name[:len(name)] == name
			})
			// Evidence is read long after it was said: what counts back from then is untrue.
			if strings.Contains(p.Evidence, " ago") || strings.Contains(p.Evidence, "yesterday") || strings.Contains(p.Evidence, "today") {
				t.Fatalf("%s: %+v", m.About().Name, p)
			}
			if !known || p.Evidence == "" || len(p.Evidence) > 400 || k > 0 && of.Predictions[k-1].Name >= p.Name {
				t.Fatalf("%s: %+v", m.About().Name, p)
			}
		}
	}
	return r
}

// of returns what is predicted of a customer under a name.
func of(r *predict.Result, n int, name string) (predict.Prediction, bool) {
	for _, o := range r.People {
		for _, p := range o.Predictions {
			if o.Profile == who(n) && p.Name == name {
				return p, true
			}
		}
	}
	return predict.Prediction{}, false
}

// figure returns a figure of a report.
func figure(t *testing.T, r *predict.Report, name string) float64 {
	t.Helper()
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("the report has no figure %q: %+v", name, r.Figures)
	return 0
}

// retailYear returns the Online Retail year: what known customers bought and sent
// back.
func retailYear(t *testing.T) (s *shop, end event.Time) {
	t.Helper()
	s = &shop{}
	numbers := map[string]int{}
	var last *predict.Order
	err := retail.Rows(func(r retail.Row) bool {
		if r.Customer == "" || r.Price <= 0 || r.Quantity == 0 || !retail.IsProduct(r.SKU) {
			return true
		}
		n, known := numbers[r.Customer]
		if !known {
			n = len(numbers)
			numbers[r.Customer] = n
		}
		kind := profile.Completed
		if r.Returned() {
			kind = profile.Refunded
		}
		if last == nil || last.ID != r.Invoice {
			s.orders = append(s.orders, predict.Order{Profile: who(n), ID: r.Invoice, Kind: kind, At: r.At, Currency: retail.Currency, Channel: "web"})
			last = &s.orders[len(s.orders)-1]
		}
		last.Net += r.Net()
		last.Units += r.Quantity * 1000
		s.lines = append(s.lines, predict.Line{Profile: who(n), Order: r.Invoice, Kind: kind, At: r.At, SKU: r.SKU, Name: r.Description, Quantity: r.Quantity * 1000, Price: r.Price})
		end = max(end, r.At)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.sort(), end + 1
}
