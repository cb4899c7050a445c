package predict

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/intent"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// IntentName is the name of the prediction of purchase intent: the chance that the
// visit under way ends in an order.
const IntentName = "intent"

// BaseRate is the name of the figure that says which share of all visits ends in an
// order.
const BaseRate = "base rate"

// mostVisits bounds the visits that are learned from, the latest first of those who
// were here last: more take longer and say the same.
const mostVisits = 60_000

// visitEvents are the events of which a visit is made.
var visitEvents = []string{
	event.PageViewed, event.ScreenViewed, event.ProductSearched, event.ListViewed, event.ProductViewed, event.ProductAdded, event.ProductRemoved,
	event.CartViewed, event.CheckoutStarted, event.OrderCompleted,
}

// Intent is the model of purchase intent. The daily run tells it only of those who
// are here at that moment; whoever serves a page asks [Intent.Now].
type Intent struct {
	// Dir is where the fitted model is kept, so that it answers after a start before
	// it is fitted anew. Empty: it is not kept.
	Dir string

	mu     sync.Mutex
	read   bool // what was kept was looked at
	fitted *intent.Model
	zone   *time.Location
}

// About says what the model is.
func (*Intent) About() About {
	return About{
		Name: IntentName, Title: "How likely a visit ends in an order", Predicts: []string{IntentName},
		Needs: []Need{
			{"visits with something looked at", intent.LeastVisits}, {"of them that ended in an order", intent.LeastOrders}, {"and that did not", intent.LeastOthers},
		},
	}
}

// StepOf returns the step that an event is.
func StepOf(e *Event) intent.Step {
	return intent.Step{At: e.At, Name: e.Name, Product: e.Product, Device: e.Device, Campaign: e.Campaign}
}

// Fit learns from visits that are over, and predicts for those under way.
func (n *Intent) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	var samples []intent.Sample
	type here struct {
		who   identity.ID
		visit intent.Visit
	}
	var now []here
	var steps []intent.Step
	people, visits, every := 0, 0, 1
	flush := func(who identity.ID) {
		people++
		over := steps
		if v, ok := intent.Now(steps, m.Now); ok {
			now = append(now, here{who, v})
			for len(over) > 0 && over[len(over)-1].At >= v.Start {
				over = over[:len(over)-1] // how it ends is not known yet
			}
		}
		learned := intent.Learn(keyOf(who), over, m.Zone)
		for _, s := range learned {
			if visits%every == 0 {
				samples = append(samples, s)
			}
			visits++
		}
		for len(samples) > 2*mostVisits { // so that a large shop's are never all in memory
			for i := range (len(samples) + 1) / 2 {
				samples[i] = samples[2*i]
			}
			samples, every = samples[:(len(samples)+1)/2], 2*every
		}
		steps = steps[:0]
	}
	var who identity.ID
	for e, err := range src.Events(ctx, m.Now, visitEvents...) {
		if err != nil {
			return nil, err
		}
		if e.Origin == event.Import {
			continue // an old order comes without the visit that led to it
		}
		if e.Profile != who && len(steps) > 0 {
			flush(who)
		}
		who = e.Profile
		steps = append(steps, StepOf(&e))
	}
	if len(steps) > 0 {
		flush(who)
	}
	r := &Result{Report: Report{Customers: people}}
	samples = thinned(samples, mostVisits)
	fitted, err := intent.Train(intent.Features, samples)
	var few intent.Refused
	if errors.As(err, &few) {
		if err := n.keep(nil, m.Zone); err != nil {
			return nil, err
		}
		r.Report.Refused = few.Error()
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := n.keep(fitted, m.Zone); err != nil {
		return nil, err
	}
	intentReport(&r.Report, fitted)
	for _, h := range now {
		r.People = append(r.People, Of{h.who, []Prediction{say(fitted, h.visit, m.Zone)}})
	}
	sortPeople(r.People)
	return r, nil
}

