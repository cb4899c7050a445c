package sentence

import (
	"regexp"
	"slices"
	"strings"

	"rapport/internal/core/spec"
)

// A pattern is a kind of question that is said field by field, in one order.
type pattern struct {
	head   string
	nested bool // the fields stand in a map behind the head
	pieces []piece
}

// piece is a field of a question with the words before and behind it.
type piece struct {
	key        string
	how        form
	en, de     string
	enEnd, end string // behind it; end is the German
}

// form is how the value of a field is written.
type form int

const (
	aName    form = iota
	someName      // one or several
	aSpan         // a length of time
	aBound        // a comparison with a number
	aNumber
	aFlag // true: the words are all
)

// patterns are the questions about places, stages, points and tastes.
var patterns = []pattern{
	{"city", false, []piece{{key: "city", how: someName, en: "was last in the city ", de: "war zuletzt in der Stadt "}}},
	{"region", false, []piece{{key: "region", how: someName, en: "was last in the region ", de: "war zuletzt in der Region "}}},
	{"country", false, []piece{{key: "country", how: someName, en: "was last in the country ", de: "war zuletzt im Land "}}},
	{"lifecycle", false, []piece{{key: "lifecycle", how: someName, en: "is at the stage ", de: "ist in der Phase "}}},
	{"store", false, []piece{
		{key: "store", how: someName, en: "was in the store ", de: "war im Laden "},
		{key: "within", how: aSpan, en: ", in the last ", de: ", in den letzten "},
	}},
	{"fence", false, []piece{
		{key: "fence", en: "is in the fence ", de: "ist im Zaun "},
		{key: "entered", how: aSpan, en: ", entered in the last ", de: ", betreten in den letzten "},
		{key: "seen_within", how: aSpan, en: ", as seen in the last ", de: ", gesehen in den letzten "},
	}},
	{"near", true, []piece{
		{key: "store", en: "was last near the store ", de: "war zuletzt nahe dem Laden "},
		{key: "lat", how: aNumber, en: "was last near the point ", de: "war zuletzt nahe dem Punkt ", enEnd: " north", end: " Nord"},
		{key: "lon", how: aNumber, en: " and ", de: " und ", enEnd: " east", end: " Ost"},
		{key: "within", en: ", at most ", de: ", höchstens ", enEnd: " away", end: " entfernt"},
		{key: "beyond", en: ", at least ", de: ", mindestens ", enEnd: " away", end: " entfernt"},
		{key: "open", how: aFlag, en: ", which is open now", de: ", der jetzt offen ist"},
		{key: "seen_within", how: aSpan, en: ", as seen in the last ", de: ", gesehen in den letzten "},
	}},
	{"score", false, []piece{
		{key: "score", en: "has of the score ", de: "hat vom Punktestand "},
		{key: "is", how: aBound, en: " ", de: " ", enEnd: " points", end: " Punkte"},
	}},
	{"tier", false, []piece{
		{key: "tier", en: "is by the score ", de: "ist beim Punktestand "},
		{key: "in", how: someName, en: " in one of the tiers ", de: " in einer der Stufen "},
		{key: "from", en: " in the tier ", de: " in der Stufe ", enEnd: " or above", end: " oder darüber"},
		{key: "is", en: " in the tier ", de: " in der Stufe "},
	}},
	{"affinity", true, []piece{
		{key: "by", en: "has by ", de: "hat bei "},
		{key: "of", en: " a taste for ", de: " einen Geschmack für "},
		{key: "is", how: aBound, en: ", with a share of ", de: ", mit einem Anteil von "},
		{key: "weight", how: aBound, en: ", and a weight of ", de: ", und einem Gewicht von "},
	}},
}

// aLength is a length of time, and aComparison a comparison, that comes back as it was.
var (
	aLength     = regexp.MustCompile(`^[0-9]+[smhdw]$`)
	aComparison = regexp.MustCompile(`^((>=|<=|!=|>|<|=) ?)?-?[0-9.]+%?$|^-?[0-9.]+%? to -?[0-9.]+%?$`)
)

