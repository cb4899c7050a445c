package predict

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/persona"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// PersonaName is the name of the prediction of the kind of customer; its value is
// the key of the kind, which stays the same when the model is fitted anew.
const PersonaName = "persona"

// mixed is of how many categories, those bought most, the share counts.
const mixed = 4

// Personas is the model of kinds of customers.
type Personas struct {
	// Dir is where the kinds are kept for the next fit. Empty: each fit begins anew.
	Dir string
}

// About says what the model is.
func (Personas) About() About {
	return About{
		Name: "personas", Title: "Kinds of customers", Predicts: []string{PersonaName},
		Needs: []Need{{"customers who bought", persona.LeastCustomers}},
	}
}

// shopper is what the kinds are made of, of one customer.
type shopper struct {
	who                      identity.ID
	orders, evening, weekend int
	till, phone              int
	spent, sentBack          float64
	first, last              event.Time
	products                 map[string]bool
	categories               map[string]float64
	pieces                   float64
}

// Fit finds kinds of customers who bought.
func (n Personas) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	shoppers, err := readShoppers(ctx, src, m)
	if err != nil {
		return nil, err
	}
	features, customers := customersOf(shoppers, m)
	r := &Result{Report: Report{Customers: len(customers)}}
	path := filepath.Join(n.Dir, "persona.kept")
	var before *persona.Model
	if n.Dir != "" {
		raw, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return nil, fault.Wrap(fault.Internal, err, "reading the personas that were found last")
		}
		before = persona.Remember(raw)
	}
	found, err := persona.Fit(features, customers, before)
	var none persona.Refused
	if errors.As(err, &none) {
		r.Report.Refused = none.Error()
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if n.Dir != "" {
		if err := replace(path, found.Keepsake()); err != nil {
			return nil, err
		}
	}
	r.Report.Method = fmt.Sprintf("%d kinds by the gap statistic, k-means over %d standardised features", len(found.Personas), len(features))
	r.Report.Figures = append(r.Report.Figures, Figure{"how much nearer to the own kind than to the next", digits(found.Tight, 3)})
	for _, p := range found.Personas {
		head := p.Key + ", " + p.Name
		r.Report.Figures = append(r.Report.Figures, Figure{head + ofKind, float64(p.Customers)})
		const shown = 3
		for _, f := range p.Figures[:min(shown, len(p.Figures))] {
			r.Report.Figures = append(r.Report.Figures, Figure{fmt.Sprintf("%s: %s (all customers %.4g)", head, f.Feature, f.Base), digits(f.Mean, 4)})
		}
	}
	day := m.Now.In(m.Zone).Format(sayDate)
	for i, c := range customers {
		p, _ := found.Of(c.X)
		r.People = append(r.People, Of{shoppers[i].who, []Prediction{{
			Name: PersonaName, Value: event.Text(p.Key), Evidence: p.Name + ", on " + day + ": " + found.Evidence(p, c.X),
		}}})
	}
	sortPeople(r.People)
	return r, nil
}

// ofKind ends the name of the figure that counts a kind.
const ofKind = ": customers"

// Kind is a kind of customers, as a report tells of it.
type Kind struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	Customers int    `json:"customers"`
}

// Kinds returns the kinds that the report of [Personas] tells of.
func Kinds(r *Report) (list []Kind) {
	for _, f := range r.Figures {
		if head, is := strings.CutSuffix(f.Name, ofKind); is {
			key, name, _ := strings.Cut(head, ", ")
			list = append(list, Kind{key, name, int(f.Value)})
		}
	}
	return list
}

// readShoppers reads what customers bought, when and where, in the order of their ids.
func readShoppers(ctx context.Context, src Source, m Moment) ([]*shopper, error) {
	by := map[identity.ID]*shopper{}
	for o, err := range src.Orders(ctx, m.Now) {
		if err != nil {
			return nil, err
		}
		if o.Nobody {
			continue // each receipt would be a customer who came once
		}
		if m.Currency != "" && o.Currency != "" && o.Currency != m.Currency {
			continue // sums of two currencies are never added
		}
		s := by[o.Profile]
		if s == nil {
			s = &shopper{who: o.Profile, products: map[string]bool{}, categories: map[string]float64{}}
			by[o.Profile] = s
		}
		if o.Kind != profile.Completed {
			s.sentBack -= float64(o.Net) / 1e6
			continue
		}
		s.orders++
		s.spent += float64(o.Net) / 1e6
		if s.first == 0 {
			s.first = o.At
		}
		s.last = max(s.last, o.At)
		const evening = 18
		if hourOfDay(o.At, m.Zone) >= evening {
			s.evening++
		}
		if d := o.At.In(m.Zone).Weekday(); d == time.Saturday || d == time.Sunday {
			s.weekend++
		}
		if o.Channel == "till" || o.Channel == "store" {
			s.till++
		}
		if o.Device == "mobile" {
			s.phone++
		}
	}
	for l, err := range src.Lines(ctx, m.Now) {
		if err != nil {
			return nil, err
		}
		if s := by[l.Profile]; s != nil && l.Kind == profile.Completed && l.Quantity > 0 {
			s.products[cmp.Or(l.Product, l.SKU)] = true
			s.pieces++
			if l.Category != "" {
				s.categories[l.Category]++
			}
		}
	}
	list := make([]*shopper, 0, len(by))
	for _, s := range by {
		if s.orders > 0 {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *shopper) int { return slices.Compare(a.who[:], b.who[:]) })
	return list, nil
}

