package api

import (
	"context"
	"encoding/json"

	"rapport/internal/predict"
)

// Predictions knows the models and what they last said of themselves;
// [predict.Runner] is one.
type Predictions interface {
	Abouts() []predict.About
	Reports() ([]predict.Report, error)
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
	Name     string `json:"name"`
	Value    any    `json:"value"`
	At       string `json:"at"`
	Until    string `json:"until,omitempty" doc:"From then on it says nothing. Absent: until the model speaks again."`
	Model    string `json:"model"`
	Evidence string `json:"evidence" doc:"What it rests on, in a sentence."`
}

// predictions adds the operations about predictions.
func (a *API) predictions() {
	const tag = "predictions"
	route(a, get("/predictions", tag, "List the models, what they need, and how far they can be believed", "A model with too little to learn from says nothing but what is missing."),
		func(context.Context, *struct{}) (*body[page[model]], error) {
			return answer(a.models())
		})
	route(a, get("/customers/{id}/predictions", tag, "List what models say of a customer", "In order of their names."),
		func(ctx context.Context, in *Who) (*body[page[word]], error) {
			p, err := a.person(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			list := page[word]{Data: []word{}}
			for _, s := range predict.Said(p, a.o.Now()) {
				list.Data = append(list.Data, word{s.Name, json.RawMessage(s.Value.AppendJSON(nil)), s.At.String(), s.Until.String(), s.Model, s.Evidence})
			}
			return answer(list, nil)
		})
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
