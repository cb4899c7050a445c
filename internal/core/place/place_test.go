package place_test

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/place"
	"rapport/internal/core/spec"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func when(t testing.TB, text string, z *time.Location) event.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, z)
	if err != nil {
		t.Fatal(err)
	}
	return event.At(at)
}

func spans(t testing.TB, text string) []place.Span {
	t.Helper()
	list, ok := place.Spans(text)
	if !ok {
		t.Fatalf("%q are no hours", text)
	}
	return list
}

func TestAStoreIsOpenByItsOwnWallClock(t *testing.T) {
	t.Parallel()
	london, sydney := zone(t, "Europe/London"), zone(t, "Australia/Sydney")
	h := place.Hours{Known: true, Exceptions: []place.Exception{{Day: place.Day{Month: 12, Day: 25}}, {Day: place.Day{Year: 2026, Month: 12, Day: 24}, Spans: spans(t, "09:00-14:00")}}}
	for d := 1; d <= 5; d++ {
		h.Week[d] = spans(t, "09:00-12:00, 13:00-18:00")
	}
	h.Week[6] = spans(t, "22:00-02:00")
	never := place.Hours{Known: true}
	always := place.Hours{Known: true}
	early := place.Hours{Known: true, Week: [7][]place.Span{0: spans(t, "01:30-10:00")}}
	for d := range 7 {
		always.Week[d] = spans(t, "00:00-24:00")
	}
	for _, c := range []struct {
		name  string
		h     place.Hours
		z     *time.Location
		now   string
		open  bool
		until string
	}{
		{"in the morning", h, london, "2026-11-27 09:00", true, "2026-11-27 12:00"},
		{"at lunch", h, london, "2026-11-27 12:00", false, "2026-11-27 13:00"},
		{"on Friday evening it opens on Saturday night", h, london, "2026-11-27 18:00", false, "2026-11-28 22:00"},
		{"after midnight it is still Saturday's", h, london, "2026-11-29 01:59", true, "2026-11-29 02:00"},
		{"on Christmas Eve it closes early", h, london, "2026-12-24 13:59", true, "2026-12-24 14:00"},
		{"on Christmas it is closed until Saturday night", h, london, "2026-12-25 10:00", false, "2026-12-26 22:00"},
		{"and so it is next year", h, london, "2027-12-25 10:00", false, "2027-12-25 22:00"},
		{"on the other side of the Earth", h, sydney, "2026-11-27 09:30", true, "2026-11-27 12:00"},
		{"a store that never opens is asked again in two weeks", never, london, "2026-11-27 09:00", false, "2026-12-12 00:00"},
		{"a store that never closes is open for at least two weeks", always, london, "2026-11-27 09:00", true, "2026-12-13 00:00"},
		{"what begins in the hour that is left out begins at the change", early, london, "2027-03-28 00:30", false, "2027-03-28 02:00"},
	} {
		// A Saturday that is a holiday has the holiday's hours: none.
		if c.name == "and so it is next year" {
			c.until = "2027-12-27 09:00"
		}
		open, until := c.h.Open(when(t, c.now, c.z), c.z)
		if open != c.open || until != when(t, c.until, c.z) {
			t.Errorf("%s: open %t until %s, want %t until %s", c.name, open, until.In(c.z).Format("2006-01-02 15:04"), c.open, c.until)
		}
	}
}

func TestTheClockPutBackOpensAStoreOnce(t *testing.T) {
	t.Parallel()
	london := zone(t, "Europe/London")
	h := place.Hours{Known: true, Week: [7][]place.Span{0: spans(t, "00:30-01:30")}}
	first := event.At(time.Date(2026, 10, 24, 23, 30, 0, 0, time.UTC)) // 00:30 summer time
	open, until := h.Open(first, london)
	want := event.At(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)) // 01:30, the first of the two
	if !open || until != want {
		t.Errorf("open %t until %s, want %s", open, until, want)
	}
	if open, _ := h.Open(want, london); open {
		t.Error("it is open in the hour that comes again")
	}
}

