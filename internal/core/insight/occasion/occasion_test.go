package occasion_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/spec"
)

const day = 24 * time.Hour

var first = event.At(time.Date(2024, 5, 2, 12, 0, 0, 0, time.UTC))

// baby is the usual example.
func baby() *occasion.Definition {
	return &occasion.Definition{
		Name: "new-baby", Label: "A new baby", Purpose: "occasions", AtLeast: 2, Within: 60 * day, Begins: -30 * day, Lasts: 540 * day, Share: 0.02,
		Signals: []occasion.Signal{
			{Name: "nappies", Categories: []string{"Nappies"}, Strength: 9},
			{Name: "cot", Categories: []string{"Cots", "Cribs"}, Strength: 16},
			{Name: "bottles", Categories: []string{"Baby Bottles"}, Strength: 9},
		},
	}
}

func sign(days int, category string, bought bool) occasion.Sign {
	return occasion.Sign{At: first.Add(time.Duration(days) * day), Category: category, Bought: bought}
}

func TestTwoCategoriesWithinTheTimeAreAnOccasion(t *testing.T) {
	t.Parallel()
	odds := func(by float64) float64 { o := 0.02 / 0.98 * by; return o / (1 + o) }
	for _, c := range []struct {
		what  string
		signs []occasion.Sign
		now   int
		want  float64 // 0: none
	}{
		{"one category is none", []occasion.Sign{sign(0, "Nappies", true)}, 1, 0},
		{"often the same is none", []occasion.Sign{sign(0, "Nappies", true), sign(7, "Nappies", true), sign(14, "Baby > Nappies", true)}, 20, 0},
		{"two are", []occasion.Sign{sign(0, "Nappies", true), sign(10, "Cots", true)}, 11, odds(9 * 16)},
		{"below a path too, however written", []occasion.Sign{sign(0, "Baby > nappies", true), sign(10, "furniture/cribs", true)}, 11, odds(9 * 16)},
		{"what is looked at says less", []occasion.Sign{sign(0, "Nappies", true), sign(10, "Cots", false)}, 11, odds(9 * 4)},
		{"what is looked at and then bought counts once", []occasion.Sign{sign(0, "Nappies", false), sign(3, "Nappies", true), sign(10, "Cots", true)}, 11, odds(9 * 16)},
		{"three say more", []occasion.Sign{sign(0, "Nappies", true), sign(10, "Cots", true), sign(90, "Baby Bottles", true)}, 91, odds(9 * 16 * 9)},
		{"too far apart is none", []occasion.Sign{sign(0, "Nappies", true), sign(61, "Cots", true)}, 62, 0},
		{"a later pair counts", []occasion.Sign{sign(0, "Nappies", true), sign(70, "Cots", true), sign(80, "Baby Bottles", true)}, 81, odds(16 * 9)},
		{"before the second it is none", []occasion.Sign{sign(0, "Nappies", true), sign(10, "Cots", true)}, 9, 0},
		{"it is over in the end", []occasion.Sign{sign(0, "Nappies", true), sign(10, "Cots", true)}, 510, 0},
		{"and may come again", []occasion.Sign{sign(0, "Nappies", true), sign(10, "Cots", true), sign(700, "Nappies", true), sign(701, "Cots", true)}, 702, odds(9 * 16)},
		{"other categories say nothing", []occasion.Sign{sign(0, "Nappies", true), sign(1, "Lamps", true), sign(2, "Cotton", true)}, 3, 0},
		{"nothing is nothing", nil, 3, 0},
	} {
		f, ok := baby().Detect(c.signs, first.Add(time.Duration(c.now)*day))
		if ok != (c.want > 0) || math.Abs(f.Probability-c.want) > 1e-12 {
			t.Errorf("%s: %t %+v, want %.4f", c.what, ok, f, c.want)
		}
	}
}

func TestAnOccasionHasABeginningAnEndAndEvidence(t *testing.T) {
	t.Parallel()
	f, ok := baby().Detect([]occasion.Sign{sign(0, "Baby > Nappies", true), sign(7, "Cots", false)}, first.Add(8*day))
	if !ok || f.Start != first.Add(-30*day) || f.End != first.Add(510*day) || len(f.Seen) != 2 {
		t.Fatalf("%t %+v", ok, f)
	}
	if e := f.Evidence(time.UTC); e != "bought Baby > Nappies on 2 May 2024, looked at Cots on 9 May 2024" {
		t.Error(e)
	}
}

