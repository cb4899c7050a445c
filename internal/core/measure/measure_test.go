package measure_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/measure"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

func momentsOf(xs []float64) (m measure.Moments) {
	for _, x := range xs {
		m.Add(x)
	}
	return m
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*(1+math.Abs(a)+math.Abs(b)) }

func alike(a, b measure.Moments) bool { return a.N == b.N && near(a.Mean, b.Mean) && near(a.M2, b.M2) }

func TestMomentsAreTheSameHoweverTheyAreAddedUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-1000, 1000), 0, 50).Draw(t, "xs")
		sum, squares := 0.0, 0.0
		for _, x := range xs {
			sum, squares = sum+x, squares+x*x
		}
		whole := momentsOf(xs)
		cut := rapid.IntRange(0, len(xs)).Draw(t, "cut")
		if got := momentsOf(xs[:cut]).Merge(momentsOf(xs[cut:])); !alike(got, whole) {
			t.Fatalf("merged %+v, in one pass %+v", got, whole)
		}
		if got := measure.MomentsOf(int64(len(xs)), sum, squares); !alike(got, whole) {
			t.Fatalf("of sums %+v, in one pass %+v", got, whole)
		}
		if !near(whole.Sum(), sum) {
			t.Fatalf("sum %v, want %v", whole.Sum(), sum)
		}
		if len(xs) == 0 {
			return
		}
		i := rapid.IntRange(0, len(xs)-1).Draw(t, "i")
		got := whole
		got.Replace(xs[i], 7)
		xs[i] = 7
		if want := momentsOf(xs); !alike(got, want) {
			t.Fatalf("replaced %+v, want %+v", got, want)
		}
	})
}

func TestVarianceIsUnbiased(t *testing.T) {
	t.Parallel()
	if v := momentsOf([]float64{2, 4, 4, 4, 5, 5, 7, 9}).Variance(); !near(v, 32.0/7) {
		t.Errorf("variance = %v, want 32/7", v)
	}
	if v := momentsOf([]float64{3}).Variance(); v != 0 {
		t.Errorf("variance of one number = %v, want 0", v)
	}
}

func person(i int) identity.ID {
	return identity.Key{}.Home(identity.Identifier{Kind: identity.User, Value: time.Duration(i).String()})
}

func TestSplit(t *testing.T) {
	t.Parallel()
	split := measure.Split{{"a", 0.5}, {"b", 0.3}, {"none", 0}, {"c", 0.2}}
	counts := map[string]int{}
	const people = 20_000
	for i := range people {
		arm, chance := split.Assign(person(i), "subject-line")
		again, _ := split.Assign(person(i), "subject-line")
		if arm != again {
			t.Fatal("the second toss differs")
		}
		for _, s := range split {
			if s.Arm == arm && s.Share != chance {
				t.Fatalf("%s was chosen with %v, want %v", arm, chance, s.Share)
			}
		}
		counts[arm]++
	}
	r, err := measure.Mismatch([]int64{int64(counts["a"]), int64(counts["b"]), int64(counts["c"])}, []float64{0.5, 0.3, 0.2})
	if err != nil || r.Alarm || counts["none"] != 0 {
		t.Errorf("counts = %v, ratio %+v", counts, r)
	}
	other := 0
	for i := range people {
		a, _ := split.Assign(person(i), "subject-line")
		b, _ := split.Assign(person(i), "picture")
		if a == "a" && b == "a" {
			other++
		}
	}
	if share := float64(other) / people; math.Abs(share-0.25) > 0.01 {
		t.Errorf("two experiments share %v of their first arms, want 0.25: they are not independent", share)
	}
}

func TestASplitThatIsNoWholeIsRefused(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]measure.Split{
		"empty": {}, "too little": {{"a", 0.5}}, "too much": {{"a", 0.6}, {"b", 0.6}}, "negative": {{"a", 1.5}, {"b", -0.5}},
		"no name": {{"", 1}}, "twice": {{"a", 0.5}, {"a", 0.5}}, "no number": {{"a", math.NaN()}},
		"too many": make(measure.Split, measure.MaxArms+1),
	} {
		if err := s.Valid(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
		if arm, chance := s.Assign(person(1), "x"); arm != "" || chance != 0 {
			t.Errorf("%s: assigned %q", name, arm)
		}
	}
}

