package predict_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/intent"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
)

const day = 24 * time.Hour

var spring = event.At(time.Date(2024, 3, 4, 10, 0, 0, 0, time.UTC)) // a Monday

func TestModelsOfBehaviourRefuseWhatIsTooLittle(t *testing.T) {
	t.Parallel()
	little := &shop{}
	for i := range 5 {
		little.buys(i, spring.Add(time.Duration(i)*day), "LAMP", "Lamps")
		little.does(i, spring, event.MessageSent, "channel", "email", "delivery", fmt.Sprint(i))
		little.does(i, spring, event.ProductViewed, "sku", "LAMP")
	}
	declared := predict.Occasions{Definitions: func() []*occasion.Definition { return nil }}
	for _, m := range []predict.Model{predict.Needs{}, &predict.Intent{}, predict.Rhythms{}, declared, predict.Personas{}} {
		if len(m.About().Needs) == 0 {
			t.Errorf("%s says no minimum", m.About().Name)
		}
		for what, s := range map[string]*shop{"nothing": {}, "little": little.sort()} {
			r := fit(t, m, s, spring.Add(30*day))
			if r.Report.Refused == "" || len(r.People) > 0 {
				t.Errorf("%s with %s: %+v", m.About().Name, what, r.Report)
			}
		}
	}
}

func TestNeedsOfTheRetailYearBeatTheLastAndTheMeanGap(t *testing.T) {
	t.Parallel()
	s, end := retailYear(t)
	r := fit(t, predict.Needs{}, s, end)
	ours, last, average, middle := figure(t, &r.Report, "median error in days"), figure(t, &r.Report, "of the last gap"), figure(t, &r.Report, "of the mean gap"), figure(t, &r.Report, "of always the middle")
	t.Logf("median error over %.0f dates of the held-out quarter: %.1f days; last gap %.1f, mean gap %.1f, always the middle %.1f", figure(t, &r.Report, "dates compared"), ours, last, average, middle)
	if ours >= last || ours >= average || ours >= middle {
		t.Errorf("%+v", r.Report.Figures)
	}
	for _, b := range r.Report.Calibration {
		t.Logf("  %d pairs: %.3f said, %.3f came", b.N, b.Predicted, b.Actual)
	}
	if len(r.People) < 500 {
		t.Errorf("needs of %d customers", len(r.People))
	}
	for _, o := range r.People {
		for _, p := range o.Predictions {
			at, err := time.Parse(time.DateOnly, p.Value.Raw)
			if err != nil || event.At(at.AddDate(0, 0, 1)) <= end || event.At(at) > end.Add(91*day) {
				t.Fatalf("%+v as of %s", p, end)
			}
		}
	}
}

func TestWhatWasCancelledOrSentBackIsNoNeed(t *testing.T) {
	t.Parallel()
	s, end := &shop{}, spring.Add(300*day)
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 80 {
		for at := r.Float64() * 20; at < 290; at += 15 + 10*r.Float64() {
			s.buys(n, spring.Add(time.Duration(at*float64(day))), "5001A", "Tea")
		}
	}
	// Two who bought as the others, until all was cancelled, or sent back.
	for n, kind := range map[int]profile.OrderKind{200: profile.Cancelled, 201: profile.Refunded} {
		for k := range 8 {
			s.buys(n, spring.Add(time.Duration(100+20*k)*day), "5001B", "Tea")
			l := s.lines[len(s.lines)-1]
			l.Kind, l.At, l.Quantity = kind, l.At+1, -l.Quantity
			s.lines = append(s.lines, l)
		}
	}
	res := fit(t, predict.Needs{}, s.sort(), end)
	if _, ok := of(res, 1, "need.5001"); !ok {
		t.Errorf("who buys every three weeks needs nothing: %+v", res.Report)
	}
	for _, n := range []int{200, 201} {
		if p, ok := of(res, n, "need.5001"); ok {
			t.Errorf("customer %d: %+v", n, p)
		}
	}
}

func TestVariantsAreOneFamily(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line predict.Line
		want string
	}{
		{predict.Line{SKU: "85123A"}, "85123"},
		{predict.Line{SKU: "85123"}, "85123"},
		{predict.Line{SKU: "15056BL"}, "15056"},
		{predict.Line{SKU: "DCGS0076"}, "DCGS0076"},
		{predict.Line{SKU: "12A"}, "12A"},
		{predict.Line{SKU: "LAMP-RED", Product: "LAMP"}, "LAMP"},
		{predict.Line{Product: "LAMP"}, "LAMP"},
		{predict.Line{SKU: "85123A", Product: "85123A"}, "85123"},
	} {
		if got := predict.Family(&c.line); got != c.want {
			t.Errorf("%+v is of the family %q, want %q", c.line, got, c.want)
		}
	}
}

