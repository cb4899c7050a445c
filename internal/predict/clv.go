package predict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"rapport/internal/core/insight/value"
	"rapport/internal/fault"
)

// CLV is what a fit of orders says of itself, as JSON prints it.
type CLV struct {
	Customers   int                    `json:"customers"` // who ordered in the calibration
	Calibration Calibration            `json:"calibration"`
	Models      map[string]FittedModel `json:"models"`
	Chosen      string                 `json:"chosen"`
	NoSpend     string                 `json:"no_spend_model,omitempty"`
	Holdout     *Holdout               `json:"holdout"` // null: no days follow the calibration
}

// Calibration is what was learned from.
type Calibration struct {
	From      string  `json:"from"` // first order
	To        string  `json:"to"`   // the last day that counts
	Weeks     float64 `json:"weeks"`
	Orders    int     `json:"repeat_orders"` // days with an order after a customer's first
	Returning int     `json:"returning"`     // customers with any
	Spenders  int     `json:"spenders"`      // of them, who spent something then
}

// FittedModel is one model's parameters and fit.
type FittedModel struct {
	Params        map[string]float64 `json:"params"`
	LogLikelihood float64            `json:"log_likelihood"`
}

// Holdout compares what was expected with what came after the calibration.
type Holdout struct {
	To       string             `json:"to"`
	Weeks    float64            `json:"weeks"`
	Orders   int                `json:"orders"`   // days with an order of the calibration's customers
	Expected map[string]float64 `json:"expected"` // by each model
	// Groups are the chosen model's, by orders in the calibration after the first:
	// means a customer.
	Groups []Bin `json:"groups"`
	// Deciles are the customers by what was expected of them, the most first: sums
	// of money a customer if spend could be fitted, else orders.
	Deciles []Bin `json:"deciles"`
}

// Day returns the number of a date for [Learn].
func Day(date time.Time) int { return dayNumber(date.Date()) }

// Learn fits the models to the orders up to the day `end`, and compares what they
// expect with what came after it.
func Learn(o *Orders, end int) (*CLV, *value.Fit, error) {
	if end < o.First {
		return nil, nil, fault.New(fault.Invalid, "the calibration ends on "+dateOf(end)+", before the first order of "+dateOf(o.First))
	}
	customers, spends, which := summaries(o.Shoppers, end)
	fit, err := value.FitOrders(customers, spends)
	if err != nil {
		return nil, nil, err
	}
	r := &CLV{Customers: len(customers), Chosen: fit.Chosen.Name(), NoSpend: fit.NoSpend, Models: map[string]FittedModel{}}
	r.Calibration = Calibration{From: dateOf(o.First), To: dateOf(end), Weeks: float64(end-o.First) / 7, Returning: fit.Returning}
	for i := range customers {
		r.Calibration.Orders += customers[i].X
		if spends[i].X > 0 {
			r.Calibration.Spenders++
		}
	}
	for _, m := range fit.Models {
		r.Models[m.Name()] = fittedModel(m.Params(), m.LogLikelihood())
	}
	if fit.Spend != nil {
		r.Models["gamma_gamma"] = fittedModel(fit.Spend.Params(), fit.Spend.LogLikelihood())
	}
	if o.Last > end {
		r.Holdout = holdout(o.Shoppers, which, fit, customers, spends, end, o.Last)
	}
	return r, fit, nil
}

func fittedModel(params []value.Param, ll float64) FittedModel {
	m := FittedModel{Params: map[string]float64{}, LogLikelihood: ll}
	for _, p := range params {
		m.Params[p.Name] = p.Value
	}
	return m
}

// mostOrders is the last group of a table by orders, which holds everybody above.
const mostOrders = 7

func holdout(all []Shopper, which []int, fit *value.Fit, customers []value.Customer, spends []value.Spend, end, last int) *Holdout {
	weeks := float64(last-end) / 7
	h := &Holdout{To: dateOf(last), Weeks: weeks, Expected: map[string]float64{}}
	for _, m := range fit.Models {
		sum := 0.0
		for _, c := range customers {
			sum += value.Expected(m, c, weeks)
		}
		h.Expected[m.Name()] = sum
	}
	groups := make([]Bin, mostOrders+1)
	expected, came := make([]float64, len(customers)), make([]float64, len(customers))
	for i, c := range customers {
		orders, sum := 0, 0.0
		for _, d := range all[which[i]].Days {
			if d.Day > end {
				orders, sum = orders+1, sum+d.Sum
			}
		}
		h.Orders += orders
		expected[i], came[i] = value.Expected(fit.Chosen, c, weeks), float64(orders)
		g := &groups[min(c.X, mostOrders)]
		g.N++
		g.Predicted, g.Actual = g.Predicted+expected[i], g.Actual+float64(orders)
		if fit.Spend != nil {
			expected[i], came[i] = expected[i]*fit.Spend.Mean(spends[i]), sum
		}
	}
	for x, g := range groups {
		if g.N > 0 {
			g.Group, g.Predicted, g.Actual = fmt.Sprint(x), g.Predicted/float64(g.N), g.Actual/float64(g.N)
			h.Groups = append(h.Groups, g)
		}
	}
	if n := len(h.Groups); n > 0 && h.Groups[n-1].Group == fmt.Sprint(mostOrders) {
		h.Groups[n-1].Group += "+"
	}
	h.Deciles = deciles(expected, came)
	return h
}

// deciles sorts by what was predicted, the most first, and compares the means of
// tenths.
func deciles(predicted, actual []float64) []Bin {
	order := make([]int, len(predicted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(predicted[b], predicted[a]) })
	const tenths = 10
	var bins []Bin
	for d := range tenths {
		part := order[d*len(order)/tenths : (d+1)*len(order)/tenths]
		if len(part) == 0 {
			continue
		}
		b := Bin{Group: fmt.Sprint(d + 1), N: len(part)}
		for _, i := range part {
			b.Predicted, b.Actual = b.Predicted+predicted[i], b.Actual+actual[i]
		}
		n := float64(len(part))
		b.Predicted, b.Actual = b.Predicted/n, b.Actual/n
		bins = append(bins, b)
	}
	return bins
}

// digits rounds to so many significant digits.
func digits(x float64, n int) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	scale := math.Pow(10, float64(n)-math.Ceil(math.Log10(math.Abs(x))))
	return math.Round(x*scale) / scale
}
