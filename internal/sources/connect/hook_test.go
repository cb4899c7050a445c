package connect_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Provider, Secret, Body, Signature string }
	if err := json.Unmarshal(body, &vectors); err != nil || len(vectors) != 2 {
		t.Fatal(err, len(vectors))
	}
	for _, v := range vectors {
		if !connect.Signed([]byte(v.Body), v.Signature, connect.Secrets{Current: v.Secret}) || !connect.Signed([]byte(v.Body), v.Signature, connect.Secrets{Current: "new", Previous: v.Secret}) {
			t.Errorf("the signature of %s is not taken", v.Body)
		}
		for name, wrong := range map[string]bool{
			"another body":      connect.Signed([]byte(v.Body+" "), v.Signature, connect.Secrets{Current: v.Secret}),
			"another secret":    connect.Signed([]byte(v.Body), v.Signature, connect.Secrets{Current: "x", Previous: "y"}),
			"a changed letter":  connect.Signed([]byte(v.Body), "A"+v.Signature[1:], connect.Secrets{Current: v.Secret}) && v.Signature[0] != 'A',
			"a part":            connect.Signed([]byte(v.Body), v.Signature[:20], connect.Secrets{Current: v.Secret}),
			"something else":    connect.Signed([]byte(v.Body), "§", connect.Secrets{Current: v.Secret}),
			"nothing":           connect.Signed([]byte(v.Body), "", connect.Secrets{Current: v.Secret}),
			"no secret at all":  connect.Signed([]byte(v.Body), sign([]byte(v.Body), ""), connect.Secrets{}),
			"an empty previous": connect.Signed([]byte(v.Body), sign([]byte(v.Body), ""), connect.Secrets{Current: v.Secret}),
		} {
			if wrong {
				t.Errorf("%s is taken", name)
			}
		}
	}
}

func TestAWebhookThatIsNotOursIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	order := hook{"shopify", "orders/create", document(t, "shopify-old/order.json", 0)}
	for _, c := range []struct {
		name   string
		secret string
		change func(*http.Request)
		want   int
	}{
		{"another secret", "guess", func(*http.Request) {}, 401},
		{"no signature", secret, func(r *http.Request) { r.Header.Del("X-Shopify-Hmac-Sha256") }, 401},
		{"another shop of the app", secret, func(r *http.Request) { r.Header.Set("X-Shopify-Shop-Domain", "evil.myshopify.com") }, 401},
		{"a shop that nobody connected", secret, func(r *http.Request) { r.URL.Path = "/hooks/shopify/other" }, 404},
		{"a shop of another platform", secret, func(r *http.Request) { r.URL.Path = "/hooks/shopify/woo" }, 404},
		{"a platform that nobody knows", secret, func(r *http.Request) { r.URL.Path = "/hooks/magento/shop" }, 404},
	} {
		if code, answer := w.send(order, c.secret, c.change); code != c.want || strings.Contains(answer, "hush") {
			t.Errorf("%s: %d %s, want %d", c.name, code, answer, c.want)
		}
	}
	w.settle()
	if _, err := w.node.Lookup(t.Context(), "207119551"); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody is known by it: %v", err)
	}
	if code, answer := w.send(order, oldSecret); code != 200 || !strings.Contains(answer, `"events":2`) {
		t.Errorf("the previous secret, during a rotation: %d %s", code, answer)
	}
}

func TestAWebhookIsAnswered200OnlyOnceItIsDurable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	order := hook{"shopify", "orders/create", document(t, "shopify-old/order.json", 0)}
	w.broken = fault.New(fault.Unavailable, "the disk is full")
	if code, answer := w.send(order, secret); code != 503 {
		t.Errorf("with a broken log: %d %s", code, answer)
	}
	w.broken = errors.New("no idea")
	if code, answer := w.send(order, secret); code != 500 || strings.Contains(answer, "no idea") {
		t.Errorf("with an unknown trouble: %d %s", code, answer)
	}
	w.broken = nil
	w.hear(order)
	if p := w.person("207119551"); len(p.Orders) != 1 {
		t.Errorf("%+v", p.Orders)
	}
}

func TestABodyThatNobodyCanReadIsPutAside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, body := range []string{"{", `{"id":1}`, `{"id":{"a":1}}`, `[]`, `{"id":"1","created_at":"yesterday","currency":"USD"}`, `{"id":"1","created_at":"2025-01-01T00:00:00Z","currency":"USD","subtotal_price":"free","email":"a@b.example"}`} {
		if code, answer := w.send(hook{"shopify", "orders/create", []byte(body)}, secret); code != 200 || !strings.Contains(answer, "put_aside") {
			t.Errorf("%s: %d %s", body, code, answer)
		}
	}
	if code, _ := w.send(hook{"shopify", "orders/create", make([]byte, 9<<20)}, secret); code != 413 {
		t.Errorf("a body of 9 MiB: %d", code)
	}
}

