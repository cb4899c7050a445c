// Package shopify hears a shop on Shopify: its webhooks, its past, and what it
// sells; and it makes coupons there.
//
// What Shopify says of money is exact text in the shop's currency, and is kept as
// such. Ids are numbers beyond what a float holds; they are kept as text too.
//
// Everything about an order is told by the order itself, whatever the topic: its
// refunds, its parcels, its cancellation. A refund or a parcel that comes alone
// names neither customer nor tax, so the order is asked for.
package shopify

import (
	"net/http"
	"strings"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

// Platform is Shopify. It implements [connect.Platform].
type Platform struct{}

var _ connect.Platform = Platform{}

// Name implements [connect.Platform].
func (Platform) Name() string { return "shopify" }

// Signature implements [connect.Platform].
func (Platform) Signature(h http.Header) (signature, topic string) {
	return h.Get("X-Shopify-Hmac-Sha256"), h.Get("X-Shopify-Topic")
}

// Belongs implements [connect.Platform]: one secret signs for every shop that has
// installed the app, and another shop's orders are not this one's.
func (Platform) Belongs(s *connect.Source, h http.Header) bool {
	domain := h.Get("X-Shopify-Shop-Domain")
	_, host, _ := strings.Cut(s.URL, "://")
	return domain == "" || strings.EqualFold(domain, host)
}

// Hello implements [connect.Platform]: Shopify asks nothing.
func (Platform) Hello(http.Header, []byte) bool { return false }

// Topics are those that a shop is asked to send.
var Topics = []string{
	"orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled", "orders/partially_fulfilled", "refunds/create",
	"fulfillments/create", "fulfillments/update", "checkouts/create", "checkouts/update", "carts/create", "carts/update",
	"customers/create", "customers/update", "customers/delete", "customers_email_marketing_consent/update", "customers_marketing_consent/update",
	"products/create", "products/update", "products/delete", "inventory_levels/update",
}

// Read implements [connect.Platform].
func (Platform) Read(s *connect.Source, topic string, body []byte, heard event.Time) (connect.Heard, error) {
	t := &connect.Teller{Source: s, Heard: heard}
	var h connect.Heard
	var err error
	resource, what, _ := strings.Cut(topic, "/")
	switch resource {
	case "orders":
		h, err = readOrder(t, what, body)
	case "refunds", "fulfillments", "order_transactions", "fulfillment_events":
		var of struct {
			Order connect.Text `json:"order_id"`
		}
		if err = connect.Decode(body, &of); err == nil && of.Order == "" {
			err = fault.New(fault.Invalid, "order_id: it says of which order it is")
		}
		h.Order = of.Order.String()
	case "checkouts":
		h, err = readCheckout(t, what, body)
	case "carts":
		h, err = readCart(t, body)
	case "customers":
		h, err = readCustomer(t, what, body)
	case "customers_email_marketing_consent", "customers_marketing_consent":
		h, err = readConsent(t, body)
	case "products":
		h, err = readProduct(t, what, body)
	case "inventory_levels":
		h, err = readLevel(t, what, body)
	default:
		h.Ignored = "nothing about customers, orders or products is said by " + strings.ToValidUTF8(topic, "")
	}
	return h, err
}

// heardOf returns what was told, and why nothing was if nothing was.
func heardOf(t *connect.Teller, why string) connect.Heard {
	h := connect.Heard{Events: t.Events}
	if len(t.Events) == 0 {
		h.Ignored = why
	}
	return h
}

func readLevel(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	var l struct {
		Item      connect.Text `json:"inventory_item_id"`
		Place     connect.Text `json:"location_id"`
		Available *int64       `json:"available"`
		Updated   connect.Text `json:"updated_at"`
	}
	if err := connect.Decode(body, &l); err != nil {
		return h, err
	}
	if l.Item == "" || l.Place == "" {
		return h, fault.New(fault.Invalid, "inventory_item_id, location_id: both are needed")
	}
	at, err := l.Updated.Time("updated_at")
	if err != nil {
		return h, err
	}
	if at == 0 {
		at = t.Heard
	}
	level := product.Level{Place: l.Place.String(), At: at}
	switch {
	case what == "disconnect": // nothing is kept there any more
	case l.Available == nil:
		h.Ignored = "the place does not count the product"
		return h, nil
	default:
		level.Stock = *l.Available
	}
	h.Products = []catalogue.Update{{Kind: catalogue.Count, Source: t.Source.Name, Item: l.Item.String(), Level: level}}
	return h, nil
}
