package profile

import (
	"rapport/internal/core/wire"
)

// section is a part of the state that many profiles have none of. In a row it
// stands behind what all have, after its tag; who has none of it pays nothing.
// Whoever adds one chooses by how often it changes: sections stand in the rest, which
// is written only when something in it has changed, hotSections in the hot part,
// which is written with every event.
type section struct {
	tag    byte // stored: never renumber; neither noRest nor withRest
	empty  func(*Profile) bool
	append func(*Profile, []byte) []byte
	read   func(*Profile, *wire.Reader)
}

// sections are in the order in which they are written, which is that of their tags.
var sections = []section{
	{1, func(p *Profile) bool { return len(p.Predictions) == 0 }, (*Profile).appendPredictions, (*Profile).readPredictions},
	{10, func(p *Profile) bool { return len(p.Lists) == 0 }, (*Profile).appendLists, (*Profile).readLists},
	{11, func(p *Profile) bool { return len(p.Objects) == 0 }, (*Profile).appendObjects, (*Profile).readObjects},
}

// hotSections are those of the hot part: what almost every event changes. Tags are
// of one row of numbers with the others.
var hotSections = []section{
	{2, func(p *Profile) bool { return len(p.Scores) == 0 }, (*Profile).appendScores, (*Profile).readScores},
	{3, func(p *Profile) bool { return len(p.Tastes) == 0 }, (*Profile).appendTastes, (*Profile).readTastes},
	{12, func(p *Profile) bool { return len(p.Tallies) == 0 }, (*Profile).appendTallies, (*Profile).readTallies},
	{20, (*Profile).nowhere, (*Profile).appendWhere, (*Profile).readWhere},
	{21, (*Profile).deviceless, (*Profile).appendDevices, (*Profile).readDevices},
}

func appendSections(dst []byte, p *Profile, list []section) []byte {
	for i := range list {
		if s := &list[i]; !s.empty(p) {
			dst = s.append(p, append(dst, s.tag))
		}
	}
	return dst
}

// readSections reads sections and the byte behind them, which it returns: the end
// of the part, or the tag of a section that is not known or stands at the wrong
// place; cutOff if there is none.
func readSections(r *wire.Reader, p *Profile, list []section) int {
	next := 0
	for !r.Done() {
		tag := r.Byte()
		for next < len(list) && list[next].tag != tag {
			next++
		}
		if next == len(list) {
			return int(tag)
		}
		list[next].read(p, r)
		next++
	}
	return cutOff
}
