package predict

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/value"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Shopper is a customer with the days on which they ordered.
type Shopper struct {
	Profile identity.ID // of a customer of the shop
	Name    string      // of a customer of a file
	Days    []value.Day // in order, refunds taken out; a day is counted from 1970 in the shop's zone
}

// dayOf returns the number of the day of an instant in a zone.
func dayOf(at event.Time, zone *time.Location) int {
	t := at.In(zone)
	return dayNumber(t.Date())
}

func dayNumber(y int, m time.Month, d int) int {
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsOfDay)
}

// dateOf writes the day of a number.
func dateOf(day int) string { return time.Unix(int64(day)*secondsOfDay, 0).UTC().Format(time.DateOnly) }

const secondsOfDay = 24 * 60 * 60

// shoppers reads the orders of a source as the days of each customer, in order of
// profile. A refund or cancellation takes from the order that it names; one that
// names none, as at many tills, from the latest orders before it. Orders in
// another currency than the shop's are left out and counted, those of nobody left
// out.
func shoppers(ctx context.Context, src Source, m Moment) (list []Shopper, foreign int, err error) {
	var orders []Order // of one customer
	flush := func() {
		if len(orders) > 0 {
			if days := daysOf(orders, m.Zone); len(days) > 0 {
				list = append(list, Shopper{Profile: orders[0].Profile, Days: days})
			}
		}
		orders = orders[:0]
	}
	for o, err := range src.Orders(ctx, m.Now) {
		if err != nil {
			return nil, 0, err
		}
		if len(orders) > 0 && orders[0].Profile != o.Profile {
			flush()
		}
		if o.Nobody {
			continue
		}
		if o.Currency != "" && o.Currency != m.Currency {
			foreign++
			continue
		}
		orders = append(orders, o)
	}
	flush()
	return list, foreign, nil
}

// daysOf returns the days of one customer's orders, which are in their order.
func daysOf(orders []Order, zone *time.Location) []value.Day {
	type bought struct {
		day  int
		net  money.Micros
		back bool // something of it came back
	}
	var kept []bought
	at := map[string]int{}
	var refunds []value.Day
	for i := range orders {
		o := &orders[i]
		day := dayOf(o.At, zone)
		if o.Kind == profile.Completed {
			at[o.ID] = len(kept)
			kept = append(kept, bought{day: day, net: o.Net})
			continue
		}
		n, known := at[o.ID]
		switch {
		case !known:
			if o.Net < 0 {
				refunds = append(refunds, value.Day{Day: day, Sum: (-o.Net).Float()})
			}
		case o.Kind == profile.Cancelled:
			kept[n].net, kept[n].back = 0, true
		default:
			kept[n].net, kept[n].back = kept[n].net+o.Net, true
		}
	}
	var days []value.Day
	for _, b := range kept {
		if b.back && b.net <= 0 {
			continue
		}
		days = append(days, value.Day{Day: b.day, Sum: max(b.net, 0).Float()})
	}
	return value.Returned(value.Merge(days), value.Merge(refunds))
}

// sortShoppers puts shoppers into the order of their ids, then names.
func sortShoppers(list []Shopper) {
	slices.SortFunc(list, func(a, b Shopper) int {
		return cmp.Or(bytes.Compare(a.Profile[:], b.Profile[:]), cmp.Compare(a.Name, b.Name))
	})
}

// summaries condenses shoppers as of the end of a day. Who had not ordered by then
// is left out; which gives the place of each in the list.
func summaries(list []Shopper, end int) (customers []value.Customer, spends []value.Spend, which []int) {
	for i := range list {
		if c, s, ok := value.Summary(list[i].Days, end); ok {
			customers, spends, which = append(customers, c), append(spends, s), append(which, i)
		}
	}
	return customers, spends, which
}
