package api_test

import (
	"strings"
	"testing"

	"rapport/internal/core/event"
)

const twoStores = `- {store: soho, name: Soho, lat: 51.513, lon: -0.131, zone: Europe/London, hours: {daily: "09:00-18:00"}, staff: [Eve], fence: 300m}
- {store: kew, city: Kew, lat: 51.48, lon: -0.29, zone: Europe/London, hours: {daily: "20:00-22:00"}, stock: "2"}
`

func TestTheNearestOpenStoreWithStock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d bundle
	w.get("/definitions", &d)
	if code := w.ask(w.secret, "PUT", "/definitions", d.with("stores/all.yaml", twoStores), nil, "If-Match", "*"); code != 200 {
		t.Fatalf("definitions with stores = %d", code)
	}
	w.settle()
	nearest := func(query string) string {
		t.Helper()
		var r struct {
			Data []struct {
				ID     string
				Open   *bool
				Metres float64
				Stock  *int64
				Today  string `json:"hours_today"`
			}
		}
		w.get("/stores/nearest?lat=51.51&lon=-0.13"+query, &r)
		var list []string
		for _, s := range r.Data {
			list = append(list, s.ID)
			if s.Open == nil || s.Metres <= 0 || s.Today == "" {
				t.Errorf("%s: %+v", query, s)
			}
		}
		return strings.Join(list, " ")
	}
	for query, want := range map[string]string{ // it is noon
		"": "soho kew", "&open=true": "soho", "&open=true&at=2026-11-10T21:00:00Z": "kew", "&within=1": "soho", "&limit=1": "soho", "&sku=LAMP": "",
	} {
		if got := nearest(query); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	w.hear("ada", "Product Viewed", nil)
	if code := w.ask(w.secret, "GET", "/stores/nearest?customer="+w.idOf("ada"), nil, nil); code != 404 {
		t.Errorf("nearest to somebody of whom no place is known = %d, want 404", code)
	}
	stock := []map[string]any{{"sku": "LAMP", "store": "2", "pieces": 4}, {"sku": "LAMP", "store": "soho", "pieces": 0}, {"sku": "BOOTS", "pieces": 1}}
	var a struct{ Taken, Unknown int }
	if code := w.ask(w.secret, "POST", "/products/stock", map[string]any{"stock": stock}, &a); code != 200 || a.Taken != 2 || a.Unknown != 1 {
		t.Fatalf("stock = %d %+v", code, a)
	}
	var told struct {
		Strange []string `json:"unknown_stores"`
	}
	stock = []map[string]any{{"sku": "LAMP", "store": "sohoo", "pieces": 4}, {"sku": "LAMP", "store": "sohoo", "pieces": 5}, {"sku": "LAMP", "store": "2", "pieces": 4}, {"sku": "LAMP", "pieces": 9}}
	if code := w.ask(w.secret, "POST", "/products/stock", map[string]any{"stock": stock}, &told); code != 200 || len(told.Strange) != 1 || told.Strange[0] != "sohoo" {
		t.Errorf("a store that is none = %d %+v", code, told)
	}
	if got := nearest("&sku=LAMP"); got != "kew" {
		t.Errorf("the lamp is at %q", got)
	}
	var one struct{ Staff []string }
	if w.get("/stores/soho", &one); len(one.Staff) != 1 {
		t.Errorf("soho is %+v", one)
	}
	for path, want := range map[string]int{
		"/stores/nowhere": 404, "/stores/nearest?lat=0&lon=0": 400, "/stores/nearest?lat=91&lon=0": 400, "/stores/nearest?lat=51&lon=0&sku=NONE": 404, "/stores/nearest?lat=51&lon=0&at=noon": 400,
	} {
		if code := w.ask(w.secret, "GET", path, nil, nil); code != want {
			t.Errorf("%s = %d, want %d", path, code, want)
		}
	}
	var fences struct {
		Data []struct{ Name, Store string }
	}
	if w.get("/fences?lat=51.513&lon=-0.131", &fences); len(fences.Data) != 1 || fences.Data[0].Store != "soho" {
		t.Errorf("around soho: %+v", fences)
	}
}

