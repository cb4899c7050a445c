package engine

import "rapport/internal/core/event"

// UnpackWanted is what a catch-up reads blocks with.
func UnpackWanted(block []byte, wanted func(event.Type, string) bool) ([]Heard, error) {
	r := &reading{}
	err := r.add(block, wanted)
	return r.events, err
}
