package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rapport/internal/audience"
	"rapport/internal/core/condition"
	"rapport/internal/core/condition/sentence"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/keys"
)

// cost is what one question of a condition takes.
type cost struct {
	What    string `json:"what" doc:"The question."`
	Keeps   int    `json:"keeps" doc:"Observations at most that are kept of one customer; 0: totals only."`
	History bool   `json:"history" doc:"Whether it looks at everything that ever happened."`
	Says    string `json:"says"`
}

func costsOf(q *condition.Cond) []cost {
	list := []cost{}
	if q != nil {
		for _, c := range q.Costs() {
			list = append(list, cost{c.What, c.Keeps, c.History, c.Sentence()})
		}
	}
	return list
}

// previewCall asks for a preview.
type previewCall struct {
	Body struct {
		When    any    `json:"when,omitempty" doc:"The condition, as in a segment's definition."`
		Text    string `json:"text,omitempty" maxLength:"60000" doc:"Instead of when: the condition, or the definition of a segment, in YAML."`
		Sample  int    `json:"sample,omitempty" minimum:"0" maximum:"100" default:"10" doc:"How many customers to show."`
		Purpose string `json:"purpose,omitempty" maxLength:"64" doc:"The consent that the funnel asks for. Default: marketing."`
		Wait    int    `json:"wait,omitempty" minimum:"0" maximum:"20" default:"2" doc:"For how many seconds to wait for the figures to be whole."`
	}
}

// preview is what a preview has found so far.
type audiencePreview struct {
	audience.Figures
	People []CustomerLine `json:"people" doc:"The customers of the sample."`
}

