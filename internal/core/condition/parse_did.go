package condition

import (
	"regexp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/spec"
)

// maxEvents bounds the names of events in one question.
const maxEvents = 50

func parseDidNot(p *parser, n, v spec.Node, depth int) node {
	if k := p.did(n, v, "did_not"); k != nil {
		return &notNode{k}
	}
	return nil
}

func parseDid(p *parser, n, v spec.Node, depth int) node { return p.did(n, v, "did") }

// did parses a question about events: one series for each number that it
// compares, all of which must hold.
func (p *parser) did(n, v spec.Node, head string) node {
	base := question{to: event.Never}
	if base.names = p.names(v); base.names == nil {
		return nil
	}
	if w, there := n.Get("where"); there {
		base.where = p.where(w)
		p.warnLines(base.names, w)
	}
	if b, there := n.Get("between"); there {
		base.from, base.to = p.between(b)
	}
	window := event.Time(0)
	if w, there := n.Get("within"); there {
		window, _ = p.duration(w, "within")
	}
	var kids []node
	zero := true // whether never having done it satisfies all that is asked
	ask := func(q question, m metric, b bound, ok bool) {
		if !ok || p.bad {
			return
		}
		zero = zero && b.holds(0)
		q.names, q.where = slices.Clone(q.names), slices.Clone(q.where)
		q.keep, q.most = window, b.enough()
		switch {
		case m == bySum:
			q.most = MaxObs
		case m == byDistinct && window == 0:
			q.keep = event.Never
		}
		kids = append(kids, &didNode{q: p.env.Set.add(q), metric: m, window: window, bound: b})
	}
	times := false
	for _, f := range n.Fields {
		name, arg, isCall := call(f.Key)
		switch {
		case f.Key == "times":
			times = true
			b, ok := p.counts(f, window != 0)
			ask(base, byCount, b, ok)
		case f.Key == "sessions":
			q := base
			q.tag = visits
			b, ok := p.counts(f, true)
			ask(q, byDistinct, b, ok)
		case f.Key == "distinct" || isCall && name == "distinct":
			q := base
			b, ok := p.distinct(f, arg, &q)
			ask(q, byDistinct, b, ok)
		case f.Key == "sum" || isCall && name == "sum":
			q := base
			b, ok := p.sum(f, arg, &q)
			ask(q, bySum, b, ok)
		}
	}
	seen := false
	for _, key := range []string{"first", "last"} {
		if f, there := n.Get(key); there {
			seen = true
			kids = append(kids, p.seen(f, base, key == "last")...)
		}
	}
	if !times && !seen && zero {
		// "Did" means at least once, also where the sum would be right without.
		ask(base, byCount, bound{min: 1, max: maxBound}, true)
	}
	switch {
	case p.bad || len(kids) == 0:
		return nil
	case len(kids) == 1:
		return kids[0]
	}
	return &allNode{kids}
}

// names reads the names of the events.
func (p *parser) names(v spec.Node) []string {
	items := v.Items
	if v.Kind != spec.List {
		items = []spec.Node{v}
	}
	if len(items) == 0 || len(items) > maxEvents {
		p.fail(v.Pos, "did: [Product Viewed, Product Added]", "the names of 1 to %d events are expected here", maxEvents)
		return nil
	}
	names := make([]string, 0, len(items))
	for _, item := range items {
		name, ok := p.text(item, "the name of an event", "did: Product Viewed")
		if !ok {
			return nil
		}
		names = append(names, name)
		p.env.CheckEvent(item.Pos, name, p.ps)
	}
	return names
}

// retail are the names that are compared with names of a shop's own, which are
// often slips of the pen.
var retail = []string{
	event.PageViewed, event.ScreenViewed, event.ProductSearched, event.ListViewed, event.ProductViewed, event.ProductAdded,
	event.ProductRemoved, event.CartViewed, event.CheckoutStarted, event.OrderCompleted, event.OrderRefunded, event.OrderCancelled,
	event.ConsentChanged, event.MessageSent, event.MessageBounced, event.MessageOpened, event.MessageClicked, event.MessageReplied,
	event.Complained, event.Unsubscribed,
}

