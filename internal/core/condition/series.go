package condition

import (
	"slices"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// MaxObs bounds the observations that one series of one profile keeps; the
// oldest go first. It is a month's events of a profile that is not yet hot (see
// profile.HotAfter), so no shopper's window is ever cut short.
const MaxObs = 20_000

// question is what one series asks of events, and how much of the answer it
// must keep. It is shared by every condition that asks the same.
type question struct {
	names    []string   // of the events, sorted
	where    []*filter  // all must hold
	from, to event.Time // only events in [from, to); zero and Never: no bound

	sum      string         // property that is added up; empty: nothing
	currency money.Currency // of the sum; anyCurrency: it is not money
	tag      string         // property that is counted apart; visits: the session; empty: nothing

	take take // not takeNothing: a tally of the values of tag, instead of a series
	ever bool // the tally is of the whole history, and keeps other marks than one of a window

	number int    // in the Set
	key    uint64 // of the series in a profile

	keep   event.Time // the longest rolling window asked; Never: one observation of each tag for ever
	most   int        // so many of the newest past observations answer every bound that is asked
	newest bool       // the newest observation stays however old it is

	keeper keeper // of a score or an affinity, which keep something else than observations
}

// keeper is a question whose answer is no series.
type keeper interface {
	names() []string
	canon() string
	// hear brings an event into p, the caller's own copy, and reports whether it
	// changed anything.
	hear(p *profile.Profile, e *event.Event, order *event.Order, session profile.Session, now event.Time) bool
}

// toldObs is how many observations a series keeps where fewer would answer all
// bounds, so that a reason can say "5 times" where 3 were asked for. Beyond it a
// reason says "or more".
const toldObs = 32

// enough returns how many of the newest past observations answer the bound. A
// rolling window ends now, so what it holds are the newest ones, and a bound does
// not care by how much it is exceeded. Without this a visitor who looks at a
// thousand things a day would carry them all along.
func (b bound) enough() int {
	rank := b.min
	if b.hasMax() {
		rank = max(rank, b.max+1)
	}
	return int(min(max(rank, toldObs), MaxObs))
}

// visits is the tag of questions that count sessions. No property has the name.
const visits = "\x00session"

// anyCurrency is the currency of sums that are not money.
const anyCurrency money.Currency = "*"

// canon returns the question as text: the name of its series is a hash of it.
// What is kept of the answer is no part of it.
func (q *question) canon() string {
	if q.keeper != nil {
		return q.keeper.canon()
	}
	b := []byte("did ")
	for _, n := range q.names {
		b = append(strconv.AppendQuote(b, n), ' ')
	}
	for _, f := range q.where {
		b = append(b, "where "...)
		b = append(append(b, f.canon()...), ' ')
	}
	if q.from != 0 || q.to != event.Never {
		b = append(b, "between "...)
		b = append(strconv.AppendInt(b, int64(q.from), 10), ' ')
		b = append(strconv.AppendInt(b, int64(q.to), 10), ' ')
	}
	if q.sum != "" {
		b = append(strconv.AppendQuote(append(b, "sum "...), q.sum), ' ')
		b = append(strconv.AppendQuote(b, string(q.currency)), ' ')
	}
	if q.tag != "" {
		b = strconv.AppendQuote(append(b, "apart "...), q.tag)
	}
	if q.take != takeNothing {
		b = strconv.AppendInt(append(b, " take "...), int64(q.take), 10)
		b = strconv.AppendBool(append(b, ' '), q.ever)
		b = strconv.AppendQuote(append(b, ' '), string(q.currency))
	}
	return string(b)
}

// Set is all the series of one program. Parsing fills it; after that it is
// immutable and may be used by many goroutines at once.
type Set struct {
	list   []*question
	byKey  map[uint64]int
	byName map[string][]int
}

// NewSet returns a set that asks nothing yet.
func NewSet() *Set { return &Set{byKey: map[uint64]int{}, byName: map[string][]int{}} }

// Len returns how many series there are.
func (s *Set) Len() int { return len(s.list) }

// Asks reports whether some series asks about events of the name.
func (s *Set) Asks(name string) bool { return len(s.byName[name]) > 0 }

// add registers the question, or finds the one that asks the same and makes it
// keep what both need.
func (s *Set) add(q question) *question {
	slices.Sort(q.names)
	q.names = slices.Compact(q.names)
	slices.SortFunc(q.where, func(a, b *filter) int { return compareText(a.canon(), b.canon()) })
	q.key = wire.Hash("series", q.canon())
	if n, known := s.byKey[q.key]; known {
		old := s.list[n]
		old.keep, old.most = max(old.keep, q.keep), max(old.most, q.most)
		old.newest = old.newest || q.newest
		return old
	}
	q.number = len(s.list)
	s.list = append(s.list, &q)
	s.byKey[q.key] = q.number
	for _, name := range q.names {
		s.byName[name] = append(s.byName[name], q.number)
	}
	return &q
}

// keep registers a question that keeps its own answer, and returns its key and its
// number.
func (s *Set) keep(k keeper) (key uint64, number int) {
	q := s.add(question{names: k.names(), keeper: k})
	return q.key, q.number
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Covers reports whether a profile whose series were kept by s has everything
// that other asks for. If it has not, the series must be made again from the
// history: see [Set.Beyond]. If it has, [Set.Drop] is enough.
func (s *Set) Covers(other *Set) bool {
	return !slices.ContainsFunc(other.list, func(q *question) bool { return !s.keeps(q) })
}

// keeps reports whether everything that q asks for is kept.
func (s *Set) keeps(q *question) bool {
	n, known := s.byKey[q.key]
	return known && s.list[n].keep >= q.keep && s.list[n].most >= q.most && (s.list[n].newest || !q.newest)
}

// Hash returns a fingerprint of what is asked and kept: sets with the same hash
// keep the same of the same events.
func (s *Set) Hash() uint64 {
	lines := make([]string, 0, len(s.list))
	for _, q := range s.list {
		lines = append(lines, q.canon()+" keep "+strconv.FormatInt(int64(q.keep), 10)+" "+strconv.Itoa(q.most)+" "+strconv.FormatBool(q.newest))
	}
	slices.Sort(lines)
	return wire.Hash(lines...)
}
