package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// props reads properties written as JSON, the quotes of which may be single.
func props(t testing.TB, text string) event.Object {
	t.Helper()
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(strings.ReplaceAll(text, "'", `"`))))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object(v)
}

func sum(t testing.TB, text string) money.Micros {
	t.Helper()
	m, err := money.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheMoneyOfAnOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, event, props string
		net                string
		units              int64
		currency           money.Currency
	}{
		{"revenue counts before everything else", "Order Completed", `{'order_id': 'o', 'revenue': 10, 'value': 11, 'subtotal': 12, 'total': 13, 'products': [{'price': 14}]}`, "10", 1000, ""},
		{"then the value", "Order Completed", `{'order_id': 'o', 'value': 11, 'subtotal': 12, 'total': 13, 'products': [{'price': 14}]}`, "11", 1000, ""},
		{"then the subtotal", "Order Completed", `{'order_id': 'o', 'subtotal': 12, 'total': 13, 'products': [{'price': 14}]}`, "12", 1000, ""},
		{"then the lines", "Order Completed", `{'order_id': 'o', 'total': 13, 'products': [{'price': 14}, {'price': 1.5, 'quantity': 2}]}`, "17", 3000, ""},
		{"then the total without tax and shipping", "Order Completed", `{'order_id': 'o', 'total': 20, 'tax': 3.33, 'shipping': 2.5}`, "14.17", 0, ""},
		{"a total alone", "Order Completed", `{'order_id': 'o', 'total': '20.00'}`, "20", 0, ""},
		{"nothing said", "Order Completed", `{'order_id': 'o'}`, "0", 0, ""},
		{"a revenue of nothing is said", "Order Completed", `{'order_id': 'o', 'revenue': 0, 'total': 20}`, "0", 0, ""},
		{"money as text", "Order Completed", `{'order_id': 'o', 'revenue': '1234.567891'}`, "1234.567891", 0, ""},
		{"an order number that is a number", "Order Completed", `{'order_id': 17, 'revenue': 5}`, "5", 0, ""},
		{"a discount on a line", "Order Completed", `{'order_id': 'o', 'products': [{'price': 10, 'quantity': 3, 'discount': 4.5}]}`, "25.50", 3000, ""},
		{"a discount larger than the line", "Order Completed", `{'order_id': 'o', 'products': [{'price': 1, 'discount': 4}]}`, "-3", 1000, ""},
		{"half a yard", "Order Completed", `{'order_id': 'o', 'products': [{'price': 12.4, 'quantity': 0.5}]}`, "6.20", 500, ""},
		{"three decimal places", "Order Completed", `{'order_id': 'o', 'products': [{'price': 8, 'quantity': '1.125'}]}`, "9", 1125, ""},
		{"a thousandth of a millionth is nothing", "Order Completed", `{'order_id': 'o', 'products': [{'price': 0.000001, 'quantity': 0.999}]}`, "0", 999, ""},
		{"a line without a price", "Order Completed", `{'order_id': 'o', 'products': [{'sku': 'gift'}]}`, "0", 1000, ""},
		{"no products", "Order Completed", `{'order_id': 'o', 'products': null, 'total': 5}`, "5", 0, ""},
		{"an empty list of products", "Order Completed", `{'order_id': 'o', 'products': [], 'total': 5}`, "5", 0, ""},
		{"a returned line within an order", "Order Completed", `{'order_id': 'o', 'products': [{'price': 10}, {'price': 4, 'quantity': -1}]}`, "6", 0, ""},
		{"ten billion rupiah", "Order Completed", `{'order_id': 'o', 'currency': 'idr', 'products': [{'price': 1000000000, 'quantity': 10}]}`, "10000000000", 10_000, "IDR"},
		{"a refund signed as money back", "Order Refunded", `{'order_id': 'o', 'revenue': -10}`, "-10", 0, ""},
		{"a refund signed as money", "Order Refunded", `{'order_id': 'o', 'revenue': 10}`, "-10", 0, ""},
		{"a refund of lines", "Order Refunded", `{'order_id': 'o', 'products': [{'price': 4, 'quantity': 2}]}`, "-8", -2000, ""},
		{"a refund of lines signed by their quantity", "Order Refunded", `{'order_id': 'o', 'products': [{'price': 4, 'quantity': -2}]}`, "-8", -2000, ""},
		{"a cancellation", "Order Cancelled", `{'order_id': 'o', 'revenue': '12.50', 'currency': 'gbp', 'products': [{'quantity': 3}]}`, "-12.50", -3000, "GBP"},
		{"the order has no number but its checkout", "Order Completed", `{'checkout_id': 'c', 'revenue': 1}`, "1", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, err := event.OrderOf(c.event, props(t, c.props))
			if err != nil {
				t.Fatal(err)
			}
			if want := sum(t, c.net); o.Net != want || o.Units != c.units || o.Currency != c.currency {
				t.Errorf("net %s, units %d, currency %q; want %s, %d, %q", o.Net, o.Units, o.Currency, want, c.units, c.currency)
			}
		})
	}
}

