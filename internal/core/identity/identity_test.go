package identity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
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
