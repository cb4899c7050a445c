package condition

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// ops parses the comparisons beside a head; several must all hold.
func (p *parser) ops(n spec.Node, head string, example string, one func(op string, v spec.Node) node) node {
	var kids []node
	found := false
	for _, f := range n.Fields {
		if f.Key == head {
			continue
		}
		found = true
		if k := one(f.Key, f.Value); k != nil {
			kids = append(kids, k)
		}
	}
	switch {
	case !found:
		return p.fail(n.Pos, example, "it is not said what the %s should be", head)
	case len(kids) == 0:
		return nil
	case len(kids) == 1:
		return kids[0]
	}
	return &allNode{kids}
}

func parseTrait(p *parser, n, v spec.Node, _ int) node {
	name, ok := p.text(v, "the name of a trait", "{trait: country, in: [GB, IE]}")
	if !ok {
		return nil
	}
	computed := p.env.Trait(name)
	return p.ops(n, "trait", "{trait: "+name+", exists: true}", func(op string, v spec.Node) node {
		if computed != nil {
			return p.computedTrait(computed, op, v)
		}
		switch op {
		case "within":
			rel, ok := p.relative(v)
			if !ok {
				return nil
			}
			return &dateNode{name, rel}
		case "anniversary":
			a, ok := p.anniversary(v)
			if !ok {
				return nil
			}
			return &yearlyNode{name, a}
		}
		m, ok := p.match(op, v)
		if !ok {
			return nil
		}
		return &traitNode{name, m, m.words()}
	})
}

func parseContext(p *parser, n, v spec.Node, _ int) node {
	path, ok := p.text(v, "a part of the context", "{context: device.type, is: mobile}")
	if !ok {
		return nil
	}
	if !slices.Contains(contextPaths, path) {
		return p.fail(v.Pos, Nearest(path, contextPaths), "of the context only %s are remembered; ask about an event's property instead of %q", strings.Join(contextPaths, ", "), path)
	}
	return p.ops(n, "context", "{context: device.type, is: mobile}", func(op string, v spec.Node) node {
		m, ok := p.match(op, v)
		if !ok {
			return nil
		}
		return &contextNode{path, m, m.words()}
	})
}

func parseProperty(p *parser, n, v spec.Node, _ int) node {
	if !p.props {
		return p.fail(v.Pos, "{did: …, where: {property: value}}", "there is no triggering event here whose property could be asked for")
	}
	path, ok := p.text(v, "the name of a property", "{property: total, \">=\": 50}")
	if !ok {
		return nil
	}
	return p.ops(n, "property", "{property: "+path+", exists: true}", func(op string, v spec.Node) node {
		m, ok := p.match(op, v)
		if !ok {
			return nil
		}
		return &propNode{filter{path, m, p.env.zone()}, m.words()}
	})
}

// match parses one comparison.
func (p *parser) match(op string, v spec.Node) (match, bool) {
	m := match{}
	switch op {
	case "is", "is_not":
		if v.Kind == spec.List {
			p.fail(v.Pos, map[string]string{"is": "in", "is_not": "not_in"}[op], "%s compares with one value, not with a list", op)
			return m, false
		}
		m.not = op == "is_not"
		lit, ok := p.literal(v)
		m.lits = []literal{lit}
		return m, ok
	case "in", "not_in":
		if v.Kind != spec.List || len(v.Items) == 0 || len(v.Items) > maxItems {
			p.fail(v.Pos, op+": [GB, IE]", "%s takes a list of 1 to %d values", op, maxItems)
			return m, false
		}
		m.not = op == "not_in"
		for _, item := range v.Items {
			lit, ok := p.literal(item)
			if !ok {
				return m, false
			}
			m.lits = append(m.lits, lit)
		}
		return m, true
	case "exists":
		m.op = opExists
		if v.Kind != spec.Bool {
			p.fail(v.Pos, "exists: true", "exists is true or false")
			return m, false
		}
		m.not = v.Text == "false"
		return m, true
	case "contains", "starts_with", "ends_with":
		m.op = map[string]operator{"contains": opContains, "starts_with": opStarts, "ends_with": opEnds}[op]
		text, ok := p.text(v, "a text", op+": \"…\"")
		m.text = text
		return m, ok
	case ">", ">=", "<", "<=":
		m.op = map[string]operator{">": opMore, ">=": opAtLeast, "<": opLess, "<=": opAtMost}[op]
		f, err := strconv.ParseFloat(v.Text, 64)
		if err != nil || !v.Scalar() || f != f {
			instead := "a number"
			if _, isDate := parseDate(v.Text); isDate {
				instead = map[byte]string{'>': "after", '<': "before"}[op[0]] + ": " + v.Text
			}
			p.fail(v.Pos, instead, "%s compares numbers, and %q is none", op, v.Text)
			return m, false
		}
		m.num, m.text = f, v.Text
		return m, true
	case "before", "after":
		m.op = map[string]operator{"before": opBefore, "after": opAfter}[op]
		d, ok := parseDate(v.Text)
		if !ok || !v.Scalar() {
			p.fail(v.Pos, op+": 2026-03-01", "%s: %q is no date", op, v.Text)
			return m, false
		}
		m.date = d
		return m, true
	}
	// What is not known was reported with the keys.
	return m, false
}