// says reports whether the pattern has words for all of a question.
func (p *pattern) says(n spec.Node) bool {
	v := n
	if p.nested {
		if len(n.Fields) != 1 {
			return false
		}
		v, _ = n.Get(p.head)
	}
	for _, f := range v.Fields {
		i := slices.IndexFunc(p.pieces, func(one piece) bool { return one.key == f.Key })
		if i < 0 || !p.pieces[i].fits(f.Value) {
			return false
		}
	}
	_, first := v.Get(p.pieces[0].key)
	_, point := v.Get("lat")
	_, both := v.Get("lon")
	return first && !point || p.head == "near" && point && both && !first
}

func (one *piece) fits(v spec.Node) bool {
	text := strings.TrimSpace(v.Text)
	switch one.how {
	case someName:
		named := func(v spec.Node) bool { return v.Kind == spec.Text }
		return named(v) || v.Kind == spec.List && len(v.Items) > 0 && !slices.ContainsFunc(v.Items, func(v spec.Node) bool { return !named(v) })
	case aSpan:
		return v.Kind == spec.Text && aLength.MatchString(text)
	case aBound:
		return v.Scalar() && aComparison.MatchString(text)
	case aNumber:
		return v.Kind == spec.Number
	case aFlag:
		return v.Kind == spec.Bool && v.Text == "true"
	}
	return v.Kind == spec.Text
}

// told writes a question by its pattern; false: it has no words for all of it.
func (w *writer) told(p *pattern, n spec.Node) bool {
	if !p.says(n) {
		return false
	}
	if p.nested {
		n, _ = n.Get(p.head)
	}
	for i := range p.pieces {
		one := &p.pieces[i]
		v, there := n.Get(one.key)
		if !there {
			continue
		}
		w.pick(one.en, one.de)
		switch one.how {
		case aName:
			w.quote(v.Text)
		case someName:
			items := v.Items
			if v.Kind != spec.List {
				items = []spec.Node{v}
			}
			for i, item := range items {
				if i > 0 {
					w.say(orElse)
				}
				w.quote(item.Text)
			}
		case aSpan:
			w.duration(v.Text)
		case aBound:
			w.bound(v.Text)
		case aNumber:
			w.WriteString(v.Text)
		case aFlag:
		}
		w.pick(one.enEnd, one.end)
	}
	return true
}

// told reads a question by its pattern; false: it begins with other words.
func (r *reader) told(p *pattern) (spec.Node, bool) {
	var n spec.Node
	begun := false
	for i := range p.pieces {
		one := &p.pieces[i]
		before := r.rest
		if !begun && i > 0 && !(p.head == "near" && one.key == "lat") {
			return n, false
		}
		if !r.take(one.en) {
			continue
		}
		var v spec.Node
		switch one.how {
		case aName:
			v = text(r.quoted())
		case someName:
			items := []spec.Node{text(r.quoted())}
			for r.hear(orElse) {
				items = append(items, text(r.quoted()))
			}
			v = list(items...)
		case aSpan:
			v = r.duration()
		case aBound:
			v = r.bound()
		case aNumber:
			v = spec.Node{Kind: spec.Number, Text: r.word()}
		case aFlag:
			v = spec.Node{Kind: spec.Bool, Text: "true"}
		}
		if one.enEnd != "" && !r.take(one.enEnd) {
			if begun && one.key == "from" { // the tier itself is meant
				r.rest = before
				continue
			}
			r.fail("“" + strings.TrimSpace(one.enEnd) + "”")
		}
		begun = true
		add(&n, one.key, v)
	}
	if !begun {
		return n, false
	}
	n.Kind = spec.Map
	if p.nested {
		n = object(field(p.head, n))
	}
	return n, true
}
