package persona_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/insight/persona"
)

var features = []persona.Feature{
	{Name: "orders", High: "often", Low: "seldom", Log: true},
	{Name: "spend", High: "much at once", Low: "little at once", Log: true},
	{Name: "bought in the evening", High: "in the evening", Low: "by day", Unit: "%"},
	{Name: "on a phone", High: "on the phone", Low: "at the desk", Unit: "%"},
	{Name: "returns", High: "sends back", Unit: "%"},
}

// planted are the means of four kinds.
var planted = [4][5]float64{
	{20, 30, 15, 20, 5},
	{3, 200, 20, 15, 5},
	{4, 40, 80, 80, 10},
	{8, 60, 20, 75, 45},
}

// customers makes n customers, each of one of the kinds.
func customers(seed uint64, n int) (list []persona.Customer, kind []int) {
	r := rand.New(rand.NewPCG(seed, 18))
	for i := range n {
		k := r.IntN(4)
		m := planted[k]
		x := []float64{
			m[0] * math.Exp(0.3*r.NormFloat64()), m[1] * math.Exp(0.3*r.NormFloat64()),
			m[2] + 8*r.NormFloat64(), m[3] + 8*r.NormFloat64(), max(0, m[4]+6*r.NormFloat64()),
		}
		list, kind = append(list, persona.Customer{ID: fmt.Sprintf("c%05d", i), X: x}), append(kind, k)
	}
	return list, kind
}

// agreement is the adjusted Rand index of two divisions (Hubert and Arabie 1985).
func agreement(a []string, b []int) float64 {
	type cell struct {
		a string
		b int
	}
	cells, as, bs := map[cell]float64{}, map[string]float64{}, map[int]float64{}
	for i := range a {
		cells[cell{a[i], b[i]}]++
		as[a[i]]++
		bs[b[i]]++
	}
	pairs := func(n float64) float64 { return n * (n - 1) / 2 }
	index, sa, sb := 0.0, 0.0, 0.0
	for _, n := range cells {
		index += pairs(n)
	}
	for _, n := range as {
		sa += pairs(n)
	}
	for _, n := range bs {
		sb += pairs(n)
	}
	expected := sa * sb / pairs(float64(len(a)))
	return (index - expected) / ((sa+sb)/2 - expected)
}

func keys(m *persona.Model, list []persona.Customer) (keys []string) {
	for _, c := range list {
		p, _ := m.Of(c.X)
		keys = append(keys, p.Key)
	}
	return keys
}

func TestFourPlantedKindsAreFoundAndNamed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		list, kind := customers(seed, 1200)
		m, err := persona.Fit(features, list, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ari := agreement(keys(m, list), kind); len(m.Personas) != 4 || ari < 0.9 {
			t.Errorf("seed %d: %d personas, adjusted Rand index %.3f, gaps %.3f", seed, len(m.Personas), ari, m.Gaps)
		}
		names := map[string]bool{}
		for _, p := range m.Personas {
			names[p.Name] = true
			if math.Abs(p.Share-0.25) > 0.06 || len(p.Figures) != len(features) {
				t.Errorf("seed %d: %+v", seed, p)
			}
		}
		if len(names) != 4 {
			t.Errorf("seed %d: the names are %v", seed, names)
		}
		p, near := m.Of([]float64{4, 40, 80, 80, 10})
		if !strings.Contains(p.Name, "in the evening") || near < 0.5 {
			t.Errorf("seed %d: who buys in the evening on the phone is %q, %.2f near", seed, p.Name, near)
		}
		if e := m.Evidence(p, []float64{4, 40, 80, 80, 10}); !strings.Contains(e, "bought in the evening 80 % (this kind 8") || !strings.Contains(e, "all customers 3") {
			t.Errorf("seed %d: %s", seed, e)
		}
	}
}