func (p *parser) literal(v spec.Node) (literal, bool) {
	switch v.Kind {
	case spec.Number:
		f, err := strconv.ParseFloat(v.Text, 64)
		if err == nil {
			return literal{event.Number, v.Text, f}, true
		}
		return literal{kind: event.String, text: v.Text}, true // 0x1F and the like: a code that only looks like a number
	case spec.Bool:
		if v.Text == "true" {
			return literal{kind: event.True, text: v.Text}, true
		}
		return literal{kind: event.False, text: v.Text}, true
	case spec.Text:
		if len(v.Text) > maxText {
			p.fail(v.Pos, "", "a text of %d bytes is too long; at most %d are taken", len(v.Text), maxText)
			return literal{}, false
		}
		return literal{kind: event.String, text: v.Text}, true
	}
	p.fail(v.Pos, "a text, a number, true or false; for what is missing write exists: false", "a value to compare with is expected here")
	return literal{}, false
}

// parseDate reads a calendar day or an instant of RFC 3339.
func parseDate(s string) (date, bool) {
	s = strings.TrimSpace(s)
	if y, m, d, ok := calendarDay(s); ok {
		return date{y: y, m: m, d: d, isDay: true, definition: s}, true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return date{at: event.At(t), definition: s}, true
	}
	return date{}, false
}

// relative reads "in the last 30d", "in the next 7d", "more than 30d ago" and
// "more than 7d ahead".
func (p *parser) relative(v spec.Node) (relative, bool) {
	s := strings.TrimPrefix(strings.TrimSpace(v.Text), "in the ")
	for _, form := range [...]struct{ before, after string }{{"last ", ""}, {"next ", ""}, {"more than ", " ago"}, {"more than ", " ahead"}} {
		text, ok1 := strings.CutPrefix(s, form.before)
		text, ok2 := strings.CutSuffix(text, form.after)
		d, ok3 := ParseDuration(text)
		if !ok1 || !ok2 || !ok3 {
			continue
		}
		w := span(d)
		switch {
		case form.before == "last ":
			return relative{0, w, "in the last " + sayDuration(d)}, true
		case form.before == "next ":
			return relative{-w, 0, "in the next " + sayDuration(d)}, true
		case form.after == " ago":
			return relative{w, event.Never, "more than " + sayDuration(d) + " ago"}, true
		default:
			return relative{distantPast, -w, "more than " + sayDuration(d) + " ahead"}, true
		}
	}
	p.fail(v.Pos, "within: in the last 30d", "within: %q is none of in the last 30d, in the next 7d, more than 30d ago, more than 7d ahead", v.Text)
	return relative{}, false
}

// maxAhead bounds how far ahead an anniversary can be asked for: beyond it the
// last one and the next would both be near.
const maxAhead = 300

// anniversary reads "today", "in 3d" and "in the next 7d".
func (p *parser) anniversary(v spec.Node) (anniversary, bool) {
	s := strings.TrimSpace(v.Text)
	if s == "today" {
		return anniversary{0, 0, "today, as every year"}, true
	}
	number, next := strings.CutPrefix(s, "in the next ")
	if !next {
		number = strings.TrimPrefix(s, "in ")
	}
	d, ok := ParseDuration(number)
	if days := int(d / day); ok && number != s && d%day == 0 && days <= maxAhead {
		if next {
			return anniversary{days, 0, "in the next " + count(int64(days), "day") + ", as every year"}, true
		}
		return anniversary{days, days, "in " + count(int64(days), "day") + ", as every year"}, true
	}
	p.fail(v.Pos, "anniversary: today", "anniversary: %q is none of today, in 3d, in the next 7d (at most %d days)", v.Text, maxAhead)
	return anniversary{}, false
}
