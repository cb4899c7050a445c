package condition

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Account says what a customer's score is made of.
type Account struct {
	Level profile.Level
	Tier  string
	Parts []PartAccount // its own points, then the scores that it sums up
}

// PartAccount is one score's own points, as they count in an [Account].
type PartAccount struct {
	Score   string
	Level   profile.Level // within all bounds
	Rules   []RuleAccount
	Entries []Entry // the events that gave points, the newest last
}

// RuleAccount is one rule with what it gives now.
type RuleAccount struct {
	What   string // as the predicate of a sentence: "viewed a product where category is shoes"
	Gives  profile.Points
	Events int           // of a rule that events fulfil: how many gave points that stand
	Holds  bool          // of a condition: whether it is so
	Level  profile.Level // what that is worth now
}

// Entry is one event that gave points.
type Entry struct {
	Event *event.Event
	Rule  int // in Rules
	Then  profile.Points
	Now   profile.Level
	Back  profile.Points // how many of them were taken back
	Taken bool           // all of them were
}

// Explain plays the history through the rules again, in the order in which it was
// heard, and says what each event gave and what that is worth at c.Now. The customer
// is asked for everything that is no event.
func (s *Score) Explain(c *Context, history iter.Seq[*event.Event]) Account {
	l := s.Level(c)
	a := Account{Level: l, Tier: s.Tier(l)}
	for i := range s.parts {
		a.Parts = append(a.Parts, s.parts[i].explain(*c, history))
	}
	return a
}

func (p *part) explain(c Context, history iter.Seq[*event.Event]) PartAccount {
	level, _ := p.level(c)
	a := PartAccount{Score: p.name, Level: level}
	if p.ledger != nil {
		p.ledger.explain(c, history, &a)
	}
	for i := range p.states {
		st := &p.states[i]
		is, _ := st.cond.root.eval(c)
		r := RuleAccount{What: st.cond.Sentence(), Gives: st.give, Holds: is}
		if is {
			r.Level = st.give.Level()
		}
		a.Rules = append(a.Rules, r)
	}
	return a
}

func (l *ledger) explain(c Context, history iter.Seq[*event.Event], a *PartAccount) {
	for i := range l.rules {
		a.Rules = append(a.Rules, RuleAccount{What: l.rules[i].words(), Gives: l.rules[i].give})
	}
	names := l.names()
	refs := map[int]uint64{} // of entries that can be taken back
	var session profile.Session
	var s *profile.Score
	for e := range history {
		session = Visit(session, e)
		if _, listens := slices.BinarySearch(names, e.Name); !listens || mechanical(e) {
			continue
		}
		s = l.apply(s, e, orderOf(e), session, c.Now, func(m move) {
			if !m.back {
				if m.ref != 0 {
					refs[len(a.Entries)] = m.ref
				}
				a.Entries = append(a.Entries, Entry{Event: e, Rule: m.rule, Then: m.points})
				return
			}
			a.takeBack(refs, m)
		})
	}
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.Taken || e.Event.At > c.Now {
			continue
		}
		e.Now = profile.Sum(nil).Plus(e.Event.At, l.half, e.Then-e.Back).At(c.Now, l.half)
		a.Rules[e.Rule].Events++
		a.Rules[e.Rule].Level += e.Now
	}
}

// takeBack notes what a move took of the entries of the same thing: of those that
// happened first before later ones, as the ledger does.
func (a *PartAccount) takeBack(refs map[int]uint64, m move) {
	var of []int
	for i := range a.Entries {
		if a.Entries[i].Rule == m.rule && refs[i] != 0 && refs[i] == m.ref {
			of = append(of, i)
		}
	}
	slices.SortStableFunc(of, func(i, j int) int { return cmp.Compare(a.Entries[i].Event.At, a.Entries[j].Event.At) })
	left := max(m.points, -m.points)
	for _, i := range of {
		e := &a.Entries[i]
		less := e.Then - e.Back
		if m.points != 0 {
			less = max(-left, min(left, less))
		}
		left -= max(less, -less)
		e.Back += less
		e.Taken = e.Back == e.Then
	}
}

// words returns what the rule is about, as the predicate of a sentence.
func (r *rule) words() string {
	s := r.q.verb(false)
	switch r.per {
	case perSession:
		s += ", once a visit"
	case perDay:
		s += ", once a day"
	case perCustomer:
		s += ", once"
	}
	if r.each > 0 {
		s += ", for each " + strings.TrimSuffix(r.each.String(), ".00") + " of " + sayName(r.q.sum)
	}
	say := func(p profile.Points) string { return strconv.FormatFloat(p.Level().Float(), 'f', -1, 64) }
	if r.daily > 0 {
		s += ", at most " + say(r.daily) + " a day"
	}
	if r.ever > 0 {
		s += ", at most " + say(r.ever) + " in all"
	}
	return s
}

// Half returns the half-life of the score's own points in words; empty if they do
// not fade.
func (s *Score) Half() string {
	for i := range s.parts {
		if l := s.parts[i].ledger; l != nil && s.parts[i].name == s.Name && l.half > 0 {
			return sayHalf(l.half)
		}
	}
	return ""
}

// Canonical returns the score in one way of writing: two with the same text are
// worth the same, and have the same tiers.
func (s *Score) Canonical() string {
	b := strings.Builder{}
	limits := func(l bounds) {
		b.WriteString(" [" + strconv.FormatInt(int64(l.least), 10) + " " + strconv.FormatInt(int64(l.most), 10) + "]")
	}
	limits(s.bounds)
	for i := range s.parts {
		p := &s.parts[i]
		b.WriteString("\npart " + p.name)
		limits(p.own)
		limits(p.bounds)
		if p.ledger != nil {
			b.WriteString("\n" + p.ledger.canon())
		}
		for j := range p.states {
			b.WriteString("\nstate " + strconv.FormatInt(int64(p.states[j].give), 10) + " ")
			p.states[j].cond.root.canon(&b)
		}
	}
	for _, t := range s.Tiers {
		b.WriteString("\ntier " + strconv.Quote(t.Name) + " " + strconv.FormatInt(int64(t.From), 10))
	}
	return b.String()
}
