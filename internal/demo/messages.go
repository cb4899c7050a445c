package demo

import (
	"iter"
	"strconv"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Wording is the version of the invented text that people have agreed to.
const Wording = "demo-1"

// The purposes of the invented consents, on the channel e-mail.
const (
	PurposeMarketing = "marketing"
	PurposeTrack     = "track.email"
)

// MaxMessage is the largest message that [Messages] makes, in bytes: what one
// event sent with a secret key may have. The longest invoice, of 1,114 lines,
// needs two thirds of it.
const MaxMessage = 200 << 10

// IsRefund reports whether an invoice is sent as Order Refunded: its number
// begins with C, or it takes money or, at price zero, pieces back. Besides the
// 3,836 returns these are two book entries "Adjust bad debt" and the 1,336
// invoices, all without a customer, by which the shop writes off stock.
func IsRefund(v retail.Invoice) bool {
	net := v.Net()
	return v.Return || net < 0 || net == 0 && v.Pieces() < 0
}

// Messages returns what the shop's back end says to the tracking API about the
// invoices, which must be in the order of time: for each an Order Completed or
// Order Refunded ([IsRefund]) and, before a customer's first, one identify and
// two Consent Changed with what is invented about the person. Each message is one
// element of the batch of POST /v1/batch, in the order of their time.
//
// An order's revenue is the exact sum of all its lines, so the sum over all
// messages is the sum of the file. Lines that are not products, such as postage,
// are in products with the category [Charges]. Quantities keep the sign they have
// in the file: below zero only on refunds. An invoice without a customer belongs to an
// anonymousId of its own. A customer with orders from two countries (there are
// eight) is said to live in that of the first.
func Messages(seed uint64, invoices []retail.Invoice) iter.Seq2[event.Time, []byte] {
	return func(yield func(event.Time, []byte) bool) {
		w := writer{seed: seed, categories: map[string]string{}}
		known := map[string]bool{}
		for _, v := range invoices {
			if v.Customer != "" && !known[v.Customer] {
				known[v.Customer] = true
				p := Invent(seed, v.Customer, v.Country)
				for _, m := range [][]byte{w.identify(p, v), w.consent(p, PurposeMarketing, p.Marketing, v.At), w.consent(p, PurposeTrack, p.Track, v.At)} {
					if !yield(v.At, m) {
						return
					}
				}
			}
			if !yield(v.At, w.order(v)) {
				return
			}
		}
	}
}

// writer makes messages. They are built field by field: half a million lines
// through reflection would take longer than everything else in the replay.
type writer struct {
	seed       uint64
	categories map[string]string // by description, because few descriptions make many lines
}

const tail = `,"context":{"library":{"name":"online-retail-replay"},"channel":"shop"}}`

func (w *writer) identify(p Person, v retail.Invoice) []byte {
	b := head("identify", "identify-"+p.Customer, v.At, nil)
	b = text(b, `,"userId":`, p.Customer)
	b = text(b, `,"traits":{"email":`, p.Email)
	b = text(b, `,"first_name":`, p.FirstName)
	b = text(b, `,"last_name":`, p.LastName)
	if p.Country != "" {
		b = text(b, `,"country":`, p.Country)
	}
	b = text(b, `,"country_name":`, v.Country)
	b = text(b, `,"timezone":`, p.Zone)
	b = text(b, `,"locale":`, p.Locale)
	b = append(b, `,"invented":true}`...)
	return append(b, tail...)
}

func (w *writer) consent(p Person, purpose string, yes bool, at event.Time) []byte {
	state, rule := "denied", percent(1-NoConsent)+" of all customers agree"
	if yes {
		state = "granted"
	}
	if purpose == PurposeTrack {
		rule = percent(Tracked) + " of those who agree to marketing agree"
	}
	b := head("track", "consent-"+p.Customer+"-"+purpose, at, nil)
	b = text(b, `,"userId":`, p.Customer)
	b = text(b, `,"event":`, event.ConsentChanged)
	b = text(b, `,"properties":{"channel":"email","purpose":`, purpose)
	b = text(b, `,"state":`, state)
	b = text(b, `,"evidence":`, Invented+" by rule: "+rule+", by hash of seed "+strconv.FormatUint(w.seed, 10)+" and customer number")
	b = text(b, `,"wording":`, Wording)
	b = append(b, `,"invented":true}`...)
	return append(b, tail...)
}

func (w *writer) order(v retail.Invoice) []byte {
	const perLine, rest = 130, 400 // bytes, roughly: to reserve memory once
	b := make([]byte, 0, rest+perLine*len(v.Lines))
	name, id := event.OrderCompleted, "order-"+v.Number
	if IsRefund(v) {
		name, id = event.OrderRefunded, "refund-"+v.Number
	}
	b = head("track", id, v.At, b)
	if v.Customer != "" {
		b = text(b, `,"userId":`, v.Customer)
	} else {
		b = text(b, `,"anonymousId":`, Anonymous(v.Number))
	}
	b = text(b, `,"event":`, name)
	b = text(b, `,"properties":{"order_id":`, v.Number)
	b = text(b, `,"currency":`, string(Currency))
	b = number(b, `,"revenue":`, v.Net())
	b = append(b, `,"products":[`...)
	for i, l := range v.Lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = text(b, `{"product_id":`, l.SKU)
		b = text(b, `,"sku":`, l.SKU)
		if l.Description != "" {
			b = text(b, `,"name":`, l.Description)
		}
		b = text(b, `,"category":`, w.category(l))
		b = number(b, `,"price":`, l.Price)
		b = append(b, `,"quantity":`...)
		b = strconv.AppendInt(b, l.Quantity, 10)
		b = append(b, '}')
	}
	b = append(b, `]}`...)
	return append(b, tail...)
}

func (w *writer) category(l retail.Line) string {
	if !l.Product {
		return Charges
	}
	c, ok := w.categories[l.Description]
	if !ok {
		c = CategoryOf(l.Description)
		w.categories[l.Description] = c
	}
	return c
}

// Anonymous returns the anonymousId of an invoice without a customer.
func Anonymous(number string) string { return "invoice-" + number }

func head(kind, id string, at event.Time, b []byte) []byte {
	b = text(b, `{"type":`, kind)
	b = text(b, `,"messageId":`, id)
	return text(b, `,"timestamp":`, at.String())
}

func text(b []byte, key, value string) []byte {
	return event.AppendQuoted(append(b, key...), value)
}

func number(b []byte, key string, m money.Micros) []byte {
	return append(append(b, key...), m.String()...)
}
