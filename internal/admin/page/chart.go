package page

import (
	"math"
	"strconv"
)

// px is a length in the units of a drawing, written with two digits at most.
type px float64

// String returns the length as SVG reads it.
func (p px) String() string {
	if math.IsNaN(float64(p)) || math.IsInf(float64(p), 0) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(float64(p)*100)/100, 'f', -1, 64)
}

// Meter is a share of a whole, drawn as a bar of 100 units.
type Meter struct{ Width px }

// MeterOf returns the share of part in whole, between none and all.
func MeterOf(part, whole float64) Meter {
	if whole <= 0 || part <= 0 {
		return Meter{}
	}
	return Meter{px(min(100, 100*part/whole))}
}

// Bar is one row of a chart of bars that lie.
type Bar struct {
	Label string
	Code  string // the word that the API uses for it
	Value string
	Meter Meter
}

// Spark is a small chart of bars that stand, one a week.
type Spark struct {
	Width, Height px
	Bars          []Box
	From, To      string // the first and the last day
	Title         string // what is drawn, with the highest value, for those who do not see it
}

// Box is one bar of a chart.
type Box struct {
	X, Y, W, H px
	Title      string
	Below      bool // the value is below zero
}

// sparkHeight is the height of a [Spark].
const sparkHeight = 56

// SparkOf draws the values, one a week. Titles are what is said about each.
func SparkOf(values []float64, titles []string) Spark {
	const step, gap = 8, 2
	s := Spark{Width: px(max(1, len(values)) * step), Height: sparkHeight}
	high, low := 0.0, 0.0
	for _, v := range values {
		high, low = max(high, v), min(low, v)
	}
	if high == low {
		return s
	}
	zero := sparkHeight * high / (high - low)
	for i, v := range values {
		if v == 0 {
			continue
		}
		h := max(1.5, math.Abs(v)/(high-low)*sparkHeight)
		b := Box{X: px(i * step), W: step - gap, H: px(h), Y: px(max(0, zero-h)), Title: titles[i]}
		if v < 0 {
			b.Y, b.Below = px(min(zero, sparkHeight-h)), true
		}
		s.Bars = append(s.Bars, b)
	}
	return s
}

// Weeks is the chart of a year: orders stand on a line, messages hang from it.
// Each has a scale of its own, because they are beside one another here and not
// measured against each other.
type Weeks struct {
	Width, Height px
	Base          px // the line
	Orders, Sent  []Box
	MostOrders    string // the highest values, for the legend
	MostSent      string
	Months        []Month
	Mark          px     // where an instant worth noting is
	MarkText      string // empty: there is none
}

// Month is a label below the chart, as wide as the weeks that begin in it.
type Month struct {
	Text  string
	Weeks int
}

// Week is what happened in one week.
type Week struct {
	Orders, Sent int64
	Title        string // what is said about it to who points at it
	Month        string // in which it begins
	Mark         string // an instant worth noting in this week; empty: none
}

// WeeksOf draws the weeks, in order.
func WeeksOf(weeks []Week) Weeks {
	const step, gap, above, below = 10, 3, 110, 46
	w := Weeks{Width: px(max(1, len(weeks)) * step), Height: above + below, Base: above}
	var most, sent int64
	for i := range weeks {
		most, sent = max(most, weeks[i].Orders), max(sent, weeks[i].Sent)
	}
	for i := range weeks {
		x := px(i * step)
		if n := len(w.Months); n > 0 && w.Months[n-1].Text == weeks[i].Month {
			w.Months[n-1].Weeks++
		} else {
			w.Months = append(w.Months, Month{weeks[i].Month, 1})
		}
		if m := weeks[i].Mark; m != "" {
			w.Mark, w.MarkText = x, m
		}
		if n := weeks[i].Orders; n > 0 {
			h := px(max(1, float64(n)/float64(most)*(above-4)))
			w.Orders = append(w.Orders, Box{X: x, W: step - gap, H: h, Y: above - h, Title: weeks[i].Title})
		}
		if n := weeks[i].Sent; n > 0 {
			w.Sent = append(w.Sent, Box{X: x, W: step - gap, H: px(max(1, float64(n)/float64(sent)*(below-4))), Y: above + 2, Title: weeks[i].Title})
		}
	}
	w.MostOrders, w.MostSent = Count(most), Count(sent)
	return w
}

// Interval is an interval around zero, drawn 200 units wide.
type Interval struct {
	Low, Width, Dot px
	Shown           bool
}

// IntervalOf draws an interval on a scale that shows ±most.
func IntervalOf(low, mid, high, most float64) Interval {
	if most <= 0 || !(low <= high) {
		return Interval{}
	}
	at := func(v float64) float64 { return 100 + 96*max(-1, min(1, v/most)) }
	return Interval{Low: px(at(low)), Width: px(max(1, at(high)-at(low))), Dot: px(at(mid)), Shown: true}
}
