package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// FunnelStep is one step of a funnel.
type FunnelStep struct {
	Name   string  `json:"name"`
	People int64   `json:"people"` // who came so far
	Share  float64 `json:"share"`  // of the first step
}

// Progress is how far people came who took steps in order within a time.
type Progress struct {
	Steps  []FunnelStep  `json:"steps"`
	Within time.Duration `json:"-"`
}

// defaultWithin is how long a funnel may take, and how long after a message an order
// is its: what most tools of the field count with.
const defaultWithin = 7 * 24 * time.Hour

// Funnel counts for each step who took it and all before it in order, all within
// Params.Within of the first. Whoever began several times counts with the best.
func (t *Tables) Funnel(ctx context.Context, p Params) (Progress, error) {
	out := Progress{Steps: []FunnelStep{}}
	reached := make([]int64, len(p.Steps))
	err := t.furthest(ctx, p, func(_ identity.ID, steps int) {
		for i := range steps {
			reached[i]++
		}
	})
	for i, name := range p.Steps {
		out.Steps = append(out.Steps, FunnelStep{name, reached[i], ratio(reached[i], reached[0])})
	}
	return out, err
}

// funnelPeople answers who came to the step of the key, counted from 1; with who =
// lost, who came to the step before and not to it.
func (t *Tables) funnelPeople(ctx context.Context, p Params) (People, error) {
	n, err := strconv.Atoi(p.Key)
	if err != nil || n < 1 || n > len(p.Steps) || p.Who != "people" && p.Who != "lost" {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=people or who=lost and the number of a step as key, from 1")
	}
	var ids []identity.ID
	err = t.furthest(ctx, p, func(who identity.ID, steps int) {
		if p.Who == "people" && steps >= n || p.Who == "lost" && steps == n-1 {
			ids = append(ids, who)
		}
	})
	return pageOf(ids, p), err
}

// stepBits is how many bits of a mark name a step; the rest are the instant.
const stepBits = 4

