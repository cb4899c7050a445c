package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/condition/sentence"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/money"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/people"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/run"
)

// maxJourney bounds the text of one journey.
const maxJourney = 200_000

// draftShown is a journey that somebody is writing.
type draftShown struct {
	Name     string          `json:"name"`
	Path     string          `json:"path" doc:"The file that it stands in."`
	Tag      string          `json:"tag" doc:"Of the definitions in force that it was read with."`
	Text     string          `json:"text" doc:"As written."`
	Tree     json.RawMessage `json:"tree" doc:"The same as JSON, with its comments as notes."`
	OK       bool            `json:"ok" doc:"Whether it may come into force: warnings do not hinder."`
	Problems []flaw          `json:"problems"`
	Triggers []string        `json:"triggers" doc:"What lets customers in."`
	Audience string          `json:"audience,omitempty"`
	Exits    []string        `json:"exits"`
	Goals    []string        `json:"goals"`
	Holdout  float64         `json:"holdout"`
	Steps    []step          `json:"steps"`
}

// flaw is a problem with the place where it is.
type flaw struct {
	Step    string   `json:"step,omitempty" doc:"The step that it is of; absent: the journey as a whole."`
	Place   []string `json:"place" doc:"Keys and indices that lead to it from the root of the tree."`
	Where   string   `json:"where" doc:"File, line and column."`
	What    string   `json:"what"`
	Instead string   `json:"instead,omitempty"`
	Warning bool     `json:"warning"`
}

// draftCall brings a journey that somebody is writing.
type draftCall struct {
	Named
	Body struct {
		Text string `json:"text" maxLength:"200000" doc:"The journey, in YAML or JSON."`
	}
}

// rehearseCall asks how a journey would go for a customer.
type rehearseCall struct {
	Named
	Body struct {
		Text     string         `json:"text,omitempty" maxLength:"200000" doc:"The journey as it is being written. Default: as it is in force."`
		Customer string         `json:"customer" minLength:"1" maxLength:"300" doc:"A customer id, user id, e-mail address or phone number."`
		At       string         `json:"at,omitempty" maxLength:"40" doc:"When it begins: a date or an instant. Before now the customer is what they were then. Default: now."`
		Trigger  int            `json:"trigger,omitempty" minimum:"0" maximum:"50" default:"1" doc:"Which trigger is supposed to happen, from 1; 0: none."`
		Props    map[string]any `json:"properties,omitempty" doc:"Of the trigger's event. Default: those of the customer's newest such event."`
		Events   []supposed     `json:"events,omitempty" maxItems:"50" doc:"What the customer is supposed to do afterwards."`
		For      string         `json:"for,omitempty" maxLength:"20" doc:"How long the customer is followed. Default: 60d."`
		Anew     bool           `json:"anew,omitempty" doc:"As if they had never been in this journey."`
		Holdout  bool           `json:"holdout,omitempty" doc:"Who is held out gets nothing, as in earnest. Default: everybody is treated."`
	}
}

type supposed struct {
	After string         `json:"after" maxLength:"20" example:"3d" doc:"How long after the beginning."`
	Event string         `json:"event" minLength:"1" maxLength:"200"`
	Props map[string]any `json:"properties,omitempty"`
}

// flow is how customers went through a journey, and where they are.
type flow struct {
	report.Flow
	Share    float64          `json:"share" doc:"Of people who are held out."`
	Standing map[string]int64 `json:"standing" doc:"How many times a customer is at each step now."`
	Learnt   bool             `json:"learnt" doc:"Whether there is a warehouse to count with; without one only standing is known."`
}

// standingLine is a customer in a journey, or behind one of its numbers.
type standingLine struct {
	CustomerLine
	Step    string     `json:"step,omitempty" doc:"Where they are now."`
	Entered event.Time `json:"entered,omitempty"`
	Since   event.Time `json:"since,omitempty" doc:"When they came to the step."`
	Until   event.Time `json:"until,omitempty" doc:"When they go on by themselves."`
	HeldOut bool       `json:"held_out"`
}

