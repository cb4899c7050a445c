package csv

import "rapport/internal/core/event"

// erasedReason is what the report says of the lines of somebody who was erased. It
// begins with the word that scripts look for.
const erasedReason = "erased: this customer asked to be forgotten, and nothing of them is taken any more"

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
		if err := r.refuse(&record{line: o.items[i].line}, "", erasedReason); err != nil {
			return true, err
		}
	}
	return true, nil
}
