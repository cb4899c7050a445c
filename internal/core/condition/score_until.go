package condition

import (
	"math"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// This file answers until when a comparison with a score stands. Points fade all
// the time, and nobody counts them again: the instant at which the value comes to
// the bound is computed.

// until returns the first instant after c.Now at which the answer to the bound may
// differ from what it is, unless an event changes it.
func (s *Score) until(c Context, b bound) event.Time {
	if len(s.parts) == 1 && len(s.parts[0].states) == 0 && s.parts[0].ledger != nil {
		return s.fades(c, b)
	}
	var few [maxStates]outlook
	o := few[:0]
	horizon := event.Time(0)
	for i := range s.parts {
		p := &s.parts[i]
		if p.ledger != nil {
			horizon = max(horizon, lastsUntil(c.P.ScoreOf(p.ledger.key), c.Now))
		}
		for j := range p.states {
			is, until := p.states[j].cond.root.eval(c)
			o = append(o, outlook{is, until})
			if until != event.Never {
				horizon = max(horizon, until)
			}
		}
	}
	if horizon <= c.Now {
		return event.Never
	}
	f := forecast{s: s, p: c.P, b: b, states: o, present: b.holds(int64(s.worth(c))), left: maxLooks}
	return f.first(c.Now+1, horizon)
}

// maxStates bounds the conditions of one score with all that it sums up.
const maxStates = 128

// outlook is what a condition answers, and until when at the least.
type outlook struct {
	is    bool
	until event.Time
}

// lastsUntil returns an instant from which on the points of a score are worth
// nothing that can be told, and none are yet to count.
func lastsUntil(s *profile.Score, now event.Time) event.Time {
	if s == nil {
		return 0
	}
	last := now
	if n := len(s.Ahead); n > 0 {
		last = max(last, s.Ahead[n-1].From)
	}
	if s.Half == 0 {
		return last
	}
	// So many half-lives take the largest sum there is below half of the least level.
	const gone = 70
	return plus(last, event.Time(gone*s.Half*1000))
}

// forecast looks for the first instant at which an answer may turn.
type forecast struct {
	s       *Score
	p       *profile.Profile
	b       bound
	states  []outlook
	present bool
	left    int // looks that are left; then whatever is not settled counts as a turn
}

// maxLooks bounds the search. It takes some fifty looks; only scores that fade from
// both sides towards the very bound take more, and may then be asked too early.
const maxLooks = 2000

// first returns the first instant from a to z at which the answer may differ;
// event.Never if it cannot. It halves the time until the values of a half are on
// one side of the bound.
func (f *forecast) first(a, z event.Time) event.Time {
	least, most := f.between(a, z)
	if f.steady(least, most) {
		return event.Never
	}
	if f.left--; a == z || f.left < 0 {
		return a
	}
	middle := a + (z-a)/2
	if t := f.first(a, middle); t != event.Never {
		return t
	}
	return f.first(middle+1, z)
}

// steady reports whether every value from least to most gives the present answer.
func (f *forecast) steady(least, most profile.Level) bool {
	in := int64(least) >= f.b.min && int64(most) <= f.b.max
	out := int64(most) < f.b.min || int64(least) > f.b.max
	if f.present == f.b.not {
		return out
	}
	return in
}

// between returns bounds of the value in [a, z].
func (f *forecast) between(a, z event.Time) (least, most profile.Level) {
	n := 0
	for i := range f.s.parts {
		p := &f.s.parts[i]
		var lo, hi profile.Level
		if p.ledger != nil {
			lo, hi = scoreBetween(f.p.ScoreOf(p.ledger.key), a, z)
		}
		for j := range p.states {
			points := p.states[j].give.Level()
			switch o := f.states[n]; {
			case o.until <= z: // it may be either by then
				lo, hi = lo+min(0, points), hi+max(0, points)
			case o.is:
				lo, hi = lo+points, hi+points
			}
			n++
		}
		least += p.clamp(p.own.clamp(lo))
		most += p.clamp(p.own.clamp(hi))
	}
	return f.s.clamp(least), f.s.clamp(most)
}

// scoreBetween returns bounds of what a score is worth in [a, z].
func scoreBetween(s *profile.Score, a, z event.Time) (least, most profile.Level) {
	x, next := s.At(a)
	if next > z {
		y, _ := s.At(z) // nothing joins in: it fades from one to the other
		return min(x, y), max(x, y)
	}
	least, most = min(x, 0), max(x, 0)
	for i := range s.Ahead {
		if h := &s.Ahead[i]; h.From > a && h.From <= z {
			least, most = least+min(0, h.Points.Level()), most+max(0, h.Points.Level())
		}
	}
	return least, most
}

// fades is until for a score that only events give points to.
func (s *Score) fades(c Context, b bound) event.Time {
	p := &s.parts[0]
	score := c.P.ScoreOf(p.ledger.key)
	raw, next := score.At(c.Now)
	value := func(l profile.Level) profile.Level { return s.clamp(p.clamp(p.own.clamp(l))) }
	if score == nil || score.Half == 0 || raw == 0 {
		return next
	}
	present := b.holds(int64(value(raw)))
	same := func(sec int64) bool {
		l, _ := score.At(event.Time(sec * 1000))
		return b.holds(int64(value(l))) == present
	}
	// The value walks towards zero; the answer turns where it first passes an end of
	// the bound. Ends that it passes in this direction, the nearest first:
	from := second(c.Now)
	best := event.Never
	for _, end := range [2]int64{b.min, b.max} {
		goal, ok := goalOf(int64(raw), end, end == b.max)
		if !ok {
			continue
		}
		guess := from + int64(float64(score.Half)*math.Log2(math.Abs(float64(raw))/max(math.Abs(float64(goal)), 0.5)))
		at := crossing(from, max(from+1, guess), func(sec int64) bool {
			l, _ := score.At(event.Time(sec * 1000))
			if raw > 0 {
				return int64(l) <= goal
			}
			return int64(l) >= goal
		})
		if !same(at) {
			best = min(best, event.Time(at*1000))
		}
	}
	return min(best, next)
}

// goalOf returns the level at which a value that fades from raw is on the other side
// of an end of a bound, and whether it comes to one.
func goalOf(raw, end int64, isMax bool) (int64, bool) {
	switch {
	case end == minBound || end == maxBound:
		return 0, false
	case raw > 0 && !isMax:
		end-- // below min
	case raw < 0 && isMax:
		end++ // above max
	}
	if raw > 0 {
		return max(end, 0), end >= 0 && end < raw
	}
	return min(end, 0), end <= 0 && end > raw
}

// crossing returns the first second after from at which passed is so; once it is,
// it stays so. The guess is near.
func crossing(from, guess int64, passed func(int64) bool) int64 {
	lo, hi := from, guess // passed(lo) is not so
	for step := int64(1); !passed(hi); step *= 2 {
		lo, hi = hi, hi+step
	}
	for step := int64(1); hi-lo > 1; step *= 2 {
		at := max(lo+1, hi-step)
		if !passed(at) {
			lo = at
			break
		}
		hi = at
	}
	for hi-lo > 1 {
		middle := lo + (hi-lo)/2
		if passed(middle) {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi
}

// second returns the second in which an instant lies.
func second(t event.Time) int64 {
	s := int64(t) / 1000
	if t < 0 && t%1000 != 0 {
		s--
	}
	return s
}
