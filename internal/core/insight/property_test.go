package insight_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the lives must be there on every machine

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// places are zones and an instant shortly before something odd happens to their
// clocks. Lord Howe moves its clock by half an hour; in Havana and Beirut midnight
// itself is left out or comes twice.
var places = []struct {
	zone  string
	start string
}{
	{"", "2025-02-26T00:00:00Z"},
	{"Europe/Berlin", "2025-03-28T00:00:00Z"},
	{"America/New_York", "2025-10-31T00:00:00Z"},
	{"Australia/Lord_Howe", "2025-04-03T00:00:00Z"},
	{"America/Havana", "2025-03-07T00:00:00Z"},
	{"Asia/Beirut", "2025-03-28T00:00:00Z"},
	{"Asia/Kathmandu", "2024-02-27T00:00:00Z"},
}

var testNames = []string{event.ProductViewed, event.OrderCompleted + " Twice", "Page Liked"}

// diet is of what lives and questions are made. What is rare among many kinds needs a
// diet of its own to be tried enough.
type diet struct {
	happens []int    // kinds of steps
	asks    []string // kinds of questions that have no children
}

var (
	everything = diet{[]int{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6, 6}, []string{"did", "did", "did", "did", "fact", "fact", "ref", "sequence", "sequence", "kept", "kept", "trait", "trait"}}
	keptThings = diet{[]int{0, 6, 6, 6, 6, 6, 6}, []string{"kept"}}
	afterwards = diet{[]int{0}, []string{"sequence", "trait"}}
)

// drawLife draws what happens to a customer.
func drawLife(t *rapid.T, on diet) *life {
	place := rapid.SampledFrom(places).Draw(t, "place")
	l := &life{start: must(time.Parse(time.RFC3339, place.start)), ticks: rapid.IntRange(50, 600).Draw(t, "ticks")}
	if place.zone != "" {
		l.steps = append(l.steps, step{heard: 1, zone: place.zone})
	}
	heard := 1
	for range rapid.IntRange(0, 25).Draw(t, "steps") {
		heard += rapid.SampledFrom([]int{1, 1, 1, 2, 3, 7, 30, 90}).Draw(t, "pause")
		if heard >= l.ticks {
			break
		}
		s := step{heard: heard}
		switch rapid.SampledFrom(on.happens).Draw(t, "kind") {
		case 0:
			s.name = rapid.SampledFrom(testNames).Draw(t, "name")
			s.at = heard
			switch rapid.IntRange(0, 9).Draw(t, "clock") {
			case 0, 1:
				s.at = max(0, heard-rapid.IntRange(1, 100).Draw(t, "late"))
			case 2:
				s.at = heard + rapid.IntRange(1, 60).Draw(t, "early")
			}
			s.category = rapid.SampledFrom([]string{"shoes", "bags"}).Draw(t, "category")
			s.sku = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "sku")
			s.price = rapid.IntRange(-3, 9).Draw(t, "price")
			s.currency = rapid.SampledFrom([]string{"", "GBP", "EUR"}).Draw(t, "currency")
		case 1:
			s.trait, s.value = "country", rapid.SampledFrom([]string{"", "GB", "DE"}).Draw(t, "country")
		case 2:
			s.trait, s.value = "renews", l.time(rapid.IntRange(-100, l.ticks+100).Draw(t, "date")).Format(time.RFC3339)
		case 3:
			day := l.start.AddDate(-30, 0, rapid.IntRange(-9, 12).Draw(t, "day"))
			s.trait, s.value = "birthday", day.Format(time.DateOnly)
			if rapid.Bool().Draw(t, "leap") {
				s.value = "1996-02-29"
			}
		case 4:
			s.consent = rapid.SampledFrom([]string{"granted", "withdrawn"}).Draw(t, "consent")
			if rapid.Bool().Draw(t, "ends") {
				s.expires = heard + rapid.IntRange(1, 80).Draw(t, "expires")
			}
		case 5:
			s.device = rapid.SampledFrom([]string{"mobile", "desktop"}).Draw(t, "device")
		case 6:
			drawStep(t, l, &s)
		}
		l.steps = append(l.steps, s)
	}
	l.visits()
	return l
}

