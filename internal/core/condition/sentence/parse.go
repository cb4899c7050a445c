package sentence

import (
	"encoding/json"
	"strconv"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// Limits on a sentence: what condition.Parse takes at most, with room for words.
const (
	maxSentence = 256 << 10
	maxDepth    = 40
)

// Parse reads the English sentence of a condition back. What it cannot read is a
// fault of kind Invalid that says where. The tree that it returns need not be one that
// condition.Parse takes: a segment may not exist.
func Parse(s string) (n spec.Node, err error) {
	if len(s) > maxSentence {
		return n, fault.New(fault.TooLarge, "the sentence is longer than a condition can be")
	}
	r := &reader{all: s, rest: strings.TrimSpace(s)}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *fault.Error:
			n, err = spec.Node{}, p
		default:
			panic(p)
		}
	}()
	n = r.condition(0)
	if r.rest != "" {
		r.fail("nothing more")
	}
	return n, nil
}

// reader reads one sentence. It panics with a fault where it cannot go on, which
// Parse recovers: every step would else only hand the error on.
type reader struct {
	all, rest string
}

func (r *reader) fail(want string) {
	rest := r.rest
	if len(rest) > 40 {
		rest = strings.ToValidUTF8(rest[:40], "") + "…"
	}
	panic(fault.New(fault.Invalid, "at “"+rest+"” "+want+" is expected"))
}

func (r *reader) take(s string) bool {
	rest, ok := strings.CutPrefix(r.rest, s)
	if ok {
		r.rest = rest
	}
	return ok
}

func (r *reader) hear(p phrase) bool { return r.take(words[p][0]) }

func (r *reader) need(s string) {
	if !r.take(s) {
		r.fail("“" + strings.TrimSpace(s) + "”")
	}
}

