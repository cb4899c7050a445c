// Package woocommerce hears a shop on WooCommerce: its webhooks, its past, and
// what it sells; and it makes coupons there.
//
// An order of WooCommerce names its refunds by their total alone. What was
// refunded of which line says only the API, so an order with refunds is asked for
// there, and a shop is connected with keys for it.
//
// Whether an order was placed is a function of the order, and not of which version
// of it was heard first: it was paid, or it is to be paid in another way than in the
// shop ([offline]). A basket whose payment was never finished is no order, and its
// cancellation by the clock takes nothing back.
package woocommerce

import (
	"net/http"
	"strings"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type text = connect.Text

// Platform is WooCommerce. It implements [connect.Platform].
type Platform struct{}

var _ connect.Platform = Platform{}

// Name implements [connect.Platform].
func (Platform) Name() string { return "woocommerce" }

// Signature implements [connect.Platform].
func (Platform) Signature(h http.Header) (signature, topic string) {
	return h.Get("X-WC-Webhook-Signature"), h.Get("X-WC-Webhook-Topic")
}

// Belongs implements [connect.Platform]: each shop has a secret of its own.
func (Platform) Belongs(*connect.Source, http.Header) bool { return true }

// Hello implements [connect.Platform]: a new webhook is tried with nothing but its
// number, unsigned.
func (Platform) Hello(h http.Header, body []byte) bool {
	number, ok := strings.CutPrefix(string(body), "webhook_id=")
	return ok && h.Get("X-WC-Webhook-Topic") == "" && number != "" && strings.Trim(number, "0123456789") == ""
}

// Topics are those that a shop is asked to send.
var Topics = []string{
	"order.created", "order.updated", "order.restored", "customer.created", "customer.updated", "customer.deleted",
	"product.created", "product.updated", "product.deleted", "product.restored",
}

// Read implements [connect.Platform].
func (Platform) Read(s *connect.Source, topic string, body []byte, heard event.Time) (h connect.Heard, err error) {
	t := &connect.Teller{Source: s, Heard: heard}
	resource, what, _ := strings.Cut(topic, ".")
	switch resource {
	case "order":
		return readOrder(t, what, body)
	case "customer":
		return readCustomer(t, what, body)
	case "product":
		return readProduct(t, what, body)
	}
	h.Ignored = "nothing about customers, orders or products is said by " + strings.ToValidUTF8(topic, "")
	return h, nil
}

// heardOf returns what was told, and why nothing was if nothing was.
func heardOf(t *connect.Teller, why string) connect.Heard {
	h := connect.Heard{Events: t.Events}
	if len(t.Events) == 0 {
		h.Ignored = why
	}
	return h
}

// idOnly reads a document of something that is gone.
func idOnly(body []byte) (string, error) {
	var d struct {
		ID text `json:"id"`
	}
	if err := connect.Decode(body, &d); err != nil {
		return "", err
	}
	if d.ID == "" {
		return "", fault.New(fault.Invalid, "id: it is missing")
	}
	return d.ID.String(), nil
}

func readProduct(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	if what == "deleted" {
		id, err := idOnly(body)
		h.Products = []catalogue.Update{{Kind: catalogue.Remove, Product: product.Product{Ref: product.Ref{Source: t.Source.Name, ID: id}, Updated: t.Heard}}}
		return h, err
	}
	var g goods
	if err := connect.Decode(body, &g); err != nil {
		return h, err
	}
	if g.Parent != "" && g.Parent != "0" {
		h.Ignored = "a variation is told by its product"
		return h, nil
	}
	u, err := g.told(t, nil)
	if err != nil {
		return h, err
	}
	h.Products = []catalogue.Update{u}
	return h, nil
}
