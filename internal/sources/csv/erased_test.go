package csv_test

import (
	"context"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/sources/csv"
)

func TestItem64LinesOfAnErasedCustomerAreReportedErasedAndNotSent(t *testing.T) {
	t.Parallel()
	file := "order,date,sku,quantity,price,customer,email\n" +
		"1,2026-01-02,A,1,2,ada,ada@shop.example\n" +
		"1,2026-01-02,B,1,2,ada,ada@shop.example\n" +
		"2,2026-01-03,A,1,2,bob,bob@shop.example\n"
	var lines []int64
	var sent []event.Event
	totals, err := csv.Import(t.Context(), strings.NewReader(file), csv.Options{
		Source: "orders", Currency: "GBP",
		Append: func(_ context.Context, events []event.Event) error { sent = append(sent, events...); return nil },
		Erased: func(e *event.Event) bool { return e.Traits.Text("email") == "ada@shop.example" && e.User == "ada" },
		Refuse: func(r csv.Refusal) error {
			if !strings.HasPrefix(r.Reason, "erased") || strings.Contains(string(r.Raw), "ada") || len(r.Fields) > 0 {
				t.Errorf("refusal %+v, want the reason erased and no word of hers", r)
			}
			lines = append(lines, r.Line)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || lines[0] != 2 || lines[1] != 3 || totals.Refused != 2 || totals.Orders != 1 || len(sent) != 1 || sent[0].User != "bob" {
		t.Errorf("lines %v refused, totals %+v, sent %v", lines, totals, sent)
	}
}