// drawAsk draws a question that may refer to the segments before it.
func drawAsk(t *rapid.T, on diet, l *life, id identity.ID, before []ref, traits []made, depth int) ask {
	kinds := slices.Clone(on.asks)
	if depth > 0 {
		kinds = append(kinds, "all", "all", "any", "any", "not", "at_least", "dwell")
	}
	kid := func() ask { return drawAsk(t, on, l, id, before, traits, depth-1) }
	switch kind := rapid.SampledFrom(kinds).Draw(t, "ask"); kind {
	case "ref":
		if len(before) > 0 {
			return rapid.SampledFrom(before).Draw(t, "segment")
		}
	case "dwell":
		return dwell{rapid.IntRange(1, 60).Draw(t, "for"), kid()}
	case "not":
		return logic{kind: kind, kids: []ask{kid()}}
	case "all", "any", "at_least":
		q := logic{kind: kind}
		for range rapid.IntRange(1, 4).Draw(t, "children") {
			q.kids = append(q.kids, kid())
		}
		q.n = rapid.IntRange(1, len(q.kids)).Draw(t, "least")
		return q
	case "fact":
		return drawFact(t, id)
	case "sequence":
		return drawSequence(t)
	case "kept":
		return drawKept(t)
	case "trait":
		if len(traits) > 0 {
			return drawTrait(t, traits)
		}
	}
	return drawDid(t, l)
}

func drawDid(t *rapid.T, l *life) ask {
	q := did{life: l, not: rapid.IntRange(0, 3).Draw(t, "not") == 0}
	q.names = rapid.SliceOfNDistinct(rapid.SampledFrom(testNames), 1, 2, rapid.ID[string]).Draw(t, "names")
	q.category = rapid.SampledFrom([]string{"", "", "shoes"}).Draw(t, "where")
	q.cheaper = rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(t, "cheaper")
	q.metric = rapid.SampledFrom([]string{"did", "times", "times", "sum(price)", "sum(price)", "distinct(sku)", "sessions", "sessions", "first", "last"}).Draw(t, "metric")
	if rapid.IntRange(0, 2).Draw(t, "rolling") > 0 {
		q.within = rapid.IntRange(1, 150).Draw(t, "within")
	}
	if rapid.IntRange(0, 4).Draw(t, "absolute") == 0 {
		q.from = rapid.IntRange(0, l.ticks).Draw(t, "from")
		q.to = q.from + rapid.IntRange(1, 200).Draw(t, "to")
	}
	switch q.metric {
	case "first", "last":
		q.op = rapid.SampledFrom([]string{"within", "older_than", "before", "after"}).Draw(t, "bound")
		q.n = rapid.IntRange(1, 200).Draw(t, "n")
	default:
		q.op = rapid.SampledFrom([]string{">=", ">=", "<=", "=", "!="}).Draw(t, "op")
		q.n = rapid.IntRange(0, 5).Draw(t, "n")
	}
	return q
}

func drawFact(t *rapid.T, id identity.ID) ask {
	q := fact{id: id, kind: rapid.SampledFrom([]string{"country", "exists", "renews", "birthday", "consent", "device", "chance", "clock", "clock"}).Draw(t, "fact")}
	switch q.kind {
	case "country":
		q.value = rapid.SampledFrom([]string{"GB", "DE"}).Draw(t, "value")
	case "device":
		q.value = "mobile"
	case "chance":
		q.n = rapid.IntRange(0, 100).Draw(t, "share")
	case "renews":
		q.n, q.m = rapid.IntRange(1, 100).Draw(t, "span"), rapid.IntRange(0, 3).Draw(t, "side")
		q.value = fmt.Sprintf([]string{"in the last %dm", "in the next %dm", "more than %dm ago", "more than %dm ahead"}[q.m], q.n*15)
	case "birthday":
		q.n = rapid.IntRange(0, 5).Draw(t, "days")
		q.m = q.n
		switch {
		case q.n == 0:
			q.value = "today"
		case rapid.Bool().Draw(t, "next"):
			q.value, q.m = fmt.Sprintf("in the next %dd", q.n), 0
		default:
			q.value = fmt.Sprintf("in %dd", q.n)
		}
	case "clock":
		q.n, q.m = rapid.IntRange(0, 95).Draw(t, "from"), rapid.IntRange(0, 95).Draw(t, "to")
		if q.n == q.m || rapid.Bool().Draw(t, "weekdays") {
			all := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
			q.days = rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 5, rapid.ID[time.Weekday]).Draw(t, "on")
		}
	}
	return q
}

