package insight

import (
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Trial answers the segment of the name for a profile, as if it had just been added
// to the segments by which the profile was evaluated: what it refers to and they
// have not is evaluated first, and counts from now. Known says which segments they
// have; the series of p must be those that s asks for. P is the caller's own copy,
// and its memberships afterwards are those of the trial.
func (s *Segments) Trial(p *profile.Profile, name string, known func(key uint64) bool, now event.Time) condition.Verdict {
	target, there := s.byKey[condition.SegmentKey(name)]
	if !there {
		return condition.Verdict{Until: event.Never}
	}
	var few [8]uint64
	dirty := s.due(p, now, s.set(few[:]))
	s.fresh(target, known, dirty)
	dirty[target>>6] |= 1 << (target & 63)
	r := run{s: s, p: p, now: now, silent: true}
	r.all(dirty)
	m := p.Member(s.list[target].key)
	return condition.Verdict{True: m.In, Until: m.Until}
}

// fresh marks what the segment at the place refers to and nobody evaluated yet.
func (s *Segments) fresh(n int, known func(key uint64) bool, dirty []uint64) {
	for _, key := range s.list[n].cond.Deps().Segments {
		used, there := s.byKey[key]
		if !there || known(key) || dirty[used>>6]&(1<<(used&63)) != 0 {
			continue
		}
		dirty[used>>6] |= 1 << (used & 63)
		s.fresh(used, known, dirty)
	}
}

// Has reports whether there is a segment of the key, hidden ones included.
func (s *Segments) Has(key uint64) bool {
	_, there := s.byKey[key]
	return there
}
