package ui_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"rapport/ui"
)

func ask(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	ui.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestEveryPageIsTheAppAndLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/app/customers", "/setup"} {
		w := ask("GET", path)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `<div id="root">`) {
			t.Fatalf("%s = %d %.80s", path, w.Code, w.Body)
		}
		for _, place := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
			a := ask("GET", place[1])
			if !strings.HasPrefix(place[1], ui.Assets) || a.Code != 200 {
				t.Errorf("%s loads %s: %d", path, place[1], a.Code)
			}
			if strings.Contains(place[1], "/assets/") && !strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s is asked for again", place[1])
			}
		}
		if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("the policy is %q", policy)
		}
		if strings.Contains(w.Body.String(), "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(w.Body.String()) {
			t.Error("the document holds a script or a style")
		}
	}
}

func TestNothingButFilesAndReadingIsServed(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{"/ui/": 404, "/ui/assets/": 404, "/ui/assets/none.js": 404, "/ui/../ui.go": 404} {
		if w := ask("GET", path); w.Code != want {
			t.Errorf("%s = %d, want %d", path, w.Code, want)
		}
	}
	if w := ask("POST", "/app/"); w.Code != 405 {
		t.Errorf("posting to a page = %d", w.Code)
	}
}
