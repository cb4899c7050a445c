package warehousetest

import (
	"errors"
	"sync"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

func before(t *testing.T, open Open) {
	w, _ := start(t, open)
	if at, err := w.Position(t.Context(), 3); at != (warehouse.Key{}) || err != nil {
		t.Errorf("Position = %v, %v", at, err)
	}
	expect(t, w, "SELECT count(*) FROM events", "0")
}

func moves(t *testing.T, open Open) {
	w, _ := start(t, open)
	l := warehouse.Load{Lane: 1, To: warehouse.Key{Epoch: 7, Seq: 40}, Events: []warehouse.Event{seen(person(1), "Product Viewed", day)}}
	if err := w.LoadFeed(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	next := warehouse.Load{Lane: 1, From: l.To, To: warehouse.Key{Epoch: 7, Seq: 41}}
	if err := w.LoadFeed(t.Context(), &next); err != nil {
		t.Fatalf("a load without rows: %v", err)
	}
	if at, _ := w.Position(t.Context(), 1); at != next.To {
		t.Errorf("lane 1 is at %v", at)
	}
	if at, _ := w.Position(t.Context(), 0); at != (warehouse.Key{}) {
		t.Errorf("lane 0 is at %v", at)
	}
}

func stale(t *testing.T, open Open) {
	w, _ := start(t, open)
	one := warehouse.Load{To: warehouse.Key{Epoch: 1, Seq: 5}, Events: []warehouse.Event{seen(person(1), "a", day)}}
	if err := w.LoadFeed(t.Context(), &one); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]warehouse.Key{
		"the same again": {}, "another epoch": {Epoch: 2, Seq: 5}, "a gap": {Epoch: 1, Seq: 6},
	} {
		again := warehouse.Load{From: from, To: warehouse.Key{Epoch: 1, Seq: 9}, Events: one.Events}
		if err := w.LoadFeed(t.Context(), &again); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v, want a Conflict", name, err)
		}
	}
	expect(t, w, "SELECT count(*) FROM events", "1")
	if at, _ := w.Position(t.Context(), 0); at != one.To {
		t.Errorf("the position is %v", at)
	}
}

func twoLoaders(t *testing.T, open Open) {
	w, _ := start(t, open)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			l := warehouse.Load{To: warehouse.Key{Epoch: 1, Seq: 1}, Events: []warehouse.Event{seen(person(byte(i)), "a", day)}}
			errs[i] = w.LoadFeed(t.Context(), &l)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !fault.Is(err, fault.Conflict):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of them loaded", won)
	}
	expect(t, w, "SELECT count(*) FROM events", "1")
}

func endedLoad(t *testing.T, open Open) {
	w, _ := start(t, open)
	l := warehouse.Load{To: warehouse.Key{Epoch: 1, Seq: 1}, Events: []warehouse.Event{seen(person(1), "a", day)}}
	if err := w.LoadFeed(cancelled(t), &l); err == nil {
		t.Error("a load under an ended context is loaded")
	}
	expect(t, w, "SELECT count(*) FROM events", "0")
	if err := w.LoadFeed(t.Context(), &l); err != nil {
		t.Errorf("the same load under another context: %v", err)
	}
	expect(t, w, "SELECT count(*) FROM events", "1")
}

func durable(t *testing.T, open Open) {
	w, reopen := start(t, open)
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "a", day)}})
	w = reopen()
	expect(t, w, "SELECT name FROM events", "a")
	if at, _ := w.Position(t.Context(), 0); at != (warehouse.Key{Epoch: 1, Seq: 1}) {
		t.Errorf("the position is %v", at)
	}
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "b", day)}})
	w = reopen()
	expect(t, w, "SELECT name FROM events ORDER BY name", "a", "b")
}

// Each load brings as many orders as events, so who counts both sees a load in
// part when they differ.
func wholeLoads(t *testing.T, open Open) {
	w, _ := start(t, open)
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for range 30 {
			l := warehouse.Load{}
			for range 50 {
				l.Events = append(l.Events, seen(person(1), "a", day))
				l.Orders = append(l.Orders, warehouse.Order{Profile: person(1), OrderID: "o", Kind: "completed", At: day})
			}
			load(t, w, l)
		}
	})
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		if rows := table(t, w, "SELECT sum(e) - sum(o) FROM (SELECT count(*) AS e, 0 AS o FROM events UNION ALL SELECT 0 AS e, count(*) AS o FROM orders) AS u"); rows[0] != "0" {
			t.Errorf("events less orders are %s", rows[0])
		}
	}
	wg.Wait()
	expect(t, w, "SELECT count(*) FROM events", "1500")
}

func clears(t *testing.T, open Open) {
	w, reopen := start(t, open)
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "a", day)}})
	if err := w.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, w, "SELECT count(*) FROM events", "0")
	if at, _ := w.Position(t.Context(), 0); at != (warehouse.Key{}) {
		t.Errorf("the position is %v", at)
	}
	w = reopen()
	expect(t, w, "SELECT count(*) FROM events", "0")
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "b", day)}})
	expect(t, w, "SELECT name FROM events", "b")
}

func stats(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{
		Events: []warehouse.Event{seen(person(1), "a", day), seen(person(2), "b", day)}, Memberships: []warehouse.Membership{{Profile: person(1), Segment: "vip", In: true, At: day}},
	})
	s, err := w.Stats(t.Context())
	if err != nil || s["events"] != 2 || s["memberships"] != 1 || s["orders"] != 0 || s["bytes"] <= 0 {
		t.Errorf("Stats = %v, %v", s, err)
	}
}

func closed(t *testing.T, open Open) {
	w, _ := open(t)
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	_, position := w.Position(t.Context(), 0)
	_, query := w.Query(t.Context(), "SELECT 1", nil, warehouse.Limits{})
	_, sizes := w.Stats(t.Context())
	for name, err := range map[string]error{
		"Position": position, "Query": query, "Stats": sizes, "LoadFeed": w.LoadFeed(t.Context(), &warehouse.Load{To: warehouse.Key{Epoch: 1, Seq: 1}}),
		"Forget": w.Forget(t.Context(), person(1)), "Clear": w.Clear(t.Context()),
		"Everything": w.Everything(t.Context(), func(string, []byte) error { return nil }),
	} {
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s = %v, want Unavailable", name, err)
		}
	}
}
