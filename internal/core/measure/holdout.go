package measure

import (
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Outcome is what one person did after entering a journey.
type Outcome struct {
	Orders  int64        // completed
	Revenue money.Micros // of them, less what was refunded or cancelled of them
}

// OutcomeOf returns what a customer did in the window [entered, entered +
// window), in one currency; own is the workspace's, in which orders without a
// currency are. A refund counts in full if its order lies in the window, however
// late it came, and not at all if it does not. Other is how many orders were in
// another currency and are left out.
func OutcomeOf(p *profile.Profile, entered event.Time, window time.Duration, currency, own money.Currency) (out Outcome, other int) {
	end := entered.Add(window)
	inside := func(o *profile.Order) bool { return o.Kind == profile.Completed && o.At >= entered && o.At < end }
	for i := range p.Orders {
		o := &p.Orders[i]
		switch {
		case o.Kind == profile.Completed && !inside(o):
			continue
		case o.Kind != profile.Completed && !refunds(p, o, inside):
			continue
		}
		if c := o.Currency; c != currency && (c != "" || own != currency) {
			if o.Kind == profile.Completed {
				other++
			}
			continue
		}
		if o.Kind == profile.Completed {
			out.Orders++
		}
		out.Revenue += o.Net
	}
	return out, other
}

// refunds reports whether o takes back an order that counts.
func refunds(p *profile.Profile, o *profile.Order, counts func(*profile.Order) bool) bool {
	for i := range p.Orders {
		if q := &p.Orders[i]; q.ID == o.ID && counts(q) {
			return true
		}
	}
	return false
}

// Ended reports whether nothing more can happen in a person's window, refunds
// apart.
func Ended(entered event.Time, window time.Duration, now event.Time) bool {
	return now >= entered.Add(window)
}

// Arm adds up what the people of one arm did. The zero Arm has nobody.
type Arm struct {
	Buyers  Moments `json:"buyers"` // 1 for who ordered, else 0
	Orders  Moments `json:"orders"`
	Revenue Moments `json:"revenue"` // main units of the currency
}

// Add counts one person.
func (a *Arm) Add(o Outcome) {
	a.Buyers.Add(bought(o))
	a.Orders.Add(float64(o.Orders))
	a.Revenue.Add(o.Revenue.Float())
}

// Replace counts a person anew who was counted with old.
func (a *Arm) Replace(old, o Outcome) {
	a.Buyers.Replace(bought(old), bought(o))
	a.Orders.Replace(float64(old.Orders), float64(o.Orders))
	a.Revenue.Replace(old.Revenue.Float(), o.Revenue.Float())
}

// Merge returns the people of both together.
func (a Arm) Merge(b Arm) Arm {
	return Arm{a.Buyers.Merge(b.Buyers), a.Orders.Merge(b.Orders), a.Revenue.Merge(b.Revenue)}
}

func bought(o Outcome) float64 {
	if o.Orders > 0 {
		return 1
	}
	return 0
}

// Holdout adds up an experiment with a holdout: a journey's or the global one.
// People are in the arm of their assignment at entry, whatever they got: who was
// treated and could not be reached stays treated, else the arms would no longer
// be alike. The zero Holdout is empty; partial ones are merged.
type Holdout struct {
	Treated Arm `json:"treated"`
	Held    Arm `json:"held_out"`
}

// Add counts one person.
func (h *Holdout) Add(held bool, o Outcome) {
	if held {
		h.Held.Add(o)
	} else {
		h.Treated.Add(o)
	}
}

// Merge returns both together.
func (h Holdout) Merge(o Holdout) Holdout {
	return Holdout{h.Treated.Merge(o.Treated), h.Held.Merge(o.Held)}
}

// Report is what a journey brought.
type Report struct {
	Buyers  Interval `json:"buyers"` // per person
	Orders  Interval `json:"orders"`
	Revenue Interval `json:"revenue"`

	// What the treated did that they would not have done otherwise.
	MoreOrders  Interval `json:"incremental_orders"`
	MoreRevenue Interval `json:"incremental_revenue"`

	Ratio Ratio `json:"ratio"`
}

// Report returns what the journey brought by now, with the share of people who
// were to be held out. It may be asked as often as one likes: each of its
// intervals is valid over all looks. With no holdout (share 0) there is nothing
// to compare, and the intervals say so.
func (h Holdout) Report(s Sequence, share float64) Report {
	r := Report{
		Buyers:  s.Compare(h.Treated.Buyers, h.Held.Buyers),
		Orders:  s.Compare(h.Treated.Orders, h.Held.Orders),
		Revenue: s.Compare(h.Treated.Revenue, h.Held.Revenue),
		Ratio:   Ratio{P: 1},
	}
	r.MoreOrders, r.MoreRevenue = r.Orders.Times(h.Treated.Orders.N), r.Revenue.Times(h.Treated.Revenue.N)
	if share > 0 && share < 1 {
		// Two arms and two shares above 0: Mismatch has nothing to refuse.
		r.Ratio, _ = Mismatch([]int64{h.Treated.Orders.N, h.Held.Orders.N}, []float64{1 - share, share})
	}
	return r
}
