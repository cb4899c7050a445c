package recommend

import (
	"slices"
)

// Source is one list with its weight in a step.
type Source struct {
	List   string
	Weight float64 // 0 counts as 1
	Items  []Item
}

// Step is what is asked together: its lists are mixed. A later step is asked only
// for what the earlier ones leave open.
type Step []Source

// Pick is an item that is shown.
type Pick struct {
	Good
	Score    float64
	List     string // the list that said most for it
	Fallback int    // which step it came from; 0: the first
}

// Serving is how lists become one that is shown.
type Serving struct {
	Rules
	N           int
	PerCategory int // at most so many of one category; 0: any number
	// Margin returns the shop's margin on a good, as a share of its price, and whether
	// it is known. Default: nil, it is not.
	Margin func(g *Good) (float64, bool)
	// MarginWeight is how much the margin counts: at 1 a good with a margin of 40 per
	// cent counts 1.4 times. Default 0: not.
	MarginWeight float64
}

// Served is a list as it is shown.
type Served struct {
	Picks    []Pick
	Left     map[Reason]int // what was left out, by reason
	Fallback bool           // whether anything came from a later step
}

// Mix puts steps of lists together and leaves out what must not be shown. Look
// returns what the shop says of an item, and false if it does not sell it.
//
// Each list counts by its own highest score, so that lists of different methods can
// be weighed. Nothing is added that no list names: what comes is N or fewer.
func (s *Serving) Mix(steps []Step, look func(name string) (Good, bool)) Served {
	out := Served{Left: map[Reason]int{}}
	if s.N <= 0 {
		return out
	}
	taken := map[string]bool{}
	categories := map[string]int{}
	for n, step := range steps {
		for _, c := range s.candidates(step, look, taken, &out) {
			if len(out.Picks) == s.N {
				return out
			}
			if s.PerCategory > 0 && c.Category != "" && categories[c.Category] >= s.PerCategory {
				out.Left[OfItsKind]++
				continue
			}
			categories[c.Category]++
			c.Fallback = n
			out.Fallback = out.Fallback || n > 0
			out.Picks = append(out.Picks, c)
		}
	}
	return out
}

// candidates returns what a step suggests that may be shown, the best first. What
// was looked at once is not looked at again.
func (s *Serving) candidates(step Step, look func(string) (Good, bool), taken map[string]bool, out *Served) []Pick {
	type sum struct {
		score, most float64
		list        string
	}
	sums := map[string]*sum{}
	var order []string
	for _, src := range step {
		weight := src.Weight
		if weight == 0 {
			weight = 1
		}
		highest := 0.0
		for i := range src.Items {
			highest = max(highest, src.Items[i].Score)
		}
		if highest <= 0 {
			continue
		}
		for i := range src.Items {
			it := &src.Items[i]
			if it.Score <= 0 {
				continue
			}
			one := sums[it.Name]
			if one == nil {
				one = &sum{}
				sums[it.Name] = one
				order = append(order, it.Name)
			}
			score := weight * it.Score / highest
			one.score += score
			if score > one.most {
				one.most, one.list = score, src.List
			}
		}
	}
	var picks []Pick
	for _, name := range order {
		if taken[name] {
			continue
		}
		taken[name] = true
		g, sold := look(name)
		if !sold {
			out.Left[Unlisted]++
			continue
		}
		if g.Name != name && taken[g.Name] {
			continue // another name of what is there already
		}
		taken[g.Name] = true
		if why := s.Refuse(&g); why != "" {
			out.Left[why]++
			continue
		}
		p := Pick{Good: g, Score: sums[name].score, List: sums[name].list}
		if s.Margin != nil && s.MarginWeight != 0 {
			if m, known := s.Margin(&g); known {
				p.Score *= max(0, 1+s.MarginWeight*m)
			}
		}
		picks = append(picks, p)
	}
	slices.SortStableFunc(picks, func(a, b Pick) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return picks
}
