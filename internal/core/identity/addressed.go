package identity

import (
	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Addressed is an event on its way to a home: one entry of the log. An entry to
// nobody (the zero ID) is for the lane itself: a tick, a change of program.
type Addressed struct {
	To    ID
	Event event.Event
}

// Address sends an event to the home of its strongest identifier. It reports
// false if the event identifies nobody.
func (k Key) Address(e event.Event) (Addressed, bool) {
	ids := Of(&e)
	if len(ids) == 0 {
		return Addressed{}, false
	}
	return Addressed{k.Home(ids[0]), e}, true
}

// Append appends a in the product's own encoding.
func (a *Addressed) Append(dst []byte) []byte {
	dst = append(dst, a.To[:]...)
	return a.Event.Append(dst)
}

// DecodeAddressed reads the entry that s holds. Its texts are pieces of s.
func DecodeAddressed(s string) (a Addressed, err error) {
	r := wire.NewReader(s)
	copy(a.To[:], r.Bytes(len(a.To)))
	a.Event = event.Read(r)
	if r.Err() == nil && r.Rest() != "" {
		r.Fail("something follows the event")
	}
	return a, r.Err()
}

// Chance returns a number in [0, 1) that is the same for ever for this profile
// and experiment: the product's only dice.
func (id ID) Chance(experiment string) float64 {
	return float64(wire.Hash(string(id[:]), experiment)>>11) / (1 << 53)
}
