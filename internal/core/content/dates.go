package content

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

func (r *run) zone() *time.Location {
	if r.env.Zone != nil {
		return r.env.Zone
	}
	return time.UTC
}

// layouts are how people and programs write instants. Without an offset they
// mean the rendering's zone.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"2006/01/02", "January 2, 2006", "January 2, 2006 15:04", "Jan 2, 2006", "2 January 2006", "2 Jan 2006", "Mon, 02 Jan 2006 15:04:05 -0700",
}

// maxDate is the longest text that is tried as a date.
const maxDate = 64

// date writes an instant by a format of strftime, with the names of the reader's
// language, or in one of the four styles that are the custom there: full, long, medium
// and short. What is no date stays as it is, as in Shopify.
func date(r *run, v any, args []any, _ map[string]any) any {
	format := r.str(args[0])
	if format == "" {
		return v
	}
	t, ok := r.instant(v)
	if !ok {
		return v
	}
	c := r.env.Customs
	if style, is := styles[format]; is {
		if c == nil {
			c = english
		}
		format = c.dates[style]
	}
	if !r.make(mostPerLetter * len(format)) {
		return nil
	}
	return c.strftime(t, format)
}

// mostPerLetter is how many bytes a letter of a format becomes: "%A" and "%B" are two
// and become some thirty where letters are two bytes, and "%c" becomes both and a time.
const mostPerLetter = 48

