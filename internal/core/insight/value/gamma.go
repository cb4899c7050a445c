package value

import "math"

// GammaGamma says how much the orders of a customer bring: sums around a mean of
// the customer's own, which differs between customers and not with how often they
// order. Who ordered little is drawn towards what all others spend.
type GammaGamma struct {
	P, Q, V float64
	N       int // customers that it was fitted to
	fitted
}

// Params returns the parameters in the order of the literature.
func (g *GammaGamma) Params() []Param { return []Param{{"p", g.P}, {"q", g.Q}, {"v", g.V}} }

// Mean returns what an order of the customer is expected to bring. The zero Spend
// is somebody of whom nothing is known; 0 if the mean over all has no bound.
func (g *GammaGamma) Mean(s Spend) float64 {
	x := float64(s.X)
	below := g.P*x + g.Q - 1
	if below <= 0 {
		return 0
	}
	return g.P * (g.V + s.Mean*x) / below
}

type spendLikelihood struct {
	list []Spend
	logs []float64 // ln of each mean
}

func newSpendLikelihood(list []Spend) *spendLikelihood {
	l := &spendLikelihood{list: list, logs: make([]float64, len(list))}
	for i := range list {
		l.logs[i] = math.Log(list[i].Mean)
	}
	return l
}

func (l *spendLikelihood) at(par []float64) float64 {
	p, q, v := par[0], par[1], par[2]
	base := q*math.Log(v) - lgamma(q)
	sum := 0.0
	for i := range l.list {
		x, m := float64(l.list[i].X), l.list[i].Mean
		sum += base + lgamma(p*x+q) - lgamma(p*x) + (p*x-1)*l.logs[i] + p*x*math.Log(x) - (p*x+q)*math.Log(v+m*x)
	}
	return sum
}
