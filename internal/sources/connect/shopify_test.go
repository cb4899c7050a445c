package connect_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rapport/internal/egress"
	"rapport/internal/sources/shopify"
)

// fakeShopify answers as Shopify's Admin API does, and checks what it checks: the
// token, the version, what may stand beside page_info, and the leaky bucket.
type fakeShopify struct {
	t         testing.TB
	token     string
	products  []json.RawMessage
	customers []json.RawMessage
	orders    []json.RawMessage
	pageSize  int // at most; 0: as asked
	issued    map[string][2]int
	rules     []map[string]any
	codes     map[string]int // code → index of its rule
	hooks     []map[string]any
	bucket    int // calls until the next 429; 0: none
	calls     int
	limited   int
	down      bool
	forget    bool // no page_info is known any more
	afterCall func()
}

func newShopify(t testing.TB) *fakeShopify {
	return &fakeShopify{t: t, token: "token", issued: map[string][2]int{}, codes: map[string]int{}}
}

func (f *fakeShopify) do(r *http.Request) (*egress.Answer, error) {
	if f.down {
		return nil, io.ErrUnexpectedEOF
	}
	f.calls++
	if f.afterCall != nil {
		defer f.afterCall()
	}
	if f.bucket > 0 && f.calls%f.bucket == 0 {
		f.limited++
		return &egress.Answer{Status: 429, Header: http.Header{"Retry-After": {"2.0"}, "X-Shopify-Shop-Api-Call-Limit": {"40/40"}}, Body: []byte(`{"errors":"Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."}`)}, nil
	}
	if r.Header.Get("X-Shopify-Access-Token") != f.token {
		return answer(401, map[string]any{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}), nil
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/admin/api/"+shopify.Version+"/")
	if !ok || r.URL.Host != "jsmith.myshopify.com" || r.URL.Scheme != "https" {
		f.t.Errorf("a call to %s", r.URL)
		return answer(404, map[string]any{"errors": "Not Found"}), nil
	}
	var body map[string]map[string]any
	if r.Body != nil {
		if r.Header.Get("Content-Type") != "application/json" {
			return answer(415, nil), nil
		}
		d := json.NewDecoder(r.Body)
		if err := d.Decode(&body); err != nil {
			return answer(400, map[string]any{"errors": "bad json"}), nil
		}
	}
	switch parts := strings.Split(strings.TrimSuffix(path, ".json"), "/"); {
	case path == "shop.json":
		return answer(200, map[string]any{"shop": map[string]any{"currency": "USD"}}), nil
	case r.Method == http.MethodGet && len(parts) == 1 && parts[0] == "webhooks":
		return answer(200, map[string]any{"webhooks": f.hooks}), nil
	case r.Method == http.MethodPost && path == "webhooks.json":
		h := body["webhook"]
		if a, _ := h["address"].(string); !strings.HasPrefix(a, "https://") || h["format"] != "json" {
			return answer(422, map[string]any{"errors": map[string]any{"address": []string{"protocol http:// is not supported"}}}), nil
		}
		f.hooks = append(f.hooks, h)
		return answer(201, map[string]any{"webhook": h}), nil
	case r.Method == http.MethodGet && len(parts) == 1:
		return f.page(r, parts[0]), nil
	case r.Method == http.MethodGet && len(parts) == 2 && parts[0] == "orders":
		for _, o := range f.orders {
			if idOf(o) == parts[1] {
				return answer(200, map[string]any{"order": o}), nil
			}
		}
		return answer(404, map[string]any{"errors": "Not Found"}), nil
	default:
		return f.discount(r, parts, body), nil
	}
}

func idOf(doc json.RawMessage) string {
	var d struct {
		ID json.Number `json:"id"`
	}
	_ = json.Unmarshal(doc, &d) // fixtures
	return d.ID.String()
}

// page answers a list by its Link header.
func (f *fakeShopify) page(r *http.Request, resource string) *egress.Answer {
	all, ok := map[string][]json.RawMessage{"products": f.products, "customers": f.customers, "orders": f.orders}[resource]
	if !ok {
		return answer(404, map[string]any{"errors": "Not Found"})
	}
	q := r.URL.Query()
	from, limit := 0, 50
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > 0 && n <= 250 {
		limit = n
	} else if q.Has("limit") {
		return answer(400, map[string]any{"errors": map[string]any{"limit": "must be between 1 and 250"}})
	}
	if info := q.Get("page_info"); info != "" {
		for k := range q {
			if k != "page_info" && k != "limit" && k != "fields" {
				return answer(400, map[string]any{"errors": map[string]any{k: k + " cannot be passed with page_info"}})
			}
		}
		place, known := f.issued[info]
		if !known || f.forget {
			return answer(400, map[string]any{"errors": map[string]any{"page_info": "Invalid value."}})
		}
		from = place[0]
	} else if resource == "orders" && q.Get("status") != "any" {
		all = nil // only open ones, and the fixtures' are not
	}
	if f.pageSize > 0 {
		limit = min(limit, f.pageSize)
	}
	to := min(from+limit, len(all))
	a := answer(200, map[string]any{resource: slices.Clone(all[min(from, to):to])})
	if to < len(all) {
		info := fmt.Sprintf("%s%d", resource, to)
		f.issued[info] = [2]int{to}
		next := url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path, RawQuery: url.Values{"page_info": {info}, "limit": {strconv.Itoa(limit)}}.Encode()}
		a.Header.Set("Link", `<https://jsmith.myshopify.com/x?page_info=before>; rel="previous", <`+next.String()+`>; rel="next"`)
	}
	return a
}

