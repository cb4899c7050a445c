package condition_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// questions are of every kind of series.
var questions = []string{
	`{'did':'Product Viewed','times':'>= 2'}`,
	`{'did':'Product Viewed','times':'>= 2','within':'12h'}`,
	`{'did':['Product Viewed','Page Viewed'],'times':'2 to 4','within':'2d'}`,
	`{'did':'Product Viewed','sum(price)':'>= 10'}`,
	`{'did':'Product Viewed','sum(price)':'>= 10','within':'1d'}`,
	`{'did':'Product Viewed','distinct(sku)':'>= 2'}`,
	`{'did':'Page Viewed','distinct(sku)':'= 2','within':'1d'}`,
	`{'did':'Page Viewed','last':{'within':'6h'}}`,
	`{'did':'Page Viewed','where':{'sku':'a'},'first':{'older_than':'6h'}}`,
	`{'did':'Product Viewed','between':['2026-03-05','2026-03-06']}`,
}

// bySession are questions whose answers depend on the order in which events are heard.
var bySession = []string{
	`{'did':'Product Viewed','sessions':'>= 2'}`,
	`{'did':['Product Viewed','Page Viewed'],'sessions':'<= 3','within':'1d'}`,
}

func drawEvents(t *rapid.T) []event.Event {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Event {
		e := ago(-time.Duration(rapid.IntRange(0, 300).Draw(t, "at"))*15*time.Minute,
			rapid.SampledFrom([]string{event.ProductViewed, event.PageViewed, "Cart Liked"}).Draw(t, "name"),
			"sku", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "sku"),
			"price", rapid.IntRange(-5, 20).Draw(t, "price"))
		return e
	}), 0, 20).Draw(t, "events")
}

func compileAll(t testing.TB, e *condition.Env, texts []string) []*condition.Cond {
	list := make([]*condition.Cond, len(texts))
	for i, text := range texts {
		list[i] = compile(t, e, text)
	}
	return list
}

// end is after all events that drawEvents draws.
var end = noon.Add(4 * day)

func TestLateEventsGiveTheSameSeries(t *testing.T) {
	t.Parallel()
	e := env()
	conds := compileAll(t, e, questions)
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		inOrder := slices.Clone(events)
		slices.SortStableFunc(inOrder, func(a, b event.Event) int { return int(a.At - b.At) })
		p, q := profile.New(identity.ID{1}), profile.New(identity.ID{1})
		latest := event.Time(0)
		for i := range events { // as drawn: late ones are heard when the newest has been heard
			latest = max(latest, events[i].At)
			e.Set.Fold(p, &events[i], nil, latest)
		}
		for i := range inOrder {
			e.Set.Fold(q, &inOrder[i], nil, inOrder[i].At)
		}
		e.Set.Trim(p, latest)
		e.Set.Trim(q, latest)
		if d := cmp.Diff(p.Series, q.Series); d != "" {
			t.Fatalf("heard late and heard in order differ: %s", d)
		}
		now := end.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "later")) * hour)
		for i, cond := range conds {
			a := cond.Eval(&condition.Context{P: p, Now: now})
			b := cond.Eval(&condition.Context{P: q, Now: now})
			if a.True != b.True || a.Until != b.Until {
				t.Fatalf("%s: %+v and %+v", questions[i], a, b)
			}
		}
	})
}

func TestRebuildEqualsFoldingOneByOne(t *testing.T) {
	t.Parallel()
	e := env()
	compileAll(t, e, append(slices.Clone(questions), bySession...))
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		p, q := profile.New(identity.ID{1}), profile.New(identity.ID{1})
		now := event.Time(0)
		for i := range events {
			now = max(now, events[i].At-event.Time(rapid.IntRange(0, 1).Draw(t, "early"))*3_600_000)
			p.Session = condition.Visit(p.Session, &events[i])
			e.Set.Fold(p, &events[i], nil, now)
		}
		e.Set.Rebuild(q, func(yield func(*event.Event) bool) {
			for i := range events {
				if !yield(&events[i]) {
					return
				}
			}
		}, now)
		e.Set.Trim(p, now)
		if d := cmp.Diff(p.Series, q.Series); d != "" {
			t.Fatalf("folded (−) and rebuilt (+) differ: %s", d)
		}
	})
}

