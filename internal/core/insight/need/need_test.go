package need_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/need"
)

const day = 24 * time.Hour

var start = event.At(time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC))

// world makes the purchases of a shop whose customers are as the model thinks.
func world(seed uint64, people, families int, days float64) []need.History {
	r := rand.New(rand.NewPCG(seed, 4))
	usual := make([]float64, families)
	for j := range usual {
		usual[j] = math.Log(30) + 0.4*r.NormFloat64()
	}
	var list []need.History
	for i := range people {
		pace := 0.5 * r.NormFloat64()
		for j := range families {
			if r.Float64() > 0.3 {
				continue
			}
			habit := 0.3 * r.NormFloat64()
			h := need.History{Person: fmt.Sprint("p", i), Family: fmt.Sprint("f", j)}
			for at := r.Float64() * days; at < days; {
				h.At = append(h.At, start.Add(time.Duration(at*float64(day))))
				if r.Float64() < 0.05 {
					break
				}
				at += 1 + math.Exp(usual[j]+pace+habit+0.3*r.NormFloat64())
			}
			if len(h.At) > 0 {
				list = append(list, h)
			}
		}
	}
	return list
}

func TestKnownParametersAreFoundAgain(t *testing.T) {
	t.Parallel()
	m, err := need.Fit(world(1, 500, 60, 540), start.Add(540*day))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what              string
		got, want, atMost float64
	}{
		{"mean", m.Mean, math.Log(30), 0.15},
		{"families", m.Family, 0.4, 0.12},
		{"people", m.Person, 0.5, 0.06},
		{"habit", m.Habit, 0.3, 0.05},
		{"chance", m.Chance, 0.3, 0.03},
		{"gone after the first", m.Gone[0], 0.05, 0.03},
		{"gone after later ones", m.Gone[2], 0.05, 0.03},
	} {
		if math.Abs(c.got-c.want) > c.atMost {
			t.Errorf("%s: %.3f, and %.3f is true", c.what, c.got, c.want)
		}
	}
}

func TestDatesAreNearerThanTheLastOrTheMeanGapAndChancesComeTrue(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		c, err := need.Backtest(world(seed+10, 300, 40, 450), start.Add(360*day), start.Add(450*day))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %d pairs, %.1f days off; last gap %.1f, mean gap %.1f, family %.1f, the middle %.1f", seed, c.Pairs, c.Model, c.Last, c.Average, c.Family, c.Middle)
		if !(c.Pairs > 500 && c.Model < c.Last && c.Model < c.Average && c.Model < c.Family && c.Model < c.Middle) {
			t.Errorf("seed %d: %+v", seed, c)
		}
		for _, b := range c.Bins {
			if math.Abs(b.Predicted-b.Actual) > 0.08 {
				t.Errorf("seed %d: %.2f was said of %d pairs and %.2f came", seed, b.Predicted, b.N, b.Actual)
			}
		}
	}
}

func TestADateRollsForwardAndTheChanceFalls(t *testing.T) {
	t.Parallel()
	histories := world(2, 300, 30, 360)
	m, err := need.Fit(histories, start.Add(360*day))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, h := range histories {
		if len(h.At) < 4 {
			continue
		}
		checked++
		last := h.At[len(h.At)-1]
		var before need.Forecast
		for d := range 400 {
			now := last.Add(time.Duration(d) * day)
			f, ok := m.Forecast(h, now, need.Horizon)
			if !ok || f.At <= now || f.Early > f.At || f.At > f.Late || f.Late > now.Add(need.Horizon) || !(f.Chance >= 0 && f.Chance <= f.Likely && f.Likely <= 1) {
				t.Fatalf("%s %s, %d days later: %+v", h.Person, h.Family, d, f)
			}
			if d > 0 && (f.At < before.At || f.Likely > before.Likely) {
				t.Fatalf("%s %s: on day %d %s with %.3f, the day before %s with %.3f", h.Person, h.Family, d, f.At, f.Likely, before.At, before.Likely)
			}
			before = f
		}
		if before.Likely > 0.7 {
			t.Errorf("%s %s: still likely (%.2f) a year after the last purchase, with a gap of %.0f days", h.Person, h.Family, before.Likely, before.Typical)
		}
		if checked == 50 {
			return
		}
	}
}

