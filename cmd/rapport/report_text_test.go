package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/report"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

func TestKPIsComeByMonthOfTheZoneWithWhatTheModelExpects(t *testing.T) {
	t.Parallel()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: t.TempDir(), MemoryMB: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	at := func(text string) event.Time {
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return event.At(v)
	}
	l := warehouse.Load{To: warehouse.Key{Epoch: 1, Seq: 1}}
	order := func(who byte, when string, net money.Micros) {
		id := fmt.Sprint(len(l.Orders))
		l.Orders = append(l.Orders, warehouse.Order{Profile: identity.ID{who}, OrderID: id, Kind: "completed", At: at(when), Net: net * money.One, Currency: "GBP"})
		l.Events = append(l.Events, warehouse.Event{Profile: identity.ID{who}, At: at(when), Type: "track", Name: event.OrderCompleted})
	}
	predict := func(who byte, when string, clv string) {
		l.Events = append(l.Events, warehouse.Event{Profile: identity.ID{who}, At: at(when), Type: "system", Name: event.PredictionMade, Properties: `{"model":"value","predictions":[{"name":"p_alive","value":0.5},{"name":"clv","value":` + clv + `}]}`})
	}
	order(1, "2026-03-31T22:30:00Z", 10) // in London it is half past eleven of the last evening
	order(1, "2026-03-31T23:30:00Z", 20) // and here the first hour of April
	order(2, "2026-04-02T10:00:00Z", 30)
	order(3, "2026-06-01T10:00:00Z", 40)
	predict(1, "2026-04-03T00:00:00Z", "11")
	predict(1, "2026-04-04T00:00:00Z", "12.5")
	predict(2, "2026-04-04T00:00:00Z", "7.5")
	if err := w.LoadFeed(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	now := at("2026-07-01T00:00:00Z")
	r, err := api.ReportOf(t.Context(), w, func() event.Time { return now }, "kpis", &api.Asked{By: "month", Zone: "Europe/London"})
	if err != nil {
		t.Fatal(err)
	}
	rows := r.KPIs.Rows
	if len(rows) != 3 || rows[0].Key != "2026-03" || rows[1].Key != "2026-04" || rows[2].Key != "2026-06" || rows[0].Revenue != 10*money.One || rows[1].Revenue != 50*money.One || rows[1].Visitors != 2 {
		t.Fatalf("the months are %+v", rows)
	}
	if c := rows[1].CLV; c == nil || c.Customers != 2 || c.Sum != 20*money.One || c.Mean != 10*money.One {
		t.Errorf("what is expected of April's customers is %+v", c)
	}
	if rows[0].CLV == nil || rows[0].CLV.Sum != 12_500_000 || rows[2].CLV != nil {
		t.Errorf("what is expected is %+v and %+v", rows[0].CLV, rows[2].CLV)
	}
	who, err := api.ReportOf(t.Context(), w, func() event.Time { return now }, "kpis", &api.Asked{By: "month", Zone: "Europe/London", Who: "customers", Key: "2026-04"})
	if err != nil || len(who.People.Data) != 2 {
		t.Errorf("behind April are %v, %v", who.People, err)
	}
	var out strings.Builder
	if err := report.Write(&out, r); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"by month", "currency GBP", "rows key orders revenue customers", "predicted clv customers predicted clv sum predicted clv mean", "2026-04 2 50.00 2", "2 20.00 10.00"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in the text:\n%s", want, out.String())
		}
	}
}

// A triangle of cohorts is lists in lists.
func TestEveryReportIsATable(t *testing.T) {
	t.Parallel()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: t.TempDir(), MemoryMB: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, name := range report.Names {
		in := api.Asked{}
		if name == "funnel" {
			in.Steps = []string{"a", "b"}
		}
		r, err := api.ReportOf(t.Context(), w, func() event.Time { return 1_700_000_000_000 }, name, &in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out strings.Builder
		if err := report.Write(&out, r); err != nil || out.Len() == 0 || strings.Contains(out.String(), "{") {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}
