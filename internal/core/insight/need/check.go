package need

import (
	"math"
	"slices"

	"rapport/internal/core/event"
)

// Check compares the model, fitted to what was known at an instant, with what came
// after it.
type Check struct {
	Pairs int // of person and family with two purchases or more before, and one after

	// Median errors of the date in days. Last and Average add the last gap, or the
	// mean one, to the last purchase, and Family the family's usual gap; what would
	// lie in the past is the first instant, and what would lie beyond the end is the
	// end. Middle always says the middle of the time.
	Model, Last, Average, Family, Middle float64

	// Bins compare the chance of a purchase before the end with how many came, for
	// all pairs: those that did not come back too.
	Bins []Bin
}

// Bin is a tenth of the pairs by chance.
type Bin struct {
	N                 int
	Predicted, Actual float64
}

// Backtest fits to what happened before cut and compares with what happened from
// there to the end.
func Backtest(histories []History, cut, end event.Time) (Check, error) {
	cut-- // an instant is before itself only if it is earlier
	m, err := Fit(histories, cut)
	if err != nil {
		return Check{}, err
	}
	var c Check
	var model, last, average, family, blind []float64
	type said struct {
		chance float64
		came   bool
	}
	var all []said
	for _, h := range histories {
		n, _ := slices.BinarySearch(h.At, cut+1)
		list, _ := gaps(h.At, cut)
		if n == 0 || len(list) == 0 {
			continue
		}
		f, ok := m.Forecast(h, cut, end.Sub(cut))
		if !ok {
			continue
		}
		came := n < len(h.At) && h.At[n] < end
		all = append(all, said{f.Chance, came})
		if !came {
			continue
		}
		actual := h.At[n]
		off := func(days float64) float64 {
			at := min(max(h.At[n-1].Add(hours(days)), cut), end)
			return math.Abs(at.Sub(actual).Hours() / 24)
		}
		sum := 0.0
		for _, g := range list {
			sum += math.Exp(g)
		}
		usual, _ := m.Usual(h.Family)
		middle := cut + (end-cut)/2
		model = append(model, math.Abs(f.At.Sub(actual).Hours()/24))
		last = append(last, off(math.Exp(list[len(list)-1])))
		average = append(average, off(sum/float64(len(list))))
		family = append(family, off(usual))
		blind = append(blind, math.Abs(middle.Sub(actual).Hours()/24))
	}
	c.Pairs = len(model)
	c.Model, c.Last, c.Average, c.Family, c.Middle = median(model), median(last), median(average), median(family), median(blind)
	slices.SortFunc(all, func(a, b said) int {
		switch {
		case a.chance < b.chance:
			return -1
		case a.chance > b.chance:
			return 1
		}
		return 0
	})
	const bins = 10
	for b := range bins {
		part := all[len(all)*b/bins : len(all)*(b+1)/bins]
		if len(part) == 0 {
			continue
		}
		bin := Bin{N: len(part)}
		for _, s := range part {
			bin.Predicted += s.chance
			if s.came {
				bin.Actual++
			}
		}
		bin.Predicted /= float64(len(part))
		bin.Actual /= float64(len(part))
		c.Bins = append(c.Bins, bin)
	}
	return c, nil
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
