package intent

import (
	"cmp"
	"math"
	"slices"
)

// entropy is the logarithmic loss of one chance.
func entropy(p float64, came bool) float64 {
	const edge = 1e-12
	if came {
		return -math.Log(max(p, edge))
	}
	return -math.Log(max(1-p, edge))
}

// measure returns how good the model's chances are on samples.
func measure(m *Model, samples []Sample) Quality {
	said := make([]float64, len(samples))
	came := make([]bool, len(samples))
	for i, s := range samples {
		said[i], came[i] = m.Chance(s.X), s.Bought
	}
	q := Measure(said, came)
	q.Method = m.Method
	return q
}

// Measure compares chances with what came.
func Measure(said []float64, came []bool) Quality {
	q := Quality{Visits: len(said)}
	if len(said) == 0 {
		return q
	}
	n := float64(len(said))
	rows := make([][]float64, len(said))
	order := make([]int, len(said))
	for i, p := range said {
		order[i], rows[i] = i, []float64{logit(p)}
		d := p
		if came[i] {
			q.Base += 1 / n
			d = 1 - p
		}
		q.Brier += d * d / n
		q.LogLoss += entropy(p, came[i]) / n
	}
	q.BaseBrier = q.Base * (1 - q.Base)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(said[a], said[b]) })
	q.AUC = auc(said, came, order)
	w := []float64{1, 0}
	newton(rows, came, w, 1e-6)
	q.Slope, q.Offset = w[0], w[1]
	const bins = 10
	for b := range bins {
		group := order[len(order)*b/bins : len(order)*(b+1)/bins]
		if len(group) == 0 {
			continue
		}
		bin := Bin{N: len(group)}
		for _, i := range group {
			bin.Predicted += said[i] / float64(len(group))
			if came[i] {
				bin.Actual += 1 / float64(len(group))
			}
		}
		q.Bins = append(q.Bins, bin)
	}
	return q
}

// auc is the share of pairs, of one that came and one that did not, in which the
// first has the higher chance; equal chances are half a pair. Order sorts by chance.
func auc(said []float64, came []bool, order []int) float64 {
	ranks, positive := 0.0, 0.0
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && said[order[j]] == said[order[i]] {
			j++
		}
		rank := float64(i+j+1) / 2
		for _, k := range order[i:j] {
			if came[k] {
				ranks += rank
				positive++
			}
		}
		i = j
	}
	negative := float64(len(order)) - positive
	if positive == 0 || negative == 0 {
		return math.NaN()
	}
	return (ranks - positive*(positive+1)/2) / (positive * negative)
}