// misspelt returns the retail event that differs from name in one or two letters.
func misspelt(name string) string {
	if slices.Contains(retail, name) {
		return ""
	}
	for _, r := range retail {
		if distance(strings.ToLower(name), strings.ToLower(r)) <= 2 {
			return r
		}
	}
	return ""
}

// onLines are properties that an order has once for each of its lines.
var onLines = []string{"category", "sku", "product_id", "name", "brand", "variant", "price"}

// warnLines warns of a question about orders that only their lines can answer.
func (p *parser) warnLines(names []string, w spec.Node) {
	for _, f := range w.Fields {
		if slices.ContainsFunc(names, event.IsOrder) && slices.Contains(onLines, f.Key) {
			p.ps.Warn(f.Pos, "products."+f.Key, "an order has %s on its lines, not itself", f.Key)
		}
	}
}

// where reads the filter on properties.
func (p *parser) where(w spec.Node) []*filter {
	if w.Kind != spec.Map || len(w.Fields) == 0 {
		p.fail(w.Pos, "where: {category: shoes}", "where takes properties with the values that they must have")
		return nil
	}
	var list []*filter
	add := func(path string, m match, ok bool) {
		if ok {
			list = append(list, &filter{path, m, p.env.zone()})
		}
	}
	for _, f := range w.Fields {
		switch v := f.Value; v.Kind {
		case spec.List:
			m, ok := p.match("in", v)
			add(f.Key, m, ok)
		case spec.Map:
			p.known(v, "", valueOps)
			for _, op := range v.Fields {
				m, ok := p.match(op.Key, op.Value)
				add(f.Key, m, ok)
			}
		default:
			op, value := "is", v
			if parts := comparison.FindStringSubmatch(v.Text); parts != nil && v.Kind == spec.Text {
				op, value.Text, value.Kind = parts[1], parts[2], spec.Number
			}
			m, ok := p.match(op, value)
			add(f.Key, m, ok)
		}
	}
	return list
}

// comparison is a comparison with a number written as one text: ">= 50".
var comparison = regexp.MustCompile(`^(>=|<=|>|<) *(-?[0-9]+(?:\.[0-9]+)?)$`)

// between reads [date, date]. A calendar day as the second is included.
func (p *parser) between(b spec.Node) (from, to event.Time) {
	const example = "between: [2026-11-01, 2026-11-30]"
	if b.Kind != spec.List || len(b.Items) != 2 {
		p.fail(b.Pos, example, "between takes two dates")
		return 0, event.Never
	}
	first, ok1 := parseDate(b.Items[0].Text)
	last, ok2 := parseDate(b.Items[1].Text)
	if !ok1 || !ok2 {
		p.fail(b.Pos, example, "between: %q and %q are not both dates", b.Items[0].Text, b.Items[1].Text)
		return 0, event.Never
	}
	from, to = first.from(p.env.zone()), last.upto(p.env.zone())
	if from >= to {
		p.fail(b.Pos, example, "between: %s is not before %s", b.Items[0].Text, b.Items[1].Text)
	}
	return from, to
}

// counts reads a comparison with a count. A count over kept observations cannot
// go beyond what is kept.
func (p *parser) counts(f spec.Field, kept bool) (bound, bool) {
	b, ok := p.bound(f, whole)
	if !ok {
		return b, false
	}
	if f.Value.Kind == spec.Number {
		p.ps.Warn(f.Value.Pos, f.Key+`: ">= `+f.Value.Text+`"`, "%s: %s means exactly %s", f.Key, f.Value.Text, f.Value.Text)
	}
	if b.hasMax() && b.max < 0 {
		p.fail(f.Value.Pos, f.Key+`: "0"`, "%s: %q can never be: a count is not below zero", f.Key, f.Value.Text)
		return b, false
	}
	if kept && (b.min > MaxObs || b.hasMax() && b.max >= MaxObs) {
		p.fail(f.Value.Pos, "", "%s: %q is beyond %d, the number of observations that is kept", f.Key, f.Value.Text, MaxObs)
		return b, false
	}
	return b, true
}