// Asked minute by minute, the answer changes exactly where Open said it would.
func TestUntilIsTheInstantOfTheNextChange(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{zone(t, "Europe/London"), zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), zone(t, "Asia/Kolkata")}
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		h := place.Hours{Known: true}
		for d := range 7 {
			if rapid.Bool().Draw(t, "opens") {
				from := rapid.IntRange(0, 47).Draw(t, "from") * 30
				to := from + rapid.IntRange(1, 48).Draw(t, "for")*30
				h.Week[d] = []place.Span{{From: from, To: to}}
			}
		}
		now := event.At(time.Date(2026, rapid.SampledFrom([]time.Month{3, 4, 10, 11}).Draw(t, "month"), rapid.IntRange(1, 31).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, z))
		open, until := h.Open(now, z)
		if until <= now {
			t.Fatalf("the next change is at %s, and it is %s", until, now)
		}
		for at := now; at < until; at += 15 * 60_000 {
			if is, _ := h.Open(at, z); is != open {
				t.Fatalf("at %s it is open %t until %s, and at %s it is not so", now, open, until, at)
			}
		}
	})
}

// shared returns a file of the data that tests may read, or skips.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	for dir := "."; len(dir) < 40; dir = filepath.Join("..", dir) {
		if b, err := os.ReadFile(filepath.Join(dir, "shared", "data", name)); err == nil {
			return b
		}
	}
	t.Skip("../shared/data/" + name + " is not here")
	return nil
}

func TestLondonsCycleHireIsCountedByBorough(t *testing.T) {
	t.Parallel()
	fences, err := place.ReadGeoJSON(string(shared(t, "geo-london/lnd_boroughs.geojson")))
	if err != nil {
		t.Fatal(err)
	}
	if len(fences) != 33 {
		t.Fatalf("%d boroughs, want 33", len(fences))
	}
	m := place.New(nil, fences)
	var points struct {
		Features []struct {
			Geometry struct {
				Coordinates [2]float64 `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(shared(t, "geo-london/cycle_hire.geojson"), &points); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range points.Features {
		at := place.Point{Lat: f.Geometry.Coordinates[1], Lon: f.Geometry.Coordinates[0]}
		around := m.Around(at)
		name := "none"
		if len(around) > 0 {
			name = around[0].Name
		}
		if len(around) > 1 {
			t.Errorf("%v is in %d boroughs", at, len(around))
		}
		got[name]++
	}
	want := map[string]int{
		"Westminster": 171, "Tower Hamlets": 117, "Kensington and Chelsea": 90, "Wandsworth": 59, "Hammersmith and Fulham": 58, "Camden": 57,
		"Lambeth": 46, "Southwark": 40, "Islington": 37, "City of London": 35, "Hackney": 31, "none": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%d points (-want +got):\n%s", len(points.Features), diff)
	}
}

func TestAFenceHoldsWhatIsWithinIt(t *testing.T) {
	t.Parallel()
	ring := func(lat, lon, d float64) []place.Point {
		return []place.Point{{lat - d, lon - d}, {lat - d, lon + d}, {lat + d, lon + d}, {lat + d, lon - d}, {lat - d, lon - d}}
	}
	square, err := place.Polygon("square", [][][]place.Point{{ring(51, 10, 1), ring(51, 10, .2)}})
	if err != nil {
		t.Fatal(err)
	}
	date, err := place.Polygon("date line", [][][]place.Point{{{{-20, 179}, {-20, -179}, {-15, -179}, {-15, 179}}}})
	if err != nil {
		t.Fatal(err)
	}
	circle, err := place.Circle("circle", place.Point{Lat: 51, Lon: 12}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	m := place.New(nil, []*place.Fence{square, circle, date})
	for _, c := range []struct {
		at   place.Point
		want string
	}{
		{place.Point{Lat: 51.5, Lon: 10.5}, "square"},
		{place.Point{Lat: 51.1, Lon: 10.1}, ""}, // in the hole
		{place.Point{Lat: 52.5, Lon: 10}, ""},
		{place.Point{Lat: 51.0089, Lon: 12}, "circle"}, // 990 m north
		{place.Point{Lat: 51.0091, Lon: 12}, ""},       // 1,012 m
		{place.Point{Lat: -17, Lon: 179.9}, "date line"},
		{place.Point{Lat: -17, Lon: -179.9}, "date line"},
		{place.Point{}, ""},
	} {
		var names []string
		for _, f := range m.Around(c.at) {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%v is in %q, want %q", c.at, got, c.want)
		}
	}
}

func TestFencesThatMakeNoAreaAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":         `{`,
		"no collection":   `{"type":"Topology"}`,
		"no name":         `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2]]]}}`,
		"a line":          `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"LineString","coordinates":[[1,1],[2,1]]}}`,
		"two corners":     `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[1,1]]]}}`,
		"off the Earth":   `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Polygon","coordinates":[[[1,91],[2,1],[2,2]]]}}`,
		"a bare point":    `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Point","coordinates":[1,1]}}`,
		"a vast circle":   `{"type":"Feature","properties":{"name":"a","radius":9e9},"geometry":{"type":"Point","coordinates":[1,1]}}`,
		"half of corners": `{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Polygon","coordinates":[[[1],[2],[3]]]}}`,
	} {
		if fences, err := place.ReadGeoJSON(text); err == nil {
			t.Errorf("%s is taken: %v", name, fences)
		}
	}
}

