package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/egress"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
	"rapport/internal/sources/shopify"
)

// past fills a shop with the fixtures.
func past(t testing.TB, f *fakeShopify) {
	for i := range 19 {
		f.products = append(f.products, edit(t, document(t, "shopify/product.json", 0), map[string]any{"id": 1000 + i, "status": "active", "variants": []any{}}))
	}
	f.products = append(f.products, document(t, "shopify/product.json", 0))
	for i := range 5 {
		f.customers = append(f.customers, edit(t, document(t, "shopify/customer.json", 0), map[string]any{"id": 2000 + i, "email": "c" + string(rune('a'+i)) + "@shop.example"}))
	}
	for _, i := range []int{9, 11, 12, 13, 14, 15} {
		f.orders = append(f.orders, document(t, "shopify/order.json", i))
	}
}

// reading is a back-fill of the world's shop.
func (w *world) reading(t testing.TB, f *fakeShopify, dir string) *connect.Backfill {
	t.Helper()
	src, err := w.book.Find("shop")
	if err != nil {
		t.Fatal(err)
	}
	src.Token = "token"
	waits := func(ctx context.Context, d time.Duration) error {
		if d < time.Second || d > time.Minute {
			t.Errorf("it waits for %s", d)
		}
		return ctx.Err()
	}
	api, err := shopify.Platform{}.API(&src, connect.Patient(f.do, waits))
	if err != nil {
		t.Fatal(err)
	}
	return &connect.Backfill{Source: &src, API: api, Keeper: w.keeper, Append: w.node.Hear, Refused: w.node.Refused, Now: w.clock.Now, Dir: dir}
}

func TestABackfillReadsAShopsPastAsHistory(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	past(t, f)
	f.pageSize, f.bucket = 4, 3 // every third call is one too many
	w := newWorld(t, nil)
	b := w.reading(t, f, t.TempDir())
	b.Append = func(ctx context.Context, events []event.Event) error {
		for _, e := range events {
			if e.Origin != event.Import {
				t.Errorf("%s is not history", e.ID)
			}
		}
		return w.node.Hear(ctx, events)
	}
	p, err := b.Run(t.Context())
	if err != nil || !p.Done || p.Items["products"] != 20 || p.Items["customers"] != 5 || p.Items["orders"] != 6 || f.limited == 0 {
		t.Fatalf("%+v, %v; %d times one too many", p, err, f.limited)
	}
	w.settle()
	bob := w.person("207119551")
	if len(bob.Orders) != 4 || bob.Bought[0].Category != "Cult Products" { // one cancelled and refunded, one of $199
		t.Errorf("%+v %+v", bob.Orders, bob.Bought)
	}
	if products, _, err := w.store.Sizes(t.Context()); products != 20 || err != nil {
		t.Errorf("%d products, %v", products, err)
	}
	before := picture(bob)
	if _, err := b.Run(t.Context()); err != nil { // again, all of it
		t.Fatal(err)
	}
	w.settle()
	if after := picture(w.person("207119551")); after != before {
		t.Errorf("a second reading changed\n%s\nto\n%s", before, after)
	}
}

// TestABackfillThatIsCutShortGoesOn cuts it short after every number of calls.
func TestABackfillThatIsCutShortGoesOn(t *testing.T) {
	t.Parallel()
	whole := newWorld(t, nil)
	f := newShopify(t)
	past(t, f)
	f.pageSize = 3
	if _, err := whole.reading(t, f, t.TempDir()).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole.settle()
	want, calls := picture(whole.person("207119551")), f.calls
	for cut := 1; cut < calls; cut++ {
		w, dir := newWorld(t, nil), t.TempDir()
		f := newShopify(t)
		past(t, f)
		f.pageSize = 3
		ctx, cancel := context.WithCancel(t.Context())
		f.afterCall = func() {
			if f.calls == cut {
				cancel()
			}
		}
		if _, err := w.reading(t, f, dir).Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("cut after %d calls: %v", cut, err)
		}
		p, err := w.reading(t, f, dir).Run(t.Context())
		if err != nil || !p.Done || p.Items["products"] != 20 || p.Items["customers"] != 5 || p.Items["orders"] != 6 {
			t.Fatalf("cut after %d calls: %+v, %v", cut, p, err)
		}
		if f.calls > calls+1 {
			t.Errorf("cut after %d calls, %d were needed and %d made", cut, calls, f.calls)
		}
		w.settle()
		if got := picture(w.person("207119551")); got != want {
			t.Errorf("cut after %d calls:\n%s\nwant\n%s", cut, got, want)
		}
	}
}

