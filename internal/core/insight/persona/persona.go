// Package persona finds kinds of customers that a planner can speak of.
//
// [Fit] divides customers by what they do, how much they bring, what they buy and
// where and when: standardised features, k-means from seeded starts. How many
// kinds there are is decided by the gap statistic (Tibshirani, Walther and Hastie
// 2001): customers must lie closer around so many centres than points without any
// kinds would, spread over the same space. If they do not, the answer is that
// there are no personas, and nobody is put into a box that is not there.
//
// A persona is named by what distinguishes it, and each of its figures stands
// beside that of all customers. When the model is fitted anew, [Model.Keep] gives
// the personas the keys of those before them, so that a customer who did not
// change keeps theirs.
package persona

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Feature is one thing that is known of every customer.
type Feature struct {
	Name string // "orders"
	High string // what a persona with much of it is called: "often"
	Low  string // and with little: "seldom"; empty: little of it is no name
	Log  bool   // it is a count or a sum: the logarithm of it counts
	Unit string // for people: "%", "days"; may be empty. A share is in percent: multiplied by 100 already
}

// Customer is one customer with the values of the features, in their order.
type Customer struct {
	ID string
	X  []float64
}

// What the kinds rest on.
const (
	LeastCustomers = 200 // with fewer, kinds are single people
	Most           = 8   // kinds that are tried: nobody plans with more
	leastShare     = 0.02
	references     = 12    // sets of points without kinds, to compare with
	sampled        = 4_000 // customers by which the number of kinds is decided
	starts         = 8     // seeded ones; the best is kept
	rounds         = 60    // of moving the centres
	far            = 4     // standard deviations beyond which a value counts no further
)

// Refused says why there are no personas.
type Refused struct {
	Customers int
	NoKinds   bool // there are enough, and they are all of one kind
}

// Error says it for people.
func (r Refused) Error() string {
	if r.NoKinds {
		return "no personas: " + strconv.Itoa(r.Customers) + " customers do not fall into kinds; they lie around one middle, or evenly"
	}
	return strconv.Itoa(r.Customers) + " customers; it takes " + strconv.Itoa(LeastCustomers) + " to tell kinds from single people"
}

// Persona is one kind of customers.
type Persona struct {
	Key       string // it stays the same when the model is fitted anew: "persona-1"
	Name      string // "often, in the evening"
	Customers int
	Share     float64
	Figures   []Figure // of every feature, the most distinguishing first

	centre []float64
}

// Figure is a feature's mean in a persona, beside that of all customers.
type Figure struct {
	Feature string
	Unit    string
	Mean    float64
	Base    float64
	Apart   float64 // in standard deviations of all customers
}

// Model is a fitted model. It is immutable.
type Model struct {
	Features  []Feature
	Customers int
	Personas  []Persona // by size, the largest first
	Gaps      []float64 // the gap statistic of 1, 2 … kinds
	Tight     float64   // mean silhouette: how much nearer customers are to their own kind than to the next

	mean, scale []float64
}

// Fit finds the kinds. Before is the model that was in force, whose keys are kept;
// it may be nil. An error is always a [Refused].
func Fit(features []Feature, customers []Customer, before *Model) (*Model, error) {
	if len(customers) < LeastCustomers {
		return nil, Refused{Customers: len(customers)}
	}
	sorted := slices.Clone(customers)
	slices.SortFunc(sorted, func(a, b Customer) int { return cmp.Compare(a.ID, b.ID) })
	m := &Model{Features: features, Customers: len(sorted)}
	m.standardise(sorted)
	points := make([][]float64, len(sorted))
	for i, c := range sorted {
		points[i] = m.point(c.X)
	}
	few := points
	if len(points) > sampled {
		few = make([][]float64, sampled)
		for i := range few {
			few[i] = points[i*len(points)/sampled]
		}
	}
	var k int
	k, m.Gaps = number(few)
	if k < 2 {
		return nil, Refused{Customers: len(sorted), NoKinds: true}
	}
	c := divide(points, k, before.centres(m))
	m.describe(sorted, c)
	m.Tight = silhouette(points, c)
	m.Keep(before)
	return m, nil
}

