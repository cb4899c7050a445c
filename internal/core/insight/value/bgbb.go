package value

import "math"

// BGBB is the model for occasions that come at fixed times, of which a customer
// uses some: chances to use one are Beta(alpha, beta), chances to leave before one
// Beta(gamma, delta).
type BGBB struct {
	Alpha, Beta, Gamma, Delta float64
	fitted
}

// Occasions is what BG/BB needs to know of customers who are alike.
type Occasions struct {
	X     int // used
	Last  int // number of the last that was used; zero if X is
	Of    int // how many there were
	Count int // how many customers are so
}

// Params returns the parameters in the order of the literature.
func (m *BGBB) Params() []Param {
	return []Param{{"alpha", m.Alpha}, {"beta", m.Beta}, {"gamma", m.Gamma}, {"delta", m.Delta}}
}

func (m *BGBB) logLikelihood(o Occasions) float64 {
	return occasionLikelihood(m.Alpha, m.Beta, m.Gamma, m.Delta, o)
}

// occasionLikelihood adds up, on logarithms, that the customer is still there and
// that they left after each of the occasions since the last that they used.
func occasionLikelihood(alpha, beta, gamma, delta float64, o Occasions) float64 {
	use, leave := lbeta(alpha, beta), lbeta(gamma, delta)
	x, last, n := float64(o.X), float64(o.Last), float64(o.Of)
	sum := lbeta(alpha+x, beta+n-x) - use + lbeta(gamma, delta+n) - leave
	for i := 0.0; i < n-last; i++ {
		sum = logSum(sum, lbeta(alpha+x, beta+last-x+i)-use+lbeta(gamma+1, delta+last+i)-leave)
	}
	return sum
}

// Alive returns the chance that the customer is there at the next occasion.
func (m *BGBB) Alive(o Occasions) float64 {
	x, n := float64(o.X), float64(o.Of)
	return math.Exp(lbeta(m.Alpha+x, m.Beta+n-x) - lbeta(m.Alpha, m.Beta) + lbeta(m.Gamma, m.Delta+n+1) - lbeta(m.Gamma, m.Delta) - m.logLikelihood(o))
}

// Orders returns how many of the next occasions the customer is expected to use.
func (m *BGBB) Orders(o Occasions, next int) float64 {
	x, n := float64(o.X), float64(o.Of)
	each := lbeta(m.Alpha+x+1, m.Beta+n-x) - lbeta(m.Alpha, m.Beta) - m.logLikelihood(o) - lbeta(m.Gamma, m.Delta)
	sum := 0.0
	for i := 1; i <= next; i++ {
		sum += math.Exp(each + lbeta(m.Gamma, m.Delta+n+float64(i)))
	}
	return sum
}

// Newcomers returns which share of newcomers is expected to use x of n occasions.
func (m *BGBB) Newcomers(x, n int) float64 {
	sum := 0.0
	for last := x; last <= n; last++ {
		if x == 0 && last > 0 {
			break
		}
		// All orders in which x occasions, the last of them number `last`, are used.
		ways := 0.0
		if x > 0 {
			ways = lgamma(float64(last)) - lgamma(float64(x)) - lgamma(float64(last-x+1))
		}
		sum += math.Exp(ways + m.logLikelihood(Occasions{X: x, Last: last, Of: n}))
	}
	return sum
}