// furthest calls yield with everybody who took the first step and how many they took.
func (t *Tables) furthest(ctx context.Context, p Params, yield func(who identity.ID, steps int)) error {
	if len(p.Steps) == 0 {
		return fault.New(fault.Invalid, "a funnel has steps: names of events, in order")
	}
	within := int64(cmp.Or(p.Within, defaultWithin) / time.Millisecond)
	// A name may be several steps: "viewed, then viewed again".
	var names []string
	for _, s := range p.Steps {
		if !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	steps := make([][]int, len(names)) // of each name, the last first: one event takes one step of a run
	for i := len(p.Steps) - 1; i >= 0; i-- {
		k := slices.Index(names, p.Steps[i])
		steps[k] = append(steps[k], i)
	}
	number := "0"
	for i := len(names) - 1; i > 0; i-- {
		number = fmt.Sprintf("if(name = ?, %d, %s)", i, number)
	}
	args := []any{}
	for i := 1; i < len(names); i++ {
		args = append(args, names[i])
	}
	for _, n := range names {
		args = append(args, n)
	}
	args = append(args, p.From, p.To)
	marks := strings.TrimSuffix(strings.Repeat("?,", len(names)), ",")
	best := make([]int64, len(p.Steps)) // when the best run that took the step began; −1: none
	return t.each(ctx, fmt.Sprintf("SELECT profile, groupArray(ms(ts) * %d + %s) AS marks FROM events WHERE name IN (%s) AND ts >= ? AND ts < ? GROUP BY profile", 1<<stepBits, number, marks), args, func(row []any) error {
		list := row[1].([]any)
		slices.SortFunc(list, func(a, b any) int { return cmp.Compare(a.(int64), b.(int64)) })
		for i := range best {
			best[i] = -1
		}
		far := 0
		for _, m := range list {
			at, k := m.(int64)>>stepBits, m.(int64)&(1<<stepBits-1)
			for _, i := range steps[k] {
				switch {
				case i == 0:
					best[0] = at
				case best[i-1] < 0 || at-best[i-1] > within:
					continue
				default:
					best[i] = max(best[i], best[i-1])
				}
				far = max(far, i+1)
			}
		}
		if far > 0 {
			yield(row[0].(identity.ID), far)
		}
		return nil
	})
}

// Path is a way that visits took.
type Path struct {
	Names  []string `json:"names"`
	Visits int64    `json:"visits"`
	Share  float64  `json:"share"` // of all visits
}

// Paths is the report.
type Paths struct {
	Visits int64  `json:"visits"`
	Rows   []Path `json:"rows"`
}

const (
	// mostNames is how many kinds of event a path knows: what is rarer is "other".
	mostNames = 60
	pathBits  = 6
	// pathLength is how many steps of a visit are told apart.
	pathLength = 6
	other      = "other"
)

// Key is the path as one text, as [Params.Key] names it.
func (p *Path) Key() string { return strings.Join(p.Names, " > ") }

// Paths counts the ways that visits took: the first events of each, one after the
// other, the same twice in a row told once.
func (t *Tables) Paths(ctx context.Context, p Params) (Paths, error) {
	out := Paths{Rows: []Path{}}
	counts := map[way]int64{}
	names, err := t.ways(ctx, p, func(_ identity.ID, w way) {
		counts[w]++
		out.Visits++
	})
	for w, n := range counts {
		out.Rows = append(out.Rows, Path{Names: w.names(names), Visits: n, Share: ratio(n, out.Visits)})
	}
	slices.SortFunc(out.Rows, func(a, b Path) int {
		return cmp.Or(cmp.Compare(b.Visits, a.Visits), slices.Compare(a.Names, b.Names))
	})
	out.Rows = out.Rows[:min(len(out.Rows), p.Top)]
	return out, err
}

// pathPeople answers whose visits took the way of the key: its names with " > " between.
func (t *Tables) pathPeople(ctx context.Context, p Params) (People, error) {
	if p.Who != "visits" && p.Who != "people" || p.Key == "" {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=visits and a way as key, such as Product Viewed > Product Added")
	}
	found := map[identity.ID]map[way]bool{}
	names, err := t.ways(ctx, p, func(who identity.ID, w way) {
		if found[who] == nil {
			found[who] = map[way]bool{}
		}
		found[who][w] = true
	})
	var ids []identity.ID
	for who, ways := range found {
		for w := range ways {
			if one := (Path{Names: w.names(names)}); one.Key() == p.Key {
				ids = append(ids, who)
				break
			}
		}
	}
	return pageOf(ids, p), err
}

// way is a path by the numbers of its names, from 1; 0: it has ended.
type way [pathLength]byte

func (w way) names(all []string) (list []string) {
	for _, k := range w {
		switch {
		case k == 0:
		case int(k) <= len(all):
			list = append(list, all[k-1])
		default:
			list = append(list, other)
		}
	}
	return list
}

// ways calls yield with the way of each visit, and returns the names that ways number.
func (t *Tables) ways(ctx context.Context, p Params, yield func(who identity.ID, w way)) (names []string, err error) {
	const where = " FROM events AS t WHERE session IS NOT NULL AND " + visiting + " AND ts >= ? AND ts < ?"
	err = t.each(ctx, fmt.Sprintf("SELECT name, count(*) AS n%s GROUP BY name ORDER BY n DESC, name LIMIT %d", where, mostNames), []any{p.From, p.To}, func(row []any) error {
		names = append(names, word(row[0]))
		return nil
	})
	if err != nil || len(names) == 0 {
		return names, err
	}
	number, args := strconv.Itoa(len(names)), []any{}
	for i := len(names) - 1; i >= 0; i-- {
		number = fmt.Sprintf("if(name = ?, %d, %s)", i, number)
	}
	for _, n := range names {
		args = append(args, n)
	}
	return names, t.each(ctx, fmt.Sprintf("SELECT profile, session, groupArray(ms(ts) * %d + %s) AS marks%s GROUP BY profile, session", 1<<pathBits, number, where), append(args, p.From, p.To), func(row []any) error {
		list := row[2].([]any)
		slices.SortFunc(list, func(a, b any) int { return cmp.Compare(a.(int64), b.(int64)) })
		var w way
		n := 0
		for _, m := range list {
			k := byte(m.(int64)&(1<<pathBits-1)) + 1
			if n > 0 && w[n-1] == k {
				continue
			}
			if n == pathLength {
				break
			}
			w[n] = k
			n++
		}
		yield(row[0].(identity.ID), w)
		return nil
	})
}