func TestNoiseHasNoPersonas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 19))
		for _, kind := range []string{"around one middle", "evenly", "drawn out"} {
			var list []persona.Customer
			for i := range 600 {
				x := make([]float64, len(features))
				common := r.NormFloat64()
				for j := range x {
					switch kind {
					case "around one middle":
						x[j] = 50 + 10*r.NormFloat64()
					case "evenly":
						x[j] = 100 * r.Float64()
					case "drawn out":
						x[j] = 50 + 9*common + 4*r.NormFloat64()
					}
					if features[j].Log {
						x[j] = math.Exp(x[j] / 20)
					}
				}
				list = append(list, persona.Customer{ID: fmt.Sprint(i), X: x})
			}
			m, err := persona.Fit(features, list, nil)
			var r persona.Refused
			if !errors.As(err, &r) || !r.NoKinds || !strings.Contains(err.Error(), "no personas: 600 customers") {
				t.Errorf("seed %d, %s: %v, %d personas, gaps %.3f", seed, kind, err, len(m.Personas), m.Gaps)
			}
		}
	}
}

func TestCustomersKeepTheirPersonaWhenItIsFittedAnew(t *testing.T) {
	t.Parallel()
	list, _ := customers(7, 1500)
	before, err := persona.Fit(features, list[:1000], nil)
	if err != nil {
		t.Fatal(err)
	}
	// A month later a tenth has gone, half as many have come, and all have changed a little.
	r := rand.New(rand.NewPCG(7, 20))
	later := slices.Clone(list[100:])
	for i := range later {
		later[i].X = slices.Clone(later[i].X)
		for j := range later[i].X {
			later[i].X[j] *= math.Exp(0.05 * r.NormFloat64())
		}
	}
	after, err := persona.Fit(features, later, persona.Remember(before.Keepsake()))
	if err != nil {
		t.Fatal(err)
	}
	same, was := 0, keys(before, list[100:1000])
	for i, key := range keys(after, later[:900]) {
		if key == was[i] {
			same++
		}
	}
	if same < 900*95/100 {
		t.Errorf("%d of 900 keep theirs", same)
	}
	// Keys follow the kinds, not the order of size, in which the personas stand.
	if len(after.Personas) != 4 {
		t.Fatalf("%d personas", len(after.Personas))
	}
	alone, err := persona.Fit(features, later, nil)
	if err != nil {
		t.Fatal(err)
	}
	alone.Keep(before)
	for _, p := range alone.Personas {
		for _, q := range after.Personas {
			if p.Key == q.Key && math.Abs(p.Share-q.Share) > 0.02 {
				t.Errorf("%s: %.3f and %.3f", p.Key, p.Share, q.Share)
			}
		}
	}
}

func TestANewKindGetsANewKey(t *testing.T) {
	t.Parallel()
	list, kind := customers(8, 2000)
	var three []persona.Customer
	for i, c := range list {
		if kind[i] != 2 {
			three = append(three, c)
		}
	}
	before, err := persona.Fit(features, three, nil)
	if err != nil || len(before.Personas) != 3 {
		t.Fatalf("%v %+v", err, before)
	}
	after, err := persona.Fit(features, list, before)
	if err != nil || len(after.Personas) != 4 {
		t.Fatalf("%v %+v", err, after)
	}
	for k := range 4 {
		p, _ := after.Of(planted[k][:])
		was, _ := before.Of(planted[k][:])
		if (k == 2) != (p.Key == "persona-4") || k != 2 && p.Key != was.Key {
			t.Errorf("kind %d was %s and is %s", k, was.Key, p.Key)
		}
	}
}

func TestTheOrderOfCustomersDoesNotMatter(t *testing.T) {
	t.Parallel()
	list, _ := customers(9, 600)
	a, err := persona.Fit(features, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	turned := slices.Clone(list)
	slices.Reverse(turned)
	b, err := persona.Fit(features, turned, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys(a, list), keys(b, list)) {
		t.Error("the same customers in another order have other personas")
	}
}

func TestTooFewCustomersAreRefused(t *testing.T) {
	t.Parallel()
	list, _ := customers(10, persona.LeastCustomers-1)
	_, err := persona.Fit(features, list, nil)
	var r persona.Refused
	if !errors.As(err, &r) || r.NoKinds || err.Error() != "199 customers; it takes 200 to tell kinds from single people" {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoKeepsakeIsNobody(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "{", `{"Keys":["persona-1"]}`, `{"Features":[{}],"Mean":[1],"Scale":[1],"Keys":["persona-1"],"Centres":[[]]}`} {
		if m := persona.Remember([]byte(raw)); m != nil && len(m.Personas) > 0 {
			t.Errorf("%s: %+v", raw, m)
		}
	}
}
