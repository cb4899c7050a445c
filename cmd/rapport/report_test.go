package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/clock"
	"rapport/internal/core/money"
	"rapport/internal/erase"
	"rapport/internal/report"
)

// retail is the file of the published figures; a stranger's clone has none.
const retail = "../../../shared/data/online-retail/online_retail.csv.gz"

// ask runs a report on a data directory.
func ask(t *testing.T, data string, args ...string) (r api.Report) {
	t.Helper()
	out, _ := say(t, exitDone, append([]string{"report", "--data", data, "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err, out)
	}
	return r
}

// A fingerprint has more digits than a float64 holds, and whoever prints it looks for it.
func TestSQLOfAServerPrintsNumbersAsTheyAre(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"columns":[{"name":"id","type":"int"},{"name":"share","type":"float"}],"rows":[[6156817372393739123,0.25]],"truncated":false}`)
	}))
	t.Cleanup(web.Close)
	for _, format := range []string{"--rows=5", "--json"} {
		out, _ := say(t, exitDone, "sql", "SELECT id, 0.25 AS share FROM events", "--server", web.URL, "--key", "rp_s_x", format)
		if !strings.Contains(out, "6156817372393739123") || !strings.Contains(out, "0.25") {
			t.Errorf("%s: %s", format, out)
		}
	}
}

// The whole triangle, both ways, and RFM as they were computed independently.
func TestReportsGiveThePublishedFiguresOfOnlineRetail(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(retail); err != nil {
		t.Skip("the Online Retail file is not here: " + retail)
	}
	b, err := os.ReadFile("../../../shared/data/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Retail struct {
			Sum   float64
			Clean struct {
				Customers, Invoices int64
				Sum                 float64
			}
			RFM struct {
				Mean, Q25, Q50, Q75 []float64
				MaxF                float64 `json:"max_F"`
				MaxM                float64 `json:"max_M"`
				Once                int64   `json:"F1_customers"`
			} `json:"rfm_clean_snapshot_2011_12_10"`
			All      map[string][]int64 `json:"cohorts_all_rows_with_customer"`
			WithoutC map[string][]int64 `json:"cohorts_without_C"`
		} `json:"online_retail"`
	}
	if err := json.Unmarshal(b, &reference); err != nil {
		t.Fatal(err)
	}
	want := reference.Retail
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	say(t, exitDone, "import", "orders", retail, "--data", data, "--currency", "GBP", "--returns-prefix", "C", "--no-reachable", "--errors", filepath.Join(dir, "errors.csv"))

	for kinds, triangle := range map[string]map[string][]int64{"all": want.All, "completed": want.WithoutC} {
		got := map[string][]int64{}
		for _, c := range ask(t, data, "cohorts", "--kinds", kinds).Cohorts.Rows {
			got[c.Month] = c.People
		}
		if len(got) != 13 {
			t.Errorf("%s: %d cohorts", kinds, len(got))
		}
		for month, row := range triangle {
			if !slices.Equal(got[month], row) {
				t.Errorf("%s, %s: %v, want %v", kinds, month, got[month], row)
			}
		}
	}

	rfm := ask(t, data, "rfm", "--to", "2011-12-10").RFM
	if rfm.Customers != want.Clean.Customers || rfm.Once != want.RFM.Once || rfm.Frequency.Max != want.RFM.MaxF || rfm.Monetary.Max != want.RFM.MaxM {
		t.Errorf("RFM of %d customers, %d once, at most %v and %v", rfm.Customers, rfm.Once, rfm.Frequency.Max, rfm.Monetary.Max)
	}
	for i, s := range []struct {
		name                string
		mean, q25, q50, q75 float64
	}{
		{"recency", rfm.Recency.Mean, rfm.Recency.Q25, rfm.Recency.Q50, rfm.Recency.Q75},
		{"frequency", rfm.Frequency.Mean, rfm.Frequency.Q25, rfm.Frequency.Q50, rfm.Frequency.Q75},
		{"monetary", rfm.Monetary.Mean, rfm.Monetary.Q25, rfm.Monetary.Q50, rfm.Monetary.Q75},
	} {
		for j, pair := range [][2]float64{{s.mean, want.RFM.Mean[i]}, {s.q25, want.RFM.Q25[i]}, {s.q50, want.RFM.Q50[i]}, {s.q75, want.RFM.Q75[i]}} {
			if math.Abs(pair[0]-pair[1]) > 1e-5 {
				t.Errorf("%s, figure %d: %v, want %v", s.name, j, pair[0], pair[1])
			}
		}
	}
	total := int64(0)
	for _, c := range rfm.Cells {
		total += c.Customers
	}
	if total != rfm.Customers {
		t.Errorf("the cells hold %d customers", total)
	}

	// Revenue exactly, in one row, by day and by hour, and by SQL, CSV and Parquet.
	kpis := ask(t, data, "kpis", "--to", "2012-01-01").KPIs
	revenue := int64(math.Round(want.Sum * 1e6))
	if len(kpis.Rows) != 1 || int64(kpis.Rows[0].Revenue) != revenue {
		t.Errorf("the KPIs are %+v, want a revenue of %d", kpis.Rows, revenue)
	}
	for _, by := range []string{"month", "day", "hour", "channel"} {
		sum, orders := int64(0), int64(0)
		for _, k := range ask(t, data, "kpis", "--to", "2012-01-01", "--by", by, "--zone", "Europe/London").KPIs.Rows {
			sum += int64(k.Revenue)
			orders += k.Orders
		}
		if sum != revenue || orders != kpis.Rows[0].Orders {
			t.Errorf("by %s the revenue is %d of %d orders", by, sum, orders)
		}
	}
	const query = "SELECT profile, net FROM orders"
	out, _ := say(t, exitDone, "sql", query, "--data", data, "--csv")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, r := range rows[1:] {
		var n int64
		if _, err := fmt.Sscan(r[1], &n); err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != revenue {
		t.Errorf("the CSV adds up to %d", sum)
	}
	parquet := filepath.Join(dir, "orders.parquet")
	say(t, exitDone, "sql", query, "--data", data, "--parquet", parquet)
	if b, err := os.ReadFile(parquet); err != nil || len(b) < 1000 || string(b[:4]) != "PAR1" {
		t.Errorf("the Parquet file has %d bytes, %v", len(b), err)
	}

	// A number names its people, page by page.
	var people []string
	cursor := ""
	for {
		args := []string{"cohorts", "--who", "people", "--key", "2010-12/3", "--limit", "100"}
		if cursor != "" {
			args = append(args, "--cursor", cursor)
		}
		page := ask(t, data, args...).People
		for _, id := range page.Data {
			people = append(people, id.String())
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(people)))); n != 367 || len(people) != 367 {
		t.Errorf("the cell of 367 names %d people, %d of them apart", len(people), n)
	}
	if page := ask(t, data, "kpis", "--who", "repeating", "--to", "2012-01-01", "--limit", "5").People; len(page.Data) != 5 || page.Next == "" {
		t.Errorf("the page is %+v", page)
	}
	funnel := ask(t, data, "funnel", "--steps", "Order Completed,Order Refunded", "--within", "30d").Funnel
	if len(funnel.Steps) != 2 || funnel.Steps[1].People == 0 || funnel.Steps[1].People >= funnel.Steps[0].People {
		t.Errorf("the funnel is %+v", funnel)
	}
	say(t, exitFailed, "sql", "DELETE FROM raw_orders", "--data", data)
	say(t, exitFailed, "sql", "SELECT * FROM read_csv('"+filepath.Join(data, "keys.json")+"')", "--data", data)
}

// Nobody's name and no address stands in the warehouse: neither in its files nor in
// its rows. And who is erased is gone from it.
func TestTheWarehouseNamesNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, customers, orders := filepath.Join(dir, "data"), filepath.Join(dir, "customers.csv"), filepath.Join(dir, "orders.csv")
	people, bought := "email,first_name,last_name,phone,city,user_id\n", "order,date,sku,quantity,price,customer,email\n"
	var needles []string
	for i := range 60 {
		first, last := fmt.Sprintf("Firstname%02d", i), fmt.Sprintf("Lastname%02d", i)
		mail, phone := strings.ToLower(first+"."+last)+"@shop.example", fmt.Sprintf("+4477009%05d", i)
		people += fmt.Sprintf("%s,%s,%s,%s,Leeds,cust-%02d\n", mail, first, last, phone, i)
		bought += fmt.Sprintf("%d,2026-01-%02d,LAMP-%d,1,20,cust-%02d,%s\n", i, 1+i%28, i%7, i, mail)
		needles = append(needles, first, last, mail, phone)
	}
	for path, body := range map[string]string{customers: people, orders: bought} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say(t, exitDone, "import", "customers", customers, "--data", data)
	say(t, exitDone, "import", "orders", orders, "--data", data, "--currency", "GBP")
	said, _ := say(t, exitDone, "sql", "SELECT count(*) AS n FROM profiles WHERE city = 'Leeds' AND reachable LIKE '%email%'", "--data", data, "--json")
	if !strings.Contains(said, `"rows":[[60]]`) {
		t.Errorf("profiles are %s", said)
	}
	folder := filepath.Join(data, warehouseDir)
	d, err := openDirectory(t.Context(), data, opening{clock: clock.Wall()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.openTables(t.Context(), "duckdb", nil); err != nil {
		t.Fatal(err)
	}
	found, err := erase.Scan(t.Context(), folder, needles, d.tables.loader.Everything)
	if err != nil || len(found) > 0 {
		t.Errorf("%v\n%s", err, erase.Say(found))
	}
	// As a control: the scan finds what is there.
	if found, err := erase.Scan(t.Context(), folder, []string{"LAMP-3"}, d.tables.loader.Everything); err != nil || len(found) == 0 {
		t.Errorf("the scan does not find a SKU: %v", err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}

	say(t, exitDone, "erase", "firstname07.lastname07@shop.example", "--data", data, "--prove")
	said, _ = say(t, exitDone, "sql", "SELECT count(*) AS n FROM orders", "--data", data, "--json")
	if !strings.Contains(said, `"rows":[[59]]`) {
		t.Errorf("after an erasure the orders are %s", said)
	}
}

func TestSQLOnADirectoryThatAServerUsesSaysWhomToAsk(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d, err := openDirectory(t.Context(), data, opening{clock: clock.Wall(), create: true})
	if err != nil {
		t.Fatal(err)
	}
	_, errs := say(t, exitFailed, "sql", "SELECT 1", "--data", data)
	if !strings.Contains(errs, "RAPPORT_KEY") {
		t.Errorf("it says %s", errs)
	}
	say(t, exitMisuse, "sql", "SELECT 1")
	if err := d.openTables(t.Context(), "duckdb", nil); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	// None deletes what is there.
	if d, err = openDirectory(t.Context(), data, opening{clock: clock.Wall()}); err != nil {
		t.Fatal(err)
	}
	if err := d.openTables(t.Context(), "none", nil); err != nil || d.tables != nil {
		t.Errorf("%v, %v", d.tables, err)
	}
	if _, err := os.Stat(filepath.Join(data, warehouseDir)); err == nil {
		t.Error("the folder is still there")
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheBenchOfReportsRuns(t *testing.T) {
	t.Parallel()
	out, _ := say(t, exitDone, "bench", "reports", "--short", "--json", "--dir", t.TempDir())
	if !strings.Contains(out, `"cohorts_s"`) {
		t.Errorf("it says %s", out)
	}
}

// A shop that takes euros too is not richer by adding them to its pounds.
func TestReportsNeverAddUpTwoCurrencies(t *testing.T) {
	t.Parallel()
	s, table, _ := served(t)
	if err := s.d.openTables(t.Context(), "duckdb", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.node.Engine.CatchUp(t.Context()); err != nil { // the definitions come into force
		t.Fatal(err)
	}
	h := table.guarded()
	for i, currency := range []string{"GBP", "GBP", "EUR"} {
		body := fmt.Sprintf(`{"messageId":"%d","event":"Order Completed","userId":"ada","properties":{"order_id":"o%d","currency":%q,"products":[{"sku":"LAMP","price":20,"quantity":1}]}}`, i, i, currency)
		r := httptest.NewRequest("POST", "http://shop.test/v1/track", strings.NewReader(body))
		r.SetBasicAuth(s.d.fresh[0].Text, "")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 200 {
			t.Fatalf("%s is answered %d %s", body, w.Code, w.Body)
		}
	}
	if err := s.node.Engine.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.d.tables.loader.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	tables := report.Tables{Warehouse: s.d.tables.store(), Now: s.clock.Now}
	v, err := tables.Ask(t.Context(), "kpis", report.Params{To: s.clock.Now() + 1000})
	if err != nil {
		t.Fatal(err)
	}
	k := v.(report.KPIs)
	if row := k.Rows[0]; k.Currency != "GBP" || row.Orders != 3 || row.Elsewhere != 1 || row.Revenue != 40*money.One || row.AOV != 20*money.One {
		t.Errorf("the KPIs are %+v", k)
	}
	v, err = tables.Ask(t.Context(), "rfm", report.Params{To: s.clock.Now() + 1000})
	if err != nil {
		t.Fatal(err)
	}
	if r := v.(report.RFM); r.Currency != "GBP" || r.Customers != 1 || r.Frequency.Max != 3 || r.Monetary.Max != 40 {
		t.Errorf("RFM is %+v", r)
	}
}
