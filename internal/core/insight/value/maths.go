package value

import "math"

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// lbeta is the logarithm of the beta function.
func lbeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }

// logSum returns ln(eᵃ + eᵇ) without leaving the range of floats.
func logSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// logDiff returns ln(eᵃ − eᵇ) for a ≥ b.
func logDiff(a, b float64) float64 {
	if d := b - a; d < 0 {
		return a + math.Log(-math.Expm1(d))
	}
	return math.Inf(-1)
}

// odds turns the logarithm of odds into the chance of the other side: 1/(1+eˣ).
func odds(x float64) float64 {
	if x > 0 {
		e := math.Exp(-x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(x))
}

// Limits of the continued fraction of logF1: it ends when a step changes nothing
// that a float shows, which at z = 0.9999 takes some 1,500 steps.
const (
	fractionSteps = 5000
	fractionExact = 1e-15
)

// logF1 returns ln ₂F₁(1, a; c; z) for a, c > 0 and 0 ≤ z < 1, by Gauss's continued
// fraction, evaluated forwards. It converges where the series does, in the square
// root of its steps, and all of it stays finite.
func logF1(a, c, z float64) float64 {
	const tiny = 1e-300
	f, cc, d := 1.0, 1.0, 0.0
	for n := 1; n <= fractionSteps; n++ {
		var k float64
		if m := float64(n / 2); n%2 == 1 {
			if n == 1 {
				k = a / c // the general term has (c−1) above and below
			} else {
				k = (a + m) * (c + m - 1) / ((c + 2*m - 1) * (c + 2*m))
			}
		} else {
			k = m * (c - a + m - 1) / ((c + 2*m - 2) * (c + 2*m - 1))
		}
		if d = 1 - k*z*d; math.Abs(d) < tiny {
			d = tiny
		}
		if cc = 1 - k*z/cc; math.Abs(cc) < tiny {
			cc = tiny
		}
		d = 1 / d
		step := cc * d
		f *= step
		if math.Abs(step-1) < fractionExact {
			break
		}
	}
	return -math.Log(f)
}

// Step and reach of the integral in expectedOrders, on the scale of the logarithm
// of odds. The integrand is analytic in a strip of width 2π around it and nearly
// a normal curve where a and b are large, so trapezoids of the smaller of two
// steps are exact to more digits than a float has.
const (
	oddsStep   = 0.25
	oddsSpread = 1.6 // steps in the spread of the curve
	oddsReach  = 40
	oddsLeast  = 1e-17 // what is smaller than this beside the result is left out
)

// expectedOrders sets out, for each horizon, to how many orders a customer makes
// who orders at a rate drawn from Gamma(shape, rate) and after each order leaves
// with a chance drawn from Beta(a, b). It is the mean of
//
//	h(p) = (1 − (1 + p·t/rate)^−shape) / p
//
// over p. The part of h that is a straight line between its ends has a mean
// without an integral; what is left vanishes at both ends, so the integral is
// good for any a and b above zero, where the hypergeometric form has poles.
func expectedOrders(shape, rate, a, b float64, horizons, out []float64) {
	norm := lbeta(a, b)
	type line struct{ at0, at1 float64 }
	ends := make([]line, len(horizons))
	for i, t := range horizons {
		ends[i] = line{shape * t / rate, -math.Expm1(-shape * math.Log1p(t/rate))}
		out[i] = (b*ends[i].at0 + a*ends[i].at1) / (a + b)
	}
	// The weight on this scale is highest where p = (1+a)/(2+a+b).
	top := math.Log((1 + a) / (1 + b))
	weight := func(y float64) (p, w float64) {
		lp, lq := -logOne(-y), -logOne(y) // ln p, ln(1−p)
		return math.Exp(lp), math.Exp(a*lp + b*lq - norm)
	}
	sums := make([]float64, len(horizons))
	add := func(y float64) (most float64) {
		p, w := weight(y)
		for i, t := range horizons {
			h := -math.Expm1(-shape*math.Log1p(p*t/rate)) / p
			rest := h - (ends[i].at0*(1-p) + ends[i].at1*p)
			sums[i] += w * rest
			if scale := math.Abs(w*rest) / (math.Abs(out[i]) + math.SmallestNonzeroFloat64); scale > most {
				most = scale
			}
		}
		return most
	}
	step := min(oddsStep, math.Sqrt(1/(a+1)+1/(b+1))/oddsSpread)
	add(top)
	for _, sign := range []float64{1, -1} {
		for k := 1; float64(k)*step <= oddsReach; k++ {
			if add(top+sign*float64(k)*step) < oddsLeast && k > 8 {
				break
			}
		}
	}
	for i := range out {
		out[i] += sums[i] * step
	}
}

// logOne returns ln(1 + eʸ).
func logOne(y float64) float64 {
	if y > 0 {
		return y + math.Log1p(math.Exp(-y))
	}
	return math.Log1p(math.Exp(y))
}