// Of thousands of fences, the index finds those that a look at each finds.
func TestTheIndexFindsWhatALookAtEachFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var fences []*place.Fence
		near := func(label string) place.Point {
			return place.Point{Lat: 48 + rapid.Float64Range(0, 1).Draw(t, label), Lon: 2 + rapid.Float64Range(0, 1).Draw(t, label)}
		}
		for i := range rapid.IntRange(1, 30).Draw(t, "fences") {
			f, err := place.Circle("f"+strconv.Itoa(i), near("middle"), rapid.Float64Range(10, 30_000).Draw(t, "radius"))
			if err != nil {
				t.Fatal(err)
			}
			fences = append(fences, f)
		}
		m := place.New(nil, fences)
		at := near("at")
		want := map[string]bool{}
		for _, f := range fences {
			if f.Contains(at) {
				want[f.Name] = true
			}
		}
		got := map[string]bool{}
		for _, f := range m.Around(at) {
			got[f.Name] = true
		}
		if !maps.Equal(want, got) {
			t.Fatalf("at %v: %v, want %v", at, got, want)
		}
	})
}

func TestNearestIsNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		point := func() place.Point {
			p := place.Point{Lat: rapid.Float64Range(-89, 89).Draw(t, "lat"), Lon: rapid.Float64Range(-179, 179).Draw(t, "lon")}
			if !p.Valid() {
				p.Lat = 1 // zero and zero is no place, but what devices say that know none
			}
			return p
		}
		var stores []place.Store
		for i := range rapid.IntRange(0, 20).Draw(t, "stores") {
			stores = append(stores, place.Store{ID: strconv.Itoa(i), At: point()})
		}
		m, at := place.New(stores, nil), point()
		asked := 0
		found := m.Nearest(at, 0, 3, func(s *place.Store) bool { asked++; return s.ID != "1" })
		all := slices.DeleteFunc(slices.Clone(stores), func(s place.Store) bool { return s.ID == "1" })
		if len(found) != min(3, len(all)) || asked > len(found)+1 {
			t.Fatalf("%d found of %d, %d asked", len(found), len(all), asked)
		}
		for i, n := range found {
			if got := at.Distance(n.Store.At); math.Abs(got-n.Metres) > 1 {
				t.Fatalf("store %s is %f m away, not %f", n.Store.ID, got, n.Metres)
			}
			closer := 0
			for _, s := range all {
				if at.Distance(s.At) < n.Metres-1 {
					closer++
				}
			}
			if closer > i {
				t.Fatalf("%d stores are closer than number %d", closer, i)
			}
		}
	})
}

