package measure

import (
	"fmt"
	"math"
)

// Sequence makes confidence intervals for the difference between two arms that
// hold at every look at once. The zero Sequence has the defaults.
//
// It is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha,
// Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic
// confidence sequences" (Annals of Statistics, 2024; arXiv 2103.06476), the
// Gaussian mixture boundary of its theorem 2.2: after t people the half width is
//
//	σ̂ · √( 2(tρ²+1)/(t²ρ²) · ln(√(tρ²+1)/α) )
//
// with σ̂² = t·(v₁/n₁ + v₀/n₀), the variance of the difference in means scaled
// to t people.
//
// Two things make it hold for spend, where one wholesaler outspends a thousand
// others and a holdout of a few hundred people usually has no such customer, so
// that its own variance tells far too little. An arm's variance v is never taken
// below the variance of both arms together, which is right if messages change
// nothing, and that is the case in which the interval must not err. And below
// MinPerArm people it does not speak, because the theorem is about large t.
type Sequence struct {
	// Alpha is the chance of ever excluding the truth. Default 0.05.
	Alpha float64
	// Tightest is the number of people, both arms together, at which the
	// interval is narrowest for its t; ρ follows from it. Default 10,000. It
	// must not be chosen after seeing the data.
	Tightest int64
	// MinPerArm is how many people each arm must have. Default 200.
	MinPerArm int64
}

// The defaults of a [Sequence].
const (
	DefaultAlpha     = 0.05
	DefaultTightest  = 10_000
	DefaultMinPerArm = 200
)

// Interval is a difference between treated and held-out people, per person,
// with the bounds between which the truth lies.
type Interval struct {
	Lift         float64 `json:"lift"` // mean of the treated − mean of the held out
	Low          float64 `json:"low"`
	High         float64 `json:"high"`
	N1           int64   `json:"treated"`
	N0           int64   `json:"held_out"`
	Enough       bool    `json:"enough"` // false: too few people, and Low and High mean nothing
	ExcludesZero bool    `json:"excludes_zero"`
	Why          string  `json:"why,omitempty"` // why it does not speak
}

// Compare returns the interval for the difference of two means.
func (s Sequence) Compare(treated, held Moments) Interval {
	if s.Alpha <= 0 || s.Alpha >= 1 {
		s.Alpha = DefaultAlpha
	}
	if s.Tightest <= 0 {
		s.Tightest = DefaultTightest
	}
	if s.MinPerArm < 2 {
		s.MinPerArm = DefaultMinPerArm
	}
	in := Interval{Lift: treated.Mean - held.Mean, N1: treated.N, N0: held.N}
	if treated.N < s.MinPerArm || held.N < s.MinPerArm {
		in.Why = fmt.Sprintf("not enough people yet: %d treated and %d held out, at least %d of each are needed", treated.N, held.N, s.MinPerArm)
		return in
	}
	together := treated.Merge(held).Variance()
	n1, n0 := float64(treated.N), float64(held.N)
	t := n1 + n0
	deviation := math.Sqrt(t * (math.Max(treated.Variance(), together)/n1 + math.Max(held.Variance(), together)/n0))
	half := deviation * s.boundary(t)
	if math.IsNaN(half) || math.IsInf(half, 0) {
		in.Why = "the numbers are too large to compare"
		return in
	}
	in.Low, in.High, in.Enough = in.Lift-half, in.Lift+half, true
	in.ExcludesZero = in.Low > 0 || in.High < 0
	return in
}

// boundary returns the half width after t people of variance 1.
func (s Sequence) boundary(t float64) float64 {
	// ρ that makes the boundary narrowest at Tightest, by a closed form that is a
	// few per cent off the optimum and therefore as valid as any other ρ.
	l := -2 * math.Log(s.Alpha)
	rr := (l + math.Log(l+1)) / float64(s.Tightest)
	return math.Sqrt(2 * (t*rr + 1) / (t * t * rr) * math.Log(math.Sqrt(t*rr+1)/s.Alpha))
}

// Times returns the interval of n people instead of one: what the treated
// brought in all.
func (in Interval) Times(n int64) Interval {
	f := float64(n)
	in.Lift, in.Low, in.High = in.Lift*f, in.Low*f, in.High*f
	return in
}
