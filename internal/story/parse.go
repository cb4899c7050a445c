package story

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a story.
const (
	// MaxFile bounds a story's text; the longest that people write has some pages.
	MaxFile = 1 << 20
	// MaxLines bounds the lines after repeats are written out: each may bring a
	// person, and each looks at the alarms of all.
	MaxLines = 5_000
	// MaxRepeat bounds one repeat.
	MaxRepeat = 2_000
)

// script is a story as written.
type script struct {
	file        string
	title       string
	start       string // a day
	zone        string
	definitions string
	journeys    []string // nil: all
	introduce   bool
	holdout     bool
	head        map[string]int // the line of each key
	lines       []line
}

// line is one line of a story.
type line struct {
	n    int
	when string
	who  person
	what string   // the third column
	args []string // the rest, in words
	text string   // as written, for people
}

// person is whom a line is about. At most one of user and email is set.
type person struct {
	name   string // as written
	user   string
	device string
	email  string
	nobody bool // “*”
}

// mistake is something in the text that is no story.
type mistake struct {
	line int
	what string
}

func (m *mistake) Error() string { return fmt.Sprintf("line %d: %s", m.line, m.what) }

func wrong(n int, what string, args ...any) error { return &mistake{n, fmt.Sprintf(what, args...)} }

var headKeys = []string{"story", "start", "zone", "definitions", "journeys", "introduce", "holdout"}

// parse reads a story.
func parse(file, body string) (*script, error) {
	s := &script{
		file: file, title: strings.TrimSuffix(path.Base(file), path.Ext(file)), start: "2024-01-01", introduce: true, head: map[string]int{},
	}
	rows := strings.Split(strings.ReplaceAll(body, "\r\n", "\n"), "\n")
	inHead := true
	for i := 0; i < len(rows); i++ {
		text := strings.TrimRight(uncomment(rows[i]), " \t")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if inHead {
			took, err := s.headline(i+1, text)
			if err != nil {
				return nil, err
			}
			if took {
				continue
			}
			inHead = false
		}
		if count, ok := strings.CutPrefix(strings.TrimSpace(text), "repeat "); ok {
			end, err := s.repeat(rows, i, count)
			if err != nil {
				return nil, err
			}
			i = end
			continue
		}
		if err := s.add(i+1, text); err != nil {
			return nil, err
		}
	}
	if len(s.lines) == 0 {
		return nil, wrong(len(rows), "nothing happens in the story; write lines such as: Mon 09:00  ada  Order Completed  boots")
	}
	return s, nil
}

// headline reads a line of the head; false if the head has ended.
func (s *script) headline(n int, text string) (bool, error) {
	key, value, found := strings.Cut(text, ":")
	if !found || key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz") != "" {
		return false, nil // 09:00, Mon 09:00, +1h
	}
	value = strings.TrimSpace(value)
	if _, twice := s.head[key]; twice {
		return false, wrong(n, "%s is said twice", key)
	}
	s.head[key] = n
	switch key {
	case "story":
		s.title = value
	case "start":
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return false, wrong(n, "start is a day such as 2011-03-07, not %q", value)
		}
		s.start = value
	case "zone":
		s.zone = value
	case "definitions":
		s.definitions = value
	case "journeys":
		s.journeys = []string{}
		for _, name := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' }) {
			if name != "none" {
				s.journeys = append(s.journeys, name)
			}
		}
	case "introduce", "holdout":
		yes, no := value == "yes" || value == "on", value == "no" || value == "off"
		if !yes && !no {
			return false, wrong(n, "%s is on or off, not %q", key, value)
		}
		if key == "introduce" {
			s.introduce = yes
		} else {
			s.holdout = yes
		}
	default:
		return false, wrong(n, "the head of a story has no %q; it has %s", key, strings.Join(headKeys, ", "))
	}
	return true, nil
}

// repeat writes the lines up to “end” out and returns the row of the end.
func (s *script) repeat(rows []string, at int, count string) (int, error) {
	times, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil || times < 1 || times > MaxRepeat {
		return 0, wrong(at+1, "repeat takes a number from 1 to %d, not %q", MaxRepeat, count)
	}
	end := at + 1
	for ; ; end++ {
		if end >= len(rows) {
			return 0, wrong(at+1, "the repeat has no line “end”")
		}
		text := strings.TrimSpace(uncomment(rows[end]))
		if text == "end" {
			break
		}
		if strings.HasPrefix(text, "repeat ") {
			return 0, wrong(end+1, "a repeat stands within a repeat")
		}
	}
	for i := range times {
		for n := at + 1; n < end; n++ {
			text := strings.TrimRight(uncomment(rows[n]), " \t")
			if strings.TrimSpace(text) == "" {
				continue
			}
			if err := s.add(n+1, strings.ReplaceAll(text, "$n", strconv.Itoa(i+1))); err != nil {
				return 0, err
			}
		}
	}
	return end, nil
}

// add reads one line.
func (s *script) add(n int, text string) error {
	if len(s.lines) == MaxLines {
		return wrong(n, "the story has more than %d lines", MaxLines)
	}
	cols := columns(text)
	if text[0] == ' ' || text[0] == '\t' {
		cols = append([]string{""}, cols...)
	}
	if len(cols) < 3 {
		return wrong(n, "a line has a time, a person and what happens, with two spaces or more between them: Mon 09:00  ada  Order Completed  boots")
	}
	who, err := personOf(n, cols[1])
	if err != nil {
		return err
	}
	l := line{n: n, when: cols[0], who: who, what: cols[2], text: strings.Join(strings.Fields(text), " ")}
	for _, c := range cols[3:] {
		l.args = append(l.args, words(c)...)
	}
	s.lines = append(s.lines, l)
	return nil
}

