package condition

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// ScoreSource is the definition of one score or affinity: the node with all its
// fields, and the names for people that go with it.
type ScoreSource struct {
	Name     string
	Label    string
	About    string
	Affinity bool
	Node     spec.Node
}

// maxHalf bounds half-lives: what fades slower does not fade.
const maxHalf = 10 * 365 * 24 * 60 * 60

// ParseScores compiles the scores and affinities of a program and sets env.Scores,
// so that conditions parsed with the same env may ask for them. What is wrong is
// added to ps and left out. Conditions in scores may refer to env.Segments and to
// other scores.
func ParseScores(defs []ScoreSource, env *Env, ps *spec.Problems) *Scores {
	c := &scoreParser{env: env, ps: ps, defs: defs, state: make([]parsing, len(defs))}
	env.Scores, env.scores = &c.out, c
	if len(defs) > MaxScores {
		ps.Add(defs[MaxScores].Node.Pos, "", "there are %d scores and affinities; at most %d are taken", len(defs), MaxScores)
		return env.Scores
	}
	for i := range defs {
		for j := range i {
			if defs[j].Name == defs[i].Name && defs[j].Affinity == defs[i].Affinity {
				ps.Add(defs[i].Node.Pos, "", "there are two scores or affinities called %s", defs[i].Name)
				return env.Scores
			}
		}
	}
	for i := range defs {
		if defs[i].Affinity {
			c.affinity(&defs[i])
		}
	}
	for i := range defs {
		if !defs[i].Affinity {
			c.score(i)
		}
	}
	slices.SortStableFunc(c.out.list, func(a, b *Score) int { return cmp.Compare(c.place(a.Name), c.place(b.Name)) })
	return env.Scores
}

type parsing uint8

const (
	unparsed parsing = iota
	open
	parsed
)

type scoreParser struct {
	env   *Env
	ps    *spec.Problems
	defs  []ScoreSource
	state []parsing
	out   Scores
}

func (c *scoreParser) place(name string) int {
	return slices.IndexFunc(c.defs, func(d ScoreSource) bool { return !d.Affinity && d.Name == name })
}

// names returns the names of the scores, for whoever misspelt one.
func (c *scoreParser) names() (names []string) {
	if c == nil {
		return nil
	}
	for i := range c.defs {
		if !c.defs[i].Affinity {
			names = append(names, c.defs[i].Name)
		}
	}
	return names
}

// find returns the score of a name that stands at pos, compiling it if need be.
func (p *parser) score(v spec.Node) *Score {
	name, ok := p.text(v, "the name of a score", "{score: engagement, is: \">= 50\"}")
	if !ok {
		return nil
	}
	c := p.env.scores
	i := -1
	if c != nil {
		i = c.place(name)
	}
	if i < 0 {
		p.fail(v.Pos, Nearest(name, c.names()), "there is no score %q", name)
		return nil
	}
	if c.state[i] == open {
		p.fail(v.Pos, "take one of the references out", "scores refer to each other in a circle: %s comes back to itself", name)
		return nil
	}
	c.score(i)
	s := c.out.Score(name)
	p.bad = p.bad || s == nil // it has its own problem already
	return s
}

// score compiles one score.
func (c *scoreParser) score(n int) {
	if c.state[n] != unparsed {
		return
	}
	c.state[n] = open
	defer func() { c.state[n] = parsed }()
	def := &c.defs[n]
	p := &parser{env: c.env, ps: c.ps}
	p.known(def.Node, "", []string{"score", "label", "about", "half_life", "least", "most", "cap", "points", "sum", "tiers"})
	s := &Score{Name: def.Name, Label: cmp.Or(def.Label, def.Name), About: def.About, bounds: unbounded}
	p.limits(def.Node, &s.bounds)
	points, gives := def.Node.Get("points")
	sum, sums := def.Node.Get("sum")
	if !gives && !sums {
		p.fail(def.Node.Pos, "points: [{did: Product Viewed, give: 1}]", "the score %s does not say what gives points, nor which scores it sums up", def.Name)
		return
	}
	if gives {
		s.parts = append(s.parts, p.points(def, points))
	}
	if sums {
		s.parts = append(s.parts, p.members(def, sum)...)
	}
	s.Tiers = p.tiers(def.Node)
	states := 0
	for i := range s.parts {
		states += len(s.parts[i].states)
	}
	if states > maxStates {
		p.fail(def.Node.Pos, "", "the score %s and what it sums up have %d conditions; at most %d are taken", def.Name, states, maxStates)
	}
	if p.bad {
		return
	}
	for i := range s.parts {
		// Known only now: what is wrong keeps nothing.
		if l := s.parts[i].ledger; l != nil && l.key == 0 {
			l.key, l.number = c.env.Set.keep(l)
		}
	}
	c.out.list = append(c.out.list, s)
}

