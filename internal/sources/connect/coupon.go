package connect

import (
	"strings"

	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// maxCode is the longest code: what people type, and both platforms take.
const maxCode = 100

// Check says what is wrong with a coupon, before any shop hears of it.
func (c *Coupon) Check() error {
	bad := func(why string) error { return fault.New(fault.Invalid, why) }
	switch {
	case c.Code == "" || len(c.Code) > maxCode || strings.ContainsAny(c.Code, " \t\r\n"):
		return bad("a coupon needs a code of at most 100 characters without blanks")
	case c.Percent == 0 && c.Amount == 0, c.Percent != 0 && c.Amount != 0:
		return bad("a coupon gives either a percentage or an amount")
	case c.Percent < 0 || c.Percent > 100*money.One:
		return bad("a percentage lies between 0 and 100")
	case c.Amount < 0 || c.Least < 0 || c.Uses < 0:
		return bad("amounts and uses of a coupon are not below zero")
	case c.Ends != 0 && c.Ends <= c.Starts:
		return bad("a coupon ends after it starts")
	}
	return nil
}
