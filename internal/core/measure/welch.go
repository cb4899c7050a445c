package measure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"rapport/internal/fault"
)

// Test is the outcome of a classic test: valid for one look at a number of
// people that was fixed beforehand. For a report that is watched use [Sequence].
type Test struct {
	Difference float64 `json:"difference"`
	T          float64 `json:"t"`
	Freedom    float64 `json:"freedom"` // degrees of freedom
	P          float64 `json:"p"`       // two-sided
}

// Welch compares two means whose variances may differ (Welch 1947). Without any
// spread there is nothing to compare: T and P are those of no difference.
func Welch(a, b Moments) Test {
	t := Test{Difference: a.Mean - b.Mean, P: 1}
	if a.N < 2 || b.N < 2 {
		return t
	}
	va, vb := a.Variance()/float64(a.N), b.Variance()/float64(b.N)
	if va+vb == 0 {
		return t
	}
	t.T = t.Difference / math.Sqrt(va+vb)
	t.Freedom = (va + vb) * (va + vb) / (va*va/float64(a.N-1) + vb*vb/float64(b.N-1))
	t.P = mathext.RegIncBeta(t.Freedom/2, 0.5, t.Freedom/(t.Freedom+t.T*t.T))
	return t
}

// Ratio is the check that people were tossed as planned.
type Ratio struct {
	ChiSquare float64 `json:"chi_square"`
	P         float64 `json:"p"`
	Alarm     bool    `json:"alarm"` // the toss or the counting is broken: believe no figure of this report
}

// RatioAlarm is the chance below which the shares are called broken. It is far
// below 5 % because every report asks every day, and because a real fault, a
// filter in one arm, soon brings it to a millionth.
const RatioAlarm = 0.001

// Mismatch compares how many people each arm has with the shares that it should
// have, by Pearson's chi-square test: the sample ratio mismatch of Fabijan and
// others (KDD 2019). Lists that do not fit each other are Invalid.
func Mismatch(people []int64, shares []float64) (Ratio, error) {
	if len(people) != len(shares) || len(people) < 2 {
		return Ratio{}, fault.New(fault.Invalid, fmt.Sprintf("%d arms and %d shares: as many of both are needed, two at least", len(people), len(shares)))
	}
	total, sum := 0.0, 0.0
	for i := range people {
		if people[i] < 0 || !(shares[i] > 0) {
			return Ratio{}, fault.New(fault.Invalid, fmt.Sprintf("arm %d has %d people and the share %g: it needs a share above 0", i+1, people[i], shares[i]))
		}
		total, sum = total+float64(people[i]), sum+shares[i]
	}
	r := Ratio{P: 1}
	if total == 0 {
		return r, nil
	}
	for i := range people {
		want := total * shares[i] / sum
		d := float64(people[i]) - want
		r.ChiSquare += d * d / want
	}
	r.P = mathext.GammaIncRegComp(float64(len(people)-1)/2, r.ChiSquare/2)
	r.Alarm = r.P < RatioAlarm
	return r, nil
}
