package till_test

import (
	"strings"
	"testing"
	"time"

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
		{"a time to come", func(r *till.Receipt) { r.At = now.Add(time.Hour).String() }, fault.Invalid, "at: 2027-01-15T09:00:00.000Z is yet to come, here it is 2027-01-15T08:00:00.000Z"},
		{"lines that do not add up", func(r *till.Receipt) { r.Coupons, r.Total = nil, till.Amount("25") }, fault.Invalid, "total: 25.00 was paid, but the lines add up to 24.00:"},
		{"nor with the tax", func(r *till.Receipt) { r.Coupons, r.Total, r.Tax = nil, till.Amount("30"), till.Amount("4.80") }, fault.Invalid, "add up to 24.00, and with the tax to 28.80"},
		{"a line that is too dear", func(r *till.Receipt) {
			r.Lines[1].Price = till.Amount("9223372036854")
			r.Lines[1].Quantity = till.Amount("1000")
		}, fault.Invalid, "lines[1].price"},
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
	r.At = now.Add(4 * time.Minute).String()
	if events, err := till.Events(&r, "tills", now); err != nil || events[0].At != now {
		t.Errorf("of a clock that is ahead: %v, %v", events, err)
	}
}

func TestWhatWasPaidMayHaveTheTaxInItAndCouponsOff(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *till.Receipt){
		"as it is":             func(r *till.Receipt) { r.Total = till.Amount("24.00") },
		"rounded by the line":  func(r *till.Receipt) { r.Total = till.Amount("24.02") },
		"tax on top":           func(r *till.Receipt) { r.Total, r.Tax = till.Amount("28.80"), till.Amount("4.80") },
		"tax within":           func(r *till.Receipt) { r.Total, r.Tax = till.Amount("24"), till.Amount("4") },
		"a coupon off":         func(r *till.Receipt) { r.Total = till.Amount("19"); r.Coupons = []string{"SPRING"} },
		"a return, as a minus": func(r *till.Receipt) { r.Kind, r.Total = "return", till.Amount("-24") },
	} {
		r := receipt()
		r.Coupons = nil
		change(&r)
		if _, err := till.Events(&r, "tills", now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
