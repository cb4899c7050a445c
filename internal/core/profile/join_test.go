package profile_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// joined returns p with s in it. Neither changes.
func joined(p, s *profile.Profile) *profile.Profile {
	own := *p
	own.Join(s)
	return &own
}

// person returns what must be the same whoever joined whom: everything that Join
// unites, but for the id and the birth that stay and the order of the newest ids
// and of the open messages, which says nothing. What other packages unite is left
// out.
func person(p *profile.Profile) *profile.Profile {
	own := *p
	own.Strands = append(slices.Clone(p.Strands), p.ID)
	slices.SortFunc(own.Strands, identity.ID.Compare)
	own.Glances, own.Looks = p.Looked(), nil
	own.ID, own.Birth = identity.ID{}, identity.Identifier{}
	own.Program, own.Alarm = 0, event.Never
	own.Series, own.Segments, own.Untils, own.Journeys, own.Past = nil, nil, nil, nil, nil
	own.Seen = slices.Clone(p.Seen[max(0, len(p.Seen)-profile.SeenKept):])
	slices.Sort(own.Seen)
	own.Open = slices.Clone(p.Open)
	slices.SortFunc(own.Open, func(a, b profile.Delivery) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return &own
}

// differ returns the names of the fields in which two profiles differ.
func differ(a, b *profile.Profile) (fields []string) {
	x, y := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range x.NumField() {
		if f, g := x.Field(i), y.Field(i); f.Kind() == reflect.Slice && f.Len() == 0 && g.Len() == 0 {
			continue
		} else if !reflect.DeepEqual(f.Interface(), g.Interface()) {
			fields = append(fields, fmt.Sprintf("%s: %+v and %+v", x.Type().Field(i).Name, f, g))
		}
	}
	return fields
}

func TestItDoesNotMatterWhichOfTwoJoinsTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		a, b := grown(r, 1, 0, r.IntN(30)), grown(r, 2, 1000, r.IntN(30))
		rowA, rowB := a.Append(nil), b.Append(nil)
		ab, ba := joined(a, b), joined(b, a)
		if fields := differ(person(ab), person(ba)); len(fields) > 0 {
			t.Fatalf("it matters which of the two joins: %s", fields)
		}
		if ab.Person() != ba.Person() {
			t.Fatalf("experiments are tossed for %s or %s", ab.Person(), ba.Person())
		}
		if !bytes.Equal(rowA, a.Append(nil)) || !bytes.Equal(rowB, b.Append(nil)) {
			t.Fatal("joining has changed one of the two")
		}
	})
}

func TestJoiningAgainChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		a, b := grown(r, 1, 0, r.IntN(30)), grown(r, 2, 1000, r.IntN(30))
		ab := joined(a, b)
		row := ab.Append(nil)
		own := *ab
		if own.Join(b) || own.Join(ab) || own.Join(a) || !bytes.Equal(own.Append(nil), row) {
			t.Fatal("a strand that has joined already changes something")
		}
		sent, err := profile.Decode(string(b.Append(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if again := joined(a, sent); !bytes.Equal(again.Append(nil), row) {
			t.Fatal("a strand that was sent joins as another")
		}
	})
}

