package value_test

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/insight/value"
)

// The set that every paper on these models uses: CDNOW, a tenth of the customers
// who first bought in the first quarter of 1997 (Fader and Hardie). The figures
// here are published ones; those with more digits were computed independently.
var shared = filepath.Join("..", "..", "..", "..", "..", "shared", "data")

type cdnow struct {
	customers []value.Customer
	spends    []value.Spend
	later     []int // days with an order after the calibration
}

func day(t *testing.T, s string) int {
	t.Helper()
	at, err := time.Parse("20060102", s)
	if err != nil {
		t.Fatal(err)
	}
	return int(at.Unix() / 86400)
}

func readCDNOW(t *testing.T) cdnow {
	t.Helper()
	f, err := os.Open(filepath.Join(shared, "cdnow", "CDNOW_sample.txt.gz"))
	if err != nil {
		t.Skip("the CDNOW sample is not here: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	days, order := map[string][]value.Day{}, []string(nil)
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		sum, _ := strconv.ParseFloat(w[4], 64)
		if days[w[0]] == nil {
			order = append(order, w[0])
		}
		days[w[0]] = append(days[w[0]], value.Day{Day: day(t, w[2]), Sum: sum})
	}
	var set cdnow
	end := day(t, "19970930")
	for _, id := range order {
		list := value.Merge(days[id])
		c, s, ok := value.Summary(list, end)
		if !ok {
			t.Fatalf("%s ordered nothing", id)
		}
		set.customers, set.spends, set.later = append(set.customers, c), append(set.spends, s), append(set.later, len(list)-c.X-1)
	}
	return set
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.7f, want %.7f within %g", what, got, want, tolerance)
	}
}

func nearParams(t *testing.T, what string, got []value.Param, want []float64, relative float64) {
	t.Helper()
	for i, p := range got {
		near(t, what+" "+p.Name, p.Value, want[i], relative*want[i])
	}
}

func TestTheCDNOWSampleIsTheOneThatPapersUse(t *testing.T) {
	t.Parallel()
	set := readCDNOW(t)
	sum, none, later, least, most := 0, 0, 0, math.Inf(1), 0.0
	for i, c := range set.customers {
		sum, later = sum+c.X, later+set.later[i]
		least, most = min(least, c.T), max(most, c.T)
		if c.X == 0 {
			none++
		}
	}
	if len(set.customers) != 2357 || sum != 2457 || none != 1411 || later != 1882 {
		t.Errorf("%d customers with %d orders, %d of them without, %d later; want 2357, 2457, 1411 and 1882", len(set.customers), sum, none, later)
	}
	near(t, "the least T", least, 27, 1e-9)
	near(t, "the longest T", most, 38.857142857, 1e-6)
}

func TestModelsOfCDNOWHaveThePublishedFigures(t *testing.T) {
	t.Parallel()
	set := readCDNOW(t)
	bg, err := value.FitBGNBD(set.customers)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "BG/NBD log-likelihood", bg.LogLikelihood(), -9582.42921, 1e-3)
	nearParams(t, "BG/NBD", bg.Params(), []float64{.2425945, 4.4136021, .7929219, 2.4259065}, 1e-3)
	mbg, err := value.FitMBGNBD(set.customers)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "MBG/NBD log-likelihood", mbg.LogLikelihood(), -9582.13572, 1e-3)
	nearParams(t, "MBG/NBD", mbg.Params(), []float64{.524843, 6.183085, .891359, 1.614002}, 1e-3)
	pareto, err := value.FitPareto(set.customers)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Pareto/NBD log-likelihood", pareto.LogLikelihood(), -9594.97618, 1e-3)
	// The likelihood is a flat ridge in s and beta: published fits lie along it.
	nearParams(t, "Pareto/NBD", pareto.Params(), []float64{.553277, 10.577684, .606240, 11.668734}, 1e-3)
	spend, err := value.FitSpend(set.spends)
	if err != nil {
		t.Fatal(err)
	}
	if spend.N != 946 {
		t.Errorf("the spend model is fitted to %d customers, want 946", spend.N)
	}
	near(t, "gamma-gamma log-likelihood", spend.LogLikelihood(), -4055.917695, 1e-3)
	nearParams(t, "gamma-gamma", spend.Params(), []float64{6.249574, 3.744225, 15.443516}, 1e-3)
}

// Parameters of the fits above, so that what follows from them is tested apart.
var (
	bgnbd  = value.BGNBD{R: .2425945, Alpha: 4.4136021, A: .7929219, B: 2.4259065}
	mbgnbd = value.MBGNBD{R: .5248432, Alpha: 6.1830854, A: .8913593, B: 1.614002}
	pareto = value.Pareto{R: .5532771, Alpha: 10.5776838, S: .6062399, Beta: 11.6687344}
	spend  = value.GammaGamma{P: 6.2495741, Q: 3.7442245, V: 15.4435158}
)

