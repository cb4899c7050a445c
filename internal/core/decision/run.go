package decision

import (
	"slices"

	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// twin reports whether the same run of a campaign has written, or is about to
// write, to the customer under another of their strands: two profiles that were
// both come to, and then turned out to be one person. Of two messages that only
// wait the one with the lesser id stays, whichever is asked first.
func (e *asking) twin() bool {
	run, ok := journey.RunOf(e.a.Key)
	if !ok {
		return false
	}
	said := func(strand identity.ID) bool {
		id := profile.NameDelivery(e.Workspace, e.a.Journey, 0, e.a.Step, journey.RunOccurrence(run), strand, e.a.Channel)
		if id == e.a.Delivery {
			return false
		}
		if contactAt(e.p, id) >= 0 {
			return true
		}
		i := openAt(e.p, id)
		return i >= 0 && (e.p.Open[i].State != profile.Planned || slices.Compare(id[:], e.a.Delivery[:]) < 0)
	}
	return len(e.p.Strands) > 0 && (said(e.p.ID) || slices.ContainsFunc(e.p.Strands, said))
}
