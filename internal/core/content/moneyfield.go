package content

import (
	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// plainDigits is how long a number may be for showMoney to read it as it stands: so
// many digits are the same whether they went through a float or not.
const plainDigits = 15

// showMoney shows a number of an event's object as money in a currency that
// [Env.Shared] names, such as the shop's, without making values of them: the price
// of each product of a message. It reports false, having done nothing, if anything
// is out of the ordinary.
func (r *run) showMoney(n *outputNode) bool {
	o, ok := r.objectOf(n.field.root)
	if !ok || n.mode != textMode && n.mode != rawMode {
		return false
	}
	v, ok := r.fieldOf(o, n.field)
	if !ok || v.Kind != event.Number || len(v.Raw) > plainDigits {
		return false
	}
	in, ok := r.fromShared(n.money).(string)
	if !ok {
		return false
	}
	if in != r.coined {
		c, err := money.ParseCurrency(in)
		if err != nil {
			return false
		}
		r.coined, r.coin = in, c
	}
	m, err := money.Parse(v.Raw)
	if err != nil {
		return false
	}
	if !r.step(5 + len(n.money.steps) + len(o)/perStep) {
		return true
	}
	var buf [96]byte
	s := r.env.Customs.appendMoney(buf[:0], m, r.coin)
	if len(s) > r.room {
		return false // which says so
	}
	r.room -= len(s)
	r.out = append(r.out, s...)
	return true
}

// signOf is how a currency is written before the amount where no customs are known;
// empty: by its letters behind it.
func signOf(c money.Currency) string {
	switch c {
	case "GBP":
		return "£"
	case "EUR":
		return "€"
	case "USD":
		return "$"
	case "JPY":
		return "¥"
	case "AUD":
		return "A$"
	case "CAD":
		return "C$"
	case "INR":
		return "₹"
	}
	return ""
}
