package demo

import (
	"context"
	"iter"

	"rapport/internal/core/event"
	"rapport/internal/predict"
	"rapport/internal/warehouse"
)

// Real returns a source of what known customers bought and sent back, out of the
// tables of the warehouse. Nobody did anything else: how people treat their mail is
// invented, and nothing may be concluded of it.
func Real(w warehouse.Warehouse) predict.Source {
	return bought{&predict.Tables{Warehouse: w, Known: true}}
}

// bought hides what is invented.
type bought struct{ *predict.Tables }

// Events yields nothing.
func (bought) Events(context.Context, event.Time, ...string) iter.Seq2[predict.Event, error] {
	return func(func(predict.Event, error) bool) {}
}
