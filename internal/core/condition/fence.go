package condition

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
	atlas "rapport/internal/core/place"
	"rapport/internal/core/spec"
)

// fenceNode asks whether the customer's last place is within a fence.
type fenceNode struct {
	fence *atlas.Fence
	seen  event.Time
}

func (n *fenceNode) eval(c Context) (bool, event.Time) {
	counts, until := fresh(c.P.Where.PointAt, c.Now, n.seen)
	if !counts {
		return false, until
	}
	return n.fence.Contains(c.P.Where.Point.Point()), until
}

func (n *fenceNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, Reason{Kind: "place", Holds: is, What: n.words(!is), Name: n.fence.Name, At: c.P.Where.PointAt})
}

func (n *fenceNode) mention(d *Deps) { d.Place = true }

func (n *fenceNode) words(not bool) string {
	s := "in the fence " + n.fence.Name + ", seen in the last " + sayDuration(n.seen.Sub(0))
	if not {
		return "is not " + s
	}
	return "is " + s
}

func (n *fenceNode) canon(b *strings.Builder) {
	b.WriteString("fence " + strconv.Quote(n.fence.Name) + " " + strconv.FormatInt(int64(n.seen), 10))
}

// visitNode asks whether the customer came into a fence or a store within a
// rolling window; window [event.Never]: ever, as far as visits are remembered.
type visitNode struct {
	keys   []uint64
	window event.Time
	what   string // "entered the fence soho", "was in the store 7"
	not    string
}

func (n *visitNode) eval(c Context) (bool, event.Time) {
	is, until, _ := n.look(c)
	return is, until
}

func (n *visitNode) look(c Context) (is bool, until, newest event.Time) {
	until = event.Never
	for _, key := range n.keys {
		v, ok := c.P.Visited(key)
		if !ok {
			continue
		}
		counts, change := fresh(v.Entered, c.Now, n.window)
		switch {
		case counts && !is:
			is, until, newest = true, change, v.Entered
		case counts:
			until, newest = max(until, change), max(newest, v.Entered)
		case !is:
			until = min(until, change)
		}
	}
	return is, until, newest
}

func (n *visitNode) because(c Context, out *[]Reason) {
	is, _, at := n.look(c)
	*out = append(*out, Reason{Kind: "place", Holds: is, What: n.words(!is), At: at})
}

func (n *visitNode) mention(d *Deps) { d.Place = true }

func (n *visitNode) words(not bool) string {
	s := n.what
	if not {
		s = n.not
	}
	if n.window == event.Never {
		return s
	}
	return s + " in the last " + sayDuration(n.window.Sub(0))
}

func (n *visitNode) canon(b *strings.Builder) {
	b.WriteString("visit " + strconv.Quote(n.what) + " " + strconv.FormatInt(int64(n.window), 10))
}

func parseFence(p *parser, n, v spec.Node, _ int) node {
	name, ok := p.text(v, "the name of a fence", "fence: city-centre")
	if !ok {
		return nil
	}
	f := p.env.Places.Fence(name)
	if f == nil {
		fences := p.env.Places.Fences()
		if len(fences) == 0 {
			return p.fail(v.Pos, "fences/city-centre.yaml, or fences/city.geojson", "there are no fences")
		}
		names := make([]string, len(fences))
		for i := range fences {
			names[i] = fences[i].Name
		}
		return p.fail(v.Pos, Nearest(name, names), "there is no fence %q", name)
	}
	entered, asked := n.Get("entered")
	seen, aged := n.Get("seen_within")
	switch {
	case asked && aged:
		return p.fail(n.Pos, "{fence: "+name+", entered: 2h}", "entered and seen_within are two questions")
	case asked:
		d, ok := p.duration(entered, "entered")
		if !ok {
			return nil
		}
		return &visitNode{[]uint64{f.Key}, d, "entered the fence " + name, "did not enter the fence " + name}
	}
	q := &fenceNode{f, span(seenWithin)}
	if aged {
		if q.seen, ok = p.duration(seen, "seen_within"); !ok {
			return nil
		}
	}
	return q
}

func parseStore(p *parser, n, v spec.Node, _ int) node {
	const example = "{store: soho, within: 30d}"
	q := &visitNode{window: event.Never}
	items := v.Items
	if v.Kind != spec.List {
		items = []spec.Node{v}
	}
	if len(items) == 0 || len(items) > maxItems {
		return p.fail(v.Pos, example, "store takes one to %d stores", maxItems)
	}
	var ids []string
	for _, item := range items {
		id, ok := p.text(item, "the id of a store, or any", example)
		if !ok {
			return nil
		}
		if id == "any" {
			for i := range p.env.Places.Stores() {
				q.keys = append(q.keys, atlas.FenceKey(atlas.StoreFence(p.env.Places.Stores()[i].ID)))
			}
		} else if p.env.Places.Store(id) == nil {
			return p.noStore(item, id)
		}
		q.keys = append(q.keys, atlas.FenceKey(atlas.StoreFence(id)))
		ids = append(ids, id)
	}
	q.what, q.not = "was in the store "+strings.Join(ids, " or "), "was not in the store "+strings.Join(ids, " or ")
	if within, there := n.Get("within"); there {
		d, ok := p.duration(within, "within")
		if !ok {
			return nil
		}
		q.window = d
	}
	return q
}
