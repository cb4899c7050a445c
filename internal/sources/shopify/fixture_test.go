package shopify_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/sources/connect"
	"rapport/internal/sources/shopify"
)

// heard is when everything is heard: after all that the documents tell of.
var heard = event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

func source() *connect.Source {
	return &connect.Source{Name: "shop", Platform: "shopify", URL: "https://jsmith.myshopify.com", Currency: "USD", Secrets: connect.Secrets{Current: "s"}}
}

// documents returns every document of a file, however it is wrapped.
func documents(t testing.TB, file string) (list []json.RawMessage) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../connect/testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var open func(raw json.RawMessage, depth int)
	open = func(raw json.RawMessage, depth int) {
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) == nil {
			for _, item := range items {
				open(item, depth)
			}
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			t.Fatal(err)
		}
		if inner, ok := wrapped(fields); ok && depth == 0 {
			open(inner, 1)
			return
		}
		list = append(list, raw)
	}
	open(body, 0)
	return list
}

// wrapped returns what a REST answer wraps: {"order": {…}}, {"orders": […]}.
func wrapped(fields map[string]json.RawMessage) (json.RawMessage, bool) {
	for _, name := range []string{"order", "orders", "customer", "customers", "product", "products", "refund", "refunds", "checkout", "checkouts", "carts", "fulfillment", "fulfillments", "inventory_level", "inventory_levels", "transactions", "transaction", "fulfillment_event", "fulfillment_events"} {
		if raw, ok := fields[name]; ok && len(fields) <= 2 {
			return raw, true
		}
	}
	return nil, false
}

func read(t testing.TB, topic string, body []byte) connect.Heard {
	t.Helper()
	h, err := shopify.Platform{}.Read(source(), topic, body, heard)
	if err != nil {
		t.Fatalf("%s: %v\n%s", topic, err, body)
	}
	return h
}

// says names what was heard, in short.
func says(h connect.Heard) string {
	var names []string
	for i := range h.Events {
		name := h.Events[i].Name
		if name == "" {
			name = h.Events[i].Type.String()
		}
		names = append(names, name)
	}
	for _, u := range h.Products {
		names = append(names, [...]string{"put", "remove", "count"}[u.Kind])
	}
	if h.Order != "" {
		names = append(names, "ask for order "+h.Order)
	}
	if h.Ignored != "" {
		names = append(names, "nothing: "+h.Ignored)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
