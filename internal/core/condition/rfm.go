package condition

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// rfmNode asks which persona the customer is by how lately, how often and for how
// much they bought, as the model said last. It is relative to the shop's own
// customers.
type rfmNode struct {
	any []string // personas, in the order of RFMPersonas
}

// RFMPersonas are the kinds of customers that the model of RFM tells apart, the best
// first.
var RFMPersonas = []string{"champion", "loyal", "promising", "newcomer", "slipping", "inactive"}

// rfmPrediction is the name under which the model says it.
const rfmPrediction = "rfm_persona"

func parseRFM(p *parser, _, v spec.Node, _ int) node {
	names := []spec.Node{v}
	if v.Kind == spec.List {
		names = v.Items
	}
	n := &rfmNode{}
	for _, name := range names {
		if name.Kind != spec.Text || !slices.Contains(RFMPersonas, name.Text) {
			return p.fail(name.Pos, "one of "+strings.Join(RFMPersonas, ", "), "a kind of customer is expected")
		}
		n.any = append(n.any, name.Text)
	}
	if len(n.any) == 0 {
		return p.fail(v.Pos, "one of "+strings.Join(RFMPersonas, ", "), "a kind of customer is expected")
	}
	slices.SortFunc(n.any, func(a, b string) int { return slices.Index(RFMPersonas, a) - slices.Index(RFMPersonas, b) })
	n.any = slices.Compact(n.any)
	return n
}

func (n *rfmNode) eval(c Context) (bool, event.Time) {
	said, ok := c.P.Prediction(rfmPrediction, c.Now)
	if !ok || !slices.Contains(n.any, said.Value.Raw) {
		return false, event.Never
	}
	if said.Until != 0 {
		return true, said.Until
	}
	return true, event.Never
}

func (n *rfmNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	r := Reason{Kind: "rfm", Holds: is, What: n.words(!is), Name: strings.Join(n.any, ", ")}
	if said, ok := c.P.Prediction(rfmPrediction, c.Now); ok {
		r.Value, r.At = clip(said.Value.Raw+": "+said.Evidence), said.At
	}
	*out = append(*out, r)
}

func (n *rfmNode) mention(d *Deps) { d.Predictions = append(d.Predictions, rfmPrediction) }

func (n *rfmNode) words(not bool) string {
	said := slices.Clone(n.any)
	for i, s := range said {
		if s == "champion" || s == "newcomer" {
			said[i] = "a " + s
		}
	}
	s := said[0]
	if last := len(said) - 1; last > 0 {
		s = strings.Join(said[:last], ", ") + " or " + said[last]
	}
	if not {
		return "is not " + s + " by RFM"
	}
	return "is " + s + " by RFM"
}

func (n *rfmNode) canon(b *strings.Builder) { b.WriteString("rfm " + strings.Join(n.any, " ")) }
