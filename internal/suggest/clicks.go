package suggest

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/recommend"
	"rapport/internal/fault"
)

// The limits of a file of clicks.
const (
	// maxLine bounds a line: three columns of a few dozen bytes, and some that
	// nobody asks for.
	maxLine = 64 << 10
	// MaxClicks bounds a file: twice the largest public set, at some 100 bytes each.
	MaxClicks = 70_000_000
)

// columns are the names of the columns in the spellings of the published sets.
var columns = [3][]string{
	{"sessionid", "session", "visitid"},
	{"itemid", "item", "sku", "productid"},
	{"time", "timestamp", "ts", "eventdate"},
}

// ReadClicks reads the clicks of a file with a header, parted by tabs, commas or
// semicolons, also packed with gzip: the columns SessionId, ItemId and Time
// (seconds, or milliseconds since 1970) in any order. It returns the visits in the
// order in which they begin in the file, the clicks of each by time; those of one
// instant in the order of the file. What is wrong with a line is a fault of kind
// Invalid that names it.
func ReadClicks(r io.Reader) ([]recommend.Visit, error) {
	b := bufio.NewReader(r)
	if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the file is not gzip, although it begins so")
		}
		b = bufio.NewReader(z)
	}
	lines := bufio.NewScanner(b)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	if !lines.Scan() {
		return nil, unreadable(lines.Err(), 1)
	}
	header := strings.TrimPrefix(lines.Text(), "\ufeff")
	sep := separator(header)
	at, err := places(strings.Split(header, sep))
	if err != nil {
		return nil, err
	}
	g := gathering{visits: map[string]int{}, items: map[string]string{}}
	for n := 2; lines.Scan(); n++ {
		text := strings.TrimSuffix(lines.Text(), "\r")
		if text == "" {
			continue
		}
		if err := g.line(strings.Split(text, sep), at); err != nil {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("line %d: %v", n, err))
		}
		if n > MaxClicks {
			return nil, fault.New(fault.TooLarge, fmt.Sprintf("more than %d clicks", MaxClicks))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, unreadable(err, len(g.list))
	}
	for i := range g.list {
		g.list[i].sort()
	}
	return g.done(), nil
}

func unreadable(err error, line int) error {
	if err == nil {
		return fault.New(fault.Invalid, "the file is empty; its first line names the columns SessionId, ItemId and Time")
	}
	return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file cannot be read near line %d: %v", line, err))
}

func separator(header string) string {
	for _, sep := range []string{"\t", ";", ","} {
		if strings.Contains(header, sep) {
			return sep
		}
	}
	return "\t"
}

func places(header []string) (at [3]int, err error) {
	for c, names := range columns {
		at[c] = slices.IndexFunc(header, func(h string) bool {
			return slices.Contains(names, strings.NewReplacer("_", "", "-", "", " ", "", `"`, "", "\r", "").Replace(strings.ToLower(h)))
		})
		if at[c] < 0 {
			return at, fault.New(fault.Invalid, fmt.Sprintf("the header has no column %s; it needs SessionId, ItemId and Time", []string{"SessionId", "ItemId", "Time"}[c]))
		}
	}
	return at, nil
}

type gathering struct {
	visits map[string]int
	items  map[string]string // each name once in memory
	list   []timed
}

type timed struct {
	recommend.Visit
	seconds []float64
}

func (t *timed) sort() {
	order := make([]int, len(t.Items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.seconds[a], t.seconds[b]) })
	items := make([]string, len(order))
	t.Times = make([]event.Time, len(order))
	for i, o := range order {
		items[i] = t.Items[o]
		t.Times[i] = event.Time(math.Round(t.seconds[o] * 1000))
	}
	t.Items = items
}

func (g *gathering) line(fields []string, at [3]int) error {
	for _, c := range at {
		if c >= len(fields) {
			return fmt.Errorf("it has %d columns and the header more", len(fields))
		}
	}
	value := func(c int) string { return strings.Trim(strings.TrimSpace(fields[at[c]]), `"`) }
	session, item := value(0), value(1)
	if session == "" || item == "" || len(item) > recommend.MaxName {
		return fmt.Errorf("its session or its item is empty or too long")
	}
	seconds, err := strconv.ParseFloat(value(2), 64)
	if err != nil || math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return fmt.Errorf("its time %q is no number of seconds", value(2))
	}
	const milliseconds = 1e11 // in seconds it would be the year 5138
	if seconds > milliseconds {
		seconds /= 1000
	}
	i, ok := g.visits[session]
	if !ok {
		i = len(g.list)
		session = strings.Clone(session)
		g.visits[session] = i
		g.list = append(g.list, timed{Visit: recommend.Visit{ID: session}})
	}
	name, ok := g.items[item]
	if !ok {
		name = strings.Clone(item)
		g.items[name] = name
	}
	v := &g.list[i]
	v.Items, v.seconds = append(v.Items, name), append(v.seconds, seconds)
	return nil
}

func (g *gathering) done() []recommend.Visit {
	list := make([]recommend.Visit, len(g.list))
	for i := range g.list {
		list[i] = g.list[i].Visit
	}
	return list
}