// loaded are the zones of the lives. The core asks for a zone on every
// evaluation and expects the answer at once.
var loaded = func() map[string]*time.Location {
	m := map[string]*time.Location{}
	for _, p := range places {
		m[p.zone] = must(time.LoadLocation(p.zone))
	}
	return m
}()

func zones(name string) *time.Location { return loaded[name] }

// apply brings a step into the profile, as the engine does, and says what it touched.
func apply(l *life, set *condition.Set, p *profile.Profile, n int, s step) condition.Touched {
	now := l.instant(s.heard)
	switch {
	case s.name != "":
		var b event.Builder
		b.SetText("category", s.category).SetText("sku", s.sku).SetText("currency", s.currency)
		b.SetText("actor", s.actor).SetText("journey", s.flow)
		b.Set("price", event.Int(int64(s.price)))
		e := &event.Event{ID: event.ID(strconv.Itoa(n)), Type: event.Track, Name: s.name, At: l.instant(s.at), Props: b.Object()}
		p.Session = condition.Visit(p.Session, e)
		return set.Fold(p, e, nil, now)
	case s.trait != "":
		p.Traits = slices.DeleteFunc(slices.Clone(p.Traits), func(o profile.Trait) bool { return o.Name == s.trait })
		if s.value != "" {
			p.Traits = append(p.Traits, profile.Trait{Name: s.trait, Value: event.Text(s.value), At: now})
			slices.SortFunc(p.Traits, func(a, b profile.Trait) int {
				if a.Name < b.Name {
					return -1
				}
				return 1
			})
		}
		return condition.Touched{Traits: []string{s.trait}}
	case s.consent != "":
		c := profile.Consent{Channel: "email", Purpose: "marketing", Granted: s.consent == "granted", At: now}
		if s.expires != 0 {
			c.Expires = l.instant(s.expires)
		}
		p.Consents = []profile.Consent{c}
		return condition.Touched{Consent: true}
	case s.zone != "":
		p.Zone = s.zone
		return condition.Touched{Zone: true}
	}
	if s.list+s.predicts+s.object != "" {
		return tell(l, p, n, s)
	}
	p.Device = s.device
	return condition.Touched{Device: true}
}

// tell brings in what is kept beside traits by the event that says it.
func tell(l *life, p *profile.Profile, n int, s step) condition.Touched {
	e := event.Event{ID: event.ID(strconv.Itoa(n)), Type: event.System, Trust: event.Own, At: l.instant(s.heard)}
	var b, inner event.Builder
	switch {
	case s.list != "":
		e.Name = event.ListLeft
		if s.list == "joined" {
			e.Name = event.ListJoined
		}
		b.SetText("list", "press")
	case s.predicts != "":
		e.Name = event.PredictionMade
		inner.SetText("name", s.predicts)
		switch {
		case s.value == "":
			inner.Set("value", event.Value{})
		case s.predicts == "clv":
			inner.Set("value", event.Value{Kind: event.Number, Raw: s.value})
		default:
			inner.SetText("value", s.value)
		}
		if s.expires != 0 {
			inner.Set("until", event.Int(int64(l.instant(s.expires))))
		}
		b.Set("predictions", event.ListOf(event.Nested(inner.Object())))
	default:
		e.Name = event.ObjectUpdated
		if s.status == "" {
			e.Name = event.ObjectRemoved
		}
		inner.SetText("status", s.status).SetText("renews", s.value).SetText("born", s.born)
		b.SetText("type", "pet").SetText("id", s.object).Set("properties", event.Nested(inner.Object()))
	}
	e.Props = b.Object()
	folded := p.Fold(&e, e.At)
	return condition.Touched{Predictions: folded.Predictions, Kept: folded.Kept}
}

