package connect_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/egress"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
	"rapport/internal/sources/woocommerce"
)

// fakeWoo answers as WooCommerce's REST API v3 does, and checks what it checks:
// the keys, the size of a page, the order of a list, codes in small letters.
type fakeWoo struct {
	t       testing.TB
	lists   map[string][]json.RawMessage // by path
	coupons []map[string]any
	hooks   []map[string]any
	most    int // on a page; 0: as asked
	calls   int
	down    bool
}

func (f *fakeWoo) do(r *http.Request) (*egress.Answer, error) {
	f.calls++
	if f.down {
		return answer(503, map[string]any{"code": "maintenance"}), nil
	}
	if key, secret, ok := r.BasicAuth(); !ok || key != "ck" || secret != "token" {
		return answer(401, map[string]any{"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot list resources."}), nil
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/wp-json/wc/v3/")
	if !ok || r.URL.Scheme != "https" || r.URL.Host != "example.com" {
		f.t.Errorf("a call to %s", r.URL)
		return answer(404, map[string]any{"code": "rest_no_route"}), nil
	}
	var body map[string]any
	if r.Body != nil {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Content-Type") != "application/json" {
			return answer(400, map[string]any{"code": "rest_invalid_json"}), nil
		}
	}
	q := r.URL.Query()
	switch {
	case path == "data/currencies/current":
		return answer(200, map[string]any{"code": "USD", "name": "United States (US) dollar"}), nil
	case path == "coupons" && r.Method == http.MethodGet:
		found := []map[string]any{}
		for _, c := range f.coupons {
			if c["code"] == q.Get("code") {
				found = append(found, c)
			}
		}
		return answer(200, found), nil
	case path == "coupons" && r.Method == http.MethodPost:
		return f.coupon(body), nil
	case path == "webhooks" && r.Method == http.MethodPost:
		if s, _ := body["secret"].(string); s == "" || body["topic"] == "" {
			return answer(400, map[string]any{"code": "woocommerce_rest_webhook_invalid"}), nil
		}
		body["id"] = len(f.hooks) + 1
		f.hooks = append(f.hooks, body)
		return answer(201, body), nil
	case strings.HasPrefix(path, "webhooks/") && r.Method == http.MethodPut:
		return answer(200, body), nil
	case path == "webhooks":
		list := []json.RawMessage{}
		for _, h := range f.hooks {
			raw, err := json.Marshal(h)
			if err != nil {
				return nil, err
			}
			list = append(list, raw)
		}
		return f.page(r, list), nil
	}
	if list, ok := f.lists[path]; ok && r.Method == http.MethodGet {
		return f.page(r, list), nil
	}
	if resource, id, ok := strings.Cut(path, "/"); ok {
		for _, doc := range f.lists[resource] {
			if idOf(doc) == id {
				return answer(200, doc), nil
			}
		}
	}
	return answer(404, map[string]any{"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."}), nil
}

func (f *fakeWoo) page(r *http.Request, list []json.RawMessage) *egress.Answer {
	q := r.URL.Query()
	size, err := strconv.Atoi(q.Get("per_page"))
	n, nerr := strconv.Atoi(q.Get("page"))
	if err != nil || size < 1 || size > 100 || nerr != nil || n < 1 {
		return answer(400, map[string]any{"code": "rest_invalid_param"})
	}
	if top := !strings.Contains(strings.TrimPrefix(r.URL.Path, "/wp-json/wc/v3/"), "/"); top && !strings.HasSuffix(r.URL.Path, "webhooks") && (q.Get("orderby") != "id" || q.Get("order") != "asc") {
		f.t.Errorf("%s: pages that are not in order of id move while they are read", r.URL)
	}
	if f.most > 0 {
		size = min(size, f.most)
	}
	pages := (len(list) + size - 1) / size
	from := min((n-1)*size, len(list))
	a := answer(200, list[from:min(from+size, len(list))])
	a.Header.Set("X-WP-Total", strconv.Itoa(len(list)))
	a.Header.Set("X-WP-TotalPages", strconv.Itoa(pages))
	return a
}

func (f *fakeWoo) coupon(body map[string]any) *egress.Answer {
	code, _ := body["code"].(string)
	code = strings.ToLower(code)
	for _, c := range f.coupons {
		if c["code"] == code {
			return answer(400, map[string]any{"code": "woocommerce_rest_coupon_code_already_exists", "message": "The coupon code already exists"})
		}
	}
	if _, ok := body["amount"].(string); !ok || body["discount_type"] != "percent" && body["discount_type"] != "fixed_cart" {
		return answer(400, map[string]any{"code": "rest_invalid_param"})
	}
	made := map[string]any{"usage_limit": nil, "usage_limit_per_user": nil, "minimum_amount": "0.00", "date_expires_gmt": nil}
	for k, v := range body {
		made[k] = v
	}
	made["id"], made["code"] = 700+len(f.coupons), code
	f.coupons = append(f.coupons, made)
	return answer(201, made)
}

