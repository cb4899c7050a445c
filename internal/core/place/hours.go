package place

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
)

// Span is a stretch of opening hours in minutes of the day on which it begins. To
// may lie beyond midnight, up to the same time of the next day.
type Span struct{ From, To int }

// Day is a day of the calendar.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// String returns the day as "2026-12-25".
func (d Day) String() string {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// next returns the day n days later.
func (d Day) next(n int) Day {
	t := time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC)
	return Day{t.Year(), t.Month(), t.Day()}
}

func (d Day) weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC).Weekday()
}

func compareDay(a, b Day) int {
	return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Month, b.Month), cmp.Compare(a.Day, b.Day))
}

// Exception is a day with hours of its own: a holiday, or the Sunday before Christmas.
type Exception struct {
	Day   Day    // of the year zero: every year
	Spans []Span // none: closed
}

// Hours are when a store is open, by its own wall clock. The zero Hours are not
// known: a store is then never said to be open or closed.
type Hours struct {
	Known      bool
	Week       [7][]Span   // by time.Weekday, in order
	Exceptions []Exception // by day; each replaces the hours that begin on its day
}

// of returns the spans that begin on the day.
func (h *Hours) of(d Day) []Span {
	for _, d := range [2]Day{d, {0, d.Month, d.Day}} {
		if i, ok := slices.BinarySearchFunc(h.Exceptions, d, func(e Exception, d Day) int { return compareDay(e.Day, d) }); ok {
			return h.Exceptions[i].Spans
		}
	}
	return h.Week[d.weekday()]
}

// lookAhead is how many days are searched for the next change. A store that does
// not change for so long is asked again then.
const lookAhead = 15

// Open reports whether the store is open at the instant by the clock of the zone,
// and the first instant after it at which that changes; if nothing changes within
// two weeks, an instant before which it does not. A span that begins in the hour
// that the change to summer time leaves out begins when the clock is put forward;
// one that ends in the hour that comes twice ends the first time.
func (h *Hours) Open(now event.Time, zone *time.Location) (open bool, until event.Time) {
	local := now.In(zone)
	today := Day{local.Year(), local.Month(), local.Day()}
	edge := event.Never
	end := event.Time(0) // until when what is open now stays so
	for n := -1; n <= lookAhead; n++ {
		day := today.next(n)
		for _, s := range h.of(day) {
			from, to := at(day, s.From, zone), at(day, s.To, zone)
			switch {
			case from <= now && now < to:
				open, end = true, max(end, to)
			case open && from > now && from <= end: // goes on without a break, as over midnight
				end = max(end, to)
			case from > now:
				edge = min(edge, from)
			}
		}
	}
	switch {
	case open:
		return true, end
	case edge != event.Never:
		return false, edge
	}
	return false, at(today.next(lookAhead), 0, zone)
}

// at is the instant at which the wall clock first shows the minute of the day.
func at(d Day, minute int, zone *time.Location) event.Time {
	d = d.next(minute / (24 * 60))
	minute %= 24 * 60
	t := time.Date(d.Year, d.Month, d.Day, minute/60, minute%60, 0, 0, zone)
	start, end := t.ZoneBounds()
	if shown := t.Hour()*60 + t.Minute(); shown != minute {
		// The hour is left out on this day: what would begin in it begins at the change.
		if shown < minute && !end.IsZero() {
			return event.At(end)
		}
		if !start.IsZero() {
			return event.At(start)
		}
	}
	// The hour that comes twice: time.Date promises neither of the two.
	if !start.IsZero() {
		_, now := t.Zone()
		_, before := start.Add(-time.Second).Zone()
		if first := t.Add(time.Duration(now-before) * time.Second); before > now && first.Before(start) && first.In(zone).Hour() == t.Hour() {
			return event.At(first)
		}
	}
	return event.At(t)
}

// Text returns the hours of the day that the instant falls on: "09:00–18:00",
// "closed", or empty if they are not known.
func (h *Hours) Text(now event.Time, zone *time.Location) string {
	if !h.Known {
		return ""
	}
	local := now.In(zone)
	spans := h.of(Day{local.Year(), local.Month(), local.Day()})
	if len(spans) == 0 {
		return "closed"
	}
	text := ""
	for i, s := range spans {
		if i > 0 {
			text += ", "
		}
		text += clock(s.From) + "–" + clock(s.To)
	}
	return text
}

func clock(minute int) string {
	if minute > 24*60 {
		minute -= 24 * 60
	}
	two := func(n int) string {
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
		return strconv.Itoa(n)
	}
	return two(minute/60) + ":" + two(minute%60)
}