func TestAPlaceThatTheShopHasForgottenIsNoEnd(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	past(t, f)
	f.pageSize = 4
	w, dir := newWorld(t, nil), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	f.afterCall = func() {
		if f.calls == 3 {
			cancel()
		}
	}
	if _, err := w.reading(t, f, dir).Run(ctx); err == nil {
		t.Fatal("it was not cut short")
	}
	f.issued = map[string][2]int{} // days later
	if p, err := w.reading(t, f, dir).Run(t.Context()); err != nil || p.Items["products"] != 20 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAWrongTokenIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	f.token = "another"
	if _, err := newWorld(t, nil).reading(t, f, t.TempDir()).Run(t.Context()); !fault.Is(err, fault.Denied) || f.calls != 1 {
		t.Errorf("%v after %d calls", err, f.calls)
	}
}

func TestALinkThatLeadsElsewhereIsNotFollowed(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	w := newWorld(t, nil)
	b := w.reading(t, f, t.TempDir())
	for _, cursor := range []string{"https://evil.example/admin/api/x/orders.json?page_info=1", "//evil.example/admin/api/x", "http://jsmith.myshopify.com/admin/api/x", "/elsewhere"} {
		if _, err := b.API.Page(t.Context(), "orders", cursor, now); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", cursor, err)
		}
	}
	if f.calls != 0 {
		t.Errorf("%d calls were made", f.calls)
	}
}

func TestSubscribingTwiceIsOnce(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	api := newWorld(t, nil).reading(t, f, t.TempDir()).API
	for i, want := range []int{len(shopify.Topics), 0} {
		if made, err := api.Subscribe(t.Context(), "https://rapport.example/hooks/shopify/shop", "s"); err != nil || made != want {
			t.Errorf("time %d: %d made, want %d, %v", i+1, made, want, err)
		}
	}
	if _, err := api.Subscribe(t.Context(), "http://rapport.example/hooks/shopify/shop", "s"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an address that Shopify refuses: %v", err)
	}
	if c, err := api.Currency(t.Context()); c != "USD" || err != nil {
		t.Errorf("%s, %v", c, err)
	}
}