func TestAnOrderThatIsDeclaredCounts(t *testing.T) {
	t.Parallel()
	d := baby()
	d.InOrder = true
	now := first.Add(20 * day)
	if _, ok := d.Detect([]occasion.Sign{sign(0, "Cots", true), sign(5, "Nappies", true)}, now); ok {
		t.Error("the other way round is an occasion")
	}
	if _, ok := d.Detect([]occasion.Sign{sign(0, "Nappies", true), sign(5, "Cots", true)}, now); !ok {
		t.Error("the right way round is none")
	}
}

// gifts makes years of purchases of a shop that sells a third of its year in
// November and December. Givers buy in November every year, and otherwise like
// everybody.
func gifts(seed uint64, people, givers, years int) []occasion.Purchases {
	r := rand.New(rand.NewPCG(seed, 15))
	var list []occasion.Purchases
	for i := range people {
		p := occasion.Purchases{Person: fmt.Sprintf("p%04d", i), Category: "Gifts"}
		for y := range years {
			var months []int
			if i < givers {
				months = append(months, 10)
			}
			for range 1 + r.IntN(2) {
				m := r.IntN(12)
				if r.Float64() < 0.25 {
					m = 10 + r.IntN(2)
				}
				if i >= givers || r.Float64() < 0.3 {
					months = append(months, m)
				}
			}
			for m := range 12 {
				for _, own := range months {
					if own == m {
						p.At = append(p.At, event.At(time.Date(2018+y, time.Month(m+1), 1+r.IntN(27), 12, 0, 0, 0, time.UTC)))
					}
				}
			}
		}
		list = append(list, p)
	}
	return list
}

var yearly = &occasion.Definition{Name: "every-year", Label: "Bought every year", Purpose: "occasions", Yearly: true}

func TestAGiftEveryNovemberIsFound(t *testing.T) {
	t.Parallel()
	now := event.At(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
	found, wrong := 0, 0
	for _, y := range occasion.Seasons(yearly, gifts(1, 600, 60, 6), now, time.UTC) {
		var n int
		_, _ = fmt.Sscanf(y.Person, "p%d", &n)
		if n >= 60 {
			wrong++
			continue
		}
		found++
		if y.Start.String() != "2024-11-01T00:00:00.000Z" || y.End.String() != "2024-12-01T00:00:00.000Z" || y.Years != 6 || y.Probability < 0.8 {
			t.Errorf("%+v", y)
		}
		if e := y.Evidence(time.UTC); e != "bought Gifts in November in each of the last 6 years" {
			t.Error(e)
		}
	}
	if found < 30 || wrong > (found+wrong)/5 {
		t.Errorf("%d of 60 found, %d wrong", found, wrong)
	}
}

func TestAShopWhoseYearIsNovemberHasNoGivers(t *testing.T) {
	t.Parallel()
	now := event.At(time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC))
	wrong := 0
	for seed := range uint64(10) {
		wrong += len(occasion.Seasons(yearly, gifts(20+seed, 400, 0, 5), now, time.UTC))
	}
	if wrong > 4 { // of 4,000 people
		t.Errorf("%d of 4,000 people without a season have one", wrong)
	}
}

func TestSeasonsTakeCustomersAndYears(t *testing.T) {
	t.Parallel()
	now := event.At(time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC))
	if f := occasion.Seasons(yearly, gifts(2, occasion.LeastSeasonal-1, 50, 5), now, time.UTC); len(f) > 0 {
		t.Errorf("with 99 customers: %+v", f[0])
	}
	if f := occasion.Seasons(yearly, gifts(3, 600, 60, 1), event.At(time.Date(2019, 3, 1, 0, 0, 0, 0, time.UTC)), time.UTC); len(f) > 0 {
		t.Errorf("after one year: %+v", f[0])
	}
	only := *yearly
	only.Only = []string{"Lamps"}
	if f := occasion.Seasons(&only, gifts(4, 600, 60, 5), now, time.UTC); len(f) > 0 {
		t.Errorf("of another category: %+v", f[0])
	}
}

