package condition

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
)

// maxChildren bounds the conditions directly below one all, any or at_least; it
// lets at-least-n choose among Untils without allocating.
const maxChildren = 64

// allNode is true if every child is.
type allNode struct{ kids []node }

// True stays until the first child may turn. False stays until every false child
// may have turned, so until the last of them may.
func (n *allNode) eval(c Context) (bool, event.Time) {
	first, last, is := event.Never, event.Time(0), true
	for _, k := range n.kids {
		ok, until := k.eval(c)
		switch {
		case ok:
			first = min(first, until)
		case until == event.Never:
			return false, event.Never
		default:
			is, last = false, max(last, until)
		}
	}
	if is {
		return true, first
	}
	return false, last
}

func (n *allNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	for _, k := range n.kids {
		if ok, _ := k.eval(c); ok == is {
			k.because(c, out)
		}
	}
}

func (n *allNode) mention(d *Deps) { mentionAll(n.kids, d) }

func (n *allNode) words(not bool) string {
	if not {
		return joinWords(n.kids, " or ", true)
	}
	return joinWords(n.kids, " and ", false)
}

func (n *allNode) canon(b *strings.Builder) { canonAll("all", n.kids, b) }

// anyNode is true if at least one child is.
type anyNode struct{ kids []node }

func (n *anyNode) eval(c Context) (bool, event.Time) {
	first, last, is := event.Never, event.Time(0), false
	for _, k := range n.kids {
		ok, until := k.eval(c)
		switch {
		case !ok:
			first = min(first, until)
		case until == event.Never:
			return true, event.Never
		default:
			is, last = true, max(last, until)
		}
	}
	if is {
		return true, last
	}
	return false, first
}

func (n *anyNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	for _, k := range n.kids {
		if ok, _ := k.eval(c); ok == is {
			k.because(c, out)
		}
	}
}

func (n *anyNode) mention(d *Deps) { mentionAll(n.kids, d) }

func (n *anyNode) words(not bool) string {
	if not {
		return joinWords(n.kids, " and ", true)
	}
	return joinWords(n.kids, " or ", false)
}

func (n *anyNode) canon(b *strings.Builder) { canonAll("any", n.kids, b) }

// notNode is true if its child is not. Its answer changes when the child's does.
type notNode struct{ kid node }

func (n *notNode) eval(c Context) (bool, event.Time) {
	is, until := n.kid.eval(c)
	return !is, until
}

func (n *notNode) because(c Context, out *[]Reason) { n.kid.because(c, out) }
func (n *notNode) mention(d *Deps)                  { n.kid.mention(d) }
func (n *notNode) words(not bool) string            { return n.kid.words(!not) }

func (n *notNode) canon(b *strings.Builder) {
	b.WriteString("not(")
	n.kid.canon(b)
	b.WriteByte(')')
}

// leastNode is true if at least `least` children are.
type leastNode struct {
	least int
	kids  []node
}

// While true, k ≥ n children are: fewer than n remain only after k − n + 1 of
// them turned, so the answer stays until the n-th largest Until. While false, it
// stays until n − k of the false ones may have turned.
func (n *leastNode) eval(c Context) (bool, event.Time) {
	var yes, no [maxChildren]event.Time
	k, f := 0, 0
	for _, kid := range n.kids {
		if ok, until := kid.eval(c); ok {
			yes[k] = until
			k++
		} else {
			no[f] = until
			f++
		}
	}
	if k >= n.least {
		slices.Sort(yes[:k])
		return true, yes[k-n.least]
	}
	slices.Sort(no[:f])
	return false, no[n.least-k-1]
}

func (n *leastNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	for _, k := range n.kids {
		if ok, _ := k.eval(c); ok == is {
			k.because(c, out)
		}
	}
}

func (n *leastNode) mention(d *Deps) { mentionAll(n.kids, d) }

func (n *leastNode) words(not bool) string {
	s := "at least "
	if not {
		s = "fewer than "
	}
	list := make([]string, len(n.kids))
	for i, k := range n.kids {
		list[i] = k.words(false)
	}
	return s + strconv.Itoa(n.least) + " of these hold: " + strings.Join(list, "; ")
}

func (n *leastNode) canon(b *strings.Builder) { canonAll("least "+strconv.Itoa(n.least), n.kids, b) }

func mentionAll(kids []node, d *Deps) {
	for _, k := range kids {
		k.mention(d)
	}
}

func canonAll(name string, kids []node, b *strings.Builder) {
	b.WriteString(name)
	b.WriteByte('(')
	for _, k := range kids {
		k.canon(b)
		b.WriteByte(',')
	}
	b.WriteByte(')')
}

// joinWords joins the children's predicates, those that are joins themselves in
// brackets.
func joinWords(kids []node, with string, not bool) string {
	list := make([]string, len(kids))
	for i, k := range kids {
		list[i] = k.words(not)
		inner := k
		for {
			if n, isNot := inner.(*notNode); isNot {
				inner = n.kid
				continue
			}
			break
		}
		switch inner.(type) {
		case *allNode, *anyNode, *leastNode:
			if len(kids) > 1 {
				list[i] = "(" + list[i] + ")"
			}
		}
	}
	return strings.Join(list, with)
}
