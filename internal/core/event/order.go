package event

import (
	"strconv"
	"strings"

	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Order is what an Order Completed, Order Refunded or Order Cancelled event says
// about money, exact. Sums are positive on an order and negative on a refund, so
// the sum over both is what the customer really spent.
type Order struct {
	ID       string
	Currency money.Currency // empty: the workspace's own
	Net      money.Micros   // what changes hands for goods: negative on a refund
	Units    int64          // thousandths of pieces, negative on a refund
	Lines    []Line
}

// Line is one line of an order.
type Line struct {
	SKU      string
	Product  string // the product that the variant SKU belongs to; empty if the same
	Name     string
	Category string
	Quantity int64        // thousandths of a piece
	Price    money.Micros // of one piece
	Net      money.Micros // quantity × price − discount
}

// IsOrder reports whether events of the name carry an [Order].
func IsOrder(name string) bool {
	return name == OrderCompleted || name == OrderRefunded || name == OrderCancelled
}

// MaxLines is how many lines of one order are taken.
const MaxLines = 2000

// OrderOf reads the order of an event. Net is `revenue` if the source sends it,
// else `value`, else `subtotal`, else the sum of the lines, else `total` without
// tax and shipping. The error is Invalid, or TooLarge for too many lines, and
// begins with the field's name and a colon.
func OrderOf(name string, props Object) (Order, error) {
	o := Order{ID: firstText(props, "order_id", "orderId", "checkout_id")}
	if o.ID == "" {
		return o, fault.New(fault.Invalid, "properties.order_id: an order needs its number")
	}
	if c := props.Text("currency"); c != "" {
		currency, err := money.ParseCurrency(c)
		if err != nil {
			_, m := fault.Of(err)
			return o, fault.New(fault.Invalid, "properties.currency: "+m)
		}
		o.Currency = currency
	}
	lines, err := linesOf(props)
	if err != nil {
		return o, err
	}
	o.Lines = lines
	sum, units := money.Micros(0), money.Micros(0)
	for i := range lines {
		if sum, err = sum.Plus(lines[i].Net); err != nil {
			return o, fault.New(fault.Invalid, "properties.products: their prices add up to too much")
		}
		if units, err = units.Plus(money.Micros(lines[i].Quantity)); err != nil {
			return o, fault.New(fault.Invalid, "properties.products: their quantities add up to too much")
		}
	}
	o.Units = int64(units)
	net, found, err := firstMoney(props, "revenue", "value", "subtotal")
	switch {
	case err != nil:
		return o, err
	case found:
		o.Net = net
	case len(lines) > 0:
		o.Net = sum
	default:
		total, found, err := firstMoney(props, "total")
		if err != nil {
			return o, err
		}
		if found {
			for _, part := range []string{"tax", "shipping"} {
				m, _, err := firstMoney(props, part)
				if err != nil {
					return o, err
				}
				if total, err = total.Plus(-m); err != nil {
					return o, fault.New(fault.Invalid, "properties."+part+": too large")
				}
			}
		}
		o.Net = total
	}
	if name != OrderCompleted {
		// A refund is money back however the source signs it.
		if o.Net > 0 {
			o.Net = -o.Net
		}
		if o.Units > 0 {
			o.Units = -o.Units
		}
	}
	return o, nil
}

func linesOf(props Object) (lines []Line, err error) {
	v, ok := props.Get("products")
	if !ok || v.Kind == Null {
		return nil, nil
	}
	if v.Kind != List {
		return nil, fault.New(fault.Invalid, "properties.products: a list of products is expected")
	}
	v.Items(func(item Value) bool {
		p := item.Object()
		field := func(name string) string { return "properties.products[" + strconv.Itoa(len(lines)) + "]." + name }
		if item.Kind != Map {
			err = fault.New(fault.Invalid, "properties.products["+strconv.Itoa(len(lines))+"]: an object is expected")
			return false
		}
		if len(lines) == MaxLines {
			err = fault.New(fault.TooLarge, "properties.products: more than "+strconv.Itoa(MaxLines)+" lines in one order")
			return false
		}
		l := Line{
			SKU: firstText(p, "sku", "variant_id", "product_id"), Product: firstText(p, "product_id"),
			Name: p.Text("name"), Category: p.Text("category"), Quantity: 1000,
		}
		if q := p.Text("quantity"); q != "" {
			n, e := money.Parse(q)
			if e != nil || n%1000 != 0 {
				err = fault.New(fault.Invalid, field("quantity")+": a number with at most three decimal places is expected")
				return false
			}
			l.Quantity = int64(n) / 1000
		}
		if t := p.Text("price"); t != "" {
			l.Price, err = money.Parse(t)
			if err != nil {
				_, m := fault.Of(err)
				err = fault.New(fault.Invalid, field("price")+": "+m)
				return false
			}
		}
		net, e := l.Price.Thousandths(l.Quantity)
		if e != nil {
			err = fault.New(fault.Invalid, field("price")+": too large for the quantity")
			return false
		}
		l.Net = net
		if t := p.Text("discount"); t != "" {
			d, e := money.Parse(t)
			if e != nil {
				_, m := fault.Of(e)
				err = fault.New(fault.Invalid, field("discount")+": "+m)
				return false
			}
			if l.Net, e = l.Net.Plus(-d); e != nil {
				err = fault.New(fault.Invalid, field("discount")+": too large")
				return false
			}
		}
		lines = append(lines, l)
		return true
	})
	return lines, err
}

func firstText(o Object, keys ...string) string {
	for _, k := range keys {
		if t := strings.TrimSpace(o.Text(k)); t != "" {
			return t
		}
	}
	return ""
}

func firstMoney(o Object, keys ...string) (m money.Micros, found bool, err error) {
	for _, k := range keys {
		t := o.Text(k)
		if t == "" {
			continue
		}
		m, err = money.Parse(t)
		if err != nil {
			_, msg := fault.Of(err)
			return 0, false, fault.New(fault.Invalid, "properties."+k+": "+msg)
		}
		return m, true, nil
	}
	return 0, false, nil
}
