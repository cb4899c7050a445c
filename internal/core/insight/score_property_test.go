package insight_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

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
		d.amount = rapid.SampledFrom([]int{0, 1, 7, 10, 25}).Draw(t, "amount")
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
			r.each = rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(t, "each so much")
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
	if d.amount != 0 {
		props.Set("amount", event.Int(int64(d.amount)))
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
