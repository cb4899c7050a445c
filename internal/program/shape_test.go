package program_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/journey"
	"rapport/internal/core/spec"
	"rapport/internal/program"
)

// everyStep and everyTrigger hold one of each kind, in every way to write it.
const everyStep = `
journey: all
trigger:
  - {event: Order Completed, where: {total: {">=": 5}}, key: order_id}
  - {date: birthday, offset: -3d, at: "10:00", repeat: never}
  - {schedule: every monday 09:00, zone: Europe/London, start: 2026-01-05}
  - {catalogue: price_drop, interest: [carted], drop: 10%, where: {category: lighting}}
title: All of it
description: for tests
audience: {trait: plan, is: gold}
reentry: never
exit: {did: Order Completed}
goal: {trait: plan, is: gold}
holdout: 5%
max_lateness: 2h
retest: false
serves: first → repeat
steps:
  - {name: a, note: the first, wait: {for: 3d, restart: true}}
  - {name: b, wait: {until_time: "10:00", weekdays: [mon..fri], restart: true}}
  - {name: c, wait: {until_date: trait.renewal, offset: -3d, at: "09:00", late: now}, otherwise: e}
  - {name: d, wait: {rhythm: product, category: coffee, offset: -1d}, otherwise: end}
  - name: e
    send: {template: t, reason: Because, channel: email, class: marketing, purpose: marketing, product: trigger.sku, category: lighting,
      delay: 1h, expires: 2d, priority: 3, max_lateness: 1h, await: accepted}
    otherwise: g
  - {name: f, wait_for: {any: [{event: Order Completed, next: h}, {when: {trait: plan, is: gold}}], timeout: 7d, restart: true}, otherwise: k}
  - {name: g, branch: {cases: [{when: {trait: plan, is: gold}, next: k}, {when: {trait: plan, is: tin}}], else: end}}
  - {name: h, split: {name: x, shares: {i: 40, b: 60}, to: {b: k}}}
  - {name: i, update: {traits: {welcomed: true}}, next: k}
  - {name: j, jump: {to: a}}
  - {name: k, goal: {why: done, recall: false}}
  - {name: l, exit: {why: over, recall: true}}
`

// shapeEnv are the surroundings of a journey that asks for little.
func shapeEnv() *journey.Env {
	return &journey.Env{Conditions: &condition.Env{Set: condition.NewSet(), Segments: []string{"vip", "lapsed"}, Zones: func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			return nil
		}
		return loc
	}}}
}

func node(t *testing.T, body string) spec.Node {
	t.Helper()
	var ps spec.Problems
	docs := program.ParseYAML("j.yaml", 1, body, &ps)
	if len(docs) != 1 || ps.Bad() {
		t.Fatalf("%v", ps.All())
	}
	return docs[0]
}

// The parser takes the fields of the table and no others; so whatever a journey may
// say is described, in both languages, if each description is whole.
func TestEveryKindIsDescribed(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../core/journey/definition.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t\w+ +Kind = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) < 9 {
		t.Fatalf("the kinds are not found in definition.go: %v", declared)
	}
	shapes := journey.StepShapes()
	for _, d := range declared {
		if !slices.ContainsFunc(shapes, func(s journey.Shape) bool { return s.Key == d[1] }) {
			t.Errorf("the step %s is not described", d[1])
		}
	}
	two := func(where string, w journey.Words) {
		if w.EN == "" || w.DE == "" {
			t.Errorf("%s has no words in both languages: %+v", where, w)
		}
	}
	var fields func(where string, list []journey.Field)
	fields = func(where string, list []journey.Field) {
		for _, f := range list {
			if f.Named() {
				continue
			}
			two(where+"."+f.Name, f.Label)
			two(where+"."+f.Name+" about", f.About)
			if f.Type == "" {
				t.Errorf("%s.%s has no type", where, f.Name)
			}
			for _, o := range f.Options {
				two(where+"."+f.Name+" "+o.Value, o.Label)
			}
			if choice := f.Type == journey.ChoiceField || f.Type == journey.ChoicesField; choice && len(f.Options) == 0 {
				t.Errorf("%s.%s has no options", where, f.Name)
			}
			if f.Type == journey.ListField && len(f.Items) == 0 {
				t.Errorf("%s.%s does not say what stands in it", where, f.Name)
			}
			fields(where+"."+f.Name, f.Items)
		}
	}
	for _, s := range append(append(journey.Triggers(), shapes...), journey.Whole()) {
		two(s.Key, s.Label)
		two(s.Key+" about", s.About)
		fields(s.Key, s.Fields)
		for _, way := range s.Ways {
			two(s.Key+"/"+way.Key, way.Label)
			two(s.Key+"/"+way.Key+" says", way.Says)
			fields(s.Key+"/"+way.Key, way.Fields)
		}
		if s.Key == "journey" {
			continue
		}
		two(s.Key+" says", s.Says)
		if s.Example == "" {
			t.Errorf("%s has no example", s.Key)
		}
	}
	fields("step", journey.Beside())
}

