package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/predict"
)

// Predictions knows the models and what they last said of themselves;
// [predict.Runner] is one.
type Predictions interface {
	Abouts() []predict.About
	Reports() ([]predict.Report, error)
	// Live returns what models say of a customer who is here at this moment.
	Live(events []predict.Event, now event.Time) []predict.Word
}

// model is a model and its last report.
type model struct {
	Name     string         `json:"name"`
	Title    string         `json:"title"`
	Predicts []string       `json:"predicts" doc:"Names of its predictions; one that ends in a dot has many."`
	Needs    []predict.Need `json:"needs" doc:"The least that it learns from."`
	Ran      string         `json:"ran,omitempty" doc:"When it ran last. Absent: never."`
	// The rest is of that run.
	Refused     string           `json:"refused,omitempty" doc:"Why it says nothing: what is missing."`
	Customers   int              `json:"customers" doc:"From how many it learned."`
	Predicted   int              `json:"predicted" doc:"Of how many it has something to say."`
	Method      string           `json:"method,omitempty" doc:"What was chosen, and among what."`
	Figures     []predict.Figure `json:"figures,omitempty" doc:"Parameters and fit."`
	Checked     string           `json:"checked,omitempty" doc:"On which data it was checked that it did not learn from."`
	Calibration []predict.Bin    `json:"calibration,omitempty" doc:"What was predicted beside what came, on that data."`
}

// word is what a model says of one customer.
type word struct {
	Name     string          `json:"name"`
	Label    condition.Words `json:"label" doc:"What the name stands for, in words."`
	Unit     string          `json:"unit,omitempty" enum:"share,money,orders,days,date,hour,times,rfm" doc:"Of the value: a share of 1, money of the shop's currency, an hour of the week from Monday at midnight, how many times more than others, a kind by RFM. Absent: it is a text."`
	Value    any             `json:"value"`
	At       string          `json:"at"`
	Until    string          `json:"until,omitempty" doc:"From then on it says nothing. Absent: until the model speaks again."`
	Model    string          `json:"model"`
	Evidence string          `json:"evidence" doc:"What it rests on, in a sentence."`
}

// visit is the visit in which a customer is at this moment.
type visit struct {
	Here   bool   `json:"here" doc:"Whether they are in a visit now: they were heard of within the last half hour."`
	Began  string `json:"began,omitempty"`
	Last   string `json:"last,omitempty" doc:"When they were heard of last in it."`
	Looks  int    `json:"looks" doc:"Products they looked at in it."`
	Bought bool   `json:"bought" doc:"Whether the visit has led to an order already."`
	Intent *word  `json:"intent,omitempty" doc:"How likely it ends in an order, from 0 to 1."`
	// Silent says why there is no intent.
	Silent  string `json:"silent,omitempty" enum:"away,bought,nothing_looked_at,never_ran,refused,no_models" doc:"Why there is no intent: nobody is here, the visit has led to an order, nothing was looked at, the model was never fitted, or it has too little to learn from."`
	Missing string `json:"missing,omitempty" doc:"What the model lacks."`
	// How far it can be believed, on visits that it did not learn from.
	Base        float64       `json:"base,omitempty" doc:"Of all visits, which share ends in an order."`
	Ran         string        `json:"ran,omitempty" doc:"When the model was fitted."`
	Checked     string        `json:"checked,omitempty"`
	Calibration []predict.Bin `json:"calibration,omitempty" doc:"What was predicted beside what came, on visits held back."`
}