func (p *parser) bound(f spec.Field, number func(string) (int64, bool)) (bound, bool) {
	if f.Value.Scalar() {
		if b, ok := parseBound(f.Value.Text, number); ok {
			return b, true
		}
	}
	p.fail(f.Value.Pos, f.Key+`: ">= 3"`, "%s: %q is no comparison: >=, >, <=, <, = or != with a number, or 2 to 5", f.Key, f.Value.Text)
	return bound{}, false
}

// part returns what sum and distinct are about: the property in brackets, or the
// long form {property: …, is: …}.
func (p *parser) part(f spec.Field, arg string, keys ...string) (property string, is spec.Field, ok bool) {
	if arg != "" {
		return arg, f, true
	}
	if f.Value.Kind != spec.Map {
		p.fail(f.Value.Pos, f.Key+`(net): ">= 100"`, "%s needs to know of which property", f.Key)
		return "", is, false
	}
	p.known(f.Value, "", keys)
	prop, _ := f.Value.Get("property")
	property, ok = p.text(prop, "the name of a property", f.Key+`: {property: net, is: ">= 100"}`)
	for _, g := range f.Value.Fields {
		if g.Key == "is" {
			return property, g, ok
		}
	}
	p.fail(f.Pos, f.Key+`: {property: net, is: ">= 100"}`, "%s is not compared with anything", f.Key)
	return property, is, false
}

func (p *parser) distinct(f spec.Field, arg string, q *question) (bound, bool) {
	property, is, ok := p.part(f, arg, "property", "is")
	if !ok {
		return bound{}, false
	}
	q.tag = property
	return p.counts(is, true)
}

func (p *parser) sum(f spec.Field, arg string, q *question) (bound, bool) {
	property, is, ok := p.part(f, arg, "property", "is", "currency")
	if !ok {
		return bound{}, false
	}
	q.sum, q.currency = property, p.currency(property)
	if c, there := f.Value.Get("currency"); there && arg == "" {
		if c.Text == "any" {
			q.currency = anyCurrency
		} else {
			currency, err := money.ParseCurrency(c.Text)
			if err != nil {
				p.fail(c.Pos, "currency: GBP", "currency: %q is neither a currency nor any", c.Text)
				return bound{}, false
			}
			q.currency = currency
		}
	}
	return p.bound(is, micros)
}

// seen reads the bounds on the first or last instant.
func (p *parser) seen(v spec.Node, base question, last bool) (kids []node) {
	keys := []string{"within", "older_than", "before", "after"}
	if v.Kind != spec.Map || len(v.Fields) == 0 {
		p.fail(v.Pos, "first: {within: 30d}", "first and last take within, older_than, before or after")
		return nil
	}
	p.known(v, "", keys)
	for _, f := range v.Fields {
		n := &seenNode{last: last}
		switch f.Key {
		case "within", "older_than":
			w, ok := p.duration(f.Value, f.Key)
			if !ok {
				continue
			}
			n.rel = &relative{0, w, ""}
			n.text = "in the last " + sayDuration(w.Sub(0))
			if f.Key == "older_than" {
				n.rel = &relative{w, event.Never, ""}
				n.text = sayDuration(w.Sub(0)) + " ago or longer"
			}
		case "before", "after":
			d, ok := parseDate(f.Value.Text)
			if !ok {
				p.fail(f.Value.Pos, f.Key+": 2026-03-01", "%s: %q is no date", f.Key, f.Value.Text)
				continue
			}
			n.text = f.Key + " " + d.definition
			if n.not = f.Key == "before"; n.not {
				n.at = d.from(p.env.zone())
			} else if n.at = d.upto(p.env.zone()); !d.isDay {
				n.at++ // after an instant is later than it
			}
		default:
			continue // reported with the keys
		}
		if p.bad {
			continue
		}
		q := base
		q.names, q.where, q.newest, q.most = slices.Clone(q.names), slices.Clone(q.where), last, 1
		n.q = p.env.Set.add(q)
		kids = append(kids, n)
	}
	return kids
}
