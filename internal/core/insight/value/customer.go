package value

import (
	"cmp"
	"slices"
)

// Customer is what the models need to know of one customer's orders. Orders of
// one day are one order.
type Customer struct {
	X  int     // orders after the first
	Tx float64 // weeks between the first order and the last; zero if X is
	T  float64 // weeks between the first order and the present
}

// Spend is what a customer spent in orders after the first.
type Spend struct {
	X    int     // how many orders; at least 1
	Mean float64 // mean sum of them; above zero
}

// Day is one day on which a customer ordered.
type Day struct {
	Day int     // days since some beginning
	Sum float64 // of all orders of the day
}

const week = 7 // days

// Summary condenses a customer's days, in their order, as of the end of the day
// `end`; later days are left out. It reports false if the customer had not
// ordered by then. The Spend has no orders if the customer did not come back, or
// spent nothing when they did.
func Summary(days []Day, end int) (c Customer, s Spend, ok bool) {
	n := 0
	for n < len(days) && days[n].Day <= end {
		n++
	}
	if n == 0 {
		return c, s, false
	}
	first, last := days[0].Day, days[n-1].Day
	c = Customer{X: n - 1, Tx: float64(last-first) / week, T: float64(end-first) / week}
	sum := 0.0
	for _, d := range days[1:n] {
		sum += d.Sum
	}
	if c.X > 0 && sum > 0 {
		s = Spend{X: c.X, Mean: sum / float64(c.X)}
	}
	return c, s, true
}

// Returned takes refunds out of a customer's days, both in their order: each
// takes from the latest days up to its own, whatever it was for, since a refund
// seldom says so. A day of which nothing is left was no order. Days is changed.
func Returned(days, refunds []Day) []Day {
	for _, r := range refunds {
		back := r.Sum
		for i := len(days) - 1; i >= 0 && back > 0; i-- {
			if days[i].Day > r.Day || days[i].Sum <= 0 {
				continue
			}
			took := min(back, days[i].Sum)
			days[i].Sum -= took
			back -= took
			if days[i].Sum < nothing {
				days = slices.Delete(days, i, i+1)
			}
		}
	}
	return days
}

// nothing is a sum that is only what adding up left over: less than a cent.
const nothing = 0.005

// Merge puts days into their order and adds up those of one day.
func Merge(days []Day) []Day {
	slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
	out := days[:0]
	for _, d := range days {
		if n := len(out); n > 0 && out[n-1].Day == d.Day {
			out[n-1].Sum += d.Sum
			continue
		}
		out = append(out, d)
	}
	return out
}

// group is customers with the same orders.
type group struct {
	Customer
	n  float64 // how many there are
	ix int     // which of sample.xs X is
}

// sample is customers, those alike together, in a fixed order. What depends on X
// alone is computed once for each X, not once for each customer.
type sample struct {
	groups []group
	xs     []int // every X that occurs, ascending
}

func newSample(customers []Customer) *sample {
	sorted := slices.Clone(customers)
	slices.SortFunc(sorted, func(a, b Customer) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Tx, b.Tx), cmp.Compare(a.T, b.T))
	})
	s := &sample{}
	for _, c := range sorted {
		if n := len(s.xs); n == 0 || s.xs[n-1] != c.X {
			s.xs = append(s.xs, c.X)
		}
		if n := len(s.groups); n > 0 && s.groups[n-1].Customer == c {
			s.groups[n-1].n++
			continue
		}
		s.groups = append(s.groups, group{c, 1, len(s.xs) - 1})
	}
	return s
}

// thin returns a sample of at most about n groups, spread evenly: to look for a
// place from which to start.
func (s *sample) thin(n int) *sample {
	if len(s.groups) <= n {
		return s
	}
	step := float64(len(s.groups)) / float64(n)
	t := &sample{xs: s.xs}
	for i := 0; i < n; i++ {
		t.groups = append(t.groups, s.groups[int(float64(i)*step)])
	}
	return t
}

// rising sets, for each X that occurs, start + f(0) + … + f(X−1). Ratios of gamma
// functions are such sums, and differences of their logarithms would leave few
// digits where a parameter is large.
func (s *sample) rising(into []float64, start float64, f func(j float64) float64) []float64 {
	into = into[:0]
	next := 0
	for _, x := range s.xs {
		for ; next < x; next++ {
			start += f(float64(next))
		}
		into = append(into, start)
	}
	return into
}
