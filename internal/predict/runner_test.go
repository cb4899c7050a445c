package predict_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/predict"
)

// echo is a model that says what it is told.
type echo struct {
	people  []predict.Of
	refused string
	err     error
}

func (m *echo) About() predict.About {
	return predict.About{Name: "echo", Predicts: []string{"a", "b"}}
}

func (m *echo) Fit(context.Context, predict.Source, predict.Moment) (*predict.Result, error) {
	if m.err != nil {
		return nil, m.err
	}
	return &predict.Result{People: m.people, Report: predict.Report{Customers: len(m.people), Refused: m.refused}}, nil
}

// told collects what is said to the log.
type told struct{ entries []identity.Addressed }

func (l *told) say(_ context.Context, entries []identity.Addressed) error {
	l.entries = append(l.entries, entries...)
	return nil
}

// lines returns what was told since the last call, a line for each prediction.
func (l *told) lines() (out []string) {
	for _, e := range l.entries {
		list, _ := e.Event.Props.Get("predictions")
		list.Items(func(v event.Value) bool {
			out = append(out, fmt.Sprintf("%d %s=%s", e.To[0], v.Object().Text("name"), v.Object().Text("value")))
			return true
		})
	}
	l.entries = nil
	return out
}

func runner(t *testing.T, m predict.Model, l *told, dir string) *predict.Runner {
	t.Helper()
	return &predict.Runner{Models: []predict.Model{m}, Say: l.say, Dir: dir, Moment: func(_ context.Context, now event.Time) (predict.Moment, error) {
		return predict.Moment{Now: now, Zone: time.UTC, Currency: "GBP", Margin: 1}, nil
	}}
}

func says(who byte, pairs ...string) predict.Of {
	o := predict.Of{Profile: identity.ID{who}}
	for i := 0; i < len(pairs); i += 2 {
		v := event.Text(pairs[i+1])
		if pairs[i+1] == "" {
			v = event.Value{}
		}
		o.Predictions = append(o.Predictions, predict.Prediction{Name: pairs[i], Value: v, Evidence: "as told"})
	}
	return o
}

func TestOnlyWhatChangedIsTold(t *testing.T) {
	t.Parallel()
	m, l, dir := &echo{}, &told{}, t.TempDir()
	at := event.At(time.Date(2011, 3, 1, 4, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		what   string
		people []predict.Of
		want   []string
	}{
		{"everything the first time", []predict.Of{says(1, "a", "x", "b", "y"), says(2, "a", "x")}, []string{"1 a=x", "1 b=y", "2 a=x"}},
		{"nothing when nothing changed", []predict.Of{says(1, "a", "x", "b", "y"), says(2, "a", "x")}, nil},
		{"one value that changed", []predict.Of{says(1, "a", "z", "b", "y"), says(2, "a", "x")}, []string{"1 a=z"}},
		{"a value that is no longer said is taken back", []predict.Of{says(1, "a", "z"), says(2, "a", "x")}, []string{"1 b="}},
		{"null takes back once", []predict.Of{says(1, "a", ""), says(2, "a", "x")}, []string{"1 a="}},
		{"and not again", []predict.Of{says(1, "a", ""), says(2, "a", "x")}, nil},
		{"who is no longer spoken of loses everything", []predict.Of{says(1, "b", "y")}, []string{"1 b=y", "2 a="}},
		{"what comes back is told again", []predict.Of{says(1, "b", "y"), says(2, "a", "x")}, []string{"2 a=x"}},
		{"who comes new stands among the others", []predict.Of{says(1, "b", "y"), says(2, "a", "x"), says(4, "a", "x"), says(9, "a", "x")}, []string{"4 a=x", "9 a=x"}},
		{"who leaves does too", []predict.Of{says(2, "a", "x"), says(3, "a", "x"), says(8, "a", "x")}, []string{"1 b=", "3 a=x", "4 a=", "8 a=x", "9 a="}},
		{"and so when nobody is left", nil, []string{"2 a=", "3 a=", "8 a="}},
	} {
		m.people, at = c.people, at.Add(24*time.Hour)
		// A runner of its own each time: what was said is on disk.
		reports, err := runner(t, m, l, dir).Run(t.Context(), at)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := l.lines(); !slices.Equal(got, c.want) {
			t.Errorf("%s: told %q, want %q", c.what, got, c.want)
		}
		kept, err := runner(t, m, l, dir).Reports()
		if err != nil || len(kept) != 1 || kept[0].At != at || kept[0].Said != reports[0].Said {
			t.Errorf("%s: the report kept is %+v, %v; want %+v", c.what, kept, err, reports)
		}
	}
}

func TestAnUnknownModelRunsNothing(t *testing.T) {
	t.Parallel()
	l := &told{}
	r := runner(t, &echo{people: []predict.Of{says(1, "a", "x")}}, l, t.TempDir())
	if _, err := r.Run(t.Context(), 1, "echo", "ecko"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown model gives %v", err)
	}
	if got := l.lines(); got != nil {
		t.Errorf("%q was told all the same", got)
	}
}

func TestAModelThatFailsTellsNothingAndKeepsItsLastReport(t *testing.T) {
	t.Parallel()
	m, l, dir := &echo{people: []predict.Of{says(1, "a", "x")}}, &told{}, t.TempDir()
	r := runner(t, m, l, dir)
	if _, err := r.Run(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	l.lines()
	m.err, m.people = fault.New(fault.Unavailable, "the source cannot be read"), nil
	if _, err := r.Run(t.Context(), 2000); err == nil {
		t.Error("a failed model is no error")
	}
	if got := l.lines(); got != nil {
		t.Errorf("a failed model took back %q", got)
	}
	if kept, err := r.Reports(); err != nil || kept[0].At != 1000 {
		t.Errorf("the report kept is %+v, %v", kept, err)
	}
}

func TestModelsRunAtFourOfTheShopsClock(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Skip("this machine has no time zones")
	}
	for _, c := range []struct{ now, want string }{
		{"2011-03-01T03:59:59Z", "2011-03-01T04:00:00Z"},
		{"2011-03-01T04:00:00Z", "2011-03-02T04:00:00Z"},
		{"2011-03-26T12:00:00Z", "2011-03-27T03:00:00Z"}, // summer time began that night
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		if got := predict.Next(event.At(now), london).Time().Format(time.RFC3339); got != c.want {
			t.Errorf("after %s models run at %s, want %s", c.now, got, c.want)
		}
	}
}
