package insight_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
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

// scoring is one rule of a score.
type scoring struct {
	name, category, device string
	points                 int
	per                    string
	daily, ever            int
	back                   bool
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
	for _, d := range deeds {
		if d.actor == "machine" {
			continue
		}
		for i, r := range s.rules {
			if r.back && d.name == "Returned" && d.ref != "" && !gone[fmt.Sprint(i, d.ref)] {
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
			points := float64(r.points)
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
			list = append(list, grant{d.heard, d.at, event.Never, points, fmt.Sprint(i, d.ref)})
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
			sum += min(v(t), float64(g.most[i]))
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
		l, n := math.Round(value(t)*(1<<32)), q.n*(1<<32)
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
			list = append(list, grant{d.heard, d.at, event.Never, w, d.category})
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

func drawDeeds(t *rapid.T) (deeds []deed) {
	heard := evening
	for range rapid.IntRange(0, 22).Draw(t, "deeds") {
		heard += event.Time(rapid.SampledFrom([]int{1, 400, 1000, 5000, 60_000, 600_000, 1_900_000}).Draw(t, "pause") + rapid.IntRange(0, 1500).Draw(t, "ms"))
		d := deed{heard: heard, at: heard}
		switch rapid.IntRange(0, 9).Draw(t, "clock") {
		case 0, 1:
			d.at = max(evening, heard-event.Time(rapid.IntRange(0, 3_000_000).Draw(t, "late")))
		case 2:
			d.at = heard + event.Time(rapid.IntRange(1, 500_000).Draw(t, "early"))
		}
		d.name = rapid.SampledFrom([]string{event.ProductViewed, event.ProductViewed, event.ProductAdded, "Order Placed", "Order Placed", "Returned"}).Draw(t, "name")
		d.category = rapid.SampledFrom([]string{"", "shoes", "bags"}).Draw(t, "category")
		d.ref = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "ref")
		d.device = rapid.SampledFrom([]string{"", "mobile", "desktop"}).Draw(t, "device")
		d.actor = rapid.SampledFrom([]string{"", "", "", "human", "machine"}).Draw(t, "actor")
		deeds = append(deeds, d)
	}
	const pause = 1_800_000
	var first, last event.Time
	for i := range deeds {
		d := &deeds[i]
		if first == 0 || d.at >= last+pause {
			first, last = d.at, d.at
		}
		last = max(last, d.at)
		d.visit = d.at / pause * pause
		if d.at > first-pause {
			d.visit = first
		}
	}
	return deeds
}

func drawScores(t *rapid.T) (list []valued, names []string) {
	for i := range rapid.IntRange(1, 3).Draw(t, "scores") {
		s := &tally{name: "s" + strconv.Itoa(i), half: rapid.SampledFrom([]int{0, 1, 60, 977, 3600}).Draw(t, "half"), daily: rapid.SampledFrom([]int{0, 0, 7}).Draw(t, "daily"), each: rapid.SampledFrom([]int{3, -2}).Draw(t, "each")}
		s.least = rapid.SampledFrom([]string{"", "", "0"}).Draw(t, "least")
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			r := scoring{points: rapid.SampledFrom([]int{1, 2, 5, 10, -3}).Draw(t, "points")}
			r.name = rapid.SampledFrom([]string{event.ProductViewed, event.ProductAdded, "Order Placed"}).Draw(t, "name")
			r.category = rapid.SampledFrom([]string{"", "shoes"}).Draw(t, "where")
			r.device = rapid.SampledFrom([]string{"", "", "mobile"}).Draw(t, "device")
			r.per = rapid.SampledFrom([]string{"", "event", "session", "session", "day", "customer"}).Draw(t, "per")
			if r.points > 0 {
				r.daily = rapid.SampledFrom([]int{0, 0, 4}).Draw(t, "most a day")
				r.ever = rapid.SampledFrom([]int{0, 0, 12}).Draw(t, "most ever")
			}
			r.back = rapid.IntRange(0, 2).Draw(t, "back") == 0
			s.rules = append(s.rules, r)
		}
		for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "states") {
			s.states = append(s.states, lately{event.ProductViewed, rapid.IntRange(1, 2).Draw(t, "n"), rapid.IntRange(1, 2000).Draw(t, "within")})
		}
		if rapid.IntRange(0, 3).Draw(t, "only states") == 0 && len(s.states) > 0 {
			s.rules, s.half, s.daily = nil, 0, 0
		}
		list, names = append(list, s), append(names, s.name)
	}
	if n := len(list); n > 1 && rapid.Bool().Draw(t, "grouped") {
		g := &group{name: "g"}
		for _, s := range list {
			g.of, g.most = append(g.of, s.(*tally)), append(g.most, rapid.IntRange(1, 20).Draw(t, "most"))
		}
		list, names = append(list, g), append(names, g.name)
	}
	return list, names
}

func drawQuery(t *rapid.T, scores []valued, names []string, depth int) query {
	kinds := []string{"score", "score", "score", "tier", "affinity", "lately"}
	if depth > 0 {
		kinds = append(kinds, "all", "any", "not", "dwell")
	}
	kid := func() query { return drawQuery(t, scores, names, depth-1) }
	i := rapid.IntRange(0, len(scores)-1).Draw(t, "which")
	switch kind := rapid.SampledFrom(kinds).Draw(t, "query"); kind {
	case "score":
		return asksScore{of: scores[i], name: names[i], op: rapid.SampledFrom([]string{">=", ">", "<=", "<"}).Draw(t, "op"), n: rapid.SampledFrom([]float64{-1, 0.5, 1, 2.5, 4, 7}).Draw(t, "n")}
	case "tier":
		return asksScore{of: scores[i], name: names[i], op: rapid.SampledFrom([]string{"is", "from"}).Draw(t, "op"), tier: rapid.SampledFrom([]string{"warm", "hot", "fire"}).Draw(t, "tier")}
	case "affinity":
		return likes{rapid.SampledFrom([]string{"shoes", "bags"}).Draw(t, "category"), rapid.SampledFrom([]string{">=", "<="}).Draw(t, "op"), rapid.SampledFrom([]float64{0.31, 0.47, 0.62}).Draw(t, "share"), rapid.SampledFrom([]float64{0, 0, 0.5, 2}).Draw(t, "weight")}
	case "not":
		return mixed{kind, []query{kid()}}
	case "all", "any":
		return mixed{kind, []query{kid(), kid()}}
	case "dwell":
		return lasting{rapid.IntRange(1, 900).Draw(t, "for"), kid()}
	}
	return lately{event.ProductViewed, rapid.IntRange(1, 3).Draw(t, "n"), rapid.IntRange(1, 3000).Draw(t, "within")}
}

func heardEvent(n int, d deed) *event.Event {
	var props, around event.Builder
	for _, kv := range [][2]string{{"category", d.category}, {"ref", d.ref}, {"actor", d.actor}} {
		if kv[1] != "" {
			props.SetText(kv[0], kv[1])
		}
	}
	e := &event.Event{ID: event.ID(strconv.Itoa(n)), Type: event.Track, Name: d.name, At: d.at, Props: props.Object()}
	if d.device != "" {
		var device event.Builder
		device.SetText("type", d.device)
		around.Set("device", event.Nested(device.Object()))
		e.Context = around.Object()
	}
	return e
}

// TestScoresEqualBruteForceAtEveryInstant drives segments that ask for scores,
// tiers and affinities by events and alarms. Every membership turns at the very
// instant at which adding up all points says so, and just before it has not.
func TestScoresEqualBruteForceAtEveryInstant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		deeds := drawDeeds(t)
		scores, names := drawScores(t)
		var defs []condition.ScoreSource
		for i := range scores {
			defs = append(defs, condition.ScoreSource{Name: names[i], Node: parseJSON(t, scores[i].define())})
		}
		defs = append(defs, condition.ScoreSource{Name: "category", Affinity: true, Node: parseJSON(t, fmt.Sprintf(`{'affinity':'category','half_life':'%ds','weigh':{'Product Viewed':1,'Product Added':3,'Order Placed':6}}`, likesHalf))})
		var queries []query
		var sources []insight.SegmentSource
		for i := range rapid.IntRange(1, 3).Draw(t, "segments") {
			q := drawQuery(t, scores, names, 2)
			queries = append(queries, q)
			sources = append(sources, insight.SegmentSource{Name: "q" + strconv.Itoa(i), Node: parseJSON(t, q.text())})
		}
		env := &condition.Env{Set: condition.NewSet(), Segments: insight.Names(sources)}
		var ps spec.Problems
		kept := condition.ParseScores(defs, env, &ps)
		segments := insight.Compile(sources, env, &ps)
		if ps.Bad() {
			t.Fatalf("%v", ps.All())
		}

		// All instants at which something turns, and one just before each.
		p := profile.New(identity.ID{7})
		var watch insight.Watch
		end := evening + hours*3_600_000 - 1000
		var heard []*event.Event
		check := func(now event.Time, truth []turns) {
			for i := range queries {
				if got, want := p.Member(condition.SegmentKey(sources[i].Name)).In, truth[i].at(now); got != want {
					t.Fatalf("%s: %s is %v, want %v", now, queries[i].text(), got, want)
				}
				v := segments.Cond(sources[i].Name).Eval(&condition.Context{P: p, Now: now})
				if v.True != truth[i].at(now) || v.Until <= now {
					t.Fatalf("%s: Eval of %s is %v until %s", now, queries[i].text(), v.True, v.Until)
				}
			}
		}
		segments.All(p, evening, false)
		for n := range len(deeds) + 1 {
			stop := end
			if n < len(deeds) {
				stop = min(end, deeds[n].heard)
			}
			truth := make([]turns, len(queries))
			var marks []event.Time
			for i := range queries {
				truth[i] = queries[i].over(deeds[:n])
				for _, at := range truth[i].instants() {
					marks = append(marks, at, at-1)
				}
			}
			from := evening
			if n > 0 {
				from = deeds[n-1].heard
			}
			marks = append(marks, from)
			slices.Sort(marks)
			for _, at := range slices.Compact(marks) {
				if at < from || at >= stop {
					continue
				}
				for next := segments.Next(p); next <= at; next = segments.Next(p) {
					segments.Due(p, next, &watch)
				}
				check(at, truth)
			}
			if from < stop {
				for i, s := range scores {
					value, _ := s.value(deeds[:n])
					level := kept.Score(names[i]).Level(&condition.Context{P: p, Now: from})
					if got, want := level.Float(), value(from); math.Abs(got-want) > 1e-9 {
						t.Fatalf("%s: the score is %v, by hand %v: %s", from, got, want, s.define())
					}
				}
			}
			if n == len(deeds) || deeds[n].heard >= end {
				break
			}
			for next := segments.Next(p); next < deeds[n].heard; next = segments.Next(p) {
				segments.Due(p, next, &watch)
			}
			e := heardEvent(n, deeds[n])
			heard = append(heard, e)
			own := *p
			p = &own
			p.Session = condition.Visit(p.Session, e)
			segments.Touched(p, env.Set.Fold(p, e, nil, deeds[n].heard), deeds[n].heard)
			if n%4 == 0 {
				again := *p
				env.Set.Rebuild(&again, slices.Values(heard), deeds[n].heard)
				for _, name := range names {
					for _, later := range []event.Time{0, 1_000_000} {
						c := condition.Context{P: p, Now: deeds[n].heard + later}
						live := kept.Score(name).Level(&c)
						c.P = &again
						if made := kept.Score(name).Level(&c); made != live {
							t.Fatalf("made from the history %s is %v, lived it is %v", name, made, live)
						}
					}
				}
			}
		}
		if stuck := watch.Stuck(); len(stuck) > 0 {
			t.Fatalf("stuck: %v", stuck)
		}
	})
}
