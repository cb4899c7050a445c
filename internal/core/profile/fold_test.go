package profile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

func TestTheNewestWordOnATraitHoldsInWhateverOrderItIsHeard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		var events []event.Event
		for i := range 12 {
			at := noon.Add(time.Duration(r.IntN(4)) * hour)
			v := value([]any{"x", "y", 7, true, nil}[r.IntN(5)])
			events = append(events, event.Event{
				ID: event.ID(fmt.Sprintf("m%d", i)), Type: event.Identify, User: "ada", At: at, Raw: at, Trust: event.Server,
				Traits: object([]string{"a", "b", "c"}[r.IntN(3)], v),
			})
		}
		one := fold(profile.New(identity.ID{1}), events...)
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		other := fold(profile.New(identity.ID{1}), events...)
		if !slices.Equal(one.Traits, other.Traits) {
			t.Fatalf("traits are %+v in one order and %+v in another", one.Traits, other.Traits)
		}
		for _, name := range []string{"a", "b", "c"} {
			var last event.Time
			for i := range events {
				if _, says := events[i].Traits.Get(name); says {
					last = max(last, events[i].At)
				}
			}
			if k := slices.IndexFunc(one.Traits, func(t profile.Trait) bool { return t.Name == name }); last != 0 && one.Traits[k].At != last {
				t.Fatalf("the trait %s is of %s, want %s", name, one.Traits[k].At, last)
			}
		}
	})
}

func TestATraitOfNullIsForgottenAndComesBackOnlyWithANewerWord(t *testing.T) {
	t.Parallel()
	says := func(id string, at event.Time, v any) event.Event {
		return event.Event{ID: event.ID(id), Type: event.Identify, At: at, Raw: at, Trust: event.Server, Traits: object("city", v)}
	}
	p := fold(profile.New(identity.ID{1}), says("1", noon, "Leeds"), says("2", noon+2, nil), says("3", noon+1, "York"))
	if v, ok := p.Trait("city"); ok {
		t.Errorf("the city is %q after it was taken back", v)
	}
	wantTrait(t, fold(p, says("4", noon+3, "Bath")), "city", "Bath")
}

// RULES 7, item 58.
func TestItem58APublicKeyOverwritesNothingThatProtectsACustomer(t *testing.T) {
	t.Parallel()
	known := fold(profile.New(identity.ID{1}), event.Event{
		ID: "1", Type: event.Identify, User: "ada", At: noon, Raw: noon, Trust: event.Server,
		Traits: object("email", "ada@shop.example", "phone", "+447700900123", "suppressed", true, "city", "Leeds"),
	}, event.Event{ID: "2", Type: event.Track, Name: event.ConsentChanged, At: noon, Raw: noon, Trust: event.Server, Props: object("channel", "sms", "state", "denied")})
	for _, c := range []struct {
		name    string
		e       event.Event
		refused []string
		trait   string
		want    string
	}{
		{"another address", event.Event{Type: event.Identify, Traits: object("email", "eve@evil.example")}, []string{"email"}, "email", "ada@shop.example"},
		{"no address", event.Event{Type: event.Identify, Traits: object("email", nil)}, []string{"email"}, "email", "ada@shop.example"},
		{"the same address in capitals", event.Event{Type: event.Identify, Traits: object("email", " ADA@shop.example ")}, nil, "email", "ada@shop.example"},
		{"another number", event.Event{Type: event.Identify, Traits: object("phone", "+15550100999")}, []string{"phone"}, "phone", "+447700900123"},
		{"an address in the context", event.Event{Type: event.Track, Context: object("traits", object("email", "eve@evil.example"))}, []string{"email"}, "email", "ada@shop.example"},
		{"a right", event.Event{Type: event.Identify, Traits: object("admin", true)}, []string{"admin"}, "admin", ""},
		{"a rank", event.Event{Type: event.Identify, Traits: object("tier", "gold")}, []string{"tier"}, "tier", ""},
		{"that nothing may be sent", event.Event{Type: event.Identify, Traits: object("suppressed", false)}, []string{"suppressed"}, "suppressed", "true"},
		{"that somebody waits for an answer", event.Event{Type: event.Identify, Traits: object("conversation_open", false)}, []string{"conversation_open"}, "conversation_open", ""},
		{"that a complaint is open", event.Event{Type: event.Identify, Traits: object("complaint_open", false)}, []string{"complaint_open"}, "complaint_open", ""},
		{"one of the product's own", event.Event{Type: event.Identify, Traits: object("$score", 1)}, []string{"$score"}, "$score", ""},
		{"consent", event.Event{Type: event.Track, Name: event.ConsentChanged, Props: object("channel", "sms", "state", "granted")}, []string{"consent"}, "city", "Leeds"},
		{"something harmless", event.Event{Type: event.Identify, Traits: object("city", "York")}, nil, "city", "York"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.e.ID, c.e.User, c.e.At, c.e.Raw, c.e.Trust = "3", "ada", noon+1, noon+1, event.Public
			own := known.Fork()
			folded := own.Fold(&c.e, noon+1)
			if !slices.Equal(folded.Refused, c.refused) {
				t.Errorf("refused %q, want %q", folded.Refused, c.refused)
			}
			wantTrait(t, own, c.trait, c.want)
			if own.Allows("sms", "marketing", noon+2) {
				t.Error("a page's key has given consent")
			}
			c.e.Trust = event.Server
			if own = known.Fork(); len(own.Fold(&c.e, noon+1).Refused) != 0 {
				t.Error("a secret key is refused")
			}
		})
	}
}

