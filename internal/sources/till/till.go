// Package till turns receipts of a shop's tills into facts about customers.
//
// A till knows its customer by what stands on the receipt: a loyalty card, an
// address, a telephone number, a customer number. What it sold becomes an event of
// the same history as everything else, at the instant of the sale, however late it
// is told and in whatever order: a line that was down for a day changes nothing but
// when we know. The id of the event is made of the receipt's number, so a till may
// send everything again.
package till

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Receipt is one receipt as a till sends it.
type Receipt struct {
	ID       string   `json:"id" doc:"The number of the receipt, unique among the shop's tills." minLength:"1" maxLength:"128"`
	Kind     string   `json:"kind,omitempty" enum:"sale,return" default:"sale"`
	At       string   `json:"at" doc:"When it was printed, such as 2026-11-28T15:04:05+01:00." maxLength:"40"`
	Store    string   `json:"store,omitempty" maxLength:"100" doc:"The id of the store."`
	Till     string   `json:"till,omitempty" maxLength:"100"`
	Loyalty  string   `json:"loyalty_id,omitempty" maxLength:"256"`
	Email    string   `json:"email,omitempty" maxLength:"256"`
	Phone    string   `json:"phone,omitempty" maxLength:"64" doc:"With the country: +44 20 7946 0000."`
	Customer string   `json:"customer_id,omitempty" maxLength:"256" doc:"The shop's own number of the customer."`
	Currency string   `json:"currency,omitempty" maxLength:"3" doc:"Default: the shop's own."`
	Total    Amount   `json:"total,omitempty" doc:"What was paid; with tax."`
	Tax      Amount   `json:"tax,omitempty"`
	Order    string   `json:"order_id,omitempty" maxLength:"128" doc:"Of a return: the receipt or order that it undoes."`
	Coupons  []string `json:"coupons,omitempty" maxItems:"20" doc:"Codes that were redeemed."`
	Lines    []Line   `json:"lines,omitempty" maxItems:"2000"`
}

// Line is one line of a receipt.
type Line struct {
	SKU      string `json:"sku" maxLength:"128"`
	Name     string `json:"name,omitempty" maxLength:"500"`
	Category string `json:"category,omitempty" maxLength:"200"`
	Quantity Amount `json:"quantity,omitempty" doc:"Default: 1."`
	Price    Amount `json:"price" doc:"Of one piece."`
	Discount Amount `json:"discount,omitempty" doc:"Of the line."`
}

// Amount is an exact decimal number as it stands in JSON: 12.50 or "12.50". It is
// never read as a binary fraction.
type Amount = json.RawMessage

// Decimal returns the number of an amount; empty if there is none. What is neither a
// number nor a text comes back as it is, and is no number to whoever parses it.
func Decimal(m Amount) string {
	text := strings.TrimSpace(string(m))
	if text == "null" {
		return ""
	}
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return strings.TrimSpace(text[1 : len(text)-1])
	}
	return text
}

// Nobody is the reason of a receipt that names no customer. Its sale is nobody's
// history; it is no mistake.
const Nobody = "it names no customer: a loyalty card, an address, a telephone number or a customer number"

// Events returns what a receipt says, in order: the sale or return, then its coupons.
// The fault is Invalid and says which field is wrong; of a receipt of nobody it is
// NotFound. Source names the tills.
func Events(r *Receipt, source string, now event.Time) ([]event.Event, error) {
	if strings.TrimSpace(r.ID) == "" {
		return nil, fault.New(fault.Invalid, "id: a receipt needs its number")
	}
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(r.At))
	if err != nil {
		return nil, fault.New(fault.Invalid, "at: an instant with its zone is expected, such as 2026-11-28T15:04:05+01:00")
	}
	at := event.At(t)
	if at > now.Add(Ahead) {
		return nil, fault.New(fault.Invalid, "at: "+at.String()+" is yet to come, here it is "+now.String()+": is the clock or the zone of the till wrong?")
	}
	at = min(at, now)
	sale := event.Event{
		ID: event.ID("receipt:" + source + ":" + r.ID), Type: event.Track, Name: event.OrderCompleted, User: strings.TrimSpace(r.Customer),
		At: at, Raw: at, Origin: event.Live, Trust: event.Server, Source: source,
	}
	var b event.Builder
	number := strings.TrimSpace(r.ID)
	switch r.Kind {
	case "", "sale":
	case "return":
		sale.Name = event.OrderRefunded
		if r.Order != "" {
			number = r.Order
		}
	default:
		return nil, fault.New(fault.Invalid, "kind: sale or return is expected")
	}
	b.SetText("order_id", number).SetText("channel", "till").SetText("store_id", r.Store).SetText("till", r.Till).SetText("receipt", r.ID)
	who(&b, r)
	b.SetText("currency", strings.ToUpper(r.Currency))
	for _, sum := range [...]struct {
		name string
		m    Amount
	}{{"total", r.Total}, {"tax", r.Tax}} {
		if err := amount(&b, sum.name, sum.name, sum.m); err != nil {
			return nil, err
		}
	}
	if len(r.Lines) > 0 {
		lines, err := products(r.Lines)
		if err != nil {
			return nil, err
		}
		b.Set("products", lines)
	}
	sale.Props = b.Object()
	order, err := event.OrderOf(sale.Name, sale.Props)
	if err != nil {
		_, why := fault.Of(err)
		why = strings.TrimPrefix(why, "properties.")
		if rest, line := strings.CutPrefix(why, "products["); line {
			why = "lines[" + rest
		}
		return nil, fault.New(fault.Invalid, why)
	}
	if err := addsUp(r, &order); err != nil {
		return nil, err
	}
	if len(identity.Of(&sale)) == 0 {
		return nil, fault.New(fault.NotFound, Nobody)
	}
	events := []event.Event{sale}
	for _, code := range r.Coupons {
		if code = strings.TrimSpace(code); code == "" {
			continue
		}
		c := sale
		c.ID, c.Name = sale.ID+event.ID(":coupon:"+code), event.CouponRedeemed
		var b event.Builder
		b.SetText("code", code).SetText("order_id", number).SetText("store_id", r.Store)
		who(&b, r)
		c.Props = b.Object()
		events = append(events, c)
	}
	return events, nil
}