// uncomment cuts a comment off: a # at the beginning or behind a space, outside
// of quotes.
func uncomment(s string) string {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '#' && !quoted && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t'):
			return s[:i]
		}
	}
	return s
}

// columns splits at two spaces or more, or a tab, outside of quotes.
func columns(s string) []string {
	var cols []string
	start, quoted := 0, false
	take := func(end int) {
		if c := strings.TrimSpace(s[start:end]); c != "" {
			cols = append(cols, c)
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case s[i] == '\t', s[i] == ' ' && i+1 < len(s) && s[i+1] == ' ':
			take(i)
			start = i + 1
		}
	}
	take(len(s))
	return cols
}

// words splits at spaces outside of quotes.
func words(s string) []string {
	var list []string
	start, quoted := -1, false
	for i := 0; i <= len(s); i++ {
		end := i == len(s)
		switch {
		case end || !quoted && (s[i] == ' ' || s[i] == '\t'):
			if start >= 0 {
				list = append(list, s[start:i])
			}
			start = -1
		default:
			if s[i] == '"' {
				quoted = !quoted
			}
			if start < 0 {
				start = i
			}
		}
	}
	return list
}

// unquote takes the quotes off a value.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// personOf reads the second column.
func personOf(n int, s string) (person, error) {
	p := person{name: s}
	switch {
	case s == "*":
		p.nobody = true
		return p, nil
	case strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">"):
		p.email = s[1 : len(s)-1]
		if !strings.Contains(p.email, "@") {
			return p, wrong(n, "%s is no e-mail address", s)
		}
		return p, nil
	}
	p.user, p.device, _ = strings.Cut(s, "@")
	if strings.ContainsAny(s, " \t<>\"") || p.user == "" && p.device == "" || strings.HasSuffix(s, "@") || strings.Contains(p.device, "@") {
		return p, wrong(n, "%q is no person: write a name, @device, name@device, <address> or *", s)
	}
	return p, nil
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// instant returns the instant of the first column, not before that of the line above.
func (l *line) instant(now time.Time) (time.Time, error) {
	parts := strings.Fields(l.when)
	bad := func(why string) (time.Time, error) {
		return now, wrong(l.n, "the time %q %s; write Mon 09:00, 09:00, 2011-03-07 09:00, +3d or +3d 09:00", l.when, why)
	}
	switch len(parts) {
	case 0:
		return now, nil
	case 1:
		if d, ok := parseSpan(parts[0]); ok {
			return now.Add(d), nil
		}
		at, ok := onDay(now, parts[0])
		if !ok {
			return bad("is not understood")
		}
		return forward(now, at, bad)
	case 2:
		var day time.Time
		if i := slices.Index(weekdays, parts[0]); i >= 0 {
			day = now.AddDate(0, 0, (i-int(now.Weekday())+7)%7)
		} else if d, err := time.ParseInLocation(time.DateOnly, parts[0], now.Location()); err == nil {
			day = d
		} else if d, ok := parseSpan(parts[0]); ok && d%(24*time.Hour) == 0 {
			day = now.AddDate(0, 0, int(d/(24*time.Hour)))
		} else {
			return bad("is not understood")
		}
		at, ok := onDay(day, parts[1])
		if !ok {
			return bad("is not understood")
		}
		return forward(now, at, bad)
	}
	return bad("is not understood")
}

// forward refuses to go back.
func forward(now, at time.Time, bad func(string) (time.Time, error)) (time.Time, error) {
	if at.Before(now) {
		return bad("goes back: it is " + now.Format("Mon 2006-01-02 15:04") + " already")
	}
	return at, nil
}

// onDay returns the time of day on the day; false if there is none.
func onDay(day time.Time, clock string) (time.Time, bool) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if c, err := time.Parse(layout, clock); err == nil {
			y, m, d := day.Date()
			at := time.Date(y, m, d, c.Hour(), c.Minute(), c.Second(), 0, day.Location())
			return at, at.Hour() == c.Hour() && at.Minute() == c.Minute() // not where the clocks jump over it
		}
	}
	return day, false
}

// parseSpan reads "+3d" or "+1h30m".
func parseSpan(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "+")
	if !ok || rest == "" {
		return 0, false
	}
	return parseLength(rest)
}

// maxSpan bounds one step: a story of a hundred years is a slip.
const maxSpan = 100 * 366 * 24 * time.Hour

// parseLength reads "2h" or "1h30m"; a day has 24 hours.
func parseLength(rest string) (time.Duration, bool) {
	total := time.Duration(0)
	for rest != "" {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == 0 || i == len(rest) {
			return 0, false
		}
		n, err := strconv.ParseInt(rest[:i], 10, 32)
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[rest[i]]
		if err != nil || unit == 0 || time.Duration(n) > maxSpan/unit {
			return 0, false
		}
		total += time.Duration(n) * unit
		rest = rest[i+1:]
	}
	return total, total <= maxSpan
}
