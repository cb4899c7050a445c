package core

import "rapport/internal/core/event"

// Counted returns of a history the events that count, in their order: those of no
// import that was undone, and each order once.
func Counted(history []*event.Event) []*event.Event {
	kept, _ := Counting(history)
	return once(kept)
}