func TestOneGapMakesNoHabitAndManyDo(t *testing.T) {
	t.Parallel()
	now := start.Add(360 * day)
	m, err := need.Fit(world(3, 300, 30, 360), now)
	if err != nil {
		t.Fatal(err)
	}
	usual, _ := m.Usual("f1")
	every := func(n int, days float64) float64 {
		h := need.History{Person: "new", Family: "f1"}
		for i := range n + 1 {
			h.At = append(h.At, now.Add(-time.Duration(float64(n-i)*days*float64(day))))
		}
		f, ok := m.Forecast(h, now, need.Horizon)
		if !ok || f.Gaps != n {
			t.Fatalf("%+v", f)
		}
		return f.Typical
	}
	own := usual / 3
	few, many := every(1, own), every(20, own)
	if !(own < many && many < few && few < usual) || math.Abs(many/own-1) > 0.15 {
		t.Errorf("usual %.1f, own %.1f: one gap says %.1f, twenty say %.1f", usual, own, few, many)
	}
}

func TestWhatComesLaterIsNotLookedAt(t *testing.T) {
	t.Parallel()
	all, now := world(4, 200, 30, 500), start.Add(300*day)
	var known []need.History
	for _, h := range all {
		n, _ := slices.BinarySearch(h.At, now+1)
		known = append(known, need.History{Person: h.Person, Family: h.Family, At: h.At[:n]})
	}
	slices.Reverse(known) // nor is the order in which they come
	a, err := need.Fit(all, now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := need.Fit(known, now)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range all[:200] {
		fa, oka := a.Forecast(h, now, need.Horizon)
		fb, okb := b.Forecast(known[len(known)-1-i], now, need.Horizon)
		if fa != fb || oka != okb {
			t.Fatalf("%s %s: %+v and %+v", h.Person, h.Family, fa, fb)
		}
	}
}

func TestPurchasesOfOneDayAreOneNeed(t *testing.T) {
	t.Parallel()
	now := start.Add(400 * day)
	m, err := need.Fit(world(5, 200, 30, 360), now)
	if err != nil {
		t.Fatal(err)
	}
	once := need.History{Person: "p1", Family: "f2", At: []event.Time{start, start.Add(20 * day)}}
	twice := need.History{Person: "p1", Family: "f2", At: []event.Time{start, start.Add(time.Hour), start.Add(20 * day), start.Add(20*day + 5*time.Hour)}}
	a, _ := m.Forecast(once, now, need.Horizon)
	b, _ := m.Forecast(twice, now, need.Horizon)
	if a.Gaps != 1 || b.Gaps != 1 || math.Abs(a.Typical-b.Typical) > 1e-9 {
		t.Errorf("%+v and %+v", a, b)
	}
}

func TestTooLittleIsRefusedAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := need.Fit(world(6, 20, 5, 200), start.Add(200*day))
	var r need.Refused
	if !errors.As(err, &r) || r.People >= need.LeastPeople && r.Gaps >= need.LeastGaps {
		t.Fatalf("%v", err)
	}
	if _, err := need.Fit(nil, start); err == nil || err.Error() != "0 gaps between two purchases of the same thing by 0 customers; it takes 200 by 30" {
		t.Errorf("%v", err)
	}
	m, err := need.Fit(world(7, 200, 30, 360), start.Add(360*day))
	if err != nil {
		t.Fatal(err)
	}
	for what, h := range map[string]need.History{
		"an unknown family":     {Person: "p1", Family: "sofas", At: []event.Time{start}},
		"nothing bought":        {Person: "p1", Family: "f1"},
		"nothing bought by now": {Person: "p1", Family: "f1", At: []event.Time{start.Add(400 * day)}},
	} {
		if f, ok := m.Forecast(h, start.Add(360*day), need.Horizon); ok {
			t.Errorf("%s: %+v", what, f)
		}
	}
}

func TestDueComesSoonestFirst(t *testing.T) {
	t.Parallel()
	histories, now := world(8, 200, 30, 360), start.Add(360*day)
	m, err := need.Fit(histories, now)
	if err != nil {
		t.Fatal(err)
	}
	var own []need.History
	for _, h := range histories {
		if h.Person == "p7" {
			own = append(own, h)
		}
	}
	list := m.Due(own, now, need.Horizon, 0.2)
	if len(list) < 2 || !slices.IsSortedFunc(list, func(a, b need.Forecast) int { return int(a.At - b.At) }) {
		t.Fatalf("%+v", list)
	}
	for _, f := range list {
		if f.Chance < 0.2 {
			t.Errorf("%s has a chance of %.2f", f.Family, f.Chance)
		}
	}
}
