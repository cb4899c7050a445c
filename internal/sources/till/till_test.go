package till_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/till"
)

const now = event.Time(1_800_000_000_000)

func receipt() till.Receipt {
	return till.Receipt{
		ID: "4711", At: "2026-11-28T15:04:05+01:00", Store: "soho", Till: "2", Loyalty: "L-9", Email: "ada@people.example", Currency: "gbp",
		Lines:   []till.Line{{SKU: "lamp", Name: "Lamp", Quantity: till.Amount("2"), Price: till.Amount("10.50"), Discount: till.Amount("1")}, {SKU: "mug", Price: till.Amount(`"4"`)}},
		Coupons: []string{"SPRING", " "},
	}
}

func TestAReceiptIsAnOrderOfWhoeverStandsOnIt(t *testing.T) {
	t.Parallel()
	r := receipt()
	events, err := till.Events(&r, "tills", now)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	sale, coupon := &events[0], &events[1]
	order, err := event.OrderOf(sale.Name, sale.Props)
	if err != nil || order.Net != 24*money.One || order.Currency != "GBP" || order.ID != "4711" || len(order.Lines) != 2 {
		t.Errorf("the order is %+v, %v", order, err)
	}
	if sale.At.String() != "2026-11-28T14:04:05.000Z" || !event.Tills(sale) || event.StoreOf(sale) != "soho" || sale.ID != "receipt:tills:4711" {
		t.Errorf("the sale is %+v", sale)
	}
	want := []identity.Identifier{{Kind: identity.Loyalty, Value: "L-9"}, {Kind: identity.Email, Value: "ada@people.example"}}
	for _, e := range events {
		if diff := cmp.Diff(want, identity.Of(&e)); diff != "" {
			t.Errorf("%s is of (-want +got):\n%s", e.Name, diff)
		}
	}
	if coupon.Name != event.CouponRedeemed || coupon.Props.Text("code") != "SPRING" || coupon.ID == sale.ID {
		t.Errorf("the coupon is %+v", coupon)
	}
	again, _ := till.Events(&r, "tills", now+1)
	if diff := cmp.Diff(events, again); diff != "" {
		t.Errorf("sent again it is something else:\n%s", diff)
	}
}

func TestAReturnIsMoneyBackForTheReceiptThatItNames(t *testing.T) {
	t.Parallel()
	r := receipt()
	r.ID, r.Kind, r.Order, r.Coupons = "4712", "return", "4711", nil
	events, err := till.Events(&r, "tills", now)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := event.OrderOf(events[0].Name, events[0].Props); err != nil || o.ID != "4711" || o.Net != -24*money.One {
		t.Errorf("the return is %+v, %v", o, err)
	}
}

func TestWhatIsWrongWithAReceiptIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(r *till.Receipt)
		kind   fault.Kind
		want   string
	}{
		{"no number", func(r *till.Receipt) { r.ID = " " }, fault.Invalid, "id:"},
		{"a time without a zone", func(r *till.Receipt) { r.At = "2026-11-28 15:04" }, fault.Invalid, "at:"},
		{"another kind", func(r *till.Receipt) { r.Kind = "void" }, fault.Invalid, "kind:"},
		{"a price that is none", func(r *till.Receipt) { r.Lines[1].Price = till.Amount(`"4,00"`) }, fault.Invalid, "lines[1].price"},
		{"a currency that is none", func(r *till.Receipt) { r.Currency = "POUND" }, fault.Invalid, "currency"},
		{"nobody", func(r *till.Receipt) { r.Loyalty, r.Email = "", "" }, fault.NotFound, "no customer"},
		{"somebody who is nobody", func(r *till.Receipt) { r.Loyalty, r.Email = "0000", "none" }, fault.NotFound, "no customer"},
	} {
		r := receipt()
		c.change(&r)
		_, err := till.Events(&r, "tills", now)
		kind, why := fault.Of(err)
		if kind != c.kind || !strings.Contains(why, c.want) {
			t.Errorf("%s: %v %q, want %q", c.name, kind, why, c.want)
		}
	}
	r := receipt()
	r.At = "2099-01-01T00:00:00Z"
	if events, err := till.Events(&r, "tills", now); err != nil || events[0].At != now {
		t.Errorf("of a clock that is ahead: %v, %v", events, err)
	}
}
