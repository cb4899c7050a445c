package condition

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// Computed is a trait that nobody sends: it follows from what the customer did, and
// is right at every instant. A definition names it; conditions, messages and the
// page about a customer use it like any other trait.
type Computed struct {
	Name string
	Pos  spec.Pos

	q      *question
	of     computing
	window event.Time // zero: the whole history
	says   string     // "the sum of net"
}

// computing says what the number or word is made of.
type computing uint8

const (
	ofCount   computing = iota // how many events
	ofSum                      // of a property
	ofFirstAt                  // when it was first done
	ofLastAt                   // when it was last done
	ofTally                    // a word: see take
)

// MaxTraits bounds the computed traits of a program: each of them is kept for every
// customer who did what it asks for.
const MaxTraits = 200

// TraitSource is the definition of one computed trait: did, where, between, within
// and take.
type TraitSource struct {
	Name string
	Node spec.Node
}

// TraitKeys are the keys of a definition that [ParseTraits] reads.
var TraitKeys = []string{"did", "where", "between", "within", "take"}

// taking is one way to make a trait of events.
type taking struct {
	word  string
	needs bool // a property, in brackets
	of    computing
	take  take
	says  string
}

var takes = []taking{
	{"count", false, ofCount, 0, "how often the customer "},
	{"sum", true, ofSum, 0, "the sum of "},
	{"min", true, ofTally, takeMin, "the least "},
	{"max", true, ofTally, takeMax, "the greatest "},
	{"first", true, ofTally, takeFirst, "the first "},
	{"last", true, ofTally, takeLast, "the last "},
	{"most_frequent", true, ofTally, takeFrequent, "the most frequent "},
	{"unique", true, ofTally, takeUnique, "each different "},
	{"first_time", false, ofFirstAt, 0, "when the customer first "},
	{"last_time", false, ofLastAt, 0, "when the customer last "},
}

const takeExample = "take: most_frequent(category), or count, sum(net), min(price), max(price), first(category), last(category), unique(sku), first_time, last_time"

// ParseTraits compiles computed traits and makes their names known to the
// conditions that are parsed with env afterwards.
func ParseTraits(defs []TraitSource, env *Env, ps *spec.Problems) {
	if len(defs) > MaxTraits {
		ps.Add(defs[MaxTraits].Node.Pos, "", "there are %d computed traits; at most %d are taken", len(defs), MaxTraits)
		return
	}
	for _, def := range defs {
		if env.Trait(def.Name) != nil {
			ps.Add(def.Node.Pos, "", "there are two computed traits called %s", def.Name)
			continue
		}
		p := &parser{env: env, ps: ps}
		if t := p.computed(def); t != nil && !p.bad {
			env.traits = append(env.traits, t)
		}
	}
}