func TestAWooCommerceShopAsksWhetherAnybodyIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ping := func(r *http.Request) { r.Header = http.Header{} }
	if code, _ := w.send(hook{"woocommerce", "", []byte("webhook_id=142")}, secret, ping); code != 200 {
		t.Errorf("the question is answered %d", code)
	}
	if code, _ := w.send(hook{"woocommerce", "order.created", []byte("webhook_id=142")}, "guess"); code != 401 {
		t.Errorf("with a topic it is answered %d", code)
	}
	if code, _ := w.send(hook{"shopify", "", []byte("webhook_id=142")}, secret, ping); code != 401 {
		t.Errorf("Shopify does not ask: %d", code)
	}
}

// lifecycle is the life of an order as Shopify tells it, of a customer who agrees
// and changes her mind, and of a cart.
func lifecycle(t testing.TB) []hook {
	full := document(t, "shopify/order.json", 9)
	consent := func(state, at string) map[string]any {
		return map[string]any{
			"id": json.Number("207119551"), "email": "bob.norman@mail.example.com", "first_name": "Bob", "updated_at": at, "created_at": "2020-01-01T00:00:00Z",
			"email_marketing_consent": map[string]any{"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at},
		}
	}
	version := func(changes map[string]any) json.RawMessage { return edit(t, full, changes) }
	fresh := map[string]any{"refunds": []any{}, "cancelled_at": nil, "updated_at": "2008-01-10T11:00:00-05:00", "customer": consent("not_subscribed", "2025-07-02T10:00:00Z")}
	refunded := map[string]any{"cancelled_at": nil, "updated_at": "2025-07-02T11:31:21-05:00", "customer": consent("subscribed", "2025-07-02T12:00:00Z")}
	return []hook{
		{"shopify", "carts/update", edit(t, document(t, "shopify-old/carts.json", 0), map[string]any{"token": "68778783ad298f1c80c3bafcddeea02f"})},
		{"shopify", "checkouts/create", document(t, "shopify-old/checkouts.json", 0)},
		{"shopify", "orders/create", version(fresh)},
		{"shopify", "orders/paid", version(fresh)},
		{"shopify", "orders/updated", version(refunded)},
		{"shopify", "orders/cancelled", version(map[string]any{"customer": consent("unsubscribed", "2025-07-02T13:00:00Z")})},
		{"shopify", "orders/updated", version(map[string]any{"updated_at": "2025-07-03T11:31:21-05:00", "customer": consent("unsubscribed", "2025-07-02T13:00:00Z")})},
		{"shopify", "customers/update", edit(t, document(t, "shopify/customer.json", 1), consent("subscribed", "2025-07-02T12:00:00Z"))},
		{"shopify", "customers/update", edit(t, document(t, "shopify/customer.json", 1), consent("unsubscribed", "2025-07-02T13:00:00Z"))},
		{"shopify", "orders/create", document(t, "shopify/order.json", 13)},
		{"shopify", "orders/create", document(t, "shopify-old/order.json", 0)},
	}
}

// TestTwiceOrShuffledIsTheSameProfile is the promise of the package: whatever the
// order of arrival and however often, the same is known.
func TestTwiceOrShuffledIsTheSameProfile(t *testing.T) {
	t.Parallel()
	story := lifecycle(t)
	story = story[:len(story)-1] // the last is another version of an order, of another time
	straight := newWorld(t, nil)
	straight.hear(story...)
	want := picture(straight.person("207119551"))
	if !strings.Contains(want, "order 450789469 2 -10.00") || !strings.Contains(want, "consent email marketing false") || !strings.Contains(want, "spent 199.00") {
		t.Fatalf("the story itself:\n%s", want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, nil)
		order := rapid.Permutation(append(append([]hook{}, story...), story[:rapid.IntRange(0, len(story)).Draw(rt, "again")]...)).Draw(rt, "order")
		for len(order) > 0 { // in batches, with time to settle between
			n := min(rapid.IntRange(1, 5).Draw(rt, "batch"), len(order))
			w.hear(order[:n]...)
			order = order[n:]
		}
		if got := picture(w.person("207119551")); got != want {
			rt.Fatalf("in disorder:\n%s\nwant:\n%s", got, want)
		}
	})
}

