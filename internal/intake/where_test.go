package intake_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"rapport/internal/intake"
)

func TestTheEdgeWritesClassAndTownBesideWhatWasSaid(t *testing.T) {
	t.Parallel()
	const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
	for _, c := range []struct {
		name, context, key  string
		header              map[string]string
		class, city, region string
	}{
		{name: "a page", key: "write", class: "mobile", city: "London", region: "England"},
		{name: "hints before the agent", key: "write", header: map[string]string{"Sec-CH-UA-Form-Factors": `"Tablet"`}, class: "tablet", city: "London", region: "England"},
		{name: "an app", key: "write", context: `{"device":{"type":"ios","model":"iPhone15,2"}}`, class: "app", city: "London", region: "England"},
		{name: "a client that names its town", key: "write", context: `{"location":{"city":"Leeds"}}`, class: "mobile", city: "Leeds"},
		{name: "a server for somebody", key: "secret", context: `{"ip":"81.2.69.142","userAgent":"Mozilla/5.0 (Windows NT 10.0) Chrome/131"}`, class: "desktop", city: "London", region: "England"},
		{name: "a server of itself", key: "secret"},
	} {
		h := newHarness(t, func(o *intake.Options) {
			o.Locate = func(a netip.Addr) intake.Town {
				if a == netip.MustParseAddr("81.2.69.142") {
					return intake.Town{Country: "GB", Region: "England", City: "London"}
				}
				return intake.Town{}
			}
		})
		context := c.context
		if context == "" {
			context = "{}"
		}
		r := httptest.NewRequest("POST", "/v1/track", strings.NewReader(`{"event":"A","anonymousId":"a1","context":`+context+`}`))
		key := h.write
		if c.key == "secret" {
			key = h.secret
		}
		r.SetBasicAuth(key, "")
		r.RemoteAddr = "81.2.69.142:9999"
		r.Header.Set("User-Agent", iphone)
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		if w.Code != 200 || len(h.appended) != 1 {
			t.Fatalf("%s: %d %s", c.name, w.Code, w.Body)
		}
		got := h.appended[0].Event.Context
		if got.Text("device.class") != c.class || got.Text("location.city") != c.city || got.Text("location.region") != c.region {
			t.Errorf("%s: %s", c.name, got.AppendJSON(nil))
		}
		if c.key == "write" && strings.Contains(string(got.AppendJSON(nil)), "81.2.69") {
			t.Errorf("%s: the address is kept: %s", c.name, got.AppendJSON(nil))
		}
		if m := got.Text("device.model"); strings.Contains(c.context, "model") && m != "iPhone15,2" {
			t.Errorf("%s: what the client said is gone: %s", c.name, got.AppendJSON(nil))
		}
	}
}
