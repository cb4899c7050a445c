package predict_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
)

// fixed is a source of a list of orders.
type fixed []predict.Order

func (f fixed) Orders(_ context.Context, before event.Time) iter.Seq2[predict.Order, error] {
	return func(yield func(predict.Order, error) bool) {
		for _, o := range f {
			if o.At < before && !yield(o, nil) {
				return
			}
		}
	}
}

func (fixed) Lines(context.Context, event.Time) iter.Seq2[predict.Line, error] {
	return func(func(predict.Line, error) bool) {}
}

func (fixed) Events(context.Context, event.Time, ...string) iter.Seq2[predict.Event, error] {
	return func(func(predict.Event, error) bool) {}
}

var began = time.Date(2011, 1, 1, 9, 0, 0, 0, time.UTC)

func at(day int) event.Time { return event.At(began.AddDate(0, 0, day)) }

func onDay(day int) predict.Moment {
	return predict.Moment{Now: at(day), Zone: time.UTC, Currency: "GBP", Margin: 0.5, Discount: 0.1}
}

// orderers is a shop whose customers order every so many days until they leave.
func orderers(n int) (f fixed) {
	dice := rand.New(rand.NewPCG(5, 5))
	for i := range n {
		id := identity.ID{byte(i >> 8), byte(i)}
		every, spends := 10+dice.IntN(60), 10+90*dice.Float64()*dice.Float64()
		leaves := dice.IntN(500)
		for day, k := dice.IntN(120), 0; day < leaves || k == 0; k++ {
			f = append(f, predict.Order{Profile: id, ID: fmt.Sprint(i, "-", k), At: at(day), Net: money.Micros(spends*(.5+dice.Float64())*100) * money.One / 100, Currency: "GBP"})
			day += 1 + int(dice.ExpFloat64()*float64(every))
		}
	}
	return f
}

func values(of predict.Of) map[string]string {
	m := map[string]string{}
	for _, p := range of.Predictions {
		m[p.Name] = p.Value.String()
	}
	return m
}

func TestWhatCustomersAreWorthIsToldWithItsEvidence(t *testing.T) {
	t.Parallel()
	r, err := predict.Worth{}.Fit(t.Context(), orderers(600), onDay(365))
	if err != nil {
		t.Fatal(err)
	}
	if r.Report.Refused != "" || len(r.People) != 600 || len(r.Report.Calibration) != 10 {
		t.Fatalf("refused %q, %d people, %d tenths; want 600 and 10", r.Report.Refused, len(r.People), len(r.Report.Calibration))
	}
	if first, last := r.Report.Calibration[0], r.Report.Calibration[9]; first.Actual <= 2*last.Actual || first.N != 60 {
		t.Errorf("the tenth of whom most is expected spent %.1f, the last %.1f", first.Actual, last.Actual)
	}
	about := predict.Worth{}.About()
	for _, p := range r.People {
		said := values(p)
		for name := range said {
			if !strings.Contains(strings.Join(about.Predicts, " "), name) {
				t.Fatalf("%s is predicted and not announced", name)
			}
		}
		if said["p_alive"] == "" || said["clv"] == "" || said["orders_90d"] == "" || said["aov"] == "" {
			t.Fatalf("of %s only %v is said", p.Profile, said)
		}
		if next := said["next_order"]; next != "" && next <= "2012-01-01" {
			t.Errorf("%s orders next on %s, which is past", p.Profile, next)
		}
	}
}

