package condition

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// lifecycleNode asks whether the customer is in one of some stages of life.
type lifecycleNode struct {
	stages [profile.Stages]bool
	any    []string // their names, in the order of the stages
}

func parseLifecycle(p *parser, _, v spec.Node, _ int) node {
	n := &lifecycleNode{}
	names := []spec.Node{v}
	if v.Kind == spec.List {
		names = v.Items
	}
	for _, name := range names {
		s, known := profile.StageOf(name.Text)
		if name.Kind != spec.Text || !known {
			return p.fail(name.Pos, "one of "+profile.StageNames(), "a stage of life is expected")
		}
		n.stages[s] = true
	}
	for s := range profile.Stage(profile.Stages) {
		if n.stages[s] {
			n.any = append(n.any, s.String())
		}
	}
	if len(n.any) == 0 {
		return p.fail(v.Pos, "one of "+profile.StageNames(), "a stage of life is expected")
	}
	return n
}

func (n *lifecycleNode) eval(c Context) (bool, event.Time) {
	stage, until := c.P.Lifecycle(c.Now)
	return n.stages[stage], until
}

func (n *lifecycleNode) because(c Context, out *[]Reason) {
	stage, _ := c.P.Lifecycle(c.Now)
	*out = append(*out, Reason{Kind: "lifecycle", Holds: n.stages[stage], What: n.words(!n.stages[stage]), Name: strings.Join(n.any, ", "), Value: stage.String()})
}

// mention names what stages rest on. Orders and visits are not among the traits:
// whoever folds them says so by Life.
func (n *lifecycleNode) mention(d *Deps) {
	d.Life, d.Reach = true, true
	d.Traits = append(d.Traits, "email", "phone")
	if n.stages[profile.Loyal] || n.stages[profile.Advocate] {
		d.Traits = append(d.Traits, profile.Advocacy()...)
	}
}

func (n *lifecycleNode) words(not bool) string {
	verb := "is "
	if not {
		verb = "is not "
	}
	said := slices.Clone(n.any)
	for i, s := range said {
		if stage, _ := profile.StageOf(s); stage == profile.FirstOrder {
			said[i] = "a " + s + "-time buyer"
		}
	}
	if len(said) == 1 {
		return verb + said[0]
	}
	return verb + strings.Join(said[:len(said)-1], ", ") + " or " + said[len(said)-1]
}

func (n *lifecycleNode) canon(b *strings.Builder) {
	b.WriteString("lifecycle " + strings.Join(n.any, " "))
}