// TestAnswersEqualBruteForce drives segments by events and alarms through short
// lives and compares, at every tick, memberships, single evaluations and their
// Untils with what looking at all events gives.
func TestAnswersEqualBruteForce(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]diet{"everything": everything, "what is kept": keptThings, "one after another": afterwards} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { live(t, on) })
		})
	}
}

func live(t *rapid.T, on diet) {
	l := drawLife(t, on)
	p := profile.New(identity.ID{byte(rapid.IntRange(0, 255).Draw(t, "id")), 7})
	var defs []insight.SegmentSource
	var refs []ref
	traits := drawMade(t)
	for i := range rapid.IntRange(1, 4).Draw(t, "segments") {
		q := drawAsk(t, on, l, p.ID, refs, traits, 3)
		name := "s" + strconv.Itoa(i)
		refs = append(refs, ref{name, q})
		defs = append(defs, insight.SegmentSource{Name: name, Node: parseJSON(t, q.text())})
	}
	env := &condition.Env{Set: condition.NewSet(), Currency: "GBP", Zones: zones, Lists: []string{"press"}, Around: 1}
	var ps spec.Problems
	var sources []condition.TraitSource
	for _, m := range traits {
		sources = append(sources, condition.TraitSource{Name: m.name, Node: parseJSON(t, m.text())})
	}
	condition.ParseTraits(sources, env, &ps)
	segments := insight.Compile(defs, env, &ps)
	if ps.Bad() {
		t.Fatalf("%v", ps.All())
	}
	older := edition(t, on, l, p.ID, env, sources, defs)
	truth := make([][]bool, len(refs))
	for i := range refs {
		truth[i] = refs[i].q.answers(l)
	}

	var watch insight.Watch
	alarms := func(n int, changes []insight.Change) []insight.Change {
		for next := segments.Next(p); next <= l.instant(n); next = segments.Next(p) {
			changes = append(changes, segments.Due(p, next, &watch)...)
			if again := segments.Next(p); again <= next {
				t.Fatalf("the alarm at %s leaves one at %s", next, again)
			}
		}
		return changes
	}
	steps := l.steps
	for n := range l.ticks {
		var changes []insight.Change
		switch {
		case n == 0:
			changes = segments.All(p, l.instant(0), false)
		case len(steps) > 0 && steps[0].heard == n:
			if next := segments.Next(p); next < l.instant(n) {
				t.Fatalf("tick %d: an alarm at %s, between ticks or not dealt with", n, next)
			}
			touched := apply(l, env.Set, p, n, steps[0])
			steps = steps[1:]
			changes = segments.Touched(p, touched, l.instant(n))
		default:
			changes = alarms(n, nil)
		}
		stop := l.ticks
		if len(steps) > 0 {
			stop = steps[0].heard
		}
		checkTick(t, l, p, segments, refs, truth, changes, n, stop)
		if n%7 == 3 {
			checkSince(t, p, older, segments, l.instant(n), l.instant(rapid.IntRange(n, max(n, stop-1)).Draw(t, "in force")))
		}
	}
	if stuck := watch.Stuck(); len(stuck) > 0 {
		t.Fatalf("stuck: %v", stuck)
	}
}

// edition compiles definitions as they may have been before: some were not there, and
// some asked something else.
func edition(t *rapid.T, on diet, l *life, id identity.ID, env *condition.Env, traits []condition.TraitSource, defs []insight.SegmentSource) *insight.Segments {
	var was []insight.SegmentSource
	var refs []ref
	for _, d := range defs {
		switch rapid.SampledFrom([]string{"the same", "the same", "another", "none"}).Draw(t, "was") {
		case "another":
			q := drawAsk(t, on, l, id, refs, nil, 2)
			refs = append(refs, ref{d.Name, q})
			d.Node = parseJSON(t, q.text())
		case "none":
			continue
		}
		was = append(was, d)
	}
	before := &condition.Env{Set: env.Set, Currency: env.Currency, Zones: zones, Lists: env.Lists, Around: env.Around}
	var ps spec.Problems // one may rest on what was not there, and was not there either then
	condition.ParseTraits(traits, before, &ps)
	return insight.Compile(was, before, &ps)
}

