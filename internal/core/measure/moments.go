package measure

import "math"

// Moments are count, mean and sum of squared deviations of a set of numbers,
// kept in one pass (Welford 1962) and merged by the formula of Chan, Golub and
// LeVeque (1979). The zero Moments are those of no number.
type Moments struct {
	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
	M2   float64 `json:"m2"` // the sum of (x − mean)²
}

// MomentsOf returns the moments of n numbers by their sum and the sum of their
// squares, as a database adds them up.
func MomentsOf(n int64, sum, squares float64) Moments {
	if n <= 0 {
		return Moments{}
	}
	mean := sum / float64(n)
	return Moments{n, mean, math.Max(0, squares-sum*mean)}
}

// Add adds a number.
func (m *Moments) Add(x float64) {
	m.N++
	d := x - m.Mean
	m.Mean += d / float64(m.N)
	m.M2 += d * (x - m.Mean)
}

// Replace takes old out and puts x in: somebody who was counted bought again.
// The caller sees to it that old is in.
func (m *Moments) Replace(old, x float64) {
	if m.N <= 0 {
		return
	}
	before := m.Mean
	m.Mean += (x - old) / float64(m.N)
	m.M2 = math.Max(0, m.M2+(x-old)*(x-m.Mean+old-before))
}

// Merge returns the moments of both sets together.
func (m Moments) Merge(o Moments) Moments {
	switch {
	case o.N == 0:
		return m
	case m.N == 0:
		return o
	}
	n := m.N + o.N
	d := o.Mean - m.Mean
	return Moments{n, m.Mean + d*float64(o.N)/float64(n), m.M2 + o.M2 + d*d*float64(m.N)*float64(o.N)/float64(n)}
}

// Variance returns the unbiased sample variance; 0 of fewer than two numbers.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return 0
	}
	return m.M2 / float64(m.N-1)
}

// Sum returns the sum of the numbers.
func (m Moments) Sum() float64 { return m.Mean * float64(m.N) }