// halfBack is a refund of one of two pieces, with shipping, as the API tells it.
const halfBack = `[{"id":726,"date_created_gmt":"2017-03-22T20:00:00","amount":"8.35","reason":"broken","line_items":[{"id":1,"product_id":93,"variation_id":0,"sku":"","name":"Woo Single #1","quantity":-1,"subtotal":"-3.00","total":"-3.00","total_tax":"-0.22"}],"shipping_lines":[{"total":"-5.00","total_tax":"-0.13"}],"fee_lines":[]}]`

func wooShop(t testing.TB) *fakeWoo {
	var refunds []json.RawMessage
	if err := json.Unmarshal([]byte(halfBack), &refunds); err != nil {
		t.Fatal(err)
	}
	refunded := edit(t, document(t, "woocommerce/orders.json", 0), map[string]any{"refunds": []map[string]any{{"id": 726, "reason": "broken", "total": "-8.35"}}, "date_modified_gmt": "2017-03-22T20:00:01"})
	variable := edit(t, document(t, "woocommerce/products.json", 0), map[string]any{"id": 800, "type": "variable", "variations": []int{801, 802}})
	return &fakeWoo{t: t, lists: map[string][]json.RawMessage{
		"orders": {refunded}, "orders/727/refunds": refunds, "customers": {document(t, "woocommerce/customers.json", 0)},
		"products": {document(t, "woocommerce/products.json", 0), variable},
		"products/800/variations": {
			json.RawMessage(`{"id":801,"sku":"V-RED","regular_price":"9.00","sale_price":"7.50","date_on_sale_from_gmt":"2017-01-01T00:00:00","date_on_sale_to_gmt":"2017-01-31T23:59:59","manage_stock":true,"stock_quantity":3,"stock_status":"instock","attributes":[{"option":"Red"},{"option":"M"}]}`),
			json.RawMessage(`{"id":802,"sku":"V-BLUE","regular_price":"9.50","sale_price":"","manage_stock":"parent","stock_quantity":null,"stock_status":"onbackorder","attributes":[{"option":"Blue"}]}`),
		},
	}}
}