// journeyVersion is a journey as it was.
type journeyVersion struct {
	Tag     string     `json:"tag" doc:"Of the definitions with which it came into force."`
	InForce bool       `json:"in_force"`
	By      string     `json:"by,omitempty" doc:"Who put them in force; absent: it is not known any more."`
	At      event.Time `json:"at,omitempty"`
	Text    string     `json:"text" doc:"Empty: the journey was taken away."`
	Lines   []string   `json:"lines" doc:"How it differs from the version before, as diff -u writes it."`
}

// journeys adds the operations with which a journey is made.
func (a *API) journeys() {
	const tag = "journeys"
	route(a, get("/steps", tag, "List the kinds of triggers and steps that journeys are made of", "With their fields, where they lead, a sentence and a JSON schema of each, for whoever builds an editor."),
		func(context.Context, *struct{}) (*body[shapes], error) {
			triggers, steps, whole := journey.Triggers(), journey.StepShapes(), journey.Whole()
			return answer(shapes{
				Triggers: shapesOf(triggers, true), Steps: shapesOf(steps, true), Beside: fieldsOf(journey.Beside()), Whole: shapeOf(&whole, true),
				Limits: map[string]int{"steps": journey.MaxSteps},
			}, nil)
		})
	route(a, get("/journeys/{name}/draft", tag, "Get a journey to work on it", "As it is in force, with its comments as notes. A name that no journey has is a new one."), func(ctx context.Context, in *Named) (*body[draftShown], error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		return answer(a.draft(ctx, pr, in.Name, pr.Source.JourneyFile(in.Name).Body))
	})
	check := operation{
		method: http.MethodPost, path: "/journeys/{name}/draft", scope: keys.Read, tag: tag, summary: "Check a journey that is being written", maxBody: 2 * maxJourney,
		about: "Its steps in words, and what is wrong with each. Changes nothing.",
	}
	route(a, check, func(ctx context.Context, in *draftCall) (*body[draftShown], error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		return answer(a.draft(ctx, pr, in.Name, in.Body.Text))
	})
	route(a, get("/journeys/{name}/versions", tag, "List the versions of a journey that are still known", "The newest first."), a.versions)
	route(a, get("/journeys/{name}/flow", tag, "Count how customers went through a journey, by step", "Counting who is inside reads every customer."), a.flow)
	route(a, get("/journeys/{name}/people", tag, "List the customers behind a number of a journey", "In order of their ids. A page may be empty though others follow."), a.flowPeople)
	route(a, operation{
		method: http.MethodPost, path: "/journeys/{name}/test", scope: keys.Read, tag: tag, summary: "Try a journey out on a customer", maxBody: 4 * maxJourney,
		about: "With the functions that walk it in earnest: each decision with what it saw, each message as the customer would read it. Sends nothing, and changes nothing.",
	}, a.rehearse)
}

// draft shows a journey as it would stand among the definitions in force.
func (a *API) draft(ctx context.Context, pr *program.Program, name, text string) (draftShown, error) {
	file := program.File{Path: pr.Source.JourneyFile(name).Path, Body: text}
	v := draftShown{
		Name: name, Path: file.Path, Tag: run.Tag(pr.Source), Text: text, Tree: json.RawMessage("null"), OK: true, Problems: []flaw{}, Triggers: []string{}, Exits: []string{}, Goals: []string{}, Steps: []step{},
	}
	if strings.TrimSpace(text) == "" {
		v.OK = false
		return v, nil // a new one
	}
	d, err := pr.Draft(file, func(src *program.Source) []spec.Problem { return a.o.Node.Check(ctx, src) })
	if err != nil {
		return v, err
	}
	if d.Shown != nil {
		v.Tree = sentence.JSON(d.Tree)
		line := journeyOf(d.Shown, nil)
		v.Triggers, v.Audience, v.Exits, v.Goals, v.Holdout, v.Steps = line.Triggers, line.Audience, line.Exits, line.Goals, line.Holdout, shownSteps(d.Shown)
	}
	for _, p := range d.Problems {
		v.OK = v.OK && p.Warning
		v.Problems = append(v.Problems, flaw{stepAt(d.Tree, p.Place), append([]string{}, p.Place...), p.Pos.String(), p.What, p.Instead, p.Warning})
	}
	return v, nil
}

