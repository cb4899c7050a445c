package intent

import (
	"math"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Step is one thing that a person did at the shop.
type Step struct {
	At       event.Time
	Name     string // of the event
	Product  string // that it is about; empty if it is about none
	Device   string // class; empty: not known
	Campaign bool   // it came by a campaign's link
}

// Visit is a visit as far as it has gone, with what was known of the person when
// it began. The zero Visit is of somebody who has never been here.
type Visit struct {
	Start, Last event.Time
	Device      string
	Campaign    bool

	Pages, Lists, Searches, Views, Added, Removed int
	Checkout                                      bool
	Ordered                                       bool // what follows is about another order
	products                                      [mostProducts]string
	distinct                                      int

	Before    int        // visits before this one
	Orders    int        // up to now
	LastOrder event.Time // zero: none
	Previous  event.Time // end of the visit before; zero: none
}

// mostProducts is how many different products of a visit are told apart. More of
// them say nothing more.
const mostProducts = 16

// With returns the visit after a step; a pause of profile.SessionGap ends a visit
// and begins another. The step must not be earlier than the one before.
func (v Visit) With(s Step) Visit {
	if v.Last == 0 || s.At >= v.Last.Add(profile.SessionGap) {
		next := Visit{Start: s.At, Orders: v.Orders, LastOrder: v.LastOrder, Previous: v.Last}
		if v.Last != 0 {
			next.Before = v.Before + 1
		}
		v = next
	}
	if v.Ordered {
		// The cart is empty again: what was looked at before is bought, or is not.
		v = Visit{Start: v.Start, Device: v.Device, Before: v.Before, Orders: v.Orders, LastOrder: v.LastOrder, Previous: v.Previous, Ordered: true}
	}
	v.Last = s.At
	if s.Device != "" {
		v.Device = s.Device
	}
	v.Campaign = v.Campaign || s.Campaign
	switch s.Name {
	case event.PageViewed, event.ScreenViewed:
		v.Pages++
	case event.ListViewed:
		v.Lists++
	case event.ProductSearched:
		v.Searches++
	case event.ProductViewed:
		v.Views++
		v.see(s.Product)
	case event.ProductAdded:
		v.Added++
	case event.ProductRemoved:
		v.Removed++
	case event.CheckoutStarted:
		v.Checkout = true
	case event.OrderCompleted:
		v.Ordered = true
		v.Orders++
		v.LastOrder = s.At
	}
	return v
}

func (v *Visit) see(product string) {
	for _, p := range v.products[:v.distinct] {
		if p == product {
			return
		}
	}
	if product != "" && v.distinct < mostProducts {
		v.products[v.distinct] = product
		v.distinct++
	}
}

// Features are the names of what [Visit.X] returns, in its order. Those of one
// name are one reason: a cart is a cart, whether filled or still full.
var Features = []string{
	"how much was looked at", "how much was looked at", "what was searched for", "how much was looked at", "how much was looked at", "a product looked at again",
	"the cart", "the cart", "the checkout", "the time spent",
	"a campaign that led here", "the device", "the device", "the hour", "the hour",
	"the visits before", "the visits before", "the visits before", "the orders before", "the orders before",
}

// X returns what the visit says, in numbers. Counts are logarithms: the tenth page
// says less than the second.
func (v Visit) X(zone *time.Location) []float64 {
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	count := func(n int) float64 { return math.Log1p(float64(max(0, n))) }
	// What never was is as long ago as a year: longer ago says no more.
	days := func(since event.Time) float64 {
		if since == 0 {
			return math.Log1p(365)
		}
		return math.Log1p(min(365, max(0, v.Start.Sub(since).Hours()/24)))
	}
	at := v.Last.In(zone)
	weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
	const evening = 18
	return []float64{
		count(v.Pages), count(v.Lists), count(v.Searches), count(v.Views), count(v.distinct), count(v.Views - v.distinct),
		count(v.Added), count(v.Added - v.Removed), yes(v.Checkout), math.Log1p(min(240, v.Last.Sub(v.Start).Minutes())),
		yes(v.Campaign), yes(v.Device == "mobile"), yes(v.Device == "tablet"), yes(weekend), yes(at.Hour() >= evening),
		count(v.Before), yes(v.Before == 0), days(v.Previous), count(v.Orders), days(v.LastOrder),
	}
}

// Looked reports whether the person has looked at anything in the visit. An order
// taken from a list, or at the till, comes without a visit from which it could
// have been foreseen.
func (v Visit) Looked() bool {
	return v.Pages+v.Lists+v.Searches+v.Views+v.Added > 0 || v.Checkout
}

// Learn returns a sample of each visit of one person: what was known at one moment
// of it, chosen by the hash of key and visit among those before an order. The
// steps are the person's, in order.
func Learn(key uint64, steps []Step, zone *time.Location) (list []Sample) {
	var v Visit
	var seen []Visit // states of the visit under way
	end := func(bought bool) {
		if len(seen) > 0 {
			pick := (key ^ uint64(seen[0].Start)) * 0x9e3779b97f4a7c15 >> 32
			list = append(list, Sample{Key: key, X: seen[pick%uint64(len(seen))].X(zone), Bought: bought})
		}
		seen = seen[:0]
	}
	for _, s := range steps {
		next := v.With(s)
		if next.Start != v.Start {
			end(false)
		}
		v = next
		switch {
		case s.Name == event.OrderCompleted:
			end(true)
		case v.Ordered: // after an order somebody looks at the thanks and goes
		case v.Looked():
			seen = append(seen, v)
		}
	}
	end(false)
	return list
}

// Now returns the visit that is under way at now; false if there is none, or if it
// has led to an order already.
func Now(steps []Step, now event.Time) (Visit, bool) {
	var v Visit
	for _, s := range steps {
		if s.At > now {
			break
		}
		v = v.With(s)
	}
	return v, v.Looked() && !v.Ordered && now < v.Last.Add(profile.SessionGap)
}

// Evidence says in one sentence what a visit shows, and which of it counts.
func (m *Model) Evidence(v Visit, zone *time.Location) string {
	text := many(v.Views, "product") + " viewed and " + strconv.Itoa(max(0, v.Added-v.Removed)) + " in the cart after " +
		many(int(v.Last.Sub(v.Start).Minutes()), "minute") + ", " + many(v.Before, "visit") + " and " + many(v.Orders, "order") + " before"
	const strong, reasons = 1.15, 2
	for i, r := range m.Reasons(v.X(zone), reasons) {
		if r.Odds < strong && r.Odds > 1/strong {
			break
		}
		switch {
		case i == 0 && r.Odds > 1:
			text += "; what speaks for it: "
		case i == 0:
			text += "; what speaks against it: "
		case r.Odds > 1:
			text += ", for: "
		default:
			text += ", against: "
		}
		text += r.Name
	}
	return text
}

// many counts things, for people.
func many(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}