func TestADayOfTheNextOrderThatPassedIsRolledForward(t *testing.T) {
	t.Parallel()
	f := orderers(300)
	who := identity.ID{0xff}
	for k := range 9 {
		f = append(f, predict.Order{Profile: who, ID: fmt.Sprint(k), At: at(100 + 30*k), Net: 30 * money.One, Currency: "GBP"})
	}
	dates := map[string]bool{}
	for day := 341; day < 371; day += 12 {
		r, err := predict.Worth{}.Fit(t.Context(), f, onDay(day))
		if err != nil {
			t.Fatal(err)
		}
		said := values(r.People[len(r.People)-1])
		today := at(day).Time().Format(time.DateOnly)
		if said["next_order"] <= today {
			t.Errorf("on %s her next order is expected by %q", today, said["next_order"])
		}
		dates[said["next_order"]] = true
	}
	// It may shift by a day when the models learn from others.
	if len(dates) < 2 || len(dates) > 3 {
		t.Errorf("in 24 days without a word she was expected on %v", dates)
	}
}

func TestWhatCameBackIsNotWorthAnything(t *testing.T) {
	t.Parallel()
	f := orderers(300)
	order := func(id byte, name string, kind profile.OrderKind, day int, net money.Micros) {
		f = append(f, predict.Order{Profile: identity.ID{0xff, id}, ID: name, Kind: kind, At: at(day), Net: net * money.One, Currency: "GBP"})
	}
	order(1, "a", profile.Completed, 300, 77183)
	order(1, "C1", profile.Refunded, 300, -77183) // names no order, as at many tills
	order(2, "a", profile.Completed, 200, 40)
	order(2, "b", profile.Completed, 260, 40)
	order(2, "a", profile.Cancelled, 261, -40)
	order(3, "a", profile.Completed, 200, 40)
	order(3, "a", profile.Refunded, 261, -10)
	r, err := predict.Worth{}.Fit(t.Context(), f, onDay(365))
	if err != nil {
		t.Fatal(err)
	}
	said := map[byte]predict.Of{}
	for _, p := range r.People {
		if p.Profile[0] == 0xff {
			said[p.Profile[1]] = p
		}
	}
	if _, is := said[1]; is {
		t.Error("a customer who returned everything is worth something")
	}
	for id, want := range map[byte]string{2: "one order, on 18 September 2011", 3: "one order, on 20 July 2011"} {
		if len(said[id].Predictions) == 0 || said[id].Predictions[0].Evidence != want {
			t.Errorf("of customer %d it is said %+v, want the evidence %q", id, said[id].Predictions, want)
		}
	}
	if got := values(said[3])["aov"]; got != "30" {
		t.Errorf("an order of 40 of which 10 came back counts %s", got)
	}
}

func TestAShopWithTooFewCustomersIsToldWhatIsMissing(t *testing.T) {
	t.Parallel()
	r, err := predict.Worth{}.Fit(t.Context(), orderers(150), onDay(365))
	if err != nil {
		t.Fatal(err)
	}
	if want := "there are 150 customers who ordered, of at least 200"; !strings.Contains(r.Report.Refused, want) || len(r.People) != 0 {
		t.Errorf("refused %q with %d people, want %q and nobody", r.Report.Refused, len(r.People), want)
	}
	if r, err = (predict.Worth{}).Fit(t.Context(), fixed(nil), onDay(365)); err != nil || r.Report.Refused == "" {
		t.Errorf("a shop without orders is told %+v, %v", r, err)
	}
}

func TestOrdersInAnotherCurrencyAndOfNobodyAreLeftOut(t *testing.T) {
	t.Parallel()
	f := orderers(300)
	f = append(f, predict.Order{Profile: identity.ID{0xff}, ID: "a", At: at(10), Net: money.One, Currency: "EUR"})
	f = append(f, predict.Order{Profile: identity.ID{0xff, 1}, ID: "b", At: at(10), Net: money.One, Currency: "GBP", Nobody: true})
	r, err := predict.Worth{}.Fit(t.Context(), f, onDay(365))
	if err != nil {
		t.Fatal(err)
	}
	if want := "1 orders in other currencies than GBP were left out."; !strings.Contains(r.Report.Method, want) || len(r.People) != 300 {
		t.Errorf("the method is %q with %d people, want %q", r.Report.Method, len(r.People), want)
	}
}
