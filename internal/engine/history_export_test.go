package engine

import "rapport/internal/core/event"

// UnpackWanted is what a catch-up reads the blocks of a customer with.
func UnpackWanted(wanted func(event.Type, string) bool, blocks ...[]byte) ([]Heard, error) {
	r := &reading{}
	for _, block := range blocks {
		if err := r.add(block, wanted); err != nil {
			return nil, err
		}
	}
	return r.events, nil
}
