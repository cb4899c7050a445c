// Package rfm places customers among the shop's own: how lately they bought, how
// often and for how much, and how much they take part beside buying.
//
// A place is relative to the base: [Cuts] are the quantiles of all customers at an
// instant, and a [Score] is in which fifth of them a customer is. So a shop of
// lamps and a shop of bread both have champions. What lies exactly on a cut is
// below it: where a third of all customers ordered once, all of them are in one
// fifth, the lowest.
package rfm

import (
	"math"
	"slices"
	"strconv"
)

// Customer is what is placed.
type Customer struct {
	Recency    float64 // days since the last order
	Frequency  float64 // orders
	Monetary   float64 // spent
	Engagement float64 // visits, openings and clicks by a person within EngagedDays
}

// EngagedDays is how long taking part counts.
const EngagedDays = 90

// fifths is into how many groups customers are divided.
const fifths = 5

// Cuts are the values between the fifths of a base, of each measure, ascending.
type Cuts struct {
	N          int // customers of the base
	Recency    [fifths - 1]float64
	Frequency  [fifths - 1]float64
	Monetary   [fifths - 1]float64
	Engagement [fifths - 1]float64
}

// LeastCustomers is from how many on fifths mean something: ten in each.
const LeastCustomers = 50

// Quantile returns the value below which a share of the sorted values lies,
// between two of them in proportion. The list must not be empty.
func Quantile(sorted []float64, share float64) float64 {
	at := share * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// CutsOf returns the cuts of a base.
func CutsOf(base []Customer) Cuts {
	c := Cuts{N: len(base)}
	if len(base) == 0 {
		return c
	}
	for _, m := range []struct {
		of   func(Customer) float64
		into *[fifths - 1]float64
	}{
		{func(c Customer) float64 { return c.Recency }, &c.Recency},
		{func(c Customer) float64 { return c.Frequency }, &c.Frequency},
		{func(c Customer) float64 { return c.Monetary }, &c.Monetary},
		{func(c Customer) float64 { return c.Engagement }, &c.Engagement},
	} {
		list := make([]float64, len(base))
		for i := range base {
			list[i] = m.of(base[i])
		}
		slices.Sort(list)
		for i := range m.into {
			m.into[i] = Quantile(list, float64(i+1)/fifths)
		}
	}
	return c
}

// Score says in which fifths a customer is: 5 is the best, 1 the least.
type Score struct{ R, F, M, E int }

// Score returns a customer's place.
func (c *Cuts) Score(who Customer) Score {
	above := func(cuts [fifths - 1]float64, v float64) (n int) {
		for _, cut := range cuts {
			if v > cut {
				n++
			}
		}
		return n
	}
	return Score{fifths - above(c.Recency, who.Recency), 1 + above(c.Frequency, who.Frequency), 1 + above(c.Monetary, who.Monetary), 1 + above(c.Engagement, who.Engagement)}
}

// String writes recency, frequency and money: "545".
func (s Score) String() string { return strconv.Itoa(s.R*100 + s.F*10 + s.M) }

// Engaged writes engagement before them: "3545".
func (s Score) Engaged() string { return strconv.Itoa(s.E) + s.String() }

// Persona is a kind of customer, by place.
type Persona uint8

// The personas, the best first. They are shown and counted: never renumber.
const (
	Champion  Persona = 0 // lately, often, for much
	Loyal     Persona = 1 // often, and not long ago
	Promising Persona = 2 // not long ago, not yet often
	Newcomer  Persona = 3 // one order, lately
	Slipping  Persona = 4 // was often or spent much, and has been silent
	Inactive  Persona = 5 // seldom, and long ago
	Personas          = 6
)

var personaNames = [Personas]string{"champion", "loyal", "promising", "newcomer", "slipping", "inactive"}

// String returns the persona's name.
func (p Persona) String() string {
	if int(p) < len(personaNames) {
		return personaNames[p]
	}
	return "none"
}

// The fifths from which on something is lately, middling or much.
const (
	top, middle = 4, 3
)

// Persona returns the persona of a place of somebody with so many orders.
func (s Score) Persona(orders int) Persona {
	switch {
	case orders == 1 && s.R >= top:
		return Newcomer
	case s.R >= top && s.F >= top && s.M >= top:
		return Champion
	case s.R >= middle && s.F >= top:
		return Loyal
	case s.R >= middle:
		return Promising
	case s.F >= middle || s.M >= top:
		return Slipping
	}
	return Inactive
}

// None is the row of a [Movement] for who was no customer yet, and its column for
// who is none any more.
const None = Personas

// Movement counts who moved from which persona, its row, to which, its column.
type Movement [Personas + 1][Personas + 1]int

// Move counts customers by their personas at two instants.
func Move[ID comparable](before, after map[ID]Persona) (m Movement) {
	for id, from := range before { // order does not matter: it only counts
		to, still := after[id]
		if !still {
			to = None
		}
		m[from][to]++
	}
	for id, to := range after { // order does not matter: it only counts
		if _, was := before[id]; !was {
			m[None][to]++
		}
	}
	return m
}
