package identity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

func TestAHomeIsTheHMACOfItsIdentifier(t *testing.T) {
	t.Parallel()
	key := identity.Key{1, 2, 3}
	for _, value := range []string{"", "a", "customer-12346", strings.Repeat("x", 1000)} {
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte("user\x00" + value))
		if got, want := key.Home(identity.Identifier{Kind: identity.User, Value: value}), identity.ID(h.Sum(nil)[:16]); got != want {
			t.Errorf("home of %.10q… = %s, want %s", value, got, want)
		}
	}
}

func TestAnEventIsKnownByItsStrongestIdentifier(t *testing.T) {
	t.Parallel()
	traits := (&event.Builder{}).SetText("email", " Ada@Shop.Example ").SetText("phone", "+44 20 7946-0000").Object()
	e := event.Event{Type: event.Identify, Anon: "a1", User: "ada", Traits: traits}
	got := identity.Of(&e)
	want := []identity.Identifier{{identity.User, "ada"}, {identity.Email, "ada@shop.example"}, {identity.Phone, "+442079460000"}, {identity.Anonymous, "a1"}}
	if !slices.Equal(got, want) {
		t.Errorf("identifiers = %v, want %v", got, want)
	}
}

func TestNobodyIsKnownByAWordForNothing(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"", "null", "NULL", "undefined", "-1", "0", "000-000", "anonymous", "[object Object]", strings.Repeat("x", 300)} {
		if ids := identity.Of(&event.Event{Type: event.Track, User: v, Anon: v}); len(ids) != 0 {
			t.Errorf("%q identifies %v", v, ids)
		}
	}
}

func TestAGroupsTraitsAreTheCompanysNotThePersons(t *testing.T) {
	t.Parallel()
	traits := (&event.Builder{}).SetText("email", "office@company.example").Object()
	if ids := identity.Of(&event.Event{Type: event.Group, User: "ada", Traits: traits}); len(ids) != 1 {
		t.Errorf("identifiers = %v, want ada alone", ids)
	}
}

func TestEightLanesCutThePartitionsIntoEqualParts(t *testing.T) {
	t.Parallel()
	var counts [8]int
	for i := range identity.Partitions {
		var id identity.ID
		id[0], id[1] = byte(i>>4), byte(i<<4)
		if id.Partition() != i {
			t.Fatalf("partition of %s = %d, want %d", id, id.Partition(), i)
		}
		counts[id.Lane(8)]++
	}
	for lane, n := range counts {
		if n != identity.Partitions/8 {
			t.Errorf("lane %d has %d partitions", lane, n)
		}
	}
}

func TestRankIsATotalOrder(t *testing.T) {
	t.Parallel()
	known, older, younger := identity.Rank{Known: true, Born: 9}, identity.Rank{Born: 1}, identity.Rank{Born: 2}
	twin := identity.Rank{Born: 2, ID: identity.ID{1}}
	list := []identity.Rank{known, older, younger, twin}
	for i, a := range list {
		for j, b := range list {
			if got := a.Outranks(b); got != (i < j) {
				t.Errorf("%+v outranks %+v = %v", a, b, got)
			}
		}
	}
}

func TestAnIdentifierThatIsNormalStaysAsItIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]identity.Kind{identity.User, identity.Email, identity.Phone, identity.Loyalty, identity.Anonymous, "crm"}).Draw(t, "kind")
		value := rapid.OneOf(
			rapid.String(), rapid.StringMatching(`[ A-Za-zÀ-ž.+]{0,10}@[A-Za-z.]{0,10}`), rapid.StringMatching(`\+?[0-9 ().-]{5,20}`),
			rapid.StringOfN(rapid.SampledFrom([]rune("ȺaK@")), 0, 200, -1),
		).Draw(t, "value")
		id, ok := identity.Normal(kind, value)
		if !ok {
			return
		}
		if len(id.Value) > identity.MaxValue || identity.Blocked(id.Value) {
			t.Fatalf("%q became %q", value, id.Value)
		}
		if again, ok := identity.Normal(kind, id.Value); !ok || again != id {
			t.Fatalf("%q became %q and then %q, %v", value, id.Value, again.Value, ok)
		}
	})
}

func TestAddressesAndNumbersAreComparedInOneWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        identity.Kind
		value, want string // empty: identifies nobody
	}{
		{identity.Email, "  Ada@Shop.EXAMPLE\t", "ada@shop.example"},
		{identity.Email, "ada", ""},
		{identity.Email, "@shop.example", ""},
		{identity.Email, "ada@", ""},
		{identity.Email, "a@b.example, c@d.example", ""},
		{identity.Email, "a@b.example\r\nBcc: e@x.example", ""},
		{identity.Phone, "+44 (20) 7946-0000", "+442079460000"},
		{identity.Phone, "020 7946 0000", ""},
		{identity.Phone, "+1234", ""},
		{identity.Phone, "+12345678901234567", ""},
		{identity.Phone, "+44+20+79460000", ""},
		{identity.Phone, "+44 20 CALL NOW", ""},
		{identity.User, " Ada ", "Ada"},
		{identity.User, "00000000-0000-0000-0000-000000000000", ""},
		{identity.Anonymous, strings.Repeat("x", 257), ""},
		{identity.Email, strings.Repeat("Ⱥ", 100) + "@shop.example", ""}, // small letters are longer than capitals here
	} {
		id, ok := identity.Normal(c.kind, c.value)
		if ok != (c.want != "") || ok && id.Value != c.want {
			t.Errorf("%s %q is %q, %v; want %q", c.kind, c.value, id.Value, ok, c.want)
		}
	}
}

