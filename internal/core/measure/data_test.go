package measure_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"rapport/internal/core/measure"
)

// table calls row for each row of a data set that lies beside the checkout, with
// the columns by name; a clone without it skips the test.
func table(t *testing.T, name string, row func(col map[string]string)) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "..", "shared", "data", name))
	if os.IsNotExist(err) {
		t.Skip("the data set is not there: " + name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	header = slices.Clone(header)
	col := map[string]string{}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range header {
			col[h] = fields[i]
		}
		row(col)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSpendOfARealShopKeepsTheError divides the customers of the UCI Online
// Retail shop 200 times by a toss that changes nothing. What they spent after
// 2011-03-01 is as skewed as spend gets: half of it is that of a twentieth.
func TestSpendOfARealShopKeepsTheError(t *testing.T) {
	t.Parallel()
	byCustomer := map[string]float64{}
	table(t, "online-retail/online_retail.csv.gz", func(c map[string]string) {
		if c["CustomerID"] == "" || c["InvoiceNo"][0] == 'C' {
			return
		}
		quantity, price := number(t, c["Quantity"]), number(t, c["UnitPrice"])
		if quantity <= 0 || price <= 0 {
			return
		}
		id := string([]byte(c["CustomerID"]))
		byCustomer[id] += 0
		if c["InvoiceDate"] >= "2011-03-01" {
			byCustomer[id] += quantity * price
		}
	})
	var all, active []float64
	ids := make([]string, 0, len(byCustomer))
	for id := range byCustomer {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		all = append(all, byCustomer[id])
		if byCustomer[id] > 0 {
			active = append(active, byCustomer[id])
		}
	}
	if len(all) != 4338 {
		t.Fatalf("%d customers, want 4,338", len(all))
	}
	for name, spend := range map[string][]float64{"everybody": all, "who bought": active} {
		for _, share := range []float64{0.05, 0.1, 0.5} {
			const seeds = 200
			end, looks := 0, 0
			for seed := range uint64(seeds) {
				atEnd, ever := watched(measure.Sequence{}, spend, share, 25, rand.New(rand.NewPCG(seed, 2011)))
				if atEnd {
					end++
				}
				if ever {
					looks++
				}
			}
			t.Logf("%s, %.0f %% held out: %d of %d exclude 0 at the end, %d at any look", name, share*100, end, seeds, looks)
			if end > seeds*5/100 || looks > seeds*5/100 {
				t.Errorf("%s, %.0f %% held out: %d of %d exclude 0 at the end and %d at any look, want at most 5 %%", name, share*100, end, seeds, looks)
			}
		}
	}
}

// TestHillstrom compares with the figures that are known of Kevin Hillstrom's
// e-mail test, to the digits in which they are printed.
func TestHillstrom(t *testing.T) {
	t.Parallel()
	type arm struct{ visit, conversion, spend measure.Moments }
	arms := map[string]*arm{}
	table(t, "hillstrom/hillstrom.csv.gz", func(c map[string]string) {
		a := arms[c["segment"]]
		if a == nil {
			a = &arm{}
			arms[string([]byte(c["segment"]))] = a
		}
		a.visit.Add(number(t, c["visit"]))
		a.conversion.Add(number(t, c["conversion"]))
		a.spend.Add(number(t, c["spend"]))
	})
	mens, womens, none := arms["Mens E-Mail"], arms["Womens E-Mail"], arms["No E-Mail"]
	for _, c := range []struct {
		what, want string
		got        string
	}{
		{"people", "21307 21387 21306", fmt.Sprint(mens.visit.N, womens.visit.N, none.visit.N)},
		{"visits", "3894 3238 2262", fmt.Sprintf("%.0f %.0f %.0f", mens.visit.Sum(), womens.visit.Sum(), none.visit.Sum())},
		{"conversions", "267 189 122", fmt.Sprintf("%.0f %.0f %.0f", mens.conversion.Sum(), womens.conversion.Sum(), none.conversion.Sum())},
		{"spend per head", "1.422617 1.077202 0.652789", fmt.Sprintf("%.6f %.6f %.6f", mens.spend.Mean, womens.spend.Mean, none.spend.Mean)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
	welch := func(a, b measure.Moments) (string, measure.Test) {
		w := measure.Welch(a, b)
		return fmt.Sprintf("%+.7f (t %.3f)", w.Difference, w.T), w
	}
	if got, _ := welch(mens.visit, none.visit); got != "+0.0765896 (t 22.620)" {
		t.Errorf("Mens, visit: %s", got)
	}
	if _, w := welch(mens.spend, none.spend); fmt.Sprintf("%+.6f %.3f %.3e", w.Difference, w.T, w.P) != "+0.769827 5.300 1.164e-07" {
		t.Errorf("Mens, spend: %+v", w)
	}
	if _, w := welch(womens.spend, none.spend); fmt.Sprintf("%+.6f %.3f %.6f", w.Difference, w.T, w.P) != "+0.424412 3.256 0.001129" {
		t.Errorf("Womens, spend: %+v", w)
	}

	// The watched interval sees the large effects too.
	if in := (measure.Sequence{}).Compare(mens.spend, none.spend); !in.ExcludesZero || math.Abs(in.Lift-0.769827) > 1e-6 {
		t.Errorf("Mens, spend, watched: %+v", in)
	}
	if in := (measure.Sequence{}).Compare(mens.visit, none.visit); !in.ExcludesZero {
		t.Errorf("Mens, visit, watched: %+v", in)
	}
}
