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
