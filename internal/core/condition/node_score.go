package condition

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// scoreNode compares what a score is worth.
type scoreNode struct {
	s         *Score
	bound     bound  // of a profile.Level
	text      string // "50 or more"
	canonical string
}

func (n *scoreNode) eval(c Context) (bool, event.Time) {
	return n.bound.holds(int64(n.s.worth(c))), n.s.until(c, n.bound)
}

func (n *scoreNode) because(c Context, out *[]Reason) {
	l := n.s.worth(c)
	is := n.bound.holds(int64(l))
	*out = append(*out, Reason{Kind: "score", Holds: is, What: n.words(!is), Name: n.s.Name, Value: sayLevel(l)})
}

func (n *scoreNode) mention(d *Deps) { n.s.mention(d) }

func (n *scoreNode) words(not bool) string {
	if not {
		return "does not have " + n.text + " of the score " + n.s.Name
	}
	return "has " + n.text + " of the score " + n.s.Name
}

func (n *scoreNode) canon(b *strings.Builder) {
	b.WriteString("score " + strconv.Quote(n.s.Name) + " " + n.canonical)
}

// sayLevel writes a level with two decimals, as people read scores.
func sayLevel(l profile.Level) string {
	s := strconv.FormatFloat(l.Float(), 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "1" || s == "-1" {
		return s + " point"
	}
	return s + " points"
}

// parseScore reads {score: engagement, is: ">= 50"}.
func parseScore(p *parser, n, v spec.Node, _ int) node {
	s := p.score(v)
	is, there := n.Get("is")
	if !there {
		return p.fail(n.Pos, `is: ">= 50"`, "it is not said what the score should be")
	}
	b, text, ok := p.levels(is)
	if s == nil || !ok {
		return nil
	}
	return &scoreNode{s, b, text, strings.TrimSpace(is.Text)}
}

// levels reads a comparison of points as one of levels. A bound in points need not
// be a whole level; what is at least the bound is at least the next whole one.
func (p *parser) levels(v spec.Node) (bound, string, bool) {
	b, ok := bound{}, false
	if v.Scalar() {
		b, ok = parseBound(v.Text, micros)
	}
	if !ok || b.min != minBound && abs(b.min) > uint64(maxThreshold) || b.max != maxBound && abs(b.max) > uint64(maxThreshold) {
		p.fail(v.Pos, `is: ">= 50"`, "is: %q is no comparison: >=, >, <=, <, = or != with a number of points, or 2 to 5", v.Text)
		return b, "", false
	}
	if v.Kind == spec.Number {
		p.ps.Warn(v.Pos, `is: ">= `+v.Text+`"`, "is: %s means exactly %s, and points fade", v.Text, v.Text)
	}
	in := b
	// "> 5" reads as "from 5.000001 on", in millionths; of levels it is whatever is above 5.
	text := strings.TrimSpace(v.Text)
	switch {
	case strings.HasPrefix(text, ">") && !strings.HasPrefix(text, ">="):
		b.min = floorLevel(in.min-1) + 1
	case strings.HasPrefix(text, "<") && !strings.HasPrefix(text, "<="):
		b.max = -floorLevel(-(in.max + 1)) - 1
	default:
		if in.min != minBound {
			b.min = -floorLevel(-in.min)
		}
		if in.max != maxBound {
			b.max = floorLevel(in.max)
		}
	}
	return b, sayBound(text), true
}

// floorLevel returns the highest level that is not above so many millionths.
func floorLevel(micros int64) int64 {
	hi, lo := bits.Mul64(abs(micros), uint64(profile.OneLevel))
	q, r := bits.Div64(hi, lo, uint64(profile.OnePoint))
	if micros >= 0 {
		return int64(q)
	}
	if r > 0 {
		q++
	}
	return -int64(q)
}

func abs(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// sayBound writes a comparison as it is said of a number.
func sayBound(text string) string {
	for _, op := range [...]struct{ sign, before, after string }{
		{">=", "", " or more"},
		{"≥", "", " or more"},
		{">", "more than ", ""},
		{"<=", "at most ", ""},
		{"≤", "at most ", ""},
		{"<", "less than ", ""},
		{"!=", "anything but ", ""},
		{"==", "exactly ", ""},
		{"=", "exactly ", ""},
	} {
		if number, found := strings.CutPrefix(text, op.sign); found {
			return op.before + strings.TrimSpace(number) + op.after
		}
	}
	if strings.Contains(text, " to ") {
		return text
	}
	return "exactly " + text
}

// tierNode asks for the tier that a score has brought a customer to.
type tierNode struct {
	s     *Score
	tiers []string
	bound []bound // of a level, one for each stretch of tiers
}

func (n *tierNode) eval(c Context) (bool, event.Time) {
	l, is, until := int64(n.s.worth(c)), false, event.Never
	for i := range n.bound {
		is = is || n.bound[i].holds(l)
		until = min(until, n.s.until(c, n.bound[i]))
	}
	return is, until
}

func (n *tierNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	l := n.s.worth(c)
	value := n.s.Tier(l)
	if value == "" {
		value = "in no tier"
	}
	*out = append(*out, Reason{Kind: "tier", Holds: is, What: n.words(!is), Name: n.s.Name, Value: value + ", " + sayLevel(l)})
}

func (n *tierNode) mention(d *Deps) { n.s.mention(d) }

func (n *tierNode) words(not bool) string {
	s := "is "
	if not {
		s = "is not "
	}
	return s + strings.Join(n.tiers, " or ") + " by the score " + n.s.Name
}

func (n *tierNode) canon(b *strings.Builder) {
	b.WriteString("tier " + strconv.Quote(n.s.Name))
	for _, t := range n.tiers {
		b.WriteString(" " + strconv.Quote(t))
	}
	for i := range n.bound {
		b.WriteString(" " + n.bound[i].canon())
	}
}

// parseTier reads {tier: engagement, is: hot}, {tier: engagement, in: [warm, hot]}
// and {tier: engagement, from: warm}.
func parseTier(p *parser, n, v spec.Node, _ int) node {
	s := p.score(v)
	if s == nil {
		return nil
	}
	const example = "{tier: engagement, is: hot}"
	if len(s.Tiers) == 0 {
		return p.fail(v.Pos, "tiers: [{tier: hot, from: 50}] in the score", "the score %s has no tiers", s.Name)
	}
	names := make([]string, len(s.Tiers))
	for i := range s.Tiers {
		names[i] = s.Tiers[i].Name
	}
	t := &tierNode{s: s}
	asked := map[int]bool{}
	read := func(item spec.Node) (int, bool) {
		i := slices.Index(names, item.Text)
		if i < 0 || !item.Scalar() {
			p.fail(item.Pos, Nearest(item.Text, names), "the score %s has no tier %q; it has %s", s.Name, item.Text, strings.Join(names, ", "))
		}
		return i, i >= 0
	}
	for _, key := range []string{"is", "in", "from"} {
		f, there := n.Get(key)
		switch {
		case !there:
			continue
		case len(asked) > 0:
			return p.fail(f.Pos, example, "is, in and from are three ways to say one thing; one is enough")
		}
		items := []spec.Node{f}
		if key == "in" && f.Kind == spec.List {
			items = f.Items
		}
		for _, item := range items {
			i, ok := read(item)
			if !ok {
				return nil
			}
			asked[i] = true
			for key == "from" && i < len(names)-1 {
				i++
				asked[i] = true
			}
		}
	}
	if len(asked) == 0 {
		return p.fail(n.Pos, example, "it is not said which tier")
	}
	for i := range names {
		if !asked[i] {
			continue
		}
		t.tiers = append(t.tiers, names[i])
		b := bound{min: int64(s.Tiers[i].From.Level()), max: maxBound}
		if i+1 < len(names) {
			b.max = int64(s.Tiers[i+1].From.Level()) - 1
		}
		if last := len(t.bound) - 1; last >= 0 && t.bound[last].max == b.min-1 {
			t.bound[last].max = b.max // the stretch goes on
		} else {
			t.bound = append(t.bound, b)
		}
	}
	return t
}