func TestEveryExampleOfAStepParses(t *testing.T) {
	t.Parallel()
	for _, s := range journey.StepShapes() {
		body := "journey: one\ntrigger: {event: A}\nholdout: 0\nsteps:\n  - {name: begin, wait: 1d}\n  - {name: it, " + s.Example + "}\n"
		for _, name := range []string{"thanks", "vip-mail", "mail-a", "mail-b", "first-mail"} {
			body += "  - {name: " + name + ", wait: 1d}\n"
		}
		e := shapeEnv()
		e.Conditions.Segments = []string{"vip"}
		var ps spec.Problems
		if journey.Parse("one", node(t, body), e, &ps); ps.Bad() {
			t.Errorf("%s: %v", s.Key, ps.All())
		}
	}
}

// What a page needs to draw and edit the branches of a step stands in its shape: read
// by it, each journey has the edges that the walk takes.
func TestTheForksOfAStepAreItsEdges(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{"every step": everyStep}
	files, err := filepath.Glob("../../examples/*/journeys/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		bodies[f] = string(b)
	}
	for name, body := range bodies {
		n := node(t, body)
		steps, _ := n.Get("steps")
		drawn := journey.Draft("all", n, shapeEnv()).Steps()
		if len(drawn) != len(steps.Items) {
			t.Fatalf("%s: %d steps of %d", name, len(drawn), len(steps.Items))
		}
		for i, item := range steps.Items {
			below := "end"
			if i+1 < len(drawn) {
				below = drawn[i+1].Name
			}
			var want []string
			for _, e := range drawn[i].Edges {
				if e.Label == "in the past" {
					continue // follows from what the date's rule says
				}
				if e.To == "" {
					e.To = "end"
				}
				want = append(want, e.To)
			}
			got := forks(item, string(drawn[i].Kind), below)
			if item.Fields[0].Value.Text == "c" {
				got = got[:1] // a date whose rule is to go on takes no other way
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: step %s leads to %v, its shape says %v", name, drawn[i].Name, want, got)
			}
		}
	}
}

// forks reads where a step leads, by its shape alone.
func forks(item spec.Node, kind, below string) (to []string) {
	at := slices.IndexFunc(journey.StepShapes(), func(s journey.Shape) bool { return s.Key == kind })
	shape := journey.StepShapes()[at]
	inner, _ := item.Get(kind)
	if inner.Kind != spec.Map && shape.Short != "" {
		inner = spec.Node{Kind: spec.Map, Fields: []spec.Field{{Key: shape.Short, Value: inner}}}
	}
	look := func(place string) string {
		for _, n := range []spec.Node{item, inner} {
			if v, ok := n.Get(place); ok && v.Scalar() {
				return v.Text
			}
		}
		return ""
	}
	or := func(v string, f *journey.Fork) string {
		for _, place := range f.Falls {
			if v == "" {
				v = look(place)
			}
		}
		if v == "" {
			return below
		}
		return v
	}
	for _, f := range shape.Forks {
		if f.Each == "" {
			v := look(f.At)
			there := len(f.Needs) == 0
			for _, need := range f.Needs {
				_, has := inner.Get(need)
				there = there || has
			}
			if there && (v != "" || !f.Optional) {
				to = append(to, or(v, &f))
			}
			continue
		}
		list, _ := inner.Get(f.Each)
		for _, x := range list.Items {
			v, _ := x.Get(f.At)
			to = append(to, or(v.Text, &f))
		}
		for _, x := range list.Fields {
			m, _ := inner.Get(f.At)
			v, _ := m.Get(x.Key)
			if v.Text == "" {
				v.Text = x.Key // an arm that is named like a step leads there
			}
			to = append(to, v.Text)
		}
	}
	return to
}

func TestANoteMakesNoVersion(t *testing.T) {
	t.Parallel()
	version := func(body string) uint64 {
		var ps spec.Problems
		d := journey.Parse("all", node(t, body), shapeEnv(), &ps)
		if d == nil {
			t.Fatalf("%v", ps.All())
		}
		return d.Version
	}
	const plain = "journey: j\ntrigger: {event: A}\nsteps:\n  - {name: a, update: {traits: {note: one}}}\n"
	noted := strings.Replace(plain, "name: a,", "name: a, note: ask Eve about it,", 1)
	if version(plain) != version(noted) {
		t.Error("a note on a step makes a new version, which leaves people inside behind")
	}
	if other := strings.Replace(plain, "note: one", "note: two", 1); version(plain) == version(other) {
		t.Error("a trait that is called note is no note")
	}
}
