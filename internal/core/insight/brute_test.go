package insight_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// This file answers conditions a second time, in the plainest way: at every tick
// of a short life it looks at every event that was heard by then. It shares no
// code with the packages that it checks.

// tick is the grain of the lives that are tried. All durations, zones and times
// of day in them are multiples of it, so everything that changes, changes on a
// tick.
const tick = 15 * time.Minute

// life is what happens to one customer.
type life struct {
	start time.Time
	ticks int
	steps []step // by heard, at most one on a tick
}

// step is one thing that was heard. Exactly one of the rest is set.
type step struct {
	heard int

	name     string // an event
	at       int    // its tick: before heard if it came late, after it if a clock was wrong
	category string
	sku      string
	price    int
	currency string
	visit    int // number of the session that it is counted in

	trait, value string // set a trait; empty value: forget it
	consent      string // granted, withdrawn
	expires      int    // tick at which the consent ends; 0: it does not
	zone         string
	device       string

	actor, flow  string // of a message that was opened
	list         string // joined, left
	predicts     string // a prediction of the name, with value and expires
	object       string // a pet, with status (empty: gone), value (when it renews) and born
	status, born string
}

func (l *life) time(n int) time.Time     { return l.start.Add(time.Duration(n) * tick) }
func (l *life) instant(n int) event.Time { return event.At(l.time(n)) }

// visits numbers the sessions as they are counted when they are heard: an event
// half an hour or more after the newest one begins a new session; one that is
// heard late belongs to the session that goes on, if it is near enough.
func (l *life) visits() {
	const pause = 30 * time.Minute
	first, last, any := 0, 0, false
	for i := range l.steps {
		s := &l.steps[i]
		if s.name == "" {
			continue
		}
		d := func(a, b int) time.Duration { return time.Duration(a-b) * tick }
		if !any || d(s.at, last) >= pause {
			first, last, any = s.at, s.at, true
		}
		last = max(last, s.at)
		s.visit = s.at / 2 * 2 // the half hour: lives begin on one
		if d(first, s.at) < pause {
			s.visit = first
		}
	}
}

// ask is a question: how it is written, and its answer at every tick.
type ask interface {
	text() string
	answers(l *life) []bool
}

// perTick answers tick by tick.
func perTick(l *life, one func(n int) bool) []bool {
	list := make([]bool, l.ticks)
	for n := range list {
		list[n] = one(n)
	}
	return list
}

// logic is all, any, at_least and not.
type logic struct {
	kind string
	n    int
	kids []ask
}

func (q logic) text() string {
	list := make([]string, len(q.kids))
	for i, k := range q.kids {
		list[i] = k.text()
	}
	switch q.kind {
	case "not":
		return "{'not':" + list[0] + "}"
	case "at_least":
		return fmt.Sprintf("{'at_least':%d,'of':[%s]}", q.n, strings.Join(list, ","))
	}
	return "{'" + q.kind + "':[" + strings.Join(list, ",") + "]}"
}

func (q logic) answers(l *life) []bool {
	lists := make([][]bool, len(q.kids))
	for i, k := range q.kids {
		lists[i] = k.answers(l)
	}
	return perTick(l, func(n int) bool {
		yes := 0
		for _, list := range lists {
			if list[n] {
				yes++
			}
		}
		switch q.kind {
		case "all":
			return yes == len(lists)
		case "any":
			return yes > 0
		case "not":
			return yes == 0
		}
		return yes >= q.n
	})
}

// dwell is "has been true for".
type dwell struct {
	ticks int
	when  ask
}

func (q dwell) text() string {
	return fmt.Sprintf("{'dwell':'%dm','when':%s}", q.ticks*15, q.when.text())
}

func (q dwell) answers(l *life) []bool {
	inner := q.when.answers(l)
	since := -1
	return perTick(l, func(n int) bool {
		if !inner[n] {
			since = -1
			return false
		}
		if since < 0 {
			since = n
		}
		return n-since >= q.ticks
	})
}

