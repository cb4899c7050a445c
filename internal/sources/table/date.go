package table

import (
	"bytes"
	"strconv"
	"time"

	"rapport/internal/fault"
)

// DateOrder says in which order a file writes day and month.
type DateOrder string

// The orders. A date that begins with the year needs none.
const (
	AnyOrder   DateOrder = ""    // found out from the beginning of the file; asked for if it does not tell
	DayFirst   DateOrder = "dmy" // 31/12/2026, 31.12.2026
	MonthFirst DateOrder = "mdy" // 12/31/2026
)

// Dates reads dates in one zone. Lines of one order repeat their date, so the last
// one is remembered.
type Dates struct {
	Zone  *time.Location
	Order DateOrder
	text  []byte
	last  time.Time
}

// Parse returns the instant that a text says, or why it says none.
func (c *Dates) Parse(b []byte) (time.Time, string) {
	if len(b) > 0 && bytes.Equal(b, c.text) {
		return c.last, ""
	}
	t, why := parseDate(b, c.Order, c.Zone)
	if why == "" {
		c.text, c.last = append(c.text[:0], b...), t
	}
	return t, why
}

const dateExample = "a date such as 2026-12-31 18:30 is expected"

// parseDate reads the forms that exports have: numbers for year, month, day, hour,
// minute, second and fraction with anything between them, AM or PM, and an offset
// or Z at the end. Twelve or more digits in a row, or a month by name, are none.
func parseDate(b []byte, order DateOrder, zone *time.Location) (time.Time, string) {
	var n [7]int
	var digits [7]int
	count, i := 0, 0
	for i < len(b) && count < len(n) {
		if b[i] < '0' || b[i] > '9' {
			break
		}
		for i < len(b) && b[i] >= '0' && b[i] <= '9' && digits[count] < 9 {
			n[count] = 10*n[count] + int(b[i]-'0')
			digits[count]++
			i++
		}
		count++
		if i == len(b) || count >= 6 && b[i] != '.' && b[i] != ',' {
			break
		}
		// One mark between two numbers, or a comma and a space, or the T of ISO 8601.
		at := i
		for at < len(b) && at < i+2 && (b[at] == '-' || b[at] == '/' || b[at] == '.' || b[at] == ':' || b[at] == ' ' || b[at] == 'T' || b[at] == ',') {
			at++
		}
		if count >= 4 && at < len(b) && b[i] == '-' { // an offset, not a part
			break
		}
		if at == i || at == len(b) || b[at] < '0' || b[at] > '9' {
			break
		}
		i = at
	}
	if count == 1 && digits[0] == 8 { // 20261231
		n[0], n[1], n[2], count = n[0]/10000, n[0]/100%100, n[0]%100, 3
		digits[0] = 4
	}
	if count < 3 || count == 4 {
		return time.Time{}, dateExample
	}
	year, month, day := n[0], n[1], n[2]
	if digits[0] != 4 {
		if order == MonthFirst {
			month, day, year = n[0], n[1], n[2]
		} else {
			day, month, year = n[0], n[1], n[2]
		}
		if digits[2] == 2 {
			year += 2000
		} else if digits[2] != 4 {
			return time.Time{}, dateExample
		}
	}
	nanos := n[6]
	for d := digits[6]; d > 0 && d < 9; d++ {
		nanos *= 10
	}
	hour := n[3]
	loc, ok := zone, true
	if rest := bytes.TrimSpace(b[i:]); len(rest) > 0 {
		if hour, loc, ok = ending(rest, hour, zone); !ok {
			return time.Time{}, dateExample
		}
	}
	// Asked in UTC: an hour that summer time leaves out may fall on another day.
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if month < 1 || month > 12 || midnight.Day() != day || hour > 23 || n[4] > 59 || n[5] > 59 {
		return time.Time{}, "there is no such date; " + dateExample
	}
	return time.Date(year, time.Month(month), day, hour, n[4], n[5], nanos, loc), ""
}

// ending reads what follows the numbers: AM, PM, Z, UTC or an offset.
func ending(rest []byte, hour int, zone *time.Location) (int, *time.Location, bool) {
	switch string(bytes.ToUpper(rest)) {
	case "AM":
		if hour == 12 {
			hour = 0
		}
		return hour, zone, hour < 12
	case "PM":
		if hour < 12 {
			hour += 12
		}
		return hour, zone, hour >= 12
	case "Z", "UTC", "GMT":
		return hour, time.UTC, true
	}
	if len(rest) < 3 || rest[0] != '+' && rest[0] != '-' {
		return 0, nil, false
	}
	digits := bytes.ReplaceAll(rest[1:], []byte{':'}, nil)
	if len(digits) == 2 {
		digits = append(bytes.Clone(digits), '0', '0')
	}
	v, err := strconv.ParseUint(string(digits), 10, 16)
	if err != nil || len(digits) != 4 || v%100 > 59 || v > 1500 {
		return 0, nil, false
	}
	seconds := int(v/100*3600 + v%100*60)
	if rest[0] == '-' {
		seconds = -seconds
	}
	return hour, time.FixedZone("", seconds), true
}

// OrderOf finds out from samples in which order day and month are written. It is
// Invalid if they do not tell, or contradict one another.
func OrderOf(samples [][]byte) (DateOrder, error) {
	undecided, day, month := "", false, false
	for _, b := range samples {
		a, second, ok := leading(b)
		switch {
		case !ok:
		case bytes.IndexByte(b, '.') > 0 && bytes.IndexByte(b, '.') < 3:
			day = true // nobody writes the month first with dots
		case a > 12:
			day = true
		case second > 12:
			month = true
		default:
			undecided = string(b)
		}
	}
	switch {
	case day && month:
		return AnyOrder, fault.New(fault.Invalid, "some dates begin with the day and some with the month: write them all as 2026-12-31")
	case day:
		return DayFirst, nil
	case month:
		return MonthFirst, nil
	case undecided != "":
		return AnyOrder, fault.New(fault.Invalid, "nothing in the file tells whether "+strconv.Quote(Clip(undecided, 40))+" begins with the day or the month: say --dates dmy or --dates mdy")
	}
	return AnyOrder, nil
}

// leading returns the first two numbers of a date that does not begin with the year.
func leading(b []byte) (first, second int, ok bool) {
	i := 0
	read := func() (n, digits int) {
		for i < len(b) && b[i] >= '0' && b[i] <= '9' && digits < 5 {
			n = 10*n + int(b[i]-'0')
			digits++
			i++
		}
		return n, digits
	}
	first, d := read()
	if d < 1 || d > 2 || i == len(b) {
		return 0, 0, false
	}
	i++
	second, d = read()
	return first, second, d >= 1 && d <= 2
}