func TestAnAddressThatIsKnownOnlyAsAnIdentifierIsGuardedToo(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	email := func(value string) identity.Identifier {
		return identity.Identifier{Kind: identity.Email, Value: value}
	}
	p.Hold(profile.Held{Identifier: email("zoe@shop.example"), State: profile.Owned, At: noon})
	// Another address becomes hers too, and stands before the first in the alphabet.
	p.Hold(profile.Held{Identifier: email("aaa@evil.example"), State: profile.Owned, At: noon + 1})
	e := event.Event{ID: "1", Type: event.Identify, User: "zoe", At: noon + 2, Raw: noon + 2, Trust: event.Public, Traits: object("email", "aaa@evil.example")}
	if folded := p.Fold(&e, e.At); !slices.Equal(folded.Refused, []string{"email"}) {
		t.Errorf("refused %q", folded.Refused)
	}
	if got := p.Address("email"); got != "zoe@shop.example" {
		t.Errorf("mail goes to %s", got)
	}
}

func TestTraitsHaveTheirLimits(t *testing.T) {
	t.Parallel()
	says := func(p *profile.Profile, n int, trust event.Trust) *profile.Profile {
		at := noon + event.Time(n)
		return fold(p, event.Event{ID: event.ID(fmt.Sprint(n)), Type: event.Identify, At: at, Raw: at, Trust: trust, Traits: object(fmt.Sprintf("t%03d", n), n, "long", strings.Repeat("x", profile.MaxTrait+1), strings.Repeat("n", 129), 1)})
	}
	p := profile.New(identity.ID{1})
	for n := range 320 {
		p = says(p, n, event.Public)
	}
	flooded := len(p.Traits)
	if flooded >= profile.MaxTraits {
		t.Errorf("a page's key has taken all %d places", flooded)
	}
	p = fold(p, event.Event{ID: "late", Type: event.Identify, At: noon, Raw: noon, Trust: event.Server, Traits: object("email", "ada@shop.example")})
	wantTrait(t, p, "email", "ada@shop.example")
	for n := range 400 {
		p = says(p, 1000+n, event.Server)
	}
	if len(p.Traits) != profile.MaxTraits {
		t.Errorf("%d traits, want %d", len(p.Traits), profile.MaxTraits)
	}
	wantTrait(t, p, "long", "")
}

