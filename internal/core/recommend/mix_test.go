package recommend_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
)

const day = 24 * time.Hour

var categories = []string{"Home", "Home/Lamps", "Home/Vases", "Garden", ""}

// shop is a random catalogue with a customer.
type shop struct {
	goods map[string]recommend.Good
	names []string
	p     *profile.Profile
}

func drawShop(t *rapid.T) shop {
	s := shop{goods: map[string]recommend.Good{}, p: &profile.Profile{}}
	for i := range rapid.IntRange(0, 12).Draw(t, "goods") {
		name := fmt.Sprint("p", i)
		g := recommend.Good{
			Name: name, Names: []string{name + "-s", name + "-l"}, SKU: name + "-s", Category: rapid.SampledFrom(categories).Draw(t, "category"),
			Price: money.Micros(rapid.Int64Range(0, 30).Draw(t, "price")) * money.One, Currency: rapid.SampledFrom([]money.Currency{"GBP", "EUR"}).Draw(t, "currency"),
			Available: rapid.Bool().Draw(t, "available"), Counted: rapid.Bool().Draw(t, "counted"), Stock: rapid.Int64Range(0, 5).Draw(t, "stock"),
		}
		s.goods[name] = g
		s.names = append(s.names, name)
		if rapid.Bool().Draw(t, "bought") {
			b := profile.Bought{
				SKU: rapid.SampledFrom([]string{name, name + "-s", name + "-l"}).Draw(t, "sku"), Category: g.Category, Count: rapid.Int32Range(0, 4).Draw(t, "count"),
				Last: noon.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "ago")) * day),
			}
			b.First = b.Last.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "before")) * day)
			if rapid.Bool().Draw(t, "parent known") {
				b.Product = name
			}
			s.p.Bought = append(s.p.Bought, b)
		}
	}
	return s
}

func (s *shop) look(name string) (recommend.Good, bool) { g, ok := s.goods[name]; return g, ok }

func drawServing(t *rapid.T, s *shop) recommend.Serving {
	return recommend.Serving{
		N: rapid.IntRange(0, 8).Draw(t, "n"), PerCategory: rapid.IntRange(0, 2).Draw(t, "per category"),
		Margin:       func(g *recommend.Good) (float64, bool) { return 0.5, g.Category == "Home" },
		MarginWeight: float64(rapid.IntRange(0, 2).Draw(t, "margin")),
		Rules: recommend.Rules{
			Profile: s.p, At: noon,
			Owning: recommend.Owning{
				For: time.Duration(rapid.IntRange(0, 150).Draw(t, "owned for")) * day, In: []recommend.Owned{{Category: "Garden", For: 10 * day}},
				Category: rapid.Bool().Draw(t, "category is as good"), Alike: [][]string{{"p0", "p1"}, {"p2-s", "p3"}},
			},
			Exclude: rapid.SliceOfN(rapid.SampledFrom([]string{"p1", "p2-l", "p9"}), 0, 2).Draw(t, "exclude"), Categories: rapid.SliceOfN(rapid.SampledFrom([]string{"Home", "Garden"}), 0, 1).Draw(t, "only"),
			NotCategories: rapid.SliceOfN(rapid.SampledFrom([]string{"Home/Vases"}), 0, 1).Draw(t, "not"),
			MinPrice:      money.Micros(rapid.Int64Range(0, 10).Draw(t, "min")) * money.One, MaxPrice: money.Micros(rapid.Int64Range(0, 25).Draw(t, "max")) * money.One,
			Currency: rapid.SampledFrom([]money.Currency{"", "GBP"}).Draw(t, "of currency"), SoldOut: rapid.Bool().Draw(t, "sold out"), MinStock: rapid.Int64Range(0, 3).Draw(t, "min stock"),
			ShownMost: rapid.IntRange(0, 2).Draw(t, "shown most"), Shown: func(name string) int { return len(name) % 3 },
			Replenish: rapid.Bool().Draw(t, "replenish"),
		},
	}
}