// node makes a map of what is given by key, value, key, value …
func node(kv ...any) spec.Node {
	n := spec.Node{Kind: spec.Map, Pos: spec.Pos{File: "occasions/new-baby.yaml", Line: 1}}
	for i := 0; i < len(kv); i += 2 {
		f := spec.Field{Key: kv[i].(string), Pos: spec.Pos{Line: i + 1}}
		switch v := kv[i+1].(type) {
		case string:
			f.Value = spec.Node{Kind: spec.Text, Text: v}
		case int:
			f.Value = spec.Node{Kind: spec.Number, Text: fmt.Sprint(v)}
		case bool:
			f.Value = spec.Node{Kind: spec.Bool, Text: fmt.Sprint(v)}
		case []string:
			f.Value.Kind = spec.List
			for _, s := range v {
				f.Value.Items = append(f.Value.Items, spec.Node{Kind: spec.Text, Text: s})
			}
		case spec.Node:
			f.Value = v
		}
		n.Fields = append(n.Fields, f)
	}
	return n
}

func TestADefinitionIsRead(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	signals := node("nappies", []string{"Nappies", "Diapers"}, "cot", node("categories", "Cots", "strength", 20), "bottles", "Baby Bottles")
	d := occasion.Parse("file", node("occasion", "new-baby", "label", "A new baby", "purpose", "occasions", "signals", signals,
		"at-least", 3, "within", "30d", "in-order", true, "begins", "-90d", "lasts", "540d", "share", "3%"), &ps)
	if d == nil {
		t.Fatalf("%v", ps.All())
	}
	got := fmt.Sprint(d.Name, d.Label, d.Purpose, d.AtLeast, d.Within, d.InOrder, d.Begins, d.Lasts, d.Share, fmt.Sprint(d.Signals))
	want := fmt.Sprint("new-baby", "A new baby", "occasions", 3, 30*day, true, -90*day, 540*day, 0.03, "[{nappies [Nappies Diapers] 10} {cot [Cots] 20} {bottles [Baby Bottles] 10}]")
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if d := occasion.Parse("every-year", node("purpose", "occasions", "yearly", true, "categories", []string{"Gifts"}), &ps); d == nil || !d.Yearly || d.Name != "every-year" {
		t.Errorf("%+v %v", d, ps.All())
	}
	set := occasion.NewSet([]*occasion.Definition{d})
	if p, ok := set.Purpose("occasion.new-baby.start"); !ok || p != "occasions" {
		t.Errorf("%q %t", p, ok)
	}
	if _, ok := set.Purpose("occasion.new"); ok {
		t.Error("an occasion that is not declared has a purpose")
	}
	if _, ok := (*occasion.Set)(nil).Purpose("occasion.new-baby"); ok {
		t.Error("no set allows an occasion")
	}
}

func TestAWrongDefinitionSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	two := node("a", "A", "b", "B")
	for what, c := range map[string]struct {
		n    spec.Node
		want string
	}{
		"no purpose":        {node("signals", two), "name the purpose to which they must have agreed"},
		"one signal":        {node("purpose", "p", "signals", node("a", "A")), "at least 2 signals: one category shows nothing"},
		"at-least one":      {node("purpose", "p", "signals", two, "at-least", 1), "at-least is 2 or more"},
		"more than all":     {node("purpose", "p", "signals", two, "at-least", 3), "no more than there are signals"},
		"a slip of the pen": {node("purpose", "p", "signals", two, "withn", "60d"), `no field "withn"`},
		"no time":           {node("purpose", "p", "signals", two, "within", "soon"), "within is a time such as 60d"},
		"a negative time":   {node("purpose", "p", "signals", two, "lasts", "-60d"), "lasts is a time such as 60d"},
		"everybody":         {node("purpose", "p", "signals", two, "share", "100%"), "at most 50%"},
		"weakness":          {node("purpose", "p", "signals", node("a", "A", "b", node("categories", "B", "strength", 1))), "above 1, at most 1000"},
		"no categories":     {node("purpose", "p", "signals", node("a", "A", "b", []string{})), "b names 1 to 50 categories"},
		"a bad name":        {node("occasion", "New Baby", "purpose", "p", "signals", two), "is not one of small letters"},
		"both kinds":        {node("purpose", "p", "signals", two, "yearly", true), "a yearly occasion has categories and no signals"},
		"no map":            {spec.Node{Kind: spec.Text, Text: "baby"}, "lines “key: value”"},
	} {
		var ps spec.Problems
		d := occasion.Parse("new-baby", c.n, &ps)
		var texts []string
		for _, p := range ps.All() {
			texts = append(texts, p.Error())
		}
		if d != nil || !strings.Contains(strings.Join(texts, "\n"), c.want) {
			t.Errorf("%s: %v, want %q", what, texts, c.want)
		}
	}
}
