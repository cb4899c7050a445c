package value

import "math"

// BGNBD is the model in which a customer may leave right after each order but
// never before the first: rates are Gamma(r, alpha), chances to leave Beta(a, b).
type BGNBD struct {
	R, Alpha, A, B float64
	fitted
}

// MBGNBD is [BGNBD] but that a customer may leave after the first order too, as
// many do: most customers of most shops come once.
type MBGNBD struct {
	R, Alpha, A, B float64
	fitted
}

// Name implements [Model].
func (*BGNBD) Name() string { return "bg_nbd" }

// Name implements [Model].
func (*MBGNBD) Name() string { return "mbg_nbd" }

// Params implements [Model].
func (m *BGNBD) Params() []Param { return beta4(m.R, m.Alpha, m.A, m.B) }

// Params implements [Model].
func (m *MBGNBD) Params() []Param { return beta4(m.R, m.Alpha, m.A, m.B) }

func beta4(r, alpha, a, b float64) []Param {
	return []Param{{"r", r}, {"alpha", alpha}, {"a", a}, {"b", b}}
}

// left returns ln of how many times likelier it is that the customer left than
// that they are still there, after x orders of which each could be the last.
func left(c Customer, r, alpha, a, b, x float64) float64 {
	return math.Log(a/(b+x)) + (r+float64(c.X))*math.Log((alpha+c.T)/(alpha+c.Tx))
}

// Alive implements [Model].
func (m *BGNBD) Alive(c Customer) float64 {
	if c.X == 0 {
		return 1 // nobody leaves before they could come back
	}
	return odds(left(c, m.R, m.Alpha, m.A, m.B, float64(c.X)-1))
}

// Alive implements [Model].
func (m *MBGNBD) Alive(c Customer) float64 {
	return odds(left(c, m.R, m.Alpha, m.A, m.B, float64(c.X)))
}

// Orders implements [Model].
func (m *BGNBD) Orders(c Customer, horizons, out []float64) {
	expectedOrders(m.R+float64(c.X), m.Alpha+c.T, m.A, m.B+float64(c.X), horizons, out)
	scale(out, m.Alive(c))
}

// Orders implements [Model].
func (m *MBGNBD) Orders(c Customer, horizons, out []float64) {
	expectedOrders(m.R+float64(c.X), m.Alpha+c.T, m.A, m.B+float64(c.X)+1, horizons, out)
	scale(out, m.Alive(c))
}

func scale(list []float64, by float64) {
	for i := range list {
		list[i] *= by
	}
}

// Newcomer implements [Model].
func (m *BGNBD) Newcomer(weeks float64) float64 {
	return Expected(m, Customer{}, weeks)
}

// Newcomer implements [Model].
func (m *MBGNBD) Newcomer(weeks float64) float64 {
	return Expected(m, Customer{}, weeks)
}

// Wait implements [Model].
func (m *BGNBD) Wait(c Customer, chance float64) (float64, bool) {
	return waitAlive(m.R+float64(c.X), m.Alpha+c.T, m.Alive(c), chance)
}

// Wait implements [Model].
func (m *MBGNBD) Wait(c Customer, chance float64) (float64, bool) {
	return waitAlive(m.R+float64(c.X), m.Alpha+c.T, m.Alive(c), chance)
}

// waitAlive answers Wait where somebody who is there stays until the next order.
func waitAlive(shape, rate, alive, chance float64) (float64, bool) {
	if alive <= chance {
		return 0, false
	}
	// alive × (1 − (rate/(rate+t))^shape) = chance
	return rate * math.Expm1(-math.Log1p(-chance/alive)/shape), true
}

// betaLikelihood is the log-likelihood of BG/NBD or, modified, of MBG/NBD.
type betaLikelihood struct {
	s        *sample
	modified bool
	k, g     []float64 // for each X: the constant, and ln of the odds of leaving
}

func (l *betaLikelihood) at(p []float64) float64 {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	more := 0.0 // chances to leave beside those of the orders after the first
	if l.modified {
		more = 1
	}
	l.k = l.s.rising(l.k, r*math.Log(alpha), func(j float64) float64 { return math.Log(r + j) })
	// ln B(a, b+x) / B(a, b) where the first of B stays: the chance to stay x times.
	l.g = l.s.rising(l.g, 0, func(j float64) float64 { return -math.Log1p(a / (b + j)) })
	for i, x := range l.s.xs {
		l.k[i] += l.g[i]
		if l.modified {
			l.k[i] -= math.Log1p(a / (b + float64(x)))
		}
		l.g[i] = math.Inf(-1)
		if x := float64(x) + more; x >= 1 {
			l.g[i] = math.Log(a / (b + x - 1))
		}
	}
	sum := 0.0
	for i := range l.s.groups {
		g := &l.s.groups[i]
		n := r + float64(g.X)
		late := math.Log(alpha + g.T)
		v := l.k[g.ix] - n*late
		if odds := l.g[g.ix]; !math.IsInf(odds, -1) {
			early := late
			if g.Tx != g.T {
				early = math.Log(alpha + g.Tx)
			}
			v += logOne(odds + n*(late-early))
		}
		sum += g.n * v
	}
	return sum
}