// limits reads least and most.
func (p *parser) limits(n spec.Node, b *bounds) {
	if v, there := n.Get("least"); there {
		b.least = p.level(v, "least")
	}
	if v, there := n.Get("most"); there {
		b.most = p.level(v, "most")
	}
	if b.least > b.most {
		p.fail(n.Pos, "", "least is above most")
	}
}

// level reads an amount of points that a value is compared with.
func (p *parser) level(v spec.Node, key string) profile.Level {
	m, ok := micros(strings.TrimSpace(v.Text))
	if !v.Scalar() || !ok || m > int64(maxThreshold) || m < -int64(maxThreshold) {
		p.fail(v.Pos, key+": 50", "%s: %q is no amount of points", key, v.Text)
		return 0
	}
	return profile.Points(m).Level()
}

// maxThreshold bounds what scores are compared with, within what a level can hold.
const maxThreshold = 2_000_000_000 * profile.OnePoint / 2

// amount reads points that are given: not zero, and bounded.
func (p *parser) amount(v spec.Node, key string) profile.Points {
	m, ok := micros(strings.TrimSpace(v.Text))
	if !v.Scalar() || !ok || m == 0 || m > int64(profile.MaxPoints) || m < -int64(profile.MaxPoints) {
		p.fail(v.Pos, key+": 1", "%s: %q is no number of points: up to %d, with up to six decimals, and not 0", key, v.Text, profile.MaxPoints/profile.OnePoint)
		return 0
	}
	return profile.Points(m)
}

// half reads a half-life in seconds; zero if there is none.
func (p *parser) half(n spec.Node) int64 {
	v, there := n.Get("half_life")
	if !there {
		return 0
	}
	d, ok := p.duration(v, "half_life")
	if sec := int64(d) / 1000; ok && (sec < 1 || sec > maxHalf) {
		p.fail(v.Pos, "half_life: 30d", "half_life: %q is not between a second and ten years; leave it out and points stay", v.Text)
	}
	return int64(d) / 1000
}

// points reads what gives points.
func (p *parser) points(def *ScoreSource, v spec.Node) part {
	own := part{name: def.Name, own: unbounded, bounds: unbounded}
	const example = "points: [{did: Product Viewed, give: 1}]"
	if v.Kind != spec.List || len(v.Items) == 0 || len(v.Items) > maxRules {
		p.fail(v.Pos, example, "points takes a list of 1 to %d rules", maxRules)
		return own
	}
	l := &ledger{name: def.Name, half: p.half(def.Node), zone: p.env.zone()}
	if c, there := def.Node.Get("cap"); there {
		p.known(c, "", []string{"day"})
		if day, said := c.Get("day"); said {
			l.daily = p.positive(day, "day")
		} else {
			p.fail(c.Pos, "cap: {day: 20}", "cap says how many points a day all rules give together")
		}
	}
	for _, item := range v.Items {
		if _, isState := item.Get("when"); isState {
			p.known(item, "", []string{"when", "give"})
			if s, ok := p.stateRule(item); ok {
				own.states = append(own.states, s)
			}
			continue
		}
		if r, ok := p.rule(item); ok {
			l.rules = append(l.rules, r)
		}
	}
	if len(l.rules) > 0 {
		own.ledger = l
	} else {
		for _, key := range []string{"half_life", "cap"} {
			if f, there := def.Node.Get(key); there {
				p.fail(f.Pos, "", "%s is about points that events give, and here only conditions do", key)
			}
		}
	}
	return own
}

func (p *parser) positive(v spec.Node, key string) profile.Points {
	n := p.amount(v, key)
	if n < 0 {
		p.fail(v.Pos, key+": 5", "%s bounds what is given; it is above 0", key)
	}
	return n
}

// give reads how many points a rule gives.
func (p *parser) give(n spec.Node) profile.Points {
	v, there := n.Get("give")
	if !there {
		p.fail(n.Pos, "give: 1", "it is not said how many points this gives")
		return 0
	}
	return p.amount(v, "give")
}

// stateRule reads points for what is so now.
func (p *parser) stateRule(n spec.Node) (s state, ok bool) {
	when, _ := n.Get("when")
	s.give = p.give(n)
	root := p.parse(when, 0)
	if root == nil || p.bad {
		return s, false
	}
	s.cond = newCond(root, when.Pos)
	return s, true
}