// audiences adds the operations about whom a condition is about.
func (a *API) audiences() {
	const tag = "segments"
	route(a, operation{
		method: http.MethodPost, path: "/segments/preview", scope: keys.Read, tag: tag, summary: "Count whom a condition is about, without saving it",
		about: "Everybody is asked, in the background. The answer is what is known after wait seconds; while its state is waiting or counting, ask for it again by its id. The counts are exact.",
	}, a.preview)
	route(a, get("/previews/{id}", tag, "Show how far a preview has come", ""), func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Wait int    `query:"wait" minimum:"0" maximum:"20" doc:"For how many seconds to wait for the figures to be whole."`
	},
	) (*body[audiencePreview], error) {
		p, err := a.desk.Find(in.ID)
		if err != nil {
			return nil, err
		}
		return answer(a.previewed(ctx, p.Wait(ctx, time.Duration(in.Wait)*time.Second)))
	})
	route(a, operation{
		method: http.MethodDelete, path: "/previews/{id}", scope: keys.Read, tag: tag, summary: "Stop a preview", status: http.StatusNoContent,
		about: "What it has counted by then can still be asked for. To stop it twice changes nothing.",
	}, func(_ context.Context, in *struct {
		ID string `path:"id" maxLength:"40"`
	},
	) (*struct{}, error) {
		p, err := a.desk.Find(in.ID)
		if err == nil {
			p.Stop()
		}
		return &struct{}{}, err
	})
	route(a, get("/segments/{name}/overlap", tag, "Say how segments lie over each other", "Each two of them, all, any, and who is in one alone. The counts are exact."), func(ctx context.Context, in *struct {
		Named
		With []string `query:"with,explode" required:"true" minItems:"1" maxItems:"7" doc:"The other segments."`
	},
	) (*body[audience.Overlap], error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		names := []string{}
		for _, name := range append([]string{in.Name}, in.With...) {
			if _, known := pr.Segment(name); !known {
				return nil, errNoSegment
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return answer(a.desk.Overlap(ctx, names))
	})
	route(a, get("/conditions", tag, "List the kinds of questions that conditions are made of", "With a label, a sentence, an example and the parts of each, for whoever builds a form."), func(context.Context, *struct{}) (*body[page[kind]], error) {
		out := page[kind]{Data: []kind{}}
		for _, k := range condition.Kinds() {
			out.Data = append(out.Data, kind{k.Key, k.Label, k.About, k.Group, append([]string{}, k.With...), k.Example, k.German, append([]condition.Part{}, k.Parts...)})
		}
		return answer(out, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/conditions/parse", scope: keys.Read, tag: tag, summary: "Read a sentence as a condition",
		about: "The English sentence of a segment, or one written like it.",
	}, func(_ context.Context, in *struct {
		Body struct {
			Sentence string `json:"sentence" minLength:"1" maxLength:"60000"`
		}
	},
	) (*body[spoken], error) {
		n, err := sentence.Parse(in.Body.Sentence)
		if err != nil {
			return nil, err
		}
		return answer(spoken{json.RawMessage(sentence.JSON(n)), sentence.Say(n, sentence.English), german(n)}, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/conditions/check", scope: keys.Read, tag: tag, summary: "Check a condition and say it as a sentence",
		about: "Nobody is counted. A condition in YAML or JSON is answered as JSON too, if it can be read.",
	}, a.checkCondition)
	route(a, get("/conditions/choices", tag, "List what could stand in a part of a condition", "What the definitions name, and what was seen with a sample of the customers: a value only if several of them have it."), a.choices)
	route(a, get("/traits", "traits", "List the computed traits", ""), a.traits)
	route(a, get("/lists", "lists", "List the lists that are kept by hand", ""), a.lists)
	route(a, operation{
		method: http.MethodPost, path: "/lists/{name}/members", scope: keys.Edit, tag: "lists", summary: "Put customers on a list, or take them off", status: http.StatusAccepted,
		about: "It is answered once it is durable. Each customer hears of it as an event, so it stands in their timeline.",
	}, a.enlist)
}

// spoken is a condition with its sentences.
type spoken struct {
	When    any    `json:"when" doc:"The condition, as previews and definitions take it."`
	English string `json:"english"`
	German  string `json:"german"`
}

// german says a condition in German, for people: only the English one is read back.
func german(n spec.Node) string {
	return sentence.Tell(n, sentence.German, func(n spec.Node) string { return condition.Tell(n, true) })
}

// conditionCall is a condition to be checked.
type conditionCall struct {
	Body struct {
		Text    string `json:"text" maxLength:"60000" doc:"The condition in YAML or JSON."`
		Trigger bool   `json:"trigger,omitempty" doc:"Whether there is a triggering event whose properties may be asked for, as inside journeys."`
	}
}

// conditionSaid is what there is to say of a condition.
type conditionSaid struct {
	OK       bool           `json:"ok" doc:"Whether it can be asked; warnings do not hinder."`
	Problems []spec.Problem `json:"problems" doc:"What is wrong, with line and column in the text."`
	When     any            `json:"when,omitempty" doc:"The condition as JSON."`
	Sentence string         `json:"sentence,omitempty" doc:"As the end of a sentence about a customer."`
	English  string         `json:"english,omitempty" doc:"As a sentence that can be read back."`
	German   string         `json:"german,omitempty"`
	Costs    []cost         `json:"costs" doc:"What its questions about events make each customer who did so carry along."`
}

func (a *API) checkCondition(ctx context.Context, in *conditionCall) (*body[conditionSaid], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	node, cond, problems := pr.Read(in.Body.Text, in.Body.Trigger)
	v := conditionSaid{OK: cond != nil, Problems: append([]spec.Problem{}, problems...), Costs: costsOf(cond)}
	if node.Kind != spec.Null {
		v.When = json.RawMessage(sentence.JSON(node))
		v.English, v.German = sentence.Say(node, sentence.English), german(node)
	}
	if cond != nil {
		v.Sentence = cond.Sentence()
	}
	return answer(v, nil)
}

// kind is one kind of question.
type kind struct {
	Key     string   `json:"key"`
	Label   string   `json:"label"`
	About   string   `json:"about"`
	Group   string   `json:"group"`
	With    []string `json:"with" doc:"Keys that may stand beside it."`
	Example string   `json:"example"`

	German condition.Naming `json:"german"`
	Parts  []condition.Part `json:"parts" doc:"What the question says, the value of its key first: enough for a form that shows and writes it."`
}

func (a *API) preview(ctx context.Context, in *previewCall) (*body[audiencePreview], error) {
	b := &in.Body
	if (b.When == nil) == (b.Text == "") {
		return nil, fault.New(fault.Invalid, "a condition is expected either as when or as text")
	}
	text := b.Text
	if b.When != nil {
		written, err := json.Marshal(b.When)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the condition cannot be read")
		}
		text = string(written)
	}
	p, problems, err := a.desk.Begin(ctx, audience.Wish{Condition: text, Sample: b.Sample, Purpose: b.Purpose})
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		wrong := &problem{Status: http.StatusBadRequest, Detail: "the condition is wrong: " + problems[0].Error()}
		for i := range problems {
			wrong.Errors = append(wrong.Errors, defect{problems[i].Pos.String(), problems[i].Error()})
		}
		return nil, wrong
	}
	return answer(a.previewed(ctx, p.Wait(ctx, time.Duration(b.Wait)*time.Second)))
}

// previewed shows figures with the customers of their sample.
func (a *API) previewed(ctx context.Context, f audience.Figures) (audiencePreview, error) {
	out := audiencePreview{Figures: f, People: []CustomerLine{}}
	people, err := a.people(ctx, f.Sample)
	for _, p := range people {
		out.People = append(out.People, lineOf(p))
	}
	return out, err
}

// memberLine is a customer in the list of a segment.
type memberLine struct {
	CustomerLine
	Since   event.Time `json:"since" doc:"Since when the customer is in it; null: since before the segment was."`
	Until   event.Time `json:"until" doc:"The customer stays at least until then if nothing happens; null: for ever."`
	Because []string   `json:"because" doc:"Why, as ends of sentences about the customer."`
}

func (a *API) members(ctx context.Context, in *struct {
	Named
	Paging
},
) (*body[page[memberLine]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if _, known := pr.Segment(in.Name); !known {
		return nil, errNoSegment
	}
	after, err := in.customer("members")
	if err != nil {
		return nil, err
	}
	key := condition.SegmentKey(in.Name)
	ids, err := a.o.Store.Members(ctx, key, after, in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("listing the members of %s: %w", in.Name, err)
	}
	out := page[memberLine]{Data: []memberLine{}}
	if len(ids) > in.Limit {
		ids = ids[:in.Limit]
		out.Next = cursorOf("members", ids[in.Limit-1].String())
	}
	people, err := a.people(ctx, ids)
	now := a.o.Now()
	for _, p := range people {
		m := p.Member(key)
		line := memberLine{CustomerLine: lineOf(p), Since: m.Since, Until: m.Until, Because: []string{}}
		if verdict, known := pr.Core.Segments.Explain(p, in.Name, now); known && verdict.True {
			for _, reason := range verdict.Because {
				line.Because = append(line.Because, reason.Sentence(now))
			}
		}
		out.Data = append(out.Data, line)
	}
	return answer(out, err)
}

// trait is one computed trait in force.
type trait struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	About string `json:"about,omitempty"`
	Is    string `json:"is" doc:"What it is, in words."`
}

func (a *API) traits(ctx context.Context, _ *struct{}) (*body[page[trait]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	out := page[trait]{Data: []trait{}}
	for _, t := range pr.Traits {
		out.Data = append(out.Data, trait{t.Name, t.Label, t.About, t.Sentence})
	}
	return answer(out, nil)
}

// list is one list that is kept by hand.
type list struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	About string `json:"about,omitempty"`
}

func (a *API) lists(ctx context.Context, _ *struct{}) (*body[page[list]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	out := page[list]{Data: []list{}}
	for _, l := range pr.Lists {
		out.Data = append(out.Data, list{l.Name, l.Label, l.About})
	}
	return answer(out, nil)
}

// enlistCall says who is put on a list, or taken off.
type enlistCall struct {
	Named
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"The same key does it once. Default: every request does it anew."`
	Body struct {
		Add    []string `json:"add,omitempty" maxItems:"500" doc:"Ids of customers."`
		Remove []string `json:"remove,omitempty" maxItems:"500" doc:"Ids of customers."`
	}
}

// enlisted says what a change of a list did.
type enlisted struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
}

func (a *API) enlist(ctx context.Context, in *enlistCall) (*body[enlisted], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if _, known := pr.List(in.Name); !known {
		return nil, fault.New(fault.NotFound, "no list of that name is in force")
	}
	// Everybody is looked up before anybody is told: a slip in one id does nothing.
	type word struct {
		to   identity.ID
		name string
	}
	var words []word
	for _, part := range []struct {
		field string
		ids   []string
		name  string
	}{{"add", in.Body.Add, event.ListJoined}, {"remove", in.Body.Remove, event.ListLeft}} {
		for i, text := range part.ids {
			p, err := a.person(ctx, text)
			if kind, why := fault.Of(err); kind == fault.NotFound || kind == fault.Invalid {
				return nil, fault.New(kind, fmt.Sprintf("%s[%d] (%s): %s; nobody was put on the list or taken off", part.field, i, text, why))
			}
			if err != nil {
				return nil, err
			}
			words = append(words, word{p.ID, part.name})
		}
	}
	now := a.o.Now()
	for _, w := range words {
		var props event.Builder
		props.SetText("list", in.Name)
		e := event.Event{
			ID: once("list", w.to.String()+w.name+in.Name, in.Key), Type: event.System, Name: w.name, At: now, Raw: now, Trust: event.Own, Source: "api", Props: props.Object(),
		}
		if err := a.o.Node.HearOf(ctx, w.to, []event.Event{e}); err != nil {
			return nil, err
		}
	}
	return answer(enlisted{len(in.Body.Add), len(in.Body.Remove)}, nil)
}

// listing is one list that a customer is on.
type listing struct {
	List  string     `json:"list"`
	Since event.Time `json:"since"`
}

// thing is one thing that belongs to a customer.
type thing struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Properties map[string]any `json:"properties"`
	At         event.Time     `json:"at" doc:"When it was said."`
}

// keptOf fills in what is kept of a customer beside traits.
func (a *API) keptOf(ctx context.Context, p *profile.Profile, v *customer) {
	v.Computed, v.Lists, v.Objects = map[string]any{}, []listing{}, []thing{}
	if pr, err := a.inForce(ctx); err == nil {
		now := a.o.Now()
		for i := range pr.Traits {
			if value, ok := pr.Traits[i].Value(p, now); ok {
				v.Computed[pr.Traits[i].Name] = value
			}
		}
	}
	for i := range p.Lists {
		if l := &p.Lists[i]; l.In {
			v.Lists = append(v.Lists, listing{l.List, l.At})
		}
	}
	for i := range p.Objects {
		o := &p.Objects[i]
		if o.Gone {
			continue
		}
		props := map[string]any{}
		o.Props.Each(func(key string, value event.Value) bool {
			props[key] = value
			return true
		})
		v.Objects = append(v.Objects, thing{o.Type, o.ID, props, o.At})
	}
}
