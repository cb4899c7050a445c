package occasion

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// Purchases are what one customer bought of one category, in order.
type Purchases struct {
	Person   string
	Category string
	At       []event.Time
}

// What a yearly occasion takes.
const (
	// LeastTurns is in how many years, one after the other, it must have been.
	LeastTurns = 2
	// LeastSeasonal is how many customers must have bought of something in two years or
	// more, so that the shop's own year and the share of those with a yearly occasion
	// can be told.
	LeastSeasonal = 100
	// sure is the probability from which it is told: of those told, at most one in five
	// is expected not to be so.
	sure = 0.8
	// faithful is how often somebody with a yearly occasion keeps it.
	faithful = 0.85
	// leastGivers keeps the share of customers with a yearly occasion above nothing, so
	// that data can bring it back.
	leastGivers = 1e-4
)

// Yearly is a yearly occasion of one customer.
type Yearly struct {
	Person string
	Found
}

// Seasons finds what customers buy in the same month every year. A shop sells more
// in November anyway, and the more somebody buys the more often it is in November
// too, so each is set against the shop's own months. The share of customers who
// have such an occasion is learned (by expectation and maximisation): in a shop
// where nobody does, nothing is found.
func Seasons(d *Definition, purchases []Purchases, now event.Time, zone *time.Location) []Yearly {
	var list []Purchases
	var months [12]float64
	all := 0.0
	for _, p := range purchases {
		if len(d.Only) > 0 && !matches(d.Only, p.Category) {
			continue
		}
		for _, at := range p.At {
			if at <= now {
				months[at.In(zone).Month()-1]++
				all++
			}
		}
		if turns(p, now, zone) >= LeastTurns {
			list = append(list, p)
		}
	}
	if len(list) < LeastSeasonal {
		return nil
	}
	for m := range months {
		months[m] = (months[m] + 1) / (all + 12)
	}
	slices.SortFunc(list, func(a, b Purchases) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Category, b.Category))
	})
	likelier := make([][12]float64, len(list))
	for i, p := range list {
		likelier[i] = ratios(p, months, now, zone)
	}
	givers := 0.05
	for range 100 {
		sum := 0.0
		for i := range likelier {
			sum += posterior(givers, mean(likelier[i]))
		}
		next := max(leastGivers, sum/float64(len(list)))
		if math.Abs(next-givers) < 1e-7 {
			break
		}
		givers = next
	}
	var found []Yearly
	for i, p := range list {
		best := 0
		for m, r := range likelier[i] {
			if r > likelier[i][best] {
				best = m
			}
		}
		// The chance that there is an occasion, and that it is in this month.
		chance := posterior(givers, mean(likelier[i])) * likelier[i][best] / (12 * mean(likelier[i]))
		years := streak(p, best, now, zone)
		if chance < sure || years < LeastTurns {
			continue
		}
		start := next(best, now, zone)
		f := Found{Name: d.Name, Label: d.Label, Probability: chance, Start: event.At(start), End: event.At(start.AddDate(0, 1, 0)), Years: years}
		f.Seen = []Seen{{strings.ToLower(time.Month(best + 1).String()), Sign{p.At[len(p.At)-1], p.Category, true}}}
		found = append(found, Yearly{p.Person, f})
	}
	return found
}

func mean(r [12]float64) (m float64) {
	for _, v := range r {
		m += v / 12
	}
	return m
}

func posterior(share, ratio float64) float64 { return share * ratio / (share*ratio + 1 - share) }

// turns returns in how many calendar years something was bought up to now.
func turns(p Purchases, now event.Time, zone *time.Location) int {
	n, last := 0, 0
	for _, at := range p.At {
		if y := at.In(zone).Year(); at <= now && y != last {
			n, last = n+1, y
		}
	}
	return n
}

// ratios returns, for each month, how many times likelier the purchases are if they
// are bought in it every year than if they follow the shop's months. A year whose
// month has not passed yet says nothing.
func ratios(p Purchases, months [12]float64, now event.Time, zone *time.Location) (r [12]float64) {
	first, end := p.At[0].In(zone).Year(), now.In(zone)
	for m := range r {
		r[m] = 1
		for year := first; year <= end.Year(); year++ {
			n, hit := 0, false
			for _, at := range p.At {
				if t := at.In(zone); at <= now && t.Year() == year {
					n++
					hit = hit || int(t.Month())-1 == m
				}
			}
			if year == end.Year() && int(end.Month())-1 <= m && !hit {
				continue
			}
			by := 1 - math.Pow(1-months[m], float64(n))
			keeps := max(faithful, by)
			if hit {
				r[m] *= keeps / by
			} else {
				r[m] *= (1 - keeps) / max(1-by, 1e-9)
			}
		}
	}
	return r
}

// streak returns in how many years, one after the other up to the latest that has
// passed the month, something was bought in it.
func streak(p Purchases, month int, now event.Time, zone *time.Location) int {
	in := map[int]bool{}
	for _, at := range p.At {
		if t := at.In(zone); at <= now && int(t.Month())-1 == month {
			in[t.Year()] = true
		}
	}
	year := now.In(zone).Year()
	if !in[year] {
		year--
	}
	n := 0
	for in[year] {
		n, year = n+1, year-1
	}
	return n
}

// next returns the beginning of the month that goes on or comes next.
func next(month int, now event.Time, zone *time.Location) time.Time {
	t := now.In(zone)
	year := t.Year()
	if int(t.Month())-1 > month {
		year++
	}
	return time.Date(year, time.Month(month+1), 1, 0, 0, 0, 0, zone)
}
