package occasion

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
)

// Bounds of definitions.
const (
	maxName       = 40 // it stands in the name of a prediction
	maxSignals    = 20
	maxCategories = 50
	maxStrength   = 1000 // what is stronger is a fact, not a sign
	maxShare      = 0.5
	maxSpan       = 20 * 365 * 24 * time.Hour
)

// The fields of a definition.
var keys = []string{"occasion", "label", "about", "purpose", "signals", "at-least", "within", "in-order", "begins", "lasts", "share", "yearly", "categories"}

// Parse reads one definition. Everything that is wrong is added to ps, and then
// the result is nil. The name is that of the file and counts if the source has no
// `occasion`.
//
//	occasion: new-baby
//	label: A new baby
//	purpose: occasions             # customers must have agreed to it
//	signals:
//	  nappies: [Nappies, Diapers]  # categories, or parts of their paths
//	  cot: {categories: [Cots], strength: 20}
//	  bottles: [Baby Bottles]
//	at-least: 2                    # different signals
//	within: 60d                    # from the first to the last
//	begins: -30d                   # after the first sign; negative: before it
//	lasts: 540d
//	share: 2%                      # of customers, at any time
//
//	occasion: every-year
//	label: Bought every year
//	purpose: occasions
//	yearly: true
//	categories: [Gifts]            # default: any
func Parse(name string, n spec.Node, ps *spec.Problems) *Definition {
	had := len(ps.All())
	r := reader{ps}
	if n.Kind != spec.Map {
		ps.Add(n.Pos, "occasion: new-baby", "an occasion is made of lines “key: value”")
		return nil
	}
	for _, f := range n.Fields {
		if !slices.Contains(keys, f.Key) {
			ps.Add(f.Pos, condition.Nearest(f.Key, keys), "an occasion has no field %q", f.Key)
		}
	}
	d := &Definition{Name: name, AtLeast: LeastSignals, Within: defaultWithin, Lasts: defaultLasts, Share: defaultShare}
	if s := r.text(n, "occasion"); s != "" {
		d.Name = s
	}
	if !validName(d.Name) {
		ps.Add(n.Pos, "occasion: new-baby", "the name %q is not one of small letters, digits and -, at most %d", d.Name, maxName)
	}
	d.Label = d.Name
	if s := r.text(n, "label"); s != "" {
		d.Label = s
	}
	if d.Purpose = r.text(n, "purpose"); d.Purpose == "" {
		ps.Add(n.Pos, "purpose: occasions", "an occasion is about somebody's private life: name the purpose to which they must have agreed")
	}
	d.Yearly = r.truth(n, "yearly")
	d.InOrder = r.truth(n, "in-order")
	d.Only = r.categories(n, "categories")
	d.Signals = r.signals(n)
	r.duration(n, "within", &d.Within, 0)
	r.duration(n, "begins", &d.Begins, -maxSpan)
	r.duration(n, "lasts", &d.Lasts, 0)
	d.AtLeast = r.atLeast(n, len(d.Signals))
	d.Share = r.share(n, d.Share)
	switch {
	case d.Yearly && len(d.Signals) > 0:
		ps.Add(n.Pos, "categories: […]", "a yearly occasion has categories and no signals")
	case !d.Yearly && len(d.Signals) < LeastSignals:
		ps.Add(n.Pos, "signals: {nappies: [Nappies], cot: [Cots]}", "an occasion takes at least %d signals: one category shows nothing", LeastSignals)
	case !d.Yearly && len(d.Only) > 0:
		ps.Add(n.Pos, "signals: {…}", "categories are for an occasion that is yearly; others have signals")
	}
	for _, p := range ps.All()[had:] {
		if !p.Warning {
			return nil
		}
	}
	return d
}

func validName(s string) bool {
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) < 0
}

type reader struct{ ps *spec.Problems }

func (r reader) text(n spec.Node, key string) string {
	v, ok := n.Get(key)
	if !ok || v.Kind == spec.Null {
		return ""
	}
	if !v.Scalar() {
		r.ps.Add(v.Pos, key+": some text", "%s is a text", key)
		return ""
	}
	return strings.TrimSpace(v.Text)
}

