package engine

import "rapport/internal/core/event"

// UnpackWanted is what a catch-up reads blocks with.
func UnpackWanted(block []byte, wanted func(event.Type, string) bool) ([]Heard, error) {
	r := &reading{}
	err := r.add(block, wanted)
	return r.events, err
}

// UnpackAll reads blocks as a catch-up does those of one customer.
func UnpackAll(blocks [][]byte) ([]Heard, error) {
	r := &reading{}
	for _, block := range blocks {
		if err := r.add(block, nil); err != nil {
			return nil, err
		}
	}
	return r.events, nil
}
