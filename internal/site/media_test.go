package site_test

import (
	"bytes"
	"context"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"rapport/internal/fault"
)

// shelf is a library with one picture.
type shelf map[string]string

func (s shelf) Picture(_ context.Context, name string) ([]byte, string, error) {
	if b, ok := s[name]; ok {
		return []byte(b), "image/jpeg", nil
	}
	return nil, "", fault.New(fault.NotFound, "no such picture")
}

func TestACodeIsDrawnForWhoeverHoldsItsLink(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, c := range [][3]string{{"ean13", "4006381333931", ""}, {"code128", "SAVE-10", ""}, {"qr", "SAVE-10", "h"}} {
		link, err := w.signer.Code(c[0], c[1], c[2])
		if err != nil {
			t.Fatal(err)
		}
		r := w.ask("GET", link, nil)
		m, err := png.Decode(bytes.NewReader([]byte(text(t, r))))
		if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/png" || m.Bounds().Dx() < 400 {
			t.Fatalf("%v: %d %v, %v", c, r.StatusCode, r.Header, err)
		}
		if cache := r.Header.Get("Cache-Control"); !strings.Contains(cache, "immutable") || !strings.Contains(cache, "private") {
			t.Errorf("Cache-Control = %q", cache)
		}
		if r := w.ask("GET", link, nil, "If-None-Match", r.Header.Get("ETag")); r.StatusCode != http.StatusNotModified {
			t.Errorf("asked again: %d", r.StatusCode)
		}
		other, _ := signer(t, "other", keyA).Code(c[0], c[1], c[2])
		for name, bad := range map[string]string{
			"another workspace's": other, "cut off": strings.TrimSuffix(link, ".png"), "changed": strings.Replace(link, "/k/a", "/k/b", 1),
			"longer": strings.TrimSuffix(link, ".png") + "AAAA.png", "a way out": "/k/" + token(w.signer.Unsubscribe(ada)) + ".png", "nothing": "/k/.png", "very long": "/k/" + strings.Repeat("A", 5000) + ".png",
		} {
			if r := w.ask("GET", bad, nil); r.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d, want 404", name, r.StatusCode)
			}
		}
		if r := w.ask("GET", "/u/"+strings.TrimSuffix(token(link), ".png"), nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("a code as a way out: %d", r.StatusCode)
		}
	}
	if link, err := w.signer.Code("ean13", "4006381333932", ""); !fault.Is(err, fault.Invalid) || link != "" {
		t.Errorf("a wrong check digit gives %q, %v", link, err)
	}
}

func TestAPictureIsServedForEver(t *testing.T) {
	t.Parallel()
	w := open(t)
	const name = "0123456789abcdef0123456789abcdef-600.jpg"
	if link := w.signer.Picture(name); !strings.HasSuffix(link, "/i/"+name) {
		t.Fatalf("link = %q", link)
	}
	r := w.ask("GET", "/i/"+name, nil)
	if text(t, r) != "a picture" || r.Header.Get("Content-Type") != "image/jpeg" || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	for _, bad := range []string{"/i/other.jpg", "/i/", "/i/..%2f..%2fworkspace.key", "/i/a/b"} {
		if r := w.ask("GET", bad, nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", bad, r.StatusCode)
		}
	}
}
