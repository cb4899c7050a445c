package journey_test

import (
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/condition"
	"rapport/internal/core/journey"
	"rapport/internal/core/spec"
)

// problems parses a source and returns what is said about it.
func problems(t *testing.T, source string) (d *journey.Definition, bad, warnings []string) {
	t.Helper()
	var ps spec.Problems
	e := env(condition.NewSet())
	e.Template = func(name string) bool { return !strings.HasPrefix(name, "no-") }
	d = journey.Parse("test", flow(t, source), e, &ps)
	for _, p := range ps.All() {
		if p.Warning {
			warnings = append(warnings, p.Error())
		} else {
			bad = append(bad, p.Error())
		}
	}
	return d, bad, warnings
}

func TestWhatIsWrongInADefinitionIsSaidWithItsPlaceAndWhatToWrite(t *testing.T) {
	t.Parallel()
	const send = `{send: {template: a, reason: you came}}`
	for _, c := range []struct{ name, source, want string }{
		{"a misspelt field", `{triger: {event: A}, steps: [` + send + `]}`, `test.yaml:1: a journey has no field "triger" (write: trigger)`},
		{"no trigger", `{steps: [` + send + `]}`, `the journey has no trigger`},
		{"no steps", `{trigger: {event: A}}`, `the journey has no steps`},
		{"an empty list of steps", `{trigger: {event: A}, steps: []}`, `the journey has no steps`},
		{"an unknown step", "{trigger: {event: A}\n steps: [{name: first, wait: 1d, next: frist}]}", `test.yaml:2: there is no step "frist" (write: first)`},
		{"two steps of one name", `{trigger: {event: A}, steps: [{name: a, wait: 1d}, {name: a, wait: 2d}]}`, `there are two steps named "a"`},
		{"two kinds in a step", `{trigger: {event: A}, steps: [{wait: 1d, jump: end}]}`, `one step is both wait and jump`},
		{"a step that does nothing", `{trigger: {event: A}, steps: [{name: a}]}`, `the step says nothing to do`},
		{"a loop without a wait", `{trigger: {event: A}, steps: [{name: a, send: {template: x, reason: y}}, {name: b, jump: a}]}`, `the loop a → b → a never waits`},
		{"a loop over a condition that may hold already", `{trigger: {event: A}, steps: [{name: a, wait_for: {any: [{when: {trait: x, exists: true}, next: a}], timeout: 1d}}]}`, `the loop a → a never waits`},
		{"a loop over a date that may have passed", `{trigger: {event: A}, steps: [{name: a, wait: {until_date: trait.x, late: now}, next: a}]}`, `the loop a → a never waits`},
		{"a promotion without a reason", `{trigger: {event: A}, steps: [{send: {template: x}}]}`, `the promotion does not say why this person gets it`},
		{"a message without a template", `{trigger: {event: A}, steps: [{send: {reason: x}}]}`, `the message has no template`},
		{"an unknown template", `{trigger: {event: A}, steps: [{send: {template: no-such, reason: x}}]}`, `there is no template "no-such"`},
		{"an unknown channel", `{trigger: {event: A}, steps: [{send: {template: x, channel: emial, reason: x}}]}`, `there is no channel "emial" (write: email)`},
		{"an unknown class", `{trigger: {event: A}, steps: [{send: {template: x, class: sale, reason: x}}]}`, `there is no class "sale" (write: marketing or service)`},
		{"an unknown placeholder", `{trigger: {event: A}, steps: [{send: {template: x, reason: "hi {name}"}}]}`, `the placeholder {name} is none of`},
		{"an open brace", `{trigger: {event: A}, steps: [{send: {template: x, reason: "hi {name"}}]}`, `a { has no }`},
		{"an unknown segment", `{trigger: {segment: vpi}, steps: [` + send + `]}`, `there is no segment "vpi" (write: vip)`},
		{"a date that is no time", `{trigger: {date: birthday, at: "25:00"}, steps: [` + send + `]}`, `at is a time of day`},
		{"an offset that is no day", `{trigger: {date: birthday, offset: -3h}, steps: [` + send + `]}`, `offset is a number of days`},
		{"a schedule nobody understands", `{trigger: {schedule: now and then 09:00}, steps: [` + send + `]}`, `the schedule is not understood`},
		{"a schedule without a time", `{trigger: {schedule: every monday}, steps: [` + send + `]}`, `it names no time of day`},
		{"a schedule that never comes", `{trigger: {schedule: "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;BYDAY=5MO;BYHOUR=9;BYMINUTE=60"}, steps: [` + send + `]}`, `BYMINUTE takes numbers`},
		{"a rule that is not ours", `{trigger: {schedule: "FREQ=YEARLY;BYHOUR=9"}, steps: [` + send + `]}`, `FREQ is DAILY, WEEKLY or MONTHLY`},
		{"an unknown zone", `{trigger: {schedule: every day 09:00, zone: Europe/Atlantis}, steps: [` + send + `]}`, `there is no time zone "Europe/Atlantis"`},
		{"a month as a duration", `{trigger: {event: A}, steps: [{wait: 1mo}, ` + send + `]}`, `wait is a length of time`},
		{"a wait of no time", `{trigger: {event: A}, steps: [{wait: 0d}, ` + send + `]}`, `wait is no time at all`},
		{"two waits in one", `{trigger: {event: A}, steps: [{wait: {for: 1d, rhythm: product}}, ` + send + `]}`, `a wait is exactly one of`},
		{"a holdout that is a bare number", `{trigger: {event: A}, holdout: 10, steps: [` + send + `]}`, `holdout is a share of customers`},
		{"an unknown rule", `{trigger: {event: A}, reentry: always, steps: [` + send + `]}`, `there is no re-entry rule "always"`},
		{"shares that do not make a whole", `{trigger: {event: A}, steps: [{split: {shares: {a: 50, b: 40}}}, {name: a, wait: 1d}, {name: b, wait: 2d}]}`, `the shares make 90 percent`},
		{"an arm that leads nowhere", `{trigger: {event: A}, steps: [{split: {shares: {a: 50, b: 50}}}, {name: a, wait: 1d}]}`, `the arm "b" of the split leads nowhere`},
		{"a date that skips a fork", `{trigger: {event: A}, steps: [{wait: {until_date: trait.x}}, {split: {shares: {a: 50, b: 50}}}, {name: a, wait: 1d, next: end}, {name: b, wait: 2d}]}`, `which leads to several steps`},
		{"a journey that changes an address", `{trigger: {event: A}, steps: [{update: {traits: {email: x}}}]}`, `does not change where a person is written to`},
		{"a wrong condition", `{trigger: {event: A}, audience: {trate: x, is: 1}, steps: [` + send + `]}`, `"trate" is no kind of condition`},
		{"too many steps", `{trigger: {event: A}, steps: [` + strings.Repeat("{wait: 1d}\n", journey.MaxSteps+1) + `]}`, `the limit is 200`},
		{"a list for a map", `{trigger: {event: A}, steps: [{send: [a]}]}`, `a send step is a list of fields`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, bad, _ := problems(t, c.source)
			if d != nil {
				t.Error("it was taken all the same")
			}
			if !slices.ContainsFunc(bad, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("said:\n\t%s\nwant:\n\t%s", strings.Join(bad, "\n\t"), c.want)
			}
		})
	}
}

