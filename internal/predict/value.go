package predict

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/value"
	"rapport/internal/fault"
)

// Worth predicts what customers will be worth, from when they ordered and for how
// much: see the package value.
type Worth struct{}

// The names of what [Worth] predicts.
const (
	PredictCLV      = "clv"                 // a year's orders at the shop's margin, at today's worth, in its currency
	PredictAlive    = "p_alive"             // chance that the customer has not left
	PredictOrders   = "orders_90d"          // orders expected in the next 90 days
	PredictNext     = "next_order"          // the day by which they have rather ordered than not
	PredictAOV      = "aov"                 // mean of what an order brought so far
	PredictInterval = "days_between_orders" // mean so far
)

// soonDays is the horizon of orders_90d, and how long the check of a fit lasts.
const soonDays = 90

// About implements [Model].
func (Worth) About() About {
	return About{
		Name: "value", Title: "What customers will be worth: whether they come back, how often, when next and for how much",
		Predicts: []string{PredictAlive, PredictAOV, PredictCLV, PredictInterval, PredictNext, PredictOrders},
		Needs: []Need{
			{"customers who ordered", value.LeastCustomers},
			{"customers who ordered again on another day", value.LeastReturning},
			{"weeks since the first order", value.LeastWeeks},
			{"customers who spent something in a second order, for values in money", value.LeastSpends},
		},
	}
}

