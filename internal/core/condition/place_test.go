package condition_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/place"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// london has a store in Soho that is open from 09:00 to 18:00, one in Kew that says
// nothing of its hours, and a fence around the centre.
func london(t testing.TB) *place.Map {
	t.Helper()
	centre, err := place.Circle("centre", place.Point{Lat: 51.51, Lon: -0.13}, 2000)
	if err != nil {
		t.Fatal(err)
	}
	day, _ := place.Spans("09:00-18:00")
	soho := place.Store{ID: "soho", At: place.Point{Lat: 51.513, Lon: -0.131}, Zone: time.UTC, Hours: place.Hours{Known: true}}
	for d := range 7 {
		soho.Hours.Week[d] = day
	}
	return place.New([]place.Store{soho, {ID: "kew", At: place.Point{Lat: 51.48, Lon: -0.29}, Zone: time.UTC}}, []*place.Fence{centre})
}

// seen is when the customer was seen.
var seen = event.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))

const anHour = event.Time(3_600_000)

func placed(p place.Point) *profile.Profile {
	return &profile.Profile{
		Where:  profile.Whereabouts{Country: "GB", City: "London", TownAt: seen, Point: p.Round(), PointAt: seen},
		Visits: []profile.Visit{{Key: place.FenceKey("centre"), Entered: seen, Last: seen + anHour}},
	}
}

func TestWhereACustomerIs(t *testing.T) {
	t.Parallel()
	places := london(t)
	soho, kew, sea := place.Point{Lat: 51.512, Lon: -0.131}, place.Point{Lat: 51.481, Lon: -0.29}, place.Point{Lat: 50, Lon: -30}
	for _, c := range []struct {
		text  string
		at    place.Point
		now   event.Time
		want  bool
		until event.Time
	}{
		{"{'near': {'store': 'any', 'within': '500m'}}", soho, seen, true, seen + 24*anHour},
		{"{'near': {'store': 'any', 'within': '500m'}}", soho, seen - 1, false, seen}, // a clock that is ahead
		{"{'near': {'store': 'any', 'within': '500m'}}", soho, seen + 24*anHour, false, event.Never},
		{"{'near': {'store': 'any', 'within': '50m'}}", soho, seen, false, seen + 24*anHour},
		{"{'near': {'store': 'kew', 'within': '500m'}}", soho, seen, false, seen + 24*anHour},
		{"{'near': {'store': 'kew', 'within': '500m', 'seen_within': '1h'}}", kew, seen, true, seen + anHour},
		{"{'near': {'store': 'any', 'beyond': '100km'}}", sea, seen, true, seen + 24*anHour},
		{"{'near': {'store': 'any', 'beyond': '50m', 'within': '300m'}}", soho, seen, true, seen + 24*anHour},
		{"{'near': {'store': 'any', 'within': '500m', 'open': true}}", soho, seen, true, seen + 6*anHour},
		{"{'near': {'store': 'any', 'within': '500m', 'open': true}}", soho, seen + 6*anHour, false, seen + 21*anHour},
		{"{'near': {'store': 'any', 'within': '500m', 'open': true}}", kew, seen, false, seen + 24*anHour}, // nobody says when it is open
		{"{'near': {'lat': 51.512, 'lon': -0.131, 'within': '20m'}}", soho, seen, true, seen + 24*anHour},
		{"{'fence': 'centre'}", soho, seen, true, seen + 24*anHour},
		{"{'fence': 'centre'}", kew, seen, false, seen + 24*anHour},
		{"{'fence': 'centre', 'entered': '2h'}", kew, seen + 2*anHour - 1, true, seen + 2*anHour},
		{"{'fence': 'centre', 'entered': '2h'}", kew, seen + 2*anHour, false, event.Never},
		{"{'store': 'soho', 'within': '30d'}", soho, seen, false, event.Never},
		{"{'city': 'london'}", soho, seen, true, event.Never},
		{"{'city': ['Leeds', 'York']}", soho, seen, false, event.Never},
		{"{'country': 'GB'}", soho, seen + 1000*anHour, true, event.Never},
		{"{'region': 'England'}", soho, seen, false, event.Never},
	} {
		var ps spec.Problems
		q := condition.Parse(define(t, c.text), &condition.Env{Set: condition.NewSet(), Places: places}, &ps)
		if q == nil {
			t.Errorf("%s: %v", c.text, ps.All())
			continue
		}
		v := q.Eval(&condition.Context{P: placed(c.at), Now: c.now, Explain: true})
		if v.True != c.want || v.Until != c.until {
			t.Errorf("%s at %v, %s: %t until %s, want %t until %s", c.text, c.at, c.now, v.True, v.Until, c.want, c.until)
		}
		if len(v.Because) == 0 || v.Because[0].Sentence(c.now) == "" || !q.Deps().Place {
			t.Errorf("%s does not say why: %v", c.text, v.Because)
		}
		nobody := q.Eval(&condition.Context{P: &profile.Profile{}, Now: c.now})
		if nobody.True || nobody.Until != event.Never {
			t.Errorf("%s is %t of somebody who was never seen", c.text, nobody.True)
		}
	}
}