// ref is a reference to a segment.
type ref struct {
	name string
	q    ask
}

func (q ref) text() string           { return "{'segment':'" + q.name + "'}" }
func (q ref) answers(l *life) []bool { return q.q.answers(l) }

// did is a question about events.
type did struct {
	not      bool
	names    []string
	category string // empty: any
	cheaper  int    // not zero: price below
	metric   string // times, sum(price), distinct(sku), sessions, first, last
	op       string // of the metric; of first and last: within, older_than, before, after
	n        int
	within   int // ticks; 0: the whole history
	from, to int // ticks; both 0: no bound
	life     *life
}

func (q did) text() string {
	head := "did"
	if q.not {
		head = "did_not"
	}
	s := "{'" + head + "':['" + strings.Join(q.names, "','") + "']"
	var where []string
	if q.category != "" {
		where = append(where, "'category':'"+q.category+"'")
	}
	if q.cheaper != 0 {
		where = append(where, fmt.Sprintf("'price':{'<':%d}", q.cheaper))
	}
	if where != nil {
		s += ",'where':{" + strings.Join(where, ",") + "}"
	}
	if q.within != 0 {
		s += fmt.Sprintf(",'within':'%dm'", q.within*15)
	}
	if q.from != 0 || q.to != 0 {
		s += ",'between':['" + q.life.time(q.from).Format(time.RFC3339) + "','" + q.life.time(q.to).Format(time.RFC3339) + "']"
	}
	switch q.metric {
	case "first", "last":
		value := fmt.Sprintf("%dm", q.n*15)
		if q.op == "before" || q.op == "after" {
			value = q.life.time(q.n).Format(time.RFC3339)
		}
		s += ",'" + q.metric + "':{'" + q.op + "':'" + value + "'}"
	case "did":
	default:
		s += fmt.Sprintf(",'%s':'%s %d'", q.metric, q.op, q.n)
	}
	return s + "}"
}

func (q did) answers(l *life) []bool {
	return perTick(l, func(now int) bool { return q.answer(l, now) != q.not })
}

func (q did) answer(l *life, now int) bool {
	count, sum := 0, 0
	skus, visits := map[string]bool{}, map[int]bool{}
	first, last := -1<<30, -1<<30
	for _, s := range l.steps {
		switch {
		case s.name == "" || s.heard > now || s.at > now,
			!slices.Contains(q.names, s.name),
			q.category != "" && s.category != q.category,
			q.cheaper != 0 && s.price >= q.cheaper,
			(q.from != 0 || q.to != 0) && (s.at < q.from || s.at >= q.to):
			continue
		}
		if last == -1<<30 {
			first, last = s.at, s.at
		}
		first, last = min(first, s.at), max(last, s.at)
		if q.within != 0 && s.at <= now-q.within {
			continue
		}
		count++
		if s.currency != "EUR" {
			sum += s.price
		}
		if s.sku != "" {
			skus[s.sku] = true
		}
		visits[s.visit] = true
	}
	n := 0
	switch q.metric {
	case "did":
		return count > 0
	case "times":
		n = count
	case "sum(price)":
		if n = sum; compare(0, q.op, q.n) && count == 0 {
			return false
		}
	case "distinct(sku)":
		if n = len(skus); compare(0, q.op, q.n) && count == 0 {
			return false
		}
	case "sessions":
		if n = len(visits); compare(0, q.op, q.n) && count == 0 {
			return false
		}
	case "first", "last":
		at := first
		if q.metric == "last" {
			at = last
		}
		if last == -1<<30 {
			return false
		}
		switch q.op {
		case "within":
			return now-at < q.n
		case "older_than":
			return now-at >= q.n
		case "before":
			return at < q.n
		}
		return at > q.n
	}
	return compare(n, q.op, q.n)
}

