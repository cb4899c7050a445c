package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/report"
	"rapport/internal/warehouse"
)

// What the bench of reports builds: two years of a shop in which one event of twenty
// is an order.
const (
	reportMemoryMB  = 512
	reportPerLoad   = 100_000
	reportDays      = 730
	eventsPerPerson = 50
)

var reportNames = []string{"Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Checkout Started", "Page Viewed"}

// reportsBench measures the reports over ten million events that are loaded straight
// into the warehouse.
func reportsBench(ctx context.Context, b *bench) (err error) {
	if b.Warehouse == nil {
		return fault.New(fault.Unavailable, "this rig has no warehouse")
	}
	n := b.size(20_000, 10_000_000, 10_000_000)
	r := &b.result
	r.Target = "on 10M events at a memory limit of 512 MB: KPIs ≤ 1 s, cohorts ≤ 2 s, a funnel of three steps ≤ 8 s"
	r.Inside = "the question in SQL → rows → the report as a value; two years of events; the best of three asked one after the other, so the file is in the system's cache"
	r.LimitIs = "one pass over two columns of the same events: the sum of their values and the latest of their instants"
	r.Params["events"], r.Params["memory_mb"] = n, reportMemoryMB
	w, err := b.Warehouse(ctx, filepath.Join(b.dir, "warehouse"), reportMemoryMB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	began := time.Now()
	end, err := b.fillReports(ctx, w, n)
	if err != nil {
		return err
	}
	r.Figures["loaded_events_per_s"] = float64(n) / time.Since(began).Seconds()
	if sizes, err := w.Stats(ctx); err == nil {
		r.Figures["bytes_per_event"] = float64(sizes["bytes"]) / float64(n)
	}
	t := &report.Tables{Warehouse: w, Now: func() event.Time { return end }}
	month := end.Add(-30 * 24 * time.Hour)
	for name, ask := range map[string]func() error{
		"pass_s":                    func() error { return drain(ctx, w, "SELECT sum(value), max(ts) FROM events") },
		"kpis_s":                    asks(ctx, t, "kpis", report.Params{}),
		"kpis_by_day_s":             asks(ctx, t, "kpis", report.Params{By: "day"}),
		"kpis_by_day_of_a_month_s":  asks(ctx, t, "kpis", report.Params{By: "day", From: month}),
		"kpis_by_device_of_month_s": asks(ctx, t, "kpis", report.Params{By: "device", From: month}),
		"cohorts_s":                 asks(ctx, t, "cohorts", report.Params{}),
		"funnel_s":                  asks(ctx, t, "funnel", report.Params{Steps: []string{"Product Viewed", "Product Added", "Order Completed"}, Within: 7 * 24 * time.Hour}),
		"rfm_s":                     asks(ctx, t, "rfm", report.Params{}),
	} {
		b.say("asking for %s", name)
		best := time.Duration(1<<63 - 1)
		for range 3 {
			began := time.Now()
			if err := ask(); err != nil {
				return err
			}
			best = min(best, time.Since(began))
		}
		r.Figures[name] = best.Seconds()
	}
	r.less(r.Figures["kpis_s"], r.Figures["pass_s"], "s")
	return nil
}

func asks(ctx context.Context, t *report.Tables, name string, p report.Params) func() error {
	return func() error {
		_, err := t.Ask(ctx, name, p)
		return err
	}
}

func drain(ctx context.Context, w warehouse.Warehouse, sql string) error {
	rows, err := w.Query(ctx, sql, nil, warehouse.All)
	if err != nil {
		return err
	}
	for rows.Next() != nil {
	}
	return errors.Join(rows.Err(), rows.Close())
}

// fillReports loads n events of made-up people and returns the instant behind the
// last.
func (b *bench) fillReports(ctx context.Context, w warehouse.Warehouse, n int) (event.Time, error) {
	dice := rand.New(rand.NewPCG(1, 2))
	people := max(n/eventsPerPerson, 10)
	begin := event.At(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	step := event.Time(reportDays*24*time.Hour/time.Millisecond) / event.Time(n)
	devices, channels := []string{"mobile", "mobile", "desktop", "tablet"}, []string{"web", "web", "app", "till"}
	l, at, order := warehouse.Load{}, begin, 0
	for i := range n {
		at += step
		k := dice.IntN(people)
		who := identity.ID{byte(k), byte(k >> 8), byte(k >> 16), 0x5a, 8: byte(k * 7), 9: byte(k * 13)}
		e := warehouse.Event{
			Profile: who, At: at, Now: at, ID: dice.Uint64(), Type: "track", Name: reportNames[dice.IntN(len(reportNames))], Source: "web", Origin: "live", Known: true,
			Session: at - event.Time(dice.IntN(600_000)), Device: devices[dice.IntN(len(devices))], Channel: channels[dice.IntN(len(channels))],
			SKU: skus[dice.IntN(len(skus))], Category: "lighting", Properties: "{}",
		}
		if i%20 == 19 {
			order++
			e.Name, e.Value, e.HasValue, e.Currency = event.OrderCompleted, money.Micros(1+dice.IntN(200))*money.One, true, "GBP"
			id := skus[order%len(skus)] + time.Duration(order).String()
			l.Orders = append(l.Orders, warehouse.Order{
				Profile: who, OrderID: id, Kind: "completed", At: at, Net: e.Value, Currency: "GBP", Units: 1000, Channel: e.Channel, Device: e.Device, Origin: "live", Known: true,
			})
			l.Lines = append(l.Lines, warehouse.Line{Profile: who, OrderID: id, Kind: "completed", At: at, SKU: e.SKU, Quantity: 1000, Price: e.Value, Net: e.Value, Currency: "GBP", Known: true})
		}
		l.Events = append(l.Events, e)
		if len(l.Events) == reportPerLoad || i == n-1 {
			from := l.To
			l.From, l.To, l.Now = from, warehouse.Key{Epoch: 1, Seq: from.Seq + 1}, at
			if err := w.LoadFeed(ctx, &l); err != nil {
				return at, err
			}
			if from.Seq%10 == 9 {
				b.say("loaded %d events", i+1)
			}
			to := l.To
			l.Reset()
			l.To = to
		}
	}
	return at + 1, nil
}

// skus are what the made-up people look at.
var skus = func() (list []string) {
	for i := range 500 {
		list = append(list, "LAMP-"+string(rune('A'+i%26))+string(rune('A'+i/26)))
	}
	return list
}()
