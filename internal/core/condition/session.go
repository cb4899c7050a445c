package condition

import (
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Visit returns the session after the event: the one that goes on, or a new one
// if there was a pause of profile.SessionGap. What the product did to the
// customer is no visit. A late event changes nothing: it cannot be said any more
// which of the visits since were one. [Set.Rebuild] follows the same rule, so
// the state that Apply keeps and the state that history gives agree.
func Visit(s profile.Session, e *event.Event) profile.Session {
	switch {
	case !e.IsVisit():
		return s
	case s.Count == 0, e.At >= s.Last.Add(profile.SessionGap):
		return profile.Session{Start: e.At, Last: e.At, Count: s.Count + 1}
	case e.At > s.Last:
		s.Last = e.At
	}
	return s
}

// sessionTag returns the tag by which sessions are counted apart: the start of
// the session that the instant belongs to. An instant outside the session that
// goes on is late; it gets the half hour on the clock, which is the session it
// most likely was.
func sessionTag(s profile.Session, at event.Time) uint64 {
	gap := span(profile.SessionGap)
	if s.Count > 0 && at > s.Start-gap && at < s.Last+gap {
		return tagOf(uint64(s.Start))
	}
	return tagOf(uint64(at / gap * gap))
}

// tagOf returns a tag that is not zero: zero stands for no tag.
func tagOf(n uint64) uint64 {
	if n == 0 {
		return 1
	}
	return n
}
