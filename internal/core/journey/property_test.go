package journey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// anyJourney draws a definition. Edges lead back only out of waits, so that most
// of them have no loop without one.
func anyJourney(t *rapid.T, name string) string {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	n := rapid.IntRange(1, 7).Draw(t, "steps")
	to := func(i int, back bool) string {
		low := i + 1
		if back {
			low = 0
		}
		k := rapid.IntRange(low, n).Draw(t, "to")
		if k == n {
			return "end"
		}
		return fmt.Sprint("s", k)
	}
	cond := func() string {
		return pick("cond", `{did: A, within: 1d}`, `{not: {did: B, within: 3h}}`, `{trait: mood, is: good}`,
			`{local_time: {from: "09:00", to: "18:00"}}`, `{did: A, times: ">= 3"}`, `{property: size, is: big}`)
	}
	var steps []string
	for i := range n {
		var s string
		switch pick("kind", "send", "send", "wait", "wait", "wait_for", "branch", "split", "update", "exit", "goal") {
		case "send":
			s = `send: {template: t, reason: "you {trigger.size|came}"` + pick("await", "", ", await: accepted", ", class: service") + `}, next: ` +
				to(i, false) + `, otherwise: ` + to(i, false)
		case "wait":
			s = `wait: ` + pick("wait", "1h", "2d", `{until_time: "10:00"}`, `{until_time: "01:30", weekdays: [sun]}`, `{for: 90m, restart: true}`) +
				`, next: ` + to(i, true)
		case "wait_for":
			s = fmt.Sprintf(`wait_for: {any: [{event: C, next: %s}, {when: %s, next: %s}], restart: true%s}, next: %s`,
				to(i, true), cond(), to(i, false), pick("timeout", ", timeout: 5h", ", timeout: 3d", ""), to(i, false))
		case "branch":
			s = fmt.Sprintf(`branch: {cases: [{when: %s, next: %s}], else: %s}`, cond(), to(i, false), to(i, false))
		case "split":
			s = fmt.Sprintf(`split: {shares: {x: 50, y: 50}, to: {x: %s, y: %s}}`, to(i, false), to(i, false))
		case "update":
			s = `update: {traits: {mood: ` + pick("mood", "good", "bad") + `}}, next: ` + to(i, false)
		case "exit":
			s = "exit: enough"
		default:
			s = "goal: done"
		}
		steps = append(steps, fmt.Sprintf("s%d: {%s}", i, s))
	}
	more := pick("reentry", "", "reentry: after_exit,", "reentry: {after: 1d},", "reentry: once_per_key,")
	if rapid.Bool().Draw(t, "goal") {
		more += "goal: {did: B},"
	}
	if rapid.Bool().Draw(t, "exit") {
		more += "exit: {any: [{did: D}, " + cond() + "]},"
	}
	trigger := pick("trigger", `{event: A}`, `{event: A, key: id}`, `[{event: A, key: id}, {segment: vip, on: enter}]`,
		`{schedule: every day 01:30}`, `{date: birthday, offset: -1d, at: "02:30"}`)
	return fmt.Sprintf("{journey: %s, trigger: %s, holdout: 20%%, %s steps: {%s}}", name, trigger, more, strings.Join(steps, "\n"))
}

// act is one thing that happens.
type act struct {
	wait   time.Duration
	name   string // empty: a trait is set
	id     string
	size   string
	late   time.Duration
	origin event.Origin
	vip    bool
	fate   profile.State
}

func anyActs(t *rapid.T) []act {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{
			wait:   rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Minute, 3 * time.Hour, 26 * time.Hour, 3 * 24 * time.Hour}).Draw(t, "wait"),
			name:   rapid.SampledFrom([]string{"A", "A", "A", "B", "C", "D", ""}).Draw(t, "name"),
			id:     rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "id"),
			size:   rapid.SampledFrom([]string{"big", "small"}).Draw(t, "size"),
			late:   rapid.SampledFrom([]time.Duration{0, 0, 0, 10 * time.Minute, 5 * time.Hour}).Draw(t, "late"),
			origin: rapid.SampledFrom([]event.Origin{event.Live, event.Live, event.Live, event.Import}).Draw(t, "origin"),
			vip:    rapid.IntRange(0, 4).Draw(t, "vip") == 0,
			fate:   rapid.SampledFrom([]profile.State{profile.Planned, profile.Planned, profile.Dropped}).Draw(t, "fate"),
		}
	}), 1, 12).Draw(t, "acts")
}

// live runs the acts in a fresh shop. If slices is more than one, each stretch
// of time passes in so many pieces, and the profile is stored and read again
// between them.
func live(t testing.TB, who byte, sources []string, acts []act, pieces int) *shop {
	s := &shop{t: t, qs: condition.NewSet(), now: monday, zone: zones("Europe/London"), p: profile.New(identity.ID{who}), sends: true}
	var defs []*journey.Definition
	for i, source := range sources {
		var ps spec.Problems
		if d := journey.Parse(fmt.Sprint("j", i), flow(t, source), env(s.qs), &ps); d != nil {
			defs = append(defs, d)
		}
	}
	s.set = journey.NewSet(defs, nil)
	s.now = event.At(time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)) // two days before the clocks change
	s.says("birthday", "1990-03-30")
	for _, a := range acts {
		for range pieces { // every wait is a multiple of four milliseconds
			s.pass(a.wait / time.Duration(pieces))
			if pieces > 1 {
				p, err := profile.Decode(string(s.p.Append(nil)))
				if err != nil {
					t.Fatal(err)
				}
				s.p = p
			}
		}
		fate := a.fate
		s.gate = func(journey.Intent) profile.State { return fate }
		if a.name == "" {
			s.says("mood", a.size)
			continue
		}
		e := s.event(s.now.Add(-a.late), a.name, "id", a.id, "size", a.size)
		e.Origin = a.origin
		var changes []insight.Change
		if a.vip {
			changes = append(changes, insight.Change{Segment: "vip", In: true, At: s.now})
		}
		s.heard(e, changes...)
	}
	s.pass(3 * days)
	return s
}

