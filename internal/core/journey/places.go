package journey

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/product"
	"rapport/internal/core/spec"
)

// fenceTrigger reads {fence: soho, on: enter}: customers come in when they come
// into the fence, or leave it or are not heard of there any longer. It is a
// segment that nobody named: who is in the fence now.
func (r *reader) fenceTrigger(n, v spec.Node) (t Trigger, ok bool) {
	r.known(n, "a fence trigger", takes(triggerShapes, "fence", "")...)
	ask := spec.Node{Kind: spec.Map, Pos: n.Pos, Fields: []spec.Field{{Key: "fence", Pos: v.Pos, Value: v}}}
	if seen, is := n.Get("seen_within"); is {
		ask.Fields = append(ask.Fields, spec.Field{Key: "seen_within", Pos: seen.Pos, Value: seen})
	}
	t.Segment, t.Fence = condition.Hide(ask, r.env.Conditions, r.ps), v.Text
	switch on := r.text(n, "on"); on {
	case "", "enter":
	case "leave":
		t.Leave = true
	default:
		r.ps.Add(n.Pos, "on: enter or on: leave", "a customer cannot %q a fence", on)
	}
	return t, t.Segment != ""
}

// changes of the catalogue by which a journey may begin, as definitions name them.
var changes = []struct{ word, event string }{
	{"price_drop", product.PriceDropped}, {"back_in_stock", product.BackInStock}, {"low_stock", product.LowInStock},
}

// interests are the grounds on which somebody is told of a change, as the events
// of changes name them.
var interests = []string{"viewed", "carted", "wished", "bought"}

// catalogueTrigger reads {catalogue: price_drop, interest: [carted, wished], drop:
// 10%}: customers come in when something that they were interested in changes. Each
// product opens an instance of its own.
func (r *reader) catalogueTrigger(n, v spec.Node) (t Trigger, ok bool) {
	const example = "{catalogue: price_drop, interest: [carted, wished], drop: 10%}"
	r.known(n, "a catalogue trigger", takes(triggerShapes, "catalogue", "")...)
	m := &match{}
	falls := false
	for _, word := range r.texts(v, "a change of the catalogue") {
		i := slices.IndexFunc(changes, func(c struct{ word, event string }) bool { return c.word == word })
		if i < 0 {
			words := make([]string, len(changes))
			for k := range changes {
				words[k] = changes[k].word
			}
			instead := condition.Nearest(word, words)
			if instead == "" {
				instead = strings.Join(words, ", ")
			}
			r.ps.Add(v.Pos, instead, "the catalogue knows no change %q", word)
			return t, false
		}
		m.names = append(m.names, changes[i].event)
		falls = falls || word == "price_drop"
	}
	if len(m.names) == 0 {
		return t, false
	}
	where := spec.Node{Kind: spec.Map, Pos: n.Pos}
	if w, is := n.Get("where"); is {
		where.Fields = append(where.Fields, w.Fields...)
	}
	if list, is := n.Get("interest"); is {
		words := r.texts(list, "an interest")
		items := spec.Node{Kind: spec.List, Pos: list.Pos}
		for _, word := range words {
			if !slices.Contains(interests, word) {
				r.ps.Add(list.Pos, "one of "+strings.Join(interests, ", "), "there is no interest %q", word)
				return t, false
			}
			items.Items = append(items.Items, spec.Node{Kind: spec.Text, Text: word, Pos: list.Pos})
		}
		where.Fields = append(where.Fields, spec.Field{Key: "interest", Pos: list.Pos, Value: items})
	}
	if drop, is := n.Get("drop"); is {
		share, good := parseShare(drop)
		if !good || share <= 0 || share >= 1 || !falls {
			r.ps.Add(drop.Pos, example, "drop is a share between 0%% and 100%%, and goes with price_drop")
			return t, false
		}
		least := spec.Node{Kind: spec.Number, Text: strconv.FormatFloat(share*100, 'f', -1, 64), Pos: drop.Pos}
		where.Fields = append(where.Fields, spec.Field{Key: "drop", Pos: drop.Pos, Value: spec.Node{
			Kind: spec.Map, Pos: drop.Pos, Fields: []spec.Field{{Key: ">=", Pos: drop.Pos, Value: least}},
		}})
	}
	if len(where.Fields) > 0 {
		m.where = r.where(where)
	}
	t.Event, t.Key = m, "sku"
	return t, true
}
