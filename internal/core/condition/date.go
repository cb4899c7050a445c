package condition

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// dayStart returns the first instant of a calendar day in the zone: midnight, or
// where the clock jumps over midnight, the instant of the jump. A day beyond the
// month's end is counted on, as in time.Date.
func dayStart(loc *time.Location, y int, m time.Month, d int) event.Time {
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() // the wall clock at the start, as a number
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	wall := func(t time.Time) int64 {
		_, offset := t.Zone()
		return t.Unix() + int64(offset)
	}
	start, end := t.ZoneBounds()
	switch w := wall(t); {
	case w < want && !end.IsZero():
		t = end // midnight does not exist and t is the instant before the jump, read by the old clock
	case w > want && !start.IsZero():
		t = start // the same, read by the new clock
	case !start.IsZero():
		// Where the clock is set back over midnight it strikes twice; the first counts.
		_, before := start.Add(-time.Second).Zone()
		if first := time.Unix(want-int64(before), 0); first.Before(start) {
			t = first
		}
	}
	return event.At(t)
}

// instantOf reads a date from a trait or property: RFC 3339, a calendar day (its
// first instant in the zone), or Unix time in seconds or milliseconds.
func instantOf(v event.Value, loc *time.Location) (event.Time, bool) {
	switch v.Kind {
	case event.String:
		s := v.Raw
		if len(s) < len(time.DateOnly) {
			return 0, false
		}
		if y, m, d, ok := calendarDay(s); ok {
			return dayStart(loc, y, m, d), true
		}
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return event.At(t), true
		}
		for _, layout := range [...]string{"2006-01-02T15:04:05", time.DateTime} {
			if t, err := time.ParseInLocation(layout, s, loc); err == nil {
				return event.At(t), true
			}
		}
	case event.Number:
		f, ok := v.Float()
		if !ok || f <= 0 || f > maxUnixMillis {
			return 0, false
		}
		if f < unixSecondsEnd {
			f *= 1000
		}
		return event.Time(f), true
	}
	return 0, false
}

// Unix times in seconds below this number are before the year 5138; as
// milliseconds they are before March 1973. No shop has dates of both kinds.
const unixSecondsEnd = 1e11

// maxUnixMillis is the end of the year 9999.
const maxUnixMillis = 253402300799999

// calendarDay reads "2006-01-02" without allocating; a day that the calendar has
// not is none.
func calendarDay(s string) (y int, m time.Month, d int, ok bool) {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	y, ok1 := digits(s[:4])
	mm, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:])
	if !ok1 || !ok2 || !ok3 || mm < 1 || mm > 12 || d < 1 || d > monthDays(y, time.Month(mm)) {
		return 0, 0, 0, false
	}
	return y, time.Month(mm), d, true
}

// monthDay reads the month and day of a birthday: "1990-02-28", "--02-28",
// "02-28", or a longer text that begins with a full date.
func monthDay(v event.Value, loc *time.Location) (m time.Month, d int, ok bool) {
	if v.Kind == event.String {
		s := strings.TrimPrefix(v.Raw, "--")
		if len(s) == len("02-28") {
			s = "2000-" + s // a leap year: 29 February is a birthday
		}
		if _, m, d, ok := calendarDay(s); ok {
			return m, d, true
		}
	}
	at, ok := instantOf(v, loc)
	if !ok {
		return 0, 0, false
	}
	_, m, d = at.In(loc).Date()
	return m, d, true
}

func monthDays(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// relative is a stretch of now around a date D: the answer is yes while now is
// in [D + from, D + upto). The ends of event.Time stand for no bound.
type relative struct {
	from, upto event.Time
	text       string // as a predicate: "in the last 30 days"
}

// distantPast is before every instant.
const distantPast = -event.Never

// at answers for a date.
func (r *relative) at(d, now event.Time) (bool, event.Time) {
	from, upto := distantPast, plus(d, r.upto)
	if r.from != distantPast {
		from = plus(d, r.from)
	}
	switch {
	case now < from:
		return false, from
	case now < upto:
		return true, upto
	}
	return false, event.Never
}

// anniversary is a stretch of calendar days around the yearly return of a date:
// yes from `before` days ahead of it to `until` days ahead of it, both included.
type anniversary struct {
	before, until int
	text          string
}

// at answers for a month and day in the zone. 29 February is kept on the 28th in
// common years.
func (a *anniversary) at(m time.Month, d int, now event.Time, loc *time.Location) (bool, event.Time) {
	year := now.In(loc).Year()
	for y := year - 1; y <= year+2; y++ {
		day := min(d, monthDays(y, m))
		end := dayStart(loc, y, m, day-a.until+1)
		if end <= now {
			continue
		}
		if start := dayStart(loc, y, m, day-a.before); start > now {
			return false, start
		}
		return true, end
	}
	return false, event.Never // unreachable: one of the four years is still to come
}

// ParseDuration reads "90s", "15m", "6h", "14d" or "2w": a whole number and one
// unit. A day is 24 hours. Months and years are no durations, their length
// depends on where they begin. It reports false if the text is none of these or
// longer than [MaxDuration].
func ParseDuration(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 10 {
		return 0, false
	}
	n, ok := digits(strings.TrimSpace(s[:len(s)-1]))
	if !ok || s[0] == ' ' {
		return 0, false
	}
	var unit time.Duration
	switch s[len(s)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = day
	case 'w':
		unit = 7 * day
	default:
		return 0, false
	}
	if n <= 0 || time.Duration(n) > MaxDuration/unit {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

const day = 24 * time.Hour

// MaxDuration bounds durations in definitions: ten years. What is longer is
// asked of the whole history.
const MaxDuration = 3660 * day

// sayDuration returns the duration in words: "14 days".
func sayDuration(d time.Duration) string {
	for _, u := range [...]struct {
		length time.Duration
		name   string
	}{{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.length && d%u.length == 0 {
			return count(int64(d/u.length), u.name)
		}
	}
	return d.String()
}

// count returns "1 day", "2 days".
func count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + one + "s"
}
