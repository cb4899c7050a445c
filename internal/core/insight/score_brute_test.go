package insight_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// This file answers questions about scores and affinities a second time, second by
// second, from all events that were heard by then. Scores fade between the ticks of
// the other lives, so these have an instant of their own for everything.

// deed is something that a customer did, at an instant, heard at another.
type deed struct {
	heard, at event.Time
	name      string
	category  string
	ref       string
	device    string
	actor     string
	amount    int // zero: it names none
	visit     event.Time
}

// hours is how long these lives last. They begin shortly before midnight, so that
// the days of caps end within them.
const hours = 2

var evening = event.At(time.Date(2026, 3, 1, 23, 10, 0, 0, time.UTC))

// turns is an answer over time: the instants at which it becomes something else.
type turns []turn

type turn struct {
	at event.Time
	is bool
}

func (l turns) at(t event.Time) bool {
	i := sort.Search(len(l), func(i int) bool { return l[i].at > t })
	return i > 0 && l[i-1].is
}

func (l turns) instants() (list []event.Time) {
	for _, t := range l {
		list = append(list, t.at)
	}
	return list
}

// walk asks at every instant of the list.
func walk(instants []event.Time, is func(event.Time) bool) (l turns) {
	slices.Sort(instants)
	for _, t := range slices.Compact(instants) {
		if t >= evening && (len(l) == 0 || l[len(l)-1].is != is(t)) {
			l = append(l, turn{t, is(t)})
		}
	}
	return l
}

// grid is every instant at which something about scores can change.
func grid(deeds []deed) (list []event.Time) {
	for s := range hours * 3600 {
		list = append(list, evening+event.Time(s*1000))
	}
	for _, d := range deeds {
		list = append(list, d.heard, d.at)
	}
	return list
}

// query is a question about these lives: how it is written, and its answer.
type query interface {
	text() string
	over(deeds []deed) turns
}

// grant is points that a rule gave.
type grant struct {
	heard, at, taken event.Time
	points           float64
	of               string
	left             float64 // of what can be taken back by shares
}

func worthAt(list []grant, half int, t event.Time, of string) (sum float64) {
	for _, g := range list {
		if g.heard > t || g.at > t || g.taken <= t || of != "" && g.of != of {
			continue
		}
		age := math.Floor(float64(t)/1000) - math.Floor(float64(g.at)/1000)
		if half == 0 {
			age = 0
		}
		sum += g.points * math.Exp2(-age/float64(max(half, 1)))
	}
	return sum
}

// level is the whole number of levels that a value is shown as; a half goes to zero.
func level(v float64) float64 { return math.Copysign(math.Ceil(math.Abs(v)*(1<<32)-0.5), v) }

// scoring is one rule of a score.
type scoring struct {
	name, category, device string
	points                 int
	per                    string
	daily, ever            int
	back                   bool
	each                   int // points are for each so much of the amount; zero: for each event
}

// share is the points of a rule for an amount, in whole millionths towards zero.
func (r *scoring) share(amount int) float64 {
	if r.each == 0 {
		return float64(r.points)
	}
	return float64(r.points*1_000_000*amount/r.each) / 1e6
}

// tally is a score by its rules, with conditions for what is so.
type tally struct {
	name   string
	half   int
	daily  int
	least  string
	rules  []scoring
	states []query
	each   int // points for each state
}

func (s *tally) define() string {
	var rules []string
	for _, r := range s.rules {
		text := fmt.Sprintf(`{'did':'%s','give':%d`, r.name, r.points)
		var where []string
		if r.category != "" {
			where = append(where, `'category':'`+r.category+`'`)
		}
		if r.device != "" {
			where = append(where, `'device':'`+r.device+`'`)
		}
		if where != nil {
			text += `,'where':{` + strings.Join(where, ",") + `}`
		}
		if r.each > 0 {
			text += fmt.Sprintf(`,'each':%d,'of':'amount'`, r.each)
		}
		if r.per != "" {
			text += `,'per':'` + r.per + `'`
		}
		var most []string
		if r.daily > 0 {
			most = append(most, fmt.Sprintf(`'day':%d`, r.daily))
		}
		if r.ever > 0 {
			most = append(most, fmt.Sprintf(`'ever':%d`, r.ever))
		}
		if most != nil {
			text += `,'most':{` + strings.Join(most, ",") + `}`
		}
		if r.back {
			text += `,'back':{'did':'Returned','by':'ref'}`
		}
		rules = append(rules, text+"}")
	}
	for _, q := range s.states {
		rules = append(rules, fmt.Sprintf(`{'when':%s,'give':%d}`, q.text(), s.each))
	}
	text := fmt.Sprintf(`{'score':'%s','points':[%s],'tiers':[{'tier':'warm','from':2},{'tier':'hot','from':5.5},{'tier':'fire','from':9}]`, s.name, strings.Join(rules, ","))
	if s.half > 0 && len(s.rules) > 0 {
		text += fmt.Sprintf(`,'half_life':'%ds'`, s.half)
	}
	if s.daily > 0 && len(s.rules) > 0 {
		text += fmt.Sprintf(`,'cap':{'day':%d}`, s.daily)
	}
	if s.least != "" {
		text += `,'least':` + s.least
	}
	return text + "}"
}

