package recommend_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/recommend"
)

var noon = event.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

func names(list []recommend.Item) (out []string) {
	for _, it := range list {
		out = append(out, it.Name)
	}
	return out
}

func next(x *recommend.Index, m recommend.Method, clicks ...string) []recommend.Item {
	var s recommend.Scratch
	return x.Next(nil, &m, clicks, noon, 20, &s)
}

func TestWhatVisitsLikeThisOneWentOnToIsNextAtOnce(t *testing.T) {
	t.Parallel()
	x := recommend.NewIndex(recommend.Options{})
	for i, item := range []string{"lamp", "bulb", "shade"} {
		x.Click(1, item, noon.Add(time.Duration(i)*time.Second))
	}
	x.Click(2, "vase", noon)
	for _, a := range []recommend.Algorithm{recommend.VMIS, recommend.VS, recommend.STAN, recommend.VSTAN} {
		m := recommend.Defaults(a)
		m.NoRemind = true
		got := names(next(x, m, "lamp"))
		slices.Sort(got)
		if !slices.Equal(got, []string{"bulb", "shade"}) {
			t.Errorf("%s after a lamp: %v", a, got)
		}
		if got := next(x, m, "nothing known"); got != nil {
			t.Errorf("%s after something unknown: %v", a, got)
		}
	}
	x.Click(2, "lamp", noon.Add(time.Second))
	if got := names(next(x, recommend.Defaults(recommend.VMIS), "lamp")); !slices.Contains(got, "vase") {
		t.Errorf("the click before is not known: %v", got)
	}
}

func TestAPauseEndsAVisit(t *testing.T) {
	t.Parallel()
	x := recommend.NewIndex(recommend.Options{})
	x.Click(1, "lamp", noon)
	x.Click(1, "vase", noon.Add(31*time.Minute))
	if got := next(x, recommend.Defaults(recommend.VMIS), "lamp"); got != nil {
		t.Errorf("two visits were one: %v", got)
	}
	if visit, at := x.Visit(1, noon.Add(32*time.Minute)); !slices.Equal(visit, []string{"vase"}) || at != noon.Add(31*time.Minute) {
		t.Errorf("the visit that goes on: %v, %d", visit, at)
	}
	if visit, _ := x.Visit(1, noon.Add(2*time.Hour)); visit != nil {
		t.Errorf("a visit that is over: %v", visit)
	}
}

func TestAVisitThatLooksAtEverythingTellsNothing(t *testing.T) {
	t.Parallel()
	x := recommend.NewIndex(recommend.Options{Longest: 5})
	for i := range 6 {
		x.Click(1, fmt.Sprint("item ", i), noon)
	}
	if items, _, clicks := x.Size(); items != 0 || clicks != 0 {
		t.Errorf("%d items, %d clicks are left of a robot", items, clicks)
	}
	x.Click(1, "item 7", noon)
	if items, _, _ := x.Size(); items != 0 {
		t.Error("a robot begins anew within its visit")
	}
}

func TestWhoIsForgottenIsInNoList(t *testing.T) {
	t.Parallel()
	x := recommend.NewIndex(recommend.Options{})
	x.Click(1, "lamp", noon)
	x.Click(1, "secret", noon)
	x.Click(2, "lamp", noon)
	x.Click(2, "vase", noon)
	x.Forget(1)
	if got := names(next(x, recommend.Defaults(recommend.VMIS), "lamp")); !slices.Equal(got, []string{"vase"}) {
		t.Errorf("after a lamp: %v", got)
	}
	if x.Knows("secret") {
		t.Error("what only she looked at is known by name")
	}
}

// The index says the same as one that is made anew of the visits that are within
// its bounds: what is evicted leaves no trace.
func TestWhatIsEvictedLeavesNoTrace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(5, 60).Draw(t, "clicks")
		bounded := recommend.NewIndex(recommend.Options{Clicks: limit, Longest: -1, Recent: -1})
		var visits [][]string
		for range rapid.IntRange(1, 60).Draw(t, "visits") {
			v := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}), 1, 5).Draw(t, "visit")
			visits = append(visits, v)
			bounded.Add(v, noon)
		}
		_, kept, clicks := bounded.Size()
		if clicks > limit && kept > 1 {
			t.Fatalf("%d clicks are kept, bound %d", clicks, limit)
		}
		fresh := recommend.NewIndex(recommend.Options{Clicks: -1, Longest: -1, Recent: -1})
		for _, v := range visits[len(visits)-kept:] {
			fresh.Add(v, noon)
		}
		a := rapid.SampledFrom([]recommend.Algorithm{recommend.VMIS, recommend.VS, recommend.STAN, recommend.VSTAN}).Draw(t, "algorithm")
		clicked := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "x"}), 1, 4).Draw(t, "asked")
		got, want := next(bounded, recommend.Defaults(a), clicked...), next(fresh, recommend.Defaults(a), clicked...)
		if !slices.Equal(got, want) {
			t.Fatalf("after %v of %v, bounded %v, anew %v", clicked, visits, got, want)
		}
	})
}

// Next is what the plain words of VMIS-kNN say, worked out with maps.
func TestNextIsTheDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := []string{"a", "b", "c", "d", "e", "f", "g"}
		x := recommend.NewIndex(recommend.Options{})
		var visits [][]string
		for range rapid.IntRange(0, 30).Draw(t, "visits") {
			v := rapid.SliceOfNDistinct(rapid.SampledFrom(items), 1, 5, rapid.ID[string]).Draw(t, "visit")
			visits = append(visits, v)
			x.Add(v, noon)
		}
		m := recommend.Method{Algorithm: recommend.VMIS, M: rapid.IntRange(1, 8).Draw(t, "m"), K: 100, Last: 3, IDF: 1}
		clicks := rapid.SliceOfN(rapid.SampledFrom(items), 1, 5).Draw(t, "clicks")
		got := map[string]float64{}
		for _, it := range next(x, m, clicks...) {
			got[it.Name] = it.Score
		}
		want := definition(visits, m, clicks)
		for name, score := range want {
			if d := got[name] - score; d > 1e-9 || d < -1e-9 {
				t.Fatalf("after %v of %v, %s scores %v, want %v", clicks, visits, name, got[name], score)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("after %v of %v: %v, want %v", clicks, visits, got, want)
		}
	})
}
