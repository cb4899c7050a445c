package woocommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/egress"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

// pageSize is the most that WooCommerce gives at once.
const pageSize = 100

// maxPages bounds the variations and refunds that are read of one product or
// order: ten thousand.
const maxPages = 100

// api is a shop's REST API. It implements [connect.API].
type api struct {
	src  *connect.Source
	base string
	do   connect.Doer
}

// API implements [connect.Platform].
func (Platform) API(s *connect.Source, do connect.Doer) (connect.API, error) {
	if s.ID == "" || s.Token == "" {
		return nil, fault.New(fault.Invalid, s.Name+" has no keys of its API: rapport connect woocommerce takes them by --key and --key-secret")
	}
	return &api{src: s, base: strings.TrimSuffix(s.URL, "/") + "/wp-json/wc/v3/", do: do}, nil
}

func (a *api) call(ctx context.Context, method, path string, body, out any) (*egress.Answer, error) {
	var r *http.Request
	var err error
	if body != nil {
		b, merr := json.Marshal(body)
		if merr != nil {
			return nil, merr // unreachable: maps of texts and numbers
		}
		r, err = http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(b))
	} else {
		r, err = http.NewRequestWithContext(ctx, method, a.base+path, nil)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the address of a call cannot be read")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.SetBasicAuth(a.src.ID, a.src.Token)
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

// all reads a list that belongs to one product or order.
func all[T any](ctx context.Context, a *api, path string) (list []T, err error) {
	for page := 1; page <= maxPages; page++ {
		var some []T
		answer, err := a.call(ctx, http.MethodGet, path+"?per_page="+strconv.Itoa(pageSize)+"&page="+strconv.Itoa(page), nil, &some)
		if err != nil {
			return nil, err
		}
		if answer.Status != http.StatusOK {
			return nil, connect.Trouble(answer, "reading "+path)
		}
		list = append(list, some...)
		if total, err := strconv.Atoi(answer.Header.Get("X-WP-TotalPages")); err != nil || page >= total {
			break
		}
	}
	return list, nil
}

func number(id string) bool { return id != "" && strings.Trim(id, "0123456789") == "" }

// Order implements [connect.API].
func (a *api) Order(ctx context.Context, id string, heard event.Time) (h connect.Heard, err error) {
	if !number(id) {
		return h, fault.New(fault.Invalid, "id: a number is expected")
	}
	var o order
	answer, err := a.call(ctx, http.MethodGet, "orders/"+id, nil, &o)
	if err != nil {
		return h, err
	}
	if answer.Status != http.StatusOK {
		return h, connect.Trouble(answer, "asking for order "+id)
	}
	return a.tell(ctx, &connect.Teller{Source: a.src, Heard: heard}, &o)
}

// tell tells an order, and asks for its refunds if it has some.
func (a *api) tell(ctx context.Context, t *connect.Teller, o *order) (h connect.Heard, err error) {
	if err := o.check(); err != nil {
		return h, err
	}
	var refunds []refund
	if len(o.Refunds) > 0 {
		if refunds, err = all[refund](ctx, a, "orders/"+o.ID.String()+"/refunds"); err != nil {
			return h, err
		}
		slices.SortFunc(refunds, func(x, y refund) int {
			return strings.Compare(x.Created.String()+x.ID.String(), y.Created.String()+y.ID.String())
		})
	}
	return o.tell(t, refunds)
}

// Resources implements [connect.API]: products first, so that the lines of orders
// find their categories.
func (*api) Resources() []string { return []string{"products", "customers", "orders"} }

// Page implements [connect.API]. A cursor is the number of a page. Pages are in
// order of id, so what is new comes behind them; if something before is deleted
// they move up, which is why a back-fill that goes on begins a page earlier.
func (a *api) Page(ctx context.Context, resource, cursor string, heard event.Time) (page connect.Page, err error) {
	if !slices.Contains(a.Resources(), resource) {
		return page, fault.New(fault.Invalid, "a shop on WooCommerce has no "+resource)
	}
	n := 1
	if cursor != "" {
		if n, err = strconv.Atoi(cursor); err != nil || n < 1 {
			return page, fault.New(fault.Conflict, "the place in the pages is not one")
		}
	}
	q := url.Values{"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(n)}, "orderby": {"id"}, "order": {"asc"}}
	if resource == "customers" {
		q.Set("role", "all") // who buys as an administrator or under a plug-in's role too
	}
	var list []json.RawMessage
	answer, err := a.call(ctx, http.MethodGet, resource+"?"+q.Encode(), nil, &list)
	if err != nil {
		return page, err
	}
	if answer.Status != http.StatusOK {
		return page, connect.Trouble(answer, "reading "+resource)
	}
	t := &connect.Teller{Source: a.src, Heard: heard}
	for _, raw := range list {
		before := len(t.Events)
		h, err := a.one(ctx, t, resource, raw)
		if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
			t.Events = t.Events[:before]
			continue // one document must not end the back-fill
		}
		if err != nil {
			return page, err
		}
		page.Products = append(page.Products, h.Products...)
	}
	page.Events, page.Items = t.Events, len(list)
	page.Total, _ = strconv.ParseInt(answer.Header.Get("X-WP-Total"), 10, 64) // zero: not told
	if pages, err := strconv.Atoi(answer.Header.Get("X-WP-TotalPages")); err == nil && n < pages {
		page.Next = strconv.Itoa(n + 1)
	}
	return page, nil
}

func (a *api) one(ctx context.Context, t *connect.Teller, resource string, raw json.RawMessage) (h connect.Heard, err error) {
	switch resource {
	case "orders":
		var o order
		if err := connect.Decode(raw, &o); err != nil {
			return h, err
		}
		_, err = a.tell(ctx, t, &o)
		return h, err
	case "customers":
		_, err = readCustomer(t, "updated", raw)
		return h, err
	}
	var g goods
	if err := connect.Decode(raw, &g); err != nil {
		return h, err
	}
	var variations []variation
	if g.Type == "variable" && number(g.ID.String()) {
		if variations, err = all[variation](ctx, a, "products/"+g.ID.String()+"/variations"); err != nil {
			return h, err
		}
	}
	u, err := g.told(t, variations)
	if err != nil {
		return h, err
	}
	h.Products = append(h.Products, u)
	return h, nil
}

// Currency implements [connect.API].
func (a *api) Currency(ctx context.Context) (money.Currency, error) {
	var out struct {
		Code text `json:"code"`
	}
	answer, err := a.call(ctx, http.MethodGet, "data/currencies/current", nil, &out)
	if err != nil {
		return "", err
	}
	if answer.Status != http.StatusOK {
		return "", connect.Trouble(answer, "asking for the shop's currency")
	}
	return money.ParseCurrency(out.Code.String())
}

// Subscribe implements [connect.API].
func (a *api) Subscribe(ctx context.Context, address, secret string) (made int, err error) {
	type hook struct {
		Topic   text `json:"topic"`
		Address text `json:"delivery_url"`
		ID      text `json:"id"`
	}
	have, err := all[hook](ctx, a, "webhooks")
	if err != nil {
		return 0, err
	}
	there := map[string]string{}
	for _, w := range have {
		if w.Address.String() == address {
			there[w.Topic.String()] = w.ID.String()
		}
	}
	for _, topic := range Topics {
		body := map[string]string{"name": "Rapport " + topic, "topic": topic, "delivery_url": address, "secret": secret, "status": "active"}
		path, method, want := "webhooks", http.MethodPost, http.StatusCreated
		if id, ok := there[topic]; ok {
			// It is there, maybe with another secret, or switched off after failures.
			path, method, want = "webhooks/"+id, http.MethodPut, http.StatusOK
		}
		answer, err := a.call(ctx, method, path, body, nil)
		if err != nil {
			return made, err
		}
		if answer.Status != want {
			return made, connect.Trouble(answer, "asking for "+topic)
		}
		if method == http.MethodPost {
			made++
		}
	}
	return made, nil
}