// Ahead is how far the clock of a till may be ahead of ours. Such a sale was now.
const Ahead = 5 * time.Minute

// addsUp compares what was paid with the lines, whose prices may or may not have the
// tax in them. Each line may be rounded by a hundredth. Coupons may have taken
// something off the whole.
func addsUp(r *Receipt, order *event.Order) error {
	if Decimal(r.Total) == "" || len(order.Lines) == 0 {
		return nil
	}
	total, err := money.Parse(Decimal(r.Total))
	if err != nil {
		return nil // unreachable: it was read before
	}
	tax, sum := money.Micros(0), money.Micros(0)
	if text := Decimal(r.Tax); text != "" {
		if tax, err = money.Parse(text); err != nil {
			return nil // unreachable: it was read before
		}
	}
	for i := range order.Lines {
		sum += order.Lines[i].Net
	}
	paid, lines, slack := size(total), size(sum), money.Micros(len(order.Lines))*money.One/100
	near := func(x, y money.Micros) bool { return size(x-y) <= slack }
	if near(paid, lines) || near(paid, lines+size(tax)) || paid < lines && len(r.Coupons) > 0 {
		return nil
	}
	said := lines.String()
	if tax != 0 {
		said += ", and with the tax to " + (lines + size(tax)).String()
	}
	return fault.New(fault.Invalid, "total: "+paid.String()+" was paid, but the lines add up to "+said+": say what was taken off as the discount of a line")
}

func size(m money.Micros) money.Micros { return max(m, -m) }

// Differs reports whether a receipt says something else than it did when it was heard.
func Differs(before, now *event.Event) bool {
	return before.Name != now.Name || before.Props != now.Props || before.User != now.User || time.Duration(max(before.At-now.At, now.At-before.At))*time.Millisecond > Ahead
}

// who sets what identifies the customer: see identity.Of.
func who(b *event.Builder, r *Receipt) {
	b.SetText("loyalty_id", strings.TrimSpace(r.Loyalty)).SetText("email", strings.TrimSpace(r.Email)).SetText("phone", strings.TrimSpace(r.Phone))
}

func products(lines []Line) (event.Value, error) {
	items := make([]event.Value, len(lines))
	for i := range lines {
		l := &lines[i]
		var p event.Builder
		p.SetText("sku", l.SKU).SetText("name", l.Name).SetText("category", l.Category)
		for _, sum := range [...]struct {
			name string
			m    Amount
		}{{"quantity", l.Quantity}, {"price", l.Price}, {"discount", l.Discount}} {
			if err := amount(&p, sum.name, "lines["+strconv.Itoa(i)+"]."+sum.name, sum.m); err != nil {
				return event.Value{}, err
			}
		}
		items[i] = event.Nested(p.Object())
	}
	return event.ListOf(items...), nil
}

// amount sets a number that is there.
func amount(b *event.Builder, key, field string, m Amount) error {
	text := Decimal(m)
	if text == "" {
		return nil
	}
	if _, err := money.Parse(text); err != nil {
		_, why := fault.Of(err)
		return fault.New(fault.Invalid, field+": "+why)
	}
	b.Set(key, event.Value{Kind: event.Number, Raw: text})
	return nil
}