func TestWhateverHappensNobodyIsStuckAndNobodyIsWrittenToAfterTheExit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sources := []string{anyJourney(rt, "first"), anyJourney(rt, "second")}
		acts := anyActs(rt)
		s := live(t, 9, sources, acts, 1) // take checks after each step that nobody is stuck

		// Each run: entered, then wishes, then at most one end, in this order.
		type run struct{ journey, key, entered string }
		entered := map[run]int{}
		ended := map[run]bool{}
		for _, f := range s.facts {
			r := run{f.Props.Text("journey"), f.Props.Text("key"), f.Props.Text("entered")}
			switch f.Name {
			case event.JourneyEntered:
				entered[r]++
			case event.JourneyLeft, event.GoalReached:
				if entered[r] == 0 {
					rt.Fatalf("%v ended before it began", r)
				}
				entered[r]--
				ended[r] = true
			}
		}
		for r, n := range entered {
			open := slices.ContainsFunc(s.p.Journeys, func(in profile.Instance) bool {
				return in.Journey == r.journey && in.Key == r.key && in.Entered.String() == r.entered
			})
			if n > 1 || open != (n == 1) {
				rt.Fatalf("%v is inside %d times; the profile says %v", r, n, open)
			}
		}
		occurrences := map[string]bool{}
		for i := range s.intents {
			in := &s.intents[i]
			name := in.Journey + in.Step + in.Occurrence()
			if occurrences[name] {
				rt.Fatalf("wished twice: %+v", in)
			}
			occurrences[name] = true
			for _, f := range s.facts {
				if (f.Name == event.JourneyLeft || f.Name == event.GoalReached) && f.At < in.At && f.Props.Text("journey") == in.Journey &&
					f.Props.Text("key") == in.Key && f.Props.Text("entered") == in.Entered.String() && f.Props.Text("trigger") == string(in.Trigger) {
					rt.Fatalf("wished %+v after it had left at %s", in, f.At)
				}
			}
		}
		ids := map[event.ID]bool{}
		for _, f := range s.facts {
			if ids[f.ID] {
				rt.Fatalf("two facts have the id %s: %s %s", f.ID, f.Name, f.Props.AppendJSON(nil))
			}
			ids[f.ID] = true
		}
		for i := range s.p.Journeys {
			in := &s.p.Journeys[i]
			if in.Wake <= s.now || in.Check <= s.now {
				rt.Fatalf("overdue: %+v", in)
			}
		}
	})
}

func TestAReplayAndAnyCuttingOfTimeGiveTheSameState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sources := []string{anyJourney(rt, "first"), anyJourney(rt, "second")}
		acts := anyActs(rt)
		a, b, c := live(t, 9, sources, acts, 1), live(t, 9, sources, acts, 1), live(t, 9, sources, acts, 4)
		for _, other := range []*shop{b, c} {
			if string(a.p.Append(nil)) != string(other.p.Append(nil)) {
				rt.Fatal("the profiles differ")
			}
			if !slices.Equal(a.log, other.log) {
				rt.Fatalf("different things happened:\n%s\n\n%s", strings.Join(a.log, "\n"), strings.Join(other.log, "\n"))
			}
			if !slices.Equal(a.intents, other.intents) || !slices.EqualFunc(a.facts, other.facts, func(x, y event.Event) bool { return x == y }) {
				rt.Fatal("the effects differ")
			}
		}
	})
}

func TestJoiningIsTheSameFromBothSides(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sources := []string{anyJourney(rt, "first"), anyJourney(rt, "second")}
		a := live(t, 9, sources, anyActs(rt), 1)
		b := live(t, 8, sources, anyActs(rt), 1)
		ab, r1 := join(a, b)
		ba, r2 := join(b, a)
		key := func(ins []profile.Instance) string { return fmt.Sprintf("%+v", ins) }
		if key(ab.Journeys) != key(ba.Journeys) || fmt.Sprintf("%+v", ab.Past) != fmt.Sprintf("%+v", ba.Past) {
			rt.Fatalf("it matters who joins whom:\n%+v\n%+v\n%+v\n%+v", ab.Journeys, ba.Journeys, ab.Past, ba.Past)
		}
		if !slices.Equal(r1, r2) {
			rt.Fatalf("recalled %d, and from the other side %d", len(r1), len(r2))
		}
		again := *ab
		a.set.Join(&again, b.p)
		if key(again.Journeys) != key(ab.Journeys) {
			rt.Fatal("joining twice is not joining once")
		}
	})
}
