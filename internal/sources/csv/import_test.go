package csv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/sources/csv"
)

// got is what an import brought.
type got struct {
	totals  csv.Totals
	events  []event.Event
	refused []string
	columns string
	points  []csv.Checkpoint
}

func (g *got) options(change ...func(*csv.Options)) csv.Options {
	o := csv.Options{
		Source: "shop", Now: event.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
		Append: func(_ context.Context, events []event.Event) error {
			g.events = append(g.events, events...)
			return nil
		},
		Columns: func(m csv.Mapping) error {
			g.columns = m.String()
			return nil
		},
		Refuse: func(r csv.Refusal) error {
			g.refused = append(g.refused, r.Error())
			return nil
		},
		Progress: func(p csv.Progress) error {
			g.points = append(g.points, p.Checkpoint)
			return nil
		},
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func imported(t *testing.T, file string, change ...func(*csv.Options)) *got {
	t.Helper()
	g := &got{}
	var err error
	if g.totals, err = csv.Import(t.Context(), strings.NewReader(file), g.options(change...)); err != nil {
		t.Fatalf("Import: %v", err)
	}
	return g
}

// wantRefused checks the refusals by parts of them.
func (g *got) wantRefused(t *testing.T, parts ...string) {
	t.Helper()
	if len(g.refused) != len(parts) {
		t.Fatalf("%d lines were refused, want %d: %q", len(g.refused), len(parts), g.refused)
	}
	for i, p := range parts {
		if !strings.Contains(g.refused[i], p) {
			t.Errorf("refusal %d is %q, want %q in it", i+1, g.refused[i], p)
		}
	}
}

func (g *got) numbers() (list []string) {
	for i := range g.events {
		list = append(list, g.events[i].Props.Text("order_id"))
	}
	return list
}

const head = "order_id,date,sku,name,quantity,price,customer_id,email,currency\n"

func TestLinesOfOneOrderAreOneEventWithItsExactSum(t *testing.T) {
	t.Parallel()
	g := imported(t, head+
		"1,2026-01-02 10:00,a,Lamp,2,9.99,7,ada@shop.example,GBP\n"+
		"1,2026-01-02 10:00,b,\"Bag, \"\"large\"\"\",1.5,0.001,7,,GBP\n"+
		"2,2026-01-03T08:30:00+01:00,a,Lamp,1,9.99,8,,GBP\n")
	g.wantRefused(t)
	if len(g.events) != 2 {
		t.Fatalf("%d events, want 2", len(g.events))
	}
	e := g.events[0]
	o, err := event.OrderOf(e.Name, e.Props)
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != event.OrderCompleted || e.Origin != event.Import || e.User != "7" || e.ID != "import:order:shop:1" || e.Raw != e.At {
		t.Errorf("the event is %+v", e)
	}
	if o.Net != 19_981_500 || o.Currency != "GBP" || len(o.Lines) != 2 || o.Lines[1].Name != `Bag, "large"` || o.Units != 3500 {
		t.Errorf("the order is %+v", o)
	}
	if at := g.events[1].At.String(); at != "2026-01-03T07:30:00.000Z" {
		t.Errorf("the second order is of %s, want its offset obeyed", at)
	}
	if s := g.totals.Sums.String(); s != "29.9715 GBP" || g.totals.Customers != 2 || g.totals.Rows != 3 {
		t.Errorf("the totals are %+v", g.totals)
	}
}

func TestReturnsBecomeRefunds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, rows, prefix string
		want               []string
	}{
		{"a quantity below zero", "1,2026-01-02,a,,-2,5,7,,\n", "", []string{"Order Refunded import:refund:shop:1 -10.00"}},
		{"a number with the prefix", "C1,2026-01-02,a,,-2,5,7,,\n", "C", []string{"Order Refunded import:refund:shop:C1 -10.00"}},
		{"a prefix and no sign", "C1,2026-01-02,a,,2,5,7,,\n", "C", []string{"Order Refunded import:refund:shop:C1 -10.00"}},
		{"a prefix that is none", "C1,2026-01-02,a,,2,5,7,,\n", "", []string{"Order Completed import:order:shop:C1 10.00"}},
		{"bought and returned at once", "1,2026-01-02,a,,2,5,7,,\n1,2026-01-02,b,,-1,5,7,,\n", "", []string{"Order Completed import:order:shop:1 10.00", "Order Refunded import:refund:shop:1 -5.00"}},
		{"a price below zero", "1,2026-01-02,B,Adjust bad debt,1,-11062.06,7,,\n", "", []string{"Order Refunded import:credit:shop:1 -11062.06"}},
		{"a discount as a line", "1,2026-01-02,a,,2,5,7,,\n1,2026-01-02,D,Discount,1,-3,7,,\n", "", []string{"Order Completed import:order:shop:1 7.00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := imported(t, head+c.rows, func(o *csv.Options) { o.ReturnsPrefix = c.prefix })
			var have []string
			for _, e := range g.events {
				o, err := event.OrderOf(e.Name, e.Props)
				if err != nil {
					t.Fatal(err)
				}
				have = append(have, e.Name+" "+string(e.ID)+" "+o.Net.String())
			}
			if !slices.Equal(have, c.want) {
				t.Errorf("%q, want %q", have, c.want)
			}
			if refunds := strings.Count(strings.Join(have, "\n"), "Refunded"); int(g.totals.Refunds) != refunds {
				t.Errorf("the totals count %d refunds, want %d", g.totals.Refunds, refunds)
			}
		})
	}
}