func compare(n int, op string, m int) bool {
	switch op {
	case ">=":
		return n >= m
	case "<=":
		return n <= m
	case "=":
		return n == m
	case "!=":
		return n != m
	}
	panic(op)
}

// fact is a question about what is known of the customer.
type fact struct {
	kind  string // country, exists, renews, birthday, consent, device, clock, chance
	value string
	n, m  int
	days  []time.Weekday
	id    identity.ID
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (q fact) text() string {
	switch q.kind {
	case "country":
		return "{'trait':'country','is':'" + q.value + "'}"
	case "exists":
		return "{'trait':'country','exists':true}"
	case "renews":
		return "{'trait':'renews','within':'" + q.value + "'}"
	case "birthday":
		return "{'trait':'birthday','anniversary':'" + q.value + "'}"
	case "consent":
		return "{'consent':'marketing','channel':'email'}"
	case "device":
		return "{'context':'device.type','in':['" + q.value + "']}"
	case "chance":
		return fmt.Sprintf("{'random':{'name':'x','share':'%d%%'}}", q.n)
	}
	var parts []string
	if q.n != q.m {
		clock := func(n int) string { return fmt.Sprintf("%02d:%02d", n/4, n%4*15) }
		parts = append(parts, "'local_time':{'from':'"+clock(q.n)+"','to':'"+clock(q.m)+"'}")
	}
	if len(q.days) > 0 {
		var days []string
		for _, d := range q.days {
			days = append(days, dayNames[d])
		}
		parts = append(parts, "'weekday':['"+strings.Join(days, "','")+"']")
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (q fact) answers(l *life) []bool {
	return perTick(l, func(now int) bool {
		country, renews, birthday, consent, expires, zone, device := "", "", "", "", 0, "", ""
		for _, s := range l.steps {
			if s.heard > now {
				break
			}
			switch s.trait {
			case "country":
				country = s.value
			case "renews":
				renews = s.value
			case "birthday":
				birthday = s.value
			}
			if s.consent != "" {
				consent, expires = s.consent, s.expires
			}
			if s.zone != "" {
				zone = s.zone
			}
			if s.device != "" {
				device = s.device
			}
		}
		loc := loaded[zone]
		local := l.time(now).In(loc)
		switch q.kind {
		case "country":
			return country == q.value
		case "exists":
			return country != ""
		case "device":
			return device == q.value
		case "consent":
			return consent == "granted" && (expires == 0 || now < expires)
		case "chance":
			return q.id.Chance("x") < float64(q.n)/100
		case "renews":
			if renews == "" {
				return false
			}
			d := must(time.Parse(time.RFC3339, renews)).Sub(l.time(now))
			span := time.Duration(q.n) * tick
			switch q.m {
			case 0: // last
				return d <= 0 && d > -span
			case 1: // next
				return d > 0 && d <= span
			case 2: // ago
				return d <= -span
			}
			return d > span
		case "birthday":
			if birthday == "" {
				return false
			}
			born := must(time.Parse(time.DateOnly, birthday))
			for ahead := q.m; ahead <= q.n; ahead++ {
				y, m, d := local.Date()
				then := time.Date(y, m, d+ahead, 0, 0, 0, 0, time.UTC)
				leap := time.Date(then.Year(), 2, 29, 0, 0, 0, 0, time.UTC).Day() == 29
				_, month, day := born.Date()
				if month == 2 && day == 29 && !leap {
					day = 28
				}
				if then.Month() == month && then.Day() == day {
					return true
				}
			}
			return false
		}
		// The clock.
		of := (local.Hour()*60 + local.Minute()) / 15
		weekday, open := local.Weekday(), true
		switch {
		case q.n < q.m:
			open = of >= q.n && of < q.m
		case q.n > q.m && of < q.m:
			weekday = (weekday + 6) % 7
		case q.n > q.m:
			open = of >= q.n
		}
		return open && (len(q.days) == 0 || slices.Contains(q.days, weekday))
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
