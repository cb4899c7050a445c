package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/report"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

// askTables asks a report of tables that are loaded as they stand.
type askTables struct {
	t   *testing.T
	w   warehouse.Warehouse
	now event.Time
}

func tablesOf(t *testing.T, now event.Time, l *warehouse.Load) askTables {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: t.TempDir(), MemoryMB: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	l.To = warehouse.Key{Epoch: 1, Seq: 1}
	if err := w.LoadFeed(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return askTables{t, w, now}
}

func (a askTables) report(name string, in api.Asked) api.Report {
	a.t.Helper()
	r, err := api.ReportOf(a.t.Context(), a.w, func() event.Time { return a.now }, name, &in)
	if err != nil {
		a.t.Fatalf("%s of %+v: %v", name, in, err)
	}
	return r
}

// people counts those behind a number, page by page.
func (a askTables) people(name string, in api.Asked) (n int64) {
	a.t.Helper()
	seen := map[identity.ID]bool{}
	for in.Limit = 7; ; {
		page := a.report(name, in).People
		for _, id := range page.Data {
			if seen[id] {
				a.t.Fatalf("%s of %+v: %s comes twice", name, in, id)
			}
			seen[id] = true
		}
		if in.Cursor = page.Next; in.Cursor == "" {
			return int64(len(seen))
		}
	}
}

// Whoever sees a number may ask which people it is about, and gets as many.
func TestEachNumberOfAReportNamesItsPeople(t *testing.T) {
	t.Parallel()
	const day = 86_400_000
	begin := event.Time(1_700_000_000_000)
	at := func(days int) event.Time { return begin + event.Time(days)*day }
	var l warehouse.Load
	who := func(i int) identity.ID { return identity.ID{byte(i + 1), 9} }
	buy := func(i, days int, pounds money.Micros, kind string) {
		id := fmt.Sprint("o", len(l.Orders))
		l.Orders = append(l.Orders, warehouse.Order{Profile: who(i), OrderID: id, Kind: kind, At: at(days), Net: pounds * money.One, Currency: "GBP", Known: true, Channel: []string{"web", "till"}[i%2], Device: []string{"mobile", "desktop"}[i%2], Store: "leeds"})
		l.Events = append(l.Events, warehouse.Event{Profile: who(i), At: at(days), Session: at(days), Type: "track", Name: event.OrderCompleted, Channel: []string{"web", "till"}[i%2], Device: []string{"mobile", "desktop"}[i%2], Store: "leeds"})
	}
	for i := range 60 { // of growing habits, the last half silent since day 90
		l.Profiles = append(l.Profiles, warehouse.Profile{Profile: who(i), At: at(0), Born: at(0), Known: true, City: []string{"Leeds", "York"}[i%2], Consents: []string{"", "email/marketing"}[i%2], Reachable: []string{"", "email"}[i%4/2]})
		l.Memberships = append(l.Memberships, warehouse.Membership{Profile: who(i), Segment: "some", In: i%3 == 0, At: at(1)})
		for n := range 1 + i%6 {
			days := 7*n + i%5
			if i < 30 {
				days += 120
			}
			buy(i, days, money.Micros(10+i), "completed")
		}
		l.Events = append(l.Events, warehouse.Event{Profile: who(i), At: at(170), Type: "system", Name: event.PredictionMade, Properties: fmt.Sprintf(`{"predictions":[{"name":"clv","value":%d}]}`, i)})
	}
	for i := range 10 { // a look before each order of these
		buy(i, 25, 20, "completed")
		l.Events = append(l.Events, warehouse.Event{Profile: who(i), At: at(25) - 1000, Session: at(25), Type: "track", Name: event.ProductViewed})
	}
	buy(61, 150, -7, "refunded") // who only sent something back
	message := func(i int, channel string, states ...string) {
		id := profile.DeliveryID{byte(len(l.Deliveries)), 1}
		for k, s := range states {
			l.Deliveries = append(l.Deliveries, warehouse.Delivery{Profile: who(i), Delivery: id, At: at(119) + event.Time(k), Channel: channel, Origin: "welcome", Step: "hello", Class: "marketing", State: s, Actor: "human"})
		}
	}
	for i := range 12 {
		message(i, "email", "planned", "accepted", "delivered", "clicked")
	}
	for i := 10; i < 17; i++ {
		message(i, "sms", "planned", "accepted")
	}
	a := tablesOf(t, at(180), &l)

	same := func(name string, in api.Asked, key string, number int64) {
		t.Helper()
		in.Key = key
		if n := a.people(name, in); n != number || number == 0 {
			t.Errorf("%s, %s of %q: the number is %d, and %d people are named", name, in.Who, key, number, n)
		}
	}
	span := api.Asked{From: at(100).String(), To: at(180).String()}
	asking := func(who string) api.Asked { in := span; in.Who = who; return in }
	for _, by := range []string{"", "day", "month", "hour", "hour_of_week", "device", "channel", "store", "city", "segment"} {
		in := span
		in.By = by
		for _, row := range a.report("kpis", in).KPIs.Rows {
			for _, f := range []struct {
				who string
				n   int64
			}{{"customers", row.Customers}, {"repeating", row.Repeating}, {"visitors", row.Visitors}, {"predicted_clv", func() int64 {
				if row.CLV == nil {
					return 0
				}
				return row.CLV.Customers
			}()}} {
				if in.Who = f.who; f.n > 0 {
					same("kpis", in, row.Key, f.n)
				}
			}
		}
	}
	k := a.report("kpis", span).KPIs
	if came, gone := a.people("kpis", asking("retention")), a.people("kpis", asking("churn")); k.Retention == nil || float64(came)/float64(came+gone) != *k.Retention || came == 0 || gone == 0 {
		t.Errorf("retention is %v, and %d came again of %d", k.Retention, came, came+gone)
	}
	if whole := a.report("kpis", api.Asked{}).KPIs; whole.Retention != nil || whole.Churn != nil {
		t.Errorf("nobody ordered before the beginning, and %v came again", *whole.Retention)
	}
	same("kpis", asking("profiles"), "", k.Profiles)
	same("kpis", asking("reach"), "", k.Reach)
	if n := a.people("kpis", asking("opt_in")); float64(n)/float64(k.Profiles) != k.OptIn {
		t.Errorf("opt-in is %v, and %d people are named", k.OptIn, n)
	}
	if n := a.people("kpis", asking("revenue")); n != k.Rows[0].Customers+1 {
		t.Errorf("%d people have a part in the revenue: %d ordered, and one sent something back", n, k.Rows[0].Customers)
	}

	for _, channel := range []string{"email", "sms"} {
		in := api.Asked{Channel: channel}
		rows := a.report("messages", in).Messages.Rows
		if len(rows) != 1 {
			t.Fatalf("%s: %+v", channel, rows)
		}
		in.Who = "sent"
		same("messages", in, "welcome/hello", rows[0].Sent)
		in.Who = "orders" // each of them orders once within a week
		same("messages", in, "welcome/hello", rows[0].Orders)
	}
	same("messages", api.Asked{Who: "clicked", Channel: "email"}, "welcome/hello", 12)

	clv := a.report("clv", api.Asked{}).CLV
	same("clv", api.Asked{Who: "customers"}, "", clv.Customers)
	for i, mean := range clv.Deciles {
		if want := 56.5 - 6*float64(i); mean != want {
			t.Errorf("tenth %d has a mean of %v, want %v", i+1, mean, want)
		}
		same("clv", api.Asked{Who: "customers"}, fmt.Sprint(i+1), 6)
	}

	paths := a.report("paths", api.Asked{}).Paths
	for _, p := range paths.Rows {
		if len(p.Names) == 2 { // once for each of them
			same("paths", api.Asked{Who: "visits"}, strings.Join(p.Names, " > "), p.Visits)
		}
	}

	rfm := a.report("rfm", api.Asked{Before: at(100).String()}).RFM
	kinds := map[string]bool{}
	sum := int64(0)
	for _, m := range rfm.Movement {
		kinds[m.To] = true
		sum += m.Customers
		if m.To != "none" {
			same("rfm", api.Asked{Before: at(100).String(), Who: "movement"}, m.From+"/"+m.To, m.Customers)
		}
	}
	if sum != rfm.Customers || len(kinds) < 3 {
		t.Errorf("%d of %d customers moved: %+v", sum, rfm.Customers, rfm.Movement)
	}
	var text strings.Builder
	if err := report.Write(&text, a.report("rfm", api.Asked{})); err != nil || !strings.Contains(text.String(), "recency days mean") || !strings.Contains(text.String(), "monetary mean") {
		t.Errorf("three means of nothing: %v\n%s", err, text.String())
	}
	if b, _ := json.Marshal(a.report("rfm", api.Asked{})); strings.Contains(string(b), "movement") {
		t.Errorf("nobody asked for movement: %s", b)
	}
	if few := a.report("rfm", api.Asked{Before: at(1).String(), To: at(2).String()}).RFM; few.Movement != nil || !strings.Contains(few.Unmoved, "at least 50") {
		t.Errorf("of the first days: %+v", few)
	}
	for _, in := range []api.Asked{{Before: at(200).String()}, {Who: "movement", Key: "champion/loyal"}} {
		if _, err := api.ReportOf(t.Context(), a.w, func() event.Time { return a.now }, "rfm", &in); err == nil {
			t.Errorf("%+v is answered", in)
		}
	}
}
