package predict

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Models returns the models of the product, in the order in which they run.
func Models() []Model {
	return []Model{Worth{}, Places{}}
}

// RunHour is the hour of the shop's day at which models run: the shop sleeps, and
// what follows is there when it wakes.
const RunHour = 4

// batch is how many customers are told in one append.
const batch = 500

// Runner runs models on the clock of a data directory. It may be used by many
// goroutines; one runs models at a time.
type Runner struct {
	Models []Model
	Source Source // one that remembers something, as [Tables] does, is released after each run
	// Fresh brings what was heard up to now into the source. Default: it is there.
	Fresh func(ctx context.Context) error
	// Say appends entries to the log; they are durable when it returns.
	Say func(ctx context.Context, entries []identity.Addressed) error
	// Dir is where reports and fingerprints of what was said are kept.
	Dir string
	// Moment says for which shop models are fitted at an instant.
	Moment func(ctx context.Context, now event.Time) (Moment, error)

	mu sync.Mutex
}

// Run fits the named models as of now, or all without a name, and tells the log
// what changed. A model that fails does not keep the others from running; the
// errors are joined.
func (r *Runner) Run(ctx context.Context, now event.Time, names ...string) ([]Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range names {
		if _, err := r.model(n); err != nil {
			return nil, err
		}
	}
	m, err := r.Moment(ctx, now)
	if err != nil {
		return nil, err
	}
	if r.Fresh != nil {
		if err := r.Fresh(ctx); err != nil {
			return nil, err
		}
	}
	if held, ok := r.Source.(interface{ Release() }); ok {
		defer held.Release()
	}
	var reports []Report
	var errs []error
	for _, model := range r.Models {
		if len(names) > 0 && !slices.Contains(names, model.About().Name) {
			continue
		}
		report, err := r.one(ctx, model, m)
		if ctx.Err() != nil {
			return reports, ctx.Err()
		}
		if err != nil {
			errs = append(errs, fault.Wrap(fault.Internal, err, "the model "+model.About().Name))
			continue
		}
		reports = append(reports, *report)
	}
	return reports, errors.Join(errs...)
}

func (r *Runner) model(name string) (Model, error) {
	var known []string
	for _, m := range r.Models {
		if m.About().Name == name {
			return m, nil
		}
		known = append(known, m.About().Name)
	}
	return nil, fault.New(fault.NotFound, "no model is called "+strconv.Quote(name)+"; there are "+strings.Join(known, ", "))
}

func (r *Runner) one(ctx context.Context, model Model, m Moment) (*Report, error) {
	about := model.About()
	result, err := model.Fit(ctx, r.Source, m)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(r.Dir, about.Name+".said")
	before, err := readSaid(path)
	if err != nil {
		return nil, err
	}
	after, told := newSaid(), 0
	var part []identity.Addressed
	say := func() error {
		if len(part) == 0 {
			return nil
		}
		told += len(part)
		err := r.Say(ctx, part)
		part = nil
		return err
	}
	for entry := range changes(about.Name, m.Now, before, after, result.People) {
		if part = append(part, entry); len(part) == batch {
			if err := say(); err != nil {
				return nil, err
			}
		}
	}
	if err := say(); err != nil {
		return nil, err
	}
	if err := after.write(path); err != nil {
		return nil, err
	}
	report := result.Report
	report.Model, report.At, report.Predicted, report.Said = about.Name, m.Now, len(result.People), told
	raw, err := json.Marshal(&report)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "writing the report")
	}
	return &report, replace(filepath.Join(r.Dir, about.Name+".json"), raw)
}