// Trait returns the computed trait of the name, nil if there is none.
func (e *Env) Trait(name string) *Computed {
	i := slices.IndexFunc(e.traits, func(t *Computed) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return e.traits[i]
}

// Traits returns the computed traits in the order of their definitions.
func (e *Env) Traits() []*Computed { return slices.Clone(e.traits) }

func (p *parser) computed(def TraitSource) *Computed {
	n := def.Node
	did, there := n.Get("did")
	if !there {
		p.fail(n.Pos, "did: Order Completed", "the trait %s does not say of which events it is made", def.Name)
		return nil
	}
	q := question{to: event.Never}
	if q.names = p.names(did); q.names == nil {
		return nil
	}
	if w, there := n.Get("where"); there {
		q.where = p.where(w)
	}
	if b, there := n.Get("between"); there {
		q.from, q.to = p.between(b)
	}
	t := &Computed{Name: def.Name, Pos: n.Pos}
	if w, there := n.Get("within"); there {
		t.window, _ = p.duration(w, "within")
	}
	how, _ := n.Get("take")
	word, property, _ := call(how.Text)
	if word == "" {
		word = strings.TrimSpace(how.Text)
	}
	i := slices.IndexFunc(takes, func(k taking) bool { return k.word == word })
	if i < 0 || takes[i].needs != (property != "") || !how.Scalar() {
		p.fail(how.Pos, takeExample, "take: %q does not say what to make of the events", how.Text)
		return nil
	}
	if p.bad {
		return nil
	}
	k := takes[i]
	t.of, t.says = k.of, k.says+sayName(property)
	q.keep, q.most = t.window, toldObs
	switch k.of {
	case ofCount:
		if t.window != 0 {
			q.most = MaxObs
		}
	case ofSum:
		q.sum, q.currency, q.most = property, p.currency(property), MaxObs
	case ofFirstAt, ofLastAt:
		if t.window != 0 {
			p.fail(n.Pos, "first_time or last_time without within", "when something was first or last done is asked of the whole history")
			return nil
		}
		q.most, q.newest = 1, k.of == ofLastAt
	case ofTally:
		q.tag, q.take, q.most = property, k.take, MaxMarks
		if k.take == takeMin || k.take == takeMax {
			q.currency = p.currency(property)
		}
		if t.window == 0 {
			q.keep, q.ever = event.Never, true
		}
	}
	t.q = p.env.Set.add(q)
	return t
}

// currency returns the currency in which a property is added up: pieces are pieces.
func (p *parser) currency(property string) money.Currency {
	if property == propUnits || property == "quantity" || strings.HasSuffix(property, ".quantity") {
		return anyCurrency
	}
	return p.env.Currency
}

// Sentence returns what the trait is, in English: "the most frequent category of:
// viewed a product, in the last 90 days".
func (t *Computed) Sentence() string {
	s := t.says
	if t.of == ofTally || t.of == ofSum {
		s += " of those where the customer "
	}
	return s + t.q.verb(false) + t.q.span() + inLast(t.window)
}

// Value returns the trait as of now, and whether there is one. Several values are a
// list, in the order of their texts.
func (t *Computed) Value(p *profile.Profile, now event.Time) (event.Value, bool) {
	switch t.of {
	case ofTally:
		in, _ := marksIn(p.TallyOf(t.q.key), t.window, now)
		if t.q.take == takeUnique {
			return uniqueOf(in)
		}
		s := tallySum{take: t.q.take}
		for i := len(in) - 1; i >= 0; i-- {
			s.add(t.q, in, i)
		}
		return s.best, s.n > 0
	case ofFirstAt, ofLastAt:
		seen := seenNode{q: t.q, last: t.of == ofLastAt}
		at, _ := seen.instant(Context{P: p, Now: now})
		return event.Text(at.String()), at != 0
	}
	n, _ := t.number(p, now)
	if t.of == ofSum {
		return event.Value{Kind: event.Number, Raw: strings.TrimSuffix(money.Micros(n).String(), ".00")}, true
	}
	return event.Int(n), true
}

// number returns a count, or a sum in millionths, and the instant of the next
// observation that does not count yet.
func (t *Computed) number(p *profile.Profile, now event.Time) (int64, event.Time) {
	s := p.SeriesOf(t.q.key)
	if s == nil {
		return 0, event.Never
	}
	m := byCount
	if t.of == ofSum {
		m = bySum
	}
	all := didNode{q: t.q, metric: m, window: t.window, bound: bound{min: minBound, max: maxBound - 1}}
	r := all.read(s, now)
	next := event.Never
	if end := newestPast(s.Obs, now) + 1; end < len(s.Obs) {
		next = s.Obs[end].At
	}
	return r.n, next
}

func uniqueOf(in []profile.Found) (event.Value, bool) {
	if len(in) == 0 {
		return event.Value{}, false
	}
	values := make([]event.Value, len(in))
	for i := range in {
		values[i] = in[i].Value
	}
	slices.SortFunc(values, func(a, b event.Value) int {
		if c := strings.Compare(a.Raw, b.Raw); c != 0 {
			return c
		}
		return int(a.Kind) - int(b.Kind)
	})
	return event.ListOf(slices.Compact(values)...), true
}

// computedNode compares a computed trait.
type computedNode struct {
	t *Computed
	match
	text string
}

func (n *computedNode) eval(c Context) (bool, event.Time) {
	switch n.t.of {
	case ofTally:
		return n.tally(c)
	case ofCount, ofSum:
		return n.amount(c)
	}
	v, ok := n.t.Value(c.P, c.Now)
	_, next := (&seenNode{q: n.t.q, last: n.t.of == ofLastAt}).instant(c)
	if n.op == opBefore || n.op == opAfter {
		return n.holds(v, ok, c.zone()), next
	}
	return n.holds(v, ok, nil), next
}

// turn remembers, while one looks at ever more of a window from its newest end, at
// which of the places where it may begin later the answer is which.
type turn struct{ yes, no event.Time } // earliest instant at which the window leaves the answer so

func newTurn() turn { return turn{event.Never, event.Never} }

// at notes the answer from the instant on. Instants come from the latest back.
func (t *turn) at(is bool, from event.Time) {
	if is {
		t.yes = from
	} else {
		t.no = from
	}
}

// away returns when an answer turns.
func (t *turn) away(is bool) event.Time {
	if is {
		return t.no
	}
	return t.yes
}

// tally answers for words: every beginning that the window will have is tried, from
// the newest mark back.
func (n *computedNode) tally(c Context) (bool, event.Time) {
	in, next := marksIn(c.P.TallyOf(n.t.q.key), n.t.window, c.Now)
	s, turns := tallySum{take: n.t.q.take}, newTurn()
	var zone *time.Location // only dates need it
	if n.op == opBefore || n.op == opAfter {
		zone = c.zone()
	}
	unique := n.t.q.take == takeUnique
	is, one := n.holds(event.Value{}, false, zone), false
	for i := len(in) - 1; i >= -1; i-- {
		if n.t.window != 0 && len(in) > 0 && (i == len(in)-1 || i >= 0 && in[i].At != in[i+1].At) {
			// What is newer than in[i] is left once in[i] has gone.
			turns.at(is, plus(in[i].At, n.t.window))
		}
		if i < 0 {
			break
		}
		if unique {
			one = one || n.one(in[i].Value, zone)
			is = one != n.not
			continue
		}
		s.add(n.t.q, in, i)
		is = n.holds(s.best, true, zone)
	}
	return is, min(next, turns.away(is))
}

// amount answers for numbers in the same way.
func (n *computedNode) amount(c Context) (bool, event.Time) {
	total, next := n.t.number(c.P, c.Now)
	is := n.number(total)
	s := c.P.SeriesOf(n.t.q.key)
	if n.t.window == 0 || s == nil {
		return is, next
	}
	past := s.Obs[:newestPast(s.Obs, c.Now)+1]
	past = past[after(past, c.Now-n.t.window):]
	for i := range past {
		if n.t.of == ofSum {
			total = int64(addMoney(money.Micros(total), -past[i].Value))
		} else {
			total--
		}
		if i+1 < len(past) && past[i+1].At == past[i].At {
			continue
		}
		if n.number(total) != is {
			return is, min(next, plus(past[i].At, n.t.window))
		}
	}
	return is, next
}

// number compares without making a text of the number, but where texts are asked for.
func (n *computedNode) number(total int64) bool {
	f := float64(total)
	if n.t.of == ofSum {
		f /= float64(money.One)
	}
	switch n.op {
	case opExists:
		return !n.not
	case opMore:
		return f > n.num
	case opAtLeast:
		return f >= n.num
	case opLess:
		return f < n.num
	case opAtMost:
		return f <= n.num
	case opIn:
		is := false
		for i := range n.lits {
			is = is || n.lits[i].kind == event.Number && n.lits[i].num == f
		}
		return is != n.not
	}
	return n.holds(event.Num(f), true, nil)
}

func (n *computedNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, n.t.reason(c, is, n.words(!is)))
}

