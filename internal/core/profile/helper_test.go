package profile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// noon is Monday 2 March 2026, 12:00 UTC.
var noon = event.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// object takes key, value, key, value …; a value is a string, an int, a bool, nil
// or an event.Value.
func object(kv ...any) event.Object {
	var b event.Builder
	for i := 0; i < len(kv); i += 2 {
		b.Set(kv[i].(string), value(kv[i+1]))
	}
	return b.Object()
}

func value(v any) event.Value {
	switch v := v.(type) {
	case string:
		return event.Text(v)
	case int:
		return event.Int(int64(v))
	case bool:
		return event.Yes(v)
	case event.Object:
		return event.Nested(v)
	case []event.Object:
		var list []event.Value
		for _, o := range v {
			list = append(list, event.Nested(o))
		}
		return event.ListOf(list...)
	case event.Value:
		return v
	}
	return event.Value{}
}

// fold returns the profile that follows from p and the events, each heard at its
// own instant. It does not change p.
func fold(p *profile.Profile, events ...event.Event) *profile.Profile {
	own := *p
	for i := range events {
		own.Fold(&events[i], max(events[i].At, events[i].Raw))
	}
	return &own
}

// seldom is the seed of a stream of its own, so that rapid draws one number and
// not a thousand.
func seldom(t *rapid.T) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
}

// customer draws the event of a customer with one of a few ids, at one of a few
// instants, about one of a few things, so that what can meet does meet.
func customer(r *rand.Rand, n int) event.Event {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	at := noon.Add(time.Duration(r.IntN(40)) * hour)
	e := event.Event{ID: event.ID(fmt.Sprintf("m%d", n)), Type: event.Track, User: "ada", At: at, Raw: at, Trust: event.Trust(r.IntN(3)), Source: "shop"}
	if r.IntN(8) == 0 {
		e.Raw = 0
	}
	switch r.IntN(8) {
	case 0, 1:
		e.Type = event.Identify
		e.Traits = object(pick("email", "phone", "city", "timezone", "locale", "vip", "points"), pick("ada@shop.example", "bob@shop.example", "+447700900123", "Leeds", "Europe/Paris", "en-GB", "7"))
		if r.IntN(6) == 0 {
			e.Traits = object(pick("email", "city"), nil)
		}
	case 2, 3:
		e.Name = pick(event.OrderCompleted, event.OrderCompleted, event.OrderRefunded, event.OrderCancelled)
		e.Props = object("order_id", fmt.Sprintf("o%d", r.IntN(30)), "currency", pick("GBP", "EUR"), "channel", pick("web", "till"), "products", []event.Object{
			object("sku", pick("lamp", "boots", "mug"), "price", 1+r.IntN(20), "quantity", 1+r.IntN(3), "name", pick("A", "B"), "category", pick("x", "y")),
			object("sku", pick("lamp", "hat"), "price", 2),
		})
	case 4:
		e.Name = event.ConsentChanged
		e.Props = object("channel", pick("email", "sms"), "state", pick("granted", "denied", "withdrawn", "maybe"), "evidence", "box")
	case 5:
		e.Name, e.Trust = pick(event.Unsubscribed, event.Complained), event.Own
		e.Props = object("channel", "email", "address", pick("ada@shop.example", "bob@shop.example"), "detail", pick("spam", "abuse"))
	default:
		e.Name = event.ProductViewed
		e.Context = object("timezone", pick("Europe/London", "America/New_York"), "locale", pick("en", "fr"), "device", object("type", pick("mobile", "desktop")))
	}
	return e
}

// grown returns a profile after n drawn events, with identifiers in some state.
func grown(r *rand.Rand, id byte, from, n int) *profile.Profile {
	p := profile.New(identity.ID{id})
	p.Birth, p.Born = identity.Identifier{Kind: identity.Anonymous, Value: string('a' + rune(id))}, noon.Add(time.Duration(r.IntN(5))*hour)
	for i := range n {
		e := customer(r, from+i)
		p = fold(p, e)
		switch r.IntN(6) {
		case 0:
			kind := []identity.Kind{identity.Email, identity.Anonymous, "crm"}[r.IntN(3)]
			own := *p
			own.Hold(profile.Held{Identifier: identity.Identifier{Kind: kind, Value: string('a' + rune(r.IntN(3)))}, State: profile.Holding(r.IntN(3)), At: e.At})
			p = &own
		case 1:
			own := *p
			own.Ails(profile.Health{Channel: "email", Address: []string{"a@x.example", "b@x.example"}[r.IntN(2)], State: profile.AddressState(1 + r.IntN(2)), At: e.At, Why: "550"})
			p = &own
		case 2:
			own := *p
			own.Session = profile.Session{Start: e.At, Last: e.At.Add(time.Duration(r.IntN(3)) * time.Minute), Count: own.Session.Count + 1}
			p = &own
		case 3:
			own := *p
			own.Contacts = append(own.Contacts[:len(own.Contacts):len(own.Contacts)], profile.Contact{At: e.At, Channel: "email", Journey: "j", ID: profile.DeliveryID{id, byte(i)}})
			slices.SortStableFunc(own.Contacts, func(a, b profile.Contact) int { return int(a.At - b.At) })
			own.Open = append(own.Open[:len(own.Open):len(own.Open)], profile.Delivery{ID: profile.DeliveryID{id, byte(i), 1}, State: profile.Planned, Channel: "email", Planned: e.At})
			p = &own
		}
	}
	return p
}

func wantTrait(t *testing.T, p *profile.Profile, name, want string) {
	t.Helper()
	if v, _ := p.Trait(name); v.String() != want {
		t.Errorf("the trait %s is %q, want %q", name, v, want)
	}
}

func micros(pounds int) money.Micros { return money.Micros(pounds) * money.One }