// A program that asks more than the one before makes what is new from the history, and
// keeps the rest as the events made it.
func TestWhatIsNewIsRebuiltBesideWhatIsThere(tt *testing.T) {
	tt.Parallel()
	all := append(slices.Clone(questions), bySession...)
	rapid.Check(tt, func(t *rapid.T) {
		known := rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[string]).Draw(t, "known")
		asked := rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[string]).Draw(t, "asked")
		older, newer := env(), env()
		compileAll(tt, older, known)
		compileAll(tt, newer, asked)
		events := drawEvents(t)
		p, q := profile.New(identity.ID{1}), profile.New(identity.ID{1})
		now := event.Time(0)
		for i := range events {
			now = max(now, events[i].At)
			p.Session = condition.Visit(p.Session, &events[i])
			older.Set.Fold(p, &events[i], nil, now)
		}
		before := string(p.Append(nil))
		fresh := newer.Set.Beyond(older.Set)
		if fresh.Any() == older.Set.Covers(newer.Set) {
			t.Fatalf("Any = %v, Covers = %v", fresh.Any(), !fresh.Any())
		}
		own := *p
		fresh.Rebuild(&own, func(yield func(*event.Event) bool) {
			for i := range events {
				if fresh.Wants(events[i].Type, events[i].Name) && !yield(&events[i]) {
					return
				}
			}
		}, now)
		newer.Set.Rebuild(q, func(yield func(*event.Event) bool) {
			for i := range events {
				if !yield(&events[i]) {
					return
				}
			}
		}, now)
		newer.Set.Trim(&own, now)
		newer.Set.Trim(q, now)
		if d := cmp.Diff(q.Series, own.Series); d != "" {
			t.Fatalf("made of all (−) and of what is new (+) differ: %s", d)
		}
		if string(p.Append(nil)) != before {
			t.Fatal("the profile that it grew from has changed")
		}
	})
}

func TestJoinIsTheSameFromBothSidesAndLosesNothing(t *testing.T) {
	t.Parallel()
	e := env()
	conds := compileAll(t, e, questions)
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		both, a, b := profile.New(identity.ID{1}), profile.New(identity.ID{1}), profile.New(identity.ID{1})
		for i := range events {
			e.Set.Fold(both, &events[i], nil, noon)
			if rapid.Bool().Draw(t, "whose") {
				e.Set.Fold(a, &events[i], nil, noon)
			} else {
				e.Set.Fold(b, &events[i], nil, noon)
			}
		}
		before := fmt.Sprint(a.Append(nil), b.Append(nil))
		joined, other := *a, *a
		joined.Series = condition.JoinAll(a.Series, b.Series)
		other.Series = condition.JoinAll(b.Series, a.Series)
		if d := cmp.Diff(joined.Series, other.Series); d != "" {
			t.Fatalf("joined from both sides: %s", d)
		}
		if fmt.Sprint(a.Append(nil), b.Append(nil)) != before {
			t.Fatal("joining changed what it joined")
		}
		for i, cond := range conds {
			now := noon.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "now")) * 15 * time.Minute)
			want := cond.Eval(&condition.Context{P: both, Now: now})
			got := cond.Eval(&condition.Context{P: &joined, Now: now})
			if want.True != got.True || want.Until != got.Until {
				t.Fatalf("%s at %s: joined %+v, heard as one %+v", questions[i], now, got, want)
			}
		}
		e.Set.Trim(both, end)
		e.Set.Trim(&joined, end)
		if d := cmp.Diff(both.Series, joined.Series); d != "" {
			t.Fatalf("heard as one (−) and joined (+) differ: %s", d)
		}
	})
}

func TestFoldLeavesTheOldProfileAsItWas(t *testing.T) {
	t.Parallel()
	e := env()
	compileAll(t, e, append(slices.Clone(questions), bySession...))
	rapid.Check(t, func(t *rapid.T) {
		p := profile.New(identity.ID{1})
		for _, v := range drawEvents(t) {
			old, bytes := p, string(p.Append(nil))
			next := *p
			next.Session = condition.Visit(next.Session, &v)
			e.Set.Fold(&next, &v, nil, noon.Add(2*day))
			if string(old.Append(nil)) != bytes {
				t.Fatal("the old profile changed")
			}
			p = &next
			again, err := profile.Decode(string(p.Append(nil)))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(p.Series, again.Series); d != "" {
				t.Fatalf("stored and read again: %s", d)
			}
		}
	})
}

func TestForkedProfilesGrowApart(t *testing.T) {
	t.Parallel()
	e := env()
	compileAll(t, e, questions)
	p := profile.New(identity.ID{1})
	for i := range 5 {
		v := ago(-time.Duration(i)*time.Minute, event.ProductViewed, "sku", "a")
		e.Set.Fold(p, &v, nil, v.At)
	}
	rehearsal, live := *p, *p
	condition.Fork(&rehearsal)
	one, two := ago(-10*time.Minute, event.ProductViewed), ago(-11*time.Minute, event.ProductViewed)
	e.Set.Fold(&live, &one, nil, one.At)
	want := string(live.Append(nil))
	e.Set.Fold(&rehearsal, &two, nil, two.At)
	if string(live.Append(nil)) != want {
		t.Error("the rehearsal wrote into the live profile")
	}
}

