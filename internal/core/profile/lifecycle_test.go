package profile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

const aDay = event.Time(24 * time.Hour / time.Millisecond)

// life builds a customer: "o10" ordered on day 10, "r12:o10" returned that order
// on day 12, "r12" returned as much without saying of which, "c12:o10" cancelled.
func life(text string) *profile.Profile {
	p := profile.New(identity.ID{1})
	p.Held = []profile.Held{{Identifier: identity.Identifier{Kind: identity.User, Value: "ada"}, State: profile.Owned}}
	for word := range strings.FieldsSeq(text) {
		what, of, _ := strings.Cut(word, ":")
		day := 0
		fmt.Sscanf(what[1:], "%d", &day)
		o := profile.Order{ID: word, At: event.Time(day+1) * aDay, Net: 10 * money.One}
		switch word[0] {
		case 'r', 'c':
			o.Kind, o.Net, o.ID = profile.Refunded, -o.Net, of
			if word[0] == 'c' {
				o.Kind = profile.Cancelled
			}
		}
		p.Orders = append(p.Orders, o)
	}
	return p
}

func on(day int) event.Time { return event.Time(day+1) * aDay }

func TestEachStageOfLifeIsLedToAndLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, orders string
		day          int
		want         profile.Stage
		until        int // day; −1: never
	}{
		{"known and has not ordered", "", 5, profile.Prospect, -1},
		{"ordered once", "o10", 20, profile.FirstOrder, 130},
		{"ordered again", "o10 o40", 41, profile.Repeat, 160},
		{"keeps ordering", "o10 o40 o70 o100", 101, profile.Loyal, 160},
		{"at risk by the usual gap", "o10", 130, profile.AtRisk, 250},
		{"lapsed by the usual gap", "o10", 250, profile.Lapsed, -1},
		{"at risk by their own rhythm", "o10 o40 o70 o100", 160, profile.AtRisk, 220},
		{"lapsed by their own rhythm", "o10 o40 o70 o100", 220, profile.Lapsed, -1},
		{"a quick rhythm is not taken as quicker than two weeks", "o10 o11 o12", 39, profile.Repeat, 40},
		{"back after having lapsed", "o10 o300", 301, profile.Back, 420},
		{"no longer back after one more in time", "o10 o300 o320", 321, profile.Repeat, 630},
		{"back and at risk again", "o10 o300", 420, profile.AtRisk, 540},
		{"all returned: as if never", "o10 r12", 20, profile.Prospect, -1},
		{"the second returned: moved back", "o10 o40 r45", 46, profile.FirstOrder, 130},
		{"the first cancelled by its number", "o10 o40 c45:o10", 46, profile.FirstOrder, 160},
		{"a loyal one moved back", "o10 o40 o70 o100 r101:o100", 102, profile.Repeat, 130},
		{"what is returned later has not come back yet", "o10 o40 r45", 44, profile.Repeat, 160},
	} {
		p := life(c.orders)
		stage, until := p.Lifecycle(on(c.day))
		want := event.Never
		if c.until >= 0 {
			want = on(c.until)
		}
		if stage != c.want || until != want {
			t.Errorf("%s: %s until %s, want %s until %s", c.name, stage, until, c.want, want)
		}
	}
}

func TestWhoHasNotOrderedIsToldApartByNameAndVisits(t *testing.T) {
	t.Parallel()
	p := life("")
	p.Session = profile.Session{Start: on(9), Last: on(10), Count: 2}
	if s, until := p.Lifecycle(on(12)); s != profile.Considering || until != on(24) {
		t.Errorf("who was here lately is %s until %s", s, until)
	}
	if s, _ := p.Lifecycle(on(24)); s != profile.Prospect {
		t.Errorf("two weeks later she is %s", s)
	}
	p.Session.Count = 1
	if s, _ := p.Lifecycle(on(12)); s != profile.Prospect {
		t.Errorf("after one visit she is %s", s)
	}
	p.Held[0].Identifier.Kind = identity.Anonymous
	if s, _ := p.Lifecycle(on(12)); s != profile.Anonymous {
		t.Errorf("a device is %s", s)
	}
}

func TestALoyalCustomerWhoSpeaksForTheShopIsAnAdvocate(t *testing.T) {
	t.Parallel()
	p := life("o10 o40 o70 o100")
	p.Traits = []profile.Trait{{Name: "referrals", Value: event.Int(2)}}
	if s, _ := p.Lifecycle(on(101)); s != profile.Advocate {
		t.Errorf("she is %s", s)
	}
	p.Orders = p.Orders[:2]
	if s, _ := p.Lifecycle(on(42)); s != profile.Repeat {
		t.Errorf("after two orders she is %s", s)
	}
}

// Orders of which some came back are gone through, others are not: both ways must
// say the same, so a return of nothing changes nothing.
func TestAReturnOfNothingChangesNoStage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var words []string
		day := 0
		for range rapid.IntRange(0, 8).Draw(t, "orders") {
			day += rapid.IntRange(0, 400).Draw(t, "gap")
			words = append(words, fmt.Sprint("o", day))
		}
		p := life(strings.Join(words, " "))
		now := on(rapid.IntRange(-1, day+1000).Draw(t, "now"))
		stage, until := p.Lifecycle(now)
		p.Orders = append([]profile.Order{{Kind: profile.Refunded, At: on(-1)}}, p.Orders...)
		if s, u := p.Lifecycle(now); s != stage || u != until {
			t.Fatalf("%s until %s, and with a return of nothing %s until %s", stage, until, s, u)
		}
	})
}

// The promise that alarms rest on: before Until nothing changes.
func TestAStageStaysUntilItSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var words []string
		day := 0
		for range rapid.IntRange(0, 8).Draw(t, "orders") {
			day += rapid.IntRange(0, 400).Draw(t, "gap")
			words = append(words, fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"o", "o", "o", "r"}).Draw(t, "what"), day))
		}
		p := life(strings.Join(words, " "))
		now := on(day + rapid.IntRange(0, 1000).Draw(t, "later"))
		stage, until := p.Lifecycle(now)
		if until <= now {
			t.Fatalf("at %s the stage is %s until %s", now, stage, until)
		}
		check := now + event.Time(rapid.Int64Range(0, int64(min(until, now+3000*aDay)-now)-1).Draw(t, "within"))
		if then, _ := p.Lifecycle(check); then != stage {
			t.Fatalf("it was to be %s until %s and is %s at %s", stage, until, then, check)
		}
		if until != event.Never {
			if then, _ := p.Lifecycle(until); then == stage {
				t.Fatalf("at %s it is still %s", until, stage)
			}
		}
	})
}
