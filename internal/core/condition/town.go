package condition

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// townNode asks for the town, region or country of the customer's last place: what
// the address of the network told, if nothing better did.
type townNode struct {
	part  string // city, region, country
	names []string
}

func (n *townNode) value(c Context) string {
	switch n.part {
	case "city":
		return c.P.Where.City
	case "region":
		return c.P.Where.Region
	}
	return c.P.Where.Country
}

func (n *townNode) eval(c Context) (bool, event.Time) {
	is := n.value(c)
	for _, name := range n.names {
		if is != "" && strings.EqualFold(is, name) {
			return true, event.Never
		}
	}
	return false, event.Never
}

func (n *townNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, Reason{Kind: "place", Holds: is, What: n.words(!is), Name: n.part, Value: clip(n.value(c)), At: c.P.Where.TownAt})
}

func (n *townNode) mention(d *Deps) { d.Place = true }

func (n *townNode) words(not bool) string {
	s := "was last in the " + n.part + " " + strings.Join(n.names, " or ")
	if not {
		return "was not last" + strings.TrimPrefix(s, "was last")
	}
	return s
}

func (n *townNode) canon(b *strings.Builder) {
	b.WriteString(n.part)
	for _, name := range n.names {
		b.WriteString(" " + strconv.Quote(strings.ToLower(name)))
	}
}

// parseTown returns the reader of one part.
func parseTown(part string) func(p *parser, n, v spec.Node, depth int) node {
	return func(p *parser, _, v spec.Node, _ int) node {
		items := v.Items
		if v.Kind != spec.List {
			items = []spec.Node{v}
		}
		if len(items) == 0 || len(items) > maxItems {
			return p.fail(v.Pos, part+": London", "%s takes one to %d names", part, maxItems)
		}
		q := &townNode{part: part}
		for _, item := range items {
			name, ok := p.text(item, "the name of a "+part, part+": London")
			if !ok {
				return nil
			}
			q.names = append(q.names, name)
		}
		return q
	}
}