func TestSeriesAreSharedAndKeepTheLongestWindow(t *testing.T) {
	t.Parallel()
	e := env()
	compile(t, e, `{'did':'Product Viewed','times':'>= 3','within':'2d'}`)
	short := condition.NewSet()
	compile(t, &condition.Env{Set: short}, `{'did':'Product Viewed','times':'>= 3','within':'1d'}`)
	if e.Set.Len() != 1 || !e.Set.Covers(short) || short.Covers(e.Set) || short.Hash() == e.Set.Hash() {
		t.Fatal("the longer window covers the shorter and not the other way round")
	}
	compile(t, e, `{'all':[{'did_not':'Product Viewed'},{'did':['Product Viewed'],'times':'5','within':'7d'},{'did':'Product Viewed','where':{'sku':'a','price':3}}]}`)
	compile(t, e, `{'did':'Product Viewed','where':{'price':3,'sku':'a'}}`)
	if e.Set.Len() != 2 {
		t.Errorf("%d series, want 2: one with and one without the filter", e.Set.Len())
	}
	p := profile.New(identity.ID{1})
	for i := range 30 {
		v := ago(-time.Duration(i)*day, event.ProductViewed)
		touched := e.Set.Fold(p, &v, nil, v.At)
		if got := slices.Collect(touched.Series); !slices.Equal(got, []int{0}) {
			t.Fatalf("touched %v, want the series without filter", got)
		}
	}
	if s := p.Series[0]; s.Count != 30 || len(s.Obs) != 7 {
		t.Errorf("%d events and %d observations, want 30 and those of seven days", s.Count, len(s.Obs))
	}
	untouched := ago(0, "Cart Liked")
	if touched := e.Set.Fold(p, &untouched, nil, noon); touched.Any() || e.Set.Asks("Cart Liked") {
		t.Error("an event that nobody asks about touches something")
	}
	old := condition.NewSet()
	old.Drop(p)
	if len(p.Series) != 0 {
		t.Error("a series that nobody asks for stays")
	}
}

func TestWholeHistoryNeedsNoObservations(t *testing.T) {
	t.Parallel()
	e := env()
	q := compile(t, e, `{'did':'Product Viewed','sum(price)':'>= 200','times':'>= 100'}`)
	p := profile.New(identity.ID{1})
	for i := range 100 {
		v := ago(-time.Duration(i)*time.Minute, event.ProductViewed, "price", 2)
		e.Set.Fold(p, &v, nil, v.At)
	}
	for _, s := range p.Series {
		if len(s.Obs) != 0 {
			t.Errorf("%d observations are kept for a total", len(s.Obs))
		}
	}
	if !q.Eval(&condition.Context{P: p, Now: end}).True {
		t.Error("the totals are wrong")
	}
}

func TestMoreThanCanBeKeptDropsTheOldest(t *testing.T) {
	t.Parallel()
	e := env()
	q := compile(t, e, `{'did':'Product Viewed','times':'>= 20000','within':'30d'}`)
	p := profile.New(identity.ID{1})
	for i := range condition.MaxObs + 10 {
		v := ago(-time.Duration(i)*time.Second, event.ProductViewed)
		e.Set.Fold(p, &v, nil, v.At)
	}
	s := p.Series[0]
	if len(s.Obs) != condition.MaxObs || s.Count != condition.MaxObs+10 || s.Obs[0].At != noon.Add(10*time.Second) {
		t.Fatalf("%d observations from %s, %d counted", len(s.Obs), s.Obs[0].At, s.Count)
	}
	if !q.Eval(&condition.Context{P: p, Now: s.Last}).True {
		t.Error("the bound that may just be asked is not reached")
	}
}

func TestNumbersThatBrokenClientsSendDoNotSpoilASum(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ price, sum string }{
		{`0.30000000000000004`, `0.3`}, {`1e300`, `100000000000`}, {`abc`, `0`}, {`9007199254.740993`, `9007199254.740993`}, {` 7 `, `7`}, {`-2.5`, `-2.5`}, {`NaN`, `0`},
	} {
		e := env()
		q := compile(t, e, fmt.Sprintf(`{'did':'Product Viewed','sum(price)':'= %s'}`, tt.sum))
		p := profile.New(identity.ID{1})
		hear(e.Set, p, ago(0, event.ProductViewed, "price", tt.price))
		if !q.Eval(&condition.Context{P: p, Now: noon}).True {
			t.Errorf("a price of %q is not %s", tt.price, tt.sum)
		}
	}
}

func TestManySeriesAreTouchedApart(t *testing.T) {
	t.Parallel()
	e := env()
	for i := range 300 {
		compile(t, e, fmt.Sprintf(`{'did':'Product Viewed','where':{'sku':'%d'}}`, i))
	}
	p := profile.New(identity.ID{1})
	for _, i := range []int{0, 63, 64, 255, 256, 299} {
		v := ago(0, event.ProductViewed, "sku", strconv.Itoa(i))
		touched := e.Set.Fold(p, &v, nil, noon)
		if got := slices.Collect(touched.Series); !slices.Equal(got, []int{i}) || !touched.Has(i) || touched.Has(i+1) {
			t.Errorf("touched %v, want %d", got, i)
		}
	}
}
