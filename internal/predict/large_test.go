package predict_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/money"
	"rapport/internal/predict"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

// The large shop: customers, and about how many events of each.
const (
	largeCustomers = 200_000
	largeYears     = 2
)

// large is a shop of made-up customers, told in loads.
func large(customers int, tell func(l *warehouse.Load)) (events int, end event.Time) {
	r := rand.New(rand.NewPCG(1, 2))
	begin := event.At(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	days := 365 * largeYears
	l := &warehouse.Load{}
	flush := func() {
		events += len(l.Events)
		tell(l)
		l.Reset()
	}
	for i := range customers {
		id := scattered("large " + strconv.Itoa(i))
		add := func(at event.Time, name, kind, device, props string) *warehouse.Event {
			l.Events = append(l.Events, warehouse.Event{Profile: id, At: at, Now: at, ID: r.Uint64(), Type: kind, Name: name, Origin: "live", Known: true, Device: device, Properties: props})
			return &l.Events[len(l.Events)-1]
		}
		device := []string{"mobile", "desktop", "tablet"}[r.IntN(3)]
		rate := r.ExpFloat64() * 2 / float64(days)
		for at, n := r.Float64()*float64(days), 0; at < float64(days) && n < 60; n++ {
			when := begin.Add(time.Duration(at*24) * time.Hour)
			order := fmt.Sprintf("%d-%d", i, n)
			sku := "sku-" + strconv.Itoa(r.IntN(2000))
			for k := range 2 + r.IntN(2) {
				e := add(when.Add(-time.Duration(10-k)*time.Minute), event.ProductViewed, "track", device, `{"campaign":"spring"}`)
				e.SKU, e.Category = sku, "kind "+strconv.Itoa(r.IntN(30))
			}
			add(when.Add(-time.Minute), event.ProductAdded, "track", device, `{}`).SKU = sku
			add(when, event.OrderCompleted, "track", device, `{"order_id":"`+order+`"}`)
			l.Orders = append(l.Orders, warehouse.Order{Profile: id, OrderID: order, Kind: "completed", At: when, Net: 40 * money.One, Currency: "GBP", Units: 2000, Channel: "web", Device: device, Known: true})
			for line, s := range []string{sku, "sku-" + strconv.Itoa(r.IntN(2000))} {
				l.Lines = append(l.Lines, warehouse.Line{Profile: id, OrderID: order, Kind: "completed", At: when, Line: int64(line), SKU: s, Name: "a " + s, Category: "kind " + strconv.Itoa(r.IntN(30)), Quantity: 1000, Price: 20 * money.One, Known: true})
			}
			at += r.ExpFloat64() / rate
		}
		for k := range 3 {
			when := begin.Add(time.Duration(r.IntN(days*24)) * time.Hour)
			add(when, event.ProductViewed, "track", device, `{}`).SKU = "sku-" + strconv.Itoa(k)
		}
		for k := range 4 {
			when := begin.Add(time.Duration(r.IntN(days*24)) * time.Hour)
			props := `{"delivery":"` + strconv.Itoa(i) + "-" + strconv.Itoa(k) + `","actor":"human"}`
			add(when, event.MessageSent, "system", "", props).Channel = "email"
			if r.IntN(3) == 0 {
				add(when.Add(time.Hour), event.MessageOpened, "system", device, props).Channel = "email"
			}
		}
		if len(l.Events) > 20_000 {
			flush()
		}
	}
	flush()
	return events, begin.Add(time.Duration(days) * 24 * time.Hour)
}

// peak runs do and returns the most that the heap held beyond what it holds now, and
// the most that the process had in memory at all.
func peak(do func()) (heap, resident uint64) {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // only a figure is lost where this is not Linux
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapAlloc))
			}
		}
	}()
	do()
	close(stop)
	<-done
	status, _ := os.ReadFile("/proc/self/status")
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			n, _ := strconv.ParseUint(strings.Fields(string(rest))[0], 10, 64)
			resident = n << 10
		}
	}
	return max(most.Load(), before.HeapAlloc) - before.HeapAlloc, resident
}

// BenchmarkALargeShop fits every model to a shop of 200,000 customers and three
// million events, and tells time and memory of each.
func BenchmarkALargeShop(b *testing.B) {
	w, err := duckdb.Open(b.Context(), duckdb.Options{Dir: b.TempDir(), MemoryMB: 128})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	at := warehouse.Key{}
	events, end := large(largeCustomers, func(l *warehouse.Load) {
		l.From, l.To = at, warehouse.Key{Epoch: 1, Seq: at.Seq + 1}
		if err := w.LoadFeed(b.Context(), l); err != nil {
			b.Fatal(err)
		}
		at = l.To
	})
	b.Logf("%d customers, %d events", largeCustomers, events)
	src := &predict.Tables{Warehouse: w}
	gift := &occasion.Definition{
		Name: "gift", Label: "A gift", Purpose: "occasions", AtLeast: 2, Within: 60 * day, Lasts: 300 * day, Share: 0.3,
		Signals: []occasion.Signal{{Name: "one", Categories: []string{"kind 2"}, Strength: 10}, {Name: "other", Categories: []string{"kind 8"}, Strength: 10}},
	}
	models := append(predict.Models(), predict.Behaviour("", func() []*occasion.Definition { return []*occasion.Definition{gift} })...)
	m := predict.Moment{Now: end, Zone: time.UTC, Currency: "GBP", Margin: 0.4, Discount: 0.1}
	only := os.Getenv("MODEL")
	for _, model := range models {
		name := model.About().Name
		if only != "" && !slices.Contains(strings.Split(only, ","), name) {
			continue
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := predict.Runner{
					Models: []predict.Model{model}, Source: src, Dir: b.TempDir(), Say: func(context.Context, []identity.Addressed) error { return nil },
					Moment: func(context.Context, event.Time) (predict.Moment, error) { return m, nil },
				}
				var reports []predict.Report
				heap, resident := peak(func() { reports, err = r.Run(b.Context(), end) })
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(heap>>20), "heapMB")
				b.ReportMetric(float64(resident>>20), "residentMB")
				b.ReportMetric(float64(reports[0].Predicted), "people")
				if reports[0].Refused != "" {
					b.Log(reports[0].Refused)
				}
			}
		})
	}
}