func TestWhatConsentHolds(t *testing.T) {
	t.Parallel()
	says := func(at event.Time, trust event.Trust, state string) event.Event {
		return event.Event{ID: event.ID(fmt.Sprint(at, state)), Type: event.Track, Name: event.ConsentChanged, At: at, Raw: at, Trust: trust, Props: object("state", state, "wording", "v1")}
	}
	unsubscribes := func(at event.Time) event.Event {
		return event.Event{ID: event.ID(fmt.Sprint(at, "u")), Type: event.System, Name: event.Unsubscribed, At: at, Raw: at, Trust: event.Own, Props: object("channel", "email")}
	}
	for _, c := range []struct {
		name   string
		events []event.Event
		want   bool
	}{
		{"nothing said means no", nil, false},
		{"given by the shop", []event.Event{says(noon, event.Server, "granted")}, true},
		{"given by a page", []event.Event{says(noon, event.Public, "granted")}, false},
		{"given by the preference page", []event.Event{says(noon, event.Own, "granted")}, true},
		{"withdrawn by a page", []event.Event{says(noon, event.Server, "granted"), says(noon+1, event.Public, "withdrawn")}, false},
		{"denied", []event.Event{says(noon, event.Server, "granted"), says(noon+1, event.Server, "denied")}, false},
		{"a word nobody understands changes nothing", []event.Event{says(noon, event.Server, "granted"), says(noon+1, event.Server, "maybe")}, true},
		{"an old yes heard late", []event.Event{says(noon, event.Server, "denied"), says(noon-1, event.Server, "granted")}, false},
		{"an old no heard late", []event.Event{says(noon, event.Server, "granted"), says(noon-1, event.Server, "denied")}, true},
		{"yes and no at one instant", []event.Event{says(noon, event.Server, "granted"), says(noon, event.Server, "denied")}, false},
		{"no and yes at one instant", []event.Event{says(noon, event.Server, "denied"), says(noon, event.Server, "granted")}, false},
		{"unsubscribed", []event.Event{says(noon, event.Server, "granted"), unsubscribes(noon + 1)}, false},
		{"unsubscribed and subscribed again", []event.Event{unsubscribes(noon), says(noon+1, event.Server, "granted")}, true},
		{"subscribed anew at the instant of leaving", []event.Event{unsubscribes(noon), says(noon, event.Server, "granted")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := fold(profile.New(identity.ID{1}), c.events...)
			if got := p.Allows("email", "marketing", noon.Add(day)); got != c.want {
				t.Errorf("allowed: %v, want %v", got, c.want)
			}
		})
	}
}

func TestConsentEndsAtItsOwnInstant(t *testing.T) {
	t.Parallel()
	p := &profile.Profile{Consents: []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: true, At: noon, Expires: noon + 10}}}
	if !p.Allows("email", "marketing", noon+9) || p.Allows("email", "marketing", noon+10) || p.Allows("sms", "marketing", noon) || p.Allows("email", "other", noon) {
		t.Error("consent holds longer, shorter or for more than was said")
	}
}

func order(id, name string, at event.Time, kv ...any) event.Event {
	return event.Event{ID: event.ID(name + id + fmt.Sprint(at)), Type: event.Track, Name: name, User: "ada", At: at, Raw: at, Trust: event.Server, Props: object(append([]any{"order_id", id}, kv...)...)}
}

func TestOrdersAreExactInWhateverOrderTheyAreHeard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		var events []event.Event
		pounds := 0
		for i := range 20 {
			id, at := fmt.Sprintf("o%d", i), noon.Add(time.Duration(r.IntN(5))*hour)
			n := 1 + r.IntN(100)
			name := []string{event.OrderCompleted, event.OrderCompleted, event.OrderRefunded, event.OrderCancelled}[r.IntN(4)]
			if pounds += n; name != event.OrderCompleted {
				pounds -= 2 * n
			}
			e := order(id, name, at, "revenue", n)
			events = append(events, e)
			for range r.IntN(3) { // told again by another source, as an event of its own
				again := e
				again.ID += event.ID(fmt.Sprint("again", r.IntN(1000)))
				if name != event.OrderRefunded { // two refunds of one order are two
					events = append(events, again)
				}
			}
		}
		one := fold(profile.New(identity.ID{1}), events...)
		if one.Spent("GBP", "GBP") != micros(pounds) || len(one.Orders) != 20 {
			t.Fatalf("%d orders of %s, want 20 of %d.00", len(one.Orders), one.Spent("GBP", "GBP"), pounds)
		}
		if !slices.IsSortedFunc(one.Orders, func(a, b profile.Order) int { return int(a.At - b.At) }) {
			t.Fatalf("orders are not by instant: %+v", one.Orders)
		}
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if other := fold(profile.New(identity.ID{1}), events...); other.Spent("GBP", "GBP") != micros(pounds) || len(other.Orders) != 20 {
			t.Fatalf("in another order: %d orders of %s", len(other.Orders), other.Spent("GBP", "GBP"))
		}
	})
}

