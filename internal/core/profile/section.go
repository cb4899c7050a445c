package profile

import (
	"rapport/internal/core/wire"
)

// section is a part of the state that many profiles have none of. In a row it
// stands behind what all have, after its tag; who has none of it pays nothing.
type section struct {
	tag    byte // stored: never renumber
	empty  func(*Profile) bool
	append func(*Profile, []byte) []byte
	read   func(*Profile, *wire.Reader)
}

// sections are in the order in which they are written, which is that of their tags.
var sections = []section{
	{1, func(p *Profile) bool { return len(p.Predictions) == 0 }, (*Profile).appendPredictions, (*Profile).readPredictions},
	{2, func(p *Profile) bool { return len(p.Scores) == 0 }, (*Profile).appendScores, (*Profile).readScores},
	{3, func(p *Profile) bool { return len(p.Tastes) == 0 }, (*Profile).appendTastes, (*Profile).readTastes},
}

func (p *Profile) appendSections(dst []byte) []byte {
	for i := range sections {
		if s := &sections[i]; !s.empty(p) {
			dst = s.append(p, append(dst, s.tag))
		}
	}
	return dst
}

func (p *Profile) readSections(r *wire.Reader) {
	next := 0
	for !r.Done() {
		tag := r.Byte()
		for next < len(sections) && sections[next].tag != tag {
			next++
		}
		if next == len(sections) {
			r.Fail("a part of a profile that is not known, or stands at the wrong place")
			return
		}
		sections[next].read(p, r)
		next++
	}
}
