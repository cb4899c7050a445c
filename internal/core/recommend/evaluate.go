package recommend

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// Protocol is a published way to measure lists of next items.
type Protocol uint8

// The protocols. In both the lists are asked for after each click of each visit
// but the last, and the next click is the target.
//
// Serenade is that of the VMIS-kNN system: a visit counts each item once, visits
// that are longer than 99.5 per cent of all are not learnt from, and the item of
// the last click is never suggested.
//
// SessionRec is that of the framework session-rec: nothing is left out, and what the
// visit has clicked may be suggested again. The framework fills lists that are
// short with items of score 0 in no order of meaning; here they stay short, which
// changes neither hits nor ranks of what has a score, and coverage and popularity
// only of what would be filling.
const (
	Serenade Protocol = iota
	SessionRec
)

var protocols = [...]string{"serenade", "session-rec"}

// String returns the name of the protocol.
func (p Protocol) String() string { return protocols[p] }

// ParseProtocol returns the protocol of a name, or a fault of kind Invalid.
func ParseProtocol(name string) (Protocol, error) {
	for p, n := range protocols {
		if n == strings.ToLower(name) {
			return Protocol(p), nil
		}
	}
	return 0, fault.New(fault.Invalid, fmt.Sprintf("there is no protocol %q; there are %s", name, strings.Join(protocols[:], ", ")))
}

// Visit is what somebody clicked, in order.
type Visit struct {
	ID    string
	Items []string
	Times []event.Time
}

// Judged is one list with what came next.
type Judged struct {
	Session  string `json:"session"`
	Position int    `json:"position"` // clicks before the list, from 1
	Current  string `json:"current"`
	Target   string `json:"target"`
	Rank     int    `json:"rank"` // of the target in the list; 0: it is not there
	Items    []Item `json:"items"`
}

// Measures are the figures of one cut-off.
type Measures struct {
	MRR        float64 `json:"mrr"`        // mean of 1/rank of the next click
	HitRate    float64 `json:"hit_rate"`   // how often the next click is in the list
	Precision  float64 `json:"precision"`  // of all later clicks: hits / cut-off
	Recall     float64 `json:"recall"`     // of all later clicks: hits / their number
	Coverage   float64 `json:"coverage"`   // share of the learnt items that were in any list
	Popularity float64 `json:"popularity"` // mean clicks of what was suggested, that of the most clicked being 1
}

// Evaluation is the result of a protocol.
type Evaluation struct {
	Sessions    int // of the test, with two clicks or more
	Evaluations int
	Unknown     int // targets that nothing could be learnt of
	Learnt      int // visits that were learnt from
	Items       int // items that were learnt
	Longest     int // clicks of the longest visit that was learnt from; 0: no bound
	At          map[int]Measures
}

// longestShare is the share of visits that Serenade learns from.
const longestShare = 0.995

// Learn makes the index that a protocol asks.
func Learn(p Protocol, train []Visit) (x *Index, longest int) {
	x = NewIndex(Options{Clicks: -1, Recent: -1, Longest: -1})
	visits := slices.Clone(train)
	// The latest visits are the last that were added.
	slices.SortStableFunc(visits, func(a, b Visit) int { return cmp.Compare(a.last(), b.last()) })
	if p == Serenade {
		longest = percentile(visits, longestShare)
	}
	for i := range visits {
		v := &visits[i]
		if p == SessionRec || v.different() <= longest {
			x.Add(v.Items, v.last())
		}
	}
	return x, longest
}

func (v *Visit) last() event.Time {
	if len(v.Times) == 0 {
		return 0
	}
	return v.Times[len(v.Times)-1]
}

// different counts the items of a visit, each once.
func (v *Visit) different() int {
	n := 0
	for i, name := range v.Items {
		if !slices.Contains(v.Items[:i], name) {
			n++
		}
	}
	return n
}

// percentile returns the length that so many of the visits do not exceed.
func percentile(visits []Visit, share float64) int {
	if len(visits) == 0 {
		return 0
	}
	lengths := make([]int, len(visits))
	for i := range visits {
		lengths[i] = visits[i].different()
	}
	slices.Sort(lengths)
	return lengths[min(len(lengths)-1, int(math.Ceil(share*float64(len(lengths))))-1)]
}

// Evaluate asks the index after each click of each visit of the test and measures
// the lists at the cut-offs. Each list is told, too, unless tell is nil; it may not
// be kept.
func Evaluate(x *Index, m *Method, train, test []Visit, cutoffs []int, tell func(*Judged) error) (Evaluation, error) {
	longest := slices.Max(cutoffs)
	e := Evaluation{Learnt: int(x.count), At: map[int]Measures{}}
	popular, most := popularity(train)
	e.Items = len(popular)
	sums := make([]sums, len(cutoffs))
	for i := range sums {
		sums[i].covered = map[string]bool{}
	}
	var s Scratch
	var list []Item
	for i := range test {
		v := &test[i]
		if len(v.Items) > 1 {
			e.Sessions++
		}
		for at := 1; at < len(v.Items); at++ {
			list = x.Next(list[:0], m, v.Items[:at], v.Times[at], longest, &s)
			j := Judged{Session: v.ID, Position: at, Current: v.Items[at-1], Target: v.Items[at], Items: list}
			j.Rank = 1 + slices.IndexFunc(list, func(it Item) bool { return it.Name == j.Target })
			if popular[j.Target] == 0 {
				e.Unknown++
			}
			e.Evaluations++
			for c, n := range cutoffs {
				sums[c].add(&j, v.Items[at:], n, popular, most)
			}
			if tell != nil {
				if err := tell(&j); err != nil {
					return e, err
				}
			}
		}
	}
	for c, n := range cutoffs {
		e.At[n] = sums[c].measures(e.Evaluations, e.Items)
	}
	return e, nil
}

func popularity(train []Visit) (clicks map[string]int, most int) {
	clicks = map[string]int{}
	for i := range train {
		for _, name := range train[i].Items {
			clicks[name]++
			most = max(most, clicks[name])
		}
	}
	return clicks, most
}

type sums struct {
	Measures
	covered map[string]bool
}

func (s *sums) add(j *Judged, later []string, n int, popular map[string]int, most int) {
	list := j.Items[:min(n, len(j.Items))]
	if j.Rank > 0 && j.Rank <= n {
		s.MRR += 1 / float64(j.Rank)
		s.HitRate++
	}
	hits, share := 0, 0.0
	for i := range list {
		s.covered[list[i].Name] = true
		share += float64(popular[list[i].Name]) / float64(max(most, 1))
		if slices.Contains(later, list[i].Name) {
			hits++
		}
	}
	s.Precision += float64(hits) / float64(n)
	s.Recall += float64(hits) / float64(len(later))
	if len(list) > 0 {
		s.Popularity += share / float64(len(list))
	}
}

func (s *sums) measures(evaluations, items int) Measures {
	n := float64(max(evaluations, 1))
	return Measures{
		MRR: s.MRR / n, HitRate: s.HitRate / n, Precision: s.Precision / n, Recall: s.Recall / n, Popularity: s.Popularity / n,
		Coverage: float64(len(s.covered)) / float64(max(items, 1)),
	}
}