// stepAt names the step that a place in a journey is in.
func stepAt(tree spec.Node, place []string) string {
	if len(place) < 2 || place[0] != "steps" {
		return ""
	}
	steps, _ := tree.Get("steps")
	if steps.Kind == spec.Map {
		return place[1]
	}
	for i := range steps.Items {
		if strconv.Itoa(i) != place[1] {
			continue
		}
		name, _ := steps.Items[i].Get("name")
		if name.Text != "" {
			return name.Text
		}
		for _, f := range steps.Items[i].Fields {
			for _, s := range journey.StepShapes() {
				if s.Key == f.Key {
					return f.Key + "-" + strconv.Itoa(i+1)
				}
			}
		}
	}
	return ""
}

func (a *API) versions(ctx context.Context, in *Named) (*body[page[journeyVersion]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	out := page[journeyVersion]{Data: []journeyVersion{}}
	for i, v := range pr.JourneyVersions(in.Name) {
		one := journeyVersion{Tag: run.Tag(v.Source), InForce: i == 0, Text: v.Body, Lines: append([]string{}, v.Lines...)}
		if a.o.People != nil {
			for _, d := range a.o.People.Deeds(0, 1, func(d *people.Deed) bool { return d.Detail == "definitions "+one.Tag && d.Status < 300 }) {
				one.By, one.At = d.Actor.Name, event.At(d.At)
			}
		}
		out.Data = append(out.Data, one)
	}
	return answer(out, nil)
}

func (a *API) flow(ctx context.Context, in *Named) (*body[flow], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	d := pr.Core.Journeys.Definition(in.Name)
	if d == nil {
		return nil, errNoJourney
	}
	v := flow{Flow: report.Flow{Steps: []report.StepFlow{}, Currency: money.Currency(pr.Currency)}, Share: d.Holdout}
	if a.o.Warehouse != nil {
		t := report.Tables{Warehouse: a.o.Warehouse, Now: a.o.Now}
		if v.Flow, err = t.Flow(ctx, in.Name, d.Holdout); err != nil {
			return nil, err
		}
		v.Learnt, v.Currency = true, cmp.Or(v.Currency, pr.Currency)
	}
	v.Standing, err = a.o.Node.Standing(ctx, in.Name)
	return answer(v, err)
}

// stepsEver names the steps of a journey, and behind them those that only earlier versions
// had, where people may have been.
func stepsEver(pr *program.Program, name string) (list []string) {
	for _, d := range append([]*journey.Definition{pr.Core.Journeys.Definition(name)}, pr.Older...) {
		if d == nil || d.Name != name {
			continue
		}
		for _, s := range d.Steps() {
			if !slices.Contains(list, s.Name) {
				list = append(list, s.Name)
			}
		}
	}
	return list
}

var errNoJourney = fault.New(fault.NotFound, "no journey of that name is in force")

func (a *API) flowPeople(ctx context.Context, in *struct {
	Named
	Step string `query:"step" maxLength:"64" doc:"Default: the journey as a whole."`
	Who  string `query:"who" enum:"standing,entered,reached,left,goal,sent,clicked,opened,bounced,open,expired,dropped,withheld,recalled,render_failed,rejected,unknown,accepted" default:"standing" doc:"Whom to list: who is there now, who came, left or reached the goal there, or what became of their message."`
	Why  string `query:"reason" maxLength:"64" doc:"With a state of messages: only those that this reason stopped."`
	Paging
},
) (*body[page[standingLine]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if pr.Core.Journeys.Definition(in.Name) == nil {
		return nil, errNoJourney
	}
	if steps := stepsEver(pr, in.Name); in.Step != "" && !slices.Contains(steps, in.Step) {
		return nil, fault.New(fault.NotFound, "the journey has no step "+strconv.Quote(in.Step)+"; its steps are "+strings.Join(steps, ", "))
	}
	after, err := in.customer("journey")
	if err != nil {
		return nil, err
	}
	out := page[standingLine]{Data: []standingLine{}}
	if in.Who == "standing" {
		list, next, err := a.o.Node.StandingAt(ctx, in.Name, in.Step, after, in.Limit)
		if err != nil {
			return nil, err
		}
		if !next.Zero() {
			out.Next = cursorOf("journey", next.String())
		}
		for _, p := range list {
			line := standingLine{CustomerLine: lineOf(p)}
			for i := range p.Journeys {
				if at := &p.Journeys[i]; at.Journey == in.Name && (in.Step == "" || at.Step == in.Step) {
					line.Step, line.Entered, line.Since, line.HeldOut = at.Step, at.Entered, at.Since, at.Held
					if at.Wake != event.Never {
						line.Until = at.Wake
					}
				}
			}
			out.Data = append(out.Data, line)
		}
		return answer(out, nil)
	}
	if a.o.Warehouse == nil {
		return nil, errNoWarehouse
	}
	t := report.Tables{Warehouse: a.o.Warehouse, Now: a.o.Now}
	found, err := t.FlowPeople(ctx, in.Name, in.Step, in.Who, in.Why, after, in.Limit)
	if err != nil {
		return nil, err
	}
	if found.More {
		out.Next = cursorOf("journey", found.IDs[len(found.IDs)-1].String())
	}
	known, err := a.people(ctx, found.IDs)
	for _, p := range known {
		out.Data = append(out.Data, standingLine{CustomerLine: lineOf(p)})
	}
	return answer(out, err)
}

func (a *API) rehearse(ctx context.Context, in *rehearseCall) (*body[run.Rehearsed], error) {
	b := &in.Body
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	q := run.Rehearsal{Journey: in.Name, Customer: b.Customer, Trigger: b.Trigger, Anew: b.Anew, Holdout: b.Holdout}
	if strings.TrimSpace(b.Text) != "" {
		file := program.File{Path: pr.Source.JourneyFile(in.Name).Path, Body: b.Text}
		if q.Source, err = pr.Source.With([]program.File{file}, nil); err != nil {
			return nil, err
		}
	}
	if q.At, err = instant(b.At, pr.Zone); err != nil {
		return nil, err
	}
	if q.For, err = length(b.For); err != nil {
		return nil, err
	}
	if q.Props, err = objectOfMap(b.Props); err != nil {
		return nil, err
	}
	for _, s := range b.Events {
		one := run.Supposed{Name: s.Event}
		if one.After, err = length(s.After); err != nil {
			return nil, err
		}
		if one.Props, err = objectOfMap(s.Props); err != nil {
			return nil, err
		}
		q.Events = append(q.Events, one)
	}
	out, err := a.o.Node.Rehearse(ctx, q)
	if fault.Is(err, fault.NotFound) && !strings.Contains(err.Error(), "journey") {
		return nil, errNobody // the identifier is not repeated
	}
	if err != nil {
		return nil, err
	}
	for i := range out.Moments {
		if m := out.Moments[i].Message; m != nil && m.Preview != nil && m.Preview.HTML != "" {
			m.Frame = a.frames.keep(m.Preview.HTML)
			m.Preview.HTML = "" // it is shown by its frame
		}
	}
	return answer(out, nil)
}

// objectOfMap turns what JSON brought into the product's own encoding.
func objectOfMap(m map[string]any) (event.Object, error) {
	if len(m) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the properties are no JSON")
	}
	return object(raw)
}

// length reads a length of time as definitions write it.
func length(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, ok := journey.Length(s)
	if !ok {
		return 0, fault.New(fault.Invalid, "a length of time is a number with s, m, h, d or w, such as 3d")
	}
	return d, nil
}
