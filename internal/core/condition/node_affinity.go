package condition

import (
	"math"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// affinityNode compares which share of a customer's interest one thing has. A share
// does not fade, as all that it is a share of fades alike; how much the interest
// weighs does.
type affinityNode struct {
	t      *taste
	of     string
	share  bound // in millionths
	text   string
	weight *bound // of a profile.Level; nil: any
	least  string // the weight, as written
}

func (n *affinityNode) eval(c Context) (bool, event.Time) {
	known, until := c.P.TasteOf(n.t.key).Ripe(c.Now)
	is := n.holds(known)
	if n.weight == nil {
		return is, until
	}
	sum := known.Liking(n.of)
	heavy := n.weight.holds(int64(sum.At(c.Now, n.t.half)))
	if is {
		until = min(until, untilWeight(sum, n.t.half, c.Now, *n.weight))
	}
	return is && heavy, until
}

// holds reports whether the share is within the bound, exactly: both sides are
// whole numbers that no time changes.
func (n *affinityNode) holds(known *profile.Taste) bool {
	if len(known.Total) == 0 {
		return n.share.holds(0)
	}
	sum := known.Liking(n.of)
	in := true
	if n.share.min > 0 {
		in = in && profile.Compare(sum, million, known.Total, n.share.min) >= 0
	}
	if n.share.hasMax() {
		in = in && n.share.max >= 0 && profile.Compare(sum, million, known.Total, n.share.max) <= 0
	}
	return in != n.share.not
}

// million is the whole of which shares are millionths.
const million = 1_000_000

// untilWeight returns until when a comparison with a weight stands that only fades.
func untilWeight(sum profile.Sum, half int64, now event.Time, b bound) event.Time {
	raw := int64(sum.At(now, half))
	if raw <= 0 {
		return event.Never
	}
	present, from, best := b.holds(raw), second(now), event.Never
	for _, end := range [2]int64{b.min, b.max} {
		goal, ok := goalOf(raw, end, end == b.max)
		if !ok {
			continue
		}
		guess := from + int64(float64(half)*math.Log2(float64(raw)/max(float64(goal), 0.5)))
		at := crossing(from, max(from+1, guess), func(sec int64) bool { return int64(sum.At(event.Time(sec*1000), half)) <= goal })
		if b.holds(int64(sum.At(event.Time(at*1000), half))) != present {
			best = min(best, event.Time(at*1000))
		}
	}
	return best
}

func (n *affinityNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	known, _ := c.P.TasteOf(n.t.key).Ripe(c.Now)
	share := profile.Share(known.Liking(n.of), known.Total)
	value := strconv.FormatFloat(100*share, 'f', 0, 64) + " %"
	if n.weight != nil {
		value += ", weighs " + sayLevel(known.Liking(n.of).At(c.Now, n.t.half))
	}
	*out = append(*out, Reason{Kind: "affinity", Holds: is, What: n.words(!is), Name: n.t.name + " " + n.of, Value: value})
}

func (n *affinityNode) mention(d *Deps) {
	d.Events = append(d.Events, n.t.names()...)
	d.Series = append(d.Series, n.t.number)
}

func (n *affinityNode) words(not bool) string {
	s := "has " + n.text
	if not {
		s = "does not have " + n.text
	}
	s += " of their interest by " + strings.ReplaceAll(n.t.name, "_", " ") + " in " + n.of
	if n.weight != nil {
		s += ", weighing " + sayBound(n.least)
	}
	return s
}

func (n *affinityNode) canon(b *strings.Builder) {
	b.WriteString("affinity " + strconv.Quote(n.t.name) + " " + strconv.Quote(n.of) + " " + n.share.canon())
	if n.weight != nil {
		b.WriteString(" " + n.weight.canon())
	}
}

// parseAffinity reads {affinity: {by: category, of: lamps, is: ">= 0.3"}}.
func parseAffinity(p *parser, _, v spec.Node, _ int) node {
	const example = `affinity: {by: category, of: lamps, is: ">= 0.3"}`
	if v.Kind != spec.Map {
		return p.fail(v.Pos, example, "affinity takes by, of and is")
	}
	p.known(v, "", []string{"by", "of", "is", "weight"})
	by, _ := v.Get("by")
	of, _ := v.Get("of")
	is, _ := v.Get("is")
	name, ok1 := p.text(by, "what products have: category, brand …", example)
	thing, ok2 := p.text(of, "which category, brand …", example)
	if !ok1 || !ok2 {
		return nil
	}
	t := p.taste(name)
	if t == nil {
		return p.fail(by.Pos, Nearest(name, p.tastes()), "there is no affinity %q; there are %s, and those in scores/", name, strings.Join(p.tastes(), ", "))
	}
	n := &affinityNode{t: t, of: thing}
	if t.bands != nil && !contains(bandNames(t.bands), thing) {
		return p.fail(of.Pos, "one of "+strings.Join(bandNames(t.bands), ", "), "%q is no band of %s", thing, name)
	}
	b, ok := bound{}, false
	if is.Scalar() {
		b, ok = parseBound(is.Text, share)
	}
	if !ok {
		return p.fail(is.Pos, `is: ">= 0.3"`, "is: %q is no comparison with a share from 0 to 1, or from 0%% to 100%%", is.Text)
	}
	n.share, n.text = b, sayBound(strings.TrimSpace(is.Text))
	if w, said := v.Get("weight"); said {
		least, _, ok := p.levels(w)
		if !ok {
			return nil
		}
		n.weight, n.least = &least, strings.TrimSpace(w.Text)
	}
	return n
}

func contains(list []string, s string) bool {
	for _, o := range list {
		if o == s {
			return true
		}
	}
	return false
}

// share reads a share in millionths.
func share(s string) (int64, bool) {
	number, percent := strings.CutSuffix(s, "%")
	m, ok := micros(strings.TrimSpace(number))
	if percent {
		m /= 100
	}
	return m, ok && m >= 0 && m <= million
}

// taste returns the affinity of a name: one with a definition, or a standard one,
// which is kept from now on.
func (p *parser) taste(name string) *taste {
	if p.env.scores == nil {
		ParseScores(nil, p.env, p.ps)
	}
	c := p.env.scores
	if t := c.out.taste(name); t != nil {
		return t
	}
	if tastePaths[name] == nil {
		return nil
	}
	t := &taste{name: name, paths: tastePaths[name], half: tasteHalf, weigh: append([]weight(nil), tasteWeights...)}
	if name == "price_band" {
		t.bands = priceBands
	}
	return c.keepTaste(t)
}

// TasteNames returns the affinities that every shop has.
func TasteNames() []string { return []string{"category", "brand", "colour", "price_band"} }

// tastes returns the names of the affinities that may be asked for.
func (p *parser) tastes() []string {
	names := TasteNames()
	for _, name := range p.env.Scores.Affinities() {
		if !contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
