package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rapport/internal/clock"
)

// served returns every route of a server on an empty data directory, as method and
// path; an empty method takes every one.
func served(t *testing.T) (*server, *routes, [][2]string) {
	t.Helper()
	wall := clock.Wall()
	logger := slog.New(slog.DiscardHandler)
	d, err := openDirectory(t.Context(), t.TempDir(), opening{clock: wall, create: true, logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.close() })
	s := &server{d: d, clock: wall, public: "http://shop.test", logger: logger, openPages: true} // the pages are seen too
	if err := s.mail("", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.open(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(context.WithoutCancel(t.Context())) })
	table := s.routes()
	var list [][2]string
	wildcard := regexp.MustCompile(`\{[a-z]+(\.\.\.)?\}`)
	add := func(method, path string) {
		list = append(list, [2]string{method, wildcard.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "x")})
	}
	for _, pattern := range table.patterns {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			method, path = "", pattern
		}
		add(method, path)
	}
	for _, r := range s.manage.Routes() {
		add(r.Method, r.Path)
	}
	return s, table, list
}

// Item 61, as far as browsers are concerned: whatever the route and however the
// browser tells, another site's page changes nothing.
func TestItem61EveryRouteThatChangesSomethingRefusesOtherSites(t *testing.T) {
	t.Parallel()
	_, table, list := served(t)
	h := table.guarded()
	open := func(path string) bool {
		mux := http.NewServeMux()
		for _, pattern := range table.open {
			mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		}
		_, pattern := mux.Handler(httptest.NewRequest("POST", path, nil))
		return pattern != ""
	}
	asked := 0
	for _, route := range list {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if route[0] != "" && route[0] != method || open(route[1]) {
				continue
			}
			for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "origin": "null"} {
				r := httptest.NewRequest(method, "http://shop.test"+route[1], strings.NewReader("{}"))
				r.Header.Set(name, value)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusForbidden {
					t.Errorf("%s %s with %s: %s = %d, want 403", method, route[1], name, value, w.Code)
				}
				asked++
			}
			r := httptest.NewRequest(method, "http://shop.test"+route[1], strings.NewReader("{}"))
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code == http.StatusForbidden {
				t.Errorf("%s %s from our own page = 403", method, route[1])
			}
		}
	}
	if asked < 100 {
		t.Errorf("only %d requests were made: the table is not the router's", asked)
	}
	for _, pattern := range table.open {
		_, path, found := strings.Cut(pattern, " ")
		if !found {
			path = pattern
		}
		if !slices.ContainsFunc([]string{"/v1/", "/api/s/", "/beacon/", "/sourceConfig", "/sdk-metrics", "/rsaMetrics", "/hooks/", "/u/"}, func(p string) bool { return strings.HasPrefix(path, p) }) {
			t.Errorf("%s is open to other sites: only tracking, webhooks and the one click to unsubscribe are", pattern)
		}
	}
}

func TestEveryAnswerHasTheHeadersThatKeepABrowserSafe(t *testing.T) {
	t.Parallel()
	_, table, list := served(t)
	h := table.guarded()
	for _, route := range list {
		method := route[0]
		if method == "" {
			method = "GET"
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "http://shop.test"+route[1], nil))
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000", "Referrer-Policy": "", "Content-Security-Policy": "frame-ancestors",
		} {
			if got := w.Header().Get(name); got == "" || !strings.Contains(got, want) {
				t.Errorf("%s %s: %s is %q", method, route[1], name, got)
			}
		}
	}
}