// Asked every quarter of an hour, no answer changes before the instant that the
// last one named.
func TestNoAnswerAboutAPlaceChangesBeforeItsTime(t *testing.T) {
	t.Parallel()
	places := london(t)
	texts := []string{
		"{'near': {'store': 'any', 'within': '500m', 'open': true}}", "{'near': {'store': 'soho', 'within': '3km', 'seen_within': '5h'}}",
		"{'fence': 'centre', 'seen_within': '90m'}", "{'fence': 'centre', 'entered': '30h'}", "{'store': 'any', 'within': '6h'}", "{'not': {'fence': 'centre'}}",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(texts).Draw(t, "condition")
		n, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var ps spec.Problems
		q := condition.Parse(n, &condition.Env{Set: condition.NewSet(), Places: places}, &ps)
		const step = anHour / 4
		moment := func(label string) event.Time { return seen + step*event.Time(rapid.IntRange(-100, 100).Draw(t, label)) }
		p := placed(place.Point{Lat: 51.5 + rapid.Float64Range(0, .03).Draw(t, "lat"), Lon: -0.13})
		p.Where.PointAt = moment("seen")
		p.Visits[0].Entered = moment("entered")
		p.Visits = append(p.Visits, profile.Visit{Key: place.FenceKey(place.StoreFence("soho")), Entered: moment("visited")})
		slices.SortFunc(p.Visits, func(a, b profile.Visit) int {
			if a.Key < b.Key {
				return -1
			}
			return 1
		})
		last := condition.Verdict{}
		for i, now := 0, seen-120*step; now < seen+300*step; i, now = i+1, now+step {
			v := q.Eval(&condition.Context{P: p, Now: now})
			if i > 0 && v.True != last.True && now < last.Until {
				t.Fatalf("%s became %t at %s, and was to stay until %s", text, v.True, now, last.Until)
			}
			last = v
		}
	})
}

func TestPlacesThatAreNotThereAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{'near': {'store': 'sohho', 'within': '2km'}}":                "soho",
		"{'near': {'store': 'soho'}}":                                  "needs a distance",
		"{'near': {'store': 'soho', 'lat': 1, 'lon': 2}}":              "or lat and lon",
		"{'near': {'store': 'soho', 'within': '2'}}":                   "no distance",
		"{'near': {'store': 'soho', 'within': '2km', 'open': true}}":   "store: any",
		"{'near': {'lat': 0, 'lon': 0, 'within': '2km'}}":              "no point",
		"{'near': {'store': 'any', 'within': '1km', 'beyond': '2km'}}": "the smaller",
		"{'near': 'soho'}":    "takes a store",
		"{'fence': 'center'}": "centre",
		"{'fence': 'centre', 'entered': '2h', 'seen_within': '2h'}": "two questions",
		"{'store': 'nowhere'}": "no store",
		"{'city': []}":         "takes one to",
		"{'near': {'store': 'any', 'within': '2km', 'seen_within': '2'}}": "no duration",
	} {
		var ps spec.Problems
		q := condition.Parse(define(t, text), &condition.Env{Set: condition.NewSet(), Places: london(t)}, &ps)
		if q != nil || len(ps.All()) == 0 || !strings.Contains(ps.All()[0].Error(), want) {
			t.Errorf("%s: %v, want %q", text, ps.All(), want)
		}
		ps = spec.Problems{}
		if q := condition.Parse(define(t, "{'fence': 'centre'}"), &condition.Env{Set: condition.NewSet()}, &ps); q != nil {
			t.Error("a fence is found where there are none")
		}
	}
}
