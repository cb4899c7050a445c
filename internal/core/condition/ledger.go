package condition

import (
	"math/bits"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// ledger is the part of a score that events give points to. It is a question of
// the [Set] like a series: made again from the history where its rules change.
type ledger struct {
	name   string // of the score
	half   int64  // in seconds; zero: points do not fade
	rules  []rule
	daily  profile.Points // all rules together give no more on one day; zero: no bound
	zone   *time.Location // whose days
	key    uint64
	number int // in the Set
}

// rule says for which events a score gives points.
type rule struct {
	q     question // names and where
	give  profile.Points
	per   per
	daily profile.Points // no more on one day; zero: no bound
	ever  profile.Points // no more of all time; zero: no bound

	each money.Micros // give is for each so much of q.sum, and back takes its share by the same; zero: for each event

	back *question // what takes the points back; nil: nothing does
	by   string    // the property by which both know each other
}

// per is how often a rule gives.
type per uint8

const (
	perEvent per = iota
	perSession
	perDay
	perCustomer
)

// perWords are how definitions write it.
var perWords = map[string]per{"event": perEvent, "session": perSession, "day": perDay, "customer": perCustomer}

// marksKept bounds the sessions, days and things that one rule remembers. Of days
// and sessions the newest are kept, and an event of an older one gives nothing: it
// cannot be said any more whether its share was given.
const marksKept = 32

// wholeScore is the rule of marks that all rules share.
const wholeScore = -1

// canon returns the rules as text: the name of the score's state is a hash of it.
func (l *ledger) canon() string {
	b := strconv.AppendQuote([]byte("score "), l.name)
	b = strconv.AppendInt(append(b, " half "...), l.half, 10)
	b = strconv.AppendInt(append(b, " daily "...), int64(l.daily), 10)
	b = append(append(b, " zone "...), l.zone.String()...)
	for i := range l.rules {
		r := &l.rules[i]
		b = append(append(b, "\nrule "...), r.q.canon()...)
		for _, n := range []int64{int64(r.give), int64(r.per), int64(r.daily), int64(r.ever)} {
			b = strconv.AppendInt(append(b, ' '), n, 10)
		}
		if r.each != 0 {
			b = strconv.AppendInt(append(strconv.AppendQuote(append(b, " of "...), r.q.sum), " each "...), int64(r.each), 10)
		}
		if r.back != nil {
			b = strconv.AppendQuote(append(append(b, " back "...), r.back.canon()...), r.by)
		}
	}
	return string(b)
}

// names returns the names of all events that the ledger listens to.
func (l *ledger) names() (names []string) {
	for i := range l.rules {
		names = append(names, l.rules[i].q.names...)
		if l.rules[i].back != nil {
			names = append(names, l.rules[i].back.names...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// hear gives the points of an event to p, the caller's own copy, and reports
// whether there were any.
func (l *ledger) hear(p *profile.Profile, e *event.Event, order *event.Order, session profile.Session, now event.Time) bool {
	if mechanical(e) {
		return false
	}
	old := p.ScoreOf(l.key)
	s := l.apply(old, e, order, session, now, nil)
	if s == old {
		return false
	}
	p.Scores = place(p.Scores, s, func(s *profile.Score) uint64 { return s.Key })
	return true
}

// apply returns the state after an event. Told, which may be nil, is called with
// what each rule gave and what was taken back.
func (l *ledger) apply(s *profile.Score, e *event.Event, order *event.Order, session profile.Session, now event.Time, told func(move)) *profile.Score {
	d := draft{s: s, old: s}
	for i := range l.rules {
		r := &l.rules[i]
		if r.q.about(e, order) {
			if given := l.give(&d, i, e, order, session, now); given != 0 && told != nil {
				told(move{rule: i, at: e.At, points: given, ref: r.refOf(e, order)})
			}
		}
		if r.back != nil && r.back.about(e, order) {
			l.takeBack(&d, i, e, order, now)
			if told != nil {
				told(move{rule: i, at: e.At, points: r.shareOf(r.back, e, order), ref: r.refOf(e, order), back: true})
			}
		}
	}
	return d.s
}

// draft is the state while an event is brought into it: copied at the first change,
// once however many rules the event fulfils.
type draft struct{ s, old *profile.Score }

// own returns the state to change, with marks that may be changed in place.
func (d *draft) own(l *ledger) *profile.Score {
	if d.s != d.old {
		return d.s
	}
	const room = 4 // marks that one event may add, nearly always
	own := &profile.Score{Key: l.key, Half: l.half}
	if d.old != nil {
		*own = *d.old
		own.Marks = append(make([]profile.Mark, 0, len(d.old.Marks)+room), d.old.Marks...)
	}
	d.s = own
	return own
}

// move is what one rule did with an event.
type move struct {
	rule   int
	at     event.Time
	points profile.Points
	ref    uint64 // what can be taken back, or was
	back   bool
}

func (r *rule) refOf(e *event.Event, order *event.Order) uint64 {
	if r.back == nil {
		return 0
	}
	return refOf(e, order, r.by)
}

// place puts one state among those of its kind, which are by key, in a new list.
func place[T any](list []T, one T, key func(T) uint64) []T {
	i, found := slices.BinarySearchFunc(list, key(one), func(o T, k uint64) int {
		switch {
		case key(o) < k:
			return -1
		case key(o) > k:
			return 1
		}
		return 0
	})
	grown := make([]T, 0, len(list)+1)
	grown = append(append(grown, list[:i]...), one)
	if found {
		i++
	}
	return append(grown, list[i:]...)
}

// mechanical reports whether a machine did it: what a mail scanner opens says
// nothing about a customer.
func mechanical(e *event.Event) bool { return e.Props.Text("actor") == "machine" }

// about reports whether the event is one of the names of the question and fits.
func (q *question) about(e *event.Event, order *event.Order) bool {
	return slices.Contains(q.names, e.Name) && q.asks(e, order)
}

// give gives the points of one rule, as far as its bounds allow, and says how many.
func (l *ledger) give(d *draft, n int, e *event.Event, order *event.Order, session profile.Session, now event.Time) profile.Points {
	r, s := &l.rules[n], d.s
	points := r.give
	if r.each != 0 {
		points = r.shareOf(&r.q, e, order)
	}
	var few [4]profile.Mark // what is to be noted; nothing is if nothing is given
	notes := few[:0]
	note := func(rule int, kind profile.MarkKind, slot uint64, most profile.Points) {
		if points == 0 {
			return
		}
		given, known := markOf(s, int32(rule), kind, slot)
		switch {
		case !known:
			points = 0
		case most == 0: // once in the slot
			if given.Points != 0 {
				points = 0
			}
		default:
			points = min(points, max(0, most-given.Points))
		}
		notes = append(notes, given)
	}
	today := uint64(dayNumber(e.At, l.zone))
	switch r.per {
	case perSession:
		note(n, profile.MarkSession, sessionTag(session, e.At), 0)
	case perDay:
		note(n, profile.MarkDay, today, 0)
	case perCustomer:
		note(n, profile.MarkEver, 0, 0)
	}
	if r.daily > 0 && r.per != perDay {
		note(n, profile.MarkDay, today, r.daily)
	}
	if r.ever > 0 && r.per != perCustomer {
		note(n, profile.MarkEver, 0, r.ever)
	}
	if l.daily > 0 && r.give > 0 {
		note(wholeScore, profile.MarkDay, today, l.daily)
	}
	ref := r.refOf(e, order)
	var owed profile.Mark // what takes it back was heard first
	if ref != 0 {
		if owed, _ = markOf(s, int32(n), profile.MarkTaken, ref); owed.At != 0 && r.each == 0 {
			points = 0
		}
	}
	if points == 0 {
		return 0
	}
	s = d.own(l)
	for i := range notes {
		notes[i].Points += points
		s.Marks = setMark(s.Marks, notes[i])
	}
	if owed.At != 0 {
		less := min(owed.Points, max(points, -points))
		if owed.Points != everything {
			owed.Points -= less
			s.Marks = setMark(s.Marks, owed)
		}
		if points < 0 {
			less = -less
		}
		if points -= less; points == 0 {
			return 0
		}
	}
	if ref != 0 {
		given := profile.Mark{Rule: int32(n), Kind: profile.MarkGiven, Slot: ref, At: e.At, Points: points}
		if i, again := slices.BinarySearchFunc(s.Marks, given, profile.CompareMark); again {
			given.Points += s.Marks[i].Points
		}
		s.Marks = setMark(s.Marks, given)
	}
	s.Give(e.At, points, now)
	return points
}

// takeBack takes back what a rule gave for the thing that the event names.
func (l *ledger) takeBack(d *draft, n int, e *event.Event, order *event.Order, now event.Time) {
	r := &l.rules[n]
	ref := refOf(e, order, r.by)
	if ref == 0 {
		return
	}
	if r.each != 0 {
		l.takeShare(d, n, ref, e.At, r.shareOf(r.back, e, order), now)
		return
	}
	if taken, _ := markOf(d.s, int32(n), profile.MarkTaken, ref); taken.At != 0 {
		return
	}
	s := d.own(l)
	s.Marks = setMark(s.Marks, profile.Mark{Rule: int32(n), Kind: profile.MarkTaken, Slot: ref, At: e.At})
	first, last := run(s.Marks, int32(n), profile.MarkGiven)
	for _, m := range s.Marks[first:last] {
		if m.Slot == ref {
			s.Take(m.At, m.Points, now)
		}
	}
	s.Marks = slices.DeleteFunc(s.Marks, func(m profile.Mark) bool {
		return m.Rule == int32(n) && m.Kind == profile.MarkGiven && m.Slot == ref
	})
}

// everything is the share that is taken where it is not said how much came back.
const everything = profile.MaxPoints

// shareOf returns the points for the amount that an event names: give for each so
// much of it, to the millionth of a point and towards zero, whatever sign the amount
// has. Zero if it names none.
func (r *rule) shareOf(q *question, e *event.Event, order *event.Order) profile.Points {
	if r.each == 0 {
		return 0
	}
	amount, give := q.value(e, order), r.give
	hi, lo := bits.Mul64(uint64(max(amount, -amount)), uint64(max(give, -give)))
	points := profile.MaxPoints
	if hi < uint64(r.each) {
		if share, _ := bits.Div64(hi, lo, uint64(r.each)); share < uint64(points) {
			points = profile.Points(share)
		}
	}
	if give < 0 {
		return -points
	}
	return points
}

// takeShare takes a share of what a rule gave for a thing, of what it gave first
// before what it gave later, and at most that. What is left of the share is taken of
// what the thing brings yet, so that the order in which both are heard changes nothing.
func (l *ledger) takeShare(d *draft, n int, ref uint64, at event.Time, share profile.Points, now event.Time) {
	left := max(share, -share)
	if left == 0 {
		left = everything
	}
	all := left == everything
	s := d.own(l)
	first, last := run(s.Marks, int32(n), profile.MarkGiven)
	for i := first; i < last; i++ {
		m := &s.Marks[i]
		if m.Slot != ref {
			continue
		}
		less := min(left, max(m.Points, -m.Points))
		if left -= less; m.Points < 0 {
			less = -less
		}
		s.Take(m.At, less, now)
		m.Points -= less
	}
	s.Marks = slices.DeleteFunc(s.Marks, func(m profile.Mark) bool {
		return m.Rule == int32(n) && m.Kind == profile.MarkGiven && m.Slot == ref && m.Points == 0
	})
	if all {
		left = everything
	}
	if left == 0 {
		return
	}
	owed, _ := markOf(s, int32(n), profile.MarkTaken, ref)
	owed.At, owed.Points = at, min(everything, owed.Points+left)
	s.Marks = setMark(s.Marks, owed)
}

// refOf returns a hash of what the event names at the path; zero if it names
// nothing.
func refOf(e *event.Event, order *event.Order, path string) uint64 {
	if v, ok := pseudo(path, order); ok {
		return tagOf(wire.Hash(v.String()))
	}
	if v, ok := e.Props.Get(path); ok && v.Kind != event.Null {
		return tagOf(wire.Hash(v.String()))
	}
	return 0
}

// markOf returns the mark of a slot, an empty one if there is none. It reports false
// if the slot is older than all that are remembered, so that nobody knows.
func markOf(s *profile.Score, rule int32, kind profile.MarkKind, slot uint64) (profile.Mark, bool) {
	m := profile.Mark{Rule: rule, Kind: kind, Slot: slot}
	if s == nil {
		return m, true
	}
	i, found := slices.BinarySearchFunc(s.Marks, m, profile.CompareMark)
	if found {
		return s.Marks[i], true
	}
	if kind != profile.MarkDay && kind != profile.MarkSession {
		return m, true
	}
	first, last := run(s.Marks, rule, kind)
	return m, last-first < marksKept || slot > s.Marks[first].Slot
}

// run returns where the marks of a rule and kind stand.
func run(marks []profile.Mark, rule int32, kind profile.MarkKind) (first, last int) {
	first, _ = slices.BinarySearchFunc(marks, profile.Mark{Rule: rule, Kind: kind}, profile.CompareMark)
	for last = first; last < len(marks) && marks[last].Rule == rule && marks[last].Kind == kind; last++ {
	}
	return first, last
}

// setMark puts a mark into its place of a list that is the caller's own. If its rule
// has more of the kind than are kept, the oldest goes: of days and sessions by their
// number, of things by when they were given.
func setMark(marks []profile.Mark, m profile.Mark) []profile.Mark {
	i, found := slices.BinarySearchFunc(marks, m, profile.CompareMark)
	if found {
		marks[i] = m
		return marks
	}
	marks = slices.Insert(marks, i, m)
	first, last := run(marks, m.Rule, m.Kind)
	if last-first <= marksKept {
		return marks
	}
	oldest := first
	if m.Kind == profile.MarkGiven || m.Kind == profile.MarkTaken {
		for j := first; j < last; j++ {
			if marks[j].At < marks[oldest].At {
				oldest = j
			}
		}
	}
	return slices.Delete(marks, oldest, oldest+1)
}

// dayNumber numbers the days of a zone.
func dayNumber(at event.Time, loc *time.Location) int64 {
	y, m, d := at.In(loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}
