package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/egress"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

// Version is that of the Admin API whose documents we read.
const Version = "2026-07"

// pageSize is the most that Shopify gives at once.
const pageSize = 250

// api is a shop's Admin API. It implements [connect.API].
type api struct {
	src  *connect.Source
	base *url.URL
	do   connect.Doer
}

// API implements [connect.Platform].
func (Platform) API(s *connect.Source, do connect.Doer) (connect.API, error) {
	base, err := url.Parse(strings.TrimSuffix(s.URL, "/") + "/admin/api/" + Version + "/")
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the shop's address cannot be read")
	}
	if s.Token == "" {
		return nil, fault.New(fault.Invalid, s.Name+" has no access token: rapport connect shopify takes one by --token")
	}
	return &api{src: s, base: base, do: do}, nil
}

// call makes a call of the path below the API, and reads the answer into out.
func (a *api) call(ctx context.Context, method, path string, body, out any) (*egress.Answer, error) {
	u, err := a.base.Parse(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the address of a call cannot be read")
	}
	// A link or a redirect that leads elsewhere would carry the token there.
	if u.Host != a.base.Host || u.Scheme != a.base.Scheme || !strings.HasPrefix(u.Path, "/admin/api/") {
		return nil, fault.New(fault.Invalid, "the shop refers to an address that is not its own API")
	}
	var r *http.Request
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err // unreachable: maps of texts and numbers
		}
		r, err = http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
	} else if r, err = http.NewRequestWithContext(ctx, method, u.String(), nil); err != nil {
		return nil, err
	}
	r.Header.Set("X-Shopify-Access-Token", a.src.Token)
	r.Header.Set("Accept", "application/json")
	answer, err := a.do(r)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the shop cannot be reached")
	}
	if answer.Status/100 == 2 && out != nil {
		if err := connect.Decode(answer.Body, out); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// Order implements [connect.API].
func (a *api) Order(ctx context.Context, id string, heard event.Time) (h connect.Heard, err error) {
	if strings.Trim(id, "0123456789") != "" || id == "" {
		return h, fault.New(fault.Invalid, "order_id: a number is expected")
	}
	var out struct {
		Order order `json:"order"`
	}
	answer, err := a.call(ctx, http.MethodGet, "orders/"+id+".json", nil, &out)
	if err != nil {
		return h, err
	}
	if answer.Status != http.StatusOK {
		return h, connect.Trouble(answer, "asking for order "+id)
	}
	return tellOrder(&connect.Teller{Source: a.src, Heard: heard}, &out.Order, "")
}

// Resources implements [connect.API]: products first, so that the lines of orders
// find their categories.
func (*api) Resources() []string { return []string{"products", "customers", "orders"} }

// Page implements [connect.API]. A cursor is the address of the next page as
// Shopify's Link header has it.
func (a *api) Page(ctx context.Context, resource, cursor string, heard event.Time) (page connect.Page, err error) {
	if !slices.Contains(a.Resources(), resource) {
		return page, fault.New(fault.Invalid, "a shop on Shopify has no "+resource)
	}
	path := cursor
	if path == "" {
		q := url.Values{"limit": {strconv.Itoa(pageSize)}}
		if resource == "orders" {
			q.Set("status", "any") // open ones alone otherwise
		}
		path = resource + ".json?" + q.Encode()
	}
	var out map[string][]json.RawMessage
	answer, err := a.call(ctx, http.MethodGet, path, nil, &out)
	if err != nil {
		return page, err
	}
	switch {
	case answer.Status == http.StatusBadRequest && cursor != "":
		return page, fault.New(fault.Conflict, "the shop does not take the place in its pages any more")
	case answer.Status != http.StatusOK:
		return page, connect.Trouble(answer, "reading "+resource)
	}
	t := &connect.Teller{Source: a.src, Heard: heard}
	for _, raw := range out[resource] {
		h, err := readOne(t, resource, raw)
		if err != nil {
			return page, err
		}
		page.Products = append(page.Products, h.Products...)
	}
	page.Events, page.Items, page.Next = t.Events, len(out[resource]), next(answer.Header)
	return page, nil
}

// readOne reads one document of a page. One that cannot be read is left out, as a
// webhook of it would be put aside: what a shop has must not end its back-fill.
func readOne(t *connect.Teller, resource string, raw json.RawMessage) (h connect.Heard, err error) {
	before := len(t.Events)
	switch resource {
	case "orders":
		_, err = readOrder(t, "", raw)
	case "customers":
		_, err = readCustomer(t, "update", raw)
	case "products":
		h, err = readProduct(t, "update", raw)
	}
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		t.Events = t.Events[:before]
		return connect.Heard{}, nil
	}
	return h, err
}