// rule reads points that events give.
func (p *parser) rule(n spec.Node) (r rule, ok bool) {
	const example = "{did: Product Viewed, where: {category: shoes}, per: session, give: 1}"
	did, there := n.Get("did")
	if !there {
		p.fail(n.Pos, example, "a rule says did or when")
		return r, false
	}
	p.known(n, "", []string{"did", "where", "give", "each", "of", "per", "most", "back"})
	r.q.to = event.Never
	r.q.names = slices.Clone(p.names(did))
	if w, said := n.Get("where"); said {
		r.q.where = p.where(w)
		p.warnLines(r.q.names, w)
	}
	r.give = p.give(n)
	if v, said := n.Get("per"); said {
		one, known := perWords[v.Text]
		if !known {
			p.fail(v.Pos, Nearest(v.Text, []string{"event", "session", "day", "customer"}), "per: %q is none of event, session, day, customer", v.Text)
		}
		r.per = one
	}
	if m, said := n.Get("most"); said {
		p.known(m, "", []string{"day", "ever"})
		if v, there := m.Get("day"); there {
			r.daily = p.positive(v, "day")
		}
		if v, there := m.Get("ever"); there {
			r.ever = p.positive(v, "ever")
		}
		if r.daily == 0 && r.ever == 0 {
			p.fail(m.Pos, "most: {day: 5, ever: 50}", "most takes the points that a rule gives on one day, or ever")
		}
		if r.give < 0 {
			p.fail(m.Pos, "", "most bounds what is given, and this rule takes")
		}
	}
	if b, said := n.Get("back"); said {
		p.back(b, &r)
	}
	p.each(n, &r)
	return r, !p.bad
}

// each reads of which amount a rule gives points, and for how much of it.
func (p *parser) each(n spec.Node, r *rule) {
	const example = "{did: Order Completed, give: 1, each: 10, of: net}"
	of, said := n.Get("of")
	v, there := n.Get("each")
	if !there {
		if said {
			p.fail(of.Pos, example, "of says which amount gives points, and each for how much of it there are so many")
		}
		return
	}
	m, err := money.Parse(v.Text)
	if err != nil || m <= 0 || m > maxValue {
		p.fail(v.Pos, example, "each: %q is no amount above 0", v.Text)
		return
	}
	r.each, r.q.sum = m, propNet
	if said {
		r.q.sum, _ = p.text(of, "the name of a property", example)
	}
	r.q.currency = p.currency(r.q.sum)
	if r.back != nil {
		r.back.sum, r.back.currency = r.q.sum, r.q.currency
	}
}

// back reads what takes the points of a rule back.
func (p *parser) back(n spec.Node, r *rule) {
	const example = "back: {did: Order Refunded, by: order_id}"
	did, there := n.Get("did")
	if !there || n.Kind != spec.Map {
		p.fail(n.Pos, example, "back says which event takes the points back, and by which property the two know each other")
		return
	}
	p.known(n, "", []string{"did", "where", "by"})
	q := question{names: slices.Clone(p.names(did)), to: event.Never}
	if w, said := n.Get("where"); said {
		q.where = p.where(w)
	}
	by, said := n.Get("by")
	if r.by = propOrder; said {
		r.by, _ = p.text(by, "the name of a property", example)
	}
	r.back = &q
}

// members reads the scores that a score sums up.
func (p *parser) members(def *ScoreSource, v spec.Node) (parts []part) {
	const example = "sum: [{score: engagement, most: 50}, {score: loyalty}]"
	if v.Kind != spec.List || len(v.Items) == 0 || len(v.Items) > maxRules {
		p.fail(v.Pos, example, "sum takes a list of 1 to %d scores", maxRules)
		return nil
	}
	for _, item := range v.Items {
		name, there := item.Get("score")
		if !there {
			p.fail(item.Pos, example, "each that is summed up is a score")
			continue
		}
		p.known(item, "", []string{"score", "least", "most"})
		share := unbounded
		p.limits(item, &share)
		s := p.score(name)
		switch {
		case s == nil:
		case len(s.parts) != 1 || s.parts[0].name != s.Name:
			p.fail(name.Pos, "the scores that it sums up", "%s sums up others itself", s.Name)
		default:
			one := s.parts[0]
			one.own, one.bounds = s.bounds, share
			parts = append(parts, one)
		}
	}
	return parts
}