func TestMismatch(t *testing.T) {
	t.Parallel()
	r, err := measure.Mismatch([]int64{21307, 21387, 21306}, []float64{1, 1, 1}) // the three arms of the Hillstrom test
	if err != nil || math.Abs(r.ChiSquare-0.2025) > 5e-5 || math.Abs(r.P-0.904) > 5e-4 || r.Alarm {
		t.Errorf("Mismatch = %+v, %v, want .2025, .904 and no alarm", r, err)
	}
	if r, _ := measure.Mismatch([]int64{9000, 1200}, []float64{0.9, 0.1}); !r.Alarm {
		t.Errorf("Mismatch of 1,200 for 1,020 = %+v, want an alarm", r)
	}
	if r, err := measure.Mismatch([]int64{0, 0}, []float64{1, 1}); err != nil || r.P != 1 {
		t.Errorf("nobody: %+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		n []int64
		s []float64
	}{"one arm": {[]int64{1}, []float64{1}}, "a share short": {[]int64{1, 2}, []float64{1}}, "no share": {[]int64{1, 2}, []float64{1, 0}}, "less than nobody": {[]int64{1, -2}, []float64{1, 1}}} {
		if _, err := measure.Mismatch(c.n, c.s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func TestWelchWithoutSpreadSaysNothing(t *testing.T) {
	t.Parallel()
	if got := measure.Welch(momentsOf([]float64{1, 1}), momentsOf([]float64{2, 2})); got.P != 1 || got.T != 0 || got.Difference != -1 {
		t.Errorf("Welch = %+v", got)
	}
	if got := measure.Welch(momentsOf([]float64{1}), momentsOf([]float64{2, 3})); got.P != 1 {
		t.Errorf("Welch of one number = %+v", got)
	}
}

const start = event.Time(1_700_000_000_000)

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	const window = 7 * 24 * time.Hour
	end := start.Add(window)
	order := func(id string, kind profile.OrderKind, at event.Time, pounds int64, c money.Currency) profile.Order {
		return profile.Order{ID: id, Kind: kind, At: at, Net: money.Micros(pounds) * money.One, Currency: c}
	}
	p := &profile.Profile{Orders: []profile.Order{
		order("before", profile.Completed, start-1, 100, "GBP"),
		order("first", profile.Completed, start, 10, "GBP"),
		order("plain", profile.Completed, start+1, 5, ""),
		order("dollars", profile.Completed, start+2, 7, "USD"),
		order("last", profile.Completed, end-1, 20, "GBP"),
		order("after", profile.Completed, end, 100, "GBP"),
		order("before", profile.Refunded, start+5, -100, "GBP"),
		order("last", profile.Refunded, end.Add(window), -15, "GBP"),
	}}
	got, other := measure.OutcomeOf(p, start, window, "GBP", "GBP")
	if want := (measure.Outcome{Orders: 3, Revenue: 20 * money.One}); got != want || other != 1 {
		t.Errorf("OutcomeOf = %+v and %d others, want %+v and 1", got, other, want)
	}
	if measure.Ended(start, window, end-1) || !measure.Ended(start, window, end) {
		t.Error("a window ends at its end")
	}
}

func TestHoldoutReport(t *testing.T) {
	t.Parallel()
	var whole, a, b measure.Holdout
	for i := range 4000 {
		o := measure.Outcome{}
		held := i%10 == 0
		if i%4 == 0 || !held && i%3 == 0 {
			o = measure.Outcome{Orders: 1, Revenue: 30 * money.One}
		}
		whole.Add(held, o)
		if i < 1000 {
			a.Add(held, o)
		} else {
			b.Add(held, o)
		}
	}
	r, parts := whole.Report(measure.Sequence{}, 0.1), a.Merge(b).Report(measure.Sequence{}, 0.1)
	if !near(r.Revenue.Lift, parts.Revenue.Lift) || !near(r.Revenue.Low, parts.Revenue.Low) {
		t.Errorf("merged: %+v, in one pass: %+v", parts.Revenue, r.Revenue)
	}
	if !near(r.MoreRevenue.Lift, r.Revenue.Lift*3600) || !near(r.Revenue.Lift, r.Orders.Lift*30) || !near(r.Orders.Lift, r.Buyers.Lift) {
		t.Errorf("the parts do not fit: %+v", r)
	}
	if r.Ratio.Alarm || !r.Orders.Enough || r.Orders.N1 != 3600 || r.Orders.N0 != 400 {
		t.Errorf("report = %+v", r)
	}
	if wrong := whole.Report(measure.Sequence{}, 0.3); !wrong.Ratio.Alarm {
		t.Error("400 of 4,000 held out instead of 30 %: no alarm")
	}
	var none measure.Holdout
	for range 500 {
		none.Add(false, measure.Outcome{Orders: 1, Revenue: money.One})
	}
	if r := none.Report(measure.Sequence{}, 0); r.Orders.Enough || r.Orders.ExcludesZero || r.Orders.Why == "" || r.Ratio.Alarm {
		t.Errorf("without a holdout: %+v", r)
	}

	// Somebody who was counted buys again.
	again := whole
	again.Treated.Replace(measure.Outcome{}, measure.Outcome{Orders: 2, Revenue: 60 * money.One})
	if got, want := again.Treated.Revenue.Sum()-whole.Treated.Revenue.Sum(), 60.0; !near(got, want) {
		t.Errorf("revenue grew by %v, want %v", got, want)
	}
}

func TestLastTouch(t *testing.T) {
	t.Parallel()
	h := func(n int) event.Time { return start.Add(time.Duration(n) * time.Hour) }
	touches := []measure.Touch{
		{h(5), "cart", "two", "sms"}, {h(1), "welcome", "one", "email"}, {h(5), "cart", "two", "email"}, // two at one instant: the later listed
	}
	order := func(id string, kind profile.OrderKind, at event.Time, pounds int64) profile.Order {
		return profile.Order{ID: id, Kind: kind, At: at, Net: money.Micros(pounds) * money.One}
	}
	orders := []profile.Order{
		order("untouched", profile.Completed, h(0), 1),
		order("a", profile.Completed, h(1), 10),
		order("b", profile.Completed, h(4), 20),
		order("c", profile.Completed, h(5), 30),
		order("late", profile.Completed, h(30), 99),
		order("a", profile.Refunded, h(6), -4),
		order("unknown", profile.Refunded, h(6), -50),
	}
	got := measure.LastTouch(touches, orders, 24*time.Hour, "GBP")
	want := []measure.Credit{
		{"cart", "two", "email", "GBP", 1, 30 * money.One},
		{"welcome", "one", "email", "GBP", 2, 26 * money.One},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if touches[0].Channel != "sms" {
		t.Error("the caller's list was sorted")
	}
	sums := measure.MergeCredits(got, got)
	if len(sums) != 2 || sums[0].Orders != 2 || sums[1].Revenue != 52*money.One {
		t.Errorf("merged with itself: %+v", sums)
	}
}