func (t *Computed) reason(c Context, is bool, what string) Reason {
	r := Reason{Kind: "trait", Holds: is, What: what, Name: t.Name}
	if v, ok := t.Value(c.P, c.Now); ok {
		r.Value = clip(v.String())
	}
	return r
}

func (t *Computed) mention(d *Deps, zone bool) {
	d.Events = append(d.Events, t.q.names...)
	d.Series = append(d.Series, t.q.number)
	d.Zone = d.Zone || zone
}

func (n *computedNode) mention(d *Deps) { n.t.mention(d, n.op == opBefore || n.op == opAfter) }

func (n *computedNode) words(not bool) string {
	if not {
		return "it is not so that " + sayName(n.t.Name) + " " + n.text
	}
	return sayName(n.t.Name) + " " + n.text
}

func (n *computedNode) canon(b *strings.Builder) {
	b.WriteString("computed " + n.t.canon() + " " + n.match.canon())
}

func (t *Computed) canon() string {
	return strconv.FormatUint(t.q.key, 16) + " " + strconv.Itoa(int(t.of)) + " " + strconv.FormatInt(int64(t.window), 10)
}

// computedDateNode asks how far an instant that follows from events is from now, or
// a date that events brought.
type computedDateNode struct {
	t      *Computed
	rel    *relative    // or
	yearly *anniversary // one of the two
	text   string
}

