package shopify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
	"rapport/internal/sources/shopify"
)

// partial are the fixtures that are only a part of a thing: what the API answers
// when it is asked for some fields. A webhook never is one.
var partial = map[string]bool{
	"shopify/order.json 1": true, "shopify/order.json 4": true, "shopify/customer.json 22": true, "shopify/customer.json 23": true, "shopify/customer.json 24": true,
	"shopify/checkout.json 8": true, "shopify/refund.json 4": true, "shopify/refund.json 5": true,
}

// TestEveryTopicSaysWhatIsExpected reads every document of the fixtures by the
// topics that send it.
func TestEveryTopicSaysWhatIsExpected(t *testing.T) {
	t.Parallel()
	const ordered, refunded = "Order Completed, identify", "Order Completed, Order Refunded, identify"
	guest, cancelled, shipped := "Order Completed", "Order Cancelled, "+refunded, "Order Completed, Order Shipped, identify"
	orders := map[int]string{3: guest, 8: cancelled, 9: cancelled, 10: cancelled, 11: guest, 12: ordered, 13: ordered, 14: shipped, 15: guest, 16: ordered, 17: shipped, 18: ordered, 19: guest}
	const nothing = "nothing: " // and why
	const someone, nobody, part = "identify", "nothing: nobody is known by it yet", "nothing: the document is only a part of a customer"
	for _, c := range []struct {
		topics, file, usual string
		unusual             map[int]string
	}{
		{"orders/create orders/updated orders/cancelled orders/fulfilled orders/partially_fulfilled", "shopify/order.json", refunded, orders},
		{"orders/paid", "shopify-old/order.json", "Order Completed, Order Paid, identify", nil},
		{"orders/create", "shopify-old/order.json", ordered, nil},
		{"orders/edited orders/delete", "shopify-old/order.json", nothing, nil},
		{"customers/create customers/update customers/enable customers/disable", "shopify/customer.json", someone, map[int]string{5: part, 7: part, 8: part, 11: part, 12: part}},
		{"customers/update", "shopify-old/customer.json", someone, nil},
		{"customers/delete", "shopify-old/customer.json", "Consent Changed, Consent Changed", nil},
		{"checkouts/create checkouts/update", "shopify/checkout.json", "Checkout Started", map[int]string{0: nobody, 2: "Checkout Started, Checkout Updated", 6: "Checkout Started, Checkout Updated", 7: "Checkout Started, Checkout Updated"}},
		{"checkouts/update", "shopify-old/checkouts.json", "Checkout Started, identify", nil},
		{"checkouts/update", "shopify/abandoned_checkout.json", "Checkout Started, identify", nil},
		{"carts/create carts/update", "shopify-old/carts.json", "Cart Updated", nil},
		{"refunds/create", "shopify/refund.json", "ask for order 450789469", nil},
		{"fulfillments/create fulfillments/update", "shopify/fulfillment.json", "ask for order 450789469", nil},
		{"order_transactions/create", "shopify/transaction.json", "ask for order 450789469", nil},
		{"fulfillment_events/create", "shopify/fulfillment_event.json", "ask for order 450789469", nil},
		{"inventory_levels/update inventory_levels/connect", "shopify/inventory_level.json", "count", nil},
		{"products/create products/update", "shopify/product.json", "put", nil},
		{"products/delete", "shopify-old/product.json", "remove", nil},
		{"draft_orders/create", "shopify/draft_order.json", nothing, nil},
		{"gift_cards/create", "shopify/gift_card.json", nothing, nil},
		{"shop/update", "shopify/shop.json", nothing, nil},
	} {
		for topic := range strings.FieldsSeq(c.topics) {
			for i, d := range documents(t, c.file) {
				h, err := shopify.Platform{}.Read(source(), topic, d, heard)
				if isPart := partial[c.file+" "+itoa(i)] || err != nil && strings.Contains(err.Error(), "only a part"); isPart {
					if !fault.Is(err, fault.Invalid) || len(h.Events) > 0 {
						t.Errorf("%s of a part (%s %d): %s, %v", topic, c.file, i, says(h), err)
					}
					continue
				}
				want, ok := c.unusual[i]
				if !ok {
					want = c.usual
				}
				if got := says(h); err != nil || got != want && (want != nothing || !strings.HasPrefix(got, nothing)) {
					t.Errorf("%s (%s %d) says %q, %v; want %q", topic, c.file, i, got, err, want)
				}
				for i := range h.Events {
					e := &h.Events[i]
					if e.ID == "" || len(e.ID) > 100 || e.At == 0 || e.At > heard || e.Raw != e.At || e.Trust != event.Server || e.Origin != event.Live || e.Source != "shop" {
						t.Errorf("%s: %+v", topic, e)
					}
				}
			}
		}
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) } // cannot fail

