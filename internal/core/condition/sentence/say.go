package sentence

import (
	"regexp"
	"slices"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
)

// The languages that conditions are written in.
const (
	English = "en"
	German  = "de"
)

// Say writes a condition as the predicate of a sentence about a customer. A language
// that is not known is English. The tree should be one that condition.Parse takes;
// of another it writes as much as it understands.
func Say(n spec.Node, language string) string {
	w := &writer{}
	if language == German {
		w.lang = 1
	}
	w.condition(n, false)
	return w.String()
}

// Tell is Say for people: a kind of question that this package does not know is told by
// other, and so it is not sure to be read back.
func Tell(n spec.Node, language string, other func(spec.Node) string) string {
	w := &writer{other: other}
	if language == German {
		w.lang = 1
	}
	w.condition(n, false)
	return w.String()
}

// writer writes one sentence.
type writer struct {
	strings.Builder
	lang int // 0: English, 1: German

	other func(spec.Node) string // tells what has no words here; nil: it is written as JSON
}

func (w *writer) say(p phrase) { w.WriteString(words[p][w.lang]) }

func (w *writer) pick(en, de string) {
	if w.lang == 1 {
		en = de
	}
	w.WriteString(en)
}

// quote writes a name or a value.
func (w *writer) quote(s string) {
	w.WriteString("“" + strings.NewReplacer(`\`, `\\`, "”", `\”`).Replace(s) + "”")
}

// value writes a value: texts in quotes, numbers and bools as they are.
func (w *writer) value(n spec.Node) {
	switch {
	case n.Kind == spec.Text:
		w.quote(n.Text)
	case n.Scalar():
		w.WriteString(n.Text)
	default:
		w.WriteString(string(appendJSON(nil, n)))
	}
}

// condition writes a condition, a join of several in brackets if it stands inside
// another.
func (w *writer) condition(n spec.Node, inside bool) {
	switch head := headOf(n); head {
	case "all", "any":
		v, _ := n.Get(head)
		if len(v.Items) == 1 {
			w.condition(v.Items[0], inside)
			return
		}
		w.brackets(inside, func() {
			for i, item := range v.Items {
				if i > 0 && head == "all" {
					w.say(and)
				} else if i > 0 {
					w.say(or)
				}
				w.condition(item, true)
			}
		})
	case "not":
		v, _ := n.Get(head)
		w.say(notOpen)
		w.condition(v, false)
		w.WriteString(")")
	case "at_least":
		v, _ := n.Get(head)
		list, _ := n.Get("of")
		w.say(atLeastOf)
		w.WriteString(v.Text)
		w.say(of)
		for i, item := range list.Items {
			if i > 0 {
				w.WriteString("; ")
			}
			w.condition(item, true)
		}
		w.WriteString(")")
	case "dwell":
		v, _ := n.Get(head)
		when, _ := n.Get("when")
		w.say(dwellFor)
		w.duration(v.Text)
		w.say(without)
		w.condition(when, false)
		w.WriteString(")")
	default:
		if write := leaves[head]; write != nil {
			write(w, n)
			return
		}
		for i := range patterns {
			if _, is := n.Get(patterns[i].head); is && w.told(&patterns[i], n) {
				return
			}
		}
		if w.other != nil {
			if told := w.other(n); told != "" {
				w.WriteString(told)
				return
			}
		}
		w.say(asks)
		w.WriteString(string(appendJSON(nil, n)))
	}
}

func (w *writer) brackets(inside bool, write func()) {
	if inside {
		w.WriteString("(")
	}
	write()
	if inside {
		w.WriteString(")")
	}
}

// leaves write the questions that have no children.
var leaves map[string]func(*writer, spec.Node)

func init() {
	about := func(p phrase, head string) func(*writer, spec.Node) {
		return func(w *writer, n spec.Node) {
			v, _ := n.Get(head)
			w.say(p)
			w.quote(v.Text)
		}
	}
	compared := func(p phrase, head string) func(*writer, spec.Node) {
		return func(w *writer, n spec.Node) {
			about(p, head)(w, n)
			w.comparisons(n, head)
		}
	}
	leaves = map[string]func(*writer, spec.Node){
		"did":      func(w *writer, n spec.Node) { w.done(n, "did") },
		"did_not":  func(w *writer, n spec.Node) { w.done(n, "did_not") },
		"trait":    compared(theTrait, "trait"),
		"context":  compared(theLast, "context"),
		"property": compared(theTriggers, "property"),
		"prediction": func(w *writer, n spec.Node) {
			v, _ := n.Get("prediction")
			label, _ := condition.SayPrediction(v.Text)
			if condition.PredictionOf(label.EN) != v.Text { // it would not be read back
				label = condition.Words{EN: v.Text, DE: v.Text}
			}
			w.say(thePrediction)
			w.quote([...]string{label.EN, label.DE}[w.lang])
			w.comparisons(n, "prediction")
		},
		"rfm": func(w *writer, n spec.Node) {
			v, _ := n.Get("rfm")
			items := v.Items
			if v.Kind != spec.List {
				items = []spec.Node{v}
			}
			w.say(isByRFM)
			for i, item := range items {
				if i > 0 {
					w.say(orElse)
				}
				w.quote(item.Text)
			}
		},
		"segment":        about(isInSegment, "segment"),
		"not_in_segment": about(isNotInSegment, "not_in_segment"),
		"list":           about(onList, "list"),
		"reachable":      about(reachableBy, "reachable"),
		"consent": func(w *writer, n spec.Node) {
			about(agreedTo, "consent")(w, n)
			channel, _ := n.Get("channel")
			w.say(by)
			w.quote(channel.Text)
		},
		"random": func(w *writer, n spec.Node) {
			v, _ := n.Get("random")
			name, _ := v.Get("name")
			share, _ := v.Get("share")
			w.say(randomShare)
			w.WriteString(strings.TrimSpace(share.Text))
			w.say(called)
			w.quote(name.Text)
		},
		"clock":    (*writer).clock,
		"sequence": (*writer).sequence,
		"message":  (*writer).message,
		"object": func(w *writer, n spec.Node) {
			about(has, "object")(w, n)
			w.where(n)
			w.tail(n)
		},
	}
}

// comparisons writes what the thing that a question is about is compared with.
func (w *writer) comparisons(n spec.Node, head string) {
	first := true
	for _, f := range n.Fields {
		if f.Key != head {
			if !first {
				w.say(and2)
			}
			first = false
			w.compare(f.Key, f.Value)
		}
	}
}

// headOf returns which kind of question it is; local_time and weekday are one.
func headOf(n spec.Node) string {
	for _, f := range n.Fields {
		switch {
		case f.Key == "local_time" || f.Key == "weekday":
			return "clock"
		case leaves[f.Key] != nil:
			return f.Key
		}
		switch f.Key {
		case "all", "any", "not", "at_least", "dwell":
			return f.Key
		}
	}
	return ""
}

// events writes the names of events, done or not done.
func (w *writer) events(v spec.Node, not bool) {
	items := v.Items
	if v.Kind != spec.List {
		items = []spec.Node{v}
	}
	for i, item := range items {
		if i > 0 {
			w.say(orElse)
		}
		verb, known := verbs[item.Text]
		switch {
		case known && w.lang == 1:
			w.WriteString(verb[2])
		case known && not:
			w.WriteString(verb[1])
		case known:
			w.WriteString(verb[0])
		default:
			if w.lang == 0 && !not {
				w.WriteString("did ")
			} else if w.lang == 0 {
				w.WriteString("do ")
			}
			w.quote(item.Text)
		}
	}
}

func (w *writer) done(n spec.Node, head string) {
	v, _ := n.Get(head)
	if head == "did_not" {
		w.say(didNot)
	}
	w.events(v, head == "did_not")
	w.where(n)
	w.tail(n)
}

// shorthand is a comparison with a number written as one text.
var shorthand = regexp.MustCompile(`^(>=|<=|>|<) *(-?[0-9]+(?:\.[0-9]+)?)$`)

// where writes the filter on properties.
func (w *writer) where(n spec.Node) {
	v, there := n.Get("where")
	if !there {
		return
	}
	first := true
	one := func(path, op string, value spec.Node) {
		if first {
			w.say(where)
		} else {
			w.say(and)
		}
		first = false
		w.quote(path)
		w.compare(op, value)
	}
	for _, f := range v.Fields {
		switch {
		case f.Value.Kind == spec.List:
			one(f.Key, "in", f.Value)
		case f.Value.Kind == spec.Map:
			for _, op := range f.Value.Fields {
				one(f.Key, op.Key, op.Value)
			}
		default:
			op, value := "is", f.Value
			if parts := shorthand.FindStringSubmatch(value.Text); parts != nil && value.Kind == spec.Text {
				op, value = parts[1], spec.Node{Kind: spec.Number, Text: parts[2]}
			}
			one(f.Key, op, value)
		}
	}
}

// compare writes a comparison.
func (w *writer) compare(op string, v spec.Node) {
	key := op
	if op == "exists" {
		key += " " + v.Text
	}
	for _, c := range comparisons {
		if c.key == key {
			w.pick(c.en, c.de)
		}
	}
	switch op {
	case "exists":
	case "in", "not_in":
		for i, item := range v.Items {
			if i > 0 {
				w.WriteString(", ")
			}
			w.value(item)
		}
	case "within", "anniversary", "before", "after":
		w.quote(strings.TrimSpace(v.Text))
	case "contains", "starts_with", "ends_with":
		w.quote(v.Text)
	case ">", ">=", "<", "<=":
		w.WriteString(strings.TrimSpace(v.Text))
	default:
		w.value(v)
	}
}

// bound writes a comparison with a count or a sum.
func (w *writer) bound(text string) {
	text = strings.TrimSpace(text)
	if lo, hi, found := strings.Cut(text, " to "); found {
		w.WriteString(strings.TrimSpace(lo))
		w.pick(" to ", " bis ")
		w.WriteString(strings.TrimSpace(hi))
		return
	}
	number := strings.TrimLeft(text, "<>=!≥≤")
	op := strings.NewReplacer("≥", ">=", "≤", "<=", "==", "=").Replace(text[:len(text)-len(number)])
	for _, b := range bounds {
		if b.op == op || op == "" && b.op == "=" {
			w.pick(b.en, b.de)
			break
		}
	}
	w.WriteString(strings.TrimSpace(number))
}

// duration writes "14d" as 14 days.
func (w *writer) duration(text string) {
	text = strings.TrimSpace(text)
	for _, u := range units {
		if number, is := strings.CutSuffix(text, u.letter); is && number != "" {
			number = strings.TrimSpace(number)
			w.WriteString(number + " ")
			if number == "1" {
				w.pick(u.en, u.de)
			} else {
				w.pick(u.ens, u.des)
			}
			return
		}
	}
	w.WriteString(text)
}

// tail writes what is counted of events, and when.
func (w *writer) tail(n spec.Node) {
	for _, f := range n.Fields {
		name, arg := f.Key, ""
		if i := strings.IndexByte(f.Key, '('); i > 0 && strings.HasSuffix(f.Key, ")") {
			name, arg = strings.TrimSpace(f.Key[:i]), strings.TrimSpace(f.Key[i+1:len(f.Key)-1])
		}
		is, currency := f.Value.Text, ""
		if f.Value.Kind == spec.Map {
			property, _ := f.Value.Get("property")
			text, _ := f.Value.Get("is")
			money, _ := f.Value.Get("currency")
			if property.Text != "" {
				arg, is, currency = property.Text, text.Text, money.Text
			}
		}
		switch name {
		case "times":
			w.WriteString(", ")
			w.bound(is)
			w.say(times)
		case "sessions":
			w.say(inSessions)
			w.bound(is)
			w.say(sessionsWord)
		case "distinct":
			w.say(with)
			w.bound(is)
			w.say(different)
			w.quote(arg)
		case "sum":
			w.say(with)
			w.quote(arg)
			w.say(addingUp)
			w.bound(is)
			if currency != "" {
				w.say(inCurrency)
				w.quote(currency)
			}
		case "within":
			w.say(inLast)
			w.duration(f.Value.Text)
		case "between":
			if len(f.Value.Items) == 2 {
				w.say(from)
				w.quote(f.Value.Items[0].Text)
				w.say(until)
				w.quote(f.Value.Items[1].Text)
			}
		case "first", "last":
			w.instants(name, f.Value)
		}
	}
}

func (w *writer) instants(name string, v spec.Node) {
	for _, f := range v.Fields {
		if name == "first" {
			w.say(firstDone)
		} else {
			w.say(lastDone)
		}
		switch f.Key {
		case "within":
			w.say(doneWithin)
			w.duration(f.Value.Text)
		case "older_than":
			w.say(longerAgo)
			w.duration(f.Value.Text)
		case "before":
			w.say(doneBefore)
			w.quote(strings.TrimSpace(f.Value.Text))
		case "after":
			w.say(doneAfter)
			w.quote(strings.TrimSpace(f.Value.Text))
		}
	}
}

func (w *writer) sequence(n spec.Node) {
	v, _ := n.Get("sequence")
	w.say(inSequence)
	for i, item := range v.Items {
		names, did := item.Get("did")
		switch {
		case i > 0 && did:
			w.say(then)
		case i > 0:
			w.say(thenNot)
			names, _ = item.Get("did_not")
		}
		w.events(names, !did)
		w.where(item)
		if gap, there := item.Get("within"); there {
			w.say(withinAfter)
			w.duration(gap.Text)
		}
		if wait, there := item.Get("for"); there {
			w.say(sinceFor)
			w.duration(wait.Text)
		}
	}
	w.WriteString(")")
	if within, there := n.Get("within"); there {
		w.say(inLast)
		w.duration(within.Text)
	}
}

// parts are the keys that say which message, with their phrases.
var parts = []struct {
	key string
	is  phrase
}{{"journey", ofJourney}, {"campaign", ofCampaign}, {"service", ofService}, {"template", ofTemplate}, {"channel", onChannel}}

func (w *writer) message(n spec.Node) {
	v, _ := n.Get("message")
	w.say(message)
	w.WriteString(strings.TrimSpace(v.Text))
	for _, p := range parts {
		if name, there := n.Get(p.key); there {
			w.say(p.is)
			w.quote(name.Text)
		}
	}
	w.tail(n)
}

func (w *writer) clock(n spec.Node) {
	if v, there := n.Get("local_time"); there {
		from, _ := v.Get("from")
		to, _ := v.Get("to")
		w.say(clockBetween)
		w.WriteString(from.Text)
		w.say(clockTo)
		w.WriteString(to.Text)
		if _, also := n.Get("weekday"); also {
			w.say(onDays)
		}
	} else {
		w.say(clockOn)
	}
	v, there := n.Get("weekday")
	if !there {
		return
	}
	items := v.Items
	if v.Scalar() {
		items = []spec.Node{v}
	}
	for i, item := range items {
		if i > 0 {
			w.WriteString(", ")
		}
		at := slices.IndexFunc(days, func(d struct{ key, en, de string }) bool {
			return strings.EqualFold(d.key, item.Text) || strings.EqualFold(d.en, item.Text)
		})
		if at >= 0 {
			w.pick(days[at].en, days[at].de)
		}
	}
}