func TestAnOrderWithABadLineIsLeftOutWholeAndTheRestImported(t *testing.T) {
	t.Parallel()
	g := imported(t, head+
		"1,2026-01-02,a,,1,5,7,,\n"+
		"2,2026-01-02,a,,1,5,7,,\n"+
		"2,2026-01-02,b,,many,5,7,,\n"+
		"2,2026-01-02,c,,1,5,7,,\n"+
		"3,2026-01-02,a,,1,5,7,,\n")
	g.wantRefused(t, `line 4: column "quantity": "many" is not a number`, `line 3: order "2" is left out because of line 4`, `line 5: order "2" is left out because of line 4`)
	if have := g.numbers(); !slices.Equal(have, []string{"1", "3"}) {
		t.Errorf("orders %q were imported, want 1 and 3", have)
	}
	if g.totals.Rows != 5 || g.totals.Refused != 3 || g.totals.Sums.String() != "10.00" {
		t.Errorf("the totals are %+v", g.totals)
	}
}

func TestEachFaultOfALineIsNamedWithItsColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ row, want string }{
		{",2026-01-02,a,,1,5,7,,", "the line has no order number"},
		{"1,,a,,1,5,7,,", `column "date": the date is missing`},
		{"1,yesterday,a,,1,5,7,,", `"yesterday": a date such as`},
		{"1,2026-02-30,a,,1,5,7,,", "there is no such date"},
		{"1,2027-01-01,a,,1,5,7,,", "lies in the future"},
		{"1,1970-01-01,a,,1,5,7,,", "lies before 1980"},
		{"1,2026-01-02,a,,1,,7,,", "the price is missing"},
		{"1,2026-01-02,a,,1,5..2,7,,", "not an amount of money"},
		{"1,2026-01-02,a,,1,\"12,5\",7,,", "say --decimal , if"},
		{"1,2026-01-02,a,,1,99999999999,7,,", "more than a thousand million"},
		{"1,2026-01-02,a,,10000000,1000000,7,,", "come to more than a thousand million"},
		{"1,2026-01-02,a,,1,5,7,nobody,", `"nobody" is no e-mail address`},
		{"1,2026-01-02,a,,1,5,7,,pounds", "three letters such as GBP"},
		{"1,2026-01-02,a,=HYPERLINK(1),1,5,7,,", "it holds a formula"},
		{"1,2026-01-02,a,=cmd|' /C calc'!A0,1,5,7,,", "it holds a formula"},
		{"1,2026-01-02,a,b\x07,1,5,7,,", "control character 7"},
		{"1,2026-01-02,a,b\x00c,1,5,7,,", "NUL byte"},
		{"1,2026-01-02,a,,1,5", "it has 6 columns, and the first line names 9"},
		{"1,2026-01-02,a,\"b\"c,1,5,7,,", "text follows the closing quotation mark"},
		{"1,2026-01-02," + strings.Repeat("s", 129) + ",,1,5,7,,", "a stock code has at most 128 bytes"},
		{"1,2026-01-02,a," + strings.Repeat("n", 501) + ",1,5,7,,", "longer than 500 bytes"},
	} {
		g := imported(t, head+c.row+"\n2,2026-01-02,a,,1,5,7,,\n")
		g.wantRefused(t, c.want)
		if !strings.HasPrefix(g.refused[0], "line 2: ") {
			t.Errorf("%q does not name line 2", g.refused[0])
		}
		if have := g.numbers(); !slices.Equal(have, []string{"2"}) {
			t.Errorf("%q: orders %q were imported, want 2", c.row, have)
		}
	}
}

