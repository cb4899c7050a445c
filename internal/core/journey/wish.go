package journey

import (
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// intent makes the wish of a send step that the instance has reached.
func (r *run) intent(d *Definition, st *step, in *profile.Instance) Intent {
	s := st.send
	out := Intent{
		Journey: d.Name, Version: d.Version, Step: st.name, Key: in.Key, Entered: in.Entered, Trigger: in.Trigger, Arrival: in.Arrivals,
		Template: s.template, Channel: s.channel, Purpose: s.purpose, Class: s.class,
		Priority: s.priority, At: r.w.Now.Add(s.delay), Expires: event.Never, Props: in.Props,
		Withheld: in.Held && s.class == profile.Marketing,
		Late:     r.late > s.lateness,
	}
	if d.campaign != nil {
		out.Run, _ = RunOf(in.Key)
		out.At = in.TriggerAt // the moment; the run may come to the customer later
	}
	if s.expires > 0 {
		out.Expires = out.At.Add(s.expires)
	}
	if s.class == profile.Marketing && d.Holdout > 0 {
		// The chance with which this person is not held out: the decision records it.
		out.Props = out.Props.With("propensity", event.Num(1-d.Holdout))
	}
	var bought *profile.Bought
	if s.product.root == fromRhythm || s.category.root == fromRhythm {
		if bought = overdue(&r.w, in.Product); bought != nil {
			out.Props = out.Props.With("replenish", event.Yes(true))
		}
	}
	out.Product, out.Category = s.product.text(r.w.P, in.Props), s.category.text(r.w.P, in.Props)
	if bought != nil && s.product.root == fromRhythm {
		out.Product = bought.SKU
	}
	if bought != nil && (s.category.root == fromRhythm || s.category.root == fromNowhere) {
		out.Category = bought.Category
	}
	for i := range s.reasons {
		text, ok := s.reasons[i].fill(func(p path) string { return r.look(d, in, out.Product, out.Category, p) })
		if ok {
			out.Reason = text
			break
		}
	}
	if out.Reason == "" {
		// A half-filled sentence is worse than a plain one.
		out.Reason = clip(r.because(d, in, out.Product), MaxReason)
	}
	return out
}

// look returns what a placeholder stands for; empty if there is nothing.
func (r *run) look(d *Definition, in *profile.Instance, product, category string, p path) string {
	switch p.root {
	case fromTrait, fromTrigger:
		return p.text(r.w.P, in.Props)
	case fromBecause:
		return r.because(d, in, product)
	case fromProduct:
		if b := bought(r.w.P, product); b != nil && b.Name != "" {
			return b.Name
		}
		if v, ok := dig(event.Nested(in.Props), "name"); ok && v.Kind == event.String && product != "" {
			return v.Raw
		}
		return product
	case fromCategory:
		return category
	case fromJourney:
		return d.Title
	}
	return ""
}

// because says in words why this person is spoken to: the rhythm of what they
// buy, else what the audience asks for, else what let them in.
func (r *run) because(d *Definition, in *profile.Instance, product string) string {
	loc := r.w.zone()
	on := func(t event.Time) string { return t.In(loc).Format("2 January 2006") }
	if b := bought(r.w.P, product); b != nil && b.Rhythm() > 0 && in.Product == product {
		name := b.Name
		if name == "" {
			name = b.SKU
		}
		days := int64(b.Rhythm().Round(24*time.Hour) / (24 * time.Hour))
		if days > 1 {
			return "buys " + name + " about every " + event.Int(days).Raw + " days, last on " + on(b.Last)
		}
		return "buys " + name + " regularly, last on " + on(b.Last)
	}
	if d.audience != nil {
		c := r.w.context(in.Props)
		c.Explain = true
		var said []string
		for _, reason := range d.audience.Eval(&c).Because {
			if reason.Holds {
				said = append(said, reason.Sentence(r.w.Now))
			}
		}
		if len(said) > 0 {
			return strings.Join(said, " and ")
		}
	}
	name := in.Name
	if name == "" {
		name = d.Title
	}
	return name + " on " + on(in.TriggerAt)
}

// bought returns what the customer has bought of the SKU; nil if nothing.
func bought(p *profile.Profile, sku string) *profile.Bought {
	i, ok := slices.BinarySearchFunc(p.Bought, sku, func(b profile.Bought, s string) int { return strings.Compare(b.SKU, s) })
	if !ok {
		return nil
	}
	return &p.Bought[i]
}

// due returns the instant at which a product is due by the customer's own
// rhythm, and its SKU: of all that are due after the given instant the first. It
// is event.Never if the customer has no rhythm in anything. What has been
// overdue since before then is not waited for: it will not be bought again by
// waiting.
func due(w *World, st *waitStep, after event.Time) (event.Time, string) {
	at, sku := event.Never, ""
	for i := range w.P.Bought {
		b := &w.P.Bought[i]
		rhythm := b.Rhythm()
		if rhythm == 0 || st.within != "" && st.within != b.Category {
			continue
		}
		if t := b.Last.Add(rhythm).Add(st.offset); t > after && t < at {
			at, sku = t, b.SKU
		}
	}
	return at, sku
}

// overdue returns the product to remind of: the one that was waited for, else
// the one whose turn by the customer's own rhythm is nearest to now. What is
// overdue by more than a whole rhythm has been given up.
func overdue(w *World, sku string) *profile.Bought {
	if b := bought(w.P, sku); b != nil {
		return b
	}
	var best *profile.Bought
	var distance time.Duration
	for i := range w.P.Bought {
		b := &w.P.Bought[i]
		rhythm := b.Rhythm()
		if rhythm == 0 {
			continue
		}
		off := w.Now.Sub(b.Last.Add(rhythm))
		if off > rhythm {
			continue
		}
		if off < 0 {
			off = -off
		}
		if best == nil || off < distance {
			best, distance = b, off
		}
	}
	return best
}

// of returns the value that an update sets; false if a placeholder has none.
func (a *assignment) of(look func(path) string) (event.Value, bool) {
	switch {
	case a.kind == spec.Null:
		return event.Value{}, true // null: the trait is taken away
	case a.fixed && a.kind == spec.Bool:
		return event.Yes(a.value.source == "true"), true
	case a.fixed && a.kind == spec.Number:
		return event.Value{Kind: event.Number, Raw: a.value.source}, true
	}
	text, ok := a.value.fill(look)
	return event.Text(text), ok
}

// setTrait returns the traits with t, in a new list.
func setTrait(traits []profile.Trait, t profile.Trait) []profile.Trait {
	i, found := slices.BinarySearchFunc(traits, t.Name, func(x profile.Trait, name string) int { return strings.Compare(x.Name, name) })
	if found {
		traits = slices.Clone(traits)
		traits[i] = t
		return traits
	}
	return slices.Insert(slices.Clip(traits), i, t)
}
