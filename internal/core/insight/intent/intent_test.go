package intent_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/intent"
)

// truth makes visits whose chance is known. With bend the chance depends on two
// features together, which no straight line can say.
func truth(seed uint64, n int, bend bool) (samples []intent.Sample, chance []float64) {
	r := rand.New(rand.NewPCG(seed, 9))
	for i := range n {
		x := []float64{r.NormFloat64(), r.NormFloat64() * 10, r.Float64(), 3}
		z := -1.5 + 1.2*x[0] - 0.08*x[1]
		if bend {
			z = -2.5
			if (x[0] > 0) == (x[2] > 0.5) {
				z = 1
			}
		}
		p := 1 / (1 + math.Exp(-z))
		samples = append(samples, intent.Sample{Key: uint64(i), X: x, Bought: r.Float64() < p})
		chance = append(chance, p)
	}
	return samples, chance
}

var names = []string{"a", "b", "c", "constant"}

func TestKnownChancesAreFoundAgain(t *testing.T) {
	t.Parallel()
	for _, bend := range []bool{false, true} {
		samples, chance := truth(1, 9000, bend)
		m, err := intent.Train(names, samples)
		if err != nil {
			t.Fatal(err)
		}
		off := 0.0
		for i, s := range samples {
			off += math.Abs(m.Chance(s.X)-chance[i]) / float64(len(samples))
		}
		q := m.Quality
		t.Logf("bend %t: %s, off by %.3f, AUC %.3f, Brier %.4f beside %.4f, slope %.3f", bend, m.Method, off, q.AUC, q.Brier, q.BaseBrier, q.Slope)
		if off > 0.05 || q.Brier >= q.BaseBrier || q.Slope < 0.85 || q.Slope > 1.15 {
			t.Errorf("bend %t: off by %.3f, %+v", bend, off, q)
		}
		if bend && m.Method != "trees" || !bend && m.Method != "logistic" {
			t.Errorf("bend %t: %s was chosen", bend, m.Method)
		}
		for _, b := range q.Bins {
			if math.Abs(b.Predicted-b.Actual) > 0.13 {
				t.Errorf("bend %t: of %d visits %.3f was said and %.3f came", bend, b.N, b.Predicted, b.Actual)
			}
		}
	}
}

func TestAModelThatWasKeptSaysTheSame(t *testing.T) {
	t.Parallel()
	for _, bend := range []bool{false, true} {
		samples, _ := truth(1, 3000, bend)
		m, err := intent.Train(names, samples)
		if err != nil {
			t.Fatal(err)
		}
		raw := m.Keepsake()
		again := intent.Remember(raw, names)
		if again == nil {
			t.Fatalf("bend %t: %s is not remembered", bend, raw)
		}
		for _, s := range samples {
			if m.Chance(s.X) != again.Chance(s.X) || !slices.Equal(m.Reasons(s.X, 3), again.Reasons(s.X, 3)) {
				t.Fatalf("bend %t: of %v it says %g, and said %g", bend, s.X, again.Chance(s.X), m.Chance(s.X))
			}
		}
		if intent.Remember(raw, names[1:]) != nil {
			t.Errorf("bend %t: a model of other features is remembered", bend)
		}
		// Whatever stands in the file, a model that is remembered answers.
		r := rand.New(rand.NewPCG(4, 9))
		for range 3000 {
			bad := slices.Clone(raw)
			for range 1 + r.IntN(3) {
				bad[r.IntN(len(bad))] = "0123456789-,[]{}\":nul"[r.IntN(21)]
			}
			if m := intent.Remember(bad[:r.IntN(len(bad)+1)], names); m != nil {
				m.Chance(samples[0].X)
			}
			if m := intent.Remember(bad, names); m != nil {
				m.Reasons(samples[0].X, 3)
			}
		}
	}
}

func TestNoiseIsNotLearned(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 9))
	samples, _ := truth(2, 3000, false)
	for i := range samples {
		samples[i].Bought = r.Float64() < 0.2
	}
	m, err := intent.Train(names, samples)
	if err != nil {
		t.Fatal(err)
	}
	if q := m.Quality; q.AUC > 0.56 || q.Brier > q.BaseBrier*1.01 {
		t.Errorf("%+v", q)
	}
}

func TestAllVisitsOfOnePersonAreInOnePart(t *testing.T) {
	t.Parallel()
	// Each person has a number that tells nothing, and a habit that tells all. Learned
	// by heart, the number would look like knowledge.
	r := rand.New(rand.NewPCG(3, 9))
	var samples []intent.Sample
	for i := range 300 {
		number, buys := r.Float64(), r.Float64() < 0.5
		for range 20 {
			samples = append(samples, intent.Sample{Key: uint64(i), X: []float64{number, 0, 0, 0}, Bought: buys})
		}
	}
	m, err := intent.Train(names, samples)
	if err != nil {
		t.Fatal(err)
	}
	if m.Quality.AUC > 0.65 {
		t.Errorf("the AUC on people who were held back is %.3f", m.Quality.AUC)
	}
}

