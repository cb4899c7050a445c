package predict

import (
	"context"
	"fmt"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/rfm"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Places says where customers are among the shop's own: see the package rfm. Its
// cuts are those of the day on which it runs.
type Places struct{}

// The names of what [Places] says.
const (
	PredictRFM     = "rfm"         // "545": fifths by recency, frequency and money, 5 the best
	PredictERFM    = "erfm"        // "3545": engagement before them
	PredictPersona = "rfm_persona" // "champion" …
)

// About implements [Model].
func (Places) About() About {
	return About{
		Name: "rfm", Title: "Where customers are among the shop's own: how lately, how often and for how much they bought, and how much they take part",
		Predicts: []string{PredictERFM, PredictRFM, PredictPersona},
		Needs:    []Need{{"customers who ordered", rfm.LeastCustomers}},
	}
}

// engaging are the events that say that somebody takes part; what machines open
// and click does not count.
var engaging = []string{
	event.PageViewed, event.ScreenViewed, event.ProductViewed, event.ListViewed, event.ProductSearched, event.ProductAdded, event.MessageOpened, event.MessageClicked,
}

// Fit implements [Model].
func (Places) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	list, err := Buyers(ctx, src, m)
	if err != nil {
		return nil, err
	}
	r := &Result{Report: Report{Customers: len(list)}}
	if len(list) < rfm.LeastCustomers {
		r.Report.Refused = fmt.Sprintf("too little to learn from: there are %d customers who ordered, of at least %d", len(list), rfm.LeastCustomers)
		return r, nil
	}
	engaged, err := engagements(ctx, src, m.Now)
	if err != nil {
		return nil, err
	}
	today := dayOf(m.Now, m.Zone)
	base := make([]rfm.Customer, len(list))
	for i := range list {
		base[i], _ = list[i].At(today) // everybody bought something
		base[i].Engagement = engaged[list[i].Profile]
	}
	cuts := rfm.CutsOf(base)
	var count [rfm.Personas]int
	for i := range list {
		s := cuts.Score(base[i])
		persona := s.Persona(int(base[i].Frequency))
		count[persona]++
		evidence := fmt.Sprintf("last order on %s, %s, %.2f spent; among %d customers on %s", sayDay(today-int(base[i].Recency)), orders(base[i].Frequency), base[i].Monetary, cuts.N, sayDay(today))
		r.People = append(r.People, Of{list[i].Profile, []Prediction{
			{Name: PredictERFM, Value: event.Text(s.Engaged()), Evidence: evidence},
			{Name: PredictRFM, Value: event.Text(s.String()), Evidence: evidence},
			{Name: PredictPersona, Value: event.Text(persona.String()), Evidence: evidence},
		}})
	}
	r.Report.Method = fmt.Sprintf("Fifths of %d customers who bought and paid; what was sent back takes money from them and no order; what lies on a cut is below it.", cuts.N)
	for _, c := range []struct {
		name string
		cuts [4]float64
	}{{"recency", cuts.Recency}, {"frequency", cuts.Frequency}, {"money", cuts.Monetary}, {"engagement", cuts.Engagement}} {
		for i, v := range c.cuts {
			r.Report.Figures = append(r.Report.Figures, Figure{fmt.Sprintf("%s %d %%", c.name, 20*(i+1)), v})
		}
	}
	for p, n := range count {
		r.Report.Figures = append(r.Report.Figures, Figure{ofPersona + rfm.Persona(p).String(), float64(n)})
	}
	return r, nil
}

// orders counts them for people.
func orders(n float64) string {
	if n == 1 {
		return "1 order"
	}
	return fmt.Sprintf("%.0f orders", n)
}

// ofPersona begins the name of a figure that counts a persona.
const ofPersona = "persona "

// PersonasOf returns the personas that the report of [Places] tells of.
func PersonasOf(r *Report) (list []Kind) {
	for _, f := range r.Figures {
		if name, is := strings.CutPrefix(f.Name, ofPersona); is {
			list = append(list, Kind{name, name, int(f.Value)})
		}
	}
	return list
}