var nextLink = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// next returns the address of the next page; empty if there is none.
func next(h http.Header) string {
	if m := nextLink.FindStringSubmatch(h.Get("Link")); m != nil {
		return m[1]
	}
	return ""
}

// Currency implements [connect.API].
func (a *api) Currency(ctx context.Context) (money.Currency, error) {
	var out struct {
		Shop struct {
			Currency text `json:"currency"`
		} `json:"shop"`
	}
	answer, err := a.call(ctx, http.MethodGet, "shop.json", nil, &out)
	if err != nil {
		return "", err
	}
	if answer.Status != http.StatusOK {
		return "", connect.Trouble(answer, "asking for the shop's currency")
	}
	return money.ParseCurrency(out.Shop.Currency.String())
}

// Subscribe implements [connect.API]. Shopify signs with the app's own secret.
func (a *api) Subscribe(ctx context.Context, address, _ string) (made int, err error) {
	var have struct {
		Webhooks []struct {
			Address text `json:"address"`
			Topic   text `json:"topic"`
		} `json:"webhooks"`
	}
	answer, err := a.call(ctx, http.MethodGet, "webhooks.json?limit="+strconv.Itoa(pageSize), nil, &have)
	if err != nil {
		return 0, err
	}
	if answer.Status != http.StatusOK {
		return 0, connect.Trouble(answer, "asking for the webhooks that are there")
	}
	there := map[string]bool{}
	for _, w := range have.Webhooks {
		if w.Address.String() == address {
			there[w.Topic.String()] = true
		}
	}
	for _, topic := range Topics {
		if there[topic] {
			continue
		}
		hook := map[string]any{"webhook": map[string]string{"topic": topic, "address": address, "format": "json"}}
		answer, err := a.call(ctx, http.MethodPost, "webhooks.json", hook, nil)
		if err != nil {
			return made, err
		}
		if answer.Status != http.StatusCreated {
			return made, connect.Trouble(answer, "asking for "+topic)
		}
		made++
	}
	return made, nil
}

// Coupon implements [connect.API]. At Shopify a coupon is a price rule and a code
// of it. A rule that is left without a code by a crash gives nothing to anybody.
func (a *api) Coupon(ctx context.Context, c connect.Coupon) (connect.Issued, error) {
	if err := c.Check(); err != nil {
		return connect.Issued{}, err
	}
	if found, ok, err := a.coupon(ctx, c); ok || err != nil {
		return found, err
	}
	var made struct {
		Rule struct {
			ID text `json:"id"`
		} `json:"price_rule"`
	}
	answer, err := a.call(ctx, http.MethodPost, "price_rules.json", map[string]any{"price_rule": ruleOf(c)}, &made)
	if err != nil {
		return connect.Issued{}, err
	}
	if answer.Status != http.StatusCreated {
		return connect.Issued{}, connect.Trouble(answer, "making the rule of coupon "+c.Code)
	}
	var out struct {
		Code struct {
			ID   text `json:"id"`
			Code text `json:"code"`
		} `json:"discount_code"`
	}
	answer, err = a.call(ctx, http.MethodPost, "price_rules/"+made.Rule.ID.String()+"/discount_codes.json", map[string]any{"discount_code": map[string]string{"code": c.Code}}, &out)
	if err != nil {
		return connect.Issued{}, err
	}
	switch answer.Status {
	case http.StatusCreated:
		return connect.Issued{Code: out.Code.Code.String(), ID: out.Code.ID.String(), Fresh: true}, nil
	case http.StatusUnprocessableEntity:
		// Somebody made it meanwhile. The rule that is not needed goes.
		if _, err := a.call(ctx, http.MethodDelete, "price_rules/"+made.Rule.ID.String()+".json", nil, nil); err != nil {
			return connect.Issued{}, err
		}
		if found, ok, err := a.coupon(ctx, c); ok || err != nil {
			return found, err
		}
	}
	return connect.Issued{}, connect.Trouble(answer, "making coupon "+c.Code)
}

