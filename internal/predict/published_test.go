package predict_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/rfm"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
)

const retailFile = "online-retail/online_retail.csv.gz"

// retailRows reads the UCI Online Retail set: rows of known customers; clean leaves out
// returns and what has no quantity or price.
func retailRows(t *testing.T, yield func(customer, invoice string, at time.Time, sum money.Micros, back bool)) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", retailFile))
	if err != nil {
		t.Skip("the Online Retail set is not here: ", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(z)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if f[6] == "" {
			continue
		}
		quantity, _ := strconv.ParseInt(f[3], 10, 64)
		price, err := money.Parse(f[5])
		if err != nil {
			t.Fatal(err)
		}
		sum, err := price.Times(quantity)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.DateTime, f[4])
		if err != nil {
			t.Fatal(err)
		}
		yield(f[6], f[0], at, sum, f[0][0] == 'C' || quantity <= 0 || price <= 0)
	}
}

func TestPlacesInOnlineRetailAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	type customer struct {
		last     time.Time
		invoices map[string]bool
		sum      money.Micros
	}
	people := map[string]*customer{}
	retailRows(t, func(who, invoice string, at time.Time, sum money.Micros, back bool) {
		if back {
			return
		}
		c := people[who]
		if c == nil {
			c = &customer{invoices: map[string]bool{}}
			people[who] = c
		}
		if at.After(c.last) {
			c.last = at
		}
		c.invoices[invoice] = true
		c.sum += sum
	})
	snapshot := time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC)
	var lists [3][]float64
	once := 0
	for _, c := range people {
		day := c.last.Truncate(24 * time.Hour)
		lists[0] = append(lists[0], snapshot.Sub(day).Hours()/24)
		lists[1] = append(lists[1], float64(len(c.invoices)))
		lists[2] = append(lists[2], c.sum.Float())
		if len(c.invoices) == 1 {
			once++
		}
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "reference.json"))
	if err != nil {
		t.Skip("the published figures are not here: ", err)
	}
	var ref struct {
		Retail struct {
			RFM struct {
				Mean, Q25, Q50, Q75 [3]float64
				MaxF                float64 `json:"max_F"`
				MaxM                float64 `json:"max_M"`
				Once                int     `json:"F1_customers"`
			} `json:"rfm_clean_snapshot_2011_12_10"`
		} `json:"online_retail"`
	}
	if err := json.Unmarshal(raw, &ref); err != nil {
		t.Fatal(err)
	}
	want := ref.Retail.RFM
	for i, name := range []string{"recency", "frequency", "money"} {
		slices.Sort(lists[i])
		mean := 0.0
		for _, v := range lists[i] {
			mean += v
		}
		mean /= float64(len(lists[i]))
		for _, c := range []struct {
			what      string
			got, want float64
		}{
			{"mean", mean, want.Mean[i]},
			{"lower quartile", rfm.Quantile(lists[i], .25), want.Q25[i]},
			{"median", rfm.Quantile(lists[i], .5), want.Q50[i]},
			{"upper quartile", rfm.Quantile(lists[i], .75), want.Q75[i]},
		} {
			if d := c.got - c.want; d > 1e-5 || d < -1e-5 {
				t.Errorf("%s of %s is %.6f, want %.6f", c.what, name, c.got, c.want)
			}
		}
	}
	if f, m := lists[1][len(lists[1])-1], lists[2][len(lists[2])-1]; f != want.MaxF || m != want.MaxM || once != want.Once {
		t.Errorf("the most is %g orders and %.2f, and %d ordered once; want %g, %.2f and %d", f, m, once, want.MaxF, want.MaxM, want.Once)
	}
}

// The model counts the customers, orders and days that others publish, and the
// report of RFM too: what was sent back takes money and no order.
func TestBuyersOfOnlineRetailAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	invoices, err := retail.Invoices()
	if err != nil {
		t.Fatal(err)
	}
	s, numbers := &shop{}, map[string]int{}
	for i := range invoices {
		v := &invoices[i]
		if v.Customer == "" {
			continue
		}
		n, known := numbers[v.Customer]
		if !known {
			n = len(numbers)
			numbers[v.Customer] = n
		}
		o := predict.Order{Profile: who(n), ID: v.Number, At: v.At, Net: v.Net(), Currency: retail.Currency}
		if v.Return || o.Net < 0 {
			o.Kind = profile.Refunded
		}
		s.orders = append(s.orders, o)
	}
	moment := asOf(event.At(time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC)))
	list, err := predict.Buyers(t.Context(), s.sort(), moment)
	if err != nil {
		t.Fatal(err)
	}
	end := predict.Day(moment.Now.Time())
	once, most, orders, days := 0, 0.0, 0.0, 0.0
	for i := range list {
		c, ok := list[i].At(end)
		if !ok {
			t.Fatalf("%s bought and did not", list[i].Profile)
		}
		if c.Frequency == 1 {
			once++
		}
		most, orders, days = max(most, c.Frequency), orders+c.Frequency, days+c.Recency
		if list[i].Profile == who(numbers["12346"]) && c.Monetary != 0 {
			t.Errorf("12346, who sent everything back, spent %.2f", c.Monetary)
		}
	}
	n := float64(len(list))
	if got := fmt.Sprintf("%d %d %g %g %.3f %.3f", len(list), once, most, orders, days/n, orders/n); got != "4338 1493 209 18532 93.059 4.272" {
		t.Errorf("customers, with one order, most, orders, mean days and mean orders are %s", got)
	}
	r := fit(t, predict.Places{}, s, moment.Now)
	if r.Report.Customers != 4338 || len(r.People) != 4338 {
		t.Errorf("%d customers were placed of %d", len(r.People), r.Report.Customers)
	}
	early := predict.PersonasAt(list, end-180)
	if len(early) == 0 || len(early) >= len(predict.PersonasAt(list, end)) {
		t.Errorf("half a year before %d had bought", len(early))
	}
}

