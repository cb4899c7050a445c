// Package intent says how likely a visit ends in an order.
//
// [Train] fits a logistic regression and boosted trees to visits of which it is
// known how they ended, takes the one that is better on visits left out in turn,
// and corrects its chances by those (Platt 1999), so that of a hundred visits
// with a chance of 0.3 about thirty end in an order. What it reports is measured
// on a third of the visits that neither fit, choice nor correction has seen. All
// visits of one person are in the same part, or a regular would be learned by
// heart and found again.
//
// [Visit] is what a visit says while it goes on: it folds in events one by one
// and never looks ahead, so that what is learned from visits gone by is asked of
// the one under way in the same words.
package intent

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// Sample is one visit: what was known at some moment of it, and how it ended.
type Sample struct {
	Key    uint64 // of the person: a hash that decides the part it is in
	X      []float64
	Bought bool
}

// The least that is learned from. A share cannot be believed to a twentieth with
// fewer orders, nor a part be held back.
const (
	LeastVisits = 600
	LeastOrders = 90
	LeastOthers = 90
)

// Refused says why there is no model.
type Refused struct{ Visits, Orders int }

// Error says what is missing, for people.
func (r Refused) Error() string {
	return strconv.Itoa(r.Visits) + " visits, of which " + strconv.Itoa(r.Orders) + " ended in an order; it takes " + strconv.Itoa(LeastVisits) +
		", with " + strconv.Itoa(LeastOrders) + " that did and " + strconv.Itoa(LeastOthers) + " that did not"
}

// scorer is what a method of learning gives: the log odds of an order.
type scorer interface {
	score(x []float64) float64
}

// Model is a trained model. It is immutable.
type Model struct {
	Names   []string // of the features
	Method  string   // "logistic" or "trees"
	Visits  int
	Orders  int
	Quality Quality // on visits held back
	Other   Quality // of the method that was not taken, on the same

	by     scorer
	slope  float64 // of the correction
	offset float64
	usual  [][]float64 // a few visits that others are compared with
}

// Quality is how good chances are, on visits that were not learned from.
type Quality struct {
	Method    string
	Visits    int
	Base      float64 // share that ended in an order
	AUC       float64 // chance that a visit with an order has the higher chance of two
	Brier     float64 // mean squared error
	BaseBrier float64 // of always saying the base
	LogLoss   float64
	Slope     float64 // of the log odds that came over those said: 1 is right, less is too sure
	Offset    float64
	Bins      []Bin // tenths by chance
}

// Bin is one group of visits in the reliability table.
type Bin struct {
	N                 int
	Predicted, Actual float64
}

// folds is how often a share of the visits is left out to see what a method makes
// of visits that it did not learn from. More of them take longer and say the same.
const folds = 3

// held is the share of the people who are held back for the report.
const held = 1.0 / 3

// place returns where the visits of a key are: in a fold, or held back (−1).
func place(key uint64) int {
	// The finalizer of splitmix64: keys may be hashes already, or small numbers.
	key = (key ^ key>>30) * 0xbf58476d1ce4e5b9
	key = (key ^ key>>27) * 0x94d049bb133111eb
	key ^= key >> 31
	share := float64(key>>11) / (1 << 53)
	if share < held {
		return -1
	}
	return min(folds-1, int((share-held)/(1-held)*folds))
}

// parts divides samples by their place.
func parts(samples []Sample) (by [folds][]Sample, back []Sample) {
	for _, s := range samples {
		if n := place(s.Key); n < 0 {
			back = append(back, s)
		} else {
			by[n] = append(by[n], s)
		}
	}
	return by, back
}

// thin reports whether there are too few orders, or too few visits without one.
func thin(samples []Sample, orders, others int) bool {
	bought := 0
	for _, s := range samples {
		if s.Bought {
			bought++
		}
	}
	return bought < orders || len(samples)-bought < others
}

