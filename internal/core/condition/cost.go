package condition

import (
	"time"

	"rapport/internal/core/event"
)

// Cost is what one question of a condition makes every customer who did what it asks
// for carry along.
type Cost struct {
	What    string // the question, in words
	Keeps   int    // observations at most, of one customer; zero: totals only, or nothing
	Window  time.Duration
	History bool // it looks at everything that ever happened: what it keeps never goes by age
}

// Costs returns the cost of each question about events, in the order of the
// condition. Questions about what a customer is are answered from what is kept
// anyway, and cost nothing.
func (q *Cond) Costs() []Cost {
	var list []Cost
	costs(q.root, &list)
	return list
}

func costs(n node, list *[]Cost) {
	one := func(q *question, window event.Time, totals bool) {
		c := Cost{What: n.words(false), Window: time.Duration(window) * time.Millisecond, History: window == 0}
		switch {
		case !totals:
			c.Keeps = q.most
		case q.newest:
			c.Keeps = 1
		}
		*list = append(*list, c)
	}
	switch n := n.(type) {
	case *allNode:
		costsOf(n.kids, list)
	case *anyNode:
		costsOf(n.kids, list)
	case *leastNode:
		costsOf(n.kids, list)
	case *notNode:
		costs(n.kid, list)
	case *dwellNode:
		costs(n.inner.root, list)
	case *didNode:
		one(n.q, n.window, n.window == 0 && n.metric != byDistinct)
	case *seenNode:
		one(n.q, 0, true)
	case *computedNode:
		one(n.t.q, n.t.window, n.t.of != ofTally && n.t.window == 0)
	case *computedDateNode:
		one(n.t.q, n.t.window, n.t.of != ofTally)
	case *sequenceNode:
		for i := range n.steps {
			one(n.steps[i].q, n.window, false)
		}
	}
}

func costsOf(kids []node, list *[]Cost) {
	for _, k := range kids {
		costs(k, list)
	}
}

// Sentence says the cost in words.
func (c Cost) Sentence() string {
	s := "keeps totals of everything that ever happened"
	switch {
	case c.Keeps == 1:
		s = "keeps the newest event"
	case c.Keeps > 0 && c.History:
		s = "keeps up to " + count(int64(c.Keeps), "observation") + " of everything that ever happened"
	case c.Keeps > 0:
		s = "keeps up to " + count(int64(c.Keeps), "observation") + " of the last " + sayDuration(c.Window)
	}
	return s
}
