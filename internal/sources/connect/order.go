package connect

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Events of a shop that the core does not ask about itself, in the words of the
// e-commerce spec where it has one.
const (
	OrderPaid       = "Order Paid"
	OrderShipped    = "Order Shipped"
	OrderDelivered  = "Order Delivered"
	CheckoutUpdated = "Checkout Updated"
	CartUpdated     = "Cart Updated"
	ErasureAsked    = "Erasure Requested"
)

// Order is what a platform says of an order, in our words. Sums are in the
// currency of the order, Revenue for goods: without tax, shipping and tips.
type Order struct {
	ID        string
	Number    string // as the customer knows it: #1001
	At        event.Time
	Currency  money.Currency
	Revenue   money.Micros
	Total     money.Micros // what the customer paid
	Tax       money.Micros
	Shipping  money.Micros
	Discount  money.Micros
	TaxInside bool // whether the prices of the lines include tax
	Coupons   []string
	Channel   string
	Lines     []Line
	Who       Person
	Cancelled event.Time // zero: it is not
	Why       string     // it was cancelled
	Refunds   []Refund
	Shipments []Shipment
}

// Refund is money back, exact.
type Refund struct {
	ID       string
	At       event.Time
	Net      money.Micros // for goods, above zero
	Total    money.Micros // what went back: with tax and shipping
	Tax      money.Micros
	Shipping money.Micros
	Lines    []Line
	Why      string
}

// Shipment is a parcel.
type Shipment struct {
	ID        string
	At        event.Time
	Delivered event.Time // zero: not yet, or nobody says
	Carrier   string
	Number    string
	URL       string
	Lines     []Line
}

// Order tells everything that is so about an order.
//
// A cancellation takes back what the refunds before it have left, so that order,
// refunds and cancellation add up to nothing. Money that goes back after the
// cancellation is told and not counted: the cancellation has counted it.
func (t *Teller) Order(o *Order) error {
	anon := string(t.ID("order", o.ID))
	props := t.head(o)
	props.Set("revenue", sum(o.Revenue)).Set("total", sum(o.Total)).Set("tax", sum(o.Tax)).Set("shipping", sum(o.Shipping)).Set("discount", sum(o.Discount))
	props.Set("tax_included", event.Yes(o.TaxInside))
	if len(o.Coupons) > 0 {
		props.SetText("coupon", clip(strings.Join(o.Coupons, ", "), 500))
	}
	props.Set("products", Lines(o.Lines))
	t.Tell(&o.Who, t.ID("order", o.ID), event.OrderCompleted, o.At, props, anon)

	left, lines := o.Revenue, slices.Clone(o.Lines)
	for i := range o.Refunds {
		r := &o.Refunds[i]
		net, counted := r.Net, r.Lines
		if o.Cancelled != 0 && r.At > o.Cancelled {
			net, counted = 0, nil
		} else if o.Cancelled != 0 {
			var s Sums
			if left = s.Add(left, -r.Net); s.Err() != nil {
				return s.Err()
			}
			lines = less(lines, r.Lines)
		}
		props := t.head(o)
		props.SetText("refund_id", r.ID).SetText("reason", clip(r.Why, 500))
		props.Set("revenue", sum(net)).Set("total", sum(r.Total)).Set("tax", sum(r.Tax)).Set("shipping", sum(r.Shipping))
		props.Set("products", Lines(counted))
		t.Tell(&o.Who, t.ID("refund", r.ID, o.ID), event.OrderRefunded, r.At, props, anon)
	}
	if o.Cancelled != 0 {
		props := t.head(o)
		props.SetText("reason", clip(o.Why, 500)).Set("revenue", sum(max(left, 0))).Set("products", Lines(lines))
		t.Tell(&o.Who, t.ID("cancelled", o.ID), event.OrderCancelled, o.Cancelled, props, anon)
	}
	for i := range o.Shipments {
		s := &o.Shipments[i]
		parcel := func() *event.Builder {
			return t.head(o).SetText("shipment_id", s.ID).SetText("carrier", clip(s.Carrier, 100)).SetText("tracking_number", clip(s.Number, 100)).
				SetText("tracking_url", clip(s.URL, 1000)).Set("products", Lines(s.Lines))
		}
		t.Tell(&o.Who, t.ID("shipped", s.ID, o.ID), OrderShipped, s.At, parcel(), anon)
		if s.Delivered != 0 {
			t.Tell(&o.Who, t.ID("delivered", s.ID, o.ID), OrderDelivered, s.Delivered, parcel(), anon)
		}
	}
	for i := range t.Events {
		e := &t.Events[i]
		if event.IsOrder(e.Name) {
			if _, err := event.OrderOf(e.Name, e.Props); err != nil {
				return err
			}
		}
	}
	return nil
}

// head is what every event of an order says.
func (t *Teller) head(o *Order) *event.Builder {
	return (&event.Builder{}).SetText("order_id", o.ID).SetText("order_number", clip(o.Number, 100)).SetText("currency", string(o.Currency)).SetText("channel", o.Channel)
}

// less takes returned pieces from lines. Lines of which nothing is left go.
func less(lines, returned []Line) []Line {
	for _, r := range returned {
		for i := range lines {
			l := &lines[i]
			if l.Variant == r.Variant && l.SKU == r.SKU && l.Product == r.Product && l.Quantity > 0 {
				n := min(l.Quantity, r.Quantity)
				l.Quantity -= n
				if r.Quantity -= n; r.Quantity == 0 {
					break
				}
			}
		}
	}
	return slices.DeleteFunc(lines, func(l Line) bool { return l.Quantity == 0 })
}
