package csv

import (
	"rapport/internal/core/event"
	"rapport/internal/sources/table"
)

// forgotten reports whether the order is of somebody who was erased, and refuses
// its lines. Their text is left out of the report.
func (r *run) forgotten(o *order) (bool, error) {
	if r.o.Erased == nil {
		return false, nil
	}
	var traits event.Builder
	traits.SetText("email", o.text[Email]).SetText("phone", o.text[Phone])
	e := event.Event{Type: event.Track, Trust: event.Server, User: o.text[Customer], Traits: traits.Object()}
	if !r.o.Erased(&e) {
		return false, nil
	}
	for i := range o.items {
		if err := r.refuse(&table.Record{Line: o.items[i].line}, "", table.ErasedReason); err != nil {
			return true, err
		}
	}
	return true, nil
}