// rule is what a price rule says.
type rule struct {
	Type  text `json:"value_type"`
	Value text `json:"value"`
	Once  bool `json:"once_per_customer"`
	Limit text `json:"usage_limit"`
	Ends  text `json:"ends_at"`
	Least *struct {
		Amount text `json:"greater_than_or_equal_to"`
	} `json:"prerequisite_subtotal_range"`
}

func ruleOf(c connect.Coupon) map[string]any {
	kind, value := "percentage", c.Percent
	if c.Percent == 0 {
		kind, value = "fixed_amount", c.Amount
	}
	r := map[string]any{
		"title": c.Code, "target_type": "line_item", "target_selection": "all", "allocation_method": "across", "customer_selection": "all",
		"value_type": kind, "value": (-value).String(), "once_per_customer": c.Once, "starts_at": c.Starts.Time().Format(time.RFC3339),
	}
	if c.Ends != 0 {
		r["ends_at"] = c.Ends.Time().Format(time.RFC3339)
	}
	if c.Uses > 0 {
		r["usage_limit"] = c.Uses
	}
	if c.Least > 0 {
		r["prerequisite_subtotal_range"] = map[string]string{"greater_than_or_equal_to": c.Least.String()}
	}
	return r
}

// coupon looks for a code. Shopify answers with where it is.
func (a *api) coupon(ctx context.Context, c connect.Coupon) (found connect.Issued, ok bool, err error) {
	answer, err := a.call(ctx, http.MethodGet, "discount_codes/lookup.json?code="+url.QueryEscape(c.Code), nil, nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return found, false, err
	}
	where, perr := url.Parse(answer.Header.Get("Location"))
	parts := []string{}
	if perr == nil {
		parts = strings.Split(strings.TrimSuffix(where.Path, ".json"), "/")
	}
	at := slices.Index(parts, "price_rules")
	if answer.Status != http.StatusSeeOther || at < 0 || len(parts) < at+4 {
		return found, false, connect.Trouble(answer, "looking for coupon "+c.Code)
	}
	var out struct {
		Rule rule `json:"price_rule"`
	}
	answer, err = a.call(ctx, http.MethodGet, "price_rules/"+url.PathEscape(parts[at+1])+".json", nil, &out)
	if err != nil {
		return found, false, err
	}
	if answer.Status != http.StatusOK {
		return found, false, connect.Trouble(answer, "looking at the rule of coupon "+c.Code)
	}
	if !out.Rule.gives(c) {
		return found, false, fault.New(fault.Conflict, "the shop has a coupon "+c.Code+" that gives something else")
	}
	return connect.Issued{Code: c.Code, ID: parts[at+3]}, true, nil
}

// gives reports whether the rule gives what the coupon is to give.
func (r *rule) gives(c connect.Coupon) bool {
	want := ruleOf(c)
	value, err := r.Value.Money("value")
	if err != nil || want["value"] != value.String() || want["value_type"] != r.Type.String() || r.Once != c.Once {
		return false
	}
	limit := ""
	if c.Uses > 0 {
		limit = strconv.Itoa(c.Uses)
	}
	ends, err := r.Ends.Time("ends_at")
	if err != nil || r.Limit.String() != limit || ends/1000 != c.Ends/1000 {
		return false
	}
	least := money.Micros(0)
	if r.Least != nil {
		if least, err = r.Least.Amount.Money("greater_than_or_equal_to"); err != nil {
			return false
		}
	}
	return least == c.Least
}
