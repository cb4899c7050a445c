package site_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/site"
)

func token(link string) string { return link[strings.LastIndexByte(link, '/')+1:] }

func TestATokenSaysWhatItWasSignedFor(t *testing.T) {
	t.Parallel()
	s := signer(t, "shop", keyA)
	const target = "https://shop.example/p/1?a=b&c=%20#x"
	for _, c := range []struct {
		name, link, path string
		want             site.Token
	}{
		{"click", s.Click(ada, target), "/c/", site.Token{Kind: site.ClickLink, Delivery: ada, URL: target}},
		{"honeypot", s.Honeypot(ada), "/c/", site.Token{Kind: site.HoneypotLink, Delivery: ada}},
		{"pixel", s.Pixel(ada), "/o/", site.Token{Kind: site.OpenPixel, Delivery: ada}},
		{"unsubscribe", s.Unsubscribe(ada), "/u/", site.Token{Kind: site.UnsubscribeLink, Delivery: ada}},
		{"preferences", s.Preferences(ada), "/p/", site.Token{Kind: site.PreferencesLink, Delivery: ada}},
		{"preferences of nobody's delivery", s.Preferences(site.Delivery{Profile: ada.Profile, Channel: "sms"}), "/p/", site.Token{Kind: site.PreferencesLink, Delivery: site.Delivery{Profile: ada.Profile, Channel: "sms"}}},
	} {
		if !strings.HasPrefix(c.link, base+c.path) {
			t.Errorf("%s: the link is %q", c.name, c.link)
		}
		got, err := s.Verify(token(c.link))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
		if len(c.link) > 200 {
			t.Errorf("%s: the link is %d characters long", c.name, len(c.link))
		}
	}
}

// Item 35 for the tokens themselves; the pages are tested below.
func TestItem35OnlyOurOwnTokensAreTaken(t *testing.T) {
	t.Parallel()
	old := signer(t, "shop", keyA)
	link := token(old.Unsubscribe(ada))
	if _, err := signer(t, "shop", keyB, keyA).Verify(link); err != nil {
		t.Errorf("signed with the previous key: %v", err)
	}
	for name, s := range map[string]*site.Signer{
		"another workspace":             signer(t, "other", keyA),
		"a key that is gone":            signer(t, "shop", keyB),
		"another key with the same id":  signer(t, "shop", site.Key{ID: keyA.ID, Secret: [32]byte{9}}),
		"a workspace named by a prefix": signer(t, "sho", keyA),
	} {
		if _, err := s.Verify(link); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	// Every character changed to every other one, and every length.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range link {
		for _, c := range alphabet + "=+/\n%. é" {
			if string(c) == link[i:i+1] {
				continue
			}
			if tok, err := old.Verify(link[:i] + string(c) + link[i+1:]); err == nil {
				t.Fatalf("character %d changed to %q is taken as %+v", i, c, tok)
			}
		}
		if _, err := old.Verify(link[:i]); err == nil {
			t.Fatalf("cut off after %d characters it is taken", i)
		}
		if _, err := old.Verify(link[:i] + "\n" + link[i:]); err == nil {
			t.Fatalf("a line break at %d is overlooked", i)
		}
	}
	if _, err := old.Verify(link + "A"); err == nil {
		t.Error("a longer one is taken")
	}
	if _, err := old.Verify(strings.Repeat("A", 1<<20)); err == nil {
		t.Error("a megabyte is taken")
	}
}

func TestATokenCannotBeReadAsAnother(t *testing.T) {
	t.Parallel()
	s := signer(t, "shop", keyA)
	// Channel and purpose have their lengths: what moves between them changes the signature.
	a := site.Delivery{ID: ada.ID, Channel: "email", Purpose: "marketing"}
	b := site.Delivery{ID: ada.ID, Channel: "emailm", Purpose: "arketing"}
	if s.Unsubscribe(a) == s.Unsubscribe(b) {
		t.Error("two deliveries have one link")
	}
	raw, err := base64.RawURLEncoding.DecodeString(token(s.Pixel(ada)))
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = byte(site.UnsubscribeLink)
	if _, err := s.Verify(base64.RawURLEncoding.EncodeToString(raw)); err == nil {
		t.Error("a picture's token became an unsubscribe")
	}
}

func TestWhatCannotBeSignedHasNoLink(t *testing.T) {
	t.Parallel()
	s := signer(t, "shop", keyA)
	long := strings.Repeat("x", 64)
	for name, d := range map[string]site.Delivery{
		"a short id":         {ID: "abc", Channel: "email", Purpose: "marketing"},
		"an id of no digits": {ID: strings.Repeat("z", 32), Channel: "email", Purpose: "marketing"},
		"a long id":          {ID: ada.ID + "00", Channel: "email", Purpose: "marketing"},
		"a long channel":     {ID: ada.ID, Channel: long, Purpose: "marketing"},
		"a long purpose":     {ID: ada.ID, Channel: "email", Purpose: long},
		"no purpose":         {ID: ada.ID, Channel: "email", Profile: identity.ID{1}},
	} {
		if link := s.Unsubscribe(d); link != "" {
			t.Errorf("%s: %s", name, link)
		}
	}
	for _, c := range []struct {
		base string
		keys []site.Key
	}{{"news.shop.example", []site.Key{keyA}}, {"ftp://shop.example", []site.Key{keyA}}, {"https://u@shop.example", []site.Key{keyA}}, {"https://shop.example?x", []site.Key{keyA}}, {base, nil}, {base, []site.Key{keyA, keyA}}, {base, []site.Key{{ID: 1}}}} {
		if _, err := site.NewSigner(c.base, "shop", c.keys...); !fault.Is(err, fault.Invalid) {
			t.Errorf("NewSigner(%q, %d keys) = %v, want Invalid", c.base, len(c.keys), err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s, err := site.NewSigner(base, "shop", keyA)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token(s.Unsubscribe(ada)))
	f.Add(token(s.Click(ada, "https://shop.example/")))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := s.Verify(text)
		if err != nil {
			return
		}
		if again, err := s.Verify(text); err != nil || again != tok {
			t.Fatalf("%q: %+v, then %+v, %v", text, tok, again, err)
		}
	})
}