func TestAnOrderToldTwiceIsKeptAndCountedOnce(t *testing.T) {
	t.Parallel()
	p := fold(profile.New(identity.ID{1}), order("7", event.OrderCompleted, noon, "revenue", 10, "products", []event.Object{object("sku", "lamp")}))
	again := order("7", event.OrderCompleted, noon+1, "revenue", 99, "products", []event.Object{object("sku", "lamp")})
	own := *p
	if folded := own.Fold(&again, again.At); !folded.Repeated || folded.Order != nil {
		t.Errorf("folded = %+v", folded)
	}
	if own.Spent("GBP", "GBP") != micros(10) || own.Bought[0].Count != 1 || own.Count != 2 {
		t.Errorf("spent %s, bought %d, %d events", own.Spent("GBP", "GBP"), own.Bought[0].Count, own.Count)
	}
}

func TestSumsAreByCurrency(t *testing.T) {
	t.Parallel()
	p := fold(profile.New(identity.ID{1}),
		order("1", event.OrderCompleted, noon, "revenue", 10, "currency", "GBP"), order("2", event.OrderCompleted, noon, "revenue", 7, "currency", "EUR"),
		order("3", event.OrderCompleted, noon, "revenue", 5), order("4", event.OrderRefunded, noon, "revenue", 2, "currency", "EUR"))
	for _, c := range []struct {
		currency, base money.Currency
		want           int
	}{{"GBP", "GBP", 15}, {"EUR", "GBP", 5}, {"EUR", "EUR", 10}, {"USD", "GBP", 0}} {
		if got := p.Spent(c.currency, c.base); got != micros(c.want) {
			t.Errorf("spent in %s of a shop in %s: %s, want %d", c.currency, c.base, got, c.want)
		}
	}
}

func TestWhatWasBought(t *testing.T) {
	t.Parallel()
	lamp, mug := object("sku", "lamp", "name", "Lamp", "category", "lighting"), object("sku", "mug")
	lines := func(o ...event.Object) []any { return []any{"products", o} }
	buys := func(id string, at event.Time, o ...event.Object) event.Event {
		return order(id, event.OrderCompleted, at, lines(o...)...)
	}
	for _, c := range []struct {
		name        string
		events      []event.Event
		count       int32
		first, last event.Time
	}{
		{"once", []event.Event{buys("1", noon, lamp)}, 1, noon, noon},
		{"on two lines of one order", []event.Event{buys("1", noon, lamp, mug, lamp)}, 1, noon, noon},
		{"on two lines of an order heard late", []event.Event{buys("2", noon+9, lamp), buys("1", noon, lamp, lamp)}, 2, noon, noon + 9},
		{"in three orders, heard out of order", []event.Event{buys("2", noon+5, lamp), buys("3", noon+9, lamp), buys("1", noon, lamp)}, 3, noon, noon + 9},
		{"in two orders of one instant", []event.Event{buys("1", noon, lamp), buys("2", noon, lamp)}, 2, noon, noon},
		{"twice and returned once", []event.Event{buys("1", noon, lamp), buys("2", noon+5, lamp), order("2", event.OrderRefunded, noon+6, lines(lamp, lamp)...)}, 1, noon, noon + 5},
		{"and cancelled", []event.Event{buys("1", noon, lamp), order("1", event.OrderCancelled, noon+6, lines(lamp)...)}, 0, noon, noon},
		{"and returned more often than bought", []event.Event{buys("1", noon, lamp), order("1", event.OrderRefunded, noon+6, lines(lamp)...), order("1", event.OrderRefunded, noon+7, lines(lamp)...)}, 0, noon, noon},
		{"a line of nothing beside one", []event.Event{buys("1", noon, object("sku", "lamp", "quantity", 0), lamp)}, 1, noon, noon},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := fold(profile.New(identity.ID{1}), c.events...)
			i := slices.IndexFunc(p.Bought, func(b profile.Bought) bool { return b.SKU == "lamp" })
			if i < 0 {
				t.Fatal("it was not bought")
			}
			if b := p.Bought[i]; b.Count != c.count || b.First != c.first || b.Last != c.last || b.Name != "Lamp" || b.Category != "lighting" {
				t.Errorf("bought %+v, want %d times from %s to %s", b, c.count, c.first, c.last)
			}
		})
	}
}