// Fit implements [Model].
func (Worth) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	list, foreign, err := shoppers(ctx, src, m)
	if err != nil {
		return nil, err
	}
	today := dayOf(m.Now, m.Zone)
	customers, spends, which := summaries(list, today)
	r := &Result{Report: Report{Customers: len(customers)}}
	fit, err := value.FitOrders(customers, spends)
	if fault.Is(err, fault.Unavailable) {
		_, r.Report.Refused = fault.Of(err)
		if foreign > 0 {
			r.Report.Refused += fmt.Sprintf("; %d orders in other currencies than %s were left out", foreign, m.Currency)
		}
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r.Report.describe(fit, customers)
	if foreign > 0 {
		r.Report.Method += fmt.Sprintf(" %d orders in other currencies than %s were left out.", foreign, m.Currency)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.Report.check(list, today)
	for i, c := range customers {
		if i%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s := &list[which[i]]
		w := fit.Worth(c, spends[i], soonDays/7.0, m.Margin, m.Discount)
		r.People = append(r.People, Of{s.Profile, worth(fit, &w, c, s.Days, today)})
	}
	return r, nil
}

// describe says which model was chosen, and its parameters.
func (r *Report) describe(fit *value.Fit, customers []value.Customer) {
	var names []string
	for _, m := range fit.Models {
		names = append(names, m.Name())
		r.Figures = append(r.Figures, Figure{m.Name() + " log-likelihood", m.LogLikelihood()})
		if m == fit.Chosen {
			for _, p := range m.Params() {
				r.Figures = append(r.Figures, Figure{m.Name() + " " + p.Name, p.Value})
			}
		}
	}
	r.Method = fit.Chosen.Name() + " is the likeliest of " + strings.Join(names, ", ") + "."
	if fit.Spend != nil {
		r.Figures = append(r.Figures, Figure{"gamma_gamma log-likelihood", fit.Spend.LogLikelihood()})
		for _, p := range fit.Spend.Params() {
			r.Figures = append(r.Figures, Figure{"gamma_gamma " + p.Name, p.Value})
		}
	} else {
		r.Method += " There are no values in money: " + fit.NoSpend + "."
	}
	if !slices.ContainsFunc(customers, func(c value.Customer) bool { return fit.Chosen.Alive(c) < sure }) {
		r.Method += " Nobody's silence is longer than chance makes it, so nobody is taken to have left."
	}
}

// sure is a chance that is as good as certainty.
const sure = 0.99

// check fits the model without the last days and compares what it expects of them
// with what came.
func (r *Report) check(list []Shopper, today int) {
	end := today - soonDays
	customers, spends, which := summaries(list, end)
	fit, err := value.FitOrders(customers, spends)
	if err != nil {
		_, why := fault.Of(err)
		r.Checked = fmt.Sprintf("not checked: without the last %d days there is %s", soonDays, why)
		return
	}
	h := holdout(list, which, fit, customers, spends, end, today)
	r.Calibration = h.Deciles
	what := "orders a customer"
	if fit.Spend != nil {
		what = "money a customer"
	}
	r.Checked = fmt.Sprintf("%s in the %d days to %s, by tenths of customers, fitted without those days: %d orders came, %.0f were expected", what, soonDays, dateOf(today), h.Orders, h.Expected[fit.Chosen.Name()])
}

// worth words what is said of one customer. Values are rounded to what they are
// good for, so that a customer about whom nothing happened is not told anew each
// night.
func worth(fit *value.Fit, w *value.Worth, c value.Customer, days []value.Day, today int) []Prediction {
	evidence := evidenceOf(c, days)
	list := []Prediction{
		{Name: PredictAlive, Value: event.Num(math.Round(w.Alive*20) / 20), Evidence: evidence},
		{Name: PredictOrders, Value: event.Num(digits(math.Round(w.Soon*100)/100, 2)), Evidence: evidence},
	}
	if w.Soon < 1 {
		list[1].Value = event.Num(math.Round(w.Soon*20) / 20)
	}
	if fit.Spend != nil {
		list = append(list, Prediction{Name: PredictCLV, Value: event.Num(digits(math.Round(w.Value*100)/100, 2)), Evidence: evidence})
	}
	if next, ok := nextOrder(fit.Chosen, c, today); ok {
		list = append(list, Prediction{Name: PredictNext, Value: event.Text(dateOf(next)), Evidence: evidence})
	}
	sum := 0.0
	for _, d := range days {
		sum += d.Sum
	}
	list = append(list, Prediction{Name: PredictAOV, Value: event.Num(math.Round(sum/float64(len(days))*100) / 100), Evidence: evidence})
	if c.X > 0 {
		list = append(list, Prediction{Name: PredictInterval, Value: event.Int(int64(math.Round(c.Tx * 7 / float64(c.X)))), Evidence: evidence})
	}
	return list
}

// farDays is how far ahead a next order is named: beyond it is no plan.
const farDays = 730

// nextOrder returns the day by which the customer has rather ordered than not, as
// it looked when they last ordered. A day that passed without an order is rolled
// forward, from what is known when it passes, as often as it takes: the answer is
// never in the past, and does not move while nothing is learned.
func nextOrder(m value.Model, c value.Customer, today int) (int, bool) {
	if m.Alive(c) <= value.Even {
		return 0, false
	}
	first := today - int(math.Round(c.T*7))
	for at := first + int(math.Round(c.Tx*7)); ; {
		c.T = float64(at-first) / 7
		weeks, due := m.Wait(c, value.Even)
		if !due || weeks*7 > farDays {
			return 0, false
		}
		at += max(int(math.Ceil(weeks*7)), 1)
		if at > today {
			return at, true
		}
	}
}

// evidenceOf says in a sentence what a customer's predictions rest on. It names days
// and does not count back to them: a value that stays is not told anew each night,
// and its sentence is read weeks later.
func evidenceOf(c value.Customer, days []value.Day) string {
	last := sayDay(days[len(days)-1].Day)
	if c.X == 0 {
		return "one order, on " + last
	}
	return fmt.Sprintf("%d orders, %.0f days apart on average, the last on %s", c.X+1, c.Tx*7/float64(c.X), last)
}

// sayDay writes the day of a number for people.
func sayDay(day int) string {
	return time.Unix(int64(day)*secondsOfDay, 0).UTC().Format(sayDate)
}

// sayDate is how evidence names a day.
const sayDate = "2 January 2006"
