package value

import (
	"cmp"
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
	searchEnds = 1e-9 // the likelihood changed by less
	searchFor  = 60   // for so many steps
	maxSteps   = 4000
	thinTo     = 1500 // groups that starts are compared on
	settled    = 1e-4 // two searches that end closer than this found the same top
	rounds     = 6    // searches on all data before a fit is given up
)

// climb looks for the parameters, all above zero, at which a likelihood is
// highest, from a start. Width is how far the first steps go, on logarithms.
func climb(likelihood func([]float64) float64, start []float64, width float64) ([]float64, float64) {
	par := make([]float64, len(start))
	problem := optimize.Problem{Func: func(theta []float64) float64 {
		for i, t := range theta {
			if math.Abs(t) > farthest {
				return math.Inf(1)
			}
			par[i] = math.Exp(t)
		}
		v := -likelihood(par)
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		return v
	}}
	theta := make([]float64, len(start))
	for i, p := range start {
		theta[i] = min(max(math.Log(p), -farthest+1), farthest-1)
	}
	settings := &optimize.Settings{
		Converger: &optimize.FunctionConverge{Absolute: searchEnds, Iterations: searchFor}, FuncEvaluations: maxSteps,
	}
	found, err := optimize.Minimize(problem, theta, settings, &optimize.NelderMead{SimplexSize: width})
	if found == nil || err != nil && math.IsInf(found.F, 0) {
		return start, math.Inf(-1)
	}
	best := make([]float64, len(start))
	for i, t := range found.X {
		best[i] = math.Exp(t)
	}
	return best, -found.F
}

// highest looks for the top of a likelihood: from each start on a thin likelihood,
// then from the best of these on the whole one, again and again from where the
// last search ended, until two in a row end at the same height. Thin may be the
// whole one.
func highest(name string, thin, whole func([]float64) float64, starts [][]float64) ([]float64, float64, error) {
	type end struct {
		par []float64
		ll  float64
	}
	var ends []end
	for _, s := range starts {
		par, ll := climb(thin, s, 0.5)
		ends = append(ends, end{par, ll})
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(b.ll, a.ll) })
	par, ll := ends[0].par, math.Inf(-1)
	width := 0.2
	for range rounds {
		next, height := climb(whole, par, width)
		if height-ll < settled && !math.IsInf(height, 0) {
			if height > ll {
				par, ll = next, height
			}
			return par, ll, nil
		}
		par, ll, width = next, height, 0.1
	}
	return nil, 0, fault.New(fault.Unavailable, fmt.Sprintf("no parameters of %s were found that fit best: the likelihood keeps rising (%.4f at the last)", name, ll))
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
