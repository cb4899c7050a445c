package woocommerce

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type coupon struct {
	ID      text `json:"id"`
	Code    text `json:"code"`
	Amount  text `json:"amount"`
	Type    text `json:"discount_type"`
	Expires text `json:"date_expires_gmt"`
	Least   text `json:"minimum_amount"`
	Limit   text `json:"usage_limit"`
	Each    text `json:"usage_limit_per_user"`
}

// Coupon implements [connect.API]. WooCommerce keeps codes in small letters and
// takes them in any.
func (a *api) Coupon(ctx context.Context, c connect.Coupon) (connect.Issued, error) {
	if err := c.Check(); err != nil {
		return connect.Issued{}, err
	}
	if found, ok, err := a.coupon(ctx, c); ok || err != nil {
		return found, err
	}
	kind, amount := "percent", c.Percent
	if c.Percent == 0 {
		kind, amount = "fixed_cart", c.Amount
	}
	body := map[string]any{"code": c.Code, "discount_type": kind, "amount": amount.String(), "individual_use": true}
	if c.Ends != 0 {
		body["date_expires_gmt"] = c.Ends.Time().Format("2006-01-02T15:04:05")
	}
	if c.Least > 0 {
		body["minimum_amount"] = c.Least.String()
	}
	if c.Uses > 0 {
		body["usage_limit"] = c.Uses
	}
	if c.Once {
		body["usage_limit_per_user"] = 1
	}
	var made coupon
	answer, err := a.call(ctx, http.MethodPost, "coupons", body, &made)
	if err != nil {
		return connect.Issued{}, err
	}
	switch answer.Status {
	case http.StatusCreated:
		return connect.Issued{Code: c.Code, ID: made.ID.String(), Fresh: true}, nil
	case http.StatusBadRequest: // somebody made it meanwhile, or it is refused
		if found, ok, err := a.coupon(ctx, c); ok || err != nil {
			return found, err
		}
	}
	return connect.Issued{}, connect.Trouble(answer, "making coupon "+c.Code)
}

func (a *api) coupon(ctx context.Context, c connect.Coupon) (connect.Issued, bool, error) {
	var list []coupon
	answer, err := a.call(ctx, http.MethodGet, "coupons?code="+url.QueryEscape(strings.ToLower(c.Code)), nil, &list)
	if err != nil {
		return connect.Issued{}, false, err
	}
	if answer.Status != http.StatusOK {
		return connect.Issued{}, false, connect.Trouble(answer, "looking for coupon "+c.Code)
	}
	for i := range list {
		if !strings.EqualFold(list[i].Code.String(), c.Code) {
			continue
		}
		if !list[i].gives(c) {
			return connect.Issued{}, false, fault.New(fault.Conflict, "the shop has a coupon "+c.Code+" that gives something else")
		}
		return connect.Issued{Code: c.Code, ID: list[i].ID.String()}, true, nil
	}
	return connect.Issued{}, false, nil
}

// gives reports whether the coupon gives what it is to give.
func (k *coupon) gives(c connect.Coupon) bool {
	kind, amount := "percent", c.Percent
	if c.Percent == 0 {
		kind, amount = "fixed_cart", c.Amount
	}
	var s connect.Sums
	has, least := s.Of(k.Amount, "amount"), s.Of(k.Least, "minimum_amount")
	ends, err := k.Expires.Time("date_expires_gmt")
	uses, each := "", ""
	if c.Uses > 0 {
		uses = strconv.Itoa(c.Uses)
	}
	if c.Once {
		each = "1"
	}
	none := func(t text) string {
		if t == "0" {
			return ""
		}
		return t.String()
	}
	return s.Err() == nil && err == nil && k.Type.String() == kind && has == amount && least == max(c.Least, money.Micros(0)) && ends/1000 == c.Ends/1000 && none(k.Limit) == uses && none(k.Each) == each
}