// What a merge must never do, whatever the two have lived through.
func TestAMergeLosesNoOrderAndGivesNoConsent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		sides := []*profile.Profile{grown(r, 1, 0, r.IntN(40)), grown(r, 2, 1000, r.IntN(40)), grown(r, 3, 2000, r.IntN(40))}
		r.Shuffle(3, func(i, j int) { sides[i], sides[j] = sides[j], sides[i] })
		all := joined(joined(sides[0], sides[1]), sides[2])
		other := joined(sides[0], joined(sides[1], sides[2]))
		least := sides[0].ID
		orders := map[string]bool{}
		for _, s := range sides {
			if s.ID.Compare(least) < 0 {
				least = s.ID
			}
			if !s.ID.Zero() && s.ID != all.ID && !slices.Contains(all.Strands, s.ID) {
				t.Fatalf("the strand %s is lost", s.ID)
			}
			for _, o := range s.Orders {
				orders[fmt.Sprint(o.ID, o.Kind)] = true
				if !slices.ContainsFunc(all.Orders, func(x profile.Order) bool { return x.ID == o.ID && x.Kind == o.Kind }) {
					t.Fatalf("the order %+v is lost", o)
				}
				if o.Kind == profile.Refunded && !slices.Contains(all.Orders, o) {
					t.Fatalf("the refund %+v is lost", o)
				}
			}
			for _, c := range s.Consents {
				if !c.Granted && (all.Allows(c.Channel, c.Purpose, noon.Add(365*day)) || other.Allows(c.Channel, c.Purpose, noon.Add(365*day))) {
					t.Fatalf("a merge has given the consent that one side refused: %+v", c)
				}
			}
			for _, h := range s.Held {
				if state, ok := all.Holds(h.Identifier); h.State == profile.Owned && (!ok || state != profile.Owned) {
					t.Fatalf("%s is no longer owned", h.Identifier)
				}
			}
			for _, h := range s.Health {
				if h.State == profile.Complained && all.HealthOf(h.Channel, h.Address).State != profile.Complained {
					t.Fatalf("the complaint %+v is forgotten", h)
				}
			}
			for _, d := range s.Open {
				if !slices.ContainsFunc(all.Open, func(x profile.Delivery) bool { return x.ID == d.ID }) {
					t.Fatalf("the message %s is lost", d.ID)
				}
			}
			for _, c := range s.Contacts {
				if !slices.Contains(all.Contacts, c) {
					t.Fatalf("the contact %+v no longer counts", c)
				}
			}
		}
		unique := 0
		for i, o := range all.Orders {
			if o.Kind != profile.Refunded && slices.ContainsFunc(all.Orders[:i], func(x profile.Order) bool { return x.ID == o.ID && x.Kind == o.Kind }) {
				t.Fatalf("the order %+v counts twice", o)
			}
			unique++
		}
		if unique < len(orders) {
			t.Fatalf("%d orders of %d", unique, len(orders))
		}
		if all.Person() != least || other.Person() != least {
			t.Fatalf("experiments are tossed for %s, want %s", all.Person(), least)
		}
		if all.Count != sides[0].Count+sides[1].Count+sides[2].Count {
			t.Fatalf("%d events", all.Count)
		}
		if !slices.Equal(all.Traits, other.Traits) || !slices.Equal(all.Orders, other.Orders) || !slices.Equal(all.Consents, other.Consents) || !slices.Equal(all.Held, other.Held) {
			t.Fatal("it matters which two of three join first")
		}
	})
}

func TestTheStricterWordHoldsUntilTheCustomerSpeaksAgain(t *testing.T) {
	t.Parallel()
	says := func(id byte, at event.Time, state string) *profile.Profile {
		return fold(profile.New(identity.ID{id}), event.Event{ID: event.ID([]byte{id}), Type: event.Track, Name: event.ConsentChanged, At: at, Raw: at, Trust: event.Server, Props: object("state", state)})
	}
	yes, no := says(1, noon+5, "granted"), says(2, noon, "denied")
	both := joined(yes, no)
	if both.Allows("email", "marketing", noon.Add(day)) {
		t.Error("who said no on one device gets mail on the other's word")
	}
	again := fold(both, event.Event{ID: "again", Type: event.Track, Name: event.ConsentChanged, At: noon + 9, Raw: noon + 9, Trust: event.Server, Props: object("state", "granted")})
	if !again.Allows("email", "marketing", noon.Add(day)) {
		t.Error("a new yes does not count")
	}
}

