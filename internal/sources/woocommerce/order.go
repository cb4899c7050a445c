package woocommerce

import (
	"html"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type order struct {
	ID       text      `json:"id"`
	Number   text      `json:"number"`
	Status   text      `json:"status"`
	Currency text      `json:"currency"`
	Via      text      `json:"created_via"`
	Created  text      `json:"date_created_gmt"`
	Modified text      `json:"date_modified_gmt"`
	Paid     text      `json:"date_paid_gmt"`
	Done     text      `json:"date_completed_gmt"`
	Method   text      `json:"payment_method"`
	Customer text      `json:"customer_id"`
	Billing  billing   `json:"billing"`
	Discount text      `json:"discount_total"`
	Shipping text      `json:"shipping_total"`
	Total    text      `json:"total"`
	Tax      text      `json:"total_tax"`
	Inside   bool      `json:"prices_include_tax"`
	Note     text      `json:"customer_note"`
	Lines    []line    `json:"line_items"`
	Coupons  []coupons `json:"coupon_lines"`
	Refunds  []refund  `json:"refunds"`
	Meta     []meta    `json:"meta_data"`
	PayURL   text      `json:"payment_url"`
}

type coupons struct {
	Code text `json:"code"`
}

type meta struct {
	Key   string `json:"key"`
	Value any    `json:"value"` // anything that a plug-in keeps
}

type line struct {
	ID       text       `json:"id"`
	Name     text       `json:"name"`
	Product  text       `json:"product_id"`
	Variant  text       `json:"variation_id"`
	SKU      text       `json:"sku"`
	Quantity quantity   `json:"quantity"`
	Subtotal text       `json:"subtotal"`
	Total    text       `json:"total"`
	Tax      text       `json:"total_tax"`
	Image    *lineImage `json:"image"`
}

type lineImage struct {
	Src text `json:"src"`
}

// quantity is a whole number, below zero on refunds. A plug-in may sell halves:
// they count as none of the pieces that we know.
type quantity int64

// UnmarshalJSON reads it.
func (q *quantity) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	m, err := t.Money("quantity")
	if err != nil {
		return err
	}
	*q = quantity(m / money.One)
	return nil
}

type refund struct {
	ID      text   `json:"id"`
	Created text   `json:"date_created_gmt"`
	Amount  text   `json:"amount"` // of the refund itself
	Total   text   `json:"total"`  // of a refund as its order names it, below zero
	Reason  text   `json:"reason"`
	Lines   []line `json:"line_items"`
	Ships   []struct {
		Total text `json:"total"`
		Tax   text `json:"total_tax"`
	} `json:"shipping_lines"`
	Fees []struct {
		Total text `json:"total"`
		Tax   text `json:"total_tax"`
	} `json:"fee_lines"`
}

func readOrder(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	if what == "deleted" {
		h.Ignored = "an order that is deleted in the shop was an order all the same"
		return h, nil
	}
	var o order
	if err := connect.Decode(body, &o); err != nil {
		return h, err
	}
	if err := o.check(); err != nil {
		return h, err
	}
	if len(o.Refunds) > 0 && t.Source.Token != "" {
		h.Order = o.ID.String()
		return h, nil
	}
	if len(o.Refunds) > 0 {
		return h, fault.New(fault.Invalid, "refunds: what was refunded says only the shop's API, for which no keys are connected")
	}
	return o.tell(t, nil)
}

func (o *order) check() error {
	switch {
	case o.ID == "":
		return fault.New(fault.Invalid, "id: an order needs its number")
	case o.Created == "" || o.Currency == "" || o.Status == "":
		return fault.New(fault.Invalid, "date_created_gmt, currency, status: the document is only a part of an order")
	}
	return nil
}

// offline are the ways of paying that end outside of the shop: who chooses one has
// ordered.
var offline = []string{"bacs", "cheque", "cod"}

// placed reports whether it is an order and not a basket whose payment was begun.
// It asks only for what no later version takes back.
func (o *order) placed() bool {
	return o.Paid != "" || slices.Contains(offline, o.Method.String()) && o.Status != "checkout-draft"
}