// TestAShopsWordMakesNobodySendableWhoRefusedHere: what somebody refused in a
// message of ours, a shop's database does not take back, however new its entry is.
func TestAShopsWordMakesNobodySendableWhoRefusedHere(t *testing.T) {
	t.Parallel()
	word := func(state, at string) hook {
		return hook{"shopify", "customers/update", edit(t, document(t, "shopify/customer.json", 1), map[string]any{
			"id": 207119551, "updated_at": at,
			"email_marketing_consent": map[string]any{"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at},
		})}
	}
	allows := func(w *world) bool {
		return w.person("207119551").Allows("email", "marketing", w.clock.Now())
	}
	t.Run("its later word replaces its own earlier one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		for i, state := range []string{"subscribed", "unsubscribed", "subscribed"} {
			w.hear(word(state, "2025-07-0"+string(rune('1'+i))+"T00:00:00Z"))
			if allows(w) != (state == "subscribed") {
				t.Errorf("after %s she is sendable: %t", state, allows(w))
			}
		}
	})
	for _, c := range []struct {
		name   string
		refuse func(t *testing.T, w *world)
	}{
		{"she unsubscribed in a message", func(t *testing.T, w *world) {
			p := w.person("207119551")
			if err := w.node.Suppress(t.Context(), p.ID, "email", "marketing", "unsubscribed", "d1"); err != nil {
				t.Fatal(err)
			}
		}},
		{"she refused at the till", func(t *testing.T, w *world) {
			props := (&event.Builder{}).SetText("channel", "email").SetText("state", "withdrawn").Object()
			e := event.Event{ID: "till-1", Type: event.Track, Name: event.ConsentChanged, User: "207119551", At: w.clock.Now() - 1000, Raw: 1, Trust: event.Server, Source: "till", Props: props}
			if err := w.node.Hear(t.Context(), []event.Event{e}); err != nil {
				t.Fatal(err)
			}
		}},
		{"she complained", func(t *testing.T, w *world) {
			e := event.Event{ID: "arf-1", Type: event.Track, Name: event.Complained, User: "207119551", At: w.clock.Now() - 1000, Raw: 1, Trust: event.Own, Source: "mail"}
			if err := w.node.Hear(t.Context(), []event.Event{e}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.hear(word("subscribed", "2025-07-01T00:00:00Z"))
			if !allows(w) {
				t.Fatal("she is not sendable to begin with")
			}
			c.refuse(t, w)
			w.settle()
			before := w.person("207119551").Consents
			w.hear(word("subscribed", "2026-03-02T08:59:59.500Z"))
			after := w.person("207119551").Consents
			if len(before) != len(after) || before[0] != after[0] {
				t.Errorf("the shop's word changed %+v to %+v", before, after)
			}
		})
	}
}

func TestLinesGetTheCategoryOfTheirProduct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.hear(hook{"shopify", "products/update", document(t, "shopify/product.json", 0)}, hook{"shopify", "orders/create", document(t, "shopify-old/order.json", 0)})
	p := w.person("207119551")
	if len(p.Bought) != 3 || p.Bought[0].Category != "Cult Products" {
		t.Errorf("%+v", p.Bought)
	}
	cards, err := w.keeper.Products(t.Context(), "IPOD2008GREEN")
	if err != nil || cards[0].PriceText() != "199.00 USD" {
		t.Errorf("%+v, %v", cards, err)
	}
}

func TestProductsAndStockCome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	doc := document(t, "shopify/product.json", 0)
	w.hear(hook{"shopify", "products/update", edit(t, doc, map[string]any{"status": "active"})})
	level := func(n int, at string) hook {
		return hook{"shopify", "inventory_levels/update", edit(t, document(t, "shopify/inventory_level.json", 0), map[string]any{"inventory_item_id": 49148385, "available": n, "updated_at": at})}
	}
	w.hear(level(20, "2026-01-01T00:00:00Z"), level(3, "2026-01-02T00:00:00Z"), level(3, "2026-01-02T00:00:00Z"))
	list, err := w.store.Changes(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].Name != product.LowInStock || list[0].SKU != "IPOD2008RED" || list[0].Stock != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	w.hear(hook{"shopify", "products/delete", []byte(`{"id":632910392}`)})
	if cards, err := w.keeper.Products(t.Context(), "IPOD2008RED"); err != nil || cards[0] != nil {
		t.Errorf("a deleted product is shown: %+v, %v", cards, err)
	}
}

func TestARefundThatComesAloneIsAskedFor(t *testing.T) {
	t.Parallel()
	shop := newShopify(t)
	w := newWorld(t, shop.do)
	refund := hook{"shopify", "refunds/create", document(t, "shopify/refund.json", 0)}
	shop.orders = []json.RawMessage{document(t, "shopify/order.json", 0)}
	w.hear(refund)
	if p := w.person("207119551"); p.Spent("USD", "USD").String() != "205.67" {
		t.Errorf("spent %s", p.Spent("USD", "USD"))
	}
	shop.down = true
	if code, answer := w.send(refund, secret); code != 503 {
		t.Errorf("a shop that cannot be asked: %d %s", code, answer)
	}
	without := newWorld(t, nil)
	if code, answer := without.send(refund, secret); code != 200 || !strings.Contains(answer, "not connected") {
		t.Errorf("a shop without its API: %d %s", code, answer)
	}
}