func say(fitted *intent.Model, v intent.Visit, zone *time.Location) Prediction {
	return Prediction{
		Name: IntentName, Value: event.Num(round2(fitted.Chance(v.X(zone)))), Until: v.Last.Add(profile.SessionGap), Evidence: fitted.Evidence(v, zone),
	}
}

// keyOf hashes a customer's id, which is a hash already.
func keyOf(who identity.ID) uint64 { return binary.BigEndian.Uint64(who[:8]) }

// thinned keeps at most so many samples, evenly.
func thinned(list []intent.Sample, most int) []intent.Sample {
	if len(list) <= most {
		return list
	}
	kept := make([]intent.Sample, most)
	for i := range kept {
		kept[i] = list[i*len(list)/most]
	}
	return kept
}

func intentReport(r *Report, m *intent.Model) {
	q := &m.Quality
	r.Method = m.Method + ", better than " + m.Other.Method + " on visits left out in turn"
	r.Checked = strconv.Itoa(q.Visits) + " visits of a third of the customers, held back from the fit"
	r.Figures = []Figure{
		{"visits", float64(m.Visits)},
		{"orders", float64(m.Orders)},
		{BaseRate, digits(q.Base, 4)},
		{"AUC", digits(q.AUC, 4)},
		{"Brier score", digits(q.Brier, 4)},
		{"Brier score of the base rate", digits(q.BaseBrier, 4)},
		{"calibration slope", digits(q.Slope, 4)},
		{"calibration offset", digits(q.Offset, 4)},
		{"AUC of " + m.Other.Method, digits(m.Other.AUC, 4)},
	}
	for i, b := range q.Bins {
		r.Calibration = append(r.Calibration, Bin{Group: strconv.Itoa(i + 1), N: b.N, Predicted: digits(b.Predicted, 4), Actual: digits(b.Actual, 4)})
	}
}

// keptIntent is what is kept of a fit.
type keptIntent struct {
	Zone  string          `json:"zone"`
	Model json.RawMessage `json:"model"`
}

func (n *Intent) file() string { return filepath.Join(n.Dir, IntentName+".kept") }

// keep takes the model in force; nil: none is. A model that was refused is no longer
// kept: what it learned from may be what somebody asked to forget.
func (n *Intent) keep(fitted *intent.Model, zone *time.Location) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fitted, n.zone, n.read = fitted, zone, true
	if n.Dir == "" {
		return nil
	}
	if fitted == nil {
		if err := os.Remove(n.file()); err != nil && !os.IsNotExist(err) {
			return fault.Wrap(fault.Internal, err, "forgetting the model of intent")
		}
		return nil
	}
	raw, err := json.Marshal(keptIntent{zone.String(), fitted.Keepsake()})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "keeping the model of intent")
	}
	return replace(n.file(), raw)
}

// inForce returns the model in force and its zone: after a start the one that was
// kept. One that cannot be read is none: the next fit writes it anew.
func (n *Intent) inForce() (*intent.Model, *time.Location) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.read && n.Dir != "" {
		var k keptIntent
		raw, err := os.ReadFile(n.file())
		if err == nil && json.Unmarshal(raw, &k) == nil {
			if zone, err := time.LoadLocation(k.Zone); err == nil {
				n.fitted, n.zone = intent.Remember(k.Model, intent.Features), zone
			}
		}
	}
	n.read = true
	return n.fitted, n.zone
}

// Now predicts for a visit under way, by the model that was fitted last and the
// customer's events in the order in which they happened. It reports false if no
// model is fitted, if nobody is here, or if the visit has led to an order already.
func (n *Intent) Now(events []Event, now event.Time) (Prediction, bool) {
	fitted, zone := n.inForce()
	if fitted == nil {
		return Prediction{}, false
	}
	steps := make([]intent.Step, len(events))
	for i := range events {
		steps[i] = StepOf(&events[i])
	}
	v, ok := intent.Now(steps, now)
	if !ok {
		return Prediction{}, false
	}
	return say(fitted, v, zone), true
}