// standardise learns the mean and the spread of the features.
func (m *Model) standardise(customers []Customer) {
	n := len(m.Features)
	m.mean, m.scale = make([]float64, n), make([]float64, n)
	total := float64(len(customers))
	for _, c := range customers {
		for i := range n {
			m.mean[i] += m.value(i, c.X[i]) / total
		}
	}
	for _, c := range customers {
		for i := range n {
			d := m.value(i, c.X[i]) - m.mean[i]
			m.scale[i] += d * d / total
		}
	}
	for i := range n {
		if m.scale[i] = math.Sqrt(m.scale[i]); m.scale[i] < 1e-12 {
			m.scale[i] = 1
		}
	}
}

// value returns a feature's value as it counts.
func (m *Model) value(i int, v float64) float64 {
	if m.Features[i].Log {
		return math.Log1p(max(0, v))
	}
	return v
}

// point returns a customer among the standardised features.
func (m *Model) point(x []float64) []float64 {
	p := make([]float64, len(x))
	for i, v := range x {
		p[i] = min(far, max(-far, (m.value(i, v)-m.mean[i])/m.scale[i]))
	}
	return p
}

// centres returns the centres of a model in the space of another, to begin with.
// Of a feature that the model did not have, its centres have the mean.
func (m *Model) centres(in *Model) [][]float64 {
	if m == nil {
		return nil
	}
	var list [][]float64
	for _, p := range m.Personas {
		c := make([]float64, len(in.Features))
		for i, f := range in.Features {
			j := slices.IndexFunc(m.Features, func(g Feature) bool { return g.Name == f.Name && g.Log == f.Log })
			if j >= 0 {
				c[i] = (p.centre[j]*m.scale[j] + m.mean[j] - in.mean[i]) / in.scale[i]
			}
		}
		list = append(list, c)
	}
	return list
}

// kept is what of a model the next one needs.
type kept struct {
	Features    []Feature
	Mean, Scale []float64
	Keys        []string
	Centres     [][]float64
}

// Keepsake returns what the next fit needs to keep keys, for [Remember].
func (m *Model) Keepsake() []byte {
	k := kept{Features: m.Features, Mean: m.mean, Scale: m.scale}
	for _, p := range m.Personas {
		k.Keys, k.Centres = append(k.Keys, p.Key), append(k.Centres, p.centre)
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return nil // unreachable: numbers that are fitted are finite
	}
	return raw
}

// Remember returns a model that is good for [Fit] as the one before, of what
// [Model.Keepsake] gave; nil if it is none.
func Remember(raw []byte) *Model {
	var k kept
	if json.Unmarshal(raw, &k) != nil || len(k.Keys) != len(k.Centres) || len(k.Keys) > Most {
		return nil
	}
	n := len(k.Features)
	if len(k.Mean) != n || len(k.Scale) != n {
		return nil
	}
	m := &Model{Features: k.Features, mean: k.Mean, scale: k.Scale}
	for i, key := range k.Keys {
		if len(k.Centres[i]) != n {
			return nil
		}
		m.Personas = append(m.Personas, Persona{Key: key, centre: k.Centres[i]})
	}
	return m
}

// Of returns the persona of a customer with the values, and how far nearer it is
// than the next one: 0 is between two, 1 is right in the middle.
func (m *Model) Of(x []float64) (p *Persona, near float64) {
	point := m.point(x)
	best, second, at := math.Inf(1), math.Inf(1), 0
	for i := range m.Personas {
		switch d := math.Sqrt(distance(point, m.Personas[i].centre)); {
		case d < best:
			best, second, at = d, best, i
		case d < second:
			second = d
		}
	}
	return &m.Personas[at], 1 - best/second
}

// Evidence says in one sentence why the customer is of the persona: the features
// that distinguish it, with their own values.
func (m *Model) Evidence(p *Persona, x []float64) string {
	var parts []string
	const shown = 3
	for _, f := range p.Figures[:min(shown, len(p.Figures))] {
		i := slices.IndexFunc(m.Features, func(g Feature) bool { return g.Name == f.Feature })
		parts = append(parts, f.Feature+" "+figure(x[i], f.Unit)+" (this kind "+figure(f.Mean, f.Unit)+", all customers "+figure(f.Base, f.Unit)+")")
	}
	return strings.Join(parts, ", ")
}

