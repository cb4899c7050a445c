package value_test

import (
	"fmt"
	"testing"

	"rapport/internal/core/insight/value"
)

func TestRefundsTakeBackTheLatestOrdersBeforeThem(t *testing.T) {
	t.Parallel()
	days := func(pairs ...float64) (list []value.Day) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, value.Day{Day: int(pairs[i]), Sum: pairs[i+1]})
		}
		return list
	}
	for _, c := range []struct {
		name                string
		days, refunds, want []value.Day
	}{
		{"nothing back", days(1, 10, 5, 20), nil, days(1, 10, 5, 20)},
		{"a part", days(1, 10, 5, 20), days(6, 5), days(1, 10, 5, 15)},
		{"a whole order is no order", days(1, 10, 5, 20), days(6, 20), days(1, 10)},
		{"more than the last", days(1, 10, 5, 20), days(6, 25), days(1, 5)},
		{"all of it on the same day", days(18, 77183.6), days(18, 77183.6), days()},
		{"more than there ever was", days(1, 10), days(2, 50), days()},
		{"not what came later", days(1, 10, 5, 20), days(2, 50), days(5, 20)},
		{"an order for nothing stays", days(1, 0, 5, 20), days(6, 20), days(1, 0)},
	} {
		if got := value.Returned(c.days, c.refunds); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v are left, want %v", c.name, got, c.want)
		}
	}
}

func TestASummaryEndsWithItsDay(t *testing.T) {
	t.Parallel()
	list := value.Merge([]value.Day{{Day: 21, Sum: 4}, {Day: 0, Sum: 1}, {Day: 7, Sum: 2}, {Day: 7, Sum: 3}, {Day: 70, Sum: 9}})
	c, s, ok := value.Summary(list, 35)
	if want := (value.Customer{X: 2, Tx: 3, T: 5}); !ok || c != want {
		t.Errorf("the customer is %+v, want %+v", c, want)
	}
	if want := (value.Spend{X: 2, Mean: 4.5}); s != want {
		t.Errorf("the spend is %+v, want %+v: the first order does not count", s, want)
	}
	if _, _, ok := value.Summary(list, -1); ok {
		t.Error("somebody who had not ordered yet is a customer")
	}
}