func drawSteps(t *rapid.T) []recommend.Step {
	item := rapid.Custom(func(t *rapid.T) recommend.Item {
		return recommend.Item{Name: fmt.Sprint("p", rapid.IntRange(0, 14).Draw(t, "item")), Score: float64(rapid.IntRange(-1, 9).Draw(t, "score"))}
	})
	source := rapid.Custom(func(t *rapid.T) recommend.Source {
		return recommend.Source{List: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "list"), Weight: float64(rapid.IntRange(0, 3).Draw(t, "weight")), Items: rapid.SliceOfN(item, 0, 10).Draw(t, "items")}
	})
	step := rapid.Custom(func(t *rapid.T) recommend.Step { return rapid.SliceOfN(source, 0, 3).Draw(t, "step") })
	return rapid.SliceOfN(step, 0, 3).Draw(t, "steps")
}

// forbidden is what must not stand in a list, in plain words and without the code
// that leaves it out.
func forbidden(s *shop, v *recommend.Serving, p *recommend.Pick) string {
	g := s.goods[p.Name]
	known := []string{g.Name, g.Name + "-s", g.Name + "-l"}
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(c string) bool {
			return g.Category == c || len(g.Category) > len(c) && g.Category[:len(c)+1] == c+"/"
		})
	}
	alike := map[string][]string{"p0": {"p1"}, "p1": {"p0"}, "p2": {"p3"}, "p3": {"p2-s"}}[g.Name]
	switch {
	case slices.ContainsFunc(v.Exclude, func(x string) bool { return slices.Contains(known, x) }):
		return "excluded"
	case !v.SoldOut && !g.Available:
		return "sold out"
	case g.Counted && g.Stock < v.MinStock:
		return "too few"
	case len(v.Categories) > 0 && !in(v.Categories) || in(v.NotCategories):
		return "another category"
	case g.Price < v.MinPrice || v.MaxPrice > 0 && g.Price > v.MaxPrice:
		return "another price"
	case (v.MinPrice > 0 || v.MaxPrice > 0) && v.Currency != "" && g.Currency != v.Currency:
		return "another currency"
	case v.ShownMost > 0 && len(g.Name)%3 >= v.ShownMost:
		return "shown often enough"
	}
	for _, b := range s.p.Bought {
		names := []string{b.SKU, b.Product}
		same := slices.ContainsFunc(names, func(n string) bool { return n != "" && (slices.Contains(known, n) || slices.Contains(alike, n)) })
		akin := v.Owning.Category && g.Category != "" && b.Category != "" && (g.Category == b.Category || in([]string{b.Category}) || len(b.Category) > len(g.Category) && b.Category[:len(g.Category)+1] == g.Category+"/")
		span := v.Owning.For
		if b.Category == "Garden" {
			span = 10 * day
		}
		since := noon.Sub(b.Last)
		if b.Count <= 0 || !same && !akin || since >= span {
			continue
		}
		if v.Replenish && b.Count >= 3 && b.Last > b.First && since >= b.Last.Sub(b.First)/time.Duration(b.Count-1) {
			continue // it has run out
		}
		return "just bought"
	}
	return ""
}