// Buyer is a customer who bought and paid something, as RFM counts them: by the
// rule of the report of RFM, which is the published one. Each order counts, two of a
// day too, and what was sent back takes back its money and not the order: that they
// came and bought is so. What others call customers, and this is not: who only sent
// something back, and who got something for nothing.
type Buyer struct {
	Profile identity.ID
	moves   []move // in order of time
}

// move is an order, or money that went back.
type move struct {
	day    int
	net    money.Micros // in the shop's currency
	bought bool
}

// Buyers reads them in the order of their ids.
func Buyers(ctx context.Context, src Source, m Moment) (list []Buyer, err error) {
	var now Buyer
	left := map[string]money.Micros{} // of orders, so that a cancellation takes what is left
	bought := false
	flush := func() {
		if bought {
			list = append(list, now)
		}
		now, bought = Buyer{}, false
		clear(left)
	}
	for o, err := range src.Orders(ctx, m.Now) {
		if err != nil {
			return nil, err
		}
		if o.Nobody {
			continue
		}
		if o.Profile != now.Profile {
			flush()
			now.Profile = o.Profile
		}
		one := move{day: dayOf(o.At, m.Zone), net: o.Net, bought: o.Kind == profile.Completed && o.Net > 0}
		if o.Kind == profile.Cancelled && o.Net == 0 {
			one.net = -left[o.ID]
		}
		left[o.ID] += one.net
		if o.Currency != "" && o.Currency != m.Currency {
			one.net = 0 // it is an order, and its money is added to none
		}
		bought = bought || one.bought
		now.moves = append(now.moves, one)
	}
	flush()
	return list, nil
}

// At is what a buyer is placed by as of the end of a day; false: they had not bought
// by then. Nobody spent less than nothing.
func (b *Buyer) At(end int) (c rfm.Customer, ok bool) {
	net := money.Micros(0)
	for _, m := range b.moves {
		if m.day > end {
			break
		}
		if net += m.net; m.bought {
			c.Frequency++
			c.Recency = float64(end - m.day)
		}
	}
	c.Monetary = max(net, 0).Float()
	return c, c.Frequency > 0
}

func engagements(ctx context.Context, src Source, now event.Time) (map[identity.ID]float64, error) {
	count := map[identity.ID]float64{}
	since := now - event.Time(rfm.EngagedDays)*secondsOfDay*1000
	for e, err := range src.Events(ctx, now, engaging...) {
		if err != nil {
			return nil, err
		}
		if e.At >= since && e.Actor != "machine" {
			count[e.Profile]++
		}
	}
	return count, nil
}

// PersonasAt returns the personas as of the end of a day, by orders alone: two of
// them make a [rfm.Movement].
func PersonasAt(list []Buyer, end int) map[identity.ID]rfm.Persona {
	var base []rfm.Customer
	var who []identity.ID
	for i := range list {
		if c, ok := list[i].At(end); ok {
			base, who = append(base, c), append(who, list[i].Profile)
		}
	}
	cuts := rfm.CutsOf(base)
	personas := make(map[identity.ID]rfm.Persona, len(base))
	for i := range base {
		personas[who[i]] = cuts.Score(base[i]).Persona(int(base[i].Frequency))
	}
	return personas
}

// Shoppers reads the customers of a source with the days of their orders, as of a
// moment.
func Shoppers(ctx context.Context, src Source, m Moment) ([]Shopper, error) {
	list, _, err := shoppers(ctx, src, m)
	return list, err
}

// HeldOut returns, by tenths of the customers, what was expected of them in the
// days that end today and what they really spent, fitted without those days. The
// sentence says over what, or why there is nothing.
func HeldOut(ctx context.Context, src Source, m Moment) ([]Bin, string, error) {
	list, _, err := shoppers(ctx, src, m)
	if err != nil {
		return nil, "", err
	}
	var r Report
	r.check(list, dayOf(m.Now, m.Zone))
	return r.Calibration, r.Checked, nil
}
