package journey

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// clockTime is a time of day on a wall clock, in minutes after midnight.
type clockTime int

// String returns the time as "09:30".
func (c clockTime) String() string {
	return string([]byte{'0' + byte(c/600), '0' + byte(c/60%10), ':', '0' + byte(c%60/10), '0' + byte(c%10)})
}

// parseClock reads "9:30" or "09:30".
func parseClock(s string) (clockTime, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) == 0 || len(h) > 2 || len(m) != 2 {
		return 0, false
	}
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	if err1 != nil || err2 != nil || hour > 23 || minute > 59 {
		return 0, false
	}
	return clockTime(hour*60 + minute), true
}

// day is a calendar day, counted from 1 January 1970.
type day int

// secondsPerDay is the length of a calendar day on which no clock is changed.
const secondsPerDay = 24 * 60 * 60

// dayOf returns the calendar day of the instant in loc.
func dayOf(t event.Time, loc *time.Location) day {
	local := t.In(loc)
	_, offset := local.Zone()
	s := local.Unix() + int64(offset)
	if s < 0 {
		s -= secondsPerDay - 1
	}
	return day(s / secondsPerDay)
}

// date returns the calendar day of a date.
func date(y int, m time.Month, d int) day {
	s := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()
	if s < 0 {
		s -= secondsPerDay - 1
	}
	return day(s / secondsPerDay)
}

// Date returns the year, month and day of the month.
func (d day) Date() (int, time.Month, int) {
	return time.Unix(int64(d)*secondsPerDay, 0).UTC().Date()
}

// weekday returns the day of the week.
func (d day) weekday() time.Weekday {
	return time.Weekday(((int(d)+4)%7 + 7) % 7) // 1 January 1970 was a Thursday
}

// at returns the instant at which clocks in loc show the time on the day. A time
// that daylight saving leaves out gives the next instant that exists; one that
// comes twice gives the first.
func (d day) at(c clockTime, loc *time.Location) event.Time {
	wall := int64(d)*secondsPerDay + int64(c)*60
	// No zone is further than 14 hours from UTC, so the instant lies between these.
	const reach = 15 * 60 * 60
	_, before := time.Unix(wall-reach, 0).In(loc).Zone()
	_, after := time.Unix(wall+reach, 0).In(loc).Zone()
	early, late := time.Unix(wall-int64(before), 0).In(loc), time.Unix(wall-int64(after), 0).In(loc)
	if before < after {
		early, late = late, early
	}
	// early ≤ late. The earlier of those that really show the time is the answer.
	for _, t := range []time.Time{early, late} {
		if _, offset := t.Zone(); t.Unix()+int64(offset) == wall {
			return event.At(t)
		}
	}
	// The clock jumps over the time: the zone that late lies in begins at the jump.
	start, _ := late.ZoneBounds()
	return event.At(start)
}

// weekdays is a set of days of the week, bit 0 for Sunday. The empty set stands
// for every day.
type weekdays uint8

func (w weekdays) has(d time.Weekday) bool { return w == 0 || w&(1<<d) != 0 }

var dayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseWeekday reads "mon", "Monday" or "mondays".
func parseWeekday(s string) (time.Weekday, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	for i, short := range dayNames {
		full := strings.ToLower(time.Weekday(i).String())
		if s == short || s == full || s == full+"s" {
			return time.Weekday(i), true
		}
	}
	return 0, false
}

// parseWeekdays reads one day, or a range such as "mon..fri".
func parseWeekdays(s string) (weekdays, bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "day", "days":
		return 1<<7 - 1, true
	case "weekday", "weekdays":
		return 0b0111110, true
	case "weekend", "weekends":
		return 0b1000001, true
	}
	from, to, isRange := strings.Cut(s, "..")
	first, ok := parseWeekday(from)
	if !ok {
		return 0, false
	}
	if !isRange {
		return 1 << first, true
	}
	last, ok := parseWeekday(to)
	if !ok {
		return 0, false
	}
	var w weekdays
	for d := first; ; d = (d + 1) % 7 {
		w |= 1 << d
		if d == last {
			return w, true
		}
	}
}

// String returns the days as "mon, tue"; "every day" for all of them.
func (w weekdays) String() string {
	if w == 0 || w == 1<<7-1 {
		return "every day"
	}
	var names []string
	for i := 1; i <= 7; i++ {
		if w&(1<<(i%7)) != 0 {
			names = append(names, dayNames[i%7])
		}
	}
	return strings.Join(names, ", ")
}

// nextClock returns the first instant after t at which clocks in loc show the
// time on one of the days. It is never t itself: a loop that waits for ten
// o'clock at ten o'clock waits a day.
func nextClock(t event.Time, c clockTime, days weekdays, loc *time.Location) event.Time {
	// The jump over a whole day, as on Samoa in 2011, may cost one more.
	for d, n := dayOf(t, loc), 0; n < 10; d, n = d+1, n+1 {
		if days.has(d.weekday()) {
			if at := d.at(c, loc); at > t {
				return at
			}
		}
	}
	return event.Never // unreachable: every week has each of its days
}

// instant reads a value as an instant: RFC 3339, a date, or Unix seconds or
// milliseconds. exact is false if it is only a date, whose day d is then.
func instant(v event.Value) (t event.Time, d day, exact, ok bool) {
	switch v.Kind {
	case event.Number:
		n, err := strconv.ParseFloat(v.Raw, 64)
		if err != nil || n <= 0 || n > 1e14 {
			return 0, 0, false, false
		}
		if n < 1e11 { // seconds until the year 5138; as milliseconds it would be 1973
			n *= 1000
		}
		return event.Time(n), 0, true, true
	case event.String:
		if y, m, dd, ok := parseDate(v.Raw); ok && y != 0 {
			return 0, date(y, m, dd), false, true
		}
		if at, err := time.Parse(time.RFC3339Nano, v.Raw); err == nil {
			return event.At(at), 0, true, true
		}
	}
	return 0, 0, false, false
}

// parseDate reads "1990-05-14", also with a time behind it that is midnight UTC,
// as many systems send a birthday; and "05-14" or "--05-14" with year 0.
func parseDate(s string) (y int, m time.Month, d int, ok bool) {
	s = strings.TrimSpace(s)
	for _, tail := range []string{"T00:00:00Z", "T00:00:00.000Z", " 00:00:00"} {
		s = strings.TrimSuffix(s, tail)
	}
	s = strings.TrimPrefix(s, "--")
	switch len(s) {
	case len("2006-01-02"):
		t, err := time.Parse("2006-01-02", s)
		if err != nil {
			return 0, 0, 0, false
		}
		y, m, d = t.Date()
		return y, m, d, y > 0
	case len("01-02"):
		t, err := time.Parse("2006-01-02", "2000-"+s) // a leap year: 29 February is a birthday
		if err != nil {
			return 0, 0, 0, false
		}
		_, m, d = t.Date()
		return 0, m, d, true
	}
	return 0, 0, 0, false
}

// anniversary returns the day of the year y on which the date returns: 29
// February returns on 28 February in a year that has none.
func anniversary(y int, m time.Month, d int) day {
	if m == time.February && d == 29 && (y%4 != 0 || y%100 == 0 && y%400 != 0) {
		d = 28
	}
	return date(y, m, d)
}