func (r *reader) quoted() string {
	r.need("“")
	var b strings.Builder
	for {
		i := strings.IndexAny(r.rest, `\”`)
		if i < 0 {
			r.fail("the end of the quotation, ”,")
		}
		b.WriteString(r.rest[:i])
		r.rest = r.rest[i:]
		if r.take("”") {
			return b.String()
		}
		switch {
		case r.take(`\\`):
			b.WriteString(`\`)
		case r.take(`\”`):
			b.WriteString("”")
		default:
			r.fail(`\\ or \”`)
		}
	}
}

// word takes what stands before a space, a comma, a semicolon or a bracket.
func (r *reader) word() string {
	i := strings.IndexAny(r.rest, " ,;()")
	if i < 0 {
		i = len(r.rest)
	}
	w := r.rest[:i]
	if w == "" {
		r.fail("a word")
	}
	r.rest = r.rest[i:]
	return w
}

func (r *reader) value() spec.Node {
	if strings.HasPrefix(r.rest, "“") {
		return text(r.quoted())
	}
	switch w := r.word(); w {
	case "true", "false":
		return spec.Node{Kind: spec.Bool, Text: w}
	default:
		return spec.Node{Kind: spec.Number, Text: w}
	}
}

func text(s string) spec.Node                       { return spec.Node{Kind: spec.Text, Text: s} }
func list(items ...spec.Node) spec.Node             { return spec.Node{Kind: spec.List, Items: items} }
func field(key string, v spec.Node) spec.Field      { return spec.Field{Key: key, Value: v} }
func object(fields ...spec.Field) spec.Node         { return spec.Node{Kind: spec.Map, Fields: fields} }
func (r *reader) about(key string) spec.Node        { return object(field(key, text(r.quoted()))) }
func add(n *spec.Node, key string, v spec.Node)     { n.Fields = append(n.Fields, field(key, v)) }
func joined(key string, kids []spec.Node) spec.Node { return object(field(key, list(kids...))) }

// condition reads one condition, or several that are joined by one word.
func (r *reader) condition(depth int) spec.Node {
	if depth > maxDepth {
		r.fail("fewer brackets within brackets")
	}
	kids := []spec.Node{r.one(depth)}
	join := phrase(-1)
	for {
		next := join
		switch {
		case join < 0 && strings.HasPrefix(r.rest, words[and][0]):
			next = and
		case join < 0 && strings.HasPrefix(r.rest, words[or][0]):
			next = or
		}
		if next < 0 || !r.hear(next) {
			break
		}
		join = next
		kids = append(kids, r.one(depth))
	}
	switch join {
	case and:
		return joined("all", kids)
	case or:
		return joined("any", kids)
	}
	return kids[0]
}

func (r *reader) one(depth int) spec.Node {
	switch {
	case r.take("("):
		n := r.condition(depth + 1)
		r.need(")")
		return n
	case r.hear(notOpen):
		n := object(field("not", r.condition(depth+1)))
		r.need(")")
		return n
	case r.hear(atLeastOf):
		least := r.word()
		if !r.hear(of) {
			r.fail("“of (”")
		}
		kids := []spec.Node{r.condition(depth + 1)}
		for r.take("; ") {
			kids = append(kids, r.condition(depth+1))
		}
		r.need(")")
		return object(field("at_least", spec.Node{Kind: spec.Number, Text: least}), field("of", list(kids...)))
	case r.hear(dwellFor):
		d := r.duration()
		if !r.hear(without) {
			r.fail("“without a break (”")
		}
		n := object(field("dwell", d), field("when", r.condition(depth+1)))
		r.need(")")
		return n
	case r.hear(asks):
		return r.json()
	}
	return r.leaf()
}

func (r *reader) leaf() spec.Node {
	switch {
	case r.hear(inSequence):
		return r.sequence()
	case r.hear(theTrait):
		return r.compared("trait")
	case r.hear(theLast):
		return r.compared("context")
	case r.hear(theTriggers):
		return r.compared("property")
	case r.hear(thePrediction):
		n := r.compared("prediction")
		n.Fields[0].Value = text(condition.PredictionOf(n.Fields[0].Value.Text))
		return n
	case r.hear(isByRFM):
		names := []spec.Node{text(r.quoted())}
		for r.hear(orElse) {
			names = append(names, text(r.quoted()))
		}
		return object(field("rfm", list(names...)))
	case r.hear(isNotInSegment):
		return r.about("not_in_segment")
	case r.hear(isInSegment):
		return r.about("segment")
	case r.hear(onList):
		return r.about("list")
	case r.hear(reachableBy):
		return r.about("reachable")
	case r.hear(agreedTo):
		n := r.about("consent")
		if !r.hear(by) {
			r.fail("“by” and the channel")
		}
		add(&n, "channel", text(r.quoted()))
		return n
	case r.hear(randomShare):
		share := r.word()
		if !r.hear(called) {
			r.fail("“called” and a name")
		}
		return object(field("random", object(field("name", text(r.quoted())), field("share", text(share)))))
	case r.hear(clockBetween):
		from := r.word()
		if !r.hear(clockTo) {
			r.fail("“to” and a time")
		}
		n := object(field("local_time", object(field("from", text(from)), field("to", text(r.word())))))
		if r.hear(onDays) {
			add(&n, "weekday", r.days())
		}
		return n
	case r.hear(clockOn):
		return object(field("weekday", r.days()))
	case r.hear(has):
		n := r.about("object")
		r.where(&n)
		r.tail(&n)
		return n
	case r.hear(message):
		n := object(field("message", text(r.word())))
		for _, p := range parts {
			if r.hear(p.is) {
				add(&n, p.key, text(r.quoted()))
			}
		}
		r.tail(&n)
		return n
	}
	for i := range patterns {
		if n, told := r.told(&patterns[i]); told {
			return n
		}
	}
	head := "did"
	if r.hear(didNot) {
		head = "did_not"
	}
	n := object(field(head, r.events(head == "did_not")))
	r.where(&n)
	r.tail(&n)
	return n
}

// events reads the names of events.
func (r *reader) events(not bool) spec.Node {
	names := []spec.Node{r.event(not)}
	for r.hear(orElse) {
		names = append(names, r.event(not))
	}
	return list(names...)
}

func (r *reader) event(not bool) spec.Node {
	verb, nth := "did ", 0
	if not {
		verb, nth = "do ", 1
	}
	best := ""
	for name, v := range verbs { // order does not matter: the longest wins, and no two are the same
		if strings.HasPrefix(r.rest, v[nth]) && (best == "" || len(v[nth]) > len(verbs[best][nth])) {
			best = name
		}
	}
	switch {
	case best != "":
		r.need(verbs[best][nth])
		return text(best)
	case strings.HasPrefix(r.rest, verb+"“"):
		r.need(verb)
		return text(r.quoted())
	}
	r.fail("what was done")
	return spec.Node{}
}

// where reads the filter on properties.
func (r *reader) where(n *spec.Node) {
	if !r.hear(where) {
		return
	}
	w := object()
	for {
		path := r.quoted()
		op := r.comparison()
		i := 0
		for i < len(w.Fields) && w.Fields[i].Key != path {
			i++
		}
		if i == len(w.Fields) {
			add(&w, path, object())
		}
		w.Fields[i].Value.Fields = append(w.Fields[i].Value.Fields, op)
		if !strings.HasPrefix(r.rest, words[and][0]+"“") {
			break
		}
		r.hear(and)
	}
	add(n, "where", w)
}

func (r *reader) compared(head string) spec.Node {
	n := r.about(head)
	n.Fields = append(n.Fields, r.comparison())
	for r.hear(and2) {
		n.Fields = append(n.Fields, r.comparison())
	}
	return n
}

func (r *reader) comparison() spec.Field {
	for _, c := range comparisons {
		if !r.take(c.en) {
			continue
		}
		switch c.key {
		case "exists true", "exists false":
			return field("exists", spec.Node{Kind: spec.Bool, Text: strings.TrimPrefix(c.key, "exists ")})
		case "in", "not_in":
			items := []spec.Node{r.value()}
			for strings.HasPrefix(r.rest, ", ") && r.valueAhead() {
				r.need(", ")
				items = append(items, r.value())
			}
			return field(c.key, list(items...))
		case "within", "anniversary", "before", "after", "contains", "starts_with", "ends_with":
			return field(c.key, text(r.quoted()))
		case ">", ">=", "<", "<=":
			return field(c.key, spec.Node{Kind: spec.Number, Text: r.word()})
		}
		return field(c.key, r.value())
	}
	r.fail("a comparison")
	return spec.Field{}
}

// valueAhead reports whether behind the comma there is one more value of a list,
// and not what is counted of events.
func (r *reader) valueAhead() bool {
	rest := strings.TrimPrefix(r.rest, ", ")
	if strings.HasPrefix(rest, "“") {
		return true
	}
	i := strings.IndexAny(rest, " ,;()")
	if i < 0 {
		i = len(rest)
	}
	w := rest[:i]
	if w == "true" || w == "false" {
		return true
	}
	_, err := strconv.ParseFloat(w, 64)
	// "2 to 5 times" is no value.
	return err == nil && !strings.HasPrefix(rest[i:], " to ")
}

func (r *reader) bound() spec.Node {
	for _, b := range bounds {
		if r.take(b.en) {
			return text(b.op + " " + r.word())
		}
	}
	lo := r.word()
	r.need(" to ")
	return text(lo + " to " + r.word())
}

func (r *reader) duration() spec.Node {
	number := r.word()
	for _, u := range units {
		if r.take(" "+u.ens) || r.take(" "+u.en) {
			return text(number + u.letter)
		}
	}
	r.fail("a unit of time")
	return spec.Node{}
}

// tail reads what is counted of events, and when.
func (r *reader) tail(n *spec.Node) {
	for {
		switch {
		case r.hear(inLast):
			add(n, "within", r.duration())
		case r.hear(inSessions):
			add(n, "sessions", r.bound())
			if !r.hear(sessionsWord) {
				r.fail("“sessions”")
			}
		case r.hear(with):
			r.measure(n)
		case r.hear(from):
			a := r.quoted()
			if !r.hear(until) {
				r.fail("“until” and a date")
			}
			add(n, "between", list(text(a), text(r.quoted())))
		case r.hear(firstDone):
			r.instant(n, "first")
		case r.hear(lastDone):
			r.instant(n, "last")
		case strings.HasPrefix(r.rest, ", "):
			r.need(", ")
			b := r.bound()
			if !r.hear(times) {
				r.fail("“times”")
			}
			add(n, "times", b)
		default:
			return
		}
	}
}

// measure reads a sum, or a count of different values.
func (r *reader) measure(n *spec.Node) {
	if !strings.HasPrefix(r.rest, "“") {
		b := r.bound()
		if !r.hear(different) {
			r.fail("“different” and a property")
		}
		add(n, "distinct("+r.quoted()+")", b)
		return
	}
	property := r.quoted()
	if !r.hear(addingUp) {
		r.fail("“adding up to”")
	}
	b := r.bound()
	if r.hear(inCurrency) {
		add(n, "sum", object(field("property", text(property)), field("is", b), field("currency", text(r.quoted()))))
		return
	}
	add(n, "sum("+property+")", b)
}

func (r *reader) instant(n *spec.Node, key string) {
	var f spec.Field
	switch {
	case r.hear(doneWithin):
		f = field("within", r.duration())
	case r.hear(longerAgo):
		f = field("older_than", r.duration())
	case r.hear(doneBefore):
		f = field("before", text(r.quoted()))
	case r.hear(doneAfter):
		f = field("after", text(r.quoted()))
	default:
		r.fail("when")
	}
	for i := range n.Fields {
		if n.Fields[i].Key == key {
			n.Fields[i].Value.Fields = append(n.Fields[i].Value.Fields, f)
			return
		}
	}
	add(n, key, object(f))
}

func (r *reader) sequence() spec.Node {
	var steps []spec.Node
	for {
		head := "did"
		if len(steps) > 0 {
			switch {
			case r.hear(thenNot):
				head = "did_not"
			case !r.hear(then):
				r.need(")")
				n := object(field("sequence", list(steps...)))
				if r.hear(inLast) {
					add(&n, "within", r.duration())
				}
				return n
			}
		}
		step := object(field(head, r.events(head == "did_not")))
		r.where(&step)
		switch {
		case r.hear(withinAfter):
			add(&step, "within", r.duration())
		case r.hear(sinceFor):
			add(&step, "for", r.duration())
		}
		steps = append(steps, step)
	}
}

func (r *reader) days() spec.Node {
	var items []spec.Node
	for {
		found := false
		for _, d := range days {
			if r.take(d.en) {
				items, found = append(items, text(d.key)), true
				break
			}
		}
		if !found {
			r.fail("a day of the week")
		}
		if !r.take(", ") {
			return list(items...)
		}
	}
}

// json reads a tree written as JSON.
func (r *reader) json() spec.Node {
	d := json.NewDecoder(strings.NewReader(r.rest))
	d.UseNumber()
	n, err := decode(d, 0)
	if err != nil {
		r.fail("a question in JSON")
	}
	r.rest = r.rest[d.InputOffset():]
	return n
}

func decode(d *json.Decoder, depth int) (n spec.Node, err error) {
	token, err := d.Token()
	if err != nil || depth > maxDepth {
		return n, fault.New(fault.Invalid, "not JSON, or too deep")
	}
	switch v := token.(type) {
	case string:
		return text(v), nil
	case json.Number:
		return spec.Node{Kind: spec.Number, Text: v.String()}, nil
	case bool:
		return spec.Node{Kind: spec.Bool, Text: strconv.FormatBool(v)}, nil
	case json.Delim:
		n.Kind = spec.List
		if v == '{' {
			n.Kind = spec.Map
		}
		for d.More() {
			var f spec.Field
			if n.Kind == spec.Map {
				key, err := d.Token()
				if err != nil {
					return n, err
				}
				f.Key, _ = key.(string)
			}
			if f.Value, err = decode(d, depth+1); err != nil {
				return n, err
			}
			if n.Kind == spec.Map {
				n.Fields = append(n.Fields, f)
			} else {
				n.Items = append(n.Items, f.Value)
			}
		}
		_, err = d.Token()
	}
	return n, err
}
