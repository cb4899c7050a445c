package value

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// Pareto is the model in which a customer may leave at any time: rates of
// ordering are Gamma(r, alpha), rates of leaving Gamma(s, beta).
type Pareto struct {
	R, Alpha, S, Beta float64
	fitted
}

// Name implements [Model].
func (*Pareto) Name() string { return "pareto_nbd" }

// Params implements [Model].
func (m *Pareto) Params() []Param {
	return []Param{{"r", m.R}, {"alpha", m.Alpha}, {"s", m.S}, {"beta", m.Beta}}
}

// gone returns ln of the integral over the time at which somebody left:
//
//	∫ from tx to T of s · (alpha+t)^−(r+x) · (beta+t)^−(s+1) dt
//
// as the difference of two hypergeometric functions, each turned so that all its
// terms are positive and finite. Where tx is close to T the difference has few
// digits, but then it is small beside the chance to be there.
func gone(r, alpha, s, beta, x, tx, t float64) float64 {
	if tx >= t {
		return math.Inf(-1)
	}
	total := r + s + x
	low, high, second, first := beta, alpha, s+1, r+x
	if alpha < beta {
		low, high, second, first = alpha, beta, r+x, s+1
	}
	if (low+t)/(high+t) < evenFrom {
		return math.Log(s) + nearlyEven(low, second, high, first, tx, t)
	}
	c := total + 1
	term := func(at float64) float64 {
		z := (high - low) / (high + at)
		// F(total, second; total+1; z) = (1−z)^(1−second) F(1, total+1−second; total+1; z)
		return (1-second)*math.Log1p(-z) + logF1(c-second, c, z) - total*math.Log(high+at)
	}
	return math.Log(s/total) + logDiff(term(tx), term(t))
}

// evenFrom is below which ratio of the two factors of the integral in gone the
// larger one is nearly even: the fraction would take hundreds of steps, and an
// integral by few nodes is exact.
const evenFrom = 0.02

// nodes and weights are those of Gauss and Legendre between 0 and 1.
var nodes, weights = func() (x, w [24]float64) {
	quad.Legendre{}.FixedLocations(x[:], w[:], 0, 1)
	return x, w
}()

// nearlyEven returns ln of ∫ from tx to end of (low+t)^−p · (high+t)^−q dt where high
// is far above low and end. It goes in steps in which the first factor is even.
func nearlyEven(low, p, high, q, tx, end float64) float64 {
	k, far := 1-p, math.Log((low+end)/(low+tx))
	width := survived(-k, far) // ∫ of e^(k·u) du up to far
	sum := 0.0
	for i, x := range nodes {
		u := x * width
		if math.Abs(k*u) > 1e-9 {
			u = math.Log1p(k*u) / k
		}
		t := (low+tx)*math.Exp(u) - low
		sum += weights[i] * math.Exp(-q*math.Log((high+t)/(high+tx)))
	}
	return k*math.Log(low+tx) - q*math.Log(high+tx) + math.Log(sum*width)
}

// there returns ln of the chance to be there until T, times the rest: (alpha+T)^−(r+x) (beta+T)^−s.
func there(r, alpha, s, beta, x, t float64) float64 {
	return -(r+x)*math.Log(alpha+t) - s*math.Log(beta+t)
}

// Alive implements [Model].
func (m *Pareto) Alive(c Customer) float64 {
	x := float64(c.X)
	return odds(gone(m.R, m.Alpha, m.S, m.Beta, x, c.Tx, c.T) - there(m.R, m.Alpha, m.S, m.Beta, x, c.T))
}

// Orders implements [Model].
func (m *Pareto) Orders(c Customer, horizons, out []float64) {
	rate := m.Alive(c) * (m.R + float64(c.X)) * (m.Beta + c.T) / (m.Alpha + c.T)
	for i, t := range horizons {
		out[i] = rate * survived(m.S-1, math.Log1p(t/(m.Beta+c.T)))
	}
}

// survived returns (1 − e^(−k·u)) / k, also where k is zero.
func survived(k, u float64) float64 {
	if math.Abs(k*u) < 1e-9 {
		return u
	}
	return -math.Expm1(-k*u) / k
}

// Newcomer implements [Model].
func (m *Pareto) Newcomer(weeks float64) float64 {
	return m.R * m.Beta / m.Alpha * survived(m.S-1, math.Log1p(weeks/m.Beta))
}

// The search of Wait: halving so often that the answer is exact to minutes, on
// trapezoids fine enough for that.
const (
	waitPanels = 256
	waitFar    = 520 // weeks: who orders once in ten years is nobody to wait for
)

// Wait implements [Model]. While they wait a customer may leave, so the chance
// that an order comes grows slower than for who stays.
func (m *Pareto) Wait(c Customer, chance float64) (float64, bool) {
	shape, rate, beta := m.R+float64(c.X), m.Alpha+c.T, m.Beta+c.T
	alive := m.Alive(c)
	if alive <= chance {
		return 0, false
	}
	// On the scale u = ln(1 + t/rate) the chance of the next order is nearly even.
	far := math.Log1p(waitFar / rate)
	step, sum := far/waitPanels, 0.0
	density := func(u float64) float64 {
		t := rate * math.Expm1(u)
		return shape * math.Exp(-shape*u) * math.Exp(-m.S*math.Log1p(t/beta))
	}
	before := density(0)
	for i := 1; i <= waitPanels; i++ {
		after := density(float64(i) * step)
		part := (before + after) / 2 * step
		if want := chance/alive - sum; part >= want {
			return rate * math.Expm1((float64(i-1)+want/part)*step), true
		}
		sum, before = sum+part, after
	}
	return 0, false
}

type paretoLikelihood struct {
	s *sample
	k []float64
}

func (l *paretoLikelihood) at(p []float64) float64 {
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	l.k = l.s.rising(l.k, r*math.Log(alpha)+s*math.Log(beta), func(j float64) float64 { return math.Log(r + j) })
	sum := 0.0
	for i := range l.s.groups {
		g := &l.s.groups[i]
		x := float64(g.X)
		sum += g.n * (l.k[g.ix] + logSum(there(r, alpha, s, beta, x, g.T), gone(r, alpha, s, beta, x, g.Tx, g.T)))
	}
	return sum
}