func TestALineSaysWhatWasBought(t *testing.T) {
	t.Parallel()
	o, err := event.OrderOf("Order Completed", props(t, `{'orderId': ' 7 ', 'products': [
		{'sku': 'lamp-red', 'product_id': 'lamp', 'name': 'Lamp', 'category': 'lighting', 'price': 3, 'quantity': 2, 'discount': 1},
		{'variant_id': 17, 'price': null, 'quantity': true},
		{'product_id': 'p'}, {}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []event.Line{
		{SKU: "lamp-red", Product: "lamp", Name: "Lamp", Category: "lighting", Quantity: 2000, Price: 3 * money.One, Net: 5 * money.One},
		{SKU: "17", Quantity: 1000},
		{SKU: "p", Product: "p", Quantity: 1000},
		{Quantity: 1000},
	}
	if o.ID != "7" || !slices.Equal(o.Lines, want) {
		t.Errorf("order %q with lines %+v", o.ID, o.Lines)
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, props, want string }{
		{"no number", `{'revenue': 1}`, "properties.order_id: an order needs its number"},
		{"a number of blanks", `{'order_id': '  '}`, "properties.order_id: "},
		{"a number that is a list", `{'order_id': ['o']}`, "properties.order_id: "},
		{"a currency in words", `{'order_id': 'o', 'currency': 'pounds'}`, `properties.currency: a currency is three letters such as GBP, not "pounds"`},
		{"a currency in digits", `{'order_id': 'o', 'currency': 826}`, `properties.currency: `},
		{"a sum in words", `{'order_id': 'o', 'revenue': 'ten'}`, `properties.revenue: not an amount of money: "ten"`},
		{"seven decimal places", `{'order_id': 'o', 'value': '0.0000001'}`, `properties.value: `},
		{"a tax in words", `{'order_id': 'o', 'total': 1, 'tax': '20%'}`, `properties.tax: `},
		{"a total and a tax too far apart", `{'order_id': 'o', 'total': '-9000000000000', 'tax': '9000000000000'}`, `properties.tax: too large`},
		{"products that are no list", `{'order_id': 'o', 'products': {'sku': 'a'}}`, "properties.products: a list of products is expected"},
		{"a product that is no object", `{'order_id': 'o', 'products': [{}, 'lamp']}`, "properties.products[1]: an object is expected"},
		{"a price in words", `{'order_id': 'o', 'products': [{}, {}, {'price': 'free'}]}`, "properties.products[2].price: "},
		{"a quantity in words", `{'order_id': 'o', 'products': [{'quantity': 'a pair'}]}`, "properties.products[0].quantity: "},
		{"a quantity with four decimal places", `{'order_id': 'o', 'products': [{'quantity': '0.0005'}]}`, "properties.products[0].quantity: a number with at most three decimal places is expected"},
		{"a discount in words", `{'order_id': 'o', 'products': [{'discount': '10%'}]}`, "properties.products[0].discount: "},
		{"a price times a quantity too large", `{'order_id': 'o', 'products': [{'price': '9000000000', 'quantity': '9000000000'}]}`, "properties.products[0].price: too large"},
		{"a discount too large", `{'order_id': 'o', 'products': [{'price': '-9000000000000', 'discount': '9000000000000'}]}`, "properties.products[0].discount: too large"},
		{"lines that add up to too much", `{'order_id': 'o', 'products': [{'price': '9000000000000'}, {'price': '9000000000000'}]}`, "properties.products: their prices add up to too much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := event.OrderOf("Order Completed", props(t, c.props))
			if kind, message := fault.Of(err); kind != fault.Invalid || !strings.HasPrefix(message, c.want) {
				t.Errorf("%v, want it to begin with %q", err, c.want)
			}
		})
	}
}

func TestQuantitiesThatAddUpToTooMuchAreRefused(t *testing.T) {
	t.Parallel()
	line := value(map[string]any{"quantity": json.Number("9000000000000")})
	lines := slices.Repeat([]event.Value{line}, event.MaxLines)
	o := (&event.Builder{}).SetText("order_id", "o").Set("products", event.ListOf(lines...)).Object()
	order, err := event.OrderOf("Order Completed", o)
	if err == nil && order.Units <= 0 {
		t.Errorf("units = %d", order.Units)
	}
}

func TestAnOrderHasTwoThousandLinesAtMost(t *testing.T) {
	t.Parallel()
	line := value(map[string]any{"sku": "a", "price": json.Number("0.01")})
	order := func(lines int) event.Object {
		return (&event.Builder{}).SetText("order_id", "o").Set("products", event.ListOf(slices.Repeat([]event.Value{line}, lines)...)).Object()
	}
	o, err := event.OrderOf("Order Completed", order(2000))
	if err != nil || len(o.Lines) != 2000 || o.Net != 20*money.One {
		t.Errorf("2,000 lines: %d, net %s, %v", len(o.Lines), o.Net, err)
	}
	if _, err := event.OrderOf("Order Completed", order(2001)); !fault.Is(err, fault.TooLarge) || !strings.HasPrefix(err.Error(), "properties.products: ") {
		t.Errorf("2,001 lines: %v", err)
	}
}

// The sum that comes out is the sum of the rounded lines, computed without bounds;
// what does not fit is an error and never a wrong number.
func TestAnOrderIsAddedUpExactlyOrRefused(t *testing.T) {
	t.Parallel()
	amount := rapid.OneOf(rapid.StringMatching(`-?[0-9]{1,4}(\.[0-9]{1,6})?`), rapid.StringMatching(`-?[1-9][0-9]{11,12}`))
	rapid.Check(t, func(t *rapid.T) {
		total, fits := new(big.Int), true
		var lines []event.Value
		for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
			price, discount := amount.Draw(t, "price"), amount.Draw(t, "discount")
			thousandths := rapid.Int64Range(-3000, 3_000_000).Draw(t, "thousandths")
			quantity := fmt.Sprintf("%se-3", json.Number(fmt.Sprint(thousandths)))
			lines = append(lines, value(map[string]any{"sku": fmt.Sprint(i), "price": json.Number(price), "quantity": json.Number(quantity), "discount": json.Number(discount)}))
			p, d := micros(price), micros(discount)
			fits = fits && p.IsInt64()
			net := p.Mul(p, big.NewInt(thousandths))
			net.Quo(net, big.NewInt(1000))
			fits = fits && net.IsInt64() && d.IsInt64()
			net.Sub(net, d)
			fits = fits && net.IsInt64()
			total.Add(total, net)
			fits = fits && total.IsInt64()
		}
		o, err := event.OrderOf("Order Completed", (&event.Builder{}).SetText("order_id", "o").Set("products", event.ListOf(lines...)).Object())
		switch {
		case err == nil && !fits:
			t.Fatalf("net %s for what is too large: %s", o.Net, total)
		case err == nil && total.Int64() != int64(o.Net):
			t.Fatalf("net %d, want %s", o.Net, total)
		case err != nil && fits:
			t.Fatalf("%v, want %s", err, total)
		}
	})
}

// micros reads a decimal text without bounds.
func micros(s string) *big.Int {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	r.Mul(r, big.NewRat(1_000_000, 1))
	return new(big.Int).Quo(r.Num(), r.Denom())
}
