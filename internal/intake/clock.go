package intake

import (
	"rapport/internal/core/event"
)

// parseTime reads an instant as clients write it: RFC 3339, the same with a
// space for the T, without seconds, without a zone (UTC then), with a zone
// without colon, a date alone, or Unix time in seconds (up to 11 digits) or
// milliseconds (12 to 14 digits). It is by hand because time.Parse takes longer
// than the rest of a message's checks together.
func parseTime(b []byte) (event.Time, bool) {
	if len(b) < 8 {
		return unixTime(b)
	}
	if b[4] != '-' {
		return unixTime(b)
	}
	if len(b) < 10 || b[7] != '-' {
		return 0, false
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	ms := days(year, month, day) * 86_400_000
	b = b[10:]
	if len(b) == 0 {
		return event.Time(ms), true
	}
	if b[0] != 'T' && b[0] != 't' && b[0] != ' ' {
		return 0, false
	}
	clock, rest, ok := clockTime(b[1:])
	if !ok {
		return 0, false
	}
	offset, ok := zone(rest)
	return event.Time(ms + clock - offset), ok
}

// clockTime reads hh:mm, hh:mm:ss or hh:mm:ss.fraction in milliseconds and
// returns what follows. Second 60, a leap second, is the next minute's first.
func clockTime(b []byte) (ms int64, rest []byte, ok bool) {
	if len(b) < 5 || b[2] != ':' {
		return 0, nil, false
	}
	hour, ok1 := digits(b[0:2])
	minute, ok2 := digits(b[3:5])
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return 0, nil, false
	}
	ms = hour*3_600_000 + minute*60_000
	b = b[5:]
	if len(b) == 0 || b[0] != ':' {
		return ms, b, true
	}
	if len(b) < 3 {
		return 0, nil, false
	}
	second, ok := digits(b[1:3])
	if !ok || second > 60 {
		return 0, nil, false
	}
	ms += second * 1000
	b = b[3:]
	if len(b) == 0 || b[0] != '.' && b[0] != ',' {
		return ms, b, true
	}
	i, unit := 1, int64(100)
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		ms += int64(b[i]-'0') * unit
		unit /= 10 // beyond milliseconds it is zero, and digits count nothing
	}
	return ms, b[i:], i > 1
}

// zone reads Z, ±hh, ±hhmm, ±hh:mm or nothing, in milliseconds east of UTC.
func zone(b []byte) (ms int64, ok bool) {
	if len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	switch {
	case len(b) == 0, string(b) == "Z", string(b) == "z", string(b) == "UTC", string(b) == "GMT":
		return 0, true
	case b[0] != '+' && b[0] != '-':
		return 0, false
	}
	var hour, minute int64
	ok1, ok2 := false, true
	switch len(b) {
	case 3:
		hour, ok1 = digits(b[1:3])
	case 5:
		hour, ok1 = digits(b[1:3])
		minute, ok2 = digits(b[3:5])
	case 6:
		hour, ok1 = digits(b[1:3])
		minute, ok2 = digits(b[4:6])
		ok2 = ok2 && b[3] == ':'
	}
	// No zone is farther from UTC than 14 hours; an RFC 3339 offset may be up to 23:59.
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return 0, false
	}
	ms = hour*3_600_000 + minute*60_000
	if b[0] == '-' {
		ms = -ms
	}
	return ms, true
}

func unixTime(b []byte) (event.Time, bool) {
	n, ok := digits(b)
	switch {
	case !ok || n == 0:
		return 0, false
	case len(b) >= 12 && len(b) <= 14:
		return event.Time(n), true
	case len(b) >= 9 && len(b) <= 11:
		return event.Time(n * 1000), true
	}
	return 0, false // eight digits are rather 20260301 than a day of 1970
}

func digits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// days counts the days from 1970-01-01 to a date of the Gregorian calendar. The
// year is begun in March, so that the leap day is its last.
func days(year, month, day int64) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	// 153 days are in the five months from March to July and from August to
	// December; 719469 days lie between 0000-03-01, in this counting, and 1970.
	return 365*year + floor(year, 4) - floor(year, 100) + floor(year, 400) + (153*(month-3)+2)/5 + day - 719469
}

// floor divides rounding down: the year before year 0 is −1.
func floor(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// earliest is the earliest time at which an event can have happened. A client
// whose clock was never set says 1970, and no shop has orders of before 2000 to
// bring along.
const earliest event.Time = 946_684_800_000

// happened returns when an event happened by our clock. The client's clock may
// be wrong but runs at the right speed: how long it waited before sending is
// right, so that is taken off the time at which we received it. Nothing happens
// after it is heard.
func happened(received, stamp, sent event.Time) event.Time {
	switch {
	case stamp == 0:
		return received
	case sent != 0:
		stamp = received - (sent - stamp)
	}
	return max(min(stamp, received), min(earliest, received))
}