func (r reader) truth(n spec.Node, key string) bool {
	v, ok := n.Get(key)
	if ok && v.Kind != spec.Bool {
		r.ps.Add(v.Pos, key+": true", "%s is true or false", key)
	}
	return ok && v.Kind == spec.Bool && v.Text == "true"
}

func (r reader) duration(n spec.Node, key string, into *time.Duration, least time.Duration) {
	v, ok := n.Get(key)
	if !ok {
		return
	}
	text, negative := strings.CutPrefix(strings.TrimSpace(v.Text), "-")
	span, ok := condition.ParseDuration(text)
	if negative {
		span = -span
	}
	if !v.Scalar() || !ok || span < least || span > maxSpan {
		r.ps.Add(v.Pos, key+": 60d", "%s is a time such as 60d, and at most 20 years", key)
		return
	}
	*into = span
}

func (r reader) atLeast(n spec.Node, signals int) int {
	v, ok := n.Get("at-least")
	if !ok {
		return LeastSignals
	}
	least, err := strconv.Atoi(v.Text)
	if !v.Scalar() || err != nil || least < LeastSignals || least > max(LeastSignals, signals) {
		r.ps.Add(v.Pos, "at-least: 2", "at-least is %d or more, and no more than there are signals", LeastSignals)
		return LeastSignals
	}
	return least
}

func (r reader) share(n spec.Node, absent float64) float64 {
	v, ok := n.Get("share")
	if !ok {
		return absent
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(v.Text), "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		share /= 100
	}
	if !v.Scalar() || err != nil || !(share > 0 && share <= maxShare) {
		r.ps.Add(v.Pos, "share: 2%", "share is how many of all customers have the occasion: above 0%% and at most %.0f%%", maxShare*100)
		return absent
	}
	return share
}

func (r reader) categories(n spec.Node, key string) []string {
	v, ok := n.Get(key)
	if !ok {
		return nil
	}
	return r.list(v, key)
}

// list reads a text, or a list of texts.
func (r reader) list(v spec.Node, what string) (list []string) {
	items := v.Items
	if v.Kind == spec.Text {
		items = []spec.Node{v}
	}
	for _, item := range items {
		if !item.Scalar() || strings.TrimSpace(item.Text) == "" {
			r.ps.Add(item.Pos, "[Nappies, Diapers]", "a category is a text")
			continue
		}
		list = append(list, strings.TrimSpace(item.Text))
	}
	if len(list) == 0 || len(list) > maxCategories {
		r.ps.Add(v.Pos, what+": [Nappies, Diapers]", "%s names 1 to %d categories", what, maxCategories)
	}
	return list
}

func (r reader) signals(n spec.Node) (list []Signal) {
	v, ok := n.Get("signals")
	if !ok {
		return nil
	}
	if v.Kind != spec.Map || len(v.Fields) > maxSignals {
		r.ps.Add(v.Pos, "signals: {nappies: [Nappies], cot: [Cots]}", "signals are up to %d names, each with its categories", maxSignals)
		return nil
	}
	for _, f := range v.Fields {
		s := Signal{Name: f.Key, Strength: defaultStrength}
		if slices.ContainsFunc(list, func(o Signal) bool { return o.Name == f.Key }) {
			r.ps.Add(f.Pos, "", "the signal %q is written twice", f.Key)
			continue
		}
		categories := f.Value
		if f.Value.Kind == spec.Map {
			for _, g := range f.Value.Fields {
				switch g.Key {
				case "categories":
				case "strength":
					strength, err := strconv.ParseFloat(g.Value.Text, 64)
					if err != nil || !(strength > 1 && strength <= maxStrength) {
						r.ps.Add(g.Value.Pos, "strength: 10", "strength is how many times likelier it is among those who have the occasion: above 1, at most %d", maxStrength)
						continue
					}
					s.Strength = strength
				default:
					r.ps.Add(g.Pos, "categories, strength", "a signal has no field %q", g.Key)
				}
			}
			categories, _ = f.Value.Get("categories")
			if categories.Pos == (spec.Pos{}) {
				categories.Pos = f.Pos
			}
		}
		s.Categories = r.list(categories, f.Key)
		list = append(list, s)
	}
	return list
}
