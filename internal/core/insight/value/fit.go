package value

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"rapport/internal/fault"
)

// Bounds of a search. Parameters are looked for as logarithms, within reach of
// what any shop has: beyond e^12 a parameter says "the same for everybody" and
// the likelihood no longer changes.
const (
	farthest   = 12.0
	searchEnds = 1e-9  // the likelihood changed by less
	climbEnds  = 1e-13 // and along slopes, which end it before: beyond is only rounding
	roughly    = 1e-3  // and where only the place of a top is looked for
	searchFor  = 30    // for so many steps
	maxSteps   = 1200  // a search that takes more is in a place without a top
	thinTo     = 1500  // groups that starts are compared on
	rounds     = 4     // searches on all data before a fit is given up
	nudge      = 1e-4  // the difference by which slopes are taken
	levelShare = 1e-7  // of the likelihood itself: the more customers, the steeper it is
	level      = 1e-3  // a slope of less, per e-fold of a parameter, is none: it moves no printed digit
)

// onLogs turns a likelihood of parameters above zero into what a search minimises:
// a function of their logarithms, flat beyond the farthest. Where nobody leaves,
// the likelihood rises towards that edge for ever, by less and less.
func onLogs(likelihood func([]float64) float64, n int) func([]float64) float64 {
	par := make([]float64, n)
	return func(theta []float64) float64 {
		for i, t := range theta {
			if math.IsNaN(t) {
				return math.Inf(1)
			}
			par[i] = bounded(t)
		}
		if v := -likelihood(par); !math.IsNaN(v) {
			return v
		}
		return math.Inf(1)
	}
}

func bounded(theta float64) float64 { return math.Exp(min(max(theta, -farthest), farthest)) }

func logs(par []float64) []float64 {
	theta := make([]float64, len(par))
	for i, p := range par {
		theta[i] = min(max(math.Log(p), -farthest+1), farthest-1)
	}
	return theta
}

// walk searches without slopes: slowly, and from anywhere.
func walk(f func([]float64) float64, theta []float64, width, ends float64) ([]float64, float64) {
	found, err := optimize.Minimize(optimize.Problem{Func: f}, theta, &optimize.Settings{
		Converger: &optimize.FunctionConverge{Absolute: ends, Iterations: searchFor}, FuncEvaluations: maxSteps,
	}, &optimize.NelderMead{SimplexSize: width})
	if found == nil || err != nil && math.IsInf(found.F, 0) {
		return theta, math.Inf(1)
	}
	return found.X, found.F
}

// climb searches along slopes, taken by differences: fast, from somewhere near.
func climb(f func([]float64) float64, theta []float64) ([]float64, float64) {
	grad := func(g, x []float64) { slope(f, g, x) }
	found, err := optimize.Minimize(optimize.Problem{Func: f, Grad: grad}, theta, &optimize.Settings{
		Converger: &optimize.FunctionConverge{Absolute: climbEnds, Iterations: 5}, GradientThreshold: level / 10, FuncEvaluations: maxSteps,
	}, &optimize.BFGS{})
	if found == nil || err != nil && math.IsInf(found.F, 0) {
		return theta, math.Inf(1)
	}
	return found.X, found.F
}

// slope sets g to the slope of f at x.
func slope(f func([]float64) float64, g, x []float64) {
	at := slices.Clone(x)
	for i := range x {
		at[i] = x[i] + nudge
		up := f(at)
		at[i] = x[i] - nudge
		g[i] = (up - f(at)) / (2 * nudge)
		at[i] = x[i]
	}
}

// top reports whether f does not fall from x in any direction: its slope is level,
// beside how steep the likelihood of so many customers is elsewhere.
func top(f func([]float64) float64, x []float64) bool {
	g := make([]float64, len(x))
	slope(f, g, x)
	flat := max(level, levelShare*math.Abs(f(x)))
	return !slices.ContainsFunc(g, func(s float64) bool { return !(math.Abs(s) < flat) })
}