func TestTooFewVisitsOrOrdersAreRefused(t *testing.T) {
	t.Parallel()
	few, _ := truth(4, intent.LeastVisits-1, false)
	many, _ := truth(4, 3000, false)
	orders := 0
	rare := slices.Clone(many)
	for i := range rare {
		if rare[i].Bought {
			orders++
			rare[i].Bought = orders < intent.LeastOrders
		}
	}
	always := slices.Clone(many)
	same := slices.Clone(many)
	for i := range always {
		always[i].Bought = true
		same[i].Key = 7
	}
	for what, samples := range map[string][]intent.Sample{"few visits": few, "few orders": rare, "only orders": always, "one person": same, "none": nil} {
		_, err := intent.Train(names, samples)
		var r intent.Refused
		if !errors.As(err, &r) || r.Visits != len(samples) || !strings.Contains(err.Error(), "it takes 600") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestMeasuresAgreeWithTheirDefinitions(t *testing.T) {
	t.Parallel()
	said, came := []float64{0.1, 0.4, 0.4, 0.8}, []bool{false, true, false, true}
	q := intent.Measure(said, came)
	brier := (0.01 + 0.36 + 0.16 + 0.04) / 4
	if q.AUC != 3.5/4 || math.Abs(q.Brier-brier) > 1e-12 || q.Base != 0.5 || q.BaseBrier != 0.25 {
		t.Errorf("%+v", q)
	}
	r := rand.New(rand.NewPCG(5, 9))
	said, came = nil, nil
	for range 20000 {
		z := r.NormFloat64()
		said = append(said, 1/(1+math.Exp(-2*z))) // twice too sure
		came = append(came, r.Float64() < 1/(1+math.Exp(-z)))
	}
	if q := intent.Measure(said, came); math.Abs(q.Slope-0.5) > 0.03 {
		t.Errorf("the slope of chances that are twice too sure is %.3f", q.Slope)
	}
}

// shoppers reads the UCI set of shoppers' sessions. Without leaves out the value
// that analytics gave to the pages of a session after it had ended.
func shoppers(t *testing.T, without string) (names []string, samples []intent.Sample) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "..", "..", "shared", "data", "online-shoppers-intention", "online_shoppers_intention.csv.gz"))
	if os.IsNotExist(err) {
		t.Skip("the data set is not there: online-shoppers-intention")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	months := []string{"Jan", "Feb", "Mar", "Apr", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
	for n, row := range rows[1:] {
		s := intent.Sample{Key: uint64(n)}
		for i, head := range rows[0] {
			v := row[i]
			add := func(name string, x float64) {
				if n == 0 {
					names = append(names, name)
				}
				s.X = append(s.X, x)
			}
			is := func(b bool) float64 {
				if b {
					return 1
				}
				return 0
			}
			switch head {
			case without:
			case "Revenue":
				s.Bought = v == "TRUE"
			case "Month":
				for _, m := range months {
					add("in "+m, is(v == m))
				}
			case "VisitorType":
				add("returning", is(v == "Returning_Visitor"))
			case "Weekend":
				add("weekend", is(v == "TRUE"))
			case "OperatingSystems", "Browser", "Region", "TrafficType":
				for k := 1; k <= 8; k++ {
					add(head+" "+strconv.Itoa(k), is(v == strconv.Itoa(k)))
				}
			default:
				x, err := strconv.ParseFloat(v, 64)
				if err != nil {
					t.Fatal(err)
				}
				add(head, math.Log1p(x*10))
			}
		}
		samples = append(samples, s)
	}
	return names, samples
}

func TestShoppersIntention(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		without string
		auc     float64
	}{{"", 0.90}, {"PageValues", 0.72}} {
		names, samples := shoppers(t, c.without)
		if len(samples) != 12330 {
			t.Fatalf("%d sessions, want 12,330", len(samples))
		}
		m, err := intent.Train(names, samples)
		if err != nil {
			t.Fatal(err)
		}
		q := m.Quality
		t.Logf("without %q: %s on %d sessions held back: AUC %.4f, Brier %.4f beside %.4f of the base rate %.4f, slope %.3f, offset %+.3f; %s %.4f, %.4f, %.3f",
			c.without, q.Method, q.Visits, q.AUC, q.Brier, q.BaseBrier, q.Base, q.Slope, q.Offset, m.Other.Method, m.Other.AUC, m.Other.Brier, m.Other.Slope)
		for _, b := range q.Bins {
			t.Logf("  %d sessions: %.3f said, %.3f came", b.N, b.Predicted, b.Actual)
		}
		if q.AUC < c.auc || q.Brier >= q.BaseBrier || q.Slope < 0.9 || q.Slope > 1.1 || math.Abs(float64(q.Visits)/12330-1.0/3) > 0.01 {
			t.Errorf("without %q: %+v", c.without, q)
		}
	}
}