func TestARhythmNeedsThreePurchases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b    profile.Bought
		want time.Duration
	}{
		{profile.Bought{First: noon, Last: noon.Add(60 * day), Count: 3}, 30 * day},
		{profile.Bought{First: noon, Last: noon.Add(60 * day), Count: 2}, 0},
		{profile.Bought{First: noon, Last: noon, Count: 5}, 0},
		{profile.Bought{First: noon, Last: noon.Add(90 * day), Count: 10}, 10 * day},
	} {
		if got := c.b.Rhythm(); got != c.want {
			t.Errorf("%+v has a rhythm of %v, want %v", c.b, got, c.want)
		}
	}
}

func TestWhatWasBoughtLongestAgoIsForgottenFirst(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		var events []event.Event
		last := map[string]event.Time{}
		for o := range 4 {
			at := noon.Add(time.Duration(r.IntN(3)) * hour) // orders of one instant are likely
			var lines []event.Object
			for i := range 300 + r.IntN(100) {
				sku := fmt.Sprintf("%d-%d-%d", r.IntN(10), o, i)
				lines = append(lines, object("sku", sku))
				last[sku] = at
			}
			events = append(events, order(fmt.Sprint(o), event.OrderCompleted, at, "products", lines))
		}
		p := fold(profile.New(identity.ID{1}), events...)
		if len(p.Bought) != min(len(last), profile.MaxBought) {
			t.Fatalf("%d are remembered of %d", len(p.Bought), len(last))
		}
		oldest := event.Never
		for _, b := range p.Bought {
			oldest = min(oldest, b.Last)
			if last[b.SKU] != b.Last {
				t.Fatalf("%s was bought at %s, remembered at %s", b.SKU, last[b.SKU], b.Last)
			}
			delete(last, b.SKU)
		}
		for sku, at := range last {
			if at > oldest {
				t.Fatalf("%s of %s is forgotten and something of %s is not", sku, at, oldest)
			}
		}
	}
}

func TestABusyMonthMakesAProfileHot(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	fold := func(n int, at event.Time, trust event.Trust) {
		for i := range n {
			p.Fold(&event.Event{ID: event.ID(fmt.Sprint(at, i)), Type: event.Track, Name: "Click", At: at, Raw: at, Trust: trust}, at)
		}
	}
	fold(profile.HotAfter, noon, event.Server)
	fold(100, noon, event.Own) // what we say to a customer does not make them a robot
	fold(100, noon.Add(-60*day), event.Server)
	if p.Hot() {
		t.Errorf("hot after %d events", p.InMonth)
	}
	fold(1, noon, event.Server)
	if !p.Hot() {
		t.Errorf("not hot after %d events", p.InMonth)
	}
	fold(1, noon.Add(31*day), event.Server)
	if p.Hot() {
		t.Error("still hot in the next month")
	}
}

// A profile is what a commit under way, a page and the next event read at once.
func TestOldProfilesNeverChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		var old []*profile.Profile
		var rows [][]byte
		keep := func(p *profile.Profile) *profile.Profile {
			old, rows = append(old, p), append(rows, p.Append(nil))
			return p
		}
		p := profile.New(identity.ID{1})
		for i := range 400 + r.IntN(150) { // soon the remembered ids are copied together
			p.Remember(&event.Event{ID: event.ID(fmt.Sprint("before", i)), Raw: noon})
		}
		p = keep(p)
		for i := range 120 {
			switch r.IntN(40) {
			case 0:
				own := *p
				own.Join(grown(r, byte(2+i%200), 10_000+100*i, 8))
				p = keep(&own)
			case 1:
				// A rehearsal grows its own way from a fork, and is dropped.
				rehearsal := p.Fork()
				for k := range 3 {
					rehearsal = keep(fold(rehearsal, customer(r, 1_000_000+10*i+k)))
				}
			case 2:
				again, err := profile.Decode(string(p.Append(nil)))
				if err != nil {
					t.Fatal(err)
				}
				p = keep(again)
			default:
				p = keep(fold(p, customer(r, 1000+i)))
			}
		}
		for i := range old {
			if !bytes.Equal(old[i].Append(nil), rows[i]) {
				t.Fatalf("the profile of step %d has changed since:\nwas %x\nis  %x", i, rows[i], old[i].Append(nil))
			}
		}
	})
}

