package condition

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// metric is which number of a series is compared.
type metric uint8

const (
	byCount    metric = iota // events
	bySum                    // of a property
	byDistinct               // values of a property, or sessions
)

// didNode compares one number of a series: of the whole history, or of a rolling
// window.
type didNode struct {
	q      *question
	metric metric
	window event.Time // zero: the whole history
	bound  bound
}

// reading is a number of a series at one instant.
type reading struct {
	n      int64
	until  event.Time // before it the bound's answer stays
	newest event.Time // the newest observation that counts; zero: none is known
}

func (n *didNode) eval(c Context) (bool, event.Time) {
	s := c.P.SeriesOf(n.q.key)
	if s == nil {
		return n.bound.holds(0), event.Never
	}
	r := n.read(s, c.Now)
	return n.bound.holds(r.n), r.until
}

func (n *didNode) read(s *profile.Series, now event.Time) (r reading) {
	end := newestPast(s.Obs, now) + 1
	past := s.Obs[:end]
	switch {
	case n.metric == byDistinct:
		r = n.distinct(past, now)
	case n.window != 0:
		past = past[after(past, now-n.window):]
		if n.metric == byCount {
			r = n.count(past)
		} else {
			r = n.total(past)
		}
	default:
		// The totals are of all time; what is still to come does not count yet.
		r.n, r.until = s.Count-int64(len(s.Obs)-end), event.Never
		if n.metric == bySum {
			sum := s.Sum
			for _, o := range s.Obs[end:] {
				sum = addMoney(sum, -o.Value)
			}
			r.n = int64(sum)
		}
		if s.Last <= now {
			r.newest = s.Last
		}
	}
	if len(past) > 0 {
		r.newest = past[len(past)-1].At
	}
	if end < len(s.Obs) {
		r.until = min(r.until, s.Obs[end].At)
	}
	return r
}

// count reads the number of observations in the window. They leave oldest first,
// so the answer turns when the one leaves whose rank from the newest is the
// bound's.
func (n *didNode) count(in []profile.Obs) reading {
	r := reading{n: int64(len(in)), until: event.Never}
	if rank := n.bound.turn(r.n); rank > 0 {
		r.until = plus(in[len(in)-int(rank)].At, n.window)
	}
	return r
}

// total reads the sum in the window and lets the observations leave one instant
// after another until the answer turns.
func (n *didNode) total(in []profile.Obs) reading {
	var sum money.Micros
	for i := range in {
		sum = addMoney(sum, in[i].Value)
	}
	r := reading{n: int64(sum), until: event.Never}
	is := n.bound.holds(int64(sum))
	for i := 0; i < len(in); {
		at := in[i].At
		for ; i < len(in) && in[i].At == at; i++ {
			sum = addMoney(sum, -in[i].Value)
		}
		if n.bound.holds(int64(sum)) != is {
			r.until = plus(at, n.window)
			break
		}
	}
	return r
}

// distinct reads the number of tags: each counts by its newest past observation.
// It looks from the newest back and stops once only a lower bound matters and is
// reached.
func (n *didNode) distinct(past []profile.Obs, now event.Time) reading {
	from := distantPast
	if n.window != 0 {
		from = now - n.window
	}
	r := reading{until: event.Never}
	var atMin, aboveMax event.Time
	for i := len(past) - 1; i >= 0 && past[i].At > from; i-- {
		if superseded(&past[i], now) {
			continue
		}
		r.n++
		if r.n == n.bound.min {
			atMin = past[i].At
			if !n.bound.hasMax() {
				break
			}
		}
		if n.bound.hasMax() && r.n == n.bound.max+1 {
			aboveMax = past[i].At
		}
	}
	if n.window == 0 {
		return r
	}
	switch rank := n.bound.turn(r.n); {
	case rank == 0:
	case rank == n.bound.min:
		r.until = plus(atMin, n.window)
	default:
		r.until = plus(aboveMax, n.window)
	}
	return r
}

func (n *didNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	reason := Reason{Kind: "did", Holds: is, What: n.words(!is), Event: strings.Join(n.q.names, ", ")}
	if s := c.P.SeriesOf(n.q.key); s != nil {
		full := *n
		full.bound.max = min(full.bound.max, maxBound-1) // so that counting does not stop at the bound
		r := full.read(s, c.Now)
		reason.Count, reason.At = r.n, r.newest
		switch {
		case n.metric == bySum:
			reason.Count, reason.Sum = 0, money.Micros(r.n)
			reason.Value = n.unit(money.Micros(r.n))
		case n.metric == byCount:
			reason.Value = n.told(r.n, "time", "times")
		case n.q.tag == visits:
			reason.Value = n.told(r.n, "session", "sessions")
		default:
			reason.Value = n.told(r.n, "different", "different")
		}
		if !is && r.newest == 0 && s.Last <= c.Now {
			reason.At = s.Last // outside the window, and still worth knowing
		}
	}
	*out = append(*out, reason)
}