func TestAVisitIsFoldedAndEndsWithAPause(t *testing.T) {
	t.Parallel()
	start := event.At(time.Date(2024, 5, 4, 20, 0, 0, 0, time.UTC)) // a Saturday evening
	at := func(m int) event.Time { return start.Add(time.Duration(m) * time.Minute) }
	steps := []intent.Step{
		{At: at(0), Name: event.PageViewed, Device: "mobile", Campaign: true},
		{At: at(2), Name: event.ProductViewed, Product: "lamp"},
		{At: at(4), Name: event.ProductViewed, Product: "lamp"},
		{At: at(5), Name: event.ProductAdded, Product: "lamp"},
		{At: at(9), Name: event.OrderCompleted},
		{At: at(10), Name: event.PageViewed},
		{At: at(70), Name: event.ProductViewed, Product: "chair"},
		{At: at(75), Name: event.ProductAdded, Product: "chair"},
	}
	v, ok := intent.Now(steps, at(6))
	if !ok || v.Views != 2 || v.Added != 1 || !v.Campaign || v.Device != "mobile" || v.Before != 0 || v.Orders != 0 {
		t.Errorf("%t %+v", ok, v)
	}
	if x := v.X(time.UTC); len(x) != len(intent.Features) {
		t.Errorf("%d numbers for %d names", len(x), len(intent.Features))
	}
	if v, ok := intent.Now(steps, at(12)); ok {
		t.Errorf("after the order: %+v", v)
	}
	v, ok = intent.Now(steps, at(80))
	if !ok || v.Views != 1 || v.Added != 1 || v.Before != 1 || v.Orders != 1 || v.Previous != at(10) || v.LastOrder != at(9) {
		t.Errorf("%t %+v", ok, v)
	}
	if _, ok := intent.Now(steps, at(105)); ok {
		t.Error("half an hour after its last event the visit goes on")
	}
	list := intent.Learn(1, steps, time.UTC)
	if len(list) != 2 || !list[0].Bought || list[1].Bought {
		t.Errorf("%+v", list)
	}
	// Whatever moment is chosen, the order itself is not known at it.
	for key := range uint64(50) {
		for _, s := range intent.Learn(key, steps[:5], time.UTC) {
			if s.X[slices.Index(intent.Features, "the orders before")] != 0 {
				t.Fatal("the order that is to be foreseen is among those before")
			}
		}
	}
	if list := intent.Learn(1, []intent.Step{{At: at(0), Name: event.OrderCompleted}}, time.UTC); len(list) != 0 {
		t.Errorf("an order without a visit teaches %+v", list)
	}
}

func TestVisitsTeachWhatACartMeans(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 9))
	start := event.At(time.Date(2024, 5, 6, 10, 0, 0, 0, time.UTC))
	var samples []intent.Sample
	for i := range 1200 {
		var steps []intent.Step
		at := start
		for range 1 + r.IntN(3) {
			at = at.Add(30 * time.Hour)
			cart := r.Float64() < 0.3
			for k := range 2 + r.IntN(5) {
				at = at.Add(time.Minute)
				steps = append(steps, intent.Step{At: at, Name: event.ProductViewed, Product: fmt.Sprint(k)})
				if cart && k == 0 {
					steps = append(steps, intent.Step{At: at, Name: event.ProductAdded})
				}
			}
			if cart && r.Float64() < 0.5 || r.Float64() < 0.03 {
				steps = append(steps, intent.Step{At: at.Add(time.Minute), Name: event.OrderCompleted})
			}
		}
		samples = append(samples, intent.Learn(uint64(i), steps, time.UTC)...)
	}
	m, err := intent.Train(intent.Features, samples)
	if err != nil {
		t.Fatal(err)
	}
	with := intent.Visit{}.With(intent.Step{At: start, Name: event.ProductViewed, Product: "a"})
	without := with.With(intent.Step{At: start.Add(time.Minute), Name: event.ProductViewed, Product: "b"})
	with = with.With(intent.Step{At: start.Add(time.Minute), Name: event.ProductAdded, Product: "a"})
	high, low := m.Chance(with.X(time.UTC)), m.Chance(without.X(time.UTC))
	if high < 0.35 || high > 0.7 || low > 0.15 {
		t.Errorf("with a cart %.3f, without %.3f", high, low)
	}
	if e := m.Evidence(with, time.UTC); !strings.Contains(e, "1 product viewed and 1 in the cart after 1 minute,") || !strings.Contains(e, "for it: the cart") {
		t.Error(e)
	}
}