func TestABuyerSpentWhatWasNotSentBack(t *testing.T) {
	t.Parallel()
	order := func(n int, id string, kind profile.OrderKind, day int, net money.Micros, currency money.Currency) predict.Order {
		return predict.Order{Profile: who(n), ID: id, Kind: kind, At: at(day), Net: net * money.One, Currency: currency}
	}
	f := fixed{
		order(1, "a", profile.Completed, 1, 10, "GBP"), order(1, "b", profile.Completed, 1, 20, "GBP"), order(1, "b", profile.Refunded, 3, -20, "GBP"),
		order(2, "c", profile.Completed, 2, 30, "GBP"), order(2, "c", profile.Cancelled, 4, 0, "GBP"),
		order(3, "d", profile.Refunded, 2, -30, "GBP"),                                               // nothing was bought
		order(4, "e", profile.Completed, 2, 0, "GBP"),                                                // nor paid
		order(5, "f", profile.Completed, 2, 7, "USD"), order(5, "g", profile.Completed, 5, 5, "GBP"), // no sums of two currencies
		order(6, "h", profile.Completed, 2, 7, "GBP"), order(6, "", profile.Refunded, 5, -50, "GBP"), // more than was bought here
	}
	list, err := predict.Buyers(t.Context(), f, onDay(10))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	end := predict.Day(onDay(10).Now.Time())
	for i := range list {
		c, _ := list[i].At(end)
		got = append(got, fmt.Sprintf("%d: %g orders, %g days, %g", list[i].Profile[2], c.Frequency, c.Recency, c.Monetary))
	}
	if want := []string{"1: 2 orders, 9 days, 10", "2: 1 orders, 8 days, 0", "5: 2 orders, 5 days, 5", "6: 1 orders, 8 days, 0"}; !slices.Equal(got, want) {
		t.Errorf("they are %q, want %q", got, want)
	}
	if c, ok := list[0].At(end - 8); !ok || c.Monetary != 30 {
		t.Errorf("before they sent it back they had spent %g", c.Monetary)
	}
	if _, ok := list[0].At(end - 10); ok {
		t.Error("who had not bought yet is placed")
	}
}

// Every day of the year, each customer is in one stage of life.
func TestStagesAddUpToAllCustomersEveryDay(t *testing.T) {
	t.Parallel()
	type key struct{ who, invoice string }
	orders := map[key]*profile.Order{}
	people := map[string]*profile.Profile{}
	retailRows(t, func(who, invoice string, at time.Time, sum money.Micros, _ bool) {
		k := key{who, invoice}
		if orders[k] == nil {
			orders[k] = &profile.Order{ID: invoice, At: event.At(at)}
		}
		orders[k].Net += sum
	})
	for k, o := range orders {
		p := people[k.who]
		if p == nil {
			p = profile.New(identity.ID{1})
			p.Held = []profile.Held{{Identifier: identity.Identifier{Kind: identity.User, Value: k.who}, State: profile.Owned}}
			people[k.who] = p
		}
		if o.Net < 0 || k.invoice[0] == 'C' {
			o.Kind = profile.Refunded
		}
		p.Orders = append(p.Orders, *o)
	}
	for _, p := range people {
		slices.SortFunc(p.Orders, func(a, b profile.Order) int { return int(a.At - b.At) })
	}
	if len(people) != 4372 {
		t.Fatalf("there are %d customers, want 4372", len(people))
	}
	end := time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC)
	var last [profile.Stages]int
	for day := time.Date(2010, 12, 1, 0, 0, 0, 0, time.UTC); !day.After(end); day = day.AddDate(0, 0, 1) {
		var count [profile.Stages]int
		sum := 0
		for _, p := range people {
			stage, until := p.Lifecycle(event.At(day))
			count[stage]++
			if until <= event.At(day) {
				t.Fatalf("on %s a stage ends at %s", day, until)
			}
		}
		for _, n := range count {
			sum += n
		}
		if sum != len(people) {
			t.Fatalf("on %s the stages add up to %d", day, sum)
		}
		last = count
	}
	t.Logf("at the end: %v", last)
	for _, s := range []profile.Stage{profile.Prospect, profile.FirstOrder, profile.Repeat, profile.Loyal, profile.AtRisk, profile.Lapsed, profile.Back} {
		if last[s] == 0 {
			t.Errorf("at the end of the year nobody is %s", s)
		}
	}
}

func TestCustomersArePlacedAndToldOfIt(t *testing.T) {
	t.Parallel()
	r, err := predict.Places{}.Fit(t.Context(), orderers(300), onDay(365))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, p := range r.People {
		said := values(p)
		if len(said["rfm"]) != 3 || len(said["erfm"]) != 4 || said["rfm_persona"] == "" {
			t.Fatalf("%v is said", said)
		}
		seen[said["rfm_persona"]]++
		if e := p.Predictions[0].Evidence; !strings.HasPrefix(e, "last order on ") || !strings.HasSuffix(e, " spent; among 300 customers on 1 January 2012") {
			t.Fatalf("the evidence is %q", e)
		}
	}
	if len(r.People) != 300 || seen["champion"] == 0 || seen["inactive"] == 0 {
		t.Errorf("of %d customers the personas are %v", len(r.People), seen)
	}
	few, err := predict.Places{}.Fit(t.Context(), orderers(49), onDay(365))
	if err != nil || len(few.People) != 0 || few.Report.Refused != "too little to learn from: there are 49 customers who ordered, of at least 50" {
		t.Errorf("49 customers give %+v, %v", few, err)
	}
}
