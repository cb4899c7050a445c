package site_test

import (
	"strings"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/site"
)

func TestAnAddressSaysForWhichDeliveryItIs(t *testing.T) {
	t.Parallel()
	s := signer(t, "shop", keyA)
	for _, kind := range []site.Return{site.BounceReturn, site.LeaveReturn, site.FeedbackReturn} {
		a := s.Address(kind, ada.ID, "bounces.shop.example")
		local, _, _ := strings.Cut(a, "@")
		if len(local) > 64 {
			t.Errorf("%s has %d octets before the @, and 64 are the most", a, len(local))
		}
		for _, written := range []string{a, strings.ToUpper(a), local + "@elsewhere.example", local} {
			if k, id, err := s.ReadAddress(written); err != nil || k != kind || id != ada.ID {
				t.Errorf("%s: %c %s %v", written, k, id, err)
			}
		}
	}
	if s.Address(site.BounceReturn, "none", "x.example") != "" || s.Address(site.BounceReturn, ada.ID, "") != "" {
		t.Error("an address for nothing, or nowhere")
	}
}

// Item 36, for the addresses: a forged one is worth nothing.
func TestItem36OnlyOurOwnAddressesAreTaken(t *testing.T) {
	t.Parallel()
	s := signer(t, "shop", keyA)
	good := s.Address(site.BounceReturn, ada.ID, "x.example")
	refused := func(name, address string, by *site.Signer) {
		t.Helper()
		if _, _, err := by.ReadAddress(address); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	for i := 2; i < strings.IndexByte(good, '@'); i++ {
		b := []byte(good)
		if b[i] == 'a' {
			b[i] = 'b'
		} else {
			b[i] = 'a'
		}
		refused("one letter changed", string(b), s)
	}
	refused("of another kind", "u"+good[1:], s)
	refused("another workspace", good, signer(t, "other", keyA))
	refused("a key that is gone", good, signer(t, "shop", keyB))
	for _, a := range []string{"", "@", "b+", "b+@x", "postmaster@x.example", good[:30] + "@x.example", "b+" + strings.Repeat("a", 1<<16)} {
		refused(a[:min(len(a), 20)], a, s)
	}
	if _, _, err := signer(t, "shop", keyB, keyA).ReadAddress(good); err != nil {
		t.Errorf("signed with the previous key: %v", err)
	}
}
