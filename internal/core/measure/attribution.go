package measure

import (
	"cmp"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Touch is one message that reached a customer, or one that a human clicked;
// which of the two count is the caller's choice.
type Touch struct {
	At      event.Time
	Journey string
	Step    string
	Channel string
}

// Credit is what last-touch attribution gives to one step of one journey over
// one channel, in one currency.
type Credit struct {
	Journey  string         `json:"journey"`
	Step     string         `json:"step"`
	Channel  string         `json:"channel"`
	Currency money.Currency `json:"currency"`
	Orders   int64          `json:"orders"`
	Revenue  money.Micros   `json:"revenue_micros"`
}

func (c Credit) compare(d Credit) int {
	return cmp.Or(cmp.Compare(c.Journey, d.Journey), cmp.Compare(c.Step, d.Step), cmp.Compare(c.Channel, d.Channel), cmp.Compare(c.Currency, d.Currency))
}

// LastTouch gives each of a customer's orders to the last touch at or before it
// and at most window earlier, and each refund to the touch of its order. Of
// touches at one instant the later in the list has it; orders that nothing
// touched are nobody's. It says what came after a message, never what came of
// it: that is [Holdout.Report]. Orders without a currency are in own. The
// credits are sorted and each key comes once.
func LastTouch(touches []Touch, orders []profile.Order, window time.Duration, own money.Currency) []Credit {
	touches = slices.Clone(touches)
	slices.SortStableFunc(touches, func(a, b Touch) int { return cmp.Compare(a.At, b.At) })
	var credits []Credit
	for i := range orders {
		o := &orders[i]
		at := o.At
		if o.Kind != profile.Completed {
			j := slices.IndexFunc(orders, func(q profile.Order) bool { return q.ID == o.ID && q.Kind == profile.Completed })
			if j < 0 {
				continue
			}
			at = orders[j].At
		}
		n, _ := slices.BinarySearchFunc(touches, at+1, func(t Touch, at event.Time) int { return cmp.Compare(t.At, at) })
		if n == 0 || at.Sub(touches[n-1].At) > window {
			continue
		}
		t := touches[n-1]
		c := Credit{t.Journey, t.Step, t.Channel, cmp.Or(o.Currency, own), 0, o.Net}
		if o.Kind == profile.Completed {
			c.Orders = 1
		}
		credits = append(credits, c)
	}
	return MergeCredits(credits, nil)
}

// MergeCredits returns the sums of two lists of credits, sorted, each key once.
func MergeCredits(a, b []Credit) []Credit {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, Credit.compare)
	var sums []Credit
	for _, c := range all {
		if n := len(sums); n > 0 && sums[n-1].compare(c) == 0 {
			sums[n-1].Orders += c.Orders
			sums[n-1].Revenue += c.Revenue
			continue
		}
		sums = append(sums, c)
	}
	return sums
}