// coupons is what every API must do with coupons.
func coupons(t *testing.T, api connect.API) {
	t.Helper()
	ten := connect.Coupon{Code: "TEN-ada", Percent: 10 * money.One, Starts: now, Ends: now.Add(240 * time.Hour), Uses: 1, Once: true, Least: 50 * money.One}
	first, err := api.Coupon(t.Context(), ten)
	if err != nil || !first.Fresh || first.Code != "TEN-ada" || first.ID == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := api.Coupon(t.Context(), ten)
	if err != nil || again.Fresh || again.ID != first.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	for name, change := range map[string]func(c *connect.Coupon){
		"of more":             func(c *connect.Coupon) { c.Percent = 20 * money.One },
		"of an amount":        func(c *connect.Coupon) { c.Percent, c.Amount = 0, 10*money.One },
		"without an end":      func(c *connect.Coupon) { c.Ends = 0 },
		"for any basket":      func(c *connect.Coupon) { c.Least = 0 },
		"as often as wished":  func(c *connect.Coupon) { c.Uses = 0 },
		"for whoever, always": func(c *connect.Coupon) { c.Once = false },
	} {
		other := ten
		change(&other)
		if got, err := api.Coupon(t.Context(), other); !fault.Is(err, fault.Conflict) {
			t.Errorf("another coupon of the code, %s: %+v, %v", name, got, err)
		}
	}
	five := connect.Coupon{Code: "FIVE", Amount: 5_250_000, Starts: now}
	if got, err := api.Coupon(t.Context(), five); err != nil || !got.Fresh {
		t.Errorf("an amount: %+v, %v", got, err)
	}
	if got, err := api.Coupon(t.Context(), five); err != nil || got.Fresh {
		t.Errorf("an amount again: %+v, %v", got, err)
	}
	for _, c := range []connect.Coupon{{}, {Code: "a b", Percent: 1}, {Code: "X"}, {Code: "X", Percent: 1, Amount: 1}, {Code: "X", Percent: 101 * money.One}, {Code: "X", Amount: -1}, {Code: "X", Amount: 1, Starts: 5, Ends: 5}} {
		if got, err := api.Coupon(t.Context(), c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}

func TestACouponIsMadeOnce(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	coupons(t, newWorld(t, nil).reading(t, f, t.TempDir()).API)
	if left := slices.DeleteFunc(slices.Clone(f.rules), func(r map[string]any) bool { return r == nil }); len(left) != 2 {
		t.Errorf("%d rules are left for two coupons", len(left))
	}
}

// TestOfTwoThatMakeACouponOneMakesIt: the other one finds it, and takes back the
// rule that it made for nothing.
func TestOfTwoThatMakeACouponOneMakesIt(t *testing.T) {
	t.Parallel()
	f := newShopify(t)
	api := newWorld(t, nil).reading(t, f, t.TempDir()).API
	c := connect.Coupon{Code: "TEN", Percent: 10 * money.One, Starts: now}
	f.afterCall = func() {
		if f.calls == 2 { // between our rule and our code
			f.afterCall = nil
			if got, err := api.Coupon(t.Context(), c); err != nil || !got.Fresh {
				t.Errorf("the other one: %+v, %v", got, err)
			}
		}
	}
	if got, err := api.Coupon(t.Context(), c); err != nil || got.Fresh {
		t.Errorf("%+v, %v", got, err)
	}
	if left := slices.DeleteFunc(slices.Clone(f.rules), func(r map[string]any) bool { return r == nil }); len(left) != 1 {
		t.Errorf("%d rules are left", len(left))
	}
}

func TestABookKeepsTheSecretBefore(t *testing.T) {
	t.Parallel()
	b := connect.OpenBook(t.TempDir())
	s := connect.Source{Name: "shop", Platform: "shopify", URL: "https://x.myshopify.com", Currency: "GBP", Secrets: connect.Secrets{Current: "one"}}
	for i, secret := range []string{"one", "one", "two", "two"} {
		s.Secrets = connect.Secrets{Current: secret}
		fresh, err := b.Put(s)
		if err != nil || fresh != (i == 0) {
			t.Fatalf("%d: %t, %v", i, fresh, err)
		}
	}
	other := connect.OpenBook(strings.TrimSuffix(t.TempDir(), "/"))
	if _, err := other.Find("shop"); !fault.Is(err, fault.NotFound) {
		t.Errorf("in an empty book: %v", err)
	}
	if got, err := b.Find("shop"); err != nil || got.Secrets != (connect.Secrets{Current: "two", Previous: "one"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := b.Settle("shop"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Find("shop"); err != nil || got.Secrets.Previous != "" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, change := range map[string]func(*connect.Source){
		"another platform": func(s *connect.Source) { s.Platform = "woocommerce" },
		"a wrong name":     func(s *connect.Source) { s.Name = "My Shop" },
		"no secret":        func(s *connect.Source) { s.Secrets.Current = "" },
		"http":             func(s *connect.Source) { s.URL = "http://x.example" },
		"no currency":      func(s *connect.Source) { s.Currency = "pounds" },
		"another identity": func(s *connect.Source) { s.Identify = "both" },
	} {
		wrong := s
		change(&wrong)
		if _, err := b.Put(wrong); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	var raw json.RawMessage
	if err := connect.Decode([]byte("{"), &raw); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerThatNobodyWaitsForIsTriedAgainOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		status int
		want   int
	}{{"GET", 429, 8}, {"GET", 503, 8}, {"GET", 404, 1}, {"POST", 429, 8}, {"POST", 503, 1}, {"POST", 201, 1}} {
		calls := 0
		do := connect.Patient(func(r *http.Request) (*egress.Answer, error) { calls++; return answer(c.status, nil), nil }, func(context.Context, time.Duration) error { return nil })
		r, err := http.NewRequestWithContext(t.Context(), c.method, "https://shop.example", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if a, err := do(r); err != nil || a.Status != c.status || calls != c.want {
			t.Errorf("%s %d: %d calls, want %d, %v", c.method, c.status, calls, c.want, err)
		}
	}
}
