package predict_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/predict"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// fedHistory returns a history of a store that was told rows, a block each.
func fedHistory(t *testing.T, blocks ...[]feed.Row) *predict.History {
	t.Helper()
	s, packer := memory.New(), feed.NewPacker()
	var pos store.Position
	for _, rows := range blocks {
		var raw []byte
		for i := range rows {
			raw = rows[i].Append(raw)
		}
		next := store.Position{Epoch: 1, Seq: pos.Seq + 1}
		if err := s.Commit(t.Context(), &store.Commit{From: pos, To: next, Feed: packer.Pack(raw)}); err != nil {
			t.Fatal(err)
		}
		pos = next
	}
	return predict.NewHistory(s, 1, func(_ context.Context, id identity.ID) (identity.ID, bool, error) {
		switch id {
		case who(8): // joined the seventh
			return who(7), true, nil
		case who(9): // was erased
			return id, false, nil
		}
		return id, true, nil
	})
}

func sold(n int, id string, day int, net money.Micros, name string) feed.Row {
	props := new(event.Builder).SetText("order_id", id).SetText("channel", "web").Object()
	return feed.Row{Kind: feed.Event, Profile: who(n), At: at(day), Now: at(day), Name: name, Known: true, Props: props, Order: &feed.Order{ID: id, Net: net * money.One, Currency: "GBP"}}
}

func TestAHistoryTellsOrdersOnceUnderWhoTheyAreNow(t *testing.T) {
	t.Parallel()
	h := fedHistory(t,
		[]feed.Row{sold(7, "b", 3, 20, event.OrderCompleted), sold(8, "a", 1, 10, event.OrderCompleted), sold(9, "x", 1, 99, event.OrderCompleted)},
		[]feed.Row{sold(8, "a", 1, 10, event.OrderCompleted), sold(7, "b", 4, -5, event.OrderRefunded), sold(7, "b", 5, -5, event.OrderRefunded), sold(6, "c", 2, 7, event.OrderCompleted), sold(6, "late", 9, 7, event.OrderCompleted)})
	want := "c 7|a 10|b 20|b -5|b -5|"
	for range 2 { // and once more after it let go
		got := ""
		for o, err := range h.Orders(t.Context(), at(9)) {
			if err != nil {
				t.Fatal(err)
			}
			got += o.ID + " " + strings.TrimSuffix(o.Net.String(), ".00") + "|"
			if o.ID == "a" && (o.Profile != who(7) || o.Kind != profile.Completed || o.Channel != "web") {
				t.Errorf("%+v", o)
			}
		}
		if got != want {
			t.Errorf("the orders are %q, want %q", got, want)
		}
		h.Release()
	}
}

// What is kept for each class of device must know of which an event came.
func TestAHistoryKnowsDevicesAndVisits(t *testing.T) {
	t.Parallel()
	row := sold(6, "c", 2, 7, event.OrderCompleted)
	row.Device, row.Session = "mobile", at(1)
	h := fedHistory(t, []feed.Row{row})
	for o, err := range h.Orders(t.Context(), at(9)) {
		if err != nil || o.Device != "mobile" {
			t.Errorf("%+v, %v", o, err)
		}
	}
	for e, err := range h.Events(t.Context(), at(9), event.OrderCompleted) {
		if err != nil || e.Device != "mobile" || e.Session != int64(at(1)) {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

// Between two nights nobody asks, and a feed in memory is a shop's whole past.
func TestARunLeavesNothingOfTheFeedInMemory(t *testing.T) { // alone: it weighs the heap
	words := strings.Repeat("x", 100<<10)
	var blocks [][]feed.Row
	for i := range 100 {
		blocks = append(blocks, []feed.Row{{Kind: feed.Event, Profile: who(i), At: at(1), Now: at(1), Name: event.PageViewed, Props: new(event.Builder).SetText("words", words).Object()}})
	}
	h := fedHistory(t, blocks...)
	r := runner(t, asking{}, &told{}, t.TempDir())
	r.Source = h
	heap := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	if _, err := r.Run(t.Context(), event.At(began.Add(100*24*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("after a run over 10 MB of events %d kB are held", grown>>10)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(blocks)
}

// asking is a model that asks for everything and says nothing.
type asking struct{}

func (asking) About() predict.About { return predict.About{Name: "asking"} }

func (asking) Fit(ctx context.Context, src predict.Source, m predict.Moment) (*predict.Result, error) {
	n := 0
	for _, err := range src.Events(ctx, m.Now) {
		if err != nil {
			return nil, err
		}
		n++
	}
	return &predict.Result{Report: predict.Report{Customers: n}}, nil
}