func TestWhatIsExpectedOfCustomersIsThePublishedFigure(t *testing.T) {
	t.Parallel()
	c1516 := value.Customer{X: 26, Tx: 30.857142857, T: 31}
	near(t, "BG/NBD: a new customer in 52 weeks", bgnbd.Newcomer(52), 1.444004, 1e-5)
	near(t, "Pareto/NBD: a new customer in 52 weeks", pareto.Newcomer(52), 1.473434, 1e-5)
	near(t, "BG/NBD: customer 1516 in 52 weeks", value.Expected(&bgnbd, c1516, 52), 25.75659, 1e-3)
	near(t, "BG/NBD: customer 1516 is there", bgnbd.Alive(c1516), .9688523, 1e-5)
	near(t, "Pareto/NBD: customer 1516 in 52 weeks", value.Expected(&pareto, c1516, 52), 25.45647, 2e-3)
	near(t, "Pareto/NBD: customer 1516 is there", pareto.Alive(c1516), .997874, 1e-6)
	published := value.BGNBD{R: .243, Alpha: 4.414, A: .793, B: 2.426} // as printed, with three digits
	near(t, "BG/NBD: x 2, tx 30.43, T 38.86 in 39 weeks", value.Expected(&published, value.Customer{X: 2, Tx: 30.43, T: 38.86}, 39), 1.226, 5e-4)
	for _, c := range []struct{ t, want float64 }{{.1429, .0078}, {1, .0532}, {3, .1506}, {31.8571, 1.0405}, {32, 1.0437}, {78, 1.8576}} {
		near(t, "BG/NBD: a new customer in "+strconv.FormatFloat(c.t, 'g', -1, 64)+" weeks", bgnbd.Newcomer(c.t), c.want, 5e-4)
	}
	for _, c := range []struct {
		x    int
		want float64
	}{{10, .7062289}, {15, .1442396}, {20, .02250658}, {25, .00309267}} {
		btyd := value.Pareto{R: .553, Alpha: 10.58, S: .606, Beta: 11.656}
		near(t, "Pareto/NBD: tx 20, T 39, "+strconv.Itoa(c.x)+" orders, in 52 weeks", value.Expected(&btyd, value.Customer{X: c.x, Tx: 20, T: 39}, 52), c.want, 2e-3*c.want)
	}
}

func TestTheSpendThatIsExpectedIsThePublishedOne(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(shared, "cdnow", "cdnow_customers_summary_with_transactions.csv"))
	if err != nil {
		t.Skip("the CDNOW summary is not here: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17} {
		x, _ := strconv.Atoi(rows[i+1][1])
		mean, _ := strconv.ParseFloat(rows[i+1][4], 64)
		near(t, "customer "+rows[i+1][0], spend.Mean(value.Spend{X: x, Mean: mean}), want, .1)
	}
}

func TestHeldOutOrdersAreExpectedAsPublished(t *testing.T) {
	t.Parallel()
	set := readCDNOW(t)
	// The means by orders so far, seven and more together, in the 39 weeks held out.
	actual := []float64{.2367116, .6970387, 1.392523, 1.56, 2.532258, 2.947368, 3.862069, 6.359375}
	for _, c := range []struct {
		m         value.Model
		want      []float64
		tolerance float64
	}{
		{&bgnbd, []float64{.2250893, .5231364, 1.044126, 1.520256, 2.163824, 2.653789, 3.503957, 6.157036}, 1e-3},
		{&pareto, []float64{.138, .6, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403}, 1e-3},
	} {
		sum, came, n := make([]float64, 8), make([]float64, 8), make([]float64, 8)
		for i, who := range set.customers {
			k := min(who.X, 7)
			sum[k] += value.Expected(c.m, who, 39)
			came[k] += float64(set.later[i])
			n[k]++
		}
		for k := range sum {
			near(t, c.m.Name()+": expected after "+strconv.Itoa(k), sum[k]/n[k], c.want[k], c.tolerance)
			near(t, "came after "+strconv.Itoa(k), came[k]/n[k], actual[k], 1e-6)
		}
	}
}

func TestManyOrdersGiveAFiniteChance(t *testing.T) {
	t.Parallel()
	for _, m := range []value.Model{&bgnbd, &mbgnbd, &pareto} {
		for _, x := range []int{221, 254, 161, 204, 5000} {
			for _, c := range []value.Customer{{X: x, Tx: 38, T: 38.86}, {X: x, Tx: 1, T: 38.86}, {X: x, Tx: 38.86, T: 38.86}, {X: x, Tx: .01, T: 5000}} {
				if p := m.Alive(c); !(p >= 0 && p <= 1) {
					t.Errorf("%s: %+v is there with a chance of %g", m.Name(), c, p)
				}
				if e := value.Expected(m, c, 52); !(e >= 0) || math.IsInf(e, 0) {
					t.Errorf("%s: %+v will make %g orders", m.Name(), c, e)
				}
			}
		}
	}
}

func TestBGBBOfTheDonationsHasThePublishedFigures(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(shared, "cdnow", "donations.csv"))
	if err != nil {
		t.Skip("the donations are not here: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []value.Occasions
	people := 0
	for _, row := range rows[1:] {
		var n [4]int
		for i := range n {
			if n[i], err = strconv.Atoi(row[i]); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, value.Occasions{X: n[0], Last: n[1], Of: n[2], Count: n[3]})
		people += n[3]
	}
	m, err := value.FitOccasions(list)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "BG/BB log-likelihood", m.LogLikelihood(), -33225.58127, 1e-3)
	nearParams(t, "BG/BB", m.Params(), []float64{1.203523, .749716, .656718, 2.783442}, 1e-3)
	sum := 0.0
	for _, o := range list {
		sum += float64(o.Count) * m.Orders(o, 5)
	}
	near(t, "donations expected in the next five", sum, 12884.2, .5)
	for _, c := range []struct {
		x, last int
		want    float64
	}{{0, 0, .11}, {2, 4, .59}, {6, 6, .93}} {
		near(t, "the chance to be there", m.Alive(value.Occasions{X: c.x, Last: c.last, Of: 6}), c.want, .005)
	}
	near(t, "donors of none", float64(people)*m.Newcomers(0, 6), 3454.9, .2)
	near(t, "donors of all six", float64(people)*m.Newcomers(6, 6), 1253.1, .2)
	if i := slices.IndexFunc(list, func(o value.Occasions) bool { return m.Alive(o) < 0 || m.Alive(o) > 1 }); i >= 0 {
		t.Errorf("%+v is there with a chance of %g", list[i], m.Alive(list[i]))
	}
}