func TestWhatIsWrongWithAStoreIsSaid(t *testing.T) {
	t.Parallel()
	text := func(s string) spec.Node { return spec.Node{Kind: spec.Text, Text: s} }
	number := func(s string) spec.Node { return spec.Node{Kind: spec.Number, Text: s} }
	object := func(fields ...spec.Field) spec.Node { return spec.Node{Kind: spec.Map, Fields: fields} }
	good := func() []spec.Field {
		return []spec.Field{{Key: "store", Value: text("soho")}, {Key: "lat", Value: number("51.5")}, {Key: "lon", Value: number("-0.13")}}
	}
	env := &place.Env{Zone: time.UTC, Zones: func(name string) *time.Location { z, _ := time.LoadLocation(name); return z }}
	for _, c := range []struct {
		name string
		more spec.Field
		want string
	}{
		{"an unknown key", spec.Field{Key: "hour", Value: text("9")}, "no part of a store"},
		{"a key said twice", spec.Field{Key: "lat", Value: number("1")}, "said twice"},
		{"a zone that is none", spec.Field{Key: "zone", Value: text("Europe/Londom")}, "no time zone"},
		{"hours as a text", spec.Field{Key: "hours", Value: text("always")}, "a map of weekdays"},
		{"a weekday that is none", spec.Field{Key: "hours", Value: object(spec.Field{Key: "mo", Value: text("closed")})}, "no weekday"},
		{"hours that overlap", spec.Field{Key: "hours", Value: object(spec.Field{Key: "mon", Value: text("09:00-12:00, 11:00-13:00")})}, "no opening hours"},
		{"a day that is none", spec.Field{Key: "holidays", Value: object(spec.Field{Key: "2026-02-30", Value: text("closed")})}, "no day"},
		{"a fence without a unit", spec.Field{Key: "fence", Value: text("300")}, "no distance"},
	} {
		var ps spec.Problems
		if _, ok := place.ParseStore(object(append(good(), c.more)...), env, &ps); ok || len(ps.All()) == 0 || !strings.Contains(ps.All()[0].What, c.want) {
			t.Errorf("%s: %v", c.name, ps.All())
		}
	}
	var ps spec.Problems
	s, ok := place.ParseStore(object(append(good(),
		spec.Field{Key: "hours", Value: object(spec.Field{Key: "sat-mon", Value: text("09:00-18:00")})},
		spec.Field{Key: "fence", Value: text("0.3km")})...), env, &ps)
	if !ok || s.Fence != 300 || s.Stock != "soho" || len(s.Hours.Week[0]) != 1 || len(s.Hours.Week[6]) != 1 || len(s.Hours.Week[2]) != 0 {
		t.Errorf("%+v, %v", s, ps.All())
	}
	if _, ok := place.ParseStore(object(good()[0]), env, &ps); ok {
		t.Error("a store without a place is taken")
	}
	if _, ok := place.ParseStore(object(good()[0], spec.Field{Key: "lat", Value: number("0")}, spec.Field{Key: "lon", Value: number("0")}), env, &ps); ok {
		t.Error("0, 0 is taken for a place")
	}
}

func FuzzReadGeoJSON(f *testing.F) {
	f.Add(`{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2]]]}}`)
	f.Add(`{"type":"FeatureCollection","features":[{"properties":{"NAME":"b","radius":5},"geometry":{"type":"Point","coordinates":[1,1]}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		fences, err := place.ReadGeoJSON(text)
		if err != nil {
			return
		}
		m := place.New(nil, fences)
		m.Around(place.Point{Lat: 1, Lon: 1})
	})
}

func BenchmarkAroundTenThousandFences(b *testing.B) {
	var fences []*place.Fence
	for i := range 10_000 {
		f, err := place.Circle("f"+strconv.Itoa(i), place.Point{Lat: 30 + float64(i%100)/5, Lon: -120 + float64(i/100)/2}, 2000)
		if err != nil {
			b.Fatal(err)
		}
		fences = append(fences, f)
	}
	m := place.New(nil, fences)
	b.ReportAllocs()
	for b.Loop() {
		m.Around(place.Point{Lat: 40.001, Lon: -100.001})
	}
}