// tell tells everything that is so about an order, with its refunds.
func (o *order) tell(t *connect.Teller, refunds []refund) (h connect.Heard, err error) {
	told, err := o.told(t, refunds)
	if err != nil {
		return h, err
	}
	modified, err := o.Modified.Time("date_modified_gmt")
	if err != nil {
		return h, err
	}
	if o.Status == "checkout-draft" || o.Status == "auto-draft" {
		h.Ignored = "a draft of the checkout"
		return h, nil
	}
	guest := told.Who
	guest.Updated = told.At
	t.Person(&guest)
	if key := t.Source.ConsentMeta; key != "" && agreed(o.Meta, key) {
		t.Say(&told.Who, connect.Consent{Channel: "email", Granted: true, At: told.At, Evidence: "box at the checkout of order " + told.Number + " (" + key + ")"})
	}
	if !o.placed() {
		props := (&event.Builder{}).SetText("checkout_id", told.ID).SetText("order_id", told.ID).SetText("currency", string(told.Currency))
		props.Set("value", connect.Sum(told.Revenue)).Set("total", connect.Sum(told.Total)).SetText("checkout_url", o.PayURL.String()).Set("products", connect.Lines(told.Lines))
		t.Tell(&told.Who, t.ID("checkout", told.ID), event.CheckoutStarted, told.At, props, "")
		return heardOf(t, "nobody is named"), nil
	}
	if o.Status == "cancelled" || o.Status == "failed" && o.Paid == "" {
		// WooCommerce keeps no instant of it.
		told.Cancelled, told.Why = modified, o.Status.String()
	}
	if err := t.Order(&told); err != nil {
		return h, err
	}
	anon := string(t.ID("order", told.ID))
	head := func() *event.Builder {
		return (&event.Builder{}).SetText("order_id", told.ID).SetText("order_number", told.Number).SetText("currency", string(told.Currency)).Set("total", connect.Sum(told.Total))
	}
	paid, err := o.Paid.Time("date_paid_gmt")
	if err != nil {
		return h, err
	}
	if paid != 0 {
		t.Tell(&told.Who, t.ID("paid", told.ID), connect.OrderPaid, paid, head(), anon)
	}
	done, err := o.Done.Time("date_completed_gmt")
	if err != nil {
		return h, err
	}
	if done != 0 {
		t.Tell(&told.Who, t.ID("shipped", told.ID), connect.OrderShipped, done, head().Set("products", connect.Lines(told.Lines)), anon)
	}
	return heardOf(t, "nobody is named"), nil
}

// agreed reports whether the meta datum says yes.
func agreed(list []meta, key string) bool {
	for _, m := range list {
		if m.Key != key {
			continue
		}
		switch v := m.Value.(type) {
		case bool:
			return v
		case string:
			return text(v).True()
		case float64:
			return v == 1
		}
	}
	return false
}

// told puts an order into our words. Sums of lines are without tax, whatever the
// shop shows its customers.
func (o *order) told(t *connect.Teller, refunds []refund) (out connect.Order, err error) {
	var s connect.Sums
	out = connect.Order{
		ID: o.ID.String(), Number: o.Number.String(), Channel: channel(o.Via.String()),
		Total: s.Of(o.Total, "total"), Tax: s.Of(o.Tax, "total_tax"), Shipping: s.Of(o.Shipping, "shipping_total"), Discount: s.Of(o.Discount, "discount_total"),
	}
	if out.Currency, err = money.ParseCurrency(o.Currency.String()); err != nil {
		return out, err
	}
	if out.At, err = o.Created.Time("date_created_gmt"); err != nil {
		return out, err
	}
	for _, c := range o.Coupons {
		out.Coupons = append(out.Coupons, c.Code.String())
	}
	for i := range o.Lines {
		l, net := o.Lines[i].told(&s, false)
		out.Revenue = s.Add(out.Revenue, net)
		out.Lines = append(out.Lines, l)
	}
	for i := range refunds {
		r, err := refunds[i].told(&s)
		if err != nil {
			return out, err
		}
		out.Refunds = append(out.Refunds, r)
	}
	out.Who = o.Billing.person()
	if o.Customer != "0" {
		out.Who.ID = o.Customer.String()
	}
	return out, s.Err()
}

func channel(via string) string {
	switch via {
	case "", "checkout", "store-api":
		return "web"
	case "rest-api":
		return "app"
	}
	return via
}

// told puts a line into our words, and returns what changes hands for it. The price
// of one need not divide: it is rounded up to a millionth and the difference is
// part of the discount, so that price × quantity − discount is the line's own
// total to the last place. The price field of the document is a float and is not read.
func (l *line) told(s *connect.Sums, returned bool) (out connect.Line, net money.Micros) {
	out = connect.Line{
		Product: l.Product.String(), SKU: l.SKU.String(), Name: html.UnescapeString(l.Name.String()), Quantity: int64(l.Quantity), Tax: s.Of(l.Tax, "line_items.total_tax"),
	}
	if l.Variant != "0" {
		out.Variant = l.Variant.String()
	}
	if l.Image != nil {
		out.Image = l.Image.Src.String()
	}
	subtotal, total := s.Of(l.Subtotal, "line_items.subtotal"), s.Of(l.Total, "line_items.total")
	if returned {
		out.Quantity, subtotal, total, out.Tax = abs(out.Quantity), abs(subtotal), abs(total), abs(out.Tax)
	}
	if n := money.Micros(out.Quantity); n > 0 {
		out.Price = subtotal / n
		if out.Price*n < subtotal {
			out.Price++
		}
		out.Discount = s.Add(s.Times(out.Price, out.Quantity), -total)
	}
	return out, total
}