// order returns the order of an event of that name, and the event.
func order(t *testing.T, h connect.Heard, name string) (event.Order, *event.Event) {
	t.Helper()
	for i := range h.Events {
		if e := &h.Events[i]; e.Name == name {
			o, err := event.OrderOf(name, e.Props)
			if err != nil {
				t.Fatal(err)
			}
			return o, e
		}
	}
	t.Fatalf("no %s among %s", name, says(h))
	return event.Order{}, nil
}

func net(t *testing.T, h connect.Heard) (sum money.Micros) {
	t.Helper()
	for i := range h.Events {
		if e := &h.Events[i]; event.IsOrder(e.Name) {
			o, err := event.OrderOf(e.Name, e.Props)
			if err != nil {
				t.Fatal(err)
			}
			sum += o.Net
		}
	}
	return sum
}

// TestTheMoneyOfTheFixturesIsExact compares with what the documents say themselves.
func TestTheMoneyOfTheFixturesIsExact(t *testing.T) {
	t.Parallel()
	docs := documents(t, "shopify/order.json")
	for _, c := range []struct {
		doc                   int
		event, net, total     string
		tax, discount, prices string
	}{
		{0, event.OrderCompleted, "597.00", "598.94", "11.94", "10.00", "587.00"}, // three lines less 3.34, 3.33, 3.33
		{0, event.OrderRefunded, "-391.33", "209.00", "7.96", "", "391.33"},
		{9, event.OrderRefunded, "-587.00", "10.00", "11.94", "", "587.00"},
		{9, event.OrderCancelled, "-10.00", "", "", "", "0.00"},
		{10, event.OrderRefunded, "-106.02", "110.00", "3.98", "", "195.66"}, // 89.64 less than the goods were worth
		{10, event.OrderCancelled, "-490.98", "", "", "", "391.34"},
		{11, event.OrderCompleted, "224.97", "238.47", "13.50", "0.00", "224.97"}, // euros
		{18, event.OrderCompleted, "181.09", "181.09", "0.00", "17.91", "181.09"},
		{19, event.OrderCompleted, "255.92", "270.37", "14.45", "0.00", "255.92"},
	} {
		h := read(t, "orders/updated", docs[c.doc])
		o, e := order(t, h, c.event)
		lines := money.Micros(0)
		for _, l := range o.Lines {
			lines += l.Net
		}
		if got := o.Net.String(); got != c.net || lines.String() != c.prices {
			t.Errorf("document %d: %s of %s, lines %s; want %s, %s", c.doc, c.event, got, lines, c.net, c.prices)
		}
		for field, want := range map[string]string{"total": c.total, "tax": c.tax, "discount": c.discount} {
			if got := e.Props.Text(field); got != want {
				t.Errorf("document %d: %s of %s is %q, want %q", c.doc, field, c.event, got, want)
			}
		}
	}
	for _, doc := range []int{9, 10} {
		if sum := net(t, read(t, "orders/cancelled", docs[doc])); sum != 0 {
			t.Errorf("a cancelled order comes to %s", sum)
		}
	}
	// Money that goes back after the cancellation was counted by it.
	late := read(t, "orders/updated", edit(t, docs[9], map[string]any{"cancelled_at": "2025-07-02T11:31:20-05:00"}))
	if sum := net(t, late); sum != 0 {
		t.Errorf("an order that was refunded after its cancellation comes to %s", sum)
	}
	if o, e := order(t, late, event.OrderRefunded); o.Net != 0 || len(o.Lines) != 0 || e.Props.Text("total") != "10.00" {
		t.Errorf("the late refund: %s", e.Props.AppendJSON(nil))
	}
	if o, _ := order(t, late, event.OrderCancelled); o.Net.String() != "-597.00" || len(o.Lines) != 3 {
		t.Errorf("the cancellation takes back %s of %d lines", o.Net, len(o.Lines))
	}
}

