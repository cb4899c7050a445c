package page

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// When is an instant, ready to read.
type When struct {
	ISO  string // for machines; empty: the instant is not known
	Text string // "1 March 2011, 14:05"
	Ago  string // "3 days ago"
}

// Clock tells times as the shop sees them.
type Clock struct {
	Zone *time.Location // nil: UTC
	Now  event.Time
}

func (c Clock) in(t event.Time) time.Time {
	if c.Zone == nil {
		return t.Time()
	}
	return t.In(c.Zone)
}

func known(t event.Time) bool { return t != 0 && t != event.Never }

// When returns an instant; the zero When if it is not known.
func (c Clock) When(t event.Time) When {
	if !known(t) {
		return When{}
	}
	return When{ISO: t.String(), Text: c.in(t).Format("2 January 2006, 15:04"), Ago: Ago(c.Now.Sub(t))}
}

// Day returns the day of an instant: "Tuesday, 1 March 2011".
func (c Clock) Day(t event.Time) string { return c.in(t).Format("Monday, 2 January 2006") }

// Date returns the day of an instant: "1 March 2011"; empty if it is not known.
func (c Clock) Date(t event.Time) string {
	if !known(t) {
		return ""
	}
	return c.in(t).Format("2 January 2006")
}

// Time returns the time of day of an instant.
func (c Clock) Time(t event.Time) string { return c.in(t).Format("15:04") }

// Second returns the time of day of an instant to the second.
func (c Clock) Second(t event.Time) string { return c.in(t).Format("15:04:05") }

// Ago returns how long ago something was, or how far ahead it is, in its largest
// unit that does not lie.
func Ago(d time.Duration) string {
	if d < 0 {
		if d > -time.Second {
			return "now"
		}
		return "in " + Span(-d)
	}
	if d < time.Second {
		return "just now"
	}
	return Span(d) + " ago"
}

// Span returns a length of time as people say it: "4 seconds", "26 days", "14 months".
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return plural(int64(d/time.Second), "second")
	case d < time.Hour:
		return plural(int64(d/time.Minute), "minute")
	case d < 2*day:
		return plural(int64(d/time.Hour), "hour")
	case d < 61*day:
		return plural(int64(d/day), "day")
	case d < 2*365*day:
		return plural(int64(d*12/(365*day)), "month")
	}
	return plural(int64(d/(365*day)), "year")
}

func plural(n int64, unit string) string { return Plural(n, unit, unit+"s") }

// Plural returns a number with the word for what it counts.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Count returns a number with its thousands apart.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	return sign + thousands(s)
}

func thousands(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// symbols are signs that are read everywhere; every other currency keeps its code.
var symbols = map[money.Currency]string{"GBP": "£", "EUR": "€", "USD": "$"}

// Money returns a sum with its currency and thousands apart. What is less than a
// hundredth is kept: sums are exact.
func Money(m money.Micros, c money.Currency) string {
	s := m.String()
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	s = thousands(whole) + "." + fraction
	switch symbol := symbols[c]; {
	case symbol != "":
		return sign + symbol + s
	case c != "":
		return sign + s + " " + string(c)
	}
	return sign + s
}

// Rounded returns a sum in whole main units, for a headline.
func Rounded(m money.Micros, c money.Currency) string {
	half := money.One / 2
	if m < 0 {
		half = -half
	}
	whole := (m + half) / money.One * money.One
	return strings.Replace(Money(whole, c), ".00", "", 1)
}

// Percent returns a share as a percentage with at most one digit behind the point.
func Percent(share float64) string {
	s := strconv.FormatFloat(share*100, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0") + " %"
}

// Title returns a text with its first letter in upper case.
func Title(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if up := unicode.ToUpper(r); n > 0 && up != r {
		return string(up) + s[n:]
	}
	return s
}
