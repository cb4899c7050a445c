package warehousetest

import (
	"strings"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/warehouse"
)

// everybody loads one row of each table for each of the people.
func everybody(t *testing.T, w warehouse.Warehouse, people ...identity.ID) {
	l := warehouse.Load{}
	for _, p := range people {
		l.Events = append(l.Events, seen(p, "word-of-"+p.String(), day))
		l.Orders = append(l.Orders, warehouse.Order{Profile: p, OrderID: "order-of-" + p.String(), Kind: "completed", At: day, Net: pound})
		l.Lines = append(l.Lines, warehouse.Line{Profile: p, OrderID: "order-of-" + p.String(), Kind: "completed", At: day, SKU: "sku-of-" + p.String()})
		l.Deliveries = append(l.Deliveries, warehouse.Delivery{Profile: p, Delivery: message(1), At: day, Product: "product-of-" + p.String()})
		l.Decisions = append(l.Decisions, warehouse.Decision{Profile: p, Delivery: message(1), At: day, Step: "step-of-" + p.String()})
		l.Memberships = append(l.Memberships, warehouse.Membership{Profile: p, Segment: "segment-of-" + p.String(), At: day})
		l.Profiles = append(l.Profiles, warehouse.Profile{Profile: p, At: day, Born: day, City: "city-of-" + p.String()})
	}
	load(t, w, l)
}

// holds reports whether a word is in any table.
func holds(t *testing.T, w warehouse.Warehouse, word string) bool {
	t.Helper()
	found := false
	err := w.Everything(t.Context(), func(_ string, row []byte) error {
		found = found || strings.Contains(strings.ReplaceAll(string(row), "-", ""), strings.ReplaceAll(word, "-", ""))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func forgets(t *testing.T, open Open) {
	w, reopen := start(t, open)
	everybody(t, w, person(1), person(2), person(3))
	load(t, w, warehouse.Load{Joins: []warehouse.Join{{Strand: person(2), Profile: person(1)}}})
	if !holds(t, w, person(1).String()) { // as a control: the scan finds what it looks for
		t.Fatal("nothing is found before anybody is forgotten")
	}
	if err := w.Forget(t.Context(), person(1), person(2), person(9)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, gone := range []identity.ID{person(1), person(2)} {
			if holds(t, w, gone.String()) {
				t.Errorf("%s is still there", gone)
			}
		}
		for _, table := range []string{"events", "orders", "order_lines", "deliveries", "decisions", "memberships", "profiles"} {
			expect(t, w, "SELECT profile FROM "+table, person(3).String())
		}
		w = reopen()
	}
	if err := w.Forget(t.Context()); err != nil {
		t.Error(err)
	}
}

func loadsOn(t *testing.T, open Open) {
	w, reopen := start(t, open)
	everybody(t, w, person(1), person(2))
	before, _ := w.Position(t.Context(), 0)
	if err := w.Forget(t.Context(), person(1)); err != nil {
		t.Fatal(err)
	}
	if at, _ := w.Position(t.Context(), 0); at != before {
		t.Errorf("the position is %v, and was %v", at, before)
	}
	load(t, w, warehouse.Load{Profiles: []warehouse.Profile{{Profile: person(2), At: day, City: "Leeds"}}})
	expect(t, w, "SELECT city FROM profiles", "Leeds")
	w = reopen()
	expect(t, w, "SELECT city FROM profiles", "Leeds")
}

func openForget(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 100)
	rows, err := w.Query(t.Context(), "SELECT name FROM events", nil, warehouse.All)
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	done := make(chan error, 1)
	go func() { done <- w.Forget(t.Context(), person(1)) }()
	n := 1
	for rows.Next() != nil {
		n++
	}
	if err := rows.Close(); err != nil || n != 100 {
		t.Errorf("the answer has %d rows, %v", n, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	expect(t, w, "SELECT count(*) FROM events", "99")
}
