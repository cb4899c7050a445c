package intake_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"rapport/internal/intake"
)

func TestSegmentsBrowserSDKIsToldToSendHere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, public, proto    string
		tls                    bool
		wantProtocol, wantHost string
	}{
		{"plain", "", "", false, "http", "example.com/v1"},
		{"TLS", "", "", true, "https", "example.com/v1"},
		{"behind a proxy", "", "https", false, "https", "example.com/v1"},
		{"with an address of its own", "https://track.shop.example/in/", "", false, "https", "track.shop.example/in/v1"},
	} {
		h := newHarness(t, func(o *intake.Options) { o.PublicURL = tt.public })
		r := httptest.NewRequest("GET", "/v1/projects/"+h.write+"/settings", nil)
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		r.Header.Set("Origin", "https://shop.example")
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		wantStatus(t, w, 200)
		var s struct {
			Integrations map[string]struct{ APIKey, APIHost, Protocol string }
			Metrics      struct{ SampleRate *float64 }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		got, ok := s.Integrations["Segment.io"]
		if !ok || got.APIKey != h.write || got.APIHost != tt.wantHost || got.Protocol != tt.wantProtocol || len(s.Integrations) != 1 {
			t.Errorf("%s: %+v", tt.name, s.Integrations)
		}
		if s.Metrics.SampleRate == nil || *s.Metrics.SampleRate != 0 {
			t.Errorf("%s: the SDK would send its metrics to another company", tt.name)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "https://shop.example" {
			t.Errorf("%s: the page may not read it", tt.name)
		}
	}
}

func TestRudderStacksBrowserSDKGetsItsSource(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for path, headers := range map[string][]string{
		"/sourceConfig/?p=npm&v=3.34.1&writeKey=" + h.write: nil,
		"/sourceConfig": {"Authorization", basic(h.write)},
	} {
		w := h.do("GET", path, nil, headers...)
		wantStatus(t, w, 200)
		var s struct {
			Source struct {
				ID, WriteKey, WorkspaceID string
				Enabled                   bool
				Destinations              []any
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		if s.Source.WriteKey != h.write || !s.Source.Enabled || s.Source.Destinations == nil || len(s.Source.Destinations) != 0 || s.Source.ID == "" || s.Source.WorkspaceID == "" {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}

func TestSettingsAreForWriteKeysOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, path := range []string{
		"/v1/projects/unknown/settings", "/v1/projects/" + h.secret + "/settings", "/sourceConfig/", "/sourceConfig/?writeKey=" + h.secret,
	} {
		wantStatus(t, h.do("GET", path, nil), 404)
	}
	wantStatus(t, h.do("POST", "/v1/projects/"+h.write+"/settings", nil), 405)
	h.nothingHappened(t)
}
