package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallShop is a shop on Shopify with one order, on this machine.
func smallShop(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Shopify-Access-Token") != "shpat_1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		body, ok := map[string]string{
			"shop.json":      `{"shop":{"currency":"EUR"}}`,
			"products.json":  `{"products":[{"id":7,"title":"Lamp","product_type":"Lighting","status":"active","updated_at":"2025-01-01T00:00:00Z","variants":[{"id":71,"sku":"LAMP","price":"20.00"}]}]}`,
			"customers.json": `{"customers":[{"id":9007199254740993,"email":"ada@shop.example","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}]}`,
			"orders.json":    `{"orders":[{"id":1,"name":"#1","created_at":"2025-01-02T00:00:00Z","currency":"EUR","subtotal_price":"40.00","total_price":"40.00","customer":{"id":9007199254740993},"line_items":[{"product_id":7,"variant_id":71,"sku":"LAMP","price":"20.00","quantity":2}]}]}`,
		}[name]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAShopIsConnectedAndItsPastIsRead(t *testing.T) {
	t.Parallel()
	shop, data := smallShop(t), filepath.Join(t.TempDir(), "data")
	connect := func(args ...string) (int, string, string) {
		return rapport(t, append([]string{"connect", "shopify", "shop", "--data", data, "--shop", shop.URL}, args...)...)
	}
	if code, _, errs := connect("--secret", "one", "--token", "wrong"); code != exitFailed || !strings.Contains(errs, "401") {
		t.Errorf("a wrong token: exit %d: %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(data, "sources.json")); err == nil {
		t.Error("a shop that refuses us is kept")
	}
	for i, secret := range []string{"one", "two"} {
		code, out, errs := connect("--secret", secret, "--token", "shpat_1", "--json")
		if code != exitDone || !strings.Contains(out, `"currency":"EUR","hooks":"/hooks/shopify/shop","api":true,"rotating":`+fmt.Sprint(i == 1)) || strings.Contains(out+errs, "shpat_1") {
			t.Errorf("exit %d: %s %s", code, out, errs)
		}
	}
	if code, out, _ := rapport(t, "connect", "list", "--data", data); code != exitDone || !strings.Contains(out, "rotating true") || strings.Contains(out, "two") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errs := rapport(t, "connect", "settle", "shop", "--data", data); code != exitDone {
		t.Errorf("exit %d: %s", code, errs)
	}
	for range 2 { // and a second time changes nothing
		code, out, errs := rapport(t, "backfill", "shop", "--data", data, "--json")
		if code != exitDone || !strings.Contains(out, `"items":{"customers":1,"orders":1,"products":1}`) || !strings.Contains(out, `"done":true`) {
			t.Fatalf("exit %d: %s %s", code, out, errs)
		}
	}
	code, out, errs := rapport(t, "dump", "profiles", "--data", data)
	if code != exitDone || !strings.Contains(out, `"orders":1`) || !strings.Contains(out, `"EUR":"40.00"`) || !strings.Contains(out, "ada@shop.example") {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	if code, _, errs := rapport(t, "backfill", "other", "--data", data); code != exitFailed || !strings.Contains(errs, "no shop is connected") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestAShopThatIsNotAskedNeedsItsCurrency(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	woo := []string{"connect", "woocommerce", "shop", "--data", data, "--url", "https://shop.example", "--no-api"}
	if code, _, errs := rapport(t, woo...); code != exitMisuse || !strings.Contains(errs, "--currency") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, out, errs := rapport(t, append(woo, "--currency", "gbp")...); code != exitDone || !strings.Contains(out, "/hooks/woocommerce/shop") || !strings.Contains(out, "GBP") {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	if code, _, errs := rapport(t, "backfill", "shop", "--data", data); code != exitFailed || !strings.Contains(errs, "--key") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestProductsAreImportedAndTheirChangesTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, data := filepath.Join(dir, "feed.tsv"), filepath.Join(dir, "data")
	run := func(text string, args ...string) (int, string, string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return rapport(t, append([]string{"import", "products", file, "--json"}, args...)...)
	}
	const head = "id\ttitle\tprice\tavailability\n"
	if code, out, _ := run(head+"1\tLamp\t20 GBP\tin_stock\n", "--dry-run"); code != exitDone || !strings.Contains(out, `"products":1`) || !strings.Contains(out, `"taken":0`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a dry run wrote something")
	}
	if code, _, errs := run(head); code != exitMisuse || !strings.Contains(errs, "--data") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, out, errs := run(head+"1\tLamp\t20 GBP\tin_stock\n2\tShade\t5 GBP\tin_stock\n", "--data", data); code != exitDone || !strings.Contains(out, `"taken":2`) {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	code, out, errs := run(head+"1\tLamp\t18 GBP\tin_stock\n3\tBulb\t\tin_stock\n", "--data", data, "--complete")
	if code != exitFailed || !strings.Contains(out, `"changes":1`) || !strings.Contains(out, `"gone":1`) || !strings.Contains(out, `line 3: \"3\": it has no price`) || !strings.Contains(errs, "1 of 2 products were left out") {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	if report, err := os.ReadFile(file + ".errors.csv"); err != nil || string(report) != "line,id,reason\n3,3,it has no price\n" {
		t.Errorf("the report is %q, %v", report, err)
	}
	if code, _, errs := run(head, "--data", data, "--complete"); code != exitFailed || !strings.Contains(errs, "nothing is taken out") {
		t.Errorf("an empty feed: exit %d: %s", code, errs)
	}
}
