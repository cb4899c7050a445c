package condition

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// MaxMarks bounds the values that one computed trait of one profile remembers; the
// oldest go first. A shopper meets a few dozen categories; what meets more is a robot.
const MaxMarks = 500

// maxMark bounds a value that is remembered: names, codes, categories.
const maxMark = 100

// take says what a computed trait makes of the events that it asks about.
type take uint8

const (
	takeNothing take = iota // a series, not a tally
	takeFirst
	takeLast
	takeMin
	takeMax
	takeFrequent
	takeUnique
)

// markLess orders marks: what a profile promises of them, and total.
func markLess(a, b *profile.Found) int {
	switch {
	case a.At != b.At:
		if a.At < b.At {
			return -1
		}
		return 1
	case a.Value.Raw != b.Value.Raw:
		return strings.Compare(a.Value.Raw, b.Value.Raw)
	}
	return int(a.Value.Kind) - int(b.Value.Kind)
}

// hearTally brings the event into the tally and returns the one that follows; t is
// not changed, and may be nil.
func (q *question) hearTally(t *profile.Tally, e *event.Event, order *event.Order, now event.Time) *profile.Tally {
	next := &profile.Tally{Key: q.key}
	if t != nil {
		next.Marks = t.Marks
	}
	var fresh []profile.Found
	add := func(v event.Value) bool {
		if v.Kind == event.Null || v.Kind == event.Map || v.Kind == event.List || len(v.Raw) > maxMark {
			return true
		}
		if q.take == takeMin || q.take == takeMax {
			if _, ok := v.Float(); !ok || !q.counted(e, order) {
				return true
			}
		}
		m := profile.Found{At: e.At, Value: event.Value{Kind: v.Kind, Raw: strings.Clone(v.Raw)}, Count: 1}
		if !slices.Contains(fresh, m) {
			fresh = append(fresh, m)
		}
		return len(fresh) < maxTags
	}
	if v, ok := pseudo(q.tag, order); ok {
		add(v)
	} else {
		each(e.Props, q.tag, add)
	}
	if len(fresh) > 0 {
		all := append(append(make([]profile.Found, 0, len(next.Marks)+len(fresh)), next.Marks...), fresh...)
		slices.SortFunc(all, func(a, b profile.Found) int { return markLess(&a, &b) })
		next.Marks = q.tidyMarks(all, now)
	}
	return next
}

// counted reports whether amounts of the event are in the currency that is asked for.
func (q *question) counted(e *event.Event, order *event.Order) bool {
	if q.currency == anyCurrency {
		return true
	}
	currency := currencyOf(e, order)
	return currency == "" || currency == q.currency
}

// tidyMarks forgets the marks that can make no answer any more. The list is the
// caller's own. What is still to come stays as it came.
func (q *question) tidyMarks(marks []profile.Found, now event.Time) []profile.Found {
	end := len(marks)
	for end > 0 && marks[end-1].At > now {
		end--
	}
	past, future := marks[:end], marks[end:]
	if q.keep != event.Never {
		cut := 0
		for cut < len(past) && past[cut].At <= now-q.keep {
			cut++
		}
		past = past[cut:]
	}
	kept := make([]profile.Found, 0, len(past)+len(future))
	windowed := q.keep != event.Never
	switch {
	case q.take == takeLast && len(past) > 0:
		kept = append(kept, past[len(past)-1])
	case q.take == takeFirst && !windowed && len(past) > 0:
		kept = append(kept, past[0])
	case q.take == takeMin || q.take == takeMax:
		kept = q.undominated(kept, past, windowed)
	case q.take == takeUnique, q.take == takeFrequent && !windowed:
		kept = together(kept, past)
	default:
		kept = append(kept, past...)
	}
	kept = append(kept, future...)
	if len(kept) > MaxMarks {
		kept = kept[len(kept)-MaxMarks:]
	}
	return kept
}

// undominated appends the marks that may be the best of some time to come: those
// with no better one after them or, in the whole history, at all.
func (q *question) undominated(kept, past []profile.Found, windowed bool) []profile.Found {
	best := -1
	for i := len(past) - 1; i >= 0; i-- {
		if best < 0 || q.better(&past[i], &past[best]) {
			best = i
			if windowed {
				kept = append(kept, past[i])
			}
		}
	}
	if !windowed && best >= 0 {
		kept = append(kept, past[best])
	}
	slices.Reverse(kept)
	return kept
}

// better reports whether a, the older, says more than b: an equal value says
// nothing, since it leaves first.
func (q *question) better(a, b *profile.Found) bool {
	x, _ := a.Value.Float()
	y, _ := b.Value.Float()
	if q.take == takeMin {
		return x < y
	}
	return x > y
}

// together appends one mark for each value: its newest instant, and how often it
// came.
func together(kept, past []profile.Found) []profile.Found {
	for i := len(past) - 1; i >= 0; i-- {
		if at := slices.IndexFunc(kept, func(m profile.Found) bool { return m.Value == past[i].Value }); at >= 0 {
			kept[at].Count += past[i].Count
		} else {
			kept = append(kept, past[i])
		}
	}
	slices.Reverse(kept)
	return kept
}

// setTally puts a tally into its place in a list that is the caller's own.
func setTally(list []*profile.Tally, t *profile.Tally) []*profile.Tally {
	i, found := slices.BinarySearchFunc(list, t.Key, func(o *profile.Tally, key uint64) int {
		switch {
		case o.Key < key:
			return -1
		case o.Key > key:
			return 1
		}
		return 0
	})
	if found {
		list[i] = t
		return list
	}
	return slices.Insert(list, i, t)
}

// tallySum goes through marks from the newest back and knows what the trait is of
// those that it has seen.
type tallySum struct {
	take  take
	n     int
	best  event.Value
	some  [MaxMarks]struct{ index, count int32 } // of the frequent: the newest mark of each value
	kinds int
	top   int // place in some of the most frequent
}

// add takes the mark at place i of the list.
func (s *tallySum) add(q *question, in []profile.Found, i int) {
	v := in[i].Value
	switch s.take {
	case takeFirst:
		s.best = v
	case takeLast:
		if s.n == 0 {
			s.best = v
		}
	case takeMin, takeMax:
		if s.n == 0 || q.better(&in[i], &profile.Found{Value: s.best}) {
			s.best = v
		}
	case takeFrequent:
		at := 0
		for at < s.kinds && in[s.some[at].index].Value != v {
			at++
		}
		if at == s.kinds {
			s.kinds++
			s.some[at].index, s.some[at].count = int32(i), 0
		}
		s.some[at].count += int32(min(in[i].Count, maxCount))
		// Of two that come equally often the one seen last wins.
		if a, b := s.some[at].count, s.some[s.top].count; a > b || a == b && at < s.top {
			s.top = at
		}
		s.best = in[s.some[s.top].index].Value
	}
	s.n++
}

// marksIn returns the marks that count as of now, and the instant of the next one
// that does not yet.
func marksIn(t *profile.Tally, window, now event.Time) (in []profile.Found, next event.Time) {
	next = event.Never
	if t == nil {
		return nil, next
	}
	in = t.Marks
	for len(in) > 0 && in[len(in)-1].At > now {
		next = in[len(in)-1].At
		in = in[:len(in)-1]
	}
	if window != 0 {
		for len(in) > 0 && in[0].At <= now-window {
			in = in[1:]
		}
	}
	return in, next
}
