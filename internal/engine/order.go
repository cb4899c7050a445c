package engine

import (
	"cmp"
	"slices"

	"rapport/internal/core/identity"
)

// HeardInOrder puts the events of several strands, of months one after the other,
// into the order in which they were heard: sessions, and what a day may bring,
// depend on it. What was heard at one instant stays as it stands.
func HeardInOrder(events []Heard) {
	slices.SortStableFunc(events, func(a, b Heard) int { return cmp.Compare(a.Now, b.Now) })
}

// StrandsOf returns the id and its strands in an order that does not depend on
// which of them took the others in: of two events that were heard at one instant the
// same comes first, whoever the customer is called after.
func StrandsOf(id identity.ID, strands []identity.ID) []identity.ID {
	all := append([]identity.ID{id}, strands...)
	slices.SortFunc(all, identity.ID.Compare)
	return all
}