func wooAPI(t testing.TB, w *world, f *fakeWoo) (*connect.Source, connect.API) {
	t.Helper()
	src, err := w.book.Find("woo")
	if err != nil {
		t.Fatal(err)
	}
	src.Token = "token"
	api, err := woocommerce.Platform{}.API(&src, connect.Patient(f.do, func(context.Context, time.Duration) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	return &src, api
}

// order727 is the order of the fixtures with changes.
func order727(t testing.TB, topic string, changes map[string]any) hook {
	return hook{"woocommerce", topic, edit(t, document(t, "woocommerce/orders.json", 0), changes)}
}

func TestEveryTopicOfWooCommerceSaysWhatIsExpected(t *testing.T) {
	t.Parallel()
	src := &connect.Source{Name: "woo", Platform: "woocommerce", URL: "https://example.com", Currency: "USD", ConsentMeta: "news"}
	agreed := map[string]any{"meta_data": []map[string]any{{"id": 1, "key": "other", "value": map[string]any{}}, {"id": 2, "key": "news", "value": "1"}}}
	unpaid := map[string]any{"status": "pending", "date_paid_gmt": nil, "payment_method": "stripe"}
	gone := map[string]any{"status": "cancelled", "date_paid_gmt": nil, "payment_method": "stripe"}
	for _, c := range []struct {
		name string
		hook hook
		want string
	}{
		{"an order", order727(t, "order.created", nil), "identify, Order Completed, Order Paid"},
		{"one that is done", hook{"woocommerce", "order.updated", document(t, "woocommerce/orders.json", 3)}, "identify, Order Completed, Order Paid, Order Shipped"},
		{"one that is to be paid by transfer", order727(t, "order.created", map[string]any{"status": "on-hold", "date_paid_gmt": nil}), "identify, Order Completed"},
		{"a basket whose payment was begun", order727(t, "order.created", unpaid), "identify, Checkout Started"},
		{"the same, ended by the clock", order727(t, "order.updated", gone), "identify, Checkout Started"},
		{"one that was paid and cancelled", order727(t, "order.updated", map[string]any{"status": "cancelled"}), "identify, Order Completed, Order Cancelled, Order Paid"},
		{"with the box ticked", order727(t, "order.created", agreed), "identify, Consent Changed, Order Completed, Order Paid"},
		{"a draft", order727(t, "order.created", map[string]any{"status": "checkout-draft", "date_paid_gmt": nil}), "nothing"},
		{"deleted", hook{"woocommerce", "order.deleted", []byte(`{"id":727}`)}, "nothing"},
		{"a customer", hook{"woocommerce", "customer.created", document(t, "woocommerce/customers.json", 0)}, "identify"},
		{"one who agreed", hook{"woocommerce", "customer.updated", edit(t, document(t, "woocommerce/customers.json", 0), agreed)}, "identify, Consent Changed"},
		{"one who is deleted", hook{"woocommerce", "customer.deleted", []byte(`{"id":25}`)}, "Consent Changed"},
		{"a product", hook{"woocommerce", "product.updated", document(t, "woocommerce/products.json", 0)}, "put"},
		{"one that is deleted", hook{"woocommerce", "product.deleted", []byte(`{"id":794}`)}, "remove"},
		{"a coupon", hook{"woocommerce", "coupon.created", document(t, "woocommerce/coupons.json", 0)}, "nothing"},
	} {
		h, err := woocommerce.Platform{}.Read(src, c.hook.topic, c.hook.body, now)
		var names []string
		for i := range h.Events {
			e := &h.Events[i]
			if e.Type == event.Identify {
				names = append(names, "identify")
			} else {
				names = append(names, e.Name)
			}
		}
		for _, u := range h.Products {
			names = append(names, [...]string{"put", "remove", "count"}[u.Kind])
		}
		if h.Ignored != "" {
			names = append(names, "nothing")
		}
		if got := strings.Join(names, ", "); err != nil || got != c.want {
			t.Errorf("%s says %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	for _, n := range []int{0, 1, 3, 4} {
		if _, err := (woocommerce.Platform{}).Read(src, "order.updated", document(t, "woocommerce/orders.json", n), now); err != nil {
			t.Errorf("order %d: %v", n, err)
		}
	}
	if _, err := (woocommerce.Platform{}).Read(src, "order.updated", []byte(`{"id":1}`), now); !fault.Is(err, fault.Invalid) {
		t.Errorf("a part of an order: %v", err)
	}
}

func TestTheMoneyOfWooCommerceIsExact(t *testing.T) {
	t.Parallel()
	f := wooShop(t)
	w := newWorld(t, f.do)
	w.hear(order727(t, "order.created", nil))
	orders := func() (list []profile.Order) { return w.person("john.doe@example.com").Orders }
	if o := orders(); len(o) != 1 || o[0].Net.String() != "18.00" || o[0].Units != 3000 || o[0].ID != "727" || o[0].Currency != "USD" {
		t.Fatalf("%+v", o)
	}
	w.hear(hook{"woocommerce", "order.updated", f.lists["orders"][0]})
	o := orders()
	if len(o) != 2 || o[1].Net.String() != "-3.00" || o[1].Units != -1000 || o[1].Kind != profile.Refunded {
		t.Errorf("after a refund: %+v", o)
	}
	f.down = true
	if code, answer := w.send(hook{"woocommerce", "order.updated", f.lists["orders"][0]}, secret); code != 503 {
		t.Errorf("a shop that cannot be asked for its refunds: %d %s", code, answer)
	}
	third := newWorld(t, nil)
	third.hear(order727(t, "order.created", map[string]any{"currency": "KWD", "line_items": []map[string]any{{"id": 1, "product_id": json.Number("9007199254740993"), "variation_id": 0, "sku": "", "quantity": 3, "subtotal": "10.000", "total": "9.001", "total_tax": "0.450", "price": json.Number("3.0003333333333333")}}}))
	p := third.person("john.doe@example.com")
	if p.Orders[0].Net.String() != "9.001" || p.Bought[0].SKU != "9007199254740993" {
		t.Errorf("%+v %+v", p.Orders, p.Bought)
	}
}

// A price that does not divide is rounded up, so that the difference is a discount
// and never a surcharge.
func TestALineOfWooCommerceComesToItsOwnTotal(t *testing.T) {
	t.Parallel()
	src := &connect.Source{Name: "woo", Platform: "woocommerce", URL: "https://example.com", Currency: "USD"}
	for _, c := range []struct{ subtotal, total, price, discount string }{
		{"10.00", "10.00", "3.333334", "0.000002"}, {"10.00", "9.01", "3.333334", "0.990002"}, {"9.00", "9.00", "3.00", ""}, {"9.00", "0.00", "3.00", "9.00"},
	} {
		doc := order727(t, "", map[string]any{"line_items": []map[string]any{{"id": 1, "product_id": 5, "quantity": 3, "subtotal": c.subtotal, "total": c.total, "total_tax": "0.00"}}})
		h, err := woocommerce.Platform{}.Read(src, "order.created", doc.body, now)
		if err != nil {
			t.Fatal(err)
		}
		for i := range h.Events {
			if e := &h.Events[i]; e.Name == event.OrderCompleted {
				o, err := event.OrderOf(e.Name, e.Props)
				v, _ := e.Props.Get("products")
				for item := range v.Items {
					line := item.Object()
					if total, _ := money.Parse(c.total); err != nil || o.Lines[0].Net != total || o.Net != total || line.Text("price") != c.price || line.Text("discount") != c.discount {
						t.Errorf("%s of %s: %s, %v", c.total, c.subtotal, line.AppendJSON(nil), err)
					}
				}
			}
		}
	}
}

func TestWooCommerceTwiceOrShuffledIsTheSameProfile(t *testing.T) {
	t.Parallel()
	f := wooShop(t)
	story := []hook{
		order727(t, "order.created", map[string]any{"customer_id": 25}),
		{"woocommerce", "order.updated", edit(t, f.lists["orders"][0], map[string]any{"customer_id": 25})},
		{"woocommerce", "order.updated", edit(t, document(t, "woocommerce/orders.json", 3), map[string]any{"customer_id": 25})},
		{"woocommerce", "customer.created", document(t, "woocommerce/customers.json", 0)},
		{"woocommerce", "customer.updated", edit(t, document(t, "woocommerce/customers.json", 0), map[string]any{"first_name": "Jon", "date_modified_gmt": "2018-01-01T00:00:00"})},
		order727(t, "order.updated", map[string]any{"id": 728, "number": "728", "customer_id": 25, "status": "pending", "date_paid_gmt": nil, "payment_method": "stripe"}),
		order727(t, "order.updated", map[string]any{"id": 728, "number": "728", "customer_id": 25, "status": "cancelled", "date_paid_gmt": nil, "payment_method": "stripe"}),
	}
	f.lists["orders"][0] = story[1].body
	straight := newWorld(t, f.do)
	straight.hear(story...)
	want := picture(straight.person("john.doe@example.com"))
	if !strings.Contains(want, "trait first_name=Jon") || !strings.Contains(want, "spent 15.00") {
		t.Fatalf("the story itself:\n%s", want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, f.do)
		for _, h := range rapid.Permutation(append(append([]hook{}, story...), story...)).Draw(rt, "order") {
			w.hear(h)
		}
		if got := picture(w.person("john.doe@example.com")); got != want {
			rt.Fatalf("in disorder:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestABackfillOfWooCommerce(t *testing.T) {
	t.Parallel()
	f := wooShop(t)
	f.most = 1
	for i := range 4 {
		f.lists["orders"] = append(f.lists["orders"], order727(t, "", map[string]any{"id": 900 + i, "number": "9", "customer_id": 25}).body)
	}
	f.lists["orders"] = append(f.lists["orders"], json.RawMessage(`{"id":"broken"}`))
	w := newWorld(t, nil)
	src, api := wooAPI(t, w, f)
	b := &connect.Backfill{Source: src, API: api, Keeper: w.keeper, Append: w.node.Hear, Refused: w.node.Refused, Now: w.clock.Now, Dir: t.TempDir()}
	p, err := b.Run(t.Context())
	if err != nil || !p.Done || p.Items["orders"] != 6 || p.Total["orders"] != 6 || p.Items["products"] != 2 || p.Items["customers"] != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	w.settle()
	if o := w.person("john.doe@example.com").Orders; len(o) != 6 { // five, and a refund
		t.Errorf("%+v", o)
	}
	cards, err := w.keeper.Products(t.Context(), "V-RED", "V-BLUE", "800", "794")
	if err != nil || cards[0].PriceText() != "9.00 USD" || cards[0].Variant != "Red / M" || cards[1].Availability != "backorder" || cards[2].PriceText() != "9.00 USD" || cards[3].Category != "T-shirts" {
		t.Errorf("%+v %+v %+v %+v, %v", cards[0], cards[1], cards[2], cards[3], err)
	}
}

func TestWooCommerceCouponsAndWebhooks(t *testing.T) {
	t.Parallel()
	f := wooShop(t)
	_, api := wooAPI(t, newWorld(t, nil), f)
	coupons(t, api)
	if len(f.coupons) != 2 {
		t.Errorf("%d coupons", len(f.coupons))
	}
	for i, want := range []int{len(woocommerce.Topics), 0} {
		if made, err := api.Subscribe(t.Context(), "https://rapport.example/hooks/woocommerce/woo", "hush"); err != nil || made != want {
			t.Errorf("time %d: %d made, want %d, %v", i+1, made, want, err)
		}
	}
	if c, err := api.Currency(t.Context()); c != "USD" || err != nil {
		t.Errorf("%s, %v", c, err)
	}
}