// checkSince holds [insight.Segments.Since] against asking everything anew, for a
// customer who was evaluated under the older definitions.
func checkSince(t *rapid.T, p *profile.Profile, older, newer *insight.Segments, at, now event.Time) {
	was := *p
	was.Segments, was.Untils = nil, nil
	older.All(&was, at, false)
	for next := older.Next(&was); next <= now; next = older.Next(&was) {
		older.Due(&was, next, nil)
	}
	all, since := was, was
	want := newer.All(&all, now, true)
	if got := newer.Since(newer.Beyond(older), &since, now, true); !slices.Equal(got, want) {
		t.Fatalf("at %s: %+v, want %+v", now, got, want)
	}
	for _, name := range newer.Names() {
		got, want := since.Member(condition.SegmentKey(name)), all.Member(condition.SegmentKey(name))
		if got.In != want.In || got.In && got.Since != want.Since || got.Until <= now {
			t.Fatalf("at %s: %s is %+v, want %+v", now, name, got, want)
		}
	}
}

func checkTick(t *rapid.T, l *life, p *profile.Profile, segments *insight.Segments, refs []ref, truth [][]bool, changes []insight.Change, n, stop int) {
	for i, m := range p.Memberships() {
		if !m.In && m.Until == event.Never || i > 0 && m.Key <= p.Segments[i-1].Key || len(p.Untils) > 0 && len(p.Untils) != len(p.Segments) {
			t.Fatalf("tick %d: membership %d says nothing, or stands at the wrong place: %+v", n, i, m)
		}
	}
	for i, r := range refs {
		want := truth[i][n]
		m := p.Member(condition.SegmentKey(r.name))
		if m.In != want {
			t.Fatalf("tick %d (%s): %s is %v, want %v: %s", n, l.instant(n), r.name, m.In, want, r.q.text())
		}
		turned := want != (n > 0 && truth[i][n-1])
		told := 0
		for _, c := range changes {
			if c.Segment == r.name {
				told++
				if c.In != want || c.At != l.instant(n) {
					t.Fatalf("tick %d: change %+v, want %v", n, c, want)
				}
			}
		}
		if turned != (told == 1) || told > 1 {
			t.Fatalf("tick %d: %s turned %v and %d changes tell so", n, r.name, turned, told)
		}
		if turned && want && m.Since != l.instant(n) {
			t.Fatalf("tick %d: %s since %s", n, r.name, m.Since)
		}
		c := condition.Context{P: p, Now: l.instant(n), Zones: zones}
		cond := segments.Cond(r.name)
		v := cond.Eval(&c)
		if v.True != want {
			t.Fatalf("tick %d: Eval of %s is %v, want %v: %s", n, r.name, v.True, want, r.q.text())
		}
		if v.Until <= c.Now {
			t.Fatalf("tick %d: Until of %s is %s", n, r.name, v.Until)
		}
		// Nothing is heard before stop: the answer must stand until Until.
		for later := n + 1; later < stop && l.instant(later) < v.Until; later++ {
			if truth[i][later] != want {
				t.Fatalf("tick %d: %s turns at tick %d and Until is %s (%s later): %s", n, r.name, later, v.Until, v.Until.Sub(c.Now), r.q.text())
			}
		}
		// Between two ticks nothing changes, just before the next one neither.
		if m.Until > l.instant(n+1)-1 {
			c.Now = l.instant(n+1) - 1
			if between := cond.Eval(&c); between.True != want || between.Until <= c.Now {
				t.Fatalf("just before tick %d: Eval of %s is %v until %s, want %v: %s", n+1, r.name, between.True, between.Until, want, r.q.text())
			}
		}
		if because := cond.Eval(&condition.Context{P: p, Now: l.instant(n), Zones: zones, Explain: n%50 == 0}).Because; n%50 == 0 && len(because) == 0 {
			t.Fatalf("tick %d: no reason for %s", n, r.name)
		}
	}
}

func parseJSON(t *rapid.T, text string) spec.Node {
	n, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}
