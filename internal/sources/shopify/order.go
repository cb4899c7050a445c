package shopify

import (
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type text = connect.Text

type order struct {
	ID        text       `json:"id"`
	Name      text       `json:"name"`
	Created   text       `json:"created_at"`
	Processed text       `json:"processed_at"`
	Updated   text       `json:"updated_at"`
	Cancelled text       `json:"cancelled_at"`
	Why       text       `json:"cancel_reason"`
	Currency  text       `json:"currency"`
	Email     text       `json:"email"`
	Contact   text       `json:"contact_email"`
	Phone     text       `json:"phone"`
	Test      bool       `json:"test"`
	Source    text       `json:"source_name"`
	Cart      text       `json:"cart_token"`
	Locale    text       `json:"customer_locale"`
	Agreed    *bool      `json:"buyer_accepts_marketing"`
	Inside    bool       `json:"taxes_included"`
	Subtotal  text       `json:"subtotal_price"`
	Total     text       `json:"total_price"`
	Tax       text       `json:"total_tax"`
	Discount  text       `json:"total_discounts"`
	Codes     []code     `json:"discount_codes"`
	Lines     []line     `json:"line_items"`
	Shipping  []shipping `json:"shipping_lines"`
	Refunds   []refund   `json:"refunds"`
	Parcels   []parcel   `json:"fulfillments"`
	Customer  *customer  `json:"customer"`
	Billing   *address   `json:"billing_address"`
	Ship      *address   `json:"shipping_address"`
}

type code struct {
	Code text `json:"code"`
}

type line struct {
	ID        text       `json:"id"`
	Product   text       `json:"product_id"`
	Variant   text       `json:"variant_id"`
	SKU       text       `json:"sku"`
	Title     text       `json:"title"`
	Option    text       `json:"variant_title"`
	Vendor    text       `json:"vendor"`
	Image     text       `json:"image_url"`
	Price     text       `json:"price"`
	Quantity  int64      `json:"quantity"`
	Discount  text       `json:"total_discount"`
	Allocated []discount `json:"discount_allocations"`
	Applied   []discount `json:"applied_discounts"`
	Taxes     []tax      `json:"tax_lines"`
}

type discount struct {
	Amount text `json:"amount"`
}

type tax struct {
	Price text `json:"price"`
}

type shipping struct {
	Price      text       `json:"price"`
	Discounted text       `json:"discounted_price"`
	Allocated  []discount `json:"discount_allocations"`
	Taxes      []tax      `json:"tax_lines"`
}

type refund struct {
	ID          text `json:"id"`
	Created     text `json:"created_at"`
	Processed   text `json:"processed_at"`
	Note        text `json:"note"`
	Adjustments []struct {
		Amount text `json:"amount"`
		Tax    text `json:"tax_amount"`
		Kind   text `json:"kind"`
	} `json:"order_adjustments"`
	Transactions []struct {
		Amount text `json:"amount"`
		Kind   text `json:"kind"`
		Status text `json:"status"`
	} `json:"transactions"`
	Items []struct {
		Quantity int64 `json:"quantity"`
		Subtotal text  `json:"subtotal"`
		Tax      text  `json:"total_tax"`
		Line     line  `json:"line_item"`
	} `json:"refund_line_items"`
}

type parcel struct {
	ID       text   `json:"id"`
	Status   text   `json:"status"`
	Created  text   `json:"created_at"`
	Updated  text   `json:"updated_at"`
	Carrier  text   `json:"tracking_company"`
	Number   text   `json:"tracking_number"`
	URL      text   `json:"tracking_url"`
	Shipment text   `json:"shipment_status"`
	Lines    []line `json:"line_items"`
}

// readOrder reads an order. Whatever the topic, the order tells everything that is
// so about it; only the instant of its payment is known by the topic alone.
func readOrder(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	switch what {
	case "delete":
		h.Ignored = "an order that is deleted in the shop was an order all the same"
		return h, nil
	case "edited":
		h.Ignored = "the order itself tells it, by orders/updated"
		return h, nil
	}
	var o order
	if err := connect.Decode(body, &o); err != nil {
		return h, err
	}
	return tellOrder(t, &o, what)
}

func tellOrder(t *connect.Teller, o *order, what string) (h connect.Heard, err error) {
	switch {
	case o.ID == "":
		return h, fault.New(fault.Invalid, "id: an order needs its number")
	case o.Test:
		h.Ignored = "a test order"
		return h, nil
	case o.Created == "" && o.Processed == "" || o.Currency == "":
		return h, fault.New(fault.Invalid, "created_at, currency: the document is only a part of an order")
	}
	told, err := o.told()
	if err != nil {
		return h, err
	}
	if o.Customer != nil {
		if err := o.Customer.tell(t); err != nil {
			return h, err
		}
	} else if told.Who.Email != "" || told.Who.Phone != "" {
		guest := told.Who
		guest.Updated = told.At
		t.Person(&guest)
	}
	if o.Agreed != nil && *o.Agreed && (o.Customer == nil || o.Customer.EmailConsent == nil) {
		t.Say(&told.Who, connect.Consent{Channel: "email", Granted: true, At: told.At, Evidence: "box at the checkout of order " + told.Number})
	}
	if err := t.Order(&told); err != nil {
		return h, err
	}
	if what == "paid" {
		at, err := o.Updated.Time("updated_at")
		if err != nil {
			return h, err
		}
		props := (&event.Builder{}).SetText("order_id", told.ID).SetText("order_number", told.Number).SetText("currency", string(told.Currency)).Set("total", connect.Sum(told.Total))
		t.Tell(&told.Who, t.ID("paid", told.ID), connect.OrderPaid, at, props, string(t.ID("order", told.ID)))
	}
	return heardOf(t, "nobody is named"), nil
}

// told puts an order into our words.
func (o *order) told() (out connect.Order, err error) {
	var s connect.Sums
	out = connect.Order{
		ID: o.ID.String(), Number: o.Name.String(), Channel: channel(o.Source.String()), TaxInside: o.Inside, Why: o.Why.String(),
		Total: s.Of(o.Total, "total_price"), Tax: s.Of(o.Tax, "total_tax"), Discount: s.Of(o.Discount, "total_discounts"),
	}
	if out.Currency, err = money.ParseCurrency(o.Currency.String()); err != nil {
		return out, err
	}
	at := o.Processed
	if at == "" {
		at = o.Created
	}
	if out.At, err = at.Time("processed_at"); err != nil {
		return out, err
	}
	if out.Cancelled, err = o.Cancelled.Time("cancelled_at"); err != nil {
		return out, err
	}
	for _, c := range o.Codes {
		out.Coupons = append(out.Coupons, c.Code.String())
	}
	goods, taxes := money.Micros(0), money.Micros(0)
	for i := range o.Lines {
		l, net := o.Lines[i].told(&s)
		goods, taxes = s.Add(goods, net), s.Add(taxes, l.Tax)
		out.Lines = append(out.Lines, l)
	}
	// What Shopify calls the subtotal is goods after every discount: its own sum is
	// believed before ours.
	if out.Revenue = goods; o.Subtotal != "" {
		out.Revenue = s.Of(o.Subtotal, "subtotal_price")
	}
	if o.Inside {
		out.Revenue = s.Add(out.Revenue, -taxes)
	}
	for i := range o.Shipping {
		out.Shipping = s.Add(out.Shipping, o.Shipping[i].cost(&s, o.Inside))
	}
	for i := range o.Refunds {
		r, err := o.Refunds[i].told(&s, o.Inside)
		if err != nil {
			return out, err
		}
		out.Refunds = append(out.Refunds, r)
	}
	for i := range o.Parcels {
		p := &o.Parcels[i]
		if p.Status != "success" {
			continue // it has not left
		}
		sent := connect.Shipment{ID: p.ID.String(), Carrier: p.Carrier.String(), Number: p.Number.String(), URL: p.URL.String()}
		if sent.At, err = p.Created.Time("fulfillments.created_at"); err != nil {
			return out, err
		}
		if p.Shipment == "delivered" {
			if sent.Delivered, err = p.Updated.Time("fulfillments.updated_at"); err != nil {
				return out, err
			}
		}
		for i := range p.Lines {
			l, _ := p.Lines[i].told(&s)
			sent.Lines = append(sent.Lines, l)
		}
		out.Shipments = append(out.Shipments, sent)
	}
	out.Who = o.who()
	return out, s.Err()
}

// who says whose the order is.
func (o *order) who() connect.Person {
	p := connect.Person{Email: o.Email.String(), Phone: o.Phone.String(), Cart: o.Cart.String(), Locale: o.Locale.String()}
	if p.Email == "" {
		p.Email = o.Contact.String()
	}
	for _, a := range [...]*address{o.Billing, o.Ship} {
		if a != nil && p.First == "" && p.Last == "" {
			p.First, p.Last = a.First.String(), a.Last.String()
		}
		if a != nil && p.Country == "" {
			p.Country, p.City = a.Country.String(), a.City.String()
		}
	}
	if o.Customer != nil {
		p.ID = o.Customer.ID.String()
	}
	return p
}

// channel is where the order was made. "pos" is Shopify's till.
func channel(source string) string {
	switch {
	case source == "pos":
		return "till"
	case source == "" || strings.Trim(source, "0123456789") == "":
		return "app" // the number of an app that sold it
	}
	return source
}

// told puts a line into our words, and returns what changes hands for it.
func (l *line) told(s *connect.Sums) (out connect.Line, net money.Micros) {
	out = connect.Line{
		Product: l.Product.String(), Variant: l.Variant.String(), SKU: l.SKU.String(), Name: l.Title.String(), Option: l.Option.String(),
		Brand: l.Vendor.String(), Image: l.Image.String(), Price: s.Of(l.Price, "line_items.price"), Quantity: l.Quantity,
	}
	// The allocations hold the line's share of every discount, of those on the whole
	// order too; total_discount only those on the line.
	switch {
	case l.Allocated != nil:
		out.Discount = sumOf(s, l.Allocated, "line_items.discount_allocations.amount")
	case l.Discount != "":
		out.Discount = s.Of(l.Discount, "line_items.total_discount")
	default:
		out.Discount = sumOf(s, l.Applied, "line_items.applied_discounts.amount")
	}
	for _, t := range l.Taxes {
		out.Tax = s.Add(out.Tax, s.Of(t.Price, "line_items.tax_lines.price"))
	}
	return out, s.Add(s.Times(out.Price, out.Quantity), -out.Discount)
}

func sumOf(s *connect.Sums, list []discount, field string) (sum money.Micros) {
	for _, d := range list {
		sum = s.Add(sum, s.Of(d.Amount, field))
	}
	return sum
}

func (l *shipping) cost(s *connect.Sums, inside bool) money.Micros {
	cost := s.Add(s.Of(l.Price, "shipping_lines.price"), -sumOf(s, l.Allocated, "shipping_lines.discount_allocations.amount"))
	if l.Discounted != "" {
		cost = s.Of(l.Discounted, "shipping_lines.discounted_price")
	}
	for _, t := range l.Taxes {
		if inside {
			cost = s.Add(cost, -s.Of(t.Price, "shipping_lines.tax_lines.price"))
		}
	}
	return cost
}

// told puts a refund into our words. The goods are worth the subtotals of the
// returned lines, and a discrepancy says by how much the shop gave less than that
// (above zero) or more.
func (r *refund) told(s *connect.Sums, inside bool) (out connect.Refund, err error) {
	out = connect.Refund{ID: r.ID.String(), Why: r.Note.String()}
	at := r.Created
	if at == "" {
		at = r.Processed
	}
	if out.At, err = at.Time("refunds.created_at"); err != nil {
		return out, err
	}
	for i := range r.Items {
		it := &r.Items[i]
		l, _ := it.Line.told(s)
		// The line is as it was bought; of it, so many pieces came back.
		if l.Quantity = it.Quantity; it.Line.Quantity > 0 && it.Quantity != it.Line.Quantity {
			l.Discount, l.Tax = 0, 0
		}
		net := s.Of(it.Subtotal, "refunds.refund_line_items.subtotal")
		tax := s.Of(it.Tax, "refunds.refund_line_items.total_tax")
		if it.Subtotal == "" { // old documents do not say it
			net = s.Add(s.Times(l.Price, l.Quantity), -l.Discount)
			tax = l.Tax
		}
		l.Tax = tax
		if l.Discount = s.Add(s.Times(l.Price, l.Quantity), -net); l.Discount < 0 {
			l.Discount = 0
		}
		if inside {
			net = s.Add(net, -tax)
		}
		out.Net, out.Tax = s.Add(out.Net, net), s.Add(out.Tax, tax)
		out.Lines = append(out.Lines, l)
	}
	for _, a := range r.Adjustments {
		amount := s.Of(a.Amount, "refunds.order_adjustments.amount")
		switch a.Kind {
		case "shipping_refund":
			out.Shipping = s.Add(out.Shipping, -amount)
			out.Tax = s.Add(out.Tax, -s.Of(a.Tax, "refunds.order_adjustments.tax_amount"))
		case "refund_discrepancy":
			out.Net = s.Add(out.Net, -amount)
		}
	}
	for _, t := range r.Transactions {
		if t.Kind == "refund" && (t.Status == "success" || t.Status == "") {
			out.Total = s.Add(out.Total, s.Of(t.Amount, "refunds.transactions.amount"))
		}
	}
	out.Net = max(out.Net, 0) // goods that came back for nothing
	return out, nil
}
