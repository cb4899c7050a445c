package retail_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// The file is read once for all tests that only look at the result.
var (
	figures = sync.OnceValues(func() (retail.Figures, error) { return retail.Count(retail.Rows) })
	year    = sync.OnceValues(retail.Invoices)
)

func count(t *testing.T) retail.Figures {
	t.Helper()
	f, err := figures()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func micros(t *testing.T, s string) money.Micros {
	t.Helper()
	m, err := money.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOurReaderCountsThePublishedFigures(t *testing.T) {
	t.Parallel()
	f := count(t)
	want := retail.Totals{
		Rows: 541_909, Invoices: 25_900, StockCodes: 4_070, Customers: 4_372, RowsWithoutCustomer: 135_080,
		ReturnRows: 9_288, NotProductRows: f.Orders.NotProductRows, Countries: 38,
		Sum: retail.Pounds(micros(t, "9747747.934")),
	}
	if f.Orders != want {
		t.Errorf("all rows = %+v\nwant %+v", f.Orders, want)
	}
	c := f.Clean
	if c.Rows != 397_884 || c.Customers != 4_338 || c.Invoices != 18_532 || c.RowsWithoutCustomer != 0 || c.ReturnRows != 0 {
		t.Errorf("clean rows = %+v, want 397,884 rows, 4,338 customers, 18,532 invoices", c)
	}
	if got := c.Sum.String(); got != "8911407.904" {
		t.Errorf("sum of the clean rows = %s, want 8911407.904", got)
	}
	if got := f.First.String() + " " + f.Last.String(); got != "2010-12-01T08:26:00.000Z 2011-12-09T12:50:00.000Z" {
		t.Errorf("first and last row = %s", got)
	}
}

func TestCohortsAreThoseThatOthersPublished(t *testing.T) {
	t.Parallel()
	f := count(t)
	for _, c := range []struct {
		name string
		got  retail.Cohort
		want retail.Cohort
	}{
		{"all rows, December", f.Cohorts[0], retail.Cohort{Month: "2010-12", Customers: []int{948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260}}},
		{"all rows, January", f.Cohorts[1], retail.Cohort{Month: "2011-01", Customers: []int{421, 101, 119, 102, 138, 126, 110, 108, 131, 146, 155, 63}}},
		{"all rows, February", f.Cohorts[2], retail.Cohort{Month: "2011-02", Customers: []int{380, 94, 73, 106, 102, 94, 97, 107, 98, 119, 35}}},
		{"without returns, December", f.CohortsBought[0], retail.Cohort{Month: "2010-12", Customers: []int{885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235}}},
		{"without returns, October", f.CohortsBought[10], retail.Cohort{Month: "2011-10", Customers: []int{358, 86, 41}}},
		{"without returns, the last", f.CohortsBought[12], retail.Cohort{Month: "2011-12", Customers: []int{41}}},
	} {
		if c.got.Month != c.want.Month || !slices.Equal(c.got.Customers, c.want.Customers) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestNobodyOrdersOnASaturdayNorAtNight(t *testing.T) {
	t.Parallel()
	f := count(t)
	if f.SaturdayRows != 0 || f.Weekdays[time.Saturday] != 0 {
		t.Errorf("%d rows and %d orders on a Saturday, want none", f.SaturdayRows, f.Weekdays[time.Saturday])
	}
	orders := 0
	for h, n := range f.Hours {
		orders += n
		if n > 0 && (h < 6 || h > 20) {
			t.Errorf("%d orders at %02d h, want them from 06 to 20", n, h)
		}
	}
	if orders != 18_532 {
		t.Errorf("the hours count %d orders, want 18,532", orders)
	}
	if s := f.Wholesale(); !strings.Contains(s, "18532 orders 0 came on a Saturday, none before 06:00 and none after 20:59") {
		t.Errorf("the sentence about wholesalers says %q", s)
	}
}

func TestSumsStandInJSONAsPounds(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(retail.Figures{Orders: retail.Totals{Sum: retail.Pounds(micros(t, "9747747.934"))}})
	if err != nil || !strings.Contains(string(b), `"sum":9747747.934`) {
		t.Fatalf("figures as JSON = %s, %v", b, err)
	}
	var back retail.Figures
	if err := json.Unmarshal(b, &back); err != nil || back.Orders.Sum.String() != "9747747.934" {
		t.Fatalf("read back: %s, %v", back.Orders.Sum, err)
	}
}

func TestTheFileIsTheOneThatWasPacked(t *testing.T) {
	t.Parallel()
	r, err := retail.CSV()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		t.Fatal(err)
	}
	const want = "9a3c53f5c4acd8664d4a4e22783d6c2955e4bb59776872370f71e3f5564f19c9"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Fatalf("SHA-256 = %s, want %s as in SOURCE.md", got, want)
	}
}

func TestInvoicesAreWholeAndInTimeOrder(t *testing.T) {
	t.Parallel()
	invoices, err := year()
	if err != nil {
		t.Fatal(err)
	}
	var sum money.Micros
	lines, longest, other := 0, 0, 0
	seen := map[string]bool{}
	for i, v := range invoices {
		if i > 0 {
			if p := invoices[i-1]; p.At > v.At || p.At == v.At && p.Number >= v.Number {
				t.Fatalf("invoice %s of %s stands before %s of %s", p.Number, p.At, v.Number, v.At)
			}
		}
		if seen[v.Number] {
			t.Fatalf("invoice %s comes twice", v.Number)
		}
		seen[v.Number] = true
		if v.Return != strings.HasPrefix(v.Number, "C") {
			t.Errorf("invoice %s: Return = %v", v.Number, v.Return)
		}
		sum += v.Net()
		lines += len(v.Lines)
		longest = max(longest, len(v.Lines))
		for _, l := range v.Lines {
			if !l.Product {
				other++
			}
		}
	}
	if len(invoices) != 25_900 || lines != 541_909 || longest != 1_114 || sum.String() != "9747747.934" {
		t.Errorf("%d invoices, %d lines, longest %d, sum %s; want 25,900, 541,909, 1,114, 9747747.934", len(invoices), lines, longest, sum)
	}
	if f := count(t); f.Orders.NotProductRows != other {
		t.Errorf("%d lines are not products, the figures say %d", other, f.Orders.NotProductRows)
	}
}

func TestAnInvoiceOfTwoMinutesIsOfTheFirst(t *testing.T) {
	t.Parallel()
	type span struct{ first, last event.Time }
	spans := map[string]span{}
	if err := retail.Rows(func(r retail.Row) bool {
		s, ok := spans[r.Invoice]
		if !ok {
			s = span{r.At, r.At}
		}
		spans[r.Invoice] = span{min(s.first, r.At), max(s.last, r.At)}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	invoices, err := year()
	if err != nil {
		t.Fatal(err)
	}
	two := 0
	for _, v := range invoices {
		s := spans[v.Number]
		if s.first != s.last {
			two++
		}
		if v.At != s.first {
			t.Errorf("invoice %s is of %s, want %s", v.Number, v.At, s.first)
		}
	}
	if two != 43 {
		t.Errorf("%d invoices with two minutes, want 43", two)
	}
}

func TestPostageAndFeesAreNotProducts(t *testing.T) {
	t.Parallel()
	for sku, want := range map[string]bool{
		"85123A": true, "22139": true, "15056BL": true, "DCGS0076": true, "DCGSSBOY": true,
		"POST": false, "DOT": false, "M": false, "m": false, "D": false, "S": false, "B": false, "C2": false, "CRUK": false,
		"BANK CHARGES": false, "AMAZONFEE": false, "PADS": false, "gift_0001_40": false, "": false, "1234": false,
	} {
		if got := retail.IsProduct(sku); got != want {
			t.Errorf("IsProduct(%q) = %v, want %v", sku, got, want)
		}
	}
}

const columns = `"InvoiceNo","StockCode","Description","Quantity","InvoiceDate","UnitPrice","CustomerID","Country"` + "\n"

func TestQuotesWithinATextAreRead(t *testing.T) {
	t.Parallel()
	in := columns + `"540540","85071C","CHARLIE+LOLA""EXTREMELY, BUSY"" SIGN""",6,"2010-12-01 14:05:00",2.55,"14911","EIRE"` + "\r\n" +
		`"540541","22139",,56,"2010-12-01 11:52:00",0,"","United Kingdom"`
	var rows []retail.Row
	if err := retail.Read(strings.NewReader(in), func(r retail.Row) bool {
		rows = append(rows, r)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	at := func(s string) event.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return event.At(x)
	}
	want := []retail.Row{
		{Invoice: "540540", SKU: "85071C", Description: `CHARLIE+LOLA"EXTREMELY, BUSY" SIGN"`, Quantity: 6, At: at("2010-12-01T14:05:00Z"), Price: 2_550_000, Customer: "14911", Country: "EIRE"},
		{Invoice: "540541", SKU: "22139", Quantity: 56, At: at("2010-12-01T11:52:00Z"), Country: "United Kingdom"},
	}
	if !slices.Equal(rows, want) {
		t.Fatalf("rows = %+v\nwant %+v", rows, want)
	}
}

func TestADamagedFileNamesItsLine(t *testing.T) {
	t.Parallel()
	good := `"540540","85071C","SIGN",6,"2010-12-01 14:05:00",2.55,"14911","EIRE"` + "\n"
	for name, c := range map[string]struct{ in, want string }{
		"empty":              {"", "empty"},
		"other columns":      {"a,b\n", "line 1"},
		"too few columns":    {columns + good + `"540540","85071C"` + "\n", "line 3"},
		"too many columns":   {columns + strings.TrimSuffix(good, "\n") + ",x\n", "line 2"},
		"an open quote":      {columns + `"540540`, "line 2"},
		"an open quote pair": {columns + `"540540""`, "line 2"},
		"a quantity":         {columns + strings.Replace(good, ",6,", ",six,", 1), "line 2 of the order file: the quantity"},
		"a huge quantity":    {columns + strings.Replace(good, ",6,", ",9999999,", 1), "the quantity"},
		"a time":             {columns + strings.Replace(good, "2010-12-01", "01.12.2010", 1), "line 2 of the order file: the time"},
		"a price":            {columns + strings.Replace(good, "2.55", "2,55", 1), "line 2"},
		"a price in words":   {columns + strings.Replace(good, "2.55", "two", 1), "the price"},
		"no number":          {columns + strings.Replace(good, "540540", "", 1), "an invoice number"},
		"a line without end": {columns + strings.Repeat("x", 1<<20), "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := retail.Read(strings.NewReader(c.in), func(retail.Row) bool { return true })
			if !fault.Is(err, fault.Corrupt) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("err = %v, want a Corrupt that says %q", err, c.want)
			}
		})
	}
}

func TestReadingStopsWhenAsked(t *testing.T) {
	t.Parallel()
	n := 0
	if err := retail.Rows(func(retail.Row) bool { n++; return n < 10 }); err != nil || n != 10 {
		t.Fatalf("read %d rows, %v; want 10", n, err)
	}
}

func BenchmarkRows(b *testing.B) {
	for b.Loop() {
		n := 0
		if err := retail.Rows(func(retail.Row) bool { n++; return true }); err != nil || n != 541_909 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkInvoices(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := retail.Invoices(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCount(b *testing.B) {
	for b.Loop() {
		if _, err := retail.Count(retail.Rows); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(columns + `"540540","85071C","A ""B""",6,"2010-12-01 14:05:00",2.55,"14911","EIRE"` + "\n")
	f.Add(columns + `"""`)
	f.Fuzz(func(t *testing.T, in string) {
		_ = retail.Read(strings.NewReader(in), func(r retail.Row) bool {
			if r.Invoice == "" || r.SKU == "" {
				t.Fatalf("a row without number or code: %+v", r)
			}
			return true
		})
	})
}

func TestACleanRowIsASaleToSomebodyKnown(t *testing.T) {
	t.Parallel()
	sale := retail.Row{Invoice: "536365", SKU: "85123A", Quantity: 6, Price: money.One, Customer: "17850"}
	for name, c := range map[string]struct {
		change func(*retail.Row)
		want   bool
	}{
		"a sale":                     {func(*retail.Row) {}, true},
		"to nobody known":            {func(r *retail.Row) { r.Customer = "" }, false},
		"a return, whatever it says": {func(r *retail.Row) { r.Invoice = "C536365" }, false},
		"no pieces":                  {func(r *retail.Row) { r.Quantity = 0 }, false},
		"a gift":                     {func(r *retail.Row) { r.Price = 0 }, false},
	} {
		r := sale
		c.change(&r)
		if got := r.Clean(); got != c.want {
			t.Errorf("%s: Clean = %v", name, got)
		}
	}
}