func figure(v float64, unit string) string {
	digits := 0
	if math.Abs(v) < 10 && v != math.Trunc(v) {
		digits = 1
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if unit != "" {
		s += " " + unit
	}
	return s
}

// describe makes the personas of a division.
func (m *Model) describe(customers []Customer, c *division) {
	n := len(m.Features)
	all := make([]float64, n)
	for _, customer := range customers {
		for i, v := range customer.X {
			all[i] += v / float64(len(customers))
		}
	}
	for k, centre := range c.centres {
		p := Persona{centre: centre}
		mean := make([]float64, n)
		for j, customer := range customers {
			if c.of[j] != k {
				continue
			}
			p.Customers++
			for i, v := range customer.X {
				mean[i] += v
			}
		}
		p.Share = float64(p.Customers) / float64(len(customers))
		for i, f := range m.Features {
			p.Figures = append(p.Figures, Figure{f.Name, f.Unit, mean[i] / float64(max(1, p.Customers)), all[i], centre[i]})
		}
		slices.SortStableFunc(p.Figures, func(a, b Figure) int { return cmp.Compare(math.Abs(b.Apart), math.Abs(a.Apart)) })
		m.Personas = append(m.Personas, p)
	}
	slices.SortStableFunc(m.Personas, func(a, b Persona) int { return cmp.Compare(b.Customers, a.Customers) })
	taken := map[string]bool{}
	for i := range m.Personas {
		p := &m.Personas[i]
		p.Key = "persona-" + strconv.Itoa(i+1)
		p.Name = m.name(p, taken)
		taken[p.Name] = true
	}
}

// name names a persona by the two features that set it apart most, and by more if
// another has that name already.
func (m *Model) name(p *Persona, taken map[string]bool) string {
	const enough, plain = 2, 0.5
	var words []string
	for _, f := range p.Figures {
		feature := m.Features[slices.IndexFunc(m.Features, func(g Feature) bool { return g.Name == f.Feature })]
		word := feature.High
		if f.Apart < 0 {
			word = feature.Low
		}
		if word == "" || slices.Contains(words, word) {
			continue
		}
		if math.Abs(f.Apart) < plain && len(words) > 0 {
			break
		}
		words = append(words, word)
		if len(words) >= enough && !taken[strings.Join(words, ", ")] {
			break
		}
	}
	name := strings.Join(words, ", ")
	if name == "" {
		name = "like most"
	}
	for n := 2; taken[name]; n++ {
		name = strings.Join(words, ", ") + " (" + strconv.Itoa(n) + ")"
	}
	return name
}

// Keep gives the personas the keys of those of an earlier model that they are
// nearest to, each key once and so that all distances together are least. What is
// new gets a key that was never used. A nil model changes nothing.
func (m *Model) Keep(before *Model) {
	old := before.centres(m)
	if len(old) == 0 {
		return
	}
	// At most eight by eight: every set of old ones is one number.
	best := map[int]float64{0: 0}
	type step struct{ used, from, pick int }
	var trail []map[int]step
	for _, p := range m.Personas {
		next, how := map[int]float64{}, map[int]step{}
		try := func(from, used, pick int, d float64) {
			if v, there := next[used]; !there || d < v || d == v && pick < how[used].pick {
				next[used], how[used] = d, step{used, from, pick}
			}
		}
		// Being new costs more than any distance that is still the same kind.
		apart := float64(len(m.Features)) * 2
		for used := range 1 << len(old) {
			d, there := best[used]
			if !there {
				continue
			}
			try(used, used, len(old), d+apart)
			for j, c := range old {
				if used&(1<<j) == 0 {
					try(used, used|1<<j, j, d+distance(p.centre, c))
				}
			}
		}
		best, trail = next, append(trail, how)
	}
	end, least := 0, math.Inf(1)
	for used := range 1 << len(old) {
		if d, there := best[used]; there && d < least {
			end, least = used, d
		}
	}
	highest := 0
	for _, p := range before.Personas {
		n, _ := strconv.Atoi(strings.TrimPrefix(p.Key, "persona-"))
		highest = max(highest, n)
	}
	for i := len(m.Personas) - 1; i >= 0; i-- {
		s := trail[i][end]
		end = s.from
		if s.pick < len(old) {
			m.Personas[i].Key = before.Personas[s.pick].Key
			continue
		}
		highest++
		m.Personas[i].Key = "persona-" + strconv.Itoa(highest)
	}
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}

// axes returns the principal axes of points, as the columns of a matrix.
func axes(points [][]float64) *mat.Dense {
	rows, cols := len(points), len(points[0])
	x := mat.NewDense(rows, cols, nil)
	for i, p := range points {
		x.SetRow(i, p)
	}
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThin) {
		return nil
	}
	var v mat.Dense
	svd.VTo(&v)
	return &v
}
