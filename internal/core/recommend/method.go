package recommend

import (
	"fmt"
	"math"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// Algorithm is how visits that are like one another are found and weighed.
type Algorithm uint8

// The algorithms. VSTAN is STAN with a weight for what is rare and one for how
// lately the visits met.
const (
	VMIS  Algorithm = iota // VMIS-kNN (Kersbergen et al. 2022): the latest visits of the latest items
	VS                     // VS-kNN (Ludewig and Jannach 2018)
	STAN                   // STAN (Garg et al. 2019): positions and days fade exponentially
	VSTAN                  // VSTAN (Ludewig et al. 2020)
)

var algorithms = [...]string{"vmis", "vsknn", "stan", "vstan"}

// String returns the name of the algorithm.
func (a Algorithm) String() string { return algorithms[a] }

// ParseAlgorithm returns the algorithm of a name, or a fault of kind Invalid.
func ParseAlgorithm(name string) (Algorithm, error) {
	for a, n := range algorithms {
		if n == strings.ToLower(name) {
			return Algorithm(a), nil
		}
	}
	return 0, fault.New(fault.Invalid, fmt.Sprintf("there is no algorithm %q; there are %s", name, strings.Join(algorithms[:], ", ")))
}

// Fade is how a weight falls with the distance.
type Fade uint8

// The fades of VS-kNN.
const (
	Div       Fade = iota // 1/d
	Same                  // not at all
	Linear                // by a tenth a step
	Log                   // 1/log10(d+…)
	Quadratic             // 1/d²
)

var fades = [...]string{"div", "same", "linear", "log", "quadratic"}

// String returns the name of the fade.
func (f Fade) String() string { return fades[f] }

// ParseFade returns the fade of a name, or a fault of kind Invalid.
func ParseFade(name string) (Fade, error) {
	for f, n := range fades {
		if n == strings.ToLower(name) {
			return Fade(f), nil
		}
	}
	return 0, fault.New(fault.Invalid, fmt.Sprintf("there is no weighting %q; there are %s", name, strings.Join(fades[:], ", ")))
}

// Method is an algorithm with its settings. The zero Method suggests nothing; use
// [Defaults].
type Method struct {
	Algorithm Algorithm
	M         int     // so many of the latest visits are looked at
	K         int     // so many of those, the most alike, are asked
	Last      int     // only so many of the latest clicks count; 0: all
	IDF       float64 // how much more what is rare counts; 0: not more
	Weighting Fade    // VS: of the clicks of the visit, back from the last
	Decay     Fade    // VS: of a neighbour, by how far back the first click lies that both have
	SPW       float64 // STAN: how far back clicks count, in clicks; 0: all alike
	SNH       float64 // STAN: how far back visits count, in days; 0: all alike
	INH       float64 // STAN: how far from what both have in common an item counts, in clicks; 0: all alike
	IPW       float64 // VSTAN: of a neighbour, as Decay, in clicks; 0: all alike
	NoRemind  bool    // VS, STAN: suggest nothing that the visit has clicked already; VMIS never suggests the item of the last click
}

// Defaults returns the settings with which an algorithm is published: VMIS-kNN as
// its paper runs it in a shop, VS-kNN and STAN as the framework session-rec has
// them when nothing is said.
func Defaults(a Algorithm) Method {
	switch a {
	case VS:
		return Method{Algorithm: VS, M: 1000, K: 100, Weighting: Div, Decay: Div}
	case STAN:
		return Method{Algorithm: STAN, M: 5000, K: 500, SPW: 1.02, SNH: 5, INH: 2.05}
	case VSTAN:
		return Method{Algorithm: VSTAN, M: 5000, K: 500, SPW: 1.02, SNH: 5, INH: 2.05, IPW: 1.02, IDF: 1}
	}
	return Method{Algorithm: VMIS, M: 500, K: 100, Last: 3, IDF: 1}
}

// Item is an item with its score; a list of them has the highest first.
type Item struct {
	Name  string  `json:"item"`
	Score float64 `json:"score"`
}

// Scratch is the memory that a query works in. It belongs to one query at a time.
type Scratch struct {
	visits table
	sums   table
	hits   []hit
	near   []hit
	query  []asked
	norm   float64 // of the query's weights, as a vector
	unique int     // how many different items the visit has, known or not
}

// asked is an item of the visit that is asked about.
type asked struct {
	id     uint32
	weight float64
	back   int // steps from the last click, which is 0
}

// Next appends to dst at most n items that visits like this one went on to, the
// likeliest first: clicks are the visit's, the latest last. An item that nobody
// went on to does not come.
func (x *Index) Next(dst []Item, m *Method, clicks []string, now event.Time, n int, s *Scratch) []Item {
	if n <= 0 || len(clicks) == 0 || m.K <= 0 || m.M <= 0 {
		return dst
	}
	current := clicks[len(clicks)-1]
	if m.Last > 0 && len(clicks) > m.Last {
		clicks = clicks[len(clicks)-m.Last:]
	}
	x.weigh(m, clicks, s)
	if len(s.query) == 0 {
		return dst
	}
	x.neighbours(m, now, s)
	s.sums.clear()
	for i := range s.near {
		x.tell(m, &s.near[i], s)
	}
	s.hits = s.sums.hits(s.hits[:0])
	last, known := x.ids[current]
	kept := s.hits[:0]
	for _, h := range s.hits {
		if m.Algorithm == VMIS && known && h.n == last || m.NoRemind && asks(s.query, h.n) {
			continue
		}
		if h.score *= x.rarity(m, h.n); h.score > 0 {
			kept = append(kept, h)
		}
	}
	return x.rank(dst, kept, n)
}

func asks(query []asked, id uint32) bool {
	for i := range query {
		if query[i].id == id {
			return true
		}
	}
	return false
}

// rank appends the n best of the hits in order. Of two with one score the one that
// is clicked more comes first.
func (x *Index) rank(dst []Item, hits []hit, n int) []Item {
	before := func(a, b *hit) bool {
		if a.score != b.score {
			return a.score > b.score
		}
		if c, d := x.items[a.n].clicks, x.items[b.n].clicks; c != d {
			return c > d
		}
		return x.names[a.n] < x.names[b.n]
	}
	hits = best(hits, n, before)
	sortHits(hits, before)
	for i := range hits {
		dst = append(dst, Item{x.names[hits[i].n], hits[i].score})
	}
	return dst
}

// weigh fills s.query with what the visit has clicked, each item once, the latest
// first, and how much it counts.
func (x *Index) weigh(m *Method, clicks []string, s *Scratch) {
	s.query, s.unique, s.norm = s.query[:0], 0, 0
	length := len(clicks)
	for back := range clicks {
		name := clicks[length-1-back]
		again := false
		for j := range back {
			if clicks[length-1-j] == name {
				again = true
				break
			}
		}
		if again {
			continue
		}
		s.unique++
		weight := m.clickWeight(back, length)
		s.norm += weight * weight
		if id, known := x.ids[name]; known {
			s.query = append(s.query, asked{id, weight, back})
		}
	}
	s.norm = math.Sqrt(s.norm)
}

// clickWeight is what a click counts that lies so many steps back in a visit of
// that length.
func (m *Method) clickWeight(back, length int) float64 {
	place := float64(length - back) // from 1
	switch m.Algorithm {
	case VMIS:
		return place
	case VS:
		switch m.Weighting {
		case Div:
			return place / float64(length)
		case Quadratic:
			return place / float64(length) * place / float64(length)
		case Log:
			return 1 / math.Log10(float64(back)+1.7)
		case Linear:
			if place > 10 {
				return 0
			}
			return 1 - 0.1*float64(back)
		}
		return 1
	}
	return fadeBy(float64(back), m.SPW)
}

// fadeBy is e^(−distance/reach); without a reach nothing fades.
func fadeBy(distance, reach float64) float64 {
	if reach <= 0 {
		return 1
	}
	return math.Exp(-distance / reach)
}

// neighbours fills s.near with the K visits that are most alike, of the M latest
// that have anything in common with the one asked about.
func (x *Index) neighbours(m *Method, now event.Time, s *Scratch) {
	s.visits.clear()
	for i := range s.query {
		q := &s.query[i]
		visits := x.items[q.id].visits
		left := m.M
		for j := len(visits) - 1; j >= 0 && left > 0; j-- {
			// What was emptied holds nothing, and what is forgotten is no longer there.
			if n := visits[j]; x.kept(n) && len(x.visit(n).items) > 0 {
				s.visits.add(n, q.weight)
				left--
			}
		}
	}
	s.near = s.visits.hits(s.near[:0])
	newer := func(a, b *hit) bool { return a.n-x.first > b.n-x.first }
	s.near = best(s.near, m.M, newer)
	kept := s.near[:0]
	for _, h := range s.near {
		switch m.Algorithm {
		case VMIS, VS:
			h.score /= float64(s.unique)
		default:
			v := x.visit(h.n)
			h.score /= s.norm * math.Sqrt(float64(len(v.items)))
			if m.SNH > 0 {
				h.score *= fadeBy(now.Sub(v.last).Hours()/24, m.SNH)
			}
		}
		if h.score > 0 {
			kept = append(kept, h)
		}
	}
	s.near = best(kept, m.K, func(a, b *hit) bool {
		if a.score != b.score {
			return a.score > b.score
		}
		return newer(a, b)
	})
}

// tell adds what one neighbour suggests to the sums.
func (x *Index) tell(m *Method, h *hit, s *Scratch) {
	v := x.visit(h.n)
	back, place := -1, uint16(0)
	for i := range s.query {
		for j, id := range v.items {
			if id == s.query[i].id {
				if back < 0 {
					back = s.query[i].back
				}
				place = max(place, v.seen[j].place)
				break
			}
		}
		if back >= 0 && m.INH <= 0 {
			break
		}
	}
	score := h.score
	switch m.Algorithm {
	case VMIS:
		score *= linear(back + 1)
	case VS:
		score *= m.Decay.score(back + 1)
	case VSTAN:
		score *= fadeBy(float64(back), m.IPW)
	}
	if score <= 0 && m.Algorithm == VMIS {
		return
	}
	if (m.Algorithm == STAN || m.Algorithm == VSTAN) && m.INH > 0 {
		for j, id := range v.items {
			far := math.Abs(float64(v.seen[j].place) - float64(place))
			s.sums.add(id, score*fadeBy(far, m.INH))
		}
		return
	}
	for _, id := range v.items {
		s.sums.add(id, score)
	}
}

func linear(step int) float64 {
	if step > 100 {
		return 0
	}
	return 1 - 0.1*float64(step)
}

// score is the weight of a neighbour that meets the visit so many clicks back, the
// last click being 1.
func (f Fade) score(step int) float64 {
	d := float64(step)
	switch f {
	case Div:
		return 1 / d
	case Linear:
		return linear(step)
	case Log:
		return 1 / math.Log10(d+1.7)
	case Quadratic:
		return 1 / (d * d)
	}
	return 1
}

// rarity is the factor by which an item counts for being seldom clicked.
func (x *Index) rarity(m *Method, id uint32) float64 {
	if m.IDF <= 0 || m.Algorithm == STAN {
		return 1
	}
	clicks := float64(max(x.items[id].clicks, 1))
	if m.Algorithm == VMIS {
		return math.Log(float64(x.clicks)/clicks) * m.IDF
	}
	return 1 + m.IDF*math.Log(float64(x.visitCount())/clicks)
}

// visitCount is how many visits anything can be learnt from.
func (x *Index) visitCount() int { return max(int(x.count), 1) }

// sortHits sorts a short list by insertion, which makes nothing.
func sortHits(hits []hit, before func(a, b *hit) bool) {
	for i := 1; i < len(hits); i++ {
		for j := i; j > 0 && before(&hits[j], &hits[j-1]); j-- {
			hits[j], hits[j-1] = hits[j-1], hits[j]
		}
	}
}
