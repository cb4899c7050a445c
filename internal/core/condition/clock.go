package condition

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// clockNode asks what the clock on the customer's wall shows: a time of day
// within [from, to), on some weekdays. A window over midnight belongs to the day
// on which it begins: Friday 22:00 to 06:00 ends on Saturday morning. The
// question is about the wall clock as it is, so a window that begins in an hour
// that the change to summer time leaves out begins at the change, and one in the
// hour that comes twice opens twice.
type clockNode struct {
	from, to int     // minutes of the day; from 0 to 24:00 is the whole day
	days     [7]bool // by time.Weekday
	text     string  // "between 09:00 and 18:00 on Monday"
}

const (
	dayMinutes = 24 * 60
	minute     = event.Time(60_000)
	dayMillis  = dayMinutes * minute
)

// maxSteps bounds the search for the next change: a week has at most three
// boundaries a day. If the answer is the same at all of them, the search goes on
// when the alarm comes.
const maxSteps = 32

func (n *clockNode) eval(c Context) (bool, event.Time) {
	loc := c.zone()
	at, is := c.Now, false
	for step := 0; ; step++ {
		t := at.In(loc)
		_, seconds := t.Zone()
		wall := at + event.Time(seconds)*1000
		open, left := n.shows(wall)
		if step == 0 {
			is = open
		} else if open != is || step == maxSteps {
			return is, at
		}
		at += left
		// The clock goes on evenly only until the zone changes.
		if _, end := t.ZoneBounds(); !end.IsZero() {
			if change := ceilMillis(end); change < at {
				at = change
			}
		}
	}
}

// ceilMillis returns the first instant that is not before t. Zone changes fall on
// whole seconds; were one to fall between, we would look just after it.
func ceilMillis(t time.Time) event.Time {
	at := event.At(t)
	if at.Time().Before(t) {
		at++
	}
	return at
}

// shows answers for a wall clock, given as milliseconds since 1970 as if in UTC,
// and says for how long the answer certainly stays.
func (n *clockNode) shows(wall event.Time) (bool, event.Time) {
	day := wall / dayMillis
	if wall < 0 && wall%dayMillis != 0 {
		day--
	}
	of := wall - day*dayMillis
	weekday := int((day%7 + 7 + 4) % 7) // 1 January 1970 was a Thursday
	from, to := event.Time(n.from)*minute, event.Time(n.to)*minute
	if n.from > n.to && of < to {
		return n.days[(weekday+6)%7], to - of
	}
	switch {
	case of < from:
		return false, from - of
	case n.from < n.to && of >= to:
		return false, dayMillis - of
	case n.from < n.to:
		return n.days[weekday], to - of
	}
	return n.days[weekday], dayMillis - of
}

func (n *clockNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, Reason{Kind: "time", Holds: is, What: n.words(!is), At: c.Now, Value: c.Now.In(c.zone()).Format("Monday 15:04")})
}

func (n *clockNode) mention(d *Deps) { d.Zone = true }

func (n *clockNode) words(not bool) string {
	if not {
		return "it is not " + n.text + ", local time"
	}
	return "it is " + n.text + ", local time"
}

func (n *clockNode) canon(b *strings.Builder) {
	b.WriteString("clock " + strconv.Itoa(n.from) + " " + strconv.Itoa(n.to))
	for _, on := range n.days {
		b.WriteString(" " + strconv.FormatBool(on))
	}
}

// parseClock reads "09:00"; "24:00" is the end of the day.
func parseClock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, ok1 := digits(s[:2])
	m, ok2 := digits(s[3:])
	if !ok1 || !ok2 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return h*60 + m, true
}
