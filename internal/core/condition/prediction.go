package condition

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// predictionNode compares what a model says of the customer. What is said only
// until an instant is said no more from then on, and then the answer is as if no
// model had spoken.
type predictionNode struct {
	name string
	match
	rel  *relative // not nil: how far the date that is predicted is from now
	text string
}

func (n *predictionNode) eval(c Context) (bool, event.Time) {
	said, ok := c.P.Prediction(n.name, c.Now)
	until := event.Never
	if ok && said.Until != 0 {
		until = said.Until
	}
	if n.rel != nil {
		at, isDate := instantOf(said.Value, c.zone())
		if !ok || !isDate {
			return false, event.Never
		}
		is, turns := n.rel.at(at, c.Now)
		if !is && turns == event.Never {
			return false, event.Never
		}
		return is, min(until, turns)
	}
	var zone *time.Location // only dates need it
	if n.op == opBefore || n.op == opAfter {
		zone = c.zone()
	}
	is := n.holds(said.Value, ok, zone)
	if is == n.holds(event.Value{}, false, zone) {
		return is, event.Never // saying nothing will not change it
	}
	return is, until
}

func (n *predictionNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	r := Reason{Kind: "prediction", Holds: is, What: n.words(!is), Name: n.name}
	if said, ok := c.P.Prediction(n.name, c.Now); ok {
		r.Value, r.At = clip(said.Value.String()), said.At
		if said.Evidence != "" {
			r.Value = clip(r.Value + ": " + said.Evidence)
		}
	}
	*out = append(*out, r)
}

func (n *predictionNode) mention(d *Deps) {
	d.Predictions = append(d.Predictions, n.name)
	d.Zone = d.Zone || n.rel != nil || n.op == opBefore || n.op == opAfter
}

func (n *predictionNode) words(not bool) string {
	label, _ := SayPrediction(n.name)
	s := "the " + label.EN + " "
	if n.rel != nil {
		s += "is "
	}
	if not {
		return "it is not so that " + s + n.text
	}
	return s + n.text
}

func (n *predictionNode) canon(b *strings.Builder) {
	b.WriteString("prediction " + strconv.Quote(n.name) + " ")
	if n.rel != nil {
		b.WriteString(strconv.FormatInt(int64(n.rel.from), 10) + " " + strconv.FormatInt(int64(n.rel.upto), 10))
		return
	}
	b.WriteString(n.match.canon())
}

func parsePrediction(p *parser, n, v spec.Node, _ int) node {
	const example = "{prediction: p_alive, \">=\": 0.5}"
	name, ok := p.text(v, "the name of a prediction", example)
	if !ok || !p.prediction(v, name) {
		return nil
	}
	return p.ops(n, "prediction", example, func(op string, v spec.Node) node {
		if op == "within" {
			rel, ok := p.relative(v)
			if !ok {
				return nil
			}
			return &predictionNode{name: name, rel: &rel, text: rel.text}
		}
		m, ok := p.match(op, v)
		if !ok {
			return nil
		}
		return &predictionNode{name: name, match: m, text: m.words()}
	})
}