// edit changes fields of a document.
func edit(t testing.TB, doc json.RawMessage, changes map[string]any) json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(doc, &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		m[k] = b
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMoneyIsExactInEveryCurrency(t *testing.T) {
	t.Parallel()
	plain := documents(t, "shopify/order.json")[12]
	for _, c := range []struct{ currency, price, subtotal, want string }{
		{"JPY", "1980", "1980", "1980.00"}, {"KWD", "12.345", "12.345", "12.345"}, {"USD", "0.10", "0.10", "0.10"}, {"EUR", "90071992547.41", "90071992547.41", "90071992547.41"},
	} {
		doc := edit(t, plain, map[string]any{"currency": c.currency, "subtotal_price": c.subtotal, "line_items": []map[string]any{{"id": 1, "price": c.price, "quantity": 1, "sku": "a"}}})
		o, _ := order(t, read(t, "orders/create", doc), event.OrderCompleted)
		if o.Net.String() != c.want || string(o.Currency) != c.currency || o.Lines[0].Net != o.Net {
			t.Errorf("%s %s: %s %s, line %s", c.price, c.currency, o.Net, o.Currency, o.Lines[0].Net)
		}
	}
}

func TestTaxThatIsInsideThePriceIsNoRevenue(t *testing.T) {
	t.Parallel()
	doc := edit(t, documents(t, "shopify/order.json")[12], map[string]any{
		"currency": "GBP", "taxes_included": true, "subtotal_price": "24.00", "total_price": "28.80", "total_tax": "4.80",
		"line_items":     []map[string]any{{"price": "12.00", "quantity": 2, "sku": "a", "discount_allocations": []any{}, "tax_lines": []map[string]any{{"price": "4.00"}}}},
		"shipping_lines": []map[string]any{{"price": "4.80", "tax_lines": []map[string]any{{"price": "0.80"}}}},
		"refunds":        []map[string]any{{"id": 5, "created_at": "2025-07-03T00:00:00Z", "refund_line_items": []map[string]any{{"quantity": 1, "subtotal": 12.00, "total_tax": 2.00, "line_item": map[string]any{"price": "12.00", "quantity": 2, "sku": "a"}}}}},
	})
	h := read(t, "orders/updated", doc)
	o, e := order(t, h, event.OrderCompleted)
	if o.Net.String() != "20.00" || e.Props.Text("shipping") != "4.00" || e.Props.Text("tax") != "4.80" || e.Props.Text("total") != "28.80" {
		t.Errorf("%s", e.Props.AppendJSON(nil))
	}
	if r, e := order(t, h, event.OrderRefunded); r.Net.String() != "-10.00" || r.Units != -1000 || e.Props.Text("tax") != "2.00" {
		t.Errorf("%s", e.Props.AppendJSON(nil))
	}
}

func TestIdsBeyondAFloatAreExact(t *testing.T) {
	t.Parallel()
	const big = "9007199254740993" // 2^53 + 1
	doc := edit(t, documents(t, "shopify/order.json")[12], map[string]any{
		"id": json.RawMessage(big), "line_items": []map[string]any{{"price": "1.00", "quantity": 1, "product_id": json.RawMessage(big), "variant_id": json.RawMessage(big)}},
		"customer": map[string]any{"id": json.RawMessage(big), "updated_at": "2025-07-02T11:31:36-05:00", "email": "a@shop.example"},
	})
	h := read(t, "orders/create", doc)
	o, e := order(t, h, event.OrderCompleted)
	if o.ID != big || e.User != big || o.Lines[0].SKU != big || string(e.ID) != "shopify:shop:order:"+big {
		t.Errorf("order %s of %s, line %s, message %s", o.ID, e.User, o.Lines[0].SKU, e.ID)
	}
}

func TestConsentIsAnEntryWithItsEvidenceAndItsOwnTime(t *testing.T) {
	t.Parallel()
	plain := documents(t, "shopify/customer.json")[0]
	said := func(state, level, at string) map[string]any {
		c := map[string]any{"state": state, "opt_in_level": level, "consent_updated_at": nil}
		if at != "" {
			c["consent_updated_at"] = at
		}
		return map[string]any{"email_marketing_consent": c, "sms_marketing_consent": nil}
	}
	for _, c := range []struct {
		name, state, at string
		changes         map[string]any
	}{
		{"subscribed", "granted", "2025-07-03T00:00:00.000Z", said("subscribed", "confirmed_opt_in", "2025-07-03T00:00:00Z")},
		{"subscribed, nobody knows when: as old as the customer", "granted", "2025-07-02T16:27:00.000Z", said("subscribed", "single_opt_in", "")},
		{"unsubscribed", "withdrawn", "2025-07-03T00:00:00.000Z", said("unsubscribed", "", "2025-07-03T00:00:00Z")},
		{"redacted", "withdrawn", "2025-07-03T00:00:00.000Z", said("redacted", "", "2025-07-03T00:00:00Z")},
		{"never subscribed", "", "", said("not_subscribed", "", "2025-07-03T00:00:00Z")},
		{"waits for a confirmation", "", "", said("pending", "confirmed_opt_in", "2025-07-03T00:00:00Z")},
		{"a word of tomorrow", "", "", said("invalid", "", "")},
		{"of an old version", "granted", "2025-07-03T00:00:00.000Z", map[string]any{"email_marketing_consent": nil, "sms_marketing_consent": nil, "accepts_marketing": true, "accepts_marketing_updated_at": "2025-07-03T00:00:00Z"}},
		{"refused in an old version", "withdrawn", "2025-07-03T00:00:00.000Z", map[string]any{"email_marketing_consent": nil, "sms_marketing_consent": nil, "accepts_marketing": false, "accepts_marketing_updated_at": "2025-07-03T00:00:00Z"}},
		{"never asked in an old version", "", "", map[string]any{"email_marketing_consent": nil, "sms_marketing_consent": nil, "accepts_marketing": false}},
	} {
		h := read(t, "customers/update", edit(t, plain, c.changes))
		state, at := "", ""
		for i := range h.Events {
			if e := &h.Events[i]; e.Name == event.ConsentChanged {
				state, at = e.Props.Text("state"), e.At.String()
				if e.Props.Text("channel") != "email" || !strings.HasPrefix(e.Props.Text("evidence"), "shop: ") {
					t.Errorf("%s: %s", c.name, e.Props.AppendJSON(nil))
				}
			}
		}
		if state != c.state || at != c.at {
			t.Errorf("%s: %q at %s, want %q at %s", c.name, state, at, c.state, c.at)
		}
	}
	alone := read(t, "customers_email_marketing_consent/update", []byte(`{"customer_id":706405506930370084,"email_address":"bob@biller.com","email_marketing_consent":{"state":"unsubscribed","opt_in_level":null,"consent_updated_at":"2025-01-01T00:00:00Z"}}`))
	if e := alone.Events[0]; e.User != "706405506930370084" || e.Props.Text("state") != "withdrawn" || e.Props.Text("email") != "bob@biller.com" {
		t.Errorf("a consent that comes alone: %s", e.AppendJSON(nil))
	}
	sms := read(t, "customers_marketing_consent/update", []byte(`{"id":7,"phone":"+16135550135","sms_marketing_consent":{"state":"subscribed","opt_in_level":"single_opt_in","consent_updated_at":"2025-01-01T00:00:00Z","consent_collected_from":"SHOPIFY"}}`))
	if e := sms.Events[0]; e.Props.Text("channel") != "sms" || e.Props.Text("state") != "granted" || e.Props.Text("evidence") != "shop: subscribed, single_opt_in, shopify" {
		t.Errorf("a consent to SMS: %s", e.AppendJSON(nil))
	}
}

func TestAProductIsReadWithItsVariants(t *testing.T) {
	t.Parallel()
	doc := edit(t, documents(t, "shopify/product.json")[0], map[string]any{"status": "active"})
	p := read(t, "products/update", doc).Products[0].Product
	v := p.Find("IPOD2008PINK")
	if p.Title != "IPod Nano - 8GB" || p.Brand != "Apple" || p.Category() != "Cult Products" || p.URL != "https://jsmith.myshopify.com/products/ipod-nano" || len(p.Variants) != 4 || p.Gone {
		t.Errorf("%+v", p)
	}
	if v == nil || v.ID != "808950810" || v.Item != "808950810" || v.Stock != 10 || !v.Counted || !v.Oversell || v.Price.String() != "199.00" || v.Currency != "USD" || v.State != product.InStock || v.Image == "" {
		t.Errorf("%+v", v)
	}
	for _, changes := range []map[string]any{{"status": "draft"}, {"status": "archived"}, {"published_at": nil}} {
		if p := read(t, "products/update", edit(t, doc, changes)).Products[0].Product; !p.Gone {
			t.Errorf("%v is sold", changes)
		}
	}
	sale := edit(t, doc, map[string]any{"variants": []map[string]any{{"id": 1, "title": "Default Title", "price": "80.00", "compare_at_price": "100.00", "inventory_management": "shopify", "inventory_policy": "deny", "inventory_quantity": 0}}})
	if v := read(t, "products/update", sale).Products[0].Product.Variants[0]; v.Price.String() != "100.00" || v.At(heard).String() != "80.00" || v.Title != "" || v.State != product.OutOf {
		t.Errorf("%+v", v)
	}
}

func TestATestOrderIsNone(t *testing.T) {
	t.Parallel()
	h := read(t, "orders/create", edit(t, documents(t, "shopify/order.json")[12], map[string]any{"test": true}))
	if len(h.Events) > 0 || h.Ignored != "a test order" {
		t.Errorf("%s", says(h))
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range []string{"shopify/order.json", "shopify/customer.json", "shopify/product.json", "shopify/checkout.json"} {
		f.Add("orders/updated", []byte(documents(f, file)[0]))
	}
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		h, err := shopify.Platform{}.Read(source(), topic, body, heard)
		if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
			t.Fatalf("%v", err)
		}
		for i := range h.Events {
			if e := &h.Events[i]; !e.Props.Valid() || len(e.ID) > 100 || e.At > heard {
				t.Fatalf("%+v", e)
			}
		}
	})
}