func TestAnUnclosedQuotationMarkCostsItsOwnLineOnly(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(head + "1,2026-01-02,a,\"open,1,5,7,,\n")
	for i := range 30_000 { // more bytes than one record may have
		fmt.Fprintf(&b, "x%d,2026-01-02,a,a plain product,1,5,7,,\n", i)
	}
	g := imported(t, b.String())
	g.wantRefused(t, "line 2: a quotation mark opens in column 4 and is never closed")
	if int64(len(g.events)) != g.totals.Rows-1 {
		t.Errorf("%d of %d orders were imported", len(g.events), g.totals.Rows)
	}
}

func TestALineWithoutEndIsSkippedInBoundedMemory(t *testing.T) {
	t.Parallel()
	long := io.MultiReader(strings.NewReader(head+"1,2026-01-02,"), io.LimitReader(endless{}, 300<<20), strings.NewReader("\n2,2026-01-02,a,,1,5,7,,\n"))
	g := &got{}
	totals, err := csv.Import(t.Context(), long, g.options())
	if err != nil || totals.Rows != 2 || len(g.events) != 1 {
		t.Fatalf("Import = %+v, %v", totals, err)
	}
	g.wantRefused(t, "line 2: the line is longer than 1 MB")
}

// endless is a stream of letters.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestABrokenLineInsideAnOrderLeavesTheOrderOut(t *testing.T) {
	t.Parallel()
	g := imported(t, head+"1,2026-01-02,a,,1,5,7,,\n1,2026-01-02,b\n1,2026-01-02,c,,1,5,7,,\n2,2026-01-02,c,,1,5,7,,\n")
	g.wantRefused(t, "line 3: it has 3 columns", `line 2: order "1" is left out because of line 3`, `line 4: order "1" is left out`)
	if have := g.numbers(); !slices.Equal(have, []string{"2"}) {
		t.Errorf("orders %q were imported, want 2", have)
	}
}

func TestLinesApartAreUnitedWithinTheWindowAndRefusedBeyond(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(head + "first,2026-01-02,a,,1,5,7,,\n")
	for i := range 900 {
		fmt.Fprintf(&b, "%d,2026-01-02,a,,1,5,7,,\n", i)
	}
	b.WriteString("first,2026-01-02,b,,1,5,7,,\n")
	for i := range 200 {
		fmt.Fprintf(&b, "late-%d,2026-01-02,a,,1,5,7,,\n", i)
	}
	b.WriteString("first,2026-01-02,c,,1,5,7,,\n")
	g := imported(t, b.String())
	g.wantRefused(t, `line 1104: order "first" was imported without this line`)
	if e := g.events[0]; e.Props.Text("revenue") != "10.00" {
		t.Errorf("the first order comes to %s, want its two near lines", e.Props.Text("revenue"))
	}
	if len(g.events) != 1101 {
		t.Errorf("%d events, want 1101", len(g.events))
	}
}

func TestWhoBoughtCannotDifferWithinAnOrder(t *testing.T) {
	t.Parallel()
	g := imported(t, head+"1,2026-01-02,a,,1,5,7,,GBP\n1,2026-01-02,b,,1,5,8,,GBP\n2,2026-01-02,b,,1,5,,,\n")
	g.wantRefused(t, `line 3: column "customer_id": line 2 of the same order says "7", this one "8"`, "line 2: order")
	if e := g.events[0]; e.User != "" || e.Anon != "import:order:shop:2" {
		t.Errorf("an order of nobody went to %q %q, want a profile of its own", e.User, e.Anon)
	}
	if g.totals.Nobodys != 1 {
		t.Errorf("the totals are %+v", g.totals)
	}
}

func TestFilesAreUnderstoodHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	semicolons := "Bestellnummer;Bestelldatum;Artikel;Menge;Preis;E-Mail\n1;31.12.2025 18:30;Lampe;2;1.234,50 €;ada@shop.example\n"
	tabs := "Invoice\tDate\tStockCode\tQty\tUnit Price\n1\t12/31/2025 6:30 PM\t=\"00123\"\t2\t1234.5\n"
	for name, c := range map[string]struct {
		file   string
		change func(*csv.Options)
	}{
		"semicolons and decimal commas": {semicolons, func(o *csv.Options) { o.Decimal = ',' }},
		"tabs and months first":         {tabs, func(*csv.Options) {}},
		"line ends of Windows":          {strings.ReplaceAll(semicolons, "\n", "\r\n"), func(o *csv.Options) { o.Decimal = ',' }},
		"a mark of UTF-8":               {"\ufeff" + tabs, func(*csv.Options) {}},
		"gzip":                          {gzipped(t, tabs), func(*csv.Options) {}},
		"zstd":                          {zstded(t, tabs), func(*csv.Options) {}},
		"no end of the last line":       {strings.TrimSuffix(tabs, "\n"), func(*csv.Options) {}},
		"an amount and no price":        {"order,date,qty,total\n1,2025-12-31 18:30,2,2469\n", func(*csv.Options) {}},
		"thousands in groups":           {"order,date,qty,price\n1,2025-12-31 18:30,2,\"£1,234.50\"\n", func(*csv.Options) {}},
		"accountants' minus":            {"order,date,qty,price\n1,2025-12-31 18:30,(2),-1234.50\n", func(o *csv.Options) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := imported(t, c.file, c.change)
			g.wantRefused(t)
			if len(g.events) != 1 {
				t.Fatalf("%d events, want 1 (%s)", len(g.events), g.columns)
			}
			e := g.events[0]
			o, err := event.OrderOf(e.Name, e.Props)
			if err != nil || o.ID != "1" || max(o.Net, -o.Net) != 2469_000_000 || e.At.String() != "2025-12-31T18:30:00.000Z" {
				t.Errorf("order %+v of %s, %v", o, e.At, err)
			}
		})
	}
	g := imported(t, tabs)
	if o, _ := event.OrderOf(event.OrderCompleted, g.events[0].Props); o.Lines[0].SKU != "00123" {
		t.Errorf("the stock code is %q, want its leading zeros kept", o.Lines[0].SKU)
	}
	g = imported(t, head+"1,2026-01-02,a,caf\xe9 \x80,1,5,7,,\n", func(o *csv.Options) { o.Encoding = csv.Windows1252 })
	if o, _ := event.OrderOf(event.OrderCompleted, g.events[0].Props); o.Lines[0].Name != "café €" {
		t.Errorf("the name is %q", o.Lines[0].Name)
	}
}