// letters sends people messages on weekdays at ten; they answer within hours. The
// first answer on Fridays at eight in the evening; a machine opens all at once.
func letters(people, evening int) *shop {
	s, r := &shop{}, rand.New(rand.NewPCG(2, 2))
	for n := range people {
		for k := range 24 {
			sent := spring.Add(time.Duration(k*7+r.IntN(5)) * day)
			id := fmt.Sprintf("%d-%d", n, k)
			s.does(n, sent, event.MessageSent, "channel", "email", "delivery", id)
			s.does(n, sent.Add(time.Second), event.MessageOpened, "channel", "email", "delivery", id, "actor", "machine")
			if r.Float64() < 0.4 {
				continue
			}
			at := sent.Add(time.Duration(r.ExpFloat64() * 3 * float64(time.Hour)))
			if n < evening && r.Float64() < 0.8 {
				at = spring.Add(time.Duration(k*7+4)*day + 10*time.Hour + time.Duration(r.IntN(50))*time.Minute)
				if at < sent {
					at = at.Add(7 * day)
				}
			}
			s.does(n, at, event.MessageOpened, "channel", "email", "delivery", id, "actor", "human", "device", "mobile")
			s.does(n, at.Add(time.Minute), event.MessageClicked, "channel", "email", "delivery", id, "actor", "human")
		}
	}
	return s.sort()
}

func TestBestHoursComeOfWhatHumansAnswer(t *testing.T) {
	t.Parallel()
	const people, evening = 200, 12
	r := fit(t, predict.Rhythms{}, letters(people, evening), spring.Add(300*day))
	own := 0
	for n := range people {
		p, ok := of(r, n, "best_hour.email")
		if !ok {
			t.Fatalf("nothing is said of customer %d", n)
		}
		hour, _ := p.Value.Float()
		if is := hour >= 4*24+19 && hour <= 4*24+21; is && n < evening {
			own++
		} else if is != (n < evening) && n >= evening {
			t.Errorf("customer %d: %+v", n, p)
		}
		if n >= evening && !strings.Contains(p.Evidence, "customers at large") {
			own-- // one in a hundred may have an hour by chance
		}
		if p, ok := of(r, n, "best_hour.email.mobile"); ok && p.Evidence == "" {
			t.Errorf("%+v", p)
		}
		if a, ok := of(r, n, "channel_affinity.email"); !ok || !strings.Contains(a.Evidence, "of 24 messages by email") {
			t.Errorf("customer %d: %+v", n, a)
		}
	}
	if own < evening*9/10-2 {
		t.Errorf("%d of %d who answer on Friday evenings were found", own, evening)
	}
}

func TestWhatMachinesOpenNeverCounts(t *testing.T) {
	t.Parallel()
	s := letters(200, 0)
	for i := range s.events {
		if s.events[i].Name != event.MessageSent {
			s.events[i].Actor = "machine"
		}
	}
	r := fit(t, predict.Rhythms{}, s, spring.Add(300*day))
	for _, o := range r.People {
		for _, p := range o.Predictions {
			t.Fatalf("of machines it is concluded: %+v", p)
		}
	}
}

func TestTheRetailYearHasNoSaturdays(t *testing.T) {
	t.Parallel()
	s, end := retailYear(t)
	r := fit(t, predict.Rhythms{}, s, end)
	t.Logf("%.0f rhythms of %.0f tested", figure(t, &r.Report, "rhythms found"), figure(t, &r.Report, "rhythms tested"))
	found := 0
	for _, o := range r.People {
		for _, p := range o.Predictions {
			if strings.Contains(p.Value.Raw, "Saturday") {
				t.Errorf("%+v", p)
			}
			if found++; found <= 5 {
				t.Logf("  %s %s: %s", p.Name, p.Value.Raw, p.Evidence)
			}
		}
	}
	// The same orders at each other's instants have no rhythms.
	rnd := rand.New(rand.NewPCG(3, 3))
	rnd.Shuffle(len(s.orders), func(i, j int) { s.orders[i].At, s.orders[j].At = s.orders[j].At, s.orders[i].At })
	if r := fit(t, predict.Rhythms{}, s.sort(), end); figure(t, &r.Report, "rhythms found") > 1 {
		t.Errorf("shuffled: %+v", r.Report.Figures)
	}
}