func TestAddressesThatAil(t *testing.T) {
	t.Parallel()
	ill := func(state profile.AddressState, at event.Time, why string) profile.Health {
		return profile.Health{Channel: "email", Address: "ada@shop.example", State: state, At: at, Why: why}
	}
	bounced, complained, healthy := ill(profile.Bounced, noon+2, "550"), ill(profile.Complained, noon+1, "spam"), ill(profile.Healthy, noon+3, "")
	for _, c := range []struct {
		name  string
		words []profile.Health
		want  profile.AddressState
	}{
		{"a bounce", []profile.Health{bounced}, profile.Bounced},
		{"a complaint and a later bounce", []profile.Health{complained, bounced}, profile.Complained},
		{"a bounce and a complaint that was made before", []profile.Health{bounced, complained}, profile.Complained},
		{"healthy again", []profile.Health{bounced, healthy}, profile.Healthy},
		{"healthy before it bounced", []profile.Health{bounced, ill(profile.Healthy, noon+1, "")}, profile.Bounced},
	} {
		p := profile.New(identity.ID{1})
		for _, h := range c.words {
			p.Ails(h)
		}
		if got := p.HealthOf("email", "ada@shop.example").State; got != c.want {
			t.Errorf("%s: the state is %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAStrangerCannotFillAProfileWithAddresses(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	p.Ails(profile.Health{Channel: "email", Address: "ada@shop.example", State: profile.Complained, At: noon, Why: strings.Repeat("no ", 1000)})
	for i := range 200 {
		p.Ails(profile.Health{Channel: "email", Address: fmt.Sprintf("a%03d@shop.example", i*7%200), State: profile.Bounced, At: noon + event.Time(i)})
		p.Hold(profile.Held{Identifier: identity.Identifier{Kind: identity.Anonymous, Value: fmt.Sprint("tablet", i)}, State: profile.Refused, At: noon + event.Time(i)})
	}
	if len(p.Health) != profile.MaxHealth || p.HealthOf("email", "ada@shop.example").State != profile.Complained {
		t.Errorf("%d addresses; the complaint is %+v", len(p.Health), p.HealthOf("email", "ada@shop.example"))
	}
	if _, ok := p.Holds(identity.Identifier{Kind: identity.Anonymous, Value: "tablet199"}); !ok || len(p.Held) > 50 {
		t.Errorf("%d refused identifiers are remembered, the newest: %v", len(p.Held), ok)
	}
	if n := len(p.Append(nil)); n > 8<<10 {
		t.Errorf("the row has %d bytes", n)
	}
}

func TestATraitEmailThatIsNoAddressLeavesTheOneThatIsKnown(t *testing.T) {
	t.Parallel()
	identify := func(id, email string) event.Event {
		return event.Event{ID: event.ID(id), Type: event.Identify, User: "ada", At: noon, Trust: event.Server, Traits: object("email", email, "city", id)}
	}
	p := fold(profile.New(identity.ID{1}), identify("a", "Ada@People.example"))
	own := *p
	e := identify("b", "ada at people")
	if got := own.Fold(&e, noon+1); got.Unfit != "email" {
		t.Errorf("nobody is told: %+v", got)
	}
	if got := own.Address("email"); got != "ada@people.example" {
		t.Errorf("mail would go to %q", got)
	}
	if v, _ := own.Trait("city"); v.Raw != "b" {
		t.Errorf("the rest of the event does not count: %v", v)
	}
}
