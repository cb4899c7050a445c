package predict

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	after, entries := changes(about.Name, m.Now, before, result.People)
	for part := range slices.Chunk(entries, batch) {
		if err := r.Say(ctx, part); err != nil {
			return nil, err
		}
	}
	if err := after.write(path); err != nil {
		return nil, err
	}
	report := result.Report
	report.Model, report.At, report.Predicted, report.Said = about.Name, m.Now, len(result.People), len(entries)
	raw, err := json.Marshal(&report)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "writing the report")
	}
	return &report, replace(filepath.Join(r.Dir, about.Name+".json"), raw)
}

// changes compares what a model says with what it said last, and returns what it
// has said now and an entry for each customer about whom something changed.
func changes(model string, now event.Time, before *said, people []Of) (*said, []identity.Addressed) {
	after := newSaid()
	for _, n := range before.names {
		after.of(n)
	}
	var entries []identity.Addressed
	tell := func(id identity.ID, list []event.Value) {
		if len(list) == 0 {
			return
		}
		var b event.Builder
		b.SetText("model", model+" "+now.Time().Format(time.DateOnly)).Set("predictions", event.ListOf(list...))
		entries = append(entries, identity.Addressed{To: id, Event: event.Event{
			ID:   event.ID("predict:" + model + ":" + strconv.FormatInt(int64(now), 36) + ":" + id.String()),
			Type: event.Track, Name: event.PredictionMade, At: now, Trust: event.Own, Source: "rapport", Props: b.Object(),
		}})
	}
	for i := range people {
		one := &people[i]
		old := before.people[one.Profile]
		words := make([]word, 0, len(one.Predictions))
		var list []event.Value
		for k := range one.Predictions {
			p := &one.Predictions[k]
			w := word{after.of(p.Name), p.fingerprint()}
			if p.Value.Kind != event.Null {
				words = append(words, w)
			}
			if !slices.Contains(old, w) && (p.Value.Kind != event.Null || spoke(old, w.name)) {
				list = append(list, p.item())
			}
		}
		for _, w := range old {
			if !slices.ContainsFunc(one.Predictions, func(p Prediction) bool { return p.Name == before.names[w.name] }) {
				list = append(list, takeBack(before.names[w.name]))
			}
		}
		if len(words) > 0 {
			after.people[one.Profile] = words
		}
		tell(one.Profile, list)
	}
	here := make(map[identity.ID]bool, len(people))
	for i := range people {
		here[people[i].Profile] = true
	}
	for _, id := range before.ids() {
		if here[id] {
			continue
		}
		var list []event.Value
		for _, w := range before.people[id] {
			list = append(list, takeBack(before.names[w.name]))
		}
		tell(id, list)
	}
	slices.SortFunc(entries, func(a, b identity.Addressed) int { return bytes.Compare(a.To[:], b.To[:]) })
	return after, entries
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