// TestNothingThatAFilterForbidsIsInAnyList is the row of ten thousand catalogues.
func TestNothingThatAFilterForbidsIsInAnyList(t *testing.T) {
	t.Parallel()
	tried := 0
	for tried < 10_000 {
		rapid.Check(t, func(t *rapid.T) {
			tried++
			s := drawShop(t)
			v := drawServing(t, &s)
			steps := drawSteps(t)
			named := map[string]bool{}
			for _, step := range steps {
				for _, src := range step {
					for _, it := range src.Items {
						named[it.Name] = named[it.Name] || it.Score > 0
					}
				}
			}
			out := v.Mix(steps, s.look)
			if len(out.Picks) > v.N {
				t.Fatalf("%d items, want at most %d", len(out.Picks), v.N)
			}
			per, once := map[string]int{}, map[string]bool{}
			for i := range out.Picks {
				p := &out.Picks[i]
				if why := forbidden(&s, &v, p); why != "" {
					t.Fatalf("%s is in the list, and it is %s", p.Name, why)
				}
				if !named[p.Name] {
					t.Fatalf("no list named %s", p.Name)
				}
				if once[p.Name] {
					t.Fatalf("%s is in the list twice", p.Name)
				}
				once[p.Name] = true
				if per[p.Category]++; v.PerCategory > 0 && p.Category != "" && per[p.Category] > v.PerCategory {
					t.Fatalf("%d of category %s", per[p.Category], p.Category)
				}
			}
			// And nothing is left out without a reason: who is not in the list is
			// forbidden, of a full category, or beyond its length.
			if len(out.Picks) < v.N && v.PerCategory == 0 {
				for name := range s.goods {
					if p := (recommend.Pick{Good: s.goods[name]}); named[name] && !once[name] && forbidden(&s, &v, &p) == "" {
						t.Fatalf("%s is not in a list of %d that may have %d", name, len(out.Picks), v.N)
					}
				}
			}
		})
	}
}

func TestAMixtureWeighsListsAndFallsBack(t *testing.T) {
	t.Parallel()
	look := func(name string) (recommend.Good, bool) {
		return recommend.Good{Name: name, Available: true, Category: map[string]string{"lamp": "Home"}[name]}, name != "unlisted"
	}
	steps := []recommend.Step{
		{
			{List: "session", Items: []recommend.Item{{Name: "vase", Score: 8}, {Name: "lamp", Score: 4}, {Name: "unlisted", Score: 9}}},
			{List: "popular", Weight: 0.8, Items: []recommend.Item{{Name: "lamp", Score: 100}}},
		},
		{{List: "trending", Items: []recommend.Item{{Name: "vase", Score: 1}, {Name: "bulb", Score: 1}}}},
	}
	v := recommend.Serving{N: 3}
	out := v.Mix(steps, look)
	var got []string
	for _, p := range out.Picks {
		got = append(got, fmt.Sprintf("%s %s %d", p.Name, p.List, p.Fallback))
	}
	// Of the session's scores the highest, of what is not sold any more, is 9.
	want := []string{"lamp popular 0", "vase session 0", "bulb trending 1"}
	if !slices.Equal(got, want) || !out.Fallback || out.Left[recommend.Unlisted] != 1 {
		t.Errorf("got %v, fallback %v, left %v; want %v", got, out.Fallback, out.Left, want)
	}
	v.N = 2
	if out := v.Mix(steps, look); out.Fallback || len(out.Picks) != 2 {
		t.Errorf("a full list fell back: %+v", out)
	}
	v.N, v.Margin, v.MarginWeight = 3, func(g *recommend.Good) (float64, bool) { return -0.9, g.Category == "Home" }, 1
	if out := v.Mix(steps, look); out.Picks[0].Name != "vase" {
		t.Errorf("what costs the shop money is first: %+v", out.Picks)
	}
}