func TestOneKindOfIdentifierCannotLookLikeAnother(t *testing.T) {
	t.Parallel()
	id := func(kind, value string) event.Event {
		external := (&event.Builder{}).SetText("type", kind).SetText("id", value).Object()
		return event.Event{Type: event.Track, Context: (&event.Builder{}).Set("externalIds", event.ListOf(event.Nested(external))).Object()}
	}
	for _, kind := range []string{"user\x00x", "a\nb", "\x7f", strings.Repeat("k", 33), "", "system"} {
		e := id(kind, "ada")
		if ids := identity.Of(&e); len(ids) != 0 {
			t.Errorf("the kind %q gives %v", kind, ids)
		}
	}
	for kind, want := range map[string]identity.Kind{"user_id": identity.User, "loyalty_id": identity.Loyalty, "anonymous_id": identity.Anonymous, "crm": "crm", "email": identity.Email} {
		e := id(kind, "ada@shop.example")
		if ids := identity.Of(&e); len(ids) != 1 || ids[0].Kind != want {
			t.Errorf("the kind %q gives %v, want %s", kind, ids, want)
		}
	}
}

func TestFromOneEventEightIdentifiersAreTakenAtMost(t *testing.T) {
	t.Parallel()
	var list []event.Value
	for i := range 40 {
		list = append(list, event.Nested((&event.Builder{}).SetText("type", "crm").SetText("id", strings.Repeat("c", i+1)).Object()))
	}
	e := event.Event{Type: event.Track, User: "ada", Anon: "web", Context: (&event.Builder{}).Set("externalIds", event.ListOf(list...)).Object()}
	ids := identity.Of(&e)
	if len(ids) != 8 || ids[0] != (identity.Identifier{Kind: identity.User, Value: "ada"}) || !slices.IsSortedFunc(ids, identity.Identifier.Compare) {
		t.Errorf("identifiers = %v", ids)
	}
}

func TestOnlyASecretKeyFindsACustomerByWhatStandsOnAReceipt(t *testing.T) {
	t.Parallel()
	props := (&event.Builder{}).SetText("email", "ada@shop.example").Object()
	for trust, want := range map[event.Trust]int{event.Public: 1, event.Server: 2, event.Own: 2} {
		e := event.Event{Type: event.Track, Trust: trust, Anon: "till", Props: props}
		if ids := identity.Of(&e); len(ids) != want {
			t.Errorf("with trust %d: %v", trust, ids)
		}
	}
}

func TestAnAddressedEventComesBackFromItsBytes(t *testing.T) {
	t.Parallel()
	key := identity.Key{7}
	e := event.Event{ID: "m1", Type: event.Track, Name: "Visited", User: "ada", At: 5, Raw: 5}
	a, ok := key.Address(e)
	if !ok || a.To != key.Home(identity.Identifier{Kind: identity.User, Value: "ada"}) {
		t.Fatalf("addressed to %s, %v", a.To, ok)
	}
	bytes := string(a.Append(nil))
	if got, err := identity.DecodeAddressed(bytes); err != nil || got != a {
		t.Errorf("read %+v, %v", got, err)
	}
	for _, damaged := range []string{"", bytes[:10], bytes[:len(bytes)-1], bytes + "x"} {
		if _, err := identity.DecodeAddressed(damaged); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%d damaged bytes are read: %v", len(damaged), err)
		}
	}
	if _, ok := key.Address(event.Event{ID: "m2", Type: event.Track, User: "null"}); ok {
		t.Error("nobody has a home")
	}
}

func TestAnIdIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	id := identity.Key{7}.Home(identity.Identifier{Kind: identity.User, Value: "ada"})
	if got, err := identity.ParseID(id.String()); err != nil || got != id {
		t.Errorf("%s is read as %s, %v", id, got, err)
	}
	var u identity.ID
	text, _ := id.MarshalText()
	if err := u.UnmarshalText(text); err != nil || u != id {
		t.Errorf("%s is read as %s, %v", text, u, err)
	}
	for _, s := range []string{"", "xyz", id.String()[1:], id.String() + "00", strings.Repeat("g", 32)} {
		if _, err := identity.ParseID(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is an id: %v", s, err)
		}
	}
}

// Experiments that ran for a year would start anew if the toss changed.
func TestAPersonsTossNeverChanges(t *testing.T) {
	t.Parallel()
	id := identity.ID{1, 2, 3}
	if got := id.Chance("holdout:welcome"); got != 0.2729435220435382 {
		t.Errorf("Chance = %v", got)
	}
	if id.Chance("a") == id.Chance("b") || (identity.ID{4}).Chance("a") == id.Chance("a") {
		t.Error("two tosses are one")
	}
}