// instant returns the instant that v names.
func (r *run) instant(v any) (time.Time, bool) {
	switch v := v.(type) {
	case event.Time:
		return v.In(r.zone()), true
	case int64:
		return unix(v, r.zone())
	case float64:
		return unix(int64(v), r.zone())
	case string:
		s := strings.TrimSpace(v)
		if s == "" || len(s) > maxDate {
			return time.Time{}, false
		}
		if s == "now" || s == "today" {
			if r.env.Now == 0 {
				r.fail(fault.Invalid, "the hour is not known here, so %s means nothing", quote(s))
				return time.Time{}, false
			}
			return r.env.Now.In(r.zone()), true
		}
		if strings.Trim(s, "0123456789") == "" {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return time.Time{}, false
			}
			return unix(n, r.zone())
		}
		for _, l := range layouts {
			t, err := time.ParseInLocation(l, s, r.zone())
			if err == nil {
				if r.env.Zone != nil {
					t = t.In(r.env.Zone)
				}
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// unix returns the instant n seconds after 1970, within the years that can be
// written.
func unix(n int64, zone *time.Location) (time.Time, bool) {
	const most = 253402300799 // the end of the year 9999
	if n > most || n < -most {
		return time.Time{}, false
	}
	return time.Unix(n, 0).In(zone), true
}

// strftime writes t by a format of C, with Ruby's flags: - no padding, 0 and _
// padding, ^ capitals.
func (c *Customs) strftime(t time.Time, format string) string {
	dated := strings.Contains(format, "%d") || strings.Contains(format, "%-d") || strings.Contains(format, "%e") || strings.Contains(format, "%-e")
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		start, flag, upper := i, byte(0), false
		for i++; i < len(format) && strings.IndexByte("-0_^#", format[i]) >= 0; i++ {
			if format[i] == '^' || format[i] == '#' {
				upper = true
			} else {
				flag = format[i]
			}
		}
		if i == len(format) {
			b.WriteString(format[start:])
			break
		}
		s, ok := c.name(t, format[i], dated)
		if !ok {
			s, ok = directive(t, format[i], flag)
		}
		if !ok {
			s = format[start : i+1]
		}
		if upper {
			s = strings.ToUpper(s)
		}
		b.WriteString(s)
	}
	return b.String()
}

// name writes what is said in words, as a language does it; false if it has no words of
// its own for it. A month beside its day is another word in many languages.
func (c *Customs) name(t time.Time, directive byte, dated bool) (string, bool) {
	if c == nil {
		return "", false
	}
	month, after := t.Month()-1, t.Hour()/12
	switch directive {
	case 'a':
		if dated {
			return c.daysShort[t.Weekday()], true
		}
		return c.daysShortAlone[t.Weekday()], true
	case 'A':
		if dated {
			return c.days[t.Weekday()], true
		}
		return c.daysAlone[t.Weekday()], true
	case 'b', 'h':
		if dated {
			return c.short[month], true
		}
		return c.shortAlone[month], true
	case 'B':
		if dated {
			return c.months[month], true
		}
		return c.monthsAlone[month], true
	case 'p':
		return c.noon[after], true
	case 'P':
		return strings.ToLower(c.noon[after]), true
	case 'x':
		return c.strftime(t, c.dates[3]), true
	case 'X':
		return c.strftime(t, c.clock), true
	case 'c':
		return c.strftime(t, c.dates[2]) + " " + c.strftime(t, c.clock), true
	}
	return "", false
}

func directive(t time.Time, c, flag byte) (string, bool) {
	pad := func(n, width int, fill byte) (string, bool) {
		switch flag {
		case '-':
			width = 0
		case '0':
			fill = '0'
		case '_':
			fill = ' '
		}
		s := strconv.Itoa(n)
		for len(s) < width {
			s = string(fill) + s
		}
		return s, true
	}
	hour12 := (t.Hour()+11)%12 + 1
	isoYear, isoWeek := t.ISOWeek()
	switch c {
	case 'a':
		return t.Format("Mon"), true
	case 'A':
		return t.Format("Monday"), true
	case 'b', 'h':
		return t.Format("Jan"), true
	case 'B':
		return t.Format("January"), true
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 2006"), true
	case 'C':
		return pad(t.Year()/100, 2, '0')
	case 'd':
		return pad(t.Day(), 2, '0')
	case 'e':
		return pad(t.Day(), 2, ' ')
	case 'D', 'x':
		return t.Format("01/02/06"), true
	case 'F':
		return t.Format("2006-01-02"), true
	case 'G':
		return pad(isoYear, 4, '0')
	case 'H':
		return pad(t.Hour(), 2, '0')
	case 'I':
		return pad(hour12, 2, '0')
	case 'j':
		return pad(t.YearDay(), 3, '0')
	case 'k':
		return pad(t.Hour(), 2, ' ')
	case 'l':
		return pad(hour12, 2, ' ')
	case 'L':
		return pad(t.Nanosecond()/1e6, 3, '0')
	case 'm':
		return pad(int(t.Month()), 2, '0')
	case 'M':
		return pad(t.Minute(), 2, '0')
	case 'n':
		return "\n", true
	case 'N':
		return pad(t.Nanosecond(), 9, '0')
	case 'p':
		return t.Format("PM"), true
	case 'P':
		return t.Format("pm"), true
	case 'r':
		return t.Format("03:04:05 PM"), true
	case 'R':
		return t.Format("15:04"), true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'S':
		return pad(t.Second(), 2, '0')
	case 't':
		return "\t", true
	case 'T', 'X':
		return t.Format("15:04:05"), true
	case 'u':
		return pad((int(t.Weekday())+6)%7+1, 1, '0')
	case 'U':
		return pad((t.YearDay()+6-int(t.Weekday()))/7, 2, '0')
	case 'V':
		return pad(isoWeek, 2, '0')
	case 'w':
		return pad(int(t.Weekday()), 1, '0')
	case 'W':
		return pad((t.YearDay()+6-(int(t.Weekday())+6)%7)/7, 2, '0')
	case 'y':
		return pad(t.Year()%100, 2, '0')
	case 'Y':
		return pad(t.Year(), 0, '0')
	case 'z':
		return t.Format("-0700"), true
	case 'Z':
		return t.Format("MST"), true
	case '%':
		return "%", true
	}
	return "", false
}
