package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/report"
)

// flows fails unless the stages add up to the customers on every day, and whoever
// came into a stage has left it or is in it at the end.
func flows(t *testing.T, l *report.Life) {
	t.Helper()
	before := int64(0)
	for _, d := range l.Days {
		sum := int64(0)
		for _, n := range d.Stages {
			sum += n
		}
		if sum != d.Customers || d.Customers < before {
			t.Fatalf("on %s the stages of %d customers add up to %d, the day before there were %d", d.Day, d.Customers, sum, before)
		}
		before = d.Customers
	}
	left, stays := map[string]int64{}, map[string]int64{}
	for _, m := range l.Moves {
		left[m.From] += m.Moves
		stays[m.From] = m.Stays
		if m.Low > m.Rate || m.Rate > m.High || m.Low < 0 || m.High > 1 || m.Quarter == "" {
			t.Errorf("the rate of %s to %s is %v between %v and %v", m.From, m.To, m.Rate, m.Low, m.High)
		}
	}
	end := l.Days[len(l.Days)-1].Stages
	for stage, n := range stays {
		if n-left[stage] != end[stage] {
			t.Errorf("of %d stays as %s %d ended, and %d last", n, stage, left[stage], end[stage])
		}
	}
}

func TestStagesAddUpToAllCustomersOnEveryDayOfOnlineRetail(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(retail); err != nil {
		t.Skip("the Online Retail file is not here: " + retail)
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	say(t, exitDone, "import", "orders", retail, "--data", data, "--currency", "GBP", "--returns-prefix", "C", "--no-reachable", "--errors", filepath.Join(dir, "errors.csv"))
	l := ask(t, data, "lifecycle", "--to", "2011-12-10", "--zone", "Europe/London").Life
	if len(l.Days) != 374 || l.Days[0].Day != "2010-12-01" || l.Days[373].Day != "2011-12-09" {
		t.Fatalf("there are %d days", len(l.Days))
	}
	flows(t, l)
	for _, m := range l.Moves {
		t.Logf("%s → %s: %d of %d stays, %.3f (%.3f to %.3f)", m.From, m.To, m.Moves, m.Stays, m.Rate, m.Low, m.High)
	}
	end := l.Days[373].Stages
	t.Logf("at the end: %v", end)
	people, next, n := int64(0), "", 0
	for {
		page := ask(t, data, "lifecycle", "--to", "2011-12-10", "--zone", "Europe/London", "--who", "customers", "--key", "2011-12-09/loyal", "--limit", "500", "--cursor", next).People
		people += int64(len(page.Data))
		if next = page.Next; next == "" || n > 20 {
			break
		}
		n++
	}
	if people != end["loyal"] || people == 0 {
		t.Errorf("%d customers are loyal, and %d are named", end["loyal"], people)
	}
}

func TestARefundMovesBackAndTheWarehouseSaysTheStage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, orders := filepath.Join(dir, "data"), filepath.Join(dir, "orders.csv")
	body := "order,date,sku,quantity,price,customer\n" +
		"1,2026-01-02,a,1,20,ada\n2,2026-01-12,a,1,20,ada\nC3,2026-01-15,a,-1,20,ada\n" +
		"4,2026-01-02,a,1,20,ben\nC5,2026-01-04,a,-1,20,ben\n"
	if err := os.WriteFile(orders, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, exitDone, "import", "orders", orders, "--data", data, "--currency", "GBP", "--returns-prefix", "C")
	l := ask(t, data, "lifecycle", "--from", "2026-01-01", "--to", "2026-08-01").Life
	flows(t, l)
	got := map[string]string{}
	for _, d := range l.Days {
		got[d.Day] = fmt.Sprint(d.Stages)
	}
	for day, want := range map[string]string{
		"2026-01-02": "map[first:2]", "2026-01-12": "map[considering:1 repeat:1]", "2026-01-15": "map[considering:1 first:1]",
		"2026-05-30": "map[at-risk:1 prospect:1]", "2026-07-31": "map[at-risk:1 prospect:1]",
	} {
		if got[day] != want {
			t.Errorf("on %s the stages are %s, want %s", day, got[day], want)
		}
	}
	if people := ask(t, data, "lifecycle", "--to", "2026-08-01", "--who", "moves", "--key", "repeat/first").People; len(people.Data) != 1 {
		t.Errorf("%d customers moved back from repeat to first", len(people.Data))
	}
	said, _ := say(t, exitDone, "sql", "SELECT lifecycle, count(*) FROM profiles GROUP BY lifecycle ORDER BY lifecycle", "--data", data, "--json")
	if !strings.Contains(said, `"rows":[["considering",1],["first",1]]`) {
		t.Errorf("the warehouse says %s", said)
	}
}

// From the edge to the report: the class that the edge found stands in the warehouse,
// KPIs are told by it, and a hand-over counts once however often the order is told.
func TestWhatWasSeenOnAPhoneAndBoughtOnADesktopIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	s, table, _ := served(t)
	if err := s.d.openTables(t.Context(), "duckdb", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.node.Engine.CatchUp(t.Context()); err != nil { // the definitions come into force
		t.Fatal(err)
	}
	h := table.guarded()
	write := s.d.fresh[0].Text
	tell := func(agent, body string) {
		t.Helper()
		r := httptest.NewRequest("POST", "http://shop.test/v1/track", strings.NewReader(body))
		r.SetBasicAuth(write, "")
		r.Header.Set("User-Agent", agent)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 200 {
			t.Fatalf("%s is answered %d %s", body, w.Code, w.Body)
		}
	}
	const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
	const desktop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	tell(phone, `{"messageId":"1","event":"Product Viewed","userId":"ada","properties":{"sku":"LAMP"}}`)
	order := `"event":"Order Completed","userId":"ada","properties":{"order_id":"7","currency":"GBP","products":[{"sku":"LAMP","price":20,"quantity":1}]}}`
	tell(desktop, `{"messageId":"2",`+order)
	tell(desktop, `{"messageId":"2",`+order)
	tell(desktop, `{"messageId":"3",`+order)
	if err := s.node.Engine.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.d.tables.loader.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	tables := report.Tables{Warehouse: s.d.tables.store(), Now: s.clock.Now}
	v, err := tables.Ask(t.Context(), "kpis", report.Params{By: "device", To: s.clock.Now() + 1000})
	if err != nil {
		t.Fatal(err)
	}
	kpis := v.(report.KPIs).Rows
	if len(kpis) != 2 || kpis[0].Key != "desktop" || kpis[0].Orders != 1 || kpis[1].Key != "mobile" || kpis[1].Visitors != 1 || kpis[1].Orders != 0 {
		t.Errorf("by device the KPIs are %+v", kpis)
	}
	v, err = tables.Ask(t.Context(), "handovers", report.Params{To: s.clock.Now() + 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(v); got != "{1 [{mobile desktop 1 1 1}]}" {
		t.Errorf("the hand-overs are %s", got)
	}
	v, err = tables.Ask(t.Context(), "handovers", report.Params{To: s.clock.Now() + 1000, Who: "people", Key: "mobile/desktop"})
	if err != nil || len(v.(report.People).IDs) != 1 {
		t.Errorf("the people are %v, %v", v, err)
	}
}
