package rhythm

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
)

// Kind is a way to divide time.
type Kind string

// The kinds of rhythm.
const (
	Weekday Kind = "weekday"
	Part    Kind = "part" // a part of a weekday: Friday evening
	Hour    Kind = "hour" // of the day
	Month   Kind = "month"
)

// kinds are all of them, with how many slots time has.
var kinds = []struct {
	kind  Kind
	slots int
}{{Weekday, 7}, {Part, 7 * len(parts)}, {Hour, 24}, {Month, 12}}

// parts are the parts of a day, by the hour at which they end.
var parts = [...]struct {
	name string
	end  int
}{{"night", 6}, {"morning", 12}, {"afternoon", 18}, {"evening", 24}}

// What a finding takes.
const (
	// Errors is which share of all that is found is expected to be chance.
	Errors = 0.05
	// LeastTimes is how many different days of buying, after the first, it takes to
	// ask about a person or a segment.
	LeastTimes = 6
	// leastIn is how many of them must lie in the slot: two are a coincidence that
	// large shops have thousands of.
	leastIn = 4
	// leastMonths is the same of months, where a year gives one at most.
	leastMonths = 3
	// leastLift is how much more than the calendar it must be: what is less is true
	// perhaps, and of no use.
	leastLift = 1.3
	// LeastYears is how many turns of the year it takes to ask about months.
	LeastYears = 2
	// leastPeople is how many people of a segment must come in the slot, so that one
	// good customer is not the segment's rhythm.
	leastPeople = 5
	// mostOfOne is how many days of one person count in a segment, the latest first.
	mostOfOne = 12
)

// Group is a person, or a segment of several, whose rhythm is asked for.
type Group struct {
	Name   string
	People []string
}

// Visit is one person's day with the shop: an order, or a visit.
type Visit struct {
	Person string
	At     event.Time
}

// Finding is a rhythm.
type Finding struct {
	Group  string
	Kind   Kind
	Slot   int
	Times  int     // days of buying that lie in the slot,
	Of     int     // of so many
	Base   float64 // which share of the shop's lies there, over the same span
	Lift   float64 // how many times the shop's share
	Chance float64 // of as much in any slot of the kind, if the group followed the shop's calendar
	From   event.Time
	To     event.Time
}

// Search is what was asked and found.
type Search struct {
	Findings []Finding // by group, then kind
	Tested   int       // pairs of group and kind
	TooFew   int       // groups that bought on too few days to ask
}

// slotOf returns the slot of an instant.
func slotOf(kind Kind, t time.Time) int {
	weekday := (int(t.Weekday()) + 6) % 7
	switch kind {
	case Weekday:
		return weekday
	case Part:
		for i, p := range parts {
			if t.Hour() < p.end {
				return weekday*len(parts) + i
			}
		}
	case Hour:
		return t.Hour()
	}
	return int(t.Month()) - 1
}

// Name returns the slot for people: "on Fridays", "on Friday evenings", "around
// 20:00", "in November".
func (f *Finding) Name() string { return SlotName(f.Kind, f.Slot) }

// SlotName returns a slot for people.
func SlotName(kind Kind, slot int) string {
	switch kind {
	case Weekday:
		return "on " + time.Weekday((slot+1)%7).String() + "s"
	case Part:
		return "on " + time.Weekday((slot/len(parts)+1)%7).String() + " " + parts[slot%len(parts)].name + "s"
	case Hour:
		return "around " + strconv.Itoa(slot) + ":00"
	}
	return "in " + time.Month(slot+1).String()
}

// Evidence says what the finding rests on, in one sentence.
func (f *Finding) Evidence() string {
	return strconv.Itoa(f.Times) + " of " + strconv.Itoa(f.Of) + " days of buying were " + f.Name() + ", where " +
		strconv.FormatFloat(f.Base*100, 'f', 0, 64) + " % of the shop's were in the same time"
}

// calendar is the shop's own: how its visits lie over the slots, up to each.
type calendar struct {
	at   []event.Time // of all visits, in order
	slot [][]uint8    // by kind: of each visit
	upTo [][]int32    // by kind: visits in each slot before the i-th, at i × slots
}

// stride is after how many visits the calendar keeps a running count: between two
// of them it counts anew.
const stride = 64

// Find looks for the rhythms of groups among visits, by the days and hours of the
// shop's zone. One search is one family of tests: [Errors] holds for all that it
// finds together. Visits of one person on one day count as the first of them.
func Find(visits []Visit, groups []Group, zone *time.Location) Search {
	days := daysOf(visits, zone)
	c := newCalendar(days, zone)
	of := map[string][]int{}
	for i, v := range days {
		of[v.Person] = append(of[v.Person], i)
	}
	var s Search
	var tests []Finding
	for _, g := range groups {
		own, people := c.own(g, of)
		if len(own) < LeastTimes {
			s.TooFew++
			continue
		}
		for k, kind := range kinds {
			if kind.kind == Month && c.years(own) < LeastYears {
				continue
			}
			if f, ok := c.test(g, k, own, people, days); ok {
				tests = append(tests, f)
			}
		}
	}
	s.Tested = len(tests)
	s.Findings = control(tests)
	return s
}

// daysOf returns the first visit of each person on each day, in order.
func daysOf(visits []Visit, zone *time.Location) []Visit {
	type day struct {
		person string
		day    int
	}
	sorted := slices.Clone(visits)
	slices.SortFunc(sorted, func(a, b Visit) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Person, b.Person)) })
	seen := make(map[day]bool, len(sorted))
	return slices.DeleteFunc(sorted, func(v Visit) bool {
		t := v.At.In(zone)
		k := day{v.Person, t.Year()*366 + t.YearDay()}
		twice := seen[k]
		seen[k] = true
		return twice
	})
}