// told writes a count, as a lower bound where no more observations are kept.
func (n *didNode) told(c int64, one, many string) string {
	if c >= int64(n.q.most) && (n.window != 0 || n.metric == byDistinct) {
		return strconv.FormatInt(c, 10) + " or more " + many
	}
	if c == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(c, 10) + " " + many
}

func (n *didNode) mention(d *Deps) {
	d.Events = append(d.Events, n.q.names...)
	d.Series = append(d.Series, n.q.number)
}

func (n *didNode) words(not bool) string {
	// "1 or more times" is what the verb alone says.
	plain := n.metric == byCount && n.bound == bound{min: 1, max: maxBound}
	var s string
	switch {
	case plain, n.metric != byCount:
		s = n.q.verb(not)
	case n.bound == bound{min: 0, max: 0}:
		s = n.q.verb(!not)
	default:
		s = n.q.verb(not) + " " + n.bound.words("time", "times")
	}
	switch {
	case n.metric == bySum:
		s += " with " + strings.ReplaceAll(n.q.sum, "_", " ") + " adding up to " + n.bound.moneyWords(n.unit)
	case n.metric == byDistinct && n.q.tag == visits:
		s += " in " + n.bound.words("session", "sessions")
	case n.metric == byDistinct:
		s += " with " + n.bound.words("different "+n.q.tag, "different "+n.q.tag)
	}
	return s + n.q.span() + inLast(n.window)
}

func inLast(window event.Time) string {
	if window == 0 {
		return ""
	}
	return " in the last " + sayDuration(event.Time(window).Sub(0))
}

// unit writes a sum with its currency.
func (n *didNode) unit(m money.Micros) string {
	if n.q.currency == anyCurrency || n.q.currency == "" {
		return strings.TrimSuffix(m.String(), ".00")
	}
	return money.Amount{Micros: m, Currency: n.q.currency}.String()
}

func (n *didNode) canon(b *strings.Builder) {
	b.WriteString(strconv.FormatUint(n.q.key, 16))
	b.WriteString(" " + strconv.Itoa(int(n.metric)) + " " + strconv.FormatInt(int64(n.window), 10) + " " + n.bound.canon())
}

// seenNode asks when something was done first or last.
type seenNode struct {
	q    *question
	last bool
	rel  *relative // a stretch of now around the instant; nil: at and after matter
	not  bool      // before: the opposite of from-then-on
	at   event.Time
	text string // "before 1 March 2026"
}

func (n *seenNode) eval(c Context) (bool, event.Time) {
	at, next := n.instant(c)
	if at == 0 {
		return false, next
	}
	if n.rel == nil {
		is := (at >= n.at) != n.not
		if !n.last {
			return is, event.Never // the first stays the first
		}
		return is, next
	}
	is, until := n.rel.at(at, c.Now)
	if n.last {
		until = min(until, next)
	}
	return is, until
}

// instant returns when it was done first or last, zero if it was not done, and
// the instant of the next observation from the future.
func (n *seenNode) instant(c Context) (at, next event.Time) {
	s := c.P.SeriesOf(n.q.key)
	if s == nil || s.Count == 0 {
		return 0, event.Never
	}
	end := newestPast(s.Obs, c.Now) + 1
	next = event.Never
	if end < len(s.Obs) {
		next = s.Obs[end].At
	}
	switch {
	case s.First > c.Now:
		return 0, min(next, s.First)
	case !n.last:
		return s.First, next
	case s.Last <= c.Now:
		return s.Last, next
	case end > 0:
		return s.Obs[end-1].At, next
	}
	return s.First, next // the newest past observation is always kept, so it is the first
}

func (n *seenNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	at, _ := n.instant(c)
	*out = append(*out, Reason{Kind: "did", Holds: is, What: n.words(!is), Event: strings.Join(n.q.names, ", "), At: at})
}

func (n *seenNode) mention(d *Deps) {
	d.Events = append(d.Events, n.q.names...)
	d.Series = append(d.Series, n.q.number)
}

func (n *seenNode) words(not bool) string {
	which := "first"
	if n.last {
		which = "last"
	}
	s := which + " " + n.q.verb(false) + n.q.span() + " " + n.text
	if not {
		return "has not " + s
	}
	return s
}

func (n *seenNode) canon(b *strings.Builder) {
	b.WriteString("seen " + strconv.FormatUint(n.q.key, 16) + " " + strconv.FormatBool(n.last) + " " + strconv.FormatBool(n.not) + " ")
	if n.rel != nil {
		b.WriteString(strconv.FormatInt(int64(n.rel.from), 10) + " " + strconv.FormatInt(int64(n.rel.upto), 10))
		return
	}
	b.WriteString(strconv.FormatInt(int64(n.at), 10))
}
