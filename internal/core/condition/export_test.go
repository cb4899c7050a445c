package condition

import (
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Trim brings p to what can be compared: without the series that nobody asks for, and
// without the observations that no window can ask about as of now.
func (s *Set) Trim(p *profile.Profile, now event.Time) {
	s.Drop(p)
	if p.Series = slices.Clone(p.Series); len(p.Series) == 0 {
		p.Series = nil
	}
	for i, old := range p.Series {
		q, series := s.list[s.byKey[old.Key]], *old
		if q.tag == "" {
			series.Obs = q.prune(series.Obs, now)
		} else {
			series.Obs = q.pruneTags(series.Obs, now)
		}
		p.Series[i] = &series
	}
	p.Tallies = slices.Clone(p.Tallies)
	for i, old := range p.Tallies {
		p.Tallies[i] = &profile.Tally{Key: old.Key, Marks: s.list[s.byKey[old.Key]].tidyMarks(slices.Clone(old.Marks), now)}
	}
}