// browsers visit and buy if they have a cart, half of the time.
func browsers(people int) *shop {
	s, r := &shop{}, rand.New(rand.NewPCG(4, 4))
	for n := range people {
		at := spring.Add(time.Duration(r.IntN(1000)) * time.Minute)
		for range 2 {
			at = at.Add(40 * time.Hour)
			cart := r.Float64() < 0.3
			for k := range 3 {
				s.does(n, at.Add(time.Duration(k)*time.Minute), event.ProductViewed, "product_id", fmt.Sprint(k))
			}
			if cart {
				s.does(n, at.Add(4*time.Minute), event.ProductAdded, "product_id", "1")
				s.does(n, at.Add(5*time.Minute), event.CartViewed)
			}
			if cart && r.Float64() < 0.5 {
				s.does(n, at.Add(6*time.Minute), event.OrderCompleted)
			}
		}
	}
	return s
}

func TestIntentAnswersAfterAStartByWhatWasKept(t *testing.T) {
	t.Parallel()
	now, dir := spring.Add(30*day), t.TempDir()
	s := browsers(900).sort()
	m := &predict.Intent{Dir: dir}
	if r := fit(t, m, s, now); r.Report.Refused != "" {
		t.Fatal(r.Report.Refused)
	}
	here := []predict.Event{
		{Profile: who(5), At: now.Add(-2 * time.Minute), Name: event.ProductViewed}, {Profile: who(5), At: now.Add(-time.Minute), Name: event.ProductAdded},
	}
	want, ok := m.Now(here, now)
	if !ok {
		t.Fatal("nothing is said of somebody who is here")
	}
	got, ok := (&predict.Intent{Dir: dir}).Now(here, now)
	if !ok || got != want {
		t.Errorf("after a start it says %+v, %v; before it said %+v", got, ok, want)
	}
	if _, ok := (&predict.Intent{}).Now(here, now); ok {
		t.Error("without a folder something is said before a fit")
	}
	// Who is refused is kept no longer, and a file of nonsense is no model.
	fit(t, &predict.Intent{Dir: dir}, browsers(100).sort(), now)
	if _, ok := (&predict.Intent{Dir: dir}).Now(here, now); ok {
		t.Error("a model that was refused is remembered")
	}
	if err := os.WriteFile(filepath.Join(dir, "intent.kept"), []byte(`{"zone":"UTC","model":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := (&predict.Intent{Dir: dir}).Now(here, now); ok {
		t.Error("nonsense is a model")
	}
}

func TestIntentIsToldOfThoseWhoAreHere(t *testing.T) {
	t.Parallel()
	s, now := browsers(900), spring.Add(30*day)
	s.does(5, now.Add(-5*time.Minute), event.ProductViewed, "product_id", "1")
	s.does(6, now.Add(-9*time.Minute), event.ProductViewed, "product_id", "1")
	s.does(6, now.Add(-5*time.Minute), event.ProductAdded, "product_id", "1")
	s.does(7, now.Add(-9*time.Minute), event.ProductAdded, "product_id", "1")
	s.does(7, now.Add(-5*time.Minute), event.OrderCompleted)
	m := &predict.Intent{}
	if _, ok := m.Now(nil, now); ok {
		t.Error("a model that was never fitted says something")
	}
	r := fit(t, m, s.sort(), now)
	low, there := of(r, 5, "intent")
	high, too := of(r, 6, "intent")
	if !there || !too || len(r.People) != 2 {
		t.Fatalf("%d people: %+v", len(r.People), r.Report)
	}
	l, _ := low.Value.Float()
	h, _ := high.Value.Float()
	if h < l+0.15 || high.Until != now.Add(-5*time.Minute).Add(profile.SessionGap) {
		t.Errorf("%+v and %+v", low, high)
	}
	for _, name := range []string{"AUC", "Brier score", "Brier score of the base rate", "calibration slope", "base rate"} {
		figure(t, &r.Report, name)
	}
	if len(r.Report.Calibration) == 0 || r.Report.Checked == "" {
		t.Errorf("%+v", r.Report)
	}
	// A page that is served asks in between.
	live := []predict.Event{{At: now.Add(time.Minute), Name: event.ProductViewed}, {At: now.Add(2 * time.Minute), Name: event.ProductAdded}}
	p, ok := m.Now(live, now.Add(3*time.Minute))
	if v, _ := p.Value.Float(); !ok || v < l {
		t.Errorf("%t %+v", ok, p)
	}
	if r := fit(t, m, browsers(100).sort(), now); !strings.Contains(r.Report.Refused, "it takes "+fmt.Sprint(intent.LeastVisits)) {
		t.Errorf("%+v", r.Report)
	}
	if _, ok := m.Now(live, now.Add(3*time.Minute)); ok {
		t.Error("a model that refuses says something")
	}
}

func TestOccasionsAreToldOfThoseAloneWhoAgreed(t *testing.T) {
	t.Parallel()
	baby := &occasion.Definition{
		Name: "new-baby", Label: "A new baby", Purpose: "occasions", AtLeast: 2, Within: 60 * day, Lasts: 365 * day, Share: 0.02,
		Signals: []occasion.Signal{{Name: "nappies", Categories: []string{"Nappies"}, Strength: 10}, {Name: "cot", Categories: []string{"Cots"}, Strength: 10}},
	}
	s := &shop{}
	for n, states := range [][]string{{"granted"}, nil, {"granted", "withdrawn"}, {"withdrawn", "granted"}, {"granted"}} {
		for i, state := range states {
			s.does(n, spring.Add(time.Duration(i)*time.Hour), event.ConsentChanged, "purpose", "occasions", "channel", "email", "state", state)
		}
		s.buys(n, spring.Add(day), "N1", "Baby > Nappies")
		if n < 4 {
			s.buys(n, spring.Add(3*day), "C1", "Cots")
		}
	}
	m := predict.Occasions{Definitions: func() []*occasion.Definition { return []*occasion.Definition{baby} }}
	r := fit(t, m, s.sort(), spring.Add(10*day))
	for n, want := range []bool{true, false, false, true, false} {
		p, ok := of(r, n, "occasion.new-baby")
		if ok != want {
			t.Errorf("customer %d: %t %+v", n, ok, p)
		}
		if end, ok := of(r, n, "occasion.new-baby.end"); ok != want || want && end.Value.Raw != "2025-03-05" {
			t.Errorf("customer %d: %t %+v", n, ok, end)
		}
	}
	top := predict.TopOccasions(r, 1)
	if len(top) != 1 || top[0].String() != "new-baby, 67 % likely: bought Baby > Nappies on 5 March 2024, bought Cots on 7 March 2024" {
		t.Errorf("%v", top)
	}
	if r := fit(t, m, s, spring.Add(500*day)); len(r.People) > 0 {
		t.Errorf("a year and more later: %+v", r.People)
	}
}

// threeKinds are three kinds of customers of a shop.
func threeKinds(people int) *shop {
	s, r := &shop{}, rand.New(rand.NewPCG(5, 5))
	for n := range people {
		orders, hour, category := 20+r.IntN(6), 9+r.IntN(3), "Tea"
		switch n % 3 {
		case 1:
			orders, hour, category = 3+r.IntN(2), 19+r.IntN(3), "Lamps"
		case 2:
			orders, hour, category = 8+r.IntN(3), 12+r.IntN(3), "Toys"
		}
		for k := range orders {
			at := spring.Add(time.Duration((300*k+r.IntN(300))/orders)*day + time.Duration(hour-10)*time.Hour)
			s.buys(n, at, fmt.Sprint(category, r.IntN(4)), category)
			s.orders[len(s.orders)-1].Net = money.Micros(r.IntN(20e6)) + 5e6
		}
	}
	return s.sort()
}

func TestPersonasKeepTheirKeysFromDayToDay(t *testing.T) {
	t.Parallel()
	s, m := threeKinds(300), predict.Personas{Dir: t.TempDir()}
	r := fit(t, m, s, spring.Add(310*day))
	if len(r.People) != 300 {
		t.Fatalf("%d people: %+v", len(r.People), r.Report)
	}
	keys, mixed := map[string]int{}, 0
	for n := range 300 {
		p, _ := of(r, n, "persona")
		if k, known := keys[p.Value.Raw]; known && k != n%3 {
			mixed++
		}
		keys[p.Value.Raw] = n % 3
	}
	if len(keys) < 3 || mixed > 5 {
		t.Fatalf("%v, %d among others: %+v", keys, mixed, r.Report)
	}
	for n := range 30 { // some buy again
		s.buys(n, spring.Add(311*day), "Tea1", "Tea")
	}
	next := fit(t, m, s.sort(), spring.Add(312*day))
	same := 0
	for n := range 300 {
		a, _ := of(r, n, "persona")
		b, _ := of(next, n, "persona")
		if a.Value == b.Value {
			same++
		}
	}
	if same < 285 {
		t.Errorf("%d of 300 keep theirs: %+v, then %+v", same, r.Report, next.Report)
	}
}