func abs[N ~int64](n N) N {
	if n < 0 {
		return -n
	}
	return n
}

// told puts a refund into our words. A refund of an amount that names no lines is
// money back for goods.
func (r *refund) told(s *connect.Sums) (out connect.Refund, err error) {
	out = connect.Refund{ID: r.ID.String(), Why: r.Reason.String(), Total: abs(s.Of(r.Amount, "refunds.amount"))}
	if out.At, err = r.Created.Time("refunds.date_created_gmt"); err != nil {
		return out, err
	}
	named := false
	for i := range r.Lines {
		l, net := r.Lines[i].told(s, true)
		out.Net, out.Tax = s.Add(out.Net, net), s.Add(out.Tax, l.Tax)
		named = named || net != 0
		if l.Quantity > 0 {
			out.Lines = append(out.Lines, l)
		}
	}
	for _, ship := range r.Ships {
		cost := abs(s.Of(ship.Total, "refunds.shipping_lines.total"))
		out.Shipping, out.Tax = s.Add(out.Shipping, cost), s.Add(out.Tax, abs(s.Of(ship.Tax, "refunds.shipping_lines.total_tax")))
		named = named || cost != 0
	}
	for _, fee := range r.Fees {
		cost := abs(s.Of(fee.Total, "refunds.fee_lines.total"))
		out.Tax = s.Add(out.Tax, abs(s.Of(fee.Tax, "refunds.fee_lines.total_tax")))
		named = named || cost != 0
	}
	if !named {
		out.Net = out.Total
	}
	return out, nil
}

type billing struct {
	First   text `json:"first_name"`
	Last    text `json:"last_name"`
	Email   text `json:"email"`
	Phone   text `json:"phone"`
	Country text `json:"country"`
	City    text `json:"city"`
}

func (b *billing) person() connect.Person {
	p := connect.Person{Email: b.Email.String(), First: b.First.String(), Last: b.Last.String(), Country: b.Country.String(), City: b.City.String()}
	// Whatever was typed: only a number of the whole world is one.
	if id, ok := identity.Normal(identity.Phone, b.Phone.String()); ok {
		p.Phone = id.Value
	}
	return p
}

type customer struct {
	ID       text    `json:"id"`
	Email    text    `json:"email"`
	First    text    `json:"first_name"`
	Last     text    `json:"last_name"`
	Created  text    `json:"date_created_gmt"`
	Modified text    `json:"date_modified_gmt"`
	Billing  billing `json:"billing"`
	Meta     []meta  `json:"meta_data"`
}

func readCustomer(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	if what == "deleted" {
		id, err := idOnly(body)
		if err != nil {
			return h, err
		}
		t.Say(&connect.Person{ID: id}, connect.Consent{Channel: "email", At: t.Heard, Evidence: "deleted in the shop"})
		return heardOf(t, ""), nil
	}
	var c customer
	if err := connect.Decode(body, &c); err != nil {
		return h, err
	}
	if c.ID == "" || c.ID == "0" {
		return h, fault.New(fault.Invalid, "id: a customer needs one")
	}
	p := c.Billing.person()
	p.ID = c.ID.String()
	if c.Email != "" {
		p.Email = c.Email.String()
	}
	if c.First != "" || c.Last != "" {
		p.First, p.Last = c.First.String(), c.Last.String()
	}
	if p.Updated, err = c.Modified.Time("date_modified_gmt"); err != nil {
		return h, err
	}
	created, err := c.Created.Time("date_created_gmt")
	if err != nil {
		return h, err
	}
	if p.Updated == 0 {
		p.Updated = created
	}
	if key := t.Source.ConsentMeta; key != "" && agreed(c.Meta, key) {
		// The plug-in keeps no instant: as old as the customer, so that whatever was said
		// later counts.
		p.Says = []connect.Consent{{Channel: "email", Granted: true, At: created, Evidence: "subscribed (" + strings.ToValidUTF8(key, "") + ")"}}
	}
	t.Person(&p)
	return heardOf(t, "nothing is known of the customer"), nil
}