func newCalendar(days []Visit, zone *time.Location) *calendar {
	c := &calendar{at: make([]event.Time, len(days)), slot: make([][]uint8, len(kinds)), upTo: make([][]int32, len(kinds))}
	for k := range kinds {
		c.slot[k] = make([]uint8, len(days))
		c.upTo[k] = make([]int32, (len(days)/stride+1)*kinds[k].slots)
	}
	for i, v := range days {
		c.at[i] = v.At
		t := v.At.In(zone)
		for k := range kinds {
			c.slot[k][i] = uint8(slotOf(kinds[k].kind, t))
		}
	}
	for k := range kinds {
		n := kinds[k].slots
		running := make([]int32, n)
		for i := range days {
			if i%stride == 0 {
				copy(c.upTo[k][i/stride*n:], running)
			}
			running[c.slot[k][i]]++
		}
		if len(days)%stride == 0 {
			copy(c.upTo[k][len(days)/stride*n:], running)
		}
	}
	return c
}

// before returns the visits in each slot before the i-th.
func (c *calendar) before(k, i int) []int {
	n := kinds[k].slots
	out := make([]int, n)
	for s, v := range c.upTo[k][i/stride*n : i/stride*n+n] {
		out[s] = int(v)
	}
	for j := i / stride * stride; j < i; j++ {
		out[c.slot[k][j]]++
	}
	return out
}

// own returns the group's days but each person's first: it opens the span in which
// the others could have been anywhere, and a person who is new cannot have come
// before. People is how many there are.
func (c *calendar) own(g Group, of map[string][]int) (list []int, people int) {
	for _, person := range g.People {
		days := of[person]
		if len(days) < 2 {
			continue
		}
		people++
		days = days[1:]
		if len(g.People) > 1 && len(days) > mostOfOne {
			days = days[len(days)-mostOfOne:]
		}
		list = append(list, days...)
	}
	slices.Sort(list)
	return list, people
}

// years returns how many whole years the group's span has.
func (c *calendar) years(own []int) int {
	const year = 365 * 24 * time.Hour
	return int(c.at[len(c.at)-1].Sub(c.at[own[0]]) / year)
}

// test returns the slot of a kind in which the group is furthest above the shop's
// own calendar. Drawn from the shop's visits without regard to when, as many as
// the group's would lie there with the chance of a hypergeometric; it is taken
// times the slots that were looked at. For months a day more in the same month
// says nothing new, so each month of a year counts once.
func (c *calendar) test(g Group, k int, own []int, people int, days []Visit) (Finding, bool) {
	kind := kinds[k]
	from, to := own[0], len(c.at) // the span goes on to the end: not to buy any more is no rhythm
	if len(g.People) > 1 {
		to = own[len(own)-1] + 1
	}
	shop := c.before(k, to)
	for s, n := range c.before(k, from) {
		shop[s] -= n
	}
	total := to - from
	in, n := make([]int, kind.slots), 0
	type once struct {
		person string
		month  int32
	}
	counted := map[once]bool{}
	for _, i := range own {
		if kind.kind == Month {
			o := once{days[i].Person, c.at[i].Month()}
			if counted[o] {
				continue
			}
			counted[o] = true
		}
		in[c.slot[k][i]]++
		n++
	}
	best, tried := Finding{Chance: 1}, 0
	for s := range kind.slots {
		if shop[s] == 0 {
			continue
		}
		tried++
		if p := hypergeometricAbove(in[s], n, shop[s], total); p < best.Chance {
			base := float64(shop[s]) / float64(total)
			best = Finding{Kind: kind.kind, Slot: s, Times: in[s], Of: n, Base: base, Lift: float64(in[s]) / float64(n) / base, Chance: p}
		}
	}
	best.Group, best.Kind, best.From, best.To = g.Name, kind.kind, c.at[from], c.at[to-1]
	best.Chance = min(1, best.Chance*float64(tried))
	if len(g.People) > 1 && best.Chance < 1 {
		with := map[string]bool{}
		for _, i := range own {
			if int(c.slot[k][i]) == best.Slot {
				with[days[i].Person] = true
			}
		}
		if len(with) < leastPeople {
			best.Chance = 1
		}
	}
	return best, tried > 1 && people > 0
}

// control returns the tests that hold when all were made at once. What holds and is
// too little to be of use is left out afterwards.
func control(tests []Finding) []Finding {
	order := make([]int, len(tests))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(tests[a].Chance, tests[b].Chance) })
	hold := 0
	for rank, i := range order {
		if tests[i].Chance <= Errors*float64(rank+1)/float64(len(tests)) {
			hold = rank + 1
		}
	}
	var found []Finding
	for _, i := range order[:hold] {
		f, least := tests[i], leastIn
		if f.Kind == Month {
			least = leastMonths
		}
		if f.Times >= least && f.Lift >= leastLift {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind)) })
	return found
}

// hypergeometricAbove returns the chance that k or more of n drawn without
// replacement from total are among marked.
func hypergeometricAbove(k, n, marked, total int) float64 {
	if k <= max(0, n+marked-total) {
		return 1
	}
	if k > min(n, marked) {
		return 0
	}
	choose := func(n, k int) float64 { return lgamma(float64(n+1)) - lgamma(float64(k+1)) - lgamma(float64(n-k+1)) }
	term := math.Exp(choose(marked, k) + choose(total-marked, n-k) - choose(total, n))
	sum := 0.0
	for i := k; i <= min(n, marked) && term > 0; i++ {
		sum += term
		next := term * float64(marked-i) * float64(n-i) / (float64(i+1) * float64(total-marked-n+i+1))
		if next < sum*1e-15 && next < term {
			break
		}
		term = next
	}
	return min(1, sum)
}
