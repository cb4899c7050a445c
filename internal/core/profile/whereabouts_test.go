package profile_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/place"
	"rapport/internal/core/profile"
)

var morning = event.At(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC))

func located(id string, at event.Time, lat, lon float64) *event.Event {
	var where, context event.Builder
	where.Set("latitude", event.Num(lat)).Set("longitude", event.Num(lon)).SetText("city", "London").SetText("country", "GB")
	context.Set("location", event.Nested(where.Object()))
	return &event.Event{ID: event.ID(id), Type: event.Track, Name: event.ProductViewed, At: at, Raw: at, Trust: event.Server, Context: context.Object()}
}

func agreed(id string, at event.Time, state string) *event.Event {
	var b event.Builder
	b.SetText("channel", "app").SetText("purpose", event.LocationPurpose).SetText("state", state)
	return &event.Event{ID: event.ID(id), Type: event.Track, Name: event.ConsentChanged, At: at, Raw: at, Trust: event.Server, Props: b.Object()}
}

func TestAPrecisePlaceNeedsConsentAndIsForgottenWithIt(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	if f := p.Fold(located("a", morning, 51.51234567, -0.13), morning); !f.Place || f.Located || p.Where.PointAt != 0 || p.Where.City != "London" {
		t.Fatalf("without consent: %+v, %+v", f, p.Where)
	}
	p.Fold(agreed("b", morning+1, "granted"), morning+1)
	if f := p.Fold(located("c", morning+2, 51.51234567, -0.13), morning+2); !f.Located || p.Where.PointAt != morning+2 {
		t.Fatalf("with consent: %+v, %+v", f, p.Where)
	}
	if got := p.Where.Point; got != (place.Grid{Lat: 515123, Lon: -1300}) {
		t.Errorf("the place is kept as %v: it tells a door", got)
	}
	if p.Fold(located("late", morning+1, 10, 10), morning+3); p.Where.Point.Lat != 515123 {
		t.Error("an older place took the place of a newer one")
	}
	p.Enter([]uint64{7}, morning+3, 1000)
	if f := p.Fold(agreed("d", morning+4, "withdrawn"), morning+4); !f.Place || p.Where.PointAt != 0 || p.Where.Point != (place.Grid{}) || len(p.Visits) != 0 {
		t.Errorf("after the consent was withdrawn: %+v, %+v", p.Where, p.Visits)
	}
	if p.Fold(located("e", morning+5, 51.5, -0.13), morning+5); p.Where.PointAt != 0 {
		t.Error("a place is kept though consent was withdrawn")
	}
}

func TestAVisitBeginsAnewWhenSomebodyWasElsewhere(t *testing.T) {
	t.Parallel()
	const stay = event.Time(1000)
	p := profile.New(identity.ID{1})
	entered := func(key uint64) event.Time { v, _ := p.Visited(key); return v.Entered }
	p.Enter([]uint64{1, 2}, 100, stay)
	p.Enter([]uint64{1, 2}, 900, stay)
	if entered(1) != 100 {
		t.Errorf("a visit that goes on began at %d", entered(1))
	}
	p.Enter([]uint64{2}, 1000, stay)
	if v, _ := p.Visited(1); v.In || v.Last != 900 {
		t.Errorf("who left is still in: %+v", v)
	}
	p.Enter([]uint64{1, 2}, 1100, stay)
	if entered(1) != 1100 || entered(2) != 100 {
		t.Errorf("who came back entered at %d, who stayed at %d", entered(1), entered(2))
	}
	p.Enter([]uint64{1, 2}, 1100+stay+1, stay)
	if entered(1) != 1100+stay+1 {
		t.Errorf("who was not heard of entered at %d", entered(1))
	}
	for key := range uint64(2 * profile.MaxVisits) {
		p.Drop(100+key, event.Time(5000+key), stay)
	}
	if len(p.Visits) != profile.MaxVisits {
		t.Errorf("%d visits are kept", len(p.Visits))
	}
}

func viewed(id, sku, device string, at event.Time) *event.Event {
	var props, class, context event.Builder
	props.SetText("sku", sku)
	class.SetText("class", device)
	context.Set("device", event.Nested(class.Object()))
	return &event.Event{ID: event.ID(id), Type: event.Track, Name: event.ProductViewed, At: at, Raw: at, Trust: event.Public, Props: props.Object(), Context: context.Object()}
}

