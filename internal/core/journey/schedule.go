package journey

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// Schedule is when a recurring or one-off campaign begins: a subset of RFC 5545
// recurrence rules, or the same in words. Its times are local: in the zone of
// the definition if that names one, else in the customer's own.
type Schedule struct {
	Source   string         // as written
	Zone     *time.Location // nil: the customer's own
	freq     frequency
	interval int // every so many days, weeks or months, counted from start
	start    day
	days     weekdays
	nth      []nthDay // of a month
	dates    []int    // of a month: 1 to 31, or −1 for the last
	times    []clockTime
	once     bool // only on start
}

type frequency uint8

const (
	daily frequency = iota
	weekly
	monthly
)

// nthDay is a day of the week in a month: 1 Monday is the first, −1 the last.
type nthDay struct {
	n   int
	day time.Weekday
}

const (
	// maxInterval bounds INTERVAL: no campaign comes less often than every hundred
	// months, and the search for the next day must end.
	maxInterval = 100
	// maxTimes bounds the times of one day: the hours and quarters of it.
	maxTimes = 96
	// searchDays is how far the next day of a rule is looked for. The rarest rule
	// that has days at all, the 31st every hundred months, comes within it.
	searchDays = 366 * 60
)

// epochMonday is the Monday from which weeks are counted when a rule says no start.
const epochMonday day = -3

// parseSchedule reads words ("every monday 09:00", "every weekday at 10:00 and
// 16:00", "every month on the 1st at 09:00", "on 2026-12-01 09:00") or a rule
// ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"). The second result says what is wrong.
func parseSchedule(s string) (*Schedule, string) {
	sc := &Schedule{Source: s, interval: 1, start: epochMonday}
	text := strings.TrimPrefix(strings.TrimSpace(s), "RRULE:")
	wrong := ""
	if strings.Contains(text, "=") {
		wrong = sc.rule(text)
	} else {
		wrong = sc.words(strings.Fields(strings.NewReplacer(",", " ", " and ", " ", " at ", " ", " the ", " ").Replace(strings.ToLower(text))))
	}
	if wrong != "" {
		return nil, wrong
	}
	slices.Sort(sc.times)
	sc.times = slices.Compact(sc.times)
	if len(sc.times) == 0 {
		return nil, "it names no time of day"
	}
	if len(sc.times) > maxTimes {
		return nil, "it names more than " + strconv.Itoa(maxTimes) + " times of a day"
	}
	if sc.nextDay(epochMonday, searchDays) == noDay {
		return nil, "it never comes"
	}
	return sc, ""
}

func (sc *Schedule) words(words []string) string {
	if len(words) < 2 {
		return "it is too short"
	}
	switch words[0] {
	case "on":
		y, m, d, ok := parseDate(words[1])
		if !ok || y == 0 {
			return strconv.Quote(words[1]) + " is not a date"
		}
		sc.once, sc.start = true, date(y, m, d)
		words = words[2:]
	case "every":
		words = words[1:]
		if words[0] == "month" {
			sc.freq = monthly
			words = words[1:]
			if len(words) > 0 && words[0] == "on" {
				words = words[1:]
			}
		} else {
			sc.freq = weekly
		}
	default:
		return "it begins neither with `every` nor with `on`"
	}
	for _, word := range words {
		if c, ok := parseClock(word); ok {
			sc.times = append(sc.times, c)
			continue
		}
		days, isDay := parseWeekdays(word)
		switch {
		case sc.freq == weekly && isDay:
			sc.days |= days
		case sc.freq == monthly && word == "last":
			sc.dates = append(sc.dates, -1)
		case sc.freq == monthly && word == "day" && len(sc.dates) > 0:
		case sc.freq == monthly:
			n, err := strconv.Atoi(strings.TrimRight(word, "sthndr"))
			if err != nil || n < 1 || n > 31 {
				return strconv.Quote(word) + " is neither a day of the month nor a time"
			}
			sc.dates = append(sc.dates, n)
		default:
			return strconv.Quote(word) + " is neither a day of the week nor a time"
		}
	}
	switch {
	case sc.freq == weekly && sc.days == 0:
		return "it names no day of the week"
	case sc.freq == monthly && len(sc.dates) == 0:
		return "it names no day of the month"
	}
	return ""
}

