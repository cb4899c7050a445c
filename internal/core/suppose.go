package core

import (
	"rapport/internal/core/event"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
)

// Suppose lets the journeys of p live through changes of segments that nothing has
// brought about, at now. It is for trying a journey out: in the segments themselves p
// stays what it is.
func (pr *Program) Suppose(p *profile.Profile, changes []insight.Change, now event.Time) (*profile.Profile, Effects) {
	own := *p
	r := &run{Program: pr, now: now, p: &own}
	r.follow(r.Journeys.OnAlarm(r.world(), r.note(changes)))
	r.settle()
	return r.p, r.eff
}