// discount answers about price rules and codes.
func (f *fakeShopify) discount(r *http.Request, parts []string, body map[string]map[string]any) *egress.Answer {
	switch {
	case r.Method == http.MethodGet && parts[0] == "discount_codes" && parts[1] == "lookup":
		i, ok := f.codes[strings.ToUpper(r.URL.Query().Get("code"))]
		if !ok {
			return answer(404, map[string]any{"errors": "Not Found"})
		}
		a := answer(303, nil)
		a.Header.Set("Location", fmt.Sprintf("https://jsmith.myshopify.com/admin/price_rules/%d/discount_codes/%d", i+1, i+100))
		return a
	case r.Method == http.MethodPost && parts[0] == "price_rules" && len(parts) == 1:
		rule := body["price_rule"]
		for _, field := range []string{"title", "target_type", "target_selection", "allocation_method", "value_type", "value", "customer_selection", "starts_at"} {
			if v, _ := rule[field].(string); v == "" {
				return answer(422, map[string]any{"errors": map[string]any{field: []string{"can't be blank"}}})
			}
		}
		if v := rule["value"].(string); !strings.HasPrefix(v, "-") {
			return answer(422, map[string]any{"errors": map[string]any{"value": []string{"must be negative"}}})
		}
		f.rules = append(f.rules, rule)
		rule["id"] = len(f.rules)
		return answer(201, map[string]any{"price_rule": rule})
	case parts[0] == "price_rules" && len(parts) >= 2:
		n, err := strconv.Atoi(parts[1])
		if err != nil || n < 1 || n > len(f.rules) || f.rules[n-1] == nil {
			return answer(404, map[string]any{"errors": "Not Found"})
		}
		switch {
		case r.Method == http.MethodGet:
			return answer(200, map[string]any{"price_rule": f.rules[n-1]})
		case r.Method == http.MethodDelete:
			f.rules[n-1] = nil
			return answer(204, nil)
		}
		code := strings.ToUpper(body["discount_code"]["code"].(string))
		if _, taken := f.codes[code]; taken {
			return answer(422, map[string]any{"errors": map[string]any{"code": []string{"must be unique. Please try a different code."}}})
		}
		f.codes[code] = n - 1
		return answer(201, map[string]any{"discount_code": map[string]any{"id": n + 99, "price_rule_id": n, "code": body["discount_code"]["code"]}})
	}
	return answer(404, map[string]any{"errors": "Not Found"})
}

func answer(status int, body any) *egress.Answer {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &egress.Answer{Status: status, Header: http.Header{}, Body: b}
}