func TestWhatIsAsGoodAsWhatWasBoughtIsJustBoughtToo(t *testing.T) {
	t.Parallel()
	p := &profile.Profile{Bought: []profile.Bought{{SKU: "lamp-red", Product: "lamp", Category: "Home/Lamps", Count: 3, First: noon.Add(-60 * day), Last: noon.Add(-20 * day)}}}
	plain := recommend.Owning{For: 90 * day}
	groups := recommend.Owning{For: 90 * day, Alike: [][]string{{"lamp", "lantern"}}}
	for _, c := range []struct {
		name string
		o    recommend.Owning
		t    recommend.Thing
		at   event.Time
		want bool
	}{
		{"the thing itself", plain, recommend.Thing{SKU: "lamp-red"}, noon, true},
		{"a variant by the product that is known of both", plain, recommend.Thing{SKU: "lamp-blue", Parent: "lamp"}, noon, true},
		{"a variant by the names of the catalogue", plain, recommend.Thing{SKU: "lamp", Variants: []string{"lamp-red", "lamp-blue"}}, noon, true},
		{"something else", plain, recommend.Thing{SKU: "lantern", Category: "Home/Lamps"}, noon, false},
		{"a declared substitute", groups, recommend.Thing{SKU: "lantern"}, noon, true},
		{"a variant of a declared substitute", groups, recommend.Thing{SKU: "lantern-xl", Variants: []string{"lantern"}}, noon, true},
		{"what is of its category, where that is as good", recommend.Owning{For: 90 * day, Category: true}, recommend.Thing{SKU: "lantern", Category: "Home"}, noon, true},
		{"after its time", plain, recommend.Thing{SKU: "lamp-red"}, noon.Add(70 * day), false},
		{"what runs out, before its rhythm", plain, recommend.Thing{SKU: "lamp-red", Replenish: true}, noon.Add(-day), true},
		{"what runs out, by its rhythm", plain, recommend.Thing{SKU: "lamp-red", Replenish: true}, noon, false},
		{"what runs out, by a date that is known", plain, recommend.Thing{SKU: "lamp-red", Replenish: true, Interval: 30 * day}, noon, true},
		{"where nothing counts as just bought", recommend.Owning{}, recommend.Thing{SKU: "lamp-red"}, noon, false},
		{"no thing at all", plain, recommend.Thing{}, noon, false},
	} {
		if got := c.o.JustBought(p, &c.t, c.at) != nil; got != c.want {
			t.Errorf("%s: just bought %v, want %v", c.name, got, c.want)
		}
	}
	p.Bought[0].Count = 0
	if plain.JustBought(p, &recommend.Thing{SKU: "lamp-red"}, noon) != nil {
		t.Error("what was returned counts")
	}
}

// A catalogue names categories one by one, from general to special; the shop's pages
// name the way to them.
func TestACategoryIsMeantByEachOfItsNames(t *testing.T) {
	t.Parallel()
	lamp := recommend.Good{Name: "lamp", Category: "Lamps", Categories: []string{"Home", "Light", "Lamps"}, Available: true}
	for named, want := range map[string]bool{
		"Lamps": true, "Home": true, "Light": true, "Home/Light": true, "Home > Light > Lamps": true, "Light/Lamps": true,
		"Garden": false, "Lamp": false, "Home/Lamps": false, "Lamps/Desk": false, "": false,
	} {
		if got := lamp.In(named); got != want {
			t.Errorf("in %q: %t", named, got)
		}
		only, but := recommend.Rules{Categories: []string{named}}, recommend.Rules{NotCategories: []string{named}}
		if (only.Refuse(&lamp) == "") != want || (but.Refuse(&lamp) == "") == want {
			t.Errorf("only %q: %q; all but it: %q", named, only.Refuse(&lamp), but.Refuse(&lamp))
		}
	}
}

func TestWhatHasNoPriceIsWithinNoBand(t *testing.T) {
	t.Parallel()
	band := recommend.Rules{MaxPrice: 10 * money.One}
	for _, c := range []struct {
		good recommend.Good
		want recommend.Reason
	}{
		{recommend.Good{Available: true}, recommend.WrongPrice},
		{recommend.Good{Available: true, Currency: "GBP"}, ""}, // it is free
		{recommend.Good{Available: true, Price: 9 * money.One}, ""},
		{recommend.Good{Available: true, Price: 11 * money.One}, recommend.WrongPrice},
	} {
		if got := band.Refuse(&c.good); got != c.want {
			t.Errorf("%+v: %q, want %q", c.good, got, c.want)
		}
	}
}
