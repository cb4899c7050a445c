// Package need says when a customer will need something again.
//
// What somebody buys again and again, they buy after gaps, and the logarithm of
// a gap is about normal. [Fit] splits it into the family's usual gap, how much
// faster or slower the person is in everything, and how they are with this
// family:
//
//	ln gap = all + family + person + person with this family + chance
//
// Each part is drawn towards zero by as much as its data leaves open, so that
// one early purchase does not make a habit. The gap that has not ended yet is
// no gap of its length: it is at least that long, or the customer will not come
// back for this at all, and it counts as what it is.
//
// [Model.Forecast] is asked as of an instant. It knows that nothing was bought
// until then, so the date it gives is always to come: it rolls forward by
// itself, and the chance that the need is still there falls. The date is one to
// plan with: it is right in the middle if the customer buys within the horizon,
// and the chance says whether they will.
package need

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
)

// History is when one person bought of one family.
type History struct {
	Person string
	Family string
	At     []event.Time // in order; purchases of one day count once
}

// The least that a model is fitted to. With fewer gaps, the spread between people
// is guesswork; with fewer people, one of them is the shop.
const (
	LeastGaps   = 200
	LeastPeople = 30
)

// How the fit goes.
const (
	startSpread = 0.5  // standard deviation of each part at first, as a logarithm
	least       = 1e-4 // variance below which a part is not let, so that it can grow again
	rounds      = 40   // of the fit; it moves by less than settled long before
	settled     = 1e-5 // change of all parameters at which the fit ends
)

// day is the unit of gaps: somebody who buys twice on one day had one need.
const day = 24 * time.Hour

// Model is a fitted model. It is immutable.
type Model struct {
	Mean   float64 // ln days, over all
	Family float64 // standard deviation between families
	Person float64 // between people
	Habit  float64 // between a person's families
	Chance float64 // between the gaps of one person in one family
	// Gone is the chance that a purchase was the last of its family by that person:
	// the first one, the second, and any later. What was bought once may have been a
	// gift or a try.
	Gone   [habits]float64
	Gaps   int // that ended
	Open   int // that have not
	People int

	families, people map[string]effect
}

// effect is how a family or a person differs from all, as a logarithm.
type effect struct {
	mean float64
	left float64 // variance of what is not known of it
	gaps int     // that say so
}

// habits is how many kinds of purchases differ in how often they are the last.
const habits = 3

// habitOf returns the kind of a purchase that so many gaps came before.
func habitOf(gaps int) int { return min(gaps, habits-1) }

// coming returns the chance that a gap will end, if a share gone of gaps never do
// and a share still of the others is at least as long as this one.
func coming(gone, still float64) float64 { return (1 - gone) * still / ((1-gone)*still + gone) }

// Refused says why there is no model.
type Refused struct{ People, Gaps int }

// Error says what is missing, for people.
func (r Refused) Error() string {
	return strconv.Itoa(r.Gaps) + " gaps between two purchases of the same thing by " + strconv.Itoa(r.People) +
		" customers; it takes " + strconv.Itoa(LeastGaps) + " by " + strconv.Itoa(LeastPeople)
}

// pair is a history with its gaps as logarithms of days.
type pair struct {
	person, family int
	gaps           []float64
	open           float64 // the gap that has not ended
	expect         float64 // what it is expected to be, given that it has not
	coming         float64 // chance that it will end
	habit          float64
}

// gaps returns the logarithms of the gaps in days, and of the days since the last
// purchase.
func gaps(at []event.Time, now event.Time) (list []float64, open float64) {
	var last event.Time
	for i, t := range at {
		if t > now {
			break
		}
		d := t.Sub(last)
		if i > 0 && d < day {
			continue
		}
		if i > 0 {
			list = append(list, math.Log(d.Hours()/24))
		}
		last = t
	}
	return list, math.Log(max(now.Sub(last).Hours()/24, 0.5))
}

// Fit learns from histories as they were at now. What happened later is not
// looked at. An error is always a [Refused].
func Fit(histories []History, now event.Time) (*Model, error) {
	sorted := slices.Clone(histories)
	slices.SortFunc(sorted, func(a, b History) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Person, b.Person))
	})
	var f fit
	f.read(sorted, now)
	if f.ended < LeastGaps || f.by < LeastPeople {
		return nil, Refused{People: f.by, Gaps: f.ended}
	}
	f.run()
	return f.model(), nil
}

// Horizon is how far ahead needs are planned. A date further off would be
// overtaken by whatever happens until then.
const Horizon = 90 * day

// Forecast is when a customer will need a family again, if within the horizon.
type Forecast struct {
	Family string
	// At is as likely too early as too late, if it is bought within the horizon;
	// nine in ten come after Early, and nine in ten before Late. All are to come.
	At, Early, Late event.Time
	Chance          float64 // that it is bought within the horizon
	Likely          float64 // that it is ever bought again
	Gaps            int     // own gaps that it rests on
	Typical         float64 // days of a usual gap of this person with this family
	Since           float64 // days since the last purchase
	Last            event.Time

	mean, spread, open float64
}

// Forecast returns when the person of the history needs the family again, as of
// now. It reports false if nothing was bought up to now, or nothing is known of
// the family.
func (m *Model) Forecast(h History, now event.Time, horizon time.Duration) (Forecast, bool) {
	n, _ := slices.BinarySearch(h.At, now+1)
	effect, known := m.families[h.Family]
	if n == 0 || !known || horizon <= 0 {
		return Forecast{}, false
	}
	list, open := gaps(h.At[:n], now)
	person, seen := m.people[h.Person]
	if !seen {
		person.left = m.Person * m.Person
	}
	prior := m.Mean + effect.mean + person.mean
	// What is not known of the family and the person makes the habit less sure.
	width := m.Habit*m.Habit + effect.left + person.left
	noise := m.Chance * m.Chance
	sum := 0.0
	for _, g := range list {
		sum += g - prior
	}
	share := width / (width*float64(len(list)) + noise)
	f := Forecast{
		Family: h.Family, Gaps: len(list), Since: math.Exp(open), Last: h.At[n-1],
		mean: prior + share*sum, spread: math.Sqrt(noise*share + noise), open: open,
	}
	f.Typical = math.Exp(f.mean)
	still := f.longer(f.open)
	f.Likely = coming(m.Gone[habitOf(len(list))], still)
	later := f.longer(math.Log(f.Since + horizon.Hours()/24))
	if still > 0 {
		f.Chance = f.Likely * (1 - later/still)
	}
	date := func(q float64) event.Time {
		z := quantileAbove(still + (later-still)*q)
		days := math.Exp(f.mean + f.spread*z)
		return min(max(f.Last.Add(hours(days)), now+1), now.Add(horizon))
	}
	f.At, f.Early, f.Late = date(0.5), date(0.1), date(0.9)
	return f, true
}

// longer returns the chance that a gap that ends is longer than a logarithm of days.
func (f *Forecast) longer(open float64) float64 { return above((open - f.mean) / f.spread) }

func hours(days float64) time.Duration { return time.Duration(days * float64(day)) }

// Due returns what the person needs within the horizon with at least the chance,
// the soonest first. The histories are of one person.
func (m *Model) Due(histories []History, now event.Time, horizon time.Duration, chance float64) []Forecast {
	var list []Forecast
	for _, h := range histories {
		if f, ok := m.Forecast(h, now, horizon); ok && f.Chance >= chance {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b Forecast) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Family, b.Family)) })
	return list
}