// grants gives the points in the order in which things were heard.
func (s *tally) grants(deeds []deed) (list []grant) {
	day := func(t event.Time) int64 { return int64(t) / (24 * 3600 * 1000) }
	given := map[string]float64{}
	once := map[string]bool{}
	gone := map[string]bool{}
	owed := map[string]float64{}
	for _, d := range deeds {
		if d.actor == "machine" {
			continue
		}
		for i, r := range s.rules {
			if r.back && r.each > 0 && d.name == "Returned" && d.ref != "" {
				of, share := fmt.Sprint(i, d.ref), math.Abs(r.share(d.amount))
				if d.amount == 0 {
					share = math.Inf(1)
				}
				var these []int
				for j := range list {
					if list[j].of == of && list[j].left > 0 {
						these = append(these, j)
					}
				}
				slices.SortStableFunc(these, func(a, b int) int { return int(list[a].at - list[b].at) })
				for _, j := range these {
					less := min(share, list[j].left)
					list[j].left -= less
					share -= less
					list = append(list, grant{heard: d.heard, at: list[j].at, taken: event.Never, points: -math.Copysign(less, list[j].points)})
				}
				if owed[of] += share; d.amount == 0 {
					owed[of] = math.Inf(1)
				}
			}
			if r.back && r.each == 0 && d.name == "Returned" && d.ref != "" && !gone[fmt.Sprint(i, d.ref)] {
				gone[fmt.Sprint(i, d.ref)] = true
				for j := range list {
					if list[j].of == fmt.Sprint(i, d.ref) {
						list[j].taken = d.heard
					}
				}
			}
			if d.name != r.name || r.category != "" && d.category != r.category || r.device != "" && d.device != r.device {
				continue
			}
			points := r.share(d.amount)
			slot := map[string]string{"session": fmt.Sprint(i, "s", d.visit), "day": fmt.Sprint(i, "d", day(d.at)), "customer": fmt.Sprint(i, "c")}[r.per]
			if slot != "" && once[slot] {
				points = 0
			}
			limit := func(key string, most int) {
				if most > 0 && points > 0 {
					points = min(points, float64(most)-given[key])
				}
			}
			today, ever, all := fmt.Sprint(i, "today", day(d.at)), fmt.Sprint(i, "ever"), fmt.Sprint("all", day(d.at))
			if r.per != "day" {
				limit(today, r.daily)
			}
			if r.per != "customer" {
				limit(ever, r.ever)
			}
			if r.points > 0 {
				limit(all, s.daily)
			}
			if r.back && gone[fmt.Sprint(i, d.ref)] && d.ref != "" || points == 0 {
				continue
			}
			once[slot] = true
			given[today] += points
			given[ever] += points
			if r.points > 0 {
				given[all] += points
			}
			of := fmt.Sprint(i, d.ref)
			if r.back && r.each > 0 && d.ref != "" {
				less := min(owed[of], math.Abs(points))
				owed[of] -= less
				points -= math.Copysign(less, points)
			}
			list = append(list, grant{d.heard, d.at, event.Never, points, of, math.Abs(points)})
		}
	}
	return list
}

// value returns the score as a function of time, and the instants at which it may
// change beside those of the grid.
func (s *tally) value(deeds []deed) (func(event.Time) float64, []event.Time) {
	list := s.grants(deeds)
	var more []event.Time
	var states []turns
	for _, q := range s.states {
		states = append(states, q.over(deeds))
		more = append(more, states[len(states)-1].instants()...)
	}
	return func(t event.Time) float64 {
		v := worthAt(list, s.half, t, "")
		for _, state := range states {
			if state.at(t) {
				v += float64(s.each)
			}
		}
		if s.least != "" {
			least, _ := strconv.ParseFloat(s.least, 64)
			v = max(v, least)
		}
		return v
	}, more
}

// group is a score that sums up others.
type group struct {
	name string
	of   []*tally
	most []int
}

func (g *group) define() string {
	var members []string
	for i, s := range g.of {
		members = append(members, fmt.Sprintf(`{'score':'%s','most':%d}`, s.name, g.most[i]))
	}
	return fmt.Sprintf(`{'score':'%s','sum':[%s],'tiers':[{'tier':'warm','from':2},{'tier':'hot','from':5.5},{'tier':'fire','from':9}]}`, g.name, strings.Join(members, ","))
}

func (g *group) value(deeds []deed) (func(event.Time) float64, []event.Time) {
	var values []func(event.Time) float64
	var more []event.Time
	for _, s := range g.of {
		v, m := s.value(deeds)
		values, more = append(values, v), append(more, m...)
	}
	return func(t event.Time) (sum float64) {
		for i, v := range values {
			// A group adds up what its scores say, and each says a whole number of levels.
			sum += min(level(v(t))/(1<<32), float64(g.most[i]))
		}
		return sum
	}, more
}

