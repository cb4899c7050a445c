package predict

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/need"
	"rapport/internal/core/profile"
)

// NeedPrefix begins the names of predictions of when a family of products is
// needed again; their value is a date.
const NeedPrefix = "need."

// What is told of needs.
const (
	leastChance = 0.35 // below it nobody plans with the date
	mostNeeds   = 10   // of one customer, the soonest
	leastGaps   = 5    // of a family, by all customers, so that its usual gap is known
	maxFamily   = 64   // of its name in bytes
)

// checkDays is how long the last part is by which models are checked: a quarter.
const checkDays = 91 * 24 * time.Hour

// Needs is the model of need dates.
type Needs struct{}

// About says what the model is.
func (Needs) About() About {
	return About{
		Name: "need", Title: "When a customer needs something again", Predicts: []string{NeedPrefix},
		Needs: []Need{{"gaps between two purchases of the same thing", need.LeastGaps}, {"customers who had one", need.LeastPeople}},
	}
}

// Family returns the family of what was bought: the product if the shop says it,
// else the stem that the codes of variants share, as 85123 of 85123A, else the code.
func Family(l *Line) string {
	switch stem := strings.TrimRightFunc(l.SKU, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }); {
	case l.Product != "" && l.Product != l.SKU:
		return l.Product
	case len(stem) >= 4 && len(l.SKU)-len(stem) <= 2 && strings.Trim(stem, "0123456789") == "":
		return stem
	case l.SKU != "":
		return l.SKU
	}
	return l.Product
}

// purchases is what was bought and kept of each family, by customer.
type purchases struct {
	list  []need.History    // by person, then family
	name  map[string]string // of a family, as it was last sold
	owner map[string]identity.ID
}

// readPurchases reads what was bought and neither cancelled nor sent back.
func readPurchases(ctx context.Context, src Source, before event.Time) (*purchases, error) {
	type part struct{ order, family string }
	p := &purchases{name: map[string]string{}, owner: map[string]identity.ID{}}
	var who identity.ID
	at, units := map[part]event.Time{}, map[part]int64{}
	gone := map[string]bool{}
	flush := func() {
		by := map[string][]event.Time{}
		for k, t := range at {
			if units[k] > 0 && !gone[k.order] {
				by[k.family] = append(by[k.family], t)
			}
		}
		families := make([]string, 0, len(by))
		for f := range by {
			families = append(families, f)
		}
		slices.Sort(families)
		person := who.String()
		for _, f := range families {
			slices.Sort(by[f])
			p.list = append(p.list, need.History{Person: person, Family: f, At: by[f]})
		}
		p.owner[person] = who
		clear(at)
		clear(units)
		clear(gone)
	}
	for l, err := range src.Lines(ctx, before) {
		if err != nil {
			return nil, err
		}
		if l.Profile != who {
			if !who.Zero() {
				flush()
			}
			who = l.Profile
		}
		family := Family(&l)
		if family == "" || len(family) > maxFamily {
			continue
		}
		k := part{l.Order, family}
		switch l.Kind {
		case profile.Completed:
			if l.Quantity > 0 {
				at[k] = l.At
				units[k] += l.Quantity
				p.name[family] = cmp.Or(l.Name, family)
			}
		case profile.Refunded:
			units[k] -= max(l.Quantity, -l.Quantity)
		case profile.Cancelled:
			gone[l.Order] = true
		}
	}
	if !who.Zero() {
		flush()
	}
	return p, nil
}

// Fit learns gaps, and predicts what is needed within need.Horizon.
func (Needs) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	bought, err := readPurchases(ctx, src, m.Now)
	if err != nil {
		return nil, err
	}
	r := &Result{Report: Report{Customers: len(bought.owner)}}
	model, err := need.Fit(bought.list, m.Now)
	if err != nil {
		var few need.Refused
		if errors.As(err, &few) {
			r.Report.Refused = few.Error()
			return r, nil
		}
		return nil, err
	}
	r.Report.Method = "gaps as logarithms: family, person, habit and chance; gaps that have not ended counted as such"
	r.Report.Figures = []Figure{
		{"gaps learned from", float64(model.Gaps)},
		{"spread between families", digits(model.Family, 4)},
		{"spread between customers", digits(model.Person, 4)},
		{"spread of a habit", digits(model.Habit, 4)},
		{"chance", digits(model.Chance, 4)},
	}
	checkNeeds(&r.Report, bought.list, m.Now)
	for i := 0; i < len(bought.list); {
		j := i
		for j < len(bought.list) && bought.list[j].Person == bought.list[i].Person {
			j++
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		of := Of{Profile: bought.owner[bought.list[i].Person]}
		for _, f := range model.Due(bought.list[i:j], m.Now, need.Horizon, leastChance) {
			if _, gaps := model.Usual(f.Family); gaps < leastGaps || len(of.Predictions) >= mostNeeds {
				continue
			}
			of.Predictions = append(of.Predictions, Prediction{
				Name: NeedPrefix + f.Family, Value: event.Text(f.At.In(m.Zone).Format(time.DateOnly)), Evidence: needEvidence(&f, bought.name[f.Family], m),
			})
		}
		if len(of.Predictions) > 0 {
			slices.SortFunc(of.Predictions, func(a, b Prediction) int { return strings.Compare(a.Name, b.Name) })
			r.People = append(r.People, of)
		}
		i = j
	}
	sortPeople(r.People)
	return r, nil
}

func needEvidence(f *need.Forecast, name string, m Moment) string {
	often := "bought once"
	if f.Gaps > 0 {
		often = "bought " + strconv.Itoa(f.Gaps+1) + " times"
	}
	return fmt.Sprintf("%s: %s, last on %s; on %s it was %.0f %% likely by %s", name, often, f.Last.In(m.Zone).Format(sayDate),
		m.Now.In(m.Zone).Format(sayDate), f.Chance*100, m.Now.Add(need.Horizon).In(m.Zone).Format(sayDate))
}

// checkNeeds fits to all but the last quarter and compares with it.
func checkNeeds(r *Report, list []need.History, now event.Time) {
	c, err := need.Backtest(list, now.Add(-checkDays), now)
	if err != nil || c.Pairs == 0 {
		return // too little before the last quarter: there is a model, and nothing to check it by
	}
	r.Checked = "purchases of the last 91 days, fitted without them"
	r.Figures = append(r.Figures,
		Figure{"median error in days", digits(c.Model, 3)}, Figure{"of the last gap", digits(c.Last, 3)}, Figure{"of the mean gap", digits(c.Average, 3)},
		Figure{"of always the middle", digits(c.Middle, 3)}, Figure{"dates compared", float64(c.Pairs)})
	for i, b := range c.Bins {
		r.Calibration = append(r.Calibration, Bin{Group: strconv.Itoa(i + 1), N: b.N, Predicted: digits(b.Predicted, 4), Actual: digits(b.Actual, 4)})
	}
}

// sortPeople puts people into the order of their ids, as [Result] promises.
func sortPeople(list []Of) {
	slices.SortFunc(list, func(a, b Of) int { return slices.Compare(a.Profile[:], b.Profile[:]) })
}

// round2 rounds a share to what a person tells apart, so that a change in its
// third place is not told to everybody anew.
func round2(x float64) float64 { return math.Round(x*100) / 100 }