// Train learns from visits. Names are those of the features, as many as each
// sample has. An error is always a [Refused].
func Train(names []string, samples []Sample) (*Model, error) {
	by, back := parts(samples)
	short := len(samples) < LeastVisits || thin(samples, LeastOrders, LeastOthers)
	// A few people may own most of the visits: then a part has none to learn from.
	for _, p := range append(by[:], back) {
		short = short || thin(p, LeastOrders/10, LeastOthers/10)
	}
	orders := 0
	for _, s := range samples {
		if s.Bought {
			orders++
		}
	}
	if short {
		return nil, Refused{len(samples), orders}
	}
	methods := []struct {
		name string
		fit  func([]Sample) scorer
	}{
		{"logistic", func(s []Sample) scorer { return fitLogistic(s) }},
		{"trees", func(s []Sample) scorer { return growTrees(s) }},
	}
	learn := slices.Concat(by[:]...)
	var models []*Model
	var losses []float64
	for _, method := range methods {
		m := &Model{Names: names, Method: method.name, Visits: len(samples), Orders: orders, usual: some(learn)}
		// What a method says of visits that it did not learn from corrects it, and
		// decides between the two. The visits held back do neither.
		var said []float64
		var came []bool
		for i, left := range by {
			var rest []Sample
			for j, other := range by {
				if j != i {
					rest = append(rest, other...)
				}
			}
			f := method.fit(rest)
			for _, s := range left {
				said, came = append(said, f.score(s.X)), append(came, s.Bought)
			}
		}
		m.slope, m.offset = correct(said, came)
		loss := 0.0
		for i, z := range said {
			loss += entropy(logistic(m.slope*z+m.offset), came[i])
		}
		m.by = method.fit(learn)
		m.Quality = measure(m, back)
		models, losses = append(models, m), append(losses, loss)
	}
	best, other := models[0], models[1]
	if losses[1] < losses[0] {
		best, other = models[1], models[0]
	}
	best.Other = other.Quality
	return best, nil
}

// Chance returns the chance that the visit ends in an order.
func (m *Model) Chance(x []float64) float64 { return logistic(m.slope*m.by.score(x) + m.offset) }

// Reason is what the features of one name do to a chance.
type Reason struct {
	Name string
	Odds float64 // by which the odds are multiplied, against a visit that is like others in them
}

// Reasons returns the features that move the chance of the visit most, the
// strongest first, at most n.
func (m *Model) Reasons(x []float64, n int) []Reason {
	var list []Reason
	own := m.by.score(x)
	changed := slices.Clone(x)
	for i, name := range m.Names {
		if slices.Index(m.Names, name) < i {
			continue
		}
		usual := 0.0
		for _, other := range m.usual {
			for j := range m.Names {
				if m.Names[j] == name {
					changed[j] = other[j]
				}
			}
			usual += m.by.score(changed) / float64(len(m.usual))
		}
		list = append(list, Reason{name, math.Exp(m.slope * (own - usual))})
		copy(changed, x)
	}
	slices.SortStableFunc(list, func(a, b Reason) int {
		return cmp.Compare(math.Abs(math.Log(b.Odds)), math.Abs(math.Log(a.Odds)))
	})
	return list[:min(n, len(list))]
}

// compared is with how many visits a visit is compared to find its reasons.
const compared = 32

// some returns the features of a few of the samples, spread over all.
func some(samples []Sample) (list [][]float64) {
	for i := range compared {
		list = append(list, samples[i*len(samples)/compared].X)
	}
	return list
}

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// logit is the inverse of logistic, kept within what float64 tells from 0 and 1.
func logit(p float64) float64 {
	const edge = 1e-9
	p = min(1-edge, max(edge, p))
	return math.Log(p / (1 - p))
}

func means(samples []Sample) []float64 {
	mean := make([]float64, len(samples[0].X))
	for _, s := range samples {
		for i, v := range s.X {
			mean[i] += v / float64(len(samples))
		}
	}
	return mean
}