// predictions adds the operations about predictions.
func (a *API) predictions() {
	const tag = "predictions"
	route(a, get("/predictions", tag, "List the models, what they need, and how far they can be believed", "A model with too little to learn from says nothing but what is missing."),
		func(context.Context, *struct{}) (*body[page[model]], error) {
			return answer(a.models())
		})
	route(a, get("/customers/{id}/predictions", tag, "List what models say of a customer", "In order of their names. What is said of a visit under way is as of now."),
		func(ctx context.Context, in *Who) (*body[page[word]], error) {
			p, err := a.person(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			list := page[word]{Data: []word{}}
			said, err := a.said(ctx, p)
			if err != nil {
				return nil, err
			}
			for _, s := range said {
				list.Data = append(list.Data, wordOf(s))
			}
			return answer(list, nil)
		})
	route(a, get("/customers/{id}/visit", tag, "Say how likely the visit under way ends in an order", "As of now, by the model that was fitted last, with what it was checked by. Where nothing can be said, why."),
		func(ctx context.Context, in *Who) (*body[visit], error) {
			p, err := a.person(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(a.visit(ctx, p))
		})
}

func wordOf(s predict.Word) word {
	label, unit := condition.SayPrediction(s.Name)
	return word{s.Name, label, unit, json.RawMessage(s.Value.AppendJSON(nil)), s.At.String(), s.Until.String(), s.Model, s.Evidence}
}

// visit says what can be said of a visit under way.
func (a *API) visit(ctx context.Context, p *profile.Profile) (v visit, err error) {
	now := a.o.Now()
	v.Here = p.Session.Count > 0 && now < p.Session.Last.Add(profile.SessionGap)
	var report predict.Report
	if a.o.Predictions == nil {
		v.Silent = "no_models"
	} else if report, err = a.intentReport(); err != nil {
		return v, err
	}
	v.Ran, v.Checked, v.Calibration = report.At.String(), report.Checked, report.Calibration
	for _, f := range report.Figures {
		if f.Name == predict.BaseRate {
			v.Base = f.Value
		}
	}
	if !v.Here {
		v.Silent = cmp.Or(v.Silent, "away")
		return v, nil
	}
	v.Began, v.Last = p.Session.Start.String(), p.Session.Last.String()
	events, err := a.visits(ctx, p)
	if err != nil {
		return v, err
	}
	for i := range events {
		if e := &events[i]; e.At >= p.Session.Start {
			v.Bought = v.Bought || e.Name == event.OrderCompleted
			if e.Name == event.ProductViewed {
				v.Looks++
			}
		}
	}
	if a.o.Predictions == nil {
		return v, nil
	}
	for _, w := range a.o.Predictions.Live(events, now) {
		if w.Name == predict.IntentName {
			said := wordOf(w)
			v.Intent = &said
			return v, nil
		}
	}
	switch {
	case v.Bought:
		v.Silent = "bought"
	case report.Refused != "":
		v.Silent, v.Missing = "refused", report.Refused
	case report.At == 0:
		v.Silent = "never_ran"
	default:
		v.Silent = "nothing_looked_at"
	}
	return v, nil
}

// intentReport returns what the model of intent last said of itself.
func (a *API) intentReport() (r predict.Report, err error) {
	reports, err := a.o.Predictions.Reports()
	for i := range reports {
		if reports[i].Model == predict.IntentName {
			r = reports[i]
		}
	}
	return r, err
}

// said returns what models say of a customer, by name: of a visit under way what they
// say of it now.
func (a *API) said(ctx context.Context, p *profile.Profile) ([]predict.Word, error) {
	now := a.o.Now()
	list := predict.Said(p, now)
	if a.o.Predictions == nil || p.Session.Count == 0 || now >= p.Session.Last.Add(profile.SessionGap) {
		return list, nil
	}
	events, err := a.visits(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, w := range a.o.Predictions.Live(events, now) {
		list = slices.DeleteFunc(list, func(old predict.Word) bool { return old.Name == w.Name })
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b predict.Word) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// mostBlocks is how many blocks of a history are read to judge a visit, the newest:
// how often somebody came years ago says little of today.
const mostBlocks = 1000

// visits returns what a customer did, as models learn of it.
func (a *API) visits(ctx context.Context, p *profile.Profile) ([]predict.Event, error) {
	blocks, err := a.o.Store.History(ctx, append([]identity.ID{p.ID}, p.Strands...)...)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", p.ID, err)
	}
	var list []predict.Event
	for _, b := range blocks[max(0, len(blocks)-mostBlocks):] {
		events, err := engine.UnpackHistory(b.Body)
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", p.ID, err)
		}
		for i := range events {
			e := &events[i].Event
			if e.Origin == event.Import {
				continue // an old order comes without the visit that led to it
			}
			list = append(list, predict.Told(p.ID, e))
		}
	}
	slices.SortStableFunc(list, func(a, b predict.Event) int { return cmp.Compare(a.At, b.At) })
	return list, nil
}

func (a *API) models() (page[model], error) {
	list := page[model]{Data: []model{}}
	if a.o.Predictions == nil {
		return list, nil
	}
	reports, err := a.o.Predictions.Reports()
	if err != nil {
		return list, err
	}
	for i, about := range a.o.Predictions.Abouts() {
		r := &reports[i]
		list.Data = append(list.Data, model{
			Name: about.Name, Title: about.Title, Predicts: about.Predicts, Needs: about.Needs, Ran: r.At.String(), Refused: r.Refused,
			Customers: r.Customers, Predicted: r.Predicted, Method: r.Method, Figures: r.Figures, Checked: r.Checked, Calibration: r.Calibration,
		})
	}
	return list, nil
}
