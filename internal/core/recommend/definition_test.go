package recommend_test

import (
	"math"
	"slices"

	"rapport/internal/core/recommend"
)

// definition is VMIS-kNN without an index.
func definition(visits [][]string, m recommend.Method, clicks []string) map[string]float64 {
	current := clicks[len(clicks)-1]
	if len(clicks) > m.Last {
		clicks = clicks[len(clicks)-m.Last:]
	}
	at := map[string]int{} // steps back of the latest click on it
	for i, c := range clicks {
		at[c] = len(clicks) - 1 - i
	}
	similar := map[int]float64{}
	for name, back := range at {
		left := m.M
		for v := len(visits) - 1; v >= 0 && left > 0; v-- {
			if slices.Contains(visits[v], name) {
				similar[v] += float64(len(clicks)-back) / float64(len(at))
				left--
			}
		}
	}
	var order []int
	for v := range similar {
		order = append(order, v)
	}
	slices.SortFunc(order, func(a, b int) int { return b - a })
	order = order[:min(len(order), m.M)]
	total, count := 0.0, map[string]float64{}
	for _, v := range visits {
		for _, name := range v {
			total++
			count[name]++
		}
	}
	scores := map[string]float64{}
	for _, v := range order {
		first := math.MaxInt
		for _, name := range visits[v] {
			if back, ok := at[name]; ok {
				first = min(first, back)
			}
		}
		for _, name := range visits[v] {
			scores[name] += (1 - 0.1*float64(first+1)) * similar[v]
		}
	}
	for name := range scores {
		if scores[name] *= math.Log(total/count[name]) * m.IDF; scores[name] <= 0 {
			delete(scores, name)
		}
	}
	delete(scores, current)
	return scores
}
