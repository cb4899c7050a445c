package core

import "rapport/internal/core/event"

// Counted returns the events of a history that count: those that no undone import
// brought, and of an order that was told twice the first.
func Counted(history []*event.Event) []*event.Event {
	kept, _ := Counting(history)
	return once(kept)
}