// tiers reads the tiers of a score.
func (p *parser) tiers(n spec.Node) (list []Tier) {
	v, there := n.Get("tiers")
	if !there {
		return nil
	}
	const example = "tiers: [{tier: warm, from: 10}, {tier: hot, from: 50}]"
	if v.Kind != spec.List || len(v.Items) == 0 || len(v.Items) > maxRules {
		p.fail(v.Pos, example, "tiers takes a list of 1 to %d tiers", maxRules)
		return nil
	}
	for _, item := range v.Items {
		p.known(item, "", []string{"tier", "from"})
		name, _ := item.Get("tier")
		from, _ := item.Get("from")
		text, ok := p.text(name, "the name of a tier", example)
		m, number := micros(strings.TrimSpace(from.Text))
		switch {
		case !ok:
		case !number || !from.Scalar() || m > int64(maxThreshold) || m < -int64(maxThreshold):
			p.fail(from.Pos, example, "from: %q is not how many points the tier %s begins with", from.Text, text)
		case len(list) > 0 && profile.Points(m) <= list[len(list)-1].From:
			p.fail(from.Pos, "tiers from the lowest to the highest", "the tier %s does not begin above %s", text, list[len(list)-1].Name)
		case slices.ContainsFunc(list, func(t Tier) bool { return t.Name == text }):
			p.fail(name.Pos, "", "there are two tiers called %s", text)
		default:
			list = append(list, Tier{text, profile.Points(m)})
		}
	}
	return list
}

// affinity compiles one affinity.
func (c *scoreParser) affinity(def *ScoreSource) {
	p := &parser{env: c.env, ps: c.ps}
	t := &taste{name: def.Name}
	p.known(def.Node, "", []string{"affinity", "label", "about", "of", "half_life", "weigh", "where", "bands"})
	t.half = cmp.Or(p.half(def.Node), tasteHalf)
	if of, said := def.Node.Get("of"); said {
		items := []spec.Node{of}
		if of.Kind == spec.List {
			items = of.Items
		}
		for _, item := range items {
			if path, ok := p.text(item, "the name of a property", "of: [category, products.category]"); ok {
				t.paths = append(t.paths, path)
			}
		}
	} else if t.paths = tastePaths[def.Name]; t.paths == nil {
		p.fail(def.Node.Pos, "of: [material, products.material]", "it is not said which property the affinity %s is about", def.Name)
	}
	t.weigh = slices.Clone(tasteWeights)
	if w, said := def.Node.Get("weigh"); said {
		t.weigh = p.weights(w)
	}
	slices.SortFunc(t.weigh, func(a, b weight) int { return strings.Compare(a.event, b.event) })
	if w, said := def.Node.Get("where"); said {
		t.where = p.where(w)
	}
	if b, said := def.Node.Get("bands"); said {
		t.bands = p.bands(b)
	} else if def.Name == "price_band" {
		t.bands = priceBands
	}
	if !p.bad {
		c.keepTaste(t)
	}
}

func (c *scoreParser) keepTaste(t *taste) *taste {
	t.key, t.number = c.env.Set.keep(t)
	c.out.tastes = append(c.out.tastes, t)
	return t
}

// weights reads what each event weighs.
func (p *parser) weights(w spec.Node) (list []weight) {
	const example = "weigh: {Product Viewed: 1, Order Completed: 6}"
	if w.Kind != spec.Map || len(w.Fields) == 0 || len(w.Fields) > maxEvents {
		p.fail(w.Pos, example, "weigh takes 1 to %d events with what each weighs", maxEvents)
		return nil
	}
	for _, f := range w.Fields {
		if slices.ContainsFunc(list, func(o weight) bool { return o.event == f.Key }) {
			p.fail(f.Pos, "", "%s is said twice", f.Key)
		}
		p.env.CheckEvent(f.Pos, f.Key, p.ps)
		list = append(list, weight{f.Key, p.positive(f.Value, f.Key)})
	}
	return list
}

// bands reads where one band ends and the next begins.
func (p *parser) bands(b spec.Node) (list []money.Micros) {
	const example = "bands: [10, 25, 50]"
	if b.Kind != spec.List || len(b.Items) == 0 || len(b.Items) > maxRules {
		p.fail(b.Pos, example, "bands takes a list of 1 to %d amounts", maxRules)
		return nil
	}
	for _, item := range b.Items {
		m, ok := micros(strings.TrimSpace(item.Text))
		if !item.Scalar() || !ok || len(list) > 0 && money.Micros(m) <= list[len(list)-1] {
			p.fail(item.Pos, example, "bands: %q is no amount above the one before", item.Text)
			continue
		}
		list = append(list, money.Micros(m))
	}
	return list
}

// sayHalf returns a half-life in words.
func sayHalf(half int64) string { return sayDuration(time.Duration(half) * time.Second) }