func TestWhatACustomerSaidInSoManyWordsWinsOverTheirDevices(t *testing.T) {
	t.Parallel()
	said := fold(profile.New(identity.ID{1}), event.Event{ID: "1", Type: event.Identify, At: noon, Raw: noon, Trust: event.Server, Traits: object("timezone", "Europe/Paris", "locale", "fr")})
	laptop := fold(profile.New(identity.ID{2}), event.Event{
		ID: "2", Type: event.Track, Name: "Click", At: noon + 9, Raw: noon + 9, Trust: event.Server,
		Context: object("timezone", "America/New_York", "locale", "en-US", "device", object("type", "desktop")),
	})
	for _, p := range []*profile.Profile{joined(said, laptop), joined(laptop, said)} {
		if p.Zone != "Europe/Paris" || p.Locale != "fr" || p.Device != "desktop" {
			t.Errorf("zone %s, locale %s, device %s", p.Zone, p.Locale, p.Device)
		}
	}
	phone := fold(profile.New(identity.ID{3}), event.Event{ID: "3", Type: event.Track, Name: "Click", At: noon + 99, Raw: noon + 99, Trust: event.Server, Context: object("timezone", "Asia/Tokyo", "device", object("type", "mobile"))})
	for _, p := range []*profile.Profile{joined(phone, laptop), joined(laptop, phone)} {
		if p.Zone != "Asia/Tokyo" || p.Locale != "en-US" || p.Device != "mobile" {
			t.Errorf("zone %s, locale %s, device %s", p.Zone, p.Locale, p.Device)
		}
	}
}

func TestHoldingAnIdentifier(t *testing.T) {
	t.Parallel()
	id := identity.Identifier{Kind: identity.Email, Value: "ada@shop.example"}
	for _, c := range []struct {
		name   string
		states []profile.Holding
		want   profile.Holding
	}{
		{"asked and owned", []profile.Holding{profile.Asked, profile.Owned}, profile.Owned},
		{"asked and refused", []profile.Holding{profile.Asked, profile.Refused}, profile.Refused},
		{"owned for ever", []profile.Holding{profile.Owned, profile.Refused, profile.Asked}, profile.Owned},
		{"refused and owned after all", []profile.Holding{profile.Refused, profile.Owned}, profile.Owned},
	} {
		p := profile.New(identity.ID{1})
		for i, s := range c.states {
			p.Hold(profile.Held{Identifier: id, State: s, At: noon + event.Time(i)})
		}
		if got, ok := p.Holds(id); !ok || got != c.want || len(p.Held) != 1 {
			t.Errorf("%s: state %d, want %d", c.name, got, c.want)
		}
	}
	both := []*profile.Profile{profile.New(identity.ID{1}), profile.New(identity.ID{2})}
	both[0].Hold(profile.Held{Identifier: id, State: profile.Refused, At: noon})
	both[1].Hold(profile.Held{Identifier: id, State: profile.Asked, At: noon + 1})
	for _, p := range []*profile.Profile{joined(both[0], both[1]), joined(both[1], both[0])} {
		if got, _ := p.Holds(id); got != profile.Asked {
			t.Errorf("what a home is still to answer is state %d after a merge", got)
		}
	}
}

func TestThereIsRoomForAsManyIdentifiersAsOnePersonHas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   identity.Kind
		most   int
		within time.Duration
	}{
		{identity.User, 1, 0},
		{identity.Email, 5, 365 * day},
		{identity.Anonymous, 5, 7 * day},
		{"crm", 5, 0},
	} {
		p := profile.New(identity.ID{1})
		for i := range c.most {
			if !p.Room(c.kind, noon) {
				t.Errorf("no room for %s number %d", c.kind, i+1)
			}
			p.Hold(profile.Held{Identifier: identity.Identifier{Kind: c.kind, Value: fmt.Sprint(i)}, State: profile.Asked, At: noon})
			p.Hold(profile.Held{Identifier: identity.Identifier{Kind: c.kind, Value: fmt.Sprint("other", i)}, State: profile.Refused, At: noon})
		}
		if p.Room(c.kind, noon.Add(c.within-1)) {
			t.Errorf("there is room for %s number %d", c.kind, c.most+1)
		}
		if later := p.Room(c.kind, noon.Add(20*365*day)); later != (c.within > 0) {
			t.Errorf("room for one more %s in twenty years: %v", c.kind, later)
		}
	}
}