func TestSeenOnAPhoneAndBoughtAtTheDeskCountsOnce(t *testing.T) {
	t.Parallel()
	const day = 24 * 3_600_000
	order := func(device, channel string, at event.Time) *event.Event {
		e := viewed("o", "", device, at)
		e.Name = event.OrderCompleted
		var b event.Builder
		b.SetText("channel", channel)
		e.Props = b.Object()
		return e
	}
	lines := &event.Order{ID: "1", Lines: []event.Line{{SKU: "lamp"}, {SKU: "boots"}, {SKU: "lamp"}}}
	for _, c := range []struct {
		name  string
		views []*event.Event
		order *event.Event
		want  []profile.HandOver
	}{
		{"seen on a phone", []*event.Event{viewed("a", "lamp", "mobile", morning), viewed("b", "boots", "mobile", morning+5)}, order("desktop", "", morning+day), []profile.HandOver{{From: "mobile", To: "desktop", Count: 1, Last: morning + day}}},
		{"looked at again where it was bought", []*event.Event{viewed("a", "lamp", "mobile", morning), viewed("b", "lamp", "desktop", morning+5)}, order("desktop", "", morning+day), nil},
		{"bought in a store", []*event.Event{viewed("a", "lamp", "mobile", morning)}, order("", "till", morning+day), []profile.HandOver{{From: "mobile", To: "till", Count: 1, Last: morning + day}}},
		{"too long ago", []*event.Event{viewed("a", "lamp", "mobile", morning)}, order("desktop", "", morning+8*day), nil},
		{"something else", []*event.Event{viewed("a", "socks", "mobile", morning)}, order("desktop", "", morning+day), nil},
		{"seen after it was bought", []*event.Event{viewed("a", "lamp", "mobile", morning+2*day)}, order("desktop", "", morning+day), nil},
		{"at a device that nobody knows", []*event.Event{viewed("a", "lamp", "mobile", morning)}, order("", "", morning+day), nil},
	} {
		p := profile.New(identity.ID{1})
		for _, v := range c.views {
			p.Glimpse(v)
		}
		_, _, _, ok := p.HandsOver(c.order, lines)
		if diff := cmp.Diff(c.want, p.HandOvers); diff != "" || ok != (c.want != nil) {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestWherePeopleWereComesBackFromTheRowAndJoinsEitherWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one := func(id byte) *profile.Profile {
			p := profile.New(identity.ID{id})
			p.Fold(agreed("agreed"+strconv.Itoa(int(id)), 1, "granted"), 1)
			for i := range rapid.IntRange(0, 6).Draw(t, "events") {
				at := morning + event.Time(rapid.IntRange(0, 9).Draw(t, "at"))
				p.Fold(located(strconv.Itoa(i)+string(rune('a'+id)), at, rapid.Float64Range(1, 60).Draw(t, "lat"), 2), at)
				p.Enter([]uint64{rapid.Uint64Range(1, 4).Draw(t, "fence")}, at, 3)
				p.Glimpse(viewed("", "sku"+strconv.Itoa(i), rapid.SampledFrom([]string{"mobile", "desktop"}).Draw(t, "device"), at))
			}
			return p
		}
		a, b := one(1), one(2)
		got, err := profile.Decode(string(a.Append(nil)))
		if err != nil || !cmp.Equal(a.Where, got.Where) || !cmp.Equal(a.Visits, got.Visits) || !cmp.Equal(a.Looked(), got.Looked()) {
			t.Fatalf("%v\n%+v\n%+v", err, a, got)
		}
		x, y := *a, *b
		x.Join(b)
		y.Join(a)
		if !cmp.Equal(x.Where, y.Where) || !cmp.Equal(x.Visits, y.Visits) || !cmp.Equal(x.Looked(), y.Looked()) {
			t.Fatalf("it matters who joins whom:\n%s", cmp.Diff(x.Visits, y.Visits))
		}
	})
}

// TestLooksThatWaitSayTheSame holds that a look counts from when it was heard of,
// although many are put in their places at once, and that who has the profile from
// before sees none of them.
func TestLooksThatWaitSayTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		late, atOnce := profile.New(identity.ID{1}), profile.New(identity.ID{1})
		for i := range rapid.IntRange(0, 80).Draw(t, "looks") {
			sku := "sku" + strconv.Itoa(rapid.IntRange(0, 40).Draw(t, "sku"))
			at := morning + event.Time(rapid.IntRange(0, 30).Draw(t, "at")+i/2)
			e := viewed("", sku, rapid.SampledFrom([]string{"mobile", "desktop", "tv"}).Draw(t, "device"), at)
			before, had := *late, late.Append(nil)
			late.Glimpse(e)
			atOnce.Glimpse(e)
			if got := before.Append(nil); string(got) != string(had) {
				t.Fatal("the profile from before has changed")
			}
			row := atOnce.Append(nil)
			if got := late.Append(nil); string(got) != string(row) {
				t.Fatalf("after look %d: %+v, want %+v", i, late.Looked(), atOnce.Looked())
			}
			var err error
			if atOnce, err = profile.Decode(string(row)); err != nil || len(atOnce.Looks) > 0 {
				t.Fatalf("read as %+v, %v", atOnce, err)
			}
			if n := len(late.Looked()); n > profile.MaxGlances {
				t.Fatalf("%d glances", n)
			}
		}
	})
}
