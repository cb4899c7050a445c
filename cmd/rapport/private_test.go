package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPagesAboutCustomersAreForThisMachineAlone(t *testing.T) {
	t.Parallel()
	h := private(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for _, c := range []struct {
		name, from, host, header string
		want                     int
	}{
		{"this machine", "127.0.0.1:5000", "127.0.0.1:8080", "", http.StatusOK},
		{"this machine by its name", "[::1]:5000", "localhost:8080", "", http.StatusOK},
		{"another machine", "192.0.2.7:5000", "127.0.0.1:8080", "", http.StatusForbidden},
		{"a name that only leads here", "127.0.0.1:5000", "evil.example", "", http.StatusForbidden},
		{"a proxy on this machine", "127.0.0.1:5000", "127.0.0.1:8080", "X-Forwarded-For", http.StatusForbidden},
		{"a socket without an address", "@", "localhost", "", http.StatusForbidden},
	} {
		r := httptest.NewRequest("GET", "http://"+c.host+"/customers", nil)
		r.RemoteAddr = c.from
		if c.header != "" {
			r.Header.Set(c.header, "198.51.100.9")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
}