func (sc *Schedule) rule(text string) string {
	hours, minutes := []int{}, []int{0}
	frequencyGiven := false
	for part := range strings.SplitSeq(strings.ToUpper(text), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		wrong := ""
		switch key {
		case "FREQ":
			frequencyGiven = true
			i := slices.Index([]string{"DAILY", "WEEKLY", "MONTHLY"}, value)
			if i < 0 {
				return "FREQ is DAILY, WEEKLY or MONTHLY"
			}
			sc.freq = frequency(i)
		case "INTERVAL":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxInterval {
				return "INTERVAL is a number from 1 to " + strconv.Itoa(maxInterval)
			}
			sc.interval = n
		case "BYDAY":
			wrong = sc.byDay(value)
		case "BYMONTHDAY":
			sc.dates, wrong = numbers(key, value, -1, 31)
			if slices.Contains(sc.dates, 0) {
				wrong = "BYMONTHDAY has no day 0"
			}
		case "BYHOUR":
			hours, wrong = numbers(key, value, 0, 23)
		case "BYMINUTE":
			minutes, wrong = numbers(key, value, 0, 59)
		case "":
		default:
			return key + " is not one of FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYHOUR, BYMINUTE"
		}
		if wrong != "" {
			return wrong
		}
	}
	switch {
	case !frequencyGiven:
		return "FREQ is missing"
	case len(hours) == 0:
		return "BYHOUR is missing"
	case sc.freq != monthly && len(sc.nth) > 0:
		return "a numbered day such as 1MO needs FREQ=MONTHLY"
	case sc.freq != monthly && len(sc.dates) > 0:
		return "BYMONTHDAY needs FREQ=MONTHLY"
	case sc.freq == weekly && sc.days == 0:
		return "FREQ=WEEKLY needs BYDAY"
	case sc.freq == monthly && len(sc.nth) == 0 && len(sc.dates) == 0 && sc.days == 0:
		return "FREQ=MONTHLY needs BYDAY or BYMONTHDAY"
	}
	for _, h := range hours {
		for _, m := range minutes {
			sc.times = append(sc.times, clockTime(h*60+m))
		}
	}
	return ""
}

func (sc *Schedule) byDay(value string) string {
	for word := range strings.SplitSeq(value, ",") {
		if len(word) < 2 {
			return strconv.Quote(word) + " is not a day such as MO or -1FR"
		}
		number, name := word[:len(word)-2], word[len(word)-2:]
		i := slices.Index([]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}, name)
		if i < 0 {
			return strconv.Quote(word) + " is not a day such as MO or -1FR"
		}
		if number == "" {
			sc.days |= 1 << i
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n == 0 || n < -5 || n > 5 {
			return strconv.Quote(word) + " is not a day such as MO or -1FR"
		}
		sc.nth = append(sc.nth, nthDay{n, time.Weekday(i)})
	}
	return ""
}

func numbers(key, value string, low, high int) (list []int, wrong string) {
	for word := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < low || n > high {
			return nil, key + " takes numbers from " + strconv.Itoa(low) + " to " + strconv.Itoa(high)
		}
		list = append(list, n)
	}
	return list, ""
}

// noDay is what nextDay returns when the rule has no further day.
const noDay day = 1 << 40

// nextDay returns the first day of the rule at or after d, looking so many days ahead.
func (sc *Schedule) nextDay(d day, ahead int) day {
	if sc.once {
		if d > sc.start {
			return noDay
		}
		return sc.start
	}
	for last := d + day(ahead); d < last; d++ {
		if sc.falls(d) {
			return d
		}
		if sc.freq == monthly && sc.interval > 1 && !sc.inMonth(d) {
			// Nothing of this month: go on with the next.
			y, m, _ := d.Date()
			d = date(y, m+1, 1) - 1
		}
	}
	return noDay
}

// inMonth reports whether a monthly rule has the month of the day.
func (sc *Schedule) inMonth(d day) bool {
	y, m, _ := d.Date()
	sy, sm, _ := sc.start.Date()
	return modulo(y*12+int(m)-sy*12-int(sm), sc.interval) == 0
}

// falls reports whether the rule has the day.
func (sc *Schedule) falls(d day) bool {
	if !sc.days.has(d.weekday()) && len(sc.nth) == 0 {
		return false
	}
	switch sc.freq {
	case daily:
		return modulo(int(d-sc.start), sc.interval) == 0
	case weekly:
		return modulo(week(d)-week(sc.start), sc.interval) == 0
	}
	if sc.interval > 1 && !sc.inMonth(d) {
		return false
	}
	y, m, dom := d.Date()
	length := int(date(y, m+1, 1) - date(y, m, 1))
	if len(sc.dates) > 0 && !slices.Contains(sc.dates, dom) && (dom != length || !slices.Contains(sc.dates, -1)) {
		return false
	}
	if len(sc.nth) == 0 || sc.days != 0 && sc.days.has(d.weekday()) {
		return true
	}
	for _, nth := range sc.nth {
		if nth.day == d.weekday() && (nth.n == (dom+6)/7 || -nth.n == (length-dom)/7+1) {
			return true
		}
	}
	return false
}

func week(d day) int { return (int(d-epochMonday) - modulo(int(d-epochMonday), 7)) / 7 }

func modulo(a, n int) int { return (a%n + n) % n }

// next returns the first instant after t, by the clocks of loc.
func (sc *Schedule) next(t event.Time, loc *time.Location) event.Time {
	if sc.Zone != nil {
		loc = sc.Zone
	}
	for d := dayOf(t, loc); ; d++ {
		if d = sc.nextDay(d, searchDays); d == noDay {
			return event.Never
		}
		for _, c := range sc.times {
			if at := d.at(c, loc); at > t {
				return at
			}
		}
	}
}
