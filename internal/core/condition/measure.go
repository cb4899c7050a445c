package condition

import (
	"math"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// maxValue bounds what one event adds to a sum: a hundred thousand million main
// units. A larger number is a broken client, and would spoil the sum for ever.
const maxValue = 100_000_000_000 * money.One

// maxTags bounds how many things of one event are counted apart; an order has at
// most event.MaxLines lines.
const maxTags = event.MaxLines

// The properties that an order has whatever its source calls them.
const (
	propNet   = "net"
	propUnits = "units"
	propOrder = "order_id"
)

// pseudo returns the value of a property that comes from the order.
func pseudo(path string, order *event.Order) (event.Value, bool) {
	if order == nil {
		return event.Value{}, false
	}
	switch path {
	case propNet:
		return event.Value{Kind: event.Number, Raw: order.Net.String()}, true
	case propUnits:
		return event.Value{Kind: event.Number, Raw: units(order).String()}, true
	case propOrder:
		return event.Text(order.ID), true
	}
	return event.Value{}, false
}

// units returns the pieces of an order as millionths, the unit of all sums.
func units(order *event.Order) money.Micros {
	m, err := money.Micros(order.Units).Times(int64(money.One) / 1000)
	if err != nil {
		return 0
	}
	return m
}

// value returns what the event adds to the sum.
func (q *question) value(e *event.Event, order *event.Order) money.Micros {
	if !q.counted(e, order) {
		return 0
	}
	if order != nil {
		switch q.sum {
		case propNet:
			return clampMoney(order.Net)
		case propUnits:
			return clampMoney(units(order))
		}
	}
	var sum money.Micros
	each(e.Props, q.sum, func(v event.Value) bool {
		sum = addMoney(sum, number(v))
		return true
	})
	return clampMoney(sum)
}

// currencyOf returns the currency that an event names; empty if it names none. A
// broken code counts as none, as if it had not been sent.
func currencyOf(e *event.Event, order *event.Order) money.Currency {
	if order != nil {
		return order.Currency
	}
	currency, _ := money.ParseCurrency(e.Props.Text("currency"))
	return currency
}

// number returns a property as millionths: exact if it can be written so, else
// rounded; zero if it is no number.
func number(v event.Value) money.Micros {
	if v.Kind != event.Number && v.Kind != event.String {
		return 0
	}
	text := strings.TrimSpace(v.Raw)
	if m, err := money.Parse(text); err == nil {
		return clampMoney(m)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) {
		return 0
	}
	f = math.Round(f * float64(money.One))
	return money.Micros(math.Max(-float64(maxValue), math.Min(float64(maxValue), f)))
}

// tags appends what of the event is counted apart, each once.
func (q *question) tags(dst []uint64, e *event.Event, order *event.Order, session profile.Session) []uint64 {
	if q.tag == visits {
		return append(dst, sessionTag(session, e.At))
	}
	add := func(v event.Value) bool {
		if v.Kind == event.Null || v.Kind == event.Map {
			return true
		}
		// As text: "12" and 12 are the same article, sources differ in quoting ids.
		tag := tagOf(wire.Hash(v.String()))
		for _, t := range dst {
			if t == tag {
				return true
			}
		}
		dst = append(dst, tag)
		return len(dst) < maxTags
	}
	if v, ok := pseudo(q.tag, order); ok {
		add(v)
		return dst
	}
	each(e.Props, q.tag, add)
	return dst
}

// each calls yield with every value at the path until it returns false. A list
// on the way, or at the end, stands for each of its items: "products.sku" is the
// article of every line.
func each(o event.Object, path string, yield func(event.Value) bool) bool {
	if v, ok := o.Get(path); ok {
		if v.Kind != event.List {
			return yield(v)
		}
		for item := range v.Items {
			if !yield(item) {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(path); i++ {
		if path[i] != '.' {
			continue
		}
		v, ok := o.Get(path[:i])
		if !ok || v.Kind != event.List {
			continue
		}
		for item := range v.Items {
			if item.Kind == event.Map && !each(item.Object(), path[i+1:], yield) {
				return false
			}
		}
		return true
	}
	return true
}

func clampMoney(m money.Micros) money.Micros { return max(-maxValue, min(maxValue, m)) }

// addMoney adds and stays at the ends of what can be counted.
func addMoney(a, b money.Micros) money.Micros {
	s := a + b
	if (s > a) == (b > 0) || b == 0 {
		return s
	}
	if b > 0 {
		return math.MaxInt64
	}
	return math.MinInt64
}