// feature is a feature with how it is read of a customer.
type feature struct {
	persona.Feature
	of func(s *shopper) float64
}

// customersOf returns what is known of each shopper. What is the same of everybody,
// in a shop without tills or phones, is left out: it tells nobody apart.
func customersOf(shoppers []*shopper, m Moment) ([]persona.Feature, []persona.Customer) {
	share := func(part func(s *shopper) float64, whole func(s *shopper) float64) func(s *shopper) float64 {
		return func(s *shopper) float64 {
			if whole(s) <= 0 {
				return 0
			}
			return min(100, 100*part(s)/whole(s))
		}
	}
	orders := func(s *shopper) float64 { return float64(s.orders) }
	all := []feature{
		{persona.Feature{Name: "orders", High: "buys often", Low: "buys seldom", Log: true}, orders},
		{persona.Feature{Name: "spent an order", High: "large orders", Low: "small orders", Log: true, Unit: string(m.Currency)}, func(s *shopper) float64 { return s.spent / float64(s.orders) }},
		{persona.Feature{Name: "since the last order", High: "long gone", Low: "here lately", Log: true, Unit: "days"}, func(s *shopper) float64 { return m.Now.Sub(s.last).Hours() / 24 }},
		{persona.Feature{Name: "customer since", High: "an old customer", Low: "a new customer", Log: true, Unit: "days"}, func(s *shopper) float64 { return m.Now.Sub(s.first).Hours() / 24 }},
		{persona.Feature{Name: "different products an order", High: "a bit of everything", Low: "one thing at a time", Log: true}, func(s *shopper) float64 { return float64(len(s.products)) / float64(s.orders) }},
		{persona.Feature{Name: "sent back", High: "sends back", Unit: "%"}, share(func(s *shopper) float64 { return s.sentBack }, func(s *shopper) float64 { return s.spent })},
		{persona.Feature{Name: "orders in the evening", High: "in the evening", Low: "by day", Unit: "%"}, share(func(s *shopper) float64 { return float64(s.evening) }, orders)},
		{persona.Feature{Name: "orders at the weekend", High: "at the weekend", Low: "on working days", Unit: "%"}, share(func(s *shopper) float64 { return float64(s.weekend) }, orders)},
		{persona.Feature{Name: "orders in a store", High: "in the store", Low: "online", Unit: "%"}, share(func(s *shopper) float64 { return float64(s.till) }, orders)},
		{persona.Feature{Name: "orders on a phone", High: "on the phone", Low: "not on the phone", Unit: "%"}, share(func(s *shopper) float64 { return float64(s.phone) }, orders)},
	}
	for _, c := range topCategories(shoppers) {
		all = append(all, feature{
			persona.Feature{Name: "of what was bought, " + c, High: c, Unit: "%"},
			share(func(s *shopper) float64 { return s.categories[c] }, func(s *shopper) float64 { return s.pieces }),
		})
	}
	var features []persona.Feature
	customers := make([]persona.Customer, len(shoppers))
	for i, s := range shoppers {
		customers[i].ID = s.who.String()
	}
	for _, f := range all {
		same := true
		values := make([]float64, len(shoppers))
		for i, s := range shoppers {
			values[i] = f.of(s)
			same = same && values[i] == values[0]
		}
		if same {
			continue
		}
		features = append(features, f.Feature)
		for i := range customers {
			customers[i].X = append(customers[i].X, values[i])
		}
	}
	return features, customers
}

// topCategories returns the categories bought most, in their own order.
func topCategories(shoppers []*shopper) []string {
	sum := map[string]float64{}
	for _, s := range shoppers {
		for c, n := range s.categories {
			sum[c] += n
		}
	}
	names := make([]string, 0, len(sum))
	for c := range sum {
		names = append(names, c)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(sum[b], sum[a]), cmp.Compare(a, b)) })
	names = names[:min(mixed, len(names))]
	slices.Sort(names)
	return names
}
