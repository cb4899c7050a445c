package condition

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// listNode asks whether somebody put the customer on a list by hand. Only a word
// about the list changes that.
type listNode struct{ name string }

func (n *listNode) eval(c Context) (bool, event.Time) {
	in, _ := c.P.OnList(n.name)
	return in, event.Never
}

func (n *listNode) because(c Context, out *[]Reason) {
	in, since := c.P.OnList(n.name)
	*out = append(*out, Reason{Kind: "list", Holds: in, What: n.words(!in), Name: n.name, At: since})
}

func (n *listNode) mention(d *Deps) { d.Kept = append(d.Kept, profile.OfList(n.name)) }

func (n *listNode) words(not bool) string {
	if not {
		return "is not on the list " + n.name
	}
	return "is on the list " + n.name
}

func (n *listNode) canon(b *strings.Builder) { b.WriteString("list " + strconv.Quote(n.name)) }

func parseList(p *parser, _, v spec.Node, _ int) node {
	name, ok := p.text(v, "the name of a list", "list: press")
	if !ok {
		return nil
	}
	if !slices.Contains(p.env.Lists, name) {
		return p.fail(v.Pos, Nearest(name, p.env.Lists), "there is no list %q", name)
	}
	return &listNode{name}
}