func TestProductsGoInByTheAPIAndTheirChangesAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(price string) (a struct {
		Taken, Changes int
		Refused        []struct {
			Index  int
			Reason string
		}
	},
	) {
		t.Helper()
		code := w.ask(w.secret, "PUT", "/products", map[string]any{"products": []map[string]any{
			{"id": "b1", "title": "Boots", "sku": "BOOTS", "price": price, "stock": 20}, {"id": "", "title": "Nothing"},
		}}, &a)
		if code != 200 {
			t.Fatalf("PUT /products = %d", code)
		}
		return a
	}
	if a := put("80"); a.Taken != 1 || a.Changes != 0 || len(a.Refused) != 1 || a.Refused[0].Index != 1 {
		t.Errorf("the first time: %+v", a)
	}
	if a := put("60"); a.Changes != 1 {
		t.Errorf("cheaper: %+v", a)
	}
	prices := func(price map[string]any) (code int, a struct{ Taken, Stale, Changes int }) {
		return w.ask(w.secret, "POST", "/products/prices", map[string]any{"prices": []map[string]any{price}}, &a), a
	}
	if code, a := prices(map[string]any{"sku": "BOOTS", "price": 60, "sale_price": "49.90", "sale_to": "2030-01-01T00:00:00Z"}); code != 200 || a.Changes != 1 {
		t.Errorf("a sale = %d %+v", code, a)
	}
	if code, a := prices(map[string]any{"sku": "BOOTS", "price": 1, "at": "2001-01-01T00:00:00Z"}); code != 200 || a.Stale != 1 {
		t.Errorf("an old price = %d %+v", code, a)
	}
	if code, _ := prices(map[string]any{"sku": "BOOTS", "price": -1}); code != 400 {
		t.Errorf("a price below zero = %d", code)
	}
	var p struct{ Price string }
	if w.get("/products/BOOTS", &p); p.Price != "49.90 GBP" {
		t.Errorf("boots cost %q", p.Price)
	}
	if code := w.ask(w.secret, "POST", "/products/stock", map[string]any{"stock": []map[string]any{{"sku": "BOOTS", "pieces": 2}}}, nil); code != 200 {
		t.Errorf("stock = %d", code)
	}
}

func TestReceiptsAreTakenOnceAndTheirSumIsExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	batch := map[string]any{"receipts": []map[string]any{
		{"id": "1", "at": "2026-11-09T10:00:00Z", "store": "soho", "loyalty_id": "L1", "email": "ada@people.example", "currency": "GBP", "lines": []map[string]any{{"sku": "LAMP", "price": 19.9, "quantity": 2}}},
		{"id": "2", "at": "2026-11-09T09:00:00Z", "loyalty_id": "L1", "currency": "GBP", "total": "5.10", "coupons": []string{"SPRING"}},
		{"id": "3", "at": "2026-11-09T09:00:00Z", "total": 5},
		{"id": "4", "at": "yesterday", "loyalty_id": "L1", "total": 5},
		{"id": "5", "kind": "return", "order_id": "1", "at": "2026-11-10T09:00:00Z", "loyalty_id": "L1", "currency": "GBP", "lines": []map[string]any{{"sku": "LAMP", "price": 19.9}}},
	}}
	for range 2 {
		var a struct {
			Taken, Nobody int
			Refused       []struct{ ID string }
		}
		if code := w.ask(w.secret, "POST", "/receipts", batch, &a); code != 200 || a.Taken != 3 || a.Nobody != 1 || len(a.Refused) != 1 || a.Refused[0].ID != "4" {
			t.Fatalf("receipts = %d %+v", code, a)
		}
		w.settle()
	}
	// Corrected under the same number, it is refused, and nothing is counted twice.
	var wrong struct {
		Taken   int
		Refused []struct {
			Index      int
			ID, Reason string
		}
	}
	again := map[string]any{"receipts": []map[string]any{
		{"id": "2", "at": "2026-11-09T09:00:00Z", "loyalty_id": "L1", "currency": "GBP", "total": "5.20", "coupons": []string{"SPRING"}},
		{"id": "6", "at": "2026-11-09T09:00:00Z", "loyalty_id": "L9", "currency": "GBP", "total": "1"},
		{"id": "6", "at": "2026-11-09T09:00:00Z", "loyalty_id": "L9", "currency": "GBP", "total": "2"},
		{"id": "6", "at": "2026-11-09T09:00:00Z", "loyalty_id": "L9", "currency": "GBP", "total": "1"},
		{"id": "7", "at": "2036-11-09T09:00:00Z", "loyalty_id": "L9", "currency": "GBP", "total": "1"},
	}}
	if code := w.ask(w.secret, "POST", "/receipts", again, &wrong); code != 200 || wrong.Taken != 2 || len(wrong.Refused) != 3 || wrong.Refused[0].ID != "2" ||
		!strings.Contains(wrong.Refused[0].Reason, "another content") || wrong.Refused[1].Index != 2 || !strings.Contains(wrong.Refused[2].Reason, "yet to come") {
		t.Errorf("corrected receipts = %d %+v", code, wrong)
	}
	w.settle()
	p, err := w.node.Lookup(t.Context(), "ada@people.example")
	w.must(err)
	if len(p.Orders) != 3 || p.Spent("GBP", "GBP").String() != "25.00" || p.Orders[0].ID != "2" || p.Orders[1].Where != "till" {
		t.Errorf("the orders are %+v, spent %s", p.Orders, p.Spent("GBP", "GBP"))
	}
	if len(p.Visits) != 1 || p.Visits[0].Entered != event.Time(1_794_218_400_000) {
		t.Errorf("the visits are %+v", p.Visits)
	}
}
