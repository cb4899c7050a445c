package predict

import (
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Word is what a model says of one customer, as pages and the API show it.
type Word struct {
	Name     string      `json:"name"`
	Value    event.Value `json:"value"`
	At       event.Time  `json:"at"`
	Until    event.Time  `json:"until,omitempty"`
	Model    string      `json:"model"`
	Evidence string      `json:"evidence"`
}

// Said returns what models say of a customer as of now, by name.
func Said(p *profile.Profile, now event.Time) []Word {
	list := []Word{}
	for i := range p.Predictions {
		if s, ok := p.Prediction(p.Predictions[i].Name, now); ok {
			list = append(list, Word{s.Name, s.Value, s.At, s.Until, s.Model, s.Evidence})
		}
	}
	return list
}

// Live returns what models say of a customer who is here at this moment, by their
// events so far in the order in which they happened. It is not told to the log: the
// next click changes it.
func (r *Runner) Live(events []Event, now event.Time) (list []Word) {
	for _, m := range r.Models {
		live, ok := m.(interface {
			Now(events []Event, now event.Time) (Prediction, bool)
		})
		if !ok {
			continue
		}
		if p, said := live.Now(events, now); said {
			list = append(list, Word{p.Name, p.Value, now, p.Until, m.About().Name, p.Evidence})
		}
	}
	return list
}
