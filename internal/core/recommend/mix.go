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
	Left     map[Reason]int // what was looked at and left out, by reason
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
	taken := make(map[string]bool, 2*s.N)
	var categories map[string]int
	if s.PerCategory > 0 {
		categories = map[string]int{}
	}
	for n, step := range steps {
		list := s.ranked(step, look)
		for i := range list {
			if len(out.Picks) == s.N {
				return out
			}
			c := &list[i]
			if taken[c.name] {
				continue
			}
			taken[c.name] = true
			g, sold := c.ask(look)
			switch {
			case !sold:
				out.Left[Unlisted]++
				continue
			case g.Name != c.name && taken[g.Name]:
				continue // another name of what is there already
			}
			taken[g.Name] = true
			if why := s.Refuse(&g); why != "" {
				out.Left[why]++
				continue
			}
			if s.PerCategory > 0 && g.Category != "" {
				if categories[g.Category] >= s.PerCategory {
					out.Left[OfItsKind]++
					continue
				}
				categories[g.Category]++
			}
			out.Fallback = out.Fallback || n > 0
			out.Picks = append(out.Picks, Pick{Good: g, Score: c.score, List: c.list, Fallback: n})
		}
	}
	return out
}

// candidate is an item that a step suggests.
type candidate struct {
	name   string
	score  float64
	most   float64 // of a single list, and which that was
	list   string
	good   *Good // what the shop says of it, if it was asked and sells it
	looked bool
}

// ask returns what the shop says of it.
func (c *candidate) ask(look func(string) (Good, bool)) (g Good, sold bool) {
	switch {
	case !c.looked:
		return look(c.name)
	case c.good == nil:
		return g, false
	}
	return *c.good, true
}

// ranked returns what a step suggests, the best first. The shop is asked about all
// of it only where its margins change the order.
func (s *Serving) ranked(step Step, look func(string) (Good, bool)) []candidate {
	room := 0
	for i := range step {
		room += len(step[i].Items)
	}
	list := make([]candidate, 0, room)
	var at map[string]int
	if len(step) > 1 {
		at = make(map[string]int, room)
	}
	for _, src := range step {
		weight := src.Weight
		if weight == 0 {
			weight = 1
		}
		highest := 0.0
		for i := range src.Items {
			highest = max(highest, src.Items[i].Score)
		}
		for i := range src.Items {
			it := &src.Items[i]
			if it.Score <= 0 {
				continue
			}
			score := weight * it.Score / highest
			if k, again := at[it.Name]; again {
				c := &list[k]
				c.score += score
				if score > c.most {
					c.most, c.list = score, src.List
				}
				continue
			}
			if at != nil {
				at[it.Name] = len(list)
			}
			list = append(list, candidate{name: it.Name, score: score, most: score, list: src.List})
		}
	}
	if s.Margin != nil && s.MarginWeight != 0 {
		for i := range list {
			c := &list[i]
			c.looked = true
			g, sold := look(c.name)
			if !sold {
				continue
			}
			c.good = &g
			if m, known := s.Margin(&g); known {
				c.score *= max(0, 1+s.MarginWeight*m)
			}
		}
	} else if len(step) == 1 {
		if slices.IsSortedFunc(list, byScore) {
			return list // as a list of one method is
		}
	}
	slices.SortStableFunc(list, byScore)
	return list
}

func byScore(a, b candidate) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return 0
}