// changes compares what a model says with what it said last, and yields an entry for
// each customer about whom something changed, in the order of their ids. After is
// what it has said once all of them are told.
func changes(model string, now event.Time, before, after *said, people []Of) iter.Seq[identity.Addressed] {
	for _, n := range before.names {
		after.of(n)
	}
	entry := func(id identity.ID, list []event.Value) identity.Addressed {
		var b event.Builder
		b.SetText("model", model+" "+now.Time().Format(time.DateOnly)).Set("predictions", event.ListOf(list...))
		return identity.Addressed{To: id, Event: event.Event{
			ID:   event.ID("predict:" + model + ":" + strconv.FormatInt(int64(now), 36) + ":" + id.String()),
			Type: event.Track, Name: event.PredictionMade, At: now, Trust: event.Own, Source: "rapport", Props: b.Object(),
		}}
	}
	return func(yield func(identity.Addressed) bool) {
		left := before.ids() // of whom something was said last
		for i := range people {
			one := &people[i]
			for len(left) > 0 && left[0].Compare(one.Profile) < 0 {
				if !yield(entry(left[0], before.takenBack(left[0]))) {
					return
				}
				left = left[1:]
			}
			if len(left) > 0 && left[0] == one.Profile {
				left = left[1:]
			}
			if list := one.changes(before, after); len(list) > 0 && !yield(entry(one.Profile, list)) {
				return
			}
		}
		for _, id := range left {
			if !yield(entry(id, before.takenBack(id))) {
				return
			}
		}
	}
}

// changes returns what is new about a customer, and notes what is said by now.
func (of *Of) changes(before, after *said) (list []event.Value) {
	old := before.people[of.Profile]
	words := make([]word, 0, len(of.Predictions))
	for k := range of.Predictions {
		p := &of.Predictions[k]
		w := word{after.of(p.Name), p.fingerprint()}
		if p.Value.Kind != event.Null {
			words = append(words, w)
		}
		if !slices.Contains(old, w) && (p.Value.Kind != event.Null || spoke(old, w.name)) {
			list = append(list, p.item())
		}
	}
	for _, w := range old {
		if !slices.ContainsFunc(of.Predictions, func(p Prediction) bool { return p.Name == before.names[w.name] }) {
			list = append(list, takeBack(before.names[w.name]))
		}
	}
	if len(words) > 0 {
		after.people[of.Profile] = words
	}
	return list
}

// takenBack takes back all that was said of a customer.
func (s *said) takenBack(id identity.ID) (list []event.Value) {
	for _, w := range s.people[id] {
		list = append(list, takeBack(s.names[w.name]))
	}
	return list
}

func spoke(words []word, name int) bool {
	return slices.ContainsFunc(words, func(w word) bool { return w.name == name })
}

func (p *Prediction) item() event.Value {
	var b event.Builder
	b.SetText("name", p.Name).Set("value", p.Value)
	if p.Until != 0 {
		b.Set("until", event.Int(int64(p.Until)))
	}
	b.SetText("evidence", p.Evidence)
	return event.Nested(b.Object())
}

func takeBack(name string) event.Value {
	var b event.Builder
	b.SetText("name", name).Set("value", event.Value{Kind: event.Null})
	return event.Nested(b.Object())
}

// Abouts says what each model is.
func (r *Runner) Abouts() []About {
	list := make([]About, len(r.Models))
	for i, m := range r.Models {
		list[i] = m.About()
	}
	return list
}

// Reports returns the last report of each model, in the order of the models; one
// that never ran has a report without an instant.
func (r *Runner) Reports() ([]Report, error) {
	list := make([]Report, 0, len(r.Models))
	for _, m := range r.Models {
		name := m.About().Name
		report := Report{Model: name}
		raw, err := os.ReadFile(filepath.Join(r.Dir, name+".json"))
		if err == nil {
			err = report.read(raw)
		}
		if err != nil && !os.IsNotExist(err) {
			return nil, fault.Wrap(fault.Corrupt, err, "the report of the model "+name+"; rapport predict run writes it anew")
		}
		list = append(list, report)
	}
	return list, nil
}

// read reads a report as it is kept.
func (r *Report) read(raw []byte) error {
	kept := struct {
		*Report
		At time.Time `json:"at"`
	}{Report: r}
	if err := json.Unmarshal(raw, &kept); err != nil {
		return err
	}
	r.At = event.At(kept.At)
	return nil
}

// Next returns the first instant after now at which models should run: the next
// RunHour of the shop's day.
func Next(now event.Time, zone *time.Location) event.Time {
	t := now.In(zone)
	for day := 0; ; day++ {
		at := event.At(time.Date(t.Year(), t.Month(), t.Day()+day, RunHour, 0, 0, 0, zone))
		if at > now {
			return at
		}
	}
}