func (n *computedDateNode) eval(c Context) (bool, event.Time) {
	v, ok := n.t.Value(c.P, c.Now)
	next := n.t.changes(c)
	if !ok {
		return false, next
	}
	if n.rel != nil {
		at, ok := instantOf(v, c.zone())
		if !ok {
			return false, next
		}
		is, until := n.rel.at(at, c.Now)
		return is, min(until, next)
	}
	m, d, ok := monthDay(v, c.zone())
	if !ok {
		return false, next
	}
	is, until := n.yearly.at(m, d, c.Now, c.zone())
	return is, min(until, next)
}

// changes returns a lower bound on when the value changes by itself.
func (t *Computed) changes(c Context) event.Time {
	if t.of == ofFirstAt || t.of == ofLastAt {
		_, next := (&seenNode{q: t.q, last: t.of == ofLastAt}).instant(c)
		return next
	}
	if t.of != ofTally {
		return c.Now + 1 // unreachable: numbers are no dates, and parse says so
	}
	in, next := marksIn(c.P.TallyOf(t.q.key), t.window, c.Now)
	if t.window != 0 && len(in) > 0 {
		next = min(next, plus(in[0].At, t.window))
	}
	return next
}

func (n *computedDateNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, n.t.reason(c, is, n.words(!is)))
}

func (n *computedDateNode) mention(d *Deps)       { n.t.mention(d, true) }
func (n *computedDateNode) words(not bool) string { return dateWords(n.t.Name, n.text, not) }

func (n *computedDateNode) canon(b *strings.Builder) {
	b.WriteString("computed date " + n.t.canon())
	if n.rel != nil {
		b.WriteString(" " + strconv.FormatInt(int64(n.rel.from), 10) + " " + strconv.FormatInt(int64(n.rel.upto), 10))
		return
	}
	b.WriteString(" yearly " + strconv.Itoa(n.yearly.before) + " " + strconv.Itoa(n.yearly.until))
}

// computedTrait parses a comparison with a computed trait.
func (p *parser) computedTrait(t *Computed, op string, v spec.Node) node {
	switch op {
	case "within", "anniversary":
		if t.of == ofCount || t.of == ofSum || t.q.take == takeUnique {
			return p.fail(v.Pos, "", "%s is a number or a list, not a date", t.Name)
		}
		if op == "within" {
			rel, ok := p.relative(v)
			if !ok {
				return nil
			}
			return &computedDateNode{t: t, rel: &rel, text: rel.text}
		}
		a, ok := p.anniversary(v)
		if !ok {
			return nil
		}
		return &computedDateNode{t: t, yearly: &a, text: a.text}
	}
	m, ok := p.match(op, v)
	if !ok {
		return nil
	}
	return &computedNode{t, m, m.words()}
}
