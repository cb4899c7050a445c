package decision

import (
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// window is one line of the law: the hours outside which nothing may be sent.
type window struct {
	quiet       Quiet
	from, until event.Time // in force; zero: open
}

// law holds the legal windows of data/law.txt.
var law = readLaw()

func (w *window) inForce(now event.Time) bool {
	return now >= w.from && (w.until == 0 || now < w.until)
}

func readLaw() []window {
	var list []window
	for _, line := range rows("law.txt") {
		w, ok := windowOf(strings.Split(line, "|"))
		if !ok {
			panic("decision: the embedded table law.txt has a line that is no legal window: " + line)
		}
		list = append(list, w)
	}
	return list
}

func windowOf(f []string) (w window, ok bool) {
	if len(f) != 10 {
		return w, false
	}
	q := &w.quiet
	q.Countries, q.region, q.Channels, q.source = []string{f[0]}, f[1], []string{f[2]}, f[8]
	first, last, isRange := strings.Cut(f[3], "-")
	if !isRange {
		last = first
	}
	a, b := slices.Index(weekdays[:], first), slices.Index(weekdays[:], last)
	if a < 0 || b < 0 {
		return w, false
	}
	for d := a; ; d = (d + 1) % 7 {
		q.Days[d] = true
		if d == b {
			break
		}
	}
	// What is allowed from 8 to 21 is quiet from 21 to 8.
	var from, to bool
	q.To, from = clockOf(f[4])
	q.From, to = clockOf(f[5])
	w.from, ok = dateOf(f[6])
	var until bool
	w.until, until = dateOf(f[7])
	return w, ok && until && from && to
}

func dateOf(s string) (event.Time, bool) {
	if s == "" {
		return 0, true
	}
	t, err := time.Parse(time.DateOnly, s)
	return event.At(t), err == nil
}