// highest looks for the top of a likelihood: from each start on a thin likelihood,
// then along the slopes of the whole one from the best of these, and if that does
// not end at a top without slopes as well. Thin may be the whole one. It is
// Unavailable if none is found.
func highest(name string, thin, whole func([]float64) float64, starts [][]float64) ([]float64, float64, error) {
	n := len(starts[0])
	f := onLogs(whole, n)
	var theta []float64
	least := math.Inf(1)
	for _, s := range starts {
		if end, low := walk(onLogs(thin, n), logs(s), 0.5, roughly); low < least || theta == nil {
			theta, least = end, low
		}
	}
	low := f(theta)
	for round := range rounds {
		next, now := climb(f, theta)
		if round > 0 {
			next, now = walk(f, theta, 0.1, searchEnds)
		}
		if now <= low {
			theta, low = next, now
		}
		if top(f, theta) {
			par := make([]float64, n)
			for i, t := range theta {
				par[i] = bounded(t)
			}
			return par, -low, nil
		}
	}
	return nil, 0, fault.New(fault.Unavailable, fmt.Sprintf("no parameters of %s were found that fit best: the likelihood keeps rising (%.4f at the last)", name, -low))
}

// betaStarts are where shops were found: many who never come back, few, and in between.
var betaStarts = [][]float64{{1, 10, 1, 2}, {0.25, 4, 0.8, 2.5}, {0.5, 6, 0.9, 1.6}, {2, 30, 0.3, 6}}

// FitBGNBD fits [BGNBD] to customers.
func FitBGNBD(customers []Customer) (*BGNBD, error) { return fitBGNBD(newSample(customers)) }

func fitBGNBD(s *sample) (*BGNBD, error) {
	p, ll, err := fitBeta("bg_nbd", s, false)
	if err != nil {
		return nil, err
	}
	return &BGNBD{p[0], p[1], p[2], p[3], fitted{ll}}, nil
}

// FitMBGNBD fits [MBGNBD] to customers.
func FitMBGNBD(customers []Customer) (*MBGNBD, error) { return fitMBGNBD(newSample(customers)) }

func fitMBGNBD(s *sample) (*MBGNBD, error) {
	p, ll, err := fitBeta("mbg_nbd", s, true)
	if err != nil {
		return nil, err
	}
	return &MBGNBD{p[0], p[1], p[2], p[3], fitted{ll}}, nil
}

func fitBeta(name string, s *sample, modified bool) ([]float64, float64, error) {
	thin, whole := &betaLikelihood{s: s.thin(thinTo), modified: modified}, &betaLikelihood{s: s, modified: modified}
	return highest(name, thin.at, whole.at, betaStarts)
}

// FitPareto fits [Pareto] to customers.
func FitPareto(customers []Customer) (*Pareto, error) { return fitPareto(newSample(customers)) }

func fitPareto(s *sample) (*Pareto, error) {
	thin, whole := &paretoLikelihood{s: s.thin(thinTo)}, &paretoLikelihood{s: s}
	p, ll, err := highest("pareto_nbd", thin.at, whole.at, [][]float64{{1, 10, 1, 10}, {0.5, 10, 0.6, 12}, {2, 30, 0.5, 30}})
	if err != nil {
		return nil, err
	}
	return &Pareto{p[0], p[1], p[2], p[3], fitted{ll}}, nil
}

// FitSpend fits [GammaGamma] to what customers spent who came back; those without
// an order after the first are left out.
func FitSpend(list []Spend) (*GammaGamma, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(s Spend) bool { return s.X < 1 || s.Mean <= 0 })
	if len(list) == 0 {
		return nil, fault.New(fault.Unavailable, "nobody spent anything in a second order")
	}
	total := 0.0
	for _, s := range list {
		total += s.Mean
	}
	mean := total / float64(len(list))
	l := newSpendLikelihood(list)
	p, ll, err := highest("gamma_gamma", l.at, l.at, [][]float64{{5, 3, mean / 2}, {1, 3, mean}, {20, 5, mean / 5}})
	if err != nil {
		return nil, err
	}
	return &GammaGamma{p[0], p[1], p[2], len(list), fitted{ll}}, nil
}

// FitOccasions fits [BGBB].
func FitOccasions(list []Occasions) (*BGBB, error) {
	at := func(p []float64) float64 {
		sum := 0.0
		for _, o := range list {
			sum += float64(o.Count) * occasionLikelihood(p[0], p[1], p[2], p[3], o)
		}
		return sum
	}
	p, ll, err := highest("bg_bb", at, at, [][]float64{{1, 1, 1, 3}, {1, 0.5, 0.5, 5}, {2, 5, 1, 10}})
	if err != nil {
		return nil, err
	}
	return &BGBB{p[0], p[1], p[2], p[3], fitted{ll}}, nil
}