type valued interface {
	define() string
	value(deeds []deed) (func(event.Time) float64, []event.Time)
}

// asksScore compares a score, or asks for its tier.
type asksScore struct {
	of   valued
	name string
	op   string
	n    float64
	tier string
}

func (q asksScore) text() string {
	if q.tier != "" {
		return fmt.Sprintf(`{'tier':'%s','%s':'%s'}`, q.name, q.op, q.tier)
	}
	return fmt.Sprintf(`{'score':'%s','is':'%s %v'}`, q.name, q.op, q.n)
}

func (q asksScore) over(deeds []deed) turns {
	value, more := q.of.value(deeds)
	return walk(append(grid(deeds), more...), func(t event.Time) bool {
		l, n := level(value(t)), q.n*(1<<32)
		from := map[string]float64{"warm": 2, "hot": 5.5, "fire": 9}[q.tier] * (1 << 32)
		upto := map[string]float64{"warm": 5.5, "hot": 9, "fire": math.Inf(1)}[q.tier] * (1 << 32)
		switch q.op {
		case "from":
			return l >= from
		case "is":
			return l >= from && l < upto
		case ">=":
			return l >= n
		case ">":
			return l > n
		case "<=":
			return l <= n
		}
		return l < n
	})
}

// likes asks for a share of interest.
type likes struct {
	category string
	op       string
	n        float64
	weight   float64
}

const likesHalf = 900

func (q likes) text() string {
	weight := ""
	if q.weight > 0 {
		weight = fmt.Sprintf(`,'weight':'>= %v'`, q.weight)
	}
	return fmt.Sprintf(`{'affinity':{'by':'category','of':'%s','is':'%s %v'%s}}`, q.category, q.op, q.n, weight)
}

func (q likes) over(deeds []deed) turns {
	var list []grant
	for _, d := range deeds {
		if w := map[string]float64{event.ProductViewed: 1, event.ProductAdded: 3, "Order Placed": 6}[d.name]; w > 0 && d.category != "" && d.actor != "machine" {
			list = append(list, grant{d.heard, d.at, event.Never, w, d.category, 0})
		}
	}
	return walk(grid(deeds), func(t event.Time) bool {
		share, all := worthAt(list, likesHalf, t, q.category), worthAt(list, likesHalf, t, "")
		if q.weight > 0 && math.Round(share*(1<<32)) < q.weight*(1<<32) {
			return false
		}
		if all > 0 {
			share /= all
		}
		if q.op == ">=" {
			return share >= q.n
		}
		return share <= q.n
	})
}

// lately is a count in a window, to have something that is no score beside one.
type lately struct {
	name   string
	n      int
	within int // seconds
}

func (q lately) text() string {
	return fmt.Sprintf(`{'did':'%s','times':'>= %d','within':'%ds'}`, q.name, q.n, q.within)
}

func (q lately) over(deeds []deed) turns {
	instants := grid(deeds)
	for _, d := range deeds {
		instants = append(instants, d.at+event.Time(q.within*1000))
	}
	return walk(instants, func(t event.Time) bool {
		n := 0
		for _, d := range deeds {
			if d.name == q.name && d.heard <= t && d.at <= t && d.at > t-event.Time(q.within*1000) {
				n++
			}
		}
		return n >= q.n
	})
}

// mixed is all, any or not of others.
type mixed struct {
	kind string
	of   []query
}

func (q mixed) text() string {
	if q.kind == "not" {
		return `{'not':` + q.of[0].text() + `}`
	}
	var list []string
	for _, o := range q.of {
		list = append(list, o.text())
	}
	return `{'` + q.kind + `':[` + strings.Join(list, ",") + `]}`
}

func (q mixed) over(deeds []deed) turns {
	var lists []turns
	instants := []event.Time{evening}
	for _, o := range q.of {
		lists = append(lists, o.over(deeds))
		instants = append(instants, lists[len(lists)-1].instants()...)
	}
	return walk(instants, func(t event.Time) bool {
		n := 0
		for _, l := range lists {
			if l.at(t) {
				n++
			}
		}
		switch q.kind {
		case "all":
			return n == len(lists)
		case "any":
			return n > 0
		}
		return n == 0
	})
}

// lasting has been so for a while.
type lasting struct {
	seconds int
	of      query
}

func (q lasting) text() string {
	return fmt.Sprintf(`{'dwell':'%ds','when':%s}`, q.seconds, q.of.text())
}

func (q lasting) over(deeds []deed) turns {
	inner, d := q.of.over(deeds), event.Time(q.seconds*1000)
	instants := []event.Time{evening}
	for _, t := range inner {
		instants = append(instants, t.at, t.at+d)
	}
	return walk(instants, func(t event.Time) bool {
		i := sort.Search(len(inner), func(i int) bool { return inner[i].at > t })
		return i > 0 && inner[i-1].is && t >= inner[i-1].at+d
	})
}