func TestWhatIsProbablyNotMeantIsWarnedOf(t *testing.T) {
	t.Parallel()
	const send = `send: {template: a, reason: hello`
	for _, c := range []struct{ name, source, want string }{
		{"a step nobody reaches", `{trigger: {event: A}, steps: [{` + send + `}, next: end}, {name: lost, wait: 1d}]}`, `no path leads to the step "lost"`},
		{"a wait for ever", `{trigger: {event: A}, steps: [{wait_for: {any: [{event: B}]}}]}`, `waits for ever`},
		{"a newsletter to everybody", `{trigger: {schedule: every monday 09:00}, steps: [{` + send + `}}]}`, `the only condition of the promotion "a" is that time has passed`},
		{"an audience of absence", `{trigger: {schedule: every monday 09:00}, audience: {did_not: Order Completed, within: 90d}, steps: [{` + send + `}}]}`, `time has passed`},
		{"a second promotion after a mere wait", `{trigger: {event: A}, steps: [{` + send + `}}, {wait: 3d}, {send: {template: b, reason: hello again}}]}`, `the promotion "b"`},
		{"an audience that asks for something", `{trigger: {schedule: every monday 09:00}, audience: {did: Product Viewed, within: 7d}, steps: [{` + send + `}}]}`, ""},
		{"a reason about the person", `{trigger: {schedule: every monday 09:00}, steps: [{send: {template: a, reason: "{trait.points} points expire"}}]}`, ""},
		{"a product by its own rhythm", `{trigger: {event: A}, steps: [{` + send + `}}, {wait: {rhythm: product}}, {send: {template: b, product: replenishment, reason: due}}]}`, ""},
		{"an event", `{trigger: {event: A}, steps: [{` + send + `}}]}`, ""},
		{"a birthday", `{trigger: {date: birthday}, steps: [{` + send + `}}]}`, ""},
		{"a service message", `{trigger: {schedule: every monday 09:00}, steps: [{send: {template: a, class: service}}]}`, ""},
		{"a branch that found something", `{trigger: {event: A}, steps: [{` + send + `}}, {wait: 3d}, {branch: {cases: [{when: {trait: x, exists: true}, next: more}], else: end}}, {name: more, send: {template: b, reason: hello}}]}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, bad, warnings := problems(t, c.source)
			if d == nil {
				t.Fatalf("not taken: %v", bad)
			}
			switch {
			case c.want == "" && len(warnings) > 0:
				t.Errorf("warned of %v", warnings)
			case c.want != "" && !slices.ContainsFunc(warnings, func(s string) bool { return strings.Contains(s, c.want) }):
				t.Errorf("warned of %v, want %s", warnings, c.want)
			}
		})
	}
}

func TestTheVersionIsOfTheSourceAndNothingElse(t *testing.T) {
	t.Parallel()
	parse := func(s string) uint64 { d, _, _ := problems(t, s); return d.Version }
	a := parse(`{trigger: {event: A}, steps: [{wait: 1d}]}`)
	if b := parse("{trigger: {event: A}\n\n\n steps: [{wait: 1d}]}"); a != b {
		t.Error("an empty line made a new version")
	}
	if b := parse(`{trigger: {event: A}, steps: [{wait: 2d}]}`); a == b {
		t.Error("a longer wait is the same version")
	}
}

func TestPagesSeeStepsAndEdges(t *testing.T) {
	t.Parallel()
	d, _, _ := problems(t, cart)
	var got []string
	for _, s := range d.Steps() {
		line := s.Name + ": " + s.Title
		for _, e := range s.Edges {
			line += " [" + e.Label + " → " + e.To + "]"
		}
		got = append(got, line)
	}
	want := []string{
		"pause: Wait for Checkout Started, at most 1h [Checkout Started → second] [after 1h → first]",
		"first: Send cart-1 by email [ → wait-3]",
		"wait-3: Wait 1d [ → second]",
		"second: Send cart-2 by email [ → ]",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("steps:\n%s", strings.Join(got, "\n"))
	}
	if exits, goals := d.Ends(); len(exits) != 1 || len(goals) != 1 || goals[0] != "completed an order" {
		t.Fatalf("ends %v, %v", exits, goals)
	}
	if got := d.Templates(); !slices.Equal(got, []string{"cart-1", "cart-2"}) {
		t.Fatalf("templates %v", got)
	}
}

func FuzzAnyTreeIsReadOrRefusedWithoutPanic(f *testing.F) {
	f.Add(cart)
	f.Add(`{trigger: {schedule: "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9"}, steps: [{split: {shares: {a: 1, b: 99}}}, {name: a, wait: 1d}, {name: b, exit: why}]}`)
	f.Add(`{trigger: [], audience: [], exit: {any: [1, {}, []]}, goal: null, holdout: NaN%, steps: {a: {wait: {until_date: ..}}}, move: {a: b}}`)
	f.Fuzz(func(t *testing.T, source string) {
		n, bad := readFlow(source)
		if bad != "" || len(source) > 4000 {
			t.Skip()
		}
		var ps spec.Problems
		d := journey.Parse("test", n, env(condition.NewSet()), &ps)
		if (d == nil) != ps.Bad() {
			t.Fatalf("taken %v, yet the problems are %v", d != nil, ps.All())
		}
		if d != nil {
			d.Steps()
		}
	})
}