func gzipped(t *testing.T, s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t *testing.T, s string) string {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err == nil {
		_, err = w.Write([]byte(s))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAFileThatCannotBeUnderstoodIsRefusedWithAWordOnWhatToDo(t *testing.T) {
	t.Parallel()
	fine := head + "1,2026-01-02,a,,1,5,7,,\n"
	for _, c := range []struct {
		file, want string
		change     func(*csv.Options)
	}{
		{"", "the file is empty", nil},
		{"\xff\xfeo\x00r\x00", "no column was found", nil},
		{"PK\x03\x04....", "like a zip archive and is not", nil},
		{"a,b\rc,d\r", "carriage return alone", nil},
		{"\"order,date\n1,2\n", "names of the columns is broken", nil},
		{"order,sku\n1,2\n", `no column was found for the field date; the file has "order", "sku"`, nil},
		{"order,date\n1,2\n", "no column was found for the field price (or amount)", nil},
		{"order,date,price\n1,01/02/2026,5\n", "say --dates dmy or --dates mdy", nil},
		{"order,date,price\n1,13/02/2026,5\n2,02/13/2026,5\n", "some dates begin with the day and some with the month", nil},
		{fine, "there is no column \"number\"", func(o *csv.Options) { o.Map = map[string]string{"number": "order"} }},
		{fine, "is not a field; there are order, date", func(o *csv.Options) { o.Map = map[string]string{"order_id": "nummer"} }},
		{fine, "two columns are mapped to order", func(o *csv.Options) { o.Map = map[string]string{"order_id": "order", "sku": "order"} }},
		{fine, "the name of a source", func(o *csv.Options) { o.Source = "My Shop" }},
		{gzipped(t, fine+strings.Repeat("2,2026-01-02,a,,1,5,7,,\n", 9))[:60], "cut off or damaged", nil},
	} {
		g := &got{}
		_, err := csv.Import(t.Context(), strings.NewReader(c.file), g.options(func(o *csv.Options) {
			if c.change != nil {
				c.change(o)
			}
		}))
		if err == nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: %v, want %q", c.file, err, c.want)
		}
		if len(g.events) != 0 {
			t.Errorf("%.30q: %d events were appended", c.file, len(g.events))
		}
	}
}

func TestTheMappingThatIsSaidWinsOverTheOneThatIsGuessed(t *testing.T) {
	t.Parallel()
	file := "Order ID,Date,Total,Number,Price\n1,2026-01-02,5,n9,7\n"
	g := imported(t, file, func(o *csv.Options) {
		o.Map = map[string]string{"number": "order", "Order ID": "customer", "Price": "-"}
	})
	if e := g.events[0]; e.User != "1" || e.Props.Text("order_id") != "n9" || e.Props.Text("revenue") != "5.00" {
		t.Errorf("mapped as %s: %+v", g.columns, e)
	}
}

func TestAnImportThatWasCutShortGoesOnWhereItsOrdersWereDurable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(head)
	for i := range 5000 {
		fmt.Fprintf(&b, "%d,2026-01-02,a,,1,5,%d,,GBP\n", i, i%100)
		if i%7 == 0 {
			fmt.Fprintf(&b, "%d,2026-01-02,b,,x,5,%d,,GBP\n", i, i%100)
		}
		if i%5 == 0 && i > 20 {
			fmt.Fprintf(&b, "%d,2026-01-02,c,,1,5,%d,,GBP\n", i-20, (i-20)%100)
		}
	}
	file := b.String()
	whole := imported(t, file)
	cut := errors.New("killed")
	first := &got{}
	_, err := csv.Import(t.Context(), strings.NewReader(file), first.options(func(o *csv.Options) {
		appended := o.Append
		o.Append = func(ctx context.Context, events []event.Event) error {
			if len(first.events) > 2000 {
				return cut
			}
			return appended(ctx, events)
		}
	}))
	if !errors.Is(err, cut) {
		t.Fatalf("the first import ended with %v", err)
	}
	point := first.points[len(first.points)-1]
	if int(point.Orders) != len(first.events) || point.Done || point.Offset == 0 {
		t.Fatalf("%d events are durable, the checkpoint says %+v", len(first.events), point)
	}
	second := imported(t, file, func(o *csv.Options) { o.After = point })
	if len(first.events)+len(second.events) != len(whole.events) {
		t.Errorf("%d + %d events, want %d", len(first.events), len(second.events), len(whole.events))
	}
	all := append(first.numbers(), second.numbers()...)
	if !slices.Equal(all, whole.numbers()) {
		t.Error("the two halves are not the whole in its order")
	}
	if second.totals.Sums.String() != whole.totals.Sums.String() || second.totals.Rows != whole.totals.Rows || !slices.Equal(second.refused, whole.refused) {
		t.Errorf("the totals are %+v, want %+v", second.totals, whole.totals)
	}
	if last := second.points[len(second.points)-1]; !last.Done || last.Orders != int64(len(whole.events)) {
		t.Errorf("the last checkpoint is %+v", last)
	}

	other := strings.Replace(file, "\n3,2026-01-02", "\n3,2026-01-09", 1)
	for name, c := range map[string]struct {
		file   string
		change func(*csv.Options)
	}{
		"its beginning has changed":    {other, func(o *csv.Options) { o.After = point }},
		"shorter":                      {file[:len(file)/4], func(o *csv.Options) { o.After = point }},
		"read its file in another way": {file, func(o *csv.Options) { o.After, o.Currency = point, "EUR" }},
	} {
		g := &got{}
		_, err := csv.Import(t.Context(), strings.NewReader(c.file), g.options(c.change))
		if !fault.Is(err, fault.Invalid) || len(g.events) > 0 {
			t.Errorf("%s: %d events and %v, want Invalid", name, len(g.events), err)
		}
	}
}

func TestAnEmptyFileOfOrdersIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	g := imported(t, head)
	if g.totals.Rows != 0 || len(g.events) != 0 || len(g.points) != 1 || !g.points[0].Done {
		t.Errorf("%+v %+v", g.totals, g.points)
	}
}

func TestTheOnlineRetailYearHasThePublishedTotals(t *testing.T) {
	t.Parallel()
	r, err := retail.CSV()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	g := &got{}
	began := time.Now()
	totals, err := csv.Import(t.Context(), r, g.options(func(o *csv.Options) { o.ReturnsPrefix, o.Currency = "C", "GBP" }))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f rows/s; %s", float64(totals.Rows)/time.Since(began).Seconds(), g.columns)
	g.wantRefused(t)
	if totals.Rows != 541_909 || totals.Customers != 4372 || totals.Sums.String() != "9747747.934 GBP" {
		t.Errorf("%+v", totals)
	}
	if totals.Orders+totals.Refunds != 25_900 || totals.Nobodys != 3710 {
		t.Errorf("%d orders, %d refunds, %d of nobody", totals.Orders, totals.Refunds, totals.Nobodys)
	}
	var sum int64
	for i := range g.events {
		o, err := event.OrderOf(g.events[i].Name, g.events[i].Props)
		if err != nil {
			t.Fatal(err)
		}
		sum += int64(o.Net)
	}
	if sum != 9_747_747_934_000 {
		t.Errorf("the events come to %d millionths", sum)
	}
}
